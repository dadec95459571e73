/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of pack share: an app in a folder that goes away, packing it, reading what came
 * out.
 */
#ifndef TESTS_OPS_PACK_FIXTURE_H
#define TESTS_OPS_PACK_FIXTURE_H

#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"
#include "oci/manifest.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <oci-wasm/pack.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define APP_HEAD                                                                                   \
	"spin_manifest_version = 2\n[application]\nname = \"t\"\nversion = \"0.1.0\"\n"            \
	"[[trigger.http]]\nroute = \"/...\"\ncomponent = \"a\"\n[component.a]\nsource = "          \
	"\"a.wasm\"\n"

static char app_dir[64];

static inline const char *in_app(const char *name)
{
	static char paths[4][256];
	static unsigned next;
	char *path = paths[next++ % 4];
	snprintf(path, sizeof(paths[0]), "%s/%s", app_dir, name);
	return path;
}

static inline void write_bytes(const char *name, const void *data, size_t len)
{
	const char *path = in_app(name);
	char *copy = ociwp_strdup(path);
	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		cr_assert(mkdir(copy, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
	free(copy);
	FILE *file = fopen(path, "w");
	cr_assert_not_null(file, "%s", path);
	cr_assert_eq(fwrite(data, 1, len, file), len);
	fclose(file);
}

static inline void write_text(const char *name, const char *text)
{
	write_bytes(name, text, strlen(text));
}

static inline void write_wasm(const char *name)
{
	write_bytes(name, "\0asm\x0d\0\1\0", 8);
}

/* spin.toml from the usual head and @p more, and a.wasm. */
static inline void app_begin(const char *more)
{
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	strcpy(app_dir, "/tmp/ociw-pack-XXXXXX");
	cr_assert_not_null(mkdtemp(app_dir));
	ociwp_buf_puts(&text, APP_HEAD);
	ociwp_buf_puts(&text, more);
	write_text("spin.toml", text.data);
	write_wasm("a.wasm");
}

static inline int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static inline void app_end(void)
{
	if (app_dir[0])
		nftw(app_dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	app_dir[0] = '\0';
}

static inline ociw_pack_options pack_options(void)
{
	ociw_pack_options options = OCIW_PACK_OPTIONS_INIT;
	options.path = app_dir;
	return options;
}

/* The digest of what NULL resolves to; the content is closed. */
static inline char *pack_digest(const ociw_pack_options *options)
{
	OCIWP_AUTO(content) ociw_content *content = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	ociw_error *err = NULL;
	cr_assert_eq(ociw_pack(options, &content, &err), 0, "%s",
	             err ? ociw_error_message(err) : "");
	cr_assert_eq(ociw_content_resolve(content, NULL, NULL, &desc, NULL), 0);
	return ociwp_strdup(desc->digest);
}

/* The message of a pack that must fail with @p code. */
static inline char *pack_failure(const ociw_pack_options *options, int code)
{
	OCIWP_AUTO(content) ociw_content *content = NULL;
	ociw_error *err = NULL;
	int r = ociw_pack(options, &content, &err);
	cr_assert_eq(r, code, "%d: %s", r, err ? ociw_error_message(err) : "packed");
	cr_assert_null(content);
	char *text = ociwp_strdup(ociw_error_message(err));
	ociw_error_free(err);
	return text;
}

static inline ociwp_manifest *manifest_of(ociw_content *content, const char *name)
{
	ociw_descriptor *desc = NULL;
	ociwp_manifest *manifest = NULL;
	cr_assert_eq(ociw_content_resolve(content, name, NULL, &desc, NULL), 0);
	cr_assert_eq(ociwp_manifest_load(content, desc, NULL, &manifest, NULL, NULL, NULL), 0);
	ociw_descriptor_free(desc);
	return manifest;
}

#endif
