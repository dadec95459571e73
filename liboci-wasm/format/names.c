/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of formats, as --format takes and inspect gives them. Telling what an image is: detect.c.
 */
#include "base/alloc.h"
#include "base/str.h"
#include <oci-wasm/format.h>

static const struct {
	ociw_format format;
	const char *name;
} names[] = {
	/* The first name of a format is the one that is printed. */
	{OCIW_FORMAT_SPIN, "spin"},
	{OCIW_FORMAT_SPIN_NODE, "spin-node"},
	{OCIW_FORMAT_ROOTFS, "rootfs"},
	{OCIW_FORMAT_WASM, "wasm"},
	{OCIW_FORMAT_WASM, "cncf"},
	{OCIW_FORMAT_RUNWASI, "runwasi"},
	{OCIW_FORMAT_HYBRID, "hybrid"},
	{OCIW_FORMAT_LEGACY, "legacy"},
	{OCIW_FORMAT_LEGACY, "legacy-v1"},
	{OCIW_FORMAT_SOLO, "solo"},
	{OCIW_FORMAT_ISTIO, "istio"},
	{OCIW_FORMAT_ISTIO, "istio-compat"},
	{OCIW_FORMAT_WASMCLOUD, "wasmcloud"},
	{OCIW_FORMAT_ARTIFACT, "artifact"},
	{OCIW_FORMAT_IMAGE, "image"},
	{OCIW_FORMAT_INDEX, "index"},
};

const char *ociw_format_name(ociw_format format)
{
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(names); i++)
		if (names[i].format == format)
			return names[i].name;
	return "unknown";
}

ociw_format ociw_format_parse(const char *name)
{
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(names); i++)
		if (ociwp_streq(names[i].name, name))
			return names[i].format;
	return OCIW_FORMAT_UNKNOWN;
}
