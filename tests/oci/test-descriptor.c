/* SPDX-License-Identifier: Apache-2.0
 *
 * Descriptors from JSON and back (DSC-1..7). Rows re-expressed after image-spec's
 * schema/descriptor_test.go.
 */
#include "oci/content.h"
#include "oci/descriptor.h"
#include <criterion/criterion.h>
#include <string.h>

#define HEX "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
#define D "sha256:" HEX
#define MT "\"mediaType\":\"application/vnd.oci.empty.v1+json\""
#define EMPTY MT ",\"digest\":\"" D "\",\"size\":2"

static int parse(const char *text, ociw_descriptor **out, ociw_error **err)
{
	OCIWP_AUTO(json) json_t *value = NULL;
	cr_assert_eq(ociwp_json_parse((ociw_span){text, strlen(text)}, "x", 0, &value, NULL), 0,
		     "%s", text);
	return ociwp_descriptor_parse(value, "layers[1]", out, err);
}

Test(descriptor, takes_what_the_spec_allows)
{
	static const char *const rows[] = {
		"{" EMPTY "}",
		"{" EMPTY ",\"data\":\"e30=\"}",
		"{" EMPTY ",\"urls\":[\"https://example.com/foo\"]}",
		"{" EMPTY ",\"urls\":[]}",
		"{" EMPTY ",\"unknown\":{\"a\":[1]}}",
		"{" EMPTY ",\"annotations\":{},\"platform\":null,\"artifactType\":null}",
		"{" EMPTY ",\"artifactType\":\"application/x\"}",
		"{" MT ",\"digest\":\"" D "\",\"size\":9223372036854775807}",
		"{" MT ",\"digest\":\"" D "\",\"size\":0}",
		"{" MT ",\"digest\":\"sha512:" HEX HEX "\",\"size\":1}",
		"{" MT ",\"digest\":\"sha256+b64:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564\","
		"\"size\":1}",
		"{" MT ",\"digest\":\"blake3:" HEX "\",\"size\":1,\"data\":\"e30=\"}",
		"{" MT ",\"digest\":\"sha256+b64:" HEX "\",\"size\":1}",
		"{" MT ",\"digest\":\"sha256+foo-bar:" HEX "\",\"size\":1}",
		"{" MT ",\"digest\":\"sha256.foo-bar:" HEX "\",\"size\":1}",
		"{" MT ",\"digest\":\"sha256+b64u.unknownlength:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm5"
		"64=\",\"size\":1}",
		"{\"mediaType\":\"text/plain\",\"size\":34,\"data\":\"aHR0cHM6Ly9naXRodWIuY29tL29wZW5jb25"
		"0YWluZXJzCg==\",\"digest\":\"sha256:2690af59371e9eca9453dc29882643f46e5ca47ec2862bd517b5e"
		"17351325153\"}",
		"{" MT ",\"digest\":\"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8"
		"55\",\"size\":0,\"data\":\"\"}",
		"{" MT ",\"digest\":\"multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46H"
		"mX4Gx8\",\"size\":1}",
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
		ociw_error *err = NULL;
		cr_expect_eq(parse(rows[i], &desc, &err), 0, "%s: %s", rows[i],
			     ociw_error_message(err));
		ociw_error_free(err);
	}
}

Test(descriptor, refuses_what_the_spec_forbids)
{
	static const struct {
		const char *text;
		int code;
		const char *message;
	} rows[] = {
		{"[]", OCIW_ERR_FORMAT, "layers[1] is not an object"},
		{"{\"digest\":\"" D "\",\"size\":2}", OCIW_ERR_FORMAT,
		 "layers[1].mediaType is missing"},
		{"{\"mediaType\":\"invalid\",\"digest\":\"" D "\",\"size\":2}", OCIW_ERR_FORMAT,
		 "layers[1].mediaType"},
		{"{\"mediaType\":\".foo/bar\",\"digest\":\"" D "\",\"size\":2}", OCIW_ERR_FORMAT,
		 "layers[1].mediaType"},
		{"{" MT ",\"size\":2}", OCIW_ERR_FORMAT, "layers[1].digest is missing"},
		{"{" MT ",\"digest\":\"\",\"size\":2}", OCIW_ERR_FORMAT, "layers[1].digest"},
		{"{" MT ",\"digest\":\":" HEX "\",\"size\":2}", OCIW_ERR_FORMAT, "layers[1].digest"},
		{"{" MT ",\"digest\":\"sha256\",\"size\":2}", OCIW_ERR_FORMAT, "layers[1].digest"},
		{"{" MT ",\"digest\":\"SHA256:" HEX "\",\"size\":2}", OCIW_ERR_FORMAT,
		 "layers[1].digest"},
		{"{" MT ",\"digest\":\"sha256+foo+-b:" HEX "\",\"size\":2}", OCIW_ERR_FORMAT,
		 "layers[1].digest"},
		{"{\"mediaType\":\"application\",\"digest\":\"" D "\",\"size\":2}", OCIW_ERR_FORMAT,
		 "layers[1].mediaType"},
		{"{\"mediaType\":\"foo/.bar\",\"digest\":\"" D "\",\"size\":2}", OCIW_ERR_FORMAT,
		 "layers[1].mediaType"},
		{"{" EMPTY ",\"artifactType\":\"foo/.bar\"}", OCIW_ERR_FORMAT,
		 "layers[1].artifactType"},
		{"{" MT ",\"digest\":\"" HEX "\",\"size\":2}", OCIW_ERR_FORMAT, "layers[1].digest"},
		{"{" MT ",\"digest\":\"sha256:../../etc\",\"size\":2}", OCIW_ERR_FORMAT,
		 "layers[1].digest"},
		{"{" MT ",\"digest\":\"sha256:5B0BCABD1ED22E9FB1310CF6C2DEC7CDEF19F0AD69EFA1F392E94"
		 "A4333501270\",\"size\":2}",
		 OCIW_ERR_FORMAT, "layers[1].digest"},
		{"{" MT ",\"digest\":\"sha256+foo-:x\",\"size\":2}", OCIW_ERR_FORMAT,
		 "layers[1].digest"},
		{"{" MT ",\"digest\":\"blake3:a/b\",\"size\":2}", OCIW_ERR_FORMAT,
		 "layers[1].digest"},
		{"{" MT ",\"digest\":\"" D "\"}", OCIW_ERR_FORMAT, "layers[1].size is missing"},
		{"{" MT ",\"digest\":\"" D "\",\"size\":\"2\"}", OCIW_ERR_FORMAT, "layers[1].size"},
		{"{" MT ",\"digest\":\"" D "\",\"size\":2.0}", OCIW_ERR_FORMAT, "layers[1].size"},
		{"{" MT ",\"digest\":\"" D "\",\"size\":-1}", OCIW_ERR_FORMAT,
		 "layers[1].size is negative"},
		{"{" EMPTY ",\"urls\":\"x\"}", OCIW_ERR_FORMAT, "layers[1].urls"},
		{"{" EMPTY ",\"urls\":[1]}", OCIW_ERR_FORMAT, "layers[1].urls[0]"},
		{"{" EMPTY ",\"urls\":[\"value\"]}", OCIW_ERR_FORMAT, "layers[1].urls[0]"},
		{"{" EMPTY ",\"urls\":[\"file:///etc/passwd\"]}", OCIW_ERR_FORMAT,
		 "layers[1].urls[0]"},
		{"{" EMPTY ",\"data\":\"e30\"}", OCIW_ERR_FORMAT, "layers[1].data"},
		{"{" EMPTY ",\"data\":\"e3 0=\"}", OCIW_ERR_FORMAT, "layers[1].data"},
		{"{" EMPTY ",\"data\":\"e30 \"}", OCIW_ERR_FORMAT, "layers[1].data"},
		{"{" EMPTY ",\"data\":\"e34=\"}", OCIW_ERR_DIGEST, "layers[1].data"},
		{"{" EMPTY ",\"data\":\"e30K\"}", OCIW_ERR_SIZE, "layers[1].data"},
		{"{" EMPTY ",\"data\":\"\"}", OCIW_ERR_SIZE, "layers[1].data"},
		{"{" EMPTY ",\"annotations\":{\"a\":1}}", OCIW_ERR_FORMAT,
		 "layers[1].annotations: value of \"a\""},
		{"{" EMPTY ",\"artifactType\":\"x\"}", OCIW_ERR_FORMAT, "layers[1].artifactType"},
		{"{" EMPTY ",\"platform\":{\"os\":\"linux\"}}", OCIW_ERR_FORMAT,
		 "layers[1].platform.architecture is missing"},
		{"{" EMPTY ",\"platform\":{\"architecture\":\"wasm\"}}", OCIW_ERR_FORMAT,
		 "layers[1].platform.os is missing"},
		{"{" EMPTY ",\"platform\":{\"architecture\":\"wasm\",\"os\":1}}", OCIW_ERR_FORMAT,
		 "layers[1].platform.os"},
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		ociw_descriptor *desc = NULL;
		ociw_error *err = NULL;
		int r = parse(rows[i].text, &desc, &err);
		cr_expect_eq(r, rows[i].code, "%s: %d", rows[i].text, r);
		cr_expect(err && strstr(ociw_error_message(err), rows[i].message), "%s: %s",
			  rows[i].text, ociw_error_message(err));
		ociw_error_free(err);
		ociw_descriptor_free(desc);
	}
}

Test(descriptor, getters_give_what_was_parsed_and_dup_copies_it)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *first = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	cr_assert_eq(parse("{" EMPTY ",\"data\":\"e30=\",\"artifactType\":\"a/b\",\"annotations\":"
			   "{\"k\":\"v\",\"l\":\"w\"},\"platform\":{\"os\":\"linux\","
			   "\"architecture\":\"arm64\",\"variant\":\"v8\"}}",
			   &first, NULL),
		     0);
	cr_assert_eq(ociw_descriptor_dup(first, &desc, NULL), 0);
	cr_expect_str_eq(ociw_descriptor_media_type(desc), "application/vnd.oci.empty.v1+json");
	cr_expect_str_eq(ociw_descriptor_digest(desc), D);
	cr_expect_eq(ociw_descriptor_size(desc), 2);
	cr_expect_str_eq(ociw_descriptor_artifact_type(desc), "a/b");
	cr_expect_str_eq(ociw_platform_text(ociw_descriptor_platform(desc)), "linux/arm64/v8");
	cr_expect_str_eq(ociw_descriptor_annotation(desc, "k"), "v");
	cr_expect_eq(ociw_descriptor_annotation_count(desc), 2);
	const char *key, *value;
	cr_expect(ociw_descriptor_annotation_at(desc, 1, &key, &value));
	cr_expect_str_eq(key, "l");
	cr_expect_str_eq(value, "w");
	cr_expect_not(ociw_descriptor_annotation_at(desc, 2, &key, &value));
	cr_expect_eq(memcmp(desc->data, "{}", 2), 0);
}

Test(descriptor, new_judges_its_parts)
{
	ociw_descriptor *desc = NULL;
	cr_expect_eq(ociw_descriptor_new("x", D, 1, &desc, NULL), OCIW_ERR_INVALID);
	cr_expect_eq(ociw_descriptor_new("a/b", "x", 1, &desc, NULL), OCIW_ERR_INVALID);
	cr_expect_eq(ociw_descriptor_new("a/b", NULL, 1, &desc, NULL), OCIW_ERR_INVALID);
	cr_expect_eq(ociw_descriptor_new("a/b", D, UINT64_MAX, &desc, NULL), OCIW_ERR_INVALID);
	cr_assert_eq(ociw_descriptor_new("a/b", D, 1, &desc, NULL), 0);
	cr_expect_null(ociw_descriptor_platform(desc));
	cr_expect_null(ociw_descriptor_artifact_type(desc));
	ociw_descriptor_free(desc);
	ociw_descriptor_free(NULL);
}

static void expect_written(const ociw_descriptor *desc, bool sorted, const char *text)
{
	OCIWP_AUTO(buf) ociwp_buf buf = OCIWP_BUF_INIT;
	ociwp_json_writer *w;
	cr_assert_eq(ociwp_json_writer_new(NULL, &buf, &w, NULL), 0);
	if (sorted)
		ociwp_descriptor_write_sorted(desc, w);
	else
		ociwp_descriptor_write(desc, w);
	cr_assert_eq(ociwp_json_writer_finish(w, NULL), 0);
	cr_expect_str_eq(buf.data, text);
}

Test(descriptor, is_written_in_one_order_or_sorted)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	cr_assert_eq(ociwp_descriptor_of_bytes("application/vnd.oci.empty.v1+json",
					       (ociw_span){"{}", 2}, &desc, NULL),
		     0);
	expect_written(desc, false, "{" EMPTY "}");
	expect_written(desc, true, "{\"digest\":\"" D "\"," MT ",\"size\":2}");
	cr_assert_eq(ociwp_descriptor_annotate(desc, "z", "1", NULL), 0);
	cr_assert_eq(ociwp_descriptor_annotate(desc, "a", "2", NULL), 0);
	cr_assert_eq(ociw_platform_parse("wasip1/wasm", &desc->platform, NULL), 0);
	expect_written(desc, false,
		       "{" EMPTY ",\"annotations\":{\"z\":\"1\",\"a\":\"2\"},\"platform\":"
		       "{\"architecture\":\"wasm\",\"os\":\"wasip1\"}}");
	expect_written(desc, true,
		       "{\"annotations\":{\"a\":\"2\",\"z\":\"1\"},\"digest\":\"" D "\"," MT
		       ",\"platform\":{\"architecture\":\"wasm\",\"os\":\"wasip1\"},\"size\":2}");
}

Test(descriptor, a_digest_that_cannot_be_verified_is_unsupported_on_use)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	ociw_digest digest;
	cr_assert_eq(parse("{" MT ",\"digest\":\"blake3:" HEX "\",\"size\":1}", &desc, NULL), 0);
	cr_expect_eq(ociwp_descriptor_get_digest(desc, &digest, NULL), OCIW_ERR_UNSUPPORTED);
	OCIWP_AUTO(descriptor) ociw_descriptor *known = NULL;
	cr_assert_eq(parse("{" EMPTY "}", &known, NULL), 0);
	cr_expect_eq(ociwp_descriptor_get_digest(known, &digest, NULL), 0);
	cr_expect_eq(digest.algorithm, OCIW_DIGEST_SHA256);
}
