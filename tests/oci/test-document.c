/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules that manifests and indexes share (MAN-1..3, DSC-7).
 */
#include "codec/mediatype.h"
#include "oci/document.h"
#include <criterion/criterion.h>
#include <string.h>

#define HEX "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
#define DESC(size) "{\"mediaType\":\"a/b\",\"digest\":\"sha256:" HEX "\",\"size\":" #size "}"

static json_t *parse(const char *text)
{
	json_t *document = NULL;
	cr_assert_eq(ociwp_document_parse((ociw_span){text, strlen(text)}, "manifest", NULL,
					  &document, NULL),
		     0, "%s", text);
	return document;
}

Test(document, must_be_an_object)
{
	json_t *document = NULL;
	ociw_error *err = NULL;
	cr_expect_eq(ociwp_document_parse((ociw_span){"[]", 2}, "manifest", NULL, &document, &err),
		     OCIW_ERR_FORMAT);
	cr_expect_str_eq(ociw_error_message(err), "manifest is not a JSON object");
	ociw_error_free(err);
}

Test(document, size_and_depth_are_limited)
{
	json_t *document = NULL;
	ociw_limits limits = OCIW_LIMITS_INIT;
	ociw_op op = OCIW_OP_INIT;
	op.limits = &limits;
	limits.max_manifest_bytes = 9;
	ociw_span text = {"{\"a\":[[]]}", 10};
	cr_expect_eq(ociwp_document_parse(text, "manifest", &op, &document, NULL), OCIW_ERR_LIMIT);
	limits.max_manifest_bytes = 10;
	limits.max_json_depth = 2;
	cr_expect_eq(ociwp_document_parse(text, "manifest", &op, &document, NULL), OCIW_ERR_LIMIT);
	limits.max_json_depth = 3;
	cr_expect_eq(ociwp_document_parse(text, "manifest", &op, &document, NULL), 0);
	json_decref(document);
}

Test(document, schema_version_and_kind)
{
	static const struct {
		const char *text;
		int code;
		const char *message;
	} rows[] = {
		{"{\"schemaVersion\":2}", 0, NULL},
		{"{\"schemaVersion\":2,\"manifests\":[]}", 0, NULL},
		{"{}", OCIW_ERR_FORMAT, "schemaVersion is missing"},
		{"{\"schemaVersion\":\"2\"}", OCIW_ERR_FORMAT, "must be an integer"},
		{"{\"schemaVersion\":2.0}", OCIW_ERR_FORMAT, "must be an integer"},
		{"{\"schemaVersion\":3}", OCIW_ERR_FORMAT, "must be 2"},
		{"{\"schemaVersion\":1,\"fsLayers\":[]}", OCIW_ERR_UNSUPPORTED, "schema 1"},
		{"{\"schemaVersion\":2,\"manifests\":[],\"layers\":[]}", OCIW_ERR_FORMAT, "both"},
		{"{\"schemaVersion\":2,\"manifests\":[],\"config\":{}}", OCIW_ERR_FORMAT, "both"},
		{"{\"schemaVersion\":2,\"manifests\":null,\"config\":{}}", OCIW_ERR_FORMAT, "both"},
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		OCIWP_AUTO(json) json_t *document = parse(rows[i].text);
		ociw_error *err = NULL;
		cr_expect_eq(ociwp_document_check(document, "manifest", &err), rows[i].code, "%s",
			     rows[i].text);
		if (rows[i].message)
			cr_expect(strstr(ociw_error_message(err), rows[i].message), "%s",
				  ociw_error_message(err));
		ociw_error_free(err);
	}
}

Test(document, one_digest_has_one_size)
{
	OCIWP_AUTO(json) json_t *same = parse("{\"l\":[" DESC(2) "," DESC(2) "]}");
	OCIWP_AUTO(json) json_t *other = parse("{\"l\":[" DESC(2) "," DESC(3) "]}");
	ociw_descriptor **list = NULL;
	size_t count = 0;
	cr_assert_eq(ociwp_document_descriptors(same, "l", 2, &list, &count, NULL), 0);
	cr_expect_eq(ociwp_document_check_sizes(list, count, list[0], NULL), 0);
	ociwp_descriptors_free(list, count);

	ociw_error *err = NULL;
	list = NULL;
	count = 0;
	cr_assert_eq(ociwp_document_descriptors(other, "l", 2, &list, &count, NULL), 0);
	cr_expect_eq(ociwp_document_check_sizes(list, count, NULL, &err), OCIW_ERR_FORMAT);
	cr_expect(strstr(ociw_error_message(err), "two sizes: 2 and 3"), "%s",
		  ociw_error_message(err));
	ociw_error_free(err);
	ociwp_descriptors_free(list, count);
}

Test(document, too_many_descriptors_are_over_a_limit)
{
	OCIWP_AUTO(json) json_t *document = parse("{\"layers\":[" DESC(2) "," DESC(2) "]}");
	ociw_descriptor **list = NULL;
	size_t count = 0;
	ociw_error *err = NULL;
	cr_expect_eq(ociwp_document_descriptors(document, "layers", 1, &list, &count, &err),
		     OCIW_ERR_LIMIT);
	cr_expect_str_eq(ociw_error_message(err), "2 layers, the limit is 1");
	ociw_error_free(err);
	ociwp_descriptors_free(list, count);
}

Test(document, media_type_is_said_once)
{
	OCIWP_AUTO(json) json_t *with = parse("{\"mediaType\":\"" OCIWP_MT_OCI_INDEX "\"}");
	OCIWP_AUTO(json) json_t *without = parse("{}");
	char *type = NULL;
	bool own;
	cr_expect_eq(ociwp_document_media_type(with, "index", NULL, ociwp_mediatype_is_index,
					       OCIWP_MT_OCI_INDEX, &type, &own, NULL),
		     0);
	cr_expect(own);
	free(type);
	cr_expect_eq(ociwp_document_media_type(without, "index", OCIWP_MT_DOCKER_INDEX,
					       ociwp_mediatype_is_index, OCIWP_MT_OCI_INDEX, &type,
					       &own, NULL),
		     0);
	cr_expect_not(own);
	cr_expect_str_eq(type, OCIWP_MT_DOCKER_INDEX);
	free(type);
	cr_expect_eq(ociwp_document_media_type(with, "index", OCIWP_MT_DOCKER_INDEX,
					       ociwp_mediatype_is_index, OCIWP_MT_OCI_INDEX, &type,
					       &own, NULL),
		     OCIW_ERR_FORMAT);
	cr_expect_eq(ociwp_document_media_type(with, "manifest", NULL, ociwp_mediatype_is_manifest,
					       OCIWP_MT_OCI_MANIFEST, &type, &own, NULL),
		     OCIW_ERR_FORMAT);
}
