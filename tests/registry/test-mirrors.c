/* SPDX-License-Identifier: Apache-2.0
 *
 * Mirrors and blocked registries (MIR-1..3): who is asked, in which order, and who never is.
 */
#include "registry/mirrors.h"
#include "rig.h"

#include <unistd.h>

#define INDEX "application/vnd.oci.image.index.v1+json"
static const char text[] = "{\"schemaVersion\":2,\"mediaType\":\"" INDEX "\",\"manifests\":[]}";
#define MANIFEST                                                                                   \
	{                                                                                          \
		.status = 200, .headers = "Content-Type: " INDEX "\n", .body = text                \
	}

static void add_conf(ociw_client *client, const char *conf)
{
	char path[] = "/tmp/ociw-conf-XXXXXX";
	ociw_error *err = NULL;
	int fd = mkstemp(path);
	cr_assert_eq(write(fd, conf, strlen(conf)), (ssize_t)strlen(conf));
	close(fd);
	rig_ok(ociw_client_add_registries_conf(client, path, &err), &err);
	unlink(path);
}

/* "up.example/a/b" whose location is the rig's server, with mirrors at other servers. */
static ociw_content *open_mirrored(rig *r, const char *mirror_format, fake_registry *mirror)
{
	char conf[512], mirrors[256] = "";
	ociw_reference *ref = NULL;
	ociw_content *content = NULL;
	ociw_error *err = NULL;
	if (mirror)
		snprintf(mirrors, sizeof(mirrors),
		         "[[registry.mirror]]\nlocation = \"%s/cache\"\n%s\n", fake_address(mirror),
		         mirror_format);
	snprintf(conf, sizeof(conf), "[[registry]]\nprefix = \"up.example\"\nlocation = \"%s\"\n%s",
	         fake_address(r->fake), mirrors);
	add_conf(r->client, conf);
	cr_assert_eq(ociw_reference_parse("up.example/a/b:v1", &ref, NULL), 0);
	rig_ok(ociw_client_repository(r->client, ref, &content, &err), &err);
	ociw_reference_free(ref);
	return content;
}

static int pull(rig *r, ociw_content *content, ociw_error **err)
{
	ociw_descriptor *desc = NULL, *blob = rig_blob("hello", 5);
	void *bytes = NULL;
	size_t len;
	int code = ociw_content_resolve(content, "v1", &r->op, &desc, err);
	if (code == 0)
		code = ociw_content_read(content, desc, 1000, &r->op, &bytes, &len, err);
	ociw_free(bytes);
	bytes = NULL;
	if (code == 0)
		code = ociw_content_read(content, blob, 1000, &r->op, &bytes, &len, err);
	ociw_free(bytes);
	ociw_descriptor_free(desc);
	ociw_descriptor_free(blob);
	return code;
}

#define SERVER(path)                                                                               \
	{.match = "GET /v2/" path "/manifests/", .answer = MANIFEST},                              \
	{                                                                                          \
		.match = "GET /v2/" path "/blobs/", .answer = {.status = 200, .body = "hello" }    \
	}

Test(mirrors, a_mirror_that_has_it_is_enough)
{
	rig r;
	ociw_error *err = NULL;
	fake_registry *mirror = fake_start(RULES(SERVER("cache/a/b")));
	rig_open(&r, NULL, 0);
	ociw_content *content = open_mirrored(&r, "", mirror);
	cr_assert_str_eq(ociw_content_label(content), "up.example/a/b");
	rig_ok(pull(&r, content, &err), &err);
	cr_assert_eq(fake_count(r.fake), 0);
	cr_assert_not_null(strstr(fake_at(mirror, 0)->target, "?ns=up.example"));
	ociw_content_free(content);
	fake_stop(mirror);
	rig_close(&r);
}

Test(mirrors, one_that_has_it_not_is_passed_over)
{
	static const fake_answer faults[] = {
	        {.status = 404}, {.status = 403}, {.fault = FAKE_HANG_UP}};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(faults); i++) {
		rig r;
		ociw_error *err = NULL;
		fake_rule rule = {.match = "GET /", .answer = faults[i]};
		fake_registry *mirror = fake_start(&rule, 1);
		rig_open(&r, RULES(SERVER("a/b")));
		r.limits.max_tries = 1;
		ociw_content *content = open_mirrored(&r, "", mirror);
		rig_ok(pull(&r, content, &err), &err);
		cr_assert_eq(fake_matching(r.fake, "GET /v2/a/b/manifests/v1$"), 1);
		cr_assert_eq(fake_matching(r.fake, "GET /v2/a/b/blobs/"), 1);
		cr_assert_eq(fake_matching(mirror, "GET /v2/cache/a/b/blobs/"), 1);
		ociw_content_free(content);
		fake_stop(mirror);
		rig_close(&r);
	}
}

Test(mirrors, a_mirror_that_breaks_off_is_replaced_midway)
{
	rig r;
	ociw_error *err = NULL;
	fake_registry *mirror = fake_start(RULES({.match = "GET /v2/cache/a/b/blobs/",
	                                          .answer = {.status = 200,
	                                                     .headers = "Content-Length: 5\n",
	                                                     .body = "he",
	                                                     .fault = FAKE_TRUNCATE,
	                                                     .at = 2}}));
	rig_open(&r, RULES({.match = "GET /v2/a/b/manifests/", .answer = MANIFEST},
	                   {.match = "GET /v2/a/b/blobs/",
	                    .answer = {.status = 206,
	                               .headers = "Content-Range: bytes 2-4/5\n",
	                               .body = "llo"}}));
	r.limits.max_tries = 1;
	ociw_content *content = open_mirrored(&r, "", mirror);
	rig_ok(pull(&r, content, &err), &err);
	cr_assert_str_eq(fake_header(rig_request(&r, "GET /v2/a/b/blobs/", 0), "Range"),
	                 "bytes=2-");
	ociw_content_free(content);
	fake_stop(mirror);
	rig_close(&r);
}

static const struct {
	const char *setting;
	size_t tags, blobs; /* asked of the mirror */
} rules[] = {
        {"pull-from-mirror = \"all\"", 1, 1},
        {"pull-from-mirror = \"digest-only\"", 0, 1},
        {"pull-from-mirror = \"tag-only\"", 1, 0},
};

Test(mirrors, tags_and_digests_can_be_kept_apart)
{
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rules); i++) {
		rig r;
		ociw_error *err = NULL;
		fake_registry *mirror = fake_start(RULES(SERVER("cache/a/b")));
		rig_open(&r, RULES(SERVER("a/b")));
		ociw_content *content = open_mirrored(&r, rules[i].setting, mirror);
		rig_ok(pull(&r, content, &err), &err);
		cr_assert_eq(fake_matching(mirror, "GET /v2/cache/a/b/manifests/v1"), rules[i].tags,
		             "row %zu", i);
		cr_assert_eq(fake_matching(mirror, "GET /v2/cache/a/b/blobs/"), rules[i].blobs,
		             "row %zu", i);
		ociw_content_free(content);
		fake_stop(mirror);
		rig_close(&r);
	}
}

Test(mirrors, pushes_and_deletions_never_see_one)
{
	rig r;
	ociw_error *err = NULL;
	fake_registry *mirror = fake_start(NULL, 0);
	rig_open(&r, RULES({.match = "POST /v2/a/b/",
	                    .answer = {.status = 202, .headers = "Location: /u\n"}},
	                   {.match = "PUT /", .answer = {.status = 201}},
	                   {.match = "DELETE /v2/a/b/manifests/v1$", .answer = {.status = 202}}));
	ociw_content *content = open_mirrored(&r, "", mirror);
	rig_ok(ociw_content_put_bytes(content, "a/b", (ociw_span){"hello", 5}, &r.op, NULL, &err),
	       &err);
	rig_ok(ociw_content_put_manifest(content, NULL, (ociw_span){text, strlen(text)}, "v1",
	                                 &r.op, NULL, &err),
	       &err);
	rig_ok(ociw_content_delete(content, "v1", &r.op, &err), &err);
	cr_assert_eq(fake_count(mirror), 0);
	ociw_content_free(content);
	fake_stop(mirror);
	rig_close(&r);
}

Test(mirrors, the_registrys_password_does_not_go_to_a_mirror)
{
	rig r;
	ociw_error *err = NULL;
	fake_registry *mirror = fake_start(RULES(SERVER("cache/a/b")));
	rig_open(&r, NULL, 0);
	r.give = (ociw_credential){.size = sizeof(r.give), .username = "u", .password = "p"};
	ociw_content *content = open_mirrored(&r, "", mirror);
	rig_ok(pull(&r, content, &err), &err);
	for (size_t i = 0; i < fake_count(mirror); i++)
		cr_assert_null(fake_header(fake_at(mirror, i), "Authorization"));
	ociw_content_free(content);
	fake_stop(mirror);
	rig_close(&r);
}

static int open_with(const char *conf, const char *name, ociw_error **err)
{
	ociw_client *client = NULL;
	ociw_reference *ref = NULL;
	ociw_content *content = NULL;
	cr_assert_eq(ociw_client_new(&client, NULL), 0);
	add_conf(client, conf);
	cr_assert_eq(ociw_reference_parse(name, &ref, NULL), 0);
	int r = ociw_client_repository(client, ref, &content, err);
	ociw_content_free(content);
	ociw_reference_free(ref);
	ociw_client_free(client);
	return r;
}

Test(mirrors, a_blocked_registry_is_not_called)
{
	ociw_error *err = NULL;
	static const char conf[] = "[[registry]]\nprefix = \"docker.io/evil\"\nblocked = true\n";
	rig_expect(open_with(conf, "evil/app", &err), OCIW_ERR_UNSAFE, &err,
	           "docker.io/evil/app is blocked by registries.conf");
	rig_ok(open_with(conf, "good/app", &err), &err);
}

Test(mirrors, a_location_must_begin_with_a_host)
{
	ociw_error *err = NULL;
	static const char conf[] = "[[registry]]\nprefix = \"a.io\"\nlocation = \"plain/x\"\n";
	rig_expect(open_with(conf, "a.io/app", &err), OCIW_ERR_INVALID, &err,
	           "does not begin with a host");
}

Test(mirrors, a_missing_file_is_notfound)
{
	ociw_client *client = NULL;
	ociw_error *err = NULL;
	cr_assert_eq(ociw_client_new(&client, NULL), 0);
	rig_expect(ociw_client_add_registries_conf(client, "/nowhere/registries.conf", &err),
	           OCIW_ERR_NOTFOUND, &err, "registries.conf");
	ociw_client_free(client);
}
