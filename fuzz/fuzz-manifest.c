/* SPDX-License-Identifier: Apache-2.0
 *
 * Manifests, indexes and configs from the same bytes: no document is both a manifest and an index, and
 * a manifest written from its parsed form parses to the same again.
 */
#include "codec/mediatype.h"
#include "format/detect.h"
#include "fuzz-assert.h"
#include "oci/manifest.h"
#include <string.h>

static void check_descriptor(const ociw_descriptor *desc)
{
	FUZZ_ASSERT(ociwp_mediatype_is_valid(desc->media_type));
	FUZZ_ASSERT(ociw_digest_is_valid(desc->digest));
	FUZZ_ASSERT(desc->size <= INT64_MAX);
}

static void check_manifest(const ociwp_manifest *m)
{
	OCIWP_AUTO(buf) ociwp_buf first = OCIWP_BUF_INIT;
	OCIWP_AUTO(buf) ociwp_buf second = OCIWP_BUF_INIT;
	OCIWP_AUTO(manifest) ociwp_manifest *again = NULL;
	ociwp_manifest_draft draft = {
		.media_type = m->media_type,
		.artifact_type = m->artifact_type,
		.config = m->config,
		.layers = (const ociw_descriptor *const *)m->layers,
		.layer_count = m->layer_count,
		.subject = m->subject,
		.annotations = &m->annotations,
	};

	check_descriptor(m->config);
	for (size_t i = 0; i < m->layer_count; i++)
		check_descriptor(m->layers[i]);
	if (ociwp_manifest_write(&draft, &first, NULL) < 0)
		return; /* an empty config without artifactType */
	FUZZ_ASSERT(ociwp_manifest_parse(ociwp_buf_span(&first), m->media_type, NULL, &again,
					 NULL) == 0);
	draft.config = again->config;
	draft.layers = (const ociw_descriptor *const *)again->layers;
	draft.subject = again->subject;
	draft.annotations = &again->annotations;
	FUZZ_ASSERT(ociwp_manifest_write(&draft, &second, NULL) == 0);
	FUZZ_ASSERT(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	OCIWP_AUTO(manifest) ociwp_manifest *manifest = NULL;
	OCIWP_AUTO(index) ociwp_index *index = NULL;
	OCIWP_AUTO(config) ociwp_config *config = NULL;
	ociw_span bytes = {data, size};
	int as_manifest = ociwp_manifest_parse(bytes, NULL, NULL, &manifest, NULL);
	int as_index = ociwp_index_parse(bytes, NULL, NULL, &index, NULL);
	int as_config = ociwp_config_parse(bytes, NULL, &config, NULL);

	FUZZ_ASSERT((as_manifest == 0) == (manifest != NULL));
	FUZZ_ASSERT((as_index == 0) == (index != NULL));
	FUZZ_ASSERT((as_config == 0) == (config != NULL));
	FUZZ_ASSERT(!manifest || !index);
	(void)ociwp_manifest_sniff(bytes);
	if (manifest) {
		check_manifest(manifest);
		(void)ociwp_format_detect(manifest, config);
	}
	for (size_t i = 0; index && i < index->manifest_count; i++)
		check_descriptor(index->manifests[i]);
	return 0;
}
