/* SPDX-License-Identifier: Apache-2.0
 *
 * Deletion by the very name that was given (DEL-1, DEL-2, RFR-8).
 */
#include "rig.h"

#define DIGEST "sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static const struct {
	int status, code;
	const char *text;
} rows[] = {
        {202, 0, NULL},
        {200, 0, NULL},
        {204, 0, NULL},
        {404, OCIW_ERR_NOTFOUND, "answer 404"},
        {405, OCIW_ERR_UNSUPPORTED, "the registry does not allow this deletion"},
        {400, OCIW_ERR_UNSUPPORTED, "the registry does not allow this deletion"},
        {403, OCIW_ERR_DENIED, "answer 403"},
};

Test(delete, a_tag_is_deleted_as_a_tag)
{
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		rig r;
		ociw_error *err = NULL;
		fake_rule rule = {.match = "DELETE /v2/a/b/manifests/v1$",
		                  .answer = {.status = rows[i].status}};
		rig_open(&r, &rule, 1);
		int code = ociw_content_delete(r.content, "v1", &r.op, &err);
		if (rows[i].code)
			rig_expect(code, rows[i].code, &err, rows[i].text);
		else
			rig_ok(code, &err);
		cr_assert_eq(fake_count(r.fake), 1);
		rig_close(&r);
	}
}

Test(delete, a_registry_that_deletes_no_tags_is_told_from_one_that_deletes_nothing_DEL_2)
{
	static const int statuses[] = {400, 405};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(statuses); i++) {
		rig r;
		ociw_error *err = NULL;
		rig_open(&r, RULES({.match = "DELETE", .answer = {.status = statuses[i]}}));
		rig_expect(ociw_content_delete(r.content, "v1", &r.op, &err), OCIW_ERR_UNSUPPORTED,
		           &err, "by its digest, an image goes with all of its tags");
		int code = ociw_content_delete(r.content, DIGEST, &r.op, &err);
		cr_assert_null(strstr(ociw_error_message(err), "all of its tags"));
		rig_expect(code, OCIW_ERR_UNSUPPORTED, &err, "does not allow this deletion");
		rig_close(&r);
	}
}

Test(delete, a_blob_is_deleted_by_digest_alone)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r,
	         RULES({.match = "DELETE /v2/a/b/blobs/" DIGEST "$", .answer = {.status = 202}}));
	rig_ok(ociw_content_delete_blob(r.content, DIGEST, &r.op, &err), &err);
	rig_expect(ociwp_content_remove(r.content, "v1", true, &r.op, &err), OCIW_ERR_INVALID, &err,
	           "deleted by its digest");
	rig_expect(ociwp_content_remove(r.content, "x:y/../z", false, &r.op, &err),
	           OCIW_ERR_INVALID, &err, "no digest");
	cr_assert_eq(fake_count(r.fake), 1);
	rig_close(&r);
}

Test(delete, a_manifest_that_cannot_be_read_is_deleted_all_the_same)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r, RULES({.match = "GET /v2/a/b/manifests/", .answer = {.status = 404}},
	                   {.match = "DELETE /v2/a/b/manifests/" DIGEST "$",
	                    .answer = {.status = 202}}));
	rig_ok(ociw_content_delete(r.content, DIGEST, &r.op, &err), &err);
	rig_close(&r);
}

Test(delete, what_was_deleted_is_no_longer_known_to_be_there)
{
	rig r;
	ociw_error *err = NULL;
	bool there;
	ociw_descriptor *desc = rig_blob("hello", 5);
	rig_open(&r, RULES({.match = "HEAD /v2/a/b/blobs/", .answer = {.status = 200}, .times = 1},
	                   {.match = "DELETE /v2/a/b/blobs/", .answer = {.status = 202}}));
	rig_ok(ociwp_content_has(r.content, desc, &r.op, &there, &err), &err);
	cr_assert(there);
	rig_ok(ociw_content_delete_blob(r.content, ociw_descriptor_digest(desc), &r.op, &err),
	       &err);
	rig_ok(ociwp_content_has(r.content, desc, &r.op, &there, &err), &err);
	cr_assert_not(there);
	ociw_descriptor_free(desc);
	rig_close(&r);
}
