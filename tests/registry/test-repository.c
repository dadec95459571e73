/* SPDX-License-Identifier: Apache-2.0
 *
 * A repository as a content: label, default name, paths.
 */
#include "rig.h"

Test(repository, its_label_is_what_a_person_would_type)
{
	ociw_client *client = NULL;
	ociw_reference *ref = NULL;
	ociw_content *content = NULL;
	cr_assert_eq(ociw_client_new(&client, NULL), 0);
	cr_assert_eq(ociw_reference_parse("hello:1", &ref, NULL), 0);
	cr_assert_eq(ociw_client_repository(client, ref, &content, NULL), 0);
	cr_assert_str_eq(ociw_content_label(content), "docker.io/library/hello");
	ociwp_repository *repo = ociwp_content_self(content, &ociwp_repository_ops);
	cr_assert_str_eq(repo->host->authority, "registry-1.docker.io");
	cr_assert_str_eq(repo->default_name, "1");
	ociw_content_free(content);
	ociw_reference_free(ref);
	ociw_client_free(client);
}

Test(repository, paths_are_put_together)
{
	rig r;
	OCIWP_AUTO(buf) ociwp_buf path = OCIWP_BUF_INIT;
	rig_open(&r, NULL, 0);
	cr_assert_eq(ociwp_repository_path(r.repo, "tags", "list", &path, NULL), 0);
	cr_assert_str_eq(path.data, "/v2/a/b/tags/list");
	rig_close(&r);
}

Test(repository, without_a_name_the_reference_decides)
{
	rig r;
	ociw_error *err = NULL;
	ociw_descriptor *desc = NULL;
	rig_open(&r, NULL, 0);
	cr_assert_eq(ociw_content_resolve(r.content, NULL, &r.op, &desc, &err), OCIW_ERR_NOTFOUND);
	cr_assert_eq(fake_matching(r.fake, "GET /v2/a/b/manifests/v1$"), 1);
	ociw_error_free(err);
	rig_close(&r);
}
