/* SPDX-License-Identifier: Apache-2.0
 *
 * Image manifests (MAN-1..12). Rows re-expressed after image-spec's schema/manifest_test.go, with the
 * repairs of oci-client.md D7; the canonical bytes are those of the worked example of spin.md 2.4.
 */
#include "codec/mediatype.h"
#include "io/stream.h"
#include "oci/manifest.h"
#include "oci/memory.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HEX "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
#define DESC(type) "{\"mediaType\":\"" type "\",\"digest\":\"sha256:" HEX "\",\"size\":2}"
#define CONFIG "\"config\":" DESC("application/vnd.oci.image.config.v1+json")
#define LAYERS "\"layers\":[" DESC("application/vnd.oci.image.layer.v1.tar+gzip") "]"

static int parse(const char *text, const char *type, ociwp_manifest **out, ociw_error **err)
{
	return ociwp_manifest_parse((ociw_span){text, strlen(text)}, type, NULL, out, err);
}

Test(manifest, takes_what_the_spec_allows)
{
	static const char *const rows[] = {
		"{\"schemaVersion\":2," CONFIG "," LAYERS "}",
		"{\"schemaVersion\":2,\"mediaType\":\"" OCIWP_MT_OCI_MANIFEST "\"," CONFIG "," LAYERS
		",\"annotations\":{\"key1\":\"value1\"}}",
		"{\"schemaVersion\":2," CONFIG ",\"layers\":[]}",
		"{\"schemaVersion\":2," CONFIG "," LAYERS ",\"annotations\":null,\"subject\":null}",
		"{\"schemaVersion\":2," CONFIG "," LAYERS ",\"x\":{\"y\":[1.5]}}",
		"{\"schemaVersion\":2,\"config\":" DESC("application/vnd.oci.empty.v1+json") ","
		"\"artifactType\":\"application/x\",\"layers\":["
		DESC("application/vnd.oci.empty.v1+json") "],\"subject\":"
		DESC("application/vnd.oci.image.manifest.v1+json") "}",
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		OCIWP_AUTO(manifest) ociwp_manifest *m = NULL;
		ociw_error *err = NULL;
		cr_expect_eq(parse(rows[i], NULL, &m, &err), 0, "%s: %s", rows[i],
			     ociw_error_message(err));
		ociw_error_free(err);
	}
}

Test(manifest, refuses_what_the_spec_forbids)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{"{\"schemaVersion\":2,\"mediaType\":\"invalid\"," CONFIG "," LAYERS "}",
		 "media type \"invalid\""},
		{"{\"schemaVersion\":2,\"mediaType\":\"" OCIWP_MT_OCI_INDEX "\"," CONFIG "," LAYERS
		 "}",
		 "of no manifest"},
		{"{\"schemaVersion\":2,\"mediaType\":7," CONFIG "," LAYERS "}", "mediaType"},
		{"{\"schemaVersion\":2," LAYERS "}", "config is missing"},
		{"{\"schemaVersion\":2," CONFIG "}", "layers is missing"},
		{"{\"schemaVersion\":2,\"config\":[]," LAYERS "}", "config is an array"},
		{"{\"schemaVersion\":2," CONFIG ",\"layers\":{}}", "layers is an object"},
		{"{\"schemaVersion\":2," CONFIG ",\"layers\":[[]]}", "layers[0] is not an object"},
		{"{\"schemaVersion\":2,\"config\":{\"mediaType\":\"a/b\",\"digest\":\"sha256:" HEX
		 "\",\"size\":\"1470\"}," LAYERS "}",
		 "config.size is a string"},
		{"{\"schemaVersion\":2," CONFIG ",\"layers\":[{\"mediaType\":\"a/b\",\"digest\":"
		 "\"sha256:" HEX "\",\"size\":\"675598\"}]}",
		 "layers[0].size is a string"},
		{"{\"schemaVersion\":2," CONFIG ",\"layers\":[{\"mediaType\":\"a/b\",\"digest\":"
		 "\"sha256:" HEX "\",\"size\":3}]}",
		 "two sizes"},
		{"{\"schemaVersion\":2," CONFIG "," LAYERS ",\"annotations\":{\"a\":2}}",
		 "annotations: value of \"a\""},
		{"{\"schemaVersion\":2," CONFIG "," LAYERS ",\"subject\":\"x\"}", "subject"},
		{"{\"schemaVersion\":2," CONFIG "," LAYERS ",\"artifactType\":\"x y\"}",
		 "artifactType"},
		{"{\"schemaVersion\":2,\"manifests\":[]}", "config is missing"},
		{"{\"schemaVersion\":2,\"manifests\":[]," CONFIG "," LAYERS "}", "both"},
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		ociwp_manifest *m = NULL;
		ociw_error *err = NULL;
		int r = parse(rows[i].text, NULL, &m, &err);
		cr_expect_eq(r, OCIW_ERR_FORMAT, "%s: %d", rows[i].text, r);
		cr_expect(err && strstr(ociw_error_message(err), rows[i].message), "%s: %s",
			  rows[i].text, ociw_error_message(err));
		ociw_error_free(err);
	}
}

Test(manifest, the_type_it_came_with_must_be_its_own)
{
	OCIWP_AUTO(manifest) ociwp_manifest *m = NULL;
	ociwp_manifest *none = NULL;
	const char *oci = "{\"schemaVersion\":2,\"mediaType\":\"" OCIWP_MT_OCI_MANIFEST "\"," CONFIG
			  "," LAYERS "}";
	cr_expect_eq(parse(oci, OCIWP_MT_DOCKER_MANIFEST, &none, NULL), OCIW_ERR_FORMAT);
	cr_expect_eq(parse(oci, "application/json", &none, NULL), OCIW_ERR_FORMAT);
	const char *silent = "{\"schemaVersion\":2," CONFIG "," LAYERS "}";
	cr_expect_eq(parse(silent, OCIWP_MT_DOCKER_MANIFEST, &m, NULL), 0);
	cr_expect_str_eq(m->media_type, OCIWP_MT_DOCKER_MANIFEST);
	cr_expect_not(m->has_media_type);
}

Test(manifest, layers_are_limited)
{
	ociw_limits limits = OCIW_LIMITS_INIT;
	ociw_op op = OCIW_OP_INIT;
	ociwp_manifest *none = NULL;
	op.limits = &limits;
	limits.max_layers = 1;
	const char *text = "{\"schemaVersion\":2," CONFIG ",\"layers\":[" DESC("a/b") "," DESC("a/b")
			   "]}";
	cr_expect_eq(ociwp_manifest_parse((ociw_span){text, strlen(text)}, NULL, &op, &none, NULL),
		     OCIW_ERR_LIMIT);
}

Test(manifest, sniffs_documents_without_a_type)
{
	static const struct {
		const char *text, *type;
	} rows[] = {
		{"{\"schemaVersion\":2," CONFIG "," LAYERS "}", OCIWP_MT_OCI_MANIFEST},
		{"{\"schemaVersion\":2,\"manifests\":[]}", OCIWP_MT_OCI_INDEX},
		{"{\"schemaVersion\":2,\"mediaType\":\"" OCIWP_MT_DOCKER_INDEX
		 "\",\"manifests\":[]}",
		 OCIWP_MT_DOCKER_INDEX},
		{"{\"schemaVersion\":2,\"mediaType\":\"application/x\"," CONFIG "}", NULL},
		{"{\"schemaVersion\":2,\"manifests\":[]," CONFIG "}", NULL},
		{"{\"schemaVersion\":2}", NULL},
		{"{}", NULL},
		{"no", NULL},
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		const char *type =
			ociwp_manifest_sniff((ociw_span){rows[i].text, strlen(rows[i].text)});
		cr_expect(type && rows[i].type ? strcmp(type, rows[i].type) == 0
					       : type == rows[i].type,
			  "%s: %s", rows[i].text, type);
	}
}

static char *read_file(const char *name, size_t *len)
{
	char path[4096];
	char *data = NULL;
	ociw_reader *reader = NULL;
	snprintf(path, sizeof(path), "%s/%s", getenv("OCIW_TESTDATA"), name);
	FILE *file = fopen(path, "rb");
	cr_assert_not_null(file, "%s", path);
	cr_assert_eq(ociw_reader_new_fd(dup(fileno(file)), &reader, NULL), 0);
	fclose(file);
	cr_assert_eq(ociwp_read_all(reader, 1 << 20, &data, len, NULL), 0);
	return data;
}

Test(manifest, writing_what_was_parsed_gives_spins_bytes)
{
	size_t len;
	OCIWP_AUTO(str) char *text = read_file("apps/shop/expected/manifest.json", &len);
	OCIWP_AUTO(manifest) ociwp_manifest *m = NULL;
	OCIWP_AUTO(buf) ociwp_buf out = OCIWP_BUF_INIT;
	cr_assert_eq(ociwp_manifest_parse((ociw_span){text, len}, NULL, NULL, &m, NULL), 0);
	ociwp_manifest_draft draft = {
		.config = m->config,
		.layers = (const ociw_descriptor *const *)m->layers,
		.layer_count = m->layer_count,
		.annotations = &m->annotations,
	};
	cr_assert_eq(ociwp_manifest_write(&draft, &out, NULL), 0);
	cr_expect_str_eq(out.data, text);
}

Test(manifest, all_members_are_written_in_byte_order)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	OCIWP_AUTO(buf) ociwp_buf out = OCIWP_BUF_INIT;
	cr_assert_eq(ociwp_descriptor_of_bytes(OCIWP_MT_OCI_EMPTY, (ociw_span){"{}", 2}, &desc,
					       NULL),
		     0);
	ociwp_manifest_draft draft = {
		.media_type = OCIWP_MT_OCI_MANIFEST,
		.config = desc,
		.layers = (const ociw_descriptor *const[]){desc},
		.layer_count = 1,
		.subject = desc,
	};
	cr_expect_eq(ociwp_manifest_write(&draft, &out, NULL), OCIW_ERR_INVALID);
	draft.artifact_type = "application/x";
#define SORTED "{\"digest\":\"sha256:" HEX "\",\"mediaType\":\"" OCIWP_MT_OCI_EMPTY "\",\"size\":2}"
	cr_assert_eq(ociwp_manifest_write(&draft, &out, NULL), 0);
	cr_expect_str_eq(out.data, "{\"artifactType\":\"application/x\",\"config\":" SORTED
				   ",\"layers\":[" SORTED "],\"mediaType\":\"" OCIWP_MT_OCI_MANIFEST
				   "\",\"schemaVersion\":2,\"subject\":" SORTED "}");
}

Test(manifest, loads_from_a_content_with_its_raw_bytes)
{
	const char *text = "{ \"schemaVersion\":2," CONFIG "," LAYERS "}";
	ociw_span bytes = {text, strlen(text)};
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	OCIWP_AUTO(content) ociw_content *content = NULL;
	OCIWP_AUTO(manifest) ociwp_manifest *m = NULL;
	OCIWP_AUTO(str) char *raw = NULL;
	ociwp_memory *memory = NULL;
	size_t raw_len = 0;
	cr_assert_eq(ociwp_descriptor_of_bytes(OCIWP_MT_OCI_MANIFEST, bytes, &desc, NULL), 0);
	cr_assert_eq(ociwp_memory_new("here", &memory, NULL), 0);
	cr_assert_eq(ociwp_memory_add_manifest(memory, desc, bytes, "a", NULL), 0);
	cr_assert_eq(ociwp_memory_publish(memory, &content, NULL), 0);
	cr_assert_eq(ociwp_manifest_load(content, desc, NULL, &m, &raw, &raw_len, NULL), 0);
	cr_expect_eq(raw_len, bytes.len);
	cr_expect_str_eq(raw, text);
	cr_expect_eq(m->layer_count, 1);

	ociwp_index *index = NULL;
	ociw_error *err = NULL;
	cr_expect_eq(ociwp_index_load(content, desc, NULL, &index, NULL, NULL, &err),
		     OCIW_ERR_FORMAT);
	cr_expect(strstr(ociw_error_message(err), "here: sha256:"), "%s", ociw_error_message(err));
	ociw_error_free(err);
}
