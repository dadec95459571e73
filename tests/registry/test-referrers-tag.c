/* SPDX-License-Identifier: Apache-2.0
 *
 * The index behind the fallback tag, by itself (RFR-5..7).
 */
#include "registry/referrers-tag.h"
#include "rig.h"

#define INDEX "application/vnd.oci.image.index.v1+json"
#define EMPTY_INDEX "{\"schemaVersion\":2,\"manifests\":[]}"

/* GitLab reads "sha256-<hex>" as the digest: the tag is the subject itself. */
Test(referrers_tag, a_tag_that_is_the_subject_itself_is_none)
{
	rig r;
	ociw_error *err = NULL;
	json_t *index = NULL;
	ociw_digest digest;
	char subject[OCIW_DIGEST_TEXT_MAX];
	cr_assert_eq(ociw_digest_bytes(OCIW_DIGEST_SHA256,
	                               (ociw_span){EMPTY_INDEX, strlen(EMPTY_INDEX)}, &digest,
	                               NULL),
	             0);
	ociw_digest_format(&digest, subject);
	rig_open(&r, RULES({.match = "GET /v2/a/b/manifests/sha256-",
	                    .answer = {.status = 200,
	                               .headers = "Content-Type: " INDEX "\n",
	                               .body = EMPTY_INDEX}}));
	rig_ok(ociwp_referrers_tag_read(r.repo, subject, &r.op, &index, NULL, &err), &err);
	cr_assert_null(index);
	rig_close(&r);
}

Test(referrers_tag, a_change_that_never_sticks_is_given_up)
{
	rig r;
	ociw_error *err = NULL;
	ociw_descriptor *entry = rig_blob("x", 1);
	rig_open(&r, RULES({.match = "GET /v2/a/b/manifests/sha256-",
	                    .answer = {.status = 200,
	                               .headers = "Content-Type: " INDEX "\n",
	                               .body = EMPTY_INDEX}},
	                   {.match = "PUT /v2/a/b/manifests/sha256-", .answer = {.status = 201}}));
	rig_expect(ociwp_referrers_tag_add(r.repo, EMPTY_DIGEST, entry, &r.op, &err), OCIW_ERR_BUSY,
	           &err, "changed by others all the time");
	cr_assert_eq(fake_matching(r.fake, "PUT"), 4);
	ociw_descriptor_free(entry);
	rig_close(&r);
}

Test(referrers_tag, removing_what_is_not_listed_changes_nothing)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r, RULES({.match = "GET /v2/a/b/manifests/sha256-",
	                    .answer = {.status = 200,
	                               .headers = "Content-Type: " INDEX "\n",
	                               .body = EMPTY_INDEX}}));
	rig_ok(ociwp_referrers_tag_remove(r.repo, EMPTY_DIGEST, EMPTY_DIGEST, &r.op, &err), &err);
	cr_assert_eq(fake_matching(r.fake, "PUT"), 0);
	rig_close(&r);
}
