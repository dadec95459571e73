/* SPDX-License-Identifier: Apache-2.0
 *
 * Image indexes (IDX-1, IDX-2, IDX-4). Rows re-expressed after image-spec's
 * schema/imageindex_test.go.
 */
#include "codec/mediatype.h"
#include "oci/manifest.h"
#include <criterion/criterion.h>
#include <string.h>

#define HEX "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
#define HEAD "{\"schemaVersion\":2,\"manifests\":["
#define ENTRY "\"mediaType\":\"" OCIWP_MT_OCI_MANIFEST "\",\"digest\":\"sha256:" HEX "\",\"size\":7143"

static int parse(const char *text, const char *type, ociwp_index **out, ociw_error **err)
{
	return ociwp_index_parse((ociw_span){text, strlen(text)}, type, NULL, out, err);
}

Test(index, takes_what_the_spec_allows)
{
	static const char *const rows[] = {
		HEAD "]}",
		HEAD "{" ENTRY "}]}",
		HEAD "{" ENTRY ",\"platform\":{\"architecture\":\"ppc64le\",\"os\":\"linux\","
		     "\"os.features\":[\"x\"],\"os.version\":\"1\",\"variant\":\"v1\"}}],"
		     "\"annotations\":{\"a\":\"b\"}}",
		HEAD "{\"mediaType\":\"application/vnd.example.unknown\",\"digest\":\"sha256:" HEX
		     "\",\"size\":1}]}",
		HEAD "{\"mediaType\":\"" OCIWP_MT_OCI_INDEX "\",\"digest\":\"sha256:" HEX
		     "\",\"size\":1}],\"mediaType\":\"" OCIWP_MT_OCI_INDEX "\","
		     "\"artifactType\":\"a/b\",\"subject\":{" ENTRY "}}",
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		OCIWP_AUTO(index) ociwp_index *index = NULL;
		ociw_error *err = NULL;
		cr_expect_eq(parse(rows[i], NULL, &index, &err), 0, "%s: %s", rows[i],
			     ociw_error_message(err));
		ociw_error_free(err);
	}
}

Test(index, refuses_what_the_spec_forbids)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{"{\"schemaVersion\":2}", "manifests is missing"},
		{"{\"schemaVersion\":2,\"manifests\":{}}", "manifests is an object"},
		{HEAD "],\"mediaType\":\"invalid\"}", "media type \"invalid\""},
		{HEAD "],\"mediaType\":\"" OCIWP_MT_OCI_MANIFEST "\"}", "of no index"},
		{HEAD "{\"mediaType\":\"invalid\",\"digest\":\"sha256:" HEX "\",\"size\":1}]}",
		 "manifests[0].mediaType"},
		{HEAD "{\"mediaType\":\"a/b\",\"digest\":\"sha256:" HEX "\",\"size\":\"1\"}]}",
		 "manifests[0].size"},
		{HEAD "{" ENTRY ",\"platform\":{\"architecture\":\"ppc64le\"}}]}",
		 "manifests[0].platform.os is missing"},
		{HEAD "{" ENTRY ",\"platform\":{\"os\":\"linux\"}}]}",
		 "manifests[0].platform.architecture is missing"},
		{HEAD "],\"layers\":[]}", "both"},
		{HEAD "{" ENTRY "},{\"mediaType\":\"a/b\",\"digest\":\"sha256:" HEX
		      "\",\"size\":1}]}",
		 "two sizes"},
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		ociwp_index *index = NULL;
		ociw_error *err = NULL;
		int r = parse(rows[i].text, NULL, &index, &err);
		cr_expect_eq(r, OCIW_ERR_FORMAT, "%s: %d", rows[i].text, r);
		cr_expect(err && strstr(ociw_error_message(err), rows[i].message), "%s: %s",
			  rows[i].text, ociw_error_message(err));
		ociw_error_free(err);
	}
}

Test(index, members_are_kept)
{
	OCIWP_AUTO(index) ociwp_index *index = NULL;
	cr_assert_eq(parse(HEAD "{" ENTRY ",\"annotations\":{\"a\":\"b\"}}],\"artifactType\":\"x/y\"}",
			   OCIWP_MT_DOCKER_INDEX, &index, NULL),
		     0);
	cr_expect_str_eq(index->media_type, OCIWP_MT_DOCKER_INDEX);
	cr_expect_str_eq(index->artifact_type, "x/y");
	cr_expect_eq(index->manifest_count, 1);
	cr_expect_str_eq(ociw_descriptor_annotation(index->manifests[0], "a"), "b");
}
