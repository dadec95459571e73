/* SPDX-License-Identifier: Apache-2.0
 *
 * index.json as a value: names, ambiguity, edits, stable bytes (LAY-3, LAY-4).
 */
#include "../support/layouts.h"
#include "store/layout-index.h"

#define HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define ENTRY(hex, more)                                                                           \
	"{\"mediaType\":\"" OCIWP_MT_OCI_MANIFEST "\",\"digest\":\"sha256:" hex                    \
	"\",\"size\":7" more "}"
#define NAMED(name) ",\"annotations\":{\"" OCIWP_REF_NAME "\":\"" name "\"}"
#define INDEX(entries)                                                                             \
	"{\"schemaVersion\":2,\"mediaType\":\"" OCIWP_MT_OCI_INDEX "\",\"manifests\":[" entries "]}"

static ociwp_index *parse(const char *text)
{
	ociwp_index *index = NULL;
	ociw_error *err = NULL;

	expect_ok(ociwp_index_parse((ociw_span){text, strlen(text)}, OCIWP_MT_OCI_INDEX, NULL,
	                            &index, &err),
	          &err);
	return index;
}

static void expect_resolves(const char *text, const char *name, const char *hex)
{
	OCIWP_AUTO(index) ociwp_index *index = parse(text);
	const ociw_descriptor *found = NULL;
	ociw_error *err = NULL;

	expect_ok(ociwp_layout_index_resolve(index, name, &found, &err), &err);
	cr_expect_str_eq(found->digest + 7, hex);
}

static void expect_refuses(const char *text, const char *name, int code, const char *part)
{
	OCIWP_AUTO(index) ociwp_index *index = parse(text);
	const ociw_descriptor *found = NULL;
	ociw_error *err = NULL;

	expect_error(ociwp_layout_index_resolve(index, name, &found, &err), &err, code, part);
}

Test(layout_index, names_are_ref_names_or_tags)
{
	static const char *const good[] = {
	        "v1", "1.0.0", "a/b",   "localhost:5000/x:v1", "a--b",
	        "_x", "v1-",   "a@b+c", "sha256-abc.sig",      "ghcr.io/me/a__b:v1"};
	static const char *const bad[] = {"",   "-a", "a b", "../x", "a//b", "/a",
	                                  "a/", ".",  "é",   "a\nb", "a/.b"};

	for (size_t i = 0; i < OCIWP_ARRAY_LEN(good); i++)
		cr_expect(ociwp_layout_name_is_valid(good[i]), "%s", good[i]);
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(bad); i++)
		cr_expect_not(ociwp_layout_name_is_valid(bad[i]), "%s", bad[i]);
}

Test(layout_index, finds_by_name_digest_and_being_the_only_one)
{
	const char *two = INDEX(ENTRY(HEX_A, NAMED("v1")) "," ENTRY(HEX_B, NAMED("v2")));

	expect_resolves(two, "v2", HEX_B);
	expect_resolves(two, "sha256:" HEX_A, HEX_A);
	expect_resolves(INDEX(ENTRY(HEX_A, "")), NULL, HEX_A);
	/* One image under two names is still the only one. */
	expect_resolves(INDEX(ENTRY(HEX_A, NAMED("v1")) "," ENTRY(HEX_A, NAMED("v2"))), NULL,
	                HEX_A);
	/* What lost its name to a newer image does not make it ambiguous. */
	expect_resolves(INDEX(ENTRY(HEX_A, "") "," ENTRY(HEX_B, NAMED("v1"))), NULL, HEX_B);
	expect_refuses(two, "v3", OCIW_ERR_NOTFOUND, "\"v3\"");
	expect_refuses(two, NULL, OCIW_ERR_INVALID, "v1, v2");
	expect_refuses(INDEX(""), NULL, OCIW_ERR_NOTFOUND, "no image");
}

Test(layout_index, one_name_for_two_images_is_ambiguous)
{
	expect_refuses(INDEX(ENTRY(HEX_A, NAMED("v1")) "," ENTRY(HEX_B, NAMED("v1"))), "v1",
	               OCIW_ERR_INVALID, "ambiguous");
	expect_resolves(INDEX(ENTRY(HEX_A, NAMED("v1")) "," ENTRY(HEX_A, NAMED("v1"))), "v1",
	                HEX_A);
}

Test(layout_index, containerd_names_are_a_second_choice)
{
	const char *text = INDEX(ENTRY(HEX_A, ",\"annotations\":{\"" OCIWP_CONTAINERD_NAME
	                                      "\":\"localhost:5000/x:v1\"}"));

	expect_resolves(text, "localhost:5000/x:v1", HEX_A);
	expect_refuses(text, "v1", OCIW_ERR_NOTFOUND, NULL);
}

/* What @p text becomes when a manifest is put under a name. */
static void expect_put(const char *text, const char *hex, const char *name, const char *wanted)
{
	OCIWP_AUTO(layout_doc) ociwp_layout_doc *doc = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	OCIWP_AUTO(buf) ociwp_buf out = OCIWP_BUF_INIT;
	ociw_error *err = NULL;
	char digest[80];

	snprintf(digest, sizeof(digest), "sha256:%s", hex);
	expect_ok(ociw_descriptor_new(OCIWP_MT_OCI_MANIFEST, digest, 7, &desc, &err), &err);
	expect_ok(ociwp_layout_doc_parse((ociw_span){text, text ? strlen(text) : 0}, NULL, &doc,
	                                 &err),
	          &err);
	expect_ok(ociwp_layout_doc_put(doc, desc, name, NULL, &err), &err);
	expect_ok(ociwp_layout_doc_format(doc, &out, &err), &err);
	cr_expect_str_eq(out.data, wanted);
	cr_expect_eq(ociwp_layout_doc_changed(doc), !text || strcmp(text, wanted) != 0);
}

Test(layout_index, a_new_index_is_always_the_same_bytes)
{
	expect_put(NULL, HEX_A, "v1", INDEX(ENTRY(HEX_A, NAMED("v1"))));
	expect_put(NULL, HEX_A, NULL, INDEX(ENTRY(HEX_A, "")));
}

Test(layout_index, the_new_holder_takes_the_name_from_the_old_one)
{
	expect_put(INDEX(ENTRY(HEX_A, NAMED("v1"))), HEX_B, "v1",
	           INDEX(ENTRY(HEX_A, "") "," ENTRY(HEX_B, NAMED("v1"))));
}

Test(layout_index, putting_again_changes_nothing)
{
	const char *text = INDEX(ENTRY(HEX_A, NAMED("v1")));

	expect_put(text, HEX_A, "v1", text);
	expect_put(text, HEX_A, NULL, text);
	expect_put(text, HEX_A, "sha256:" HEX_A, text);
}

Test(layout_index, an_entry_without_a_name_gets_it)
{
	expect_put(INDEX(ENTRY(HEX_A, "")), HEX_A, "v1", INDEX(ENTRY(HEX_A, NAMED("v1"))));
	expect_put(INDEX(ENTRY(HEX_A, NAMED("v1"))), HEX_A, "v2",
	           INDEX(ENTRY(HEX_A, NAMED("v1")) "," ENTRY(HEX_A, NAMED("v2"))));
}

Test(layout_index, unknown_members_and_other_annotations_stay)
{
	const char *before =
	        "{\"schemaVersion\":2,\"x\":[1,{\"y\":null}],\"manifests\":["
	        "{\"size\":7,\"mediaType\":\"" OCIWP_MT_OCI_MANIFEST "\",\"digest\":\"sha256:" HEX_A
	        "\",\"z\":1.5,\"annotations\":{\"k\":"
	        "\"v\",\"" OCIWP_REF_NAME "\":\"v1\"}}],\"annotations\":{\"a\":\"b\"}}";
	const char *after =
	        "{\"schemaVersion\":2,\"x\":[1,{\"y\":null}],\"manifests\":["
	        "{\"size\":7,\"mediaType\":\"" OCIWP_MT_OCI_MANIFEST "\",\"digest\":\"sha256:" HEX_A
	        "\",\"z\":1.5,\"annotations\":{\"k\":\"v\"}}," ENTRY(
	                HEX_B, NAMED("v1")) "]"
	                                    ",\"annotations\":{\"a\":\"b\"}}";

	expect_put(before, HEX_B, "v1", after);
}

Test(layout_index, bad_names_are_refused)
{
	OCIWP_AUTO(layout_doc) ociwp_layout_doc *doc = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	ociw_error *err = NULL;

	expect_ok(ociw_descriptor_new(OCIWP_MT_OCI_MANIFEST, "sha256:" HEX_A, 7, &desc, &err),
	          &err);
	expect_ok(ociwp_layout_doc_parse((ociw_span){NULL, 0}, NULL, &doc, &err), &err);
	expect_error(ociwp_layout_doc_put(doc, desc, "../up", NULL, &err), &err, OCIW_ERR_INVALID,
	             "../up");
}

Test(layout_index, removes_by_name_and_by_digest)
{
	const char *text = INDEX(ENTRY(HEX_A, NAMED("v1")) "," ENTRY(HEX_A, NAMED("v2")));
	OCIWP_AUTO(layout_doc) ociwp_layout_doc *doc = NULL;
	OCIWP_AUTO(buf) ociwp_buf out = OCIWP_BUF_INIT;
	ociw_error *err = NULL;

	expect_ok(ociwp_layout_doc_parse((ociw_span){text, strlen(text)}, NULL, &doc, &err), &err);
	expect_ok(ociwp_layout_doc_remove(doc, "v1", &err), &err);
	expect_ok(ociwp_layout_doc_format(doc, &out, &err), &err);
	cr_expect_str_eq(out.data, INDEX(ENTRY(HEX_A, NAMED("v2"))));
	expect_error(ociwp_layout_doc_remove(doc, "v1", &err), &err, OCIW_ERR_NOTFOUND, "v1");
	expect_ok(ociwp_layout_doc_remove(doc, "sha256:" HEX_A, &err), &err);
}

Test(layout_index, digests_that_are_paths_are_refused)
{
	static const char *const rows[] = {"../../../../etc/passwd",
	                                   "sha256:../../../../etc/passwd",
	                                   "sha256:",
	                                   "sha256:AAAA",
	                                   ("sha256/" HEX_A),
	                                   ""};

	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		OCIWP_AUTO(layout_doc) ociwp_layout_doc *doc = NULL;
		ociw_error *err = NULL;
		char text[512];

		snprintf(text, sizeof(text),
		         INDEX("{\"mediaType\":\"" OCIWP_MT_OCI_MANIFEST
		               "\",\"digest\":\"%s\",\"size\":7}"),
		         rows[i]);
		expect_error(
		        ociwp_layout_doc_parse((ociw_span){text, strlen(text)}, NULL, &doc, &err),
		        &err, OCIW_ERR_FORMAT, NULL);
	}
}
