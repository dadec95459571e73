/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of ops/pack-sources: fetched sources are believed only after their digest.
 */
#include "pack-fixture.h"

TestSuite(pack_sources, .fini = app_end);

#define HEAD_DIGEST "sha256:24eaf3439a60c96764c4f2c92a0a81b52bd4fe5d5b91f090184a0f6486b1bf29"
#define REMOTE                                                                                     \
	"spin_manifest_version = 2\n[application]\nname = \"t\"\n[[trigger.http]]\nroute = "       \
	"\"/...\"\ncomponent = \"a\"\n[component.a]\nsource = "
#define BY_URL REMOTE "{ url = \"https://example.com/a.wasm\", digest = \"" HEAD_DIGEST "\" }\n"

struct server {
	const char *bytes;
	size_t len;
	int calls;
	char seen[256];
};

static int serve(const char *kind, const char *locator, const char *version, const char *digest,
                 ociw_writer *into, void *user_data, ociw_error **err)
{
	struct server *server = user_data;
	(void)digest;
	server->calls++;
	snprintf(server->seen, sizeof(server->seen), "%s %s %s", kind, locator,
	         version ? version : "-");
	return ociw_writer_write(into, server->bytes, server->len, err);
}

static ociw_pack_options remote(const char *manifest, struct server *server)
{
	app_begin("");
	write_text("spin.toml", manifest);
	ociw_pack_options options = pack_options();
	options.fetch = serve;
	options.fetch_data = server;
	return options;
}

Test(pack_sources, a_url_is_fetched_and_packed)
{
	struct server server = {"\0asm\x0d\0\1\0", 8, 0, ""};
	OCIWP_AUTO(content) ociw_content *content = NULL;
	ociw_pack_options options = remote(BY_URL, &server);
	cr_assert_eq(ociw_pack(&options, &content, NULL), 0);
	cr_assert_str_eq(server.seen, "url https://example.com/a.wasm -");
	OCIWP_AUTO(manifest) ociwp_manifest *manifest = manifest_of(content, NULL);
	cr_assert_str_eq(manifest->layers[0]->digest, HEAD_DIGEST);
}

Test(pack_sources, a_package_is_asked_for_by_name_and_version)
{
	struct server server = {"\0asm\x0d\0\1\0", 8, 0, ""};
	ociw_pack_options options = remote(
	        REMOTE "{ registry = \"r.example\", package = \"ns:name\", version = \"1.2.3\" }\n",
	        &server);
	free(pack_digest(&options));
	cr_assert_str_eq(server.seen, "package r.example/ns:name 1.2.3");
}

Test(pack_sources, other_bytes_than_promised_are_a_digest_error)
{
	struct server server = {"\0asm\1\0\0\0", 8, 0, ""};
	ociw_pack_options options = remote(BY_URL, &server);
	OCIWP_AUTO(str) char *text = pack_failure(&options, OCIW_ERR_DIGEST);
	cr_assert(strstr(text, "https://example.com/a.wasm"), "%s", text);
}

Test(pack_sources, more_than_the_limit_is_not_taken)
{
	struct server server = {"\0asm\x0d\0\1\0", 8, 0, ""};
	ociw_limits limits = OCIW_LIMITS_INIT;
	ociw_op op = OCIW_OP_INIT;
	limits.max_blob_bytes = 7;
	op.limits = &limits;
	ociw_pack_options options = remote(BY_URL, &server);
	options.op = &op;
	free(pack_failure(&options, OCIW_ERR_LIMIT));
}

Test(pack_sources, without_a_callback_remote_sources_are_refused)
{
	ociw_pack_options options = remote(BY_URL, NULL);
	options.fetch = NULL;
	free(pack_failure(&options, OCIW_ERR_UNSUPPORTED));
}

Test(pack_sources, a_fetched_source_is_kept_and_a_damaged_one_fetched_again)
{
	struct server server = {"\0asm\x0d\0\1\0", 8, 0, ""};
	ociw_pack_options options = remote(BY_URL, &server);
	options.cache_dir = in_app("cache");
	OCIWP_AUTO(str) char *first = pack_digest(&options);
	OCIWP_AUTO(str) char *second = pack_digest(&options);
	cr_assert_eq(server.calls, 1);
	cr_assert_str_eq(first, second);
	char name[128];
	snprintf(name, sizeof(name), "cache/wasm/%s.wasm", &HEAD_DIGEST[strlen("sha256:")]);
	write_text(name, "damage!!");
	OCIWP_AUTO(str) char *third = pack_digest(&options);
	cr_assert_eq(server.calls, 2);
	cr_assert_str_eq(first, third);
}

#define PACKAGE(version)                                                                           \
	REMOTE "{ registry = \"r.example\", package = \"ns:name\", version = \"" version "\" }\n"

Test(pack_sources, a_version_of_a_package_is_fetched_once)
{
	struct server server = {"\0asm\x0d\0\1\0", 8, 0, ""};
	ociw_pack_options options = remote(PACKAGE("1.2.3"), &server);
	options.cache_dir = in_app("cache");
	OCIWP_AUTO(str) char *first = pack_digest(&options);
	options.fetch = NULL; /* no network */
	OCIWP_AUTO(str) char *second = pack_digest(&options);
	cr_assert_str_eq(first, second);
	cr_assert_eq(server.calls, 1);
	write_text("spin.toml", PACKAGE("1.2.4"));
	free(pack_failure(&options, OCIW_ERR_UNSUPPORTED));
	options.fetch = serve;
	free(pack_digest(&options));
	cr_assert_eq(server.calls, 2, "another version is another thing");
	write_text("spin.toml", PACKAGE("1.2.3"));
	options.flags |= OCIW_PACK_NO_CACHE;
	free(pack_digest(&options));
	cr_assert_eq(server.calls, 3, "without the cache the registry is asked");
}

Test(pack_sources, a_damaged_package_of_the_store_is_fetched_again)
{
	struct server server = {"\0asm\x0d\0\1\0", 8, 0, ""};
	ociw_pack_options options = remote(PACKAGE("1.2.3"), &server);
	char name[128];
	options.cache_dir = in_app("cache");
	free(pack_digest(&options));
	snprintf(name, sizeof(name), "cache/wasm/%s.wasm", &HEAD_DIGEST[strlen("sha256:")]);
	write_text(name, "damage!!");
	free(pack_digest(&options));
	cr_assert_eq(server.calls, 2);
}

static int unreachable(const char *kind, const char *locator, const char *version,
                       const char *digest, ociw_writer *into, void *user_data, ociw_error **err)
{
	(void)kind, (void)locator, (void)version, (void)digest, (void)into;
	return ociw_error_set(err, *(ociw_code *)user_data, "no answer");
}

#define RANGE                                                                                      \
	REMOTE "\"a.wasm\"\n[component.a.dependencies]\n\"ns:name\" = { registry = "               \
	       "\"r.example\", version = \"^1\" }\n"

Test(pack_sources, a_range_is_asked_for_each_time_and_remembered_for_times_without_a_network)
{
	struct server server = {"\0asm\x0d\0\1\0", 8, 0, ""};
	ociw_code code = OCIW_ERR_NETWORK;
	ociw_pack_options options = remote(RANGE, &server);
	options.compose = OCIW_COMPOSE_NONE;
	options.cache_dir = in_app("cache");
	write_wasm("a.wasm");
	OCIWP_AUTO(str) char *first = pack_digest(&options);
	free(pack_digest(&options));
	cr_assert_eq(server.calls, 2);
	cr_assert_str_eq(server.seen, "package-range r.example/ns:name ^1");
	options.fetch = unreachable;
	options.fetch_data = &code;
	OCIWP_AUTO(str) char *second = pack_digest(&options);
	cr_assert_str_eq(first, second);
	code = OCIW_ERR_NOTFOUND; /* an answer is an answer */
	free(pack_failure(&options, OCIW_ERR_NOTFOUND));
}

Test(pack_sources, errors_say_where_the_manifest_names_the_source)
{
	struct server server = {"\0asm\1\0\0\0", 8, 0, ""};
	ociw_pack_options options = remote(BY_URL, &server);
	OCIWP_AUTO(str) char *far = pack_failure(&options, OCIW_ERR_DIGEST);
	cr_assert(strstr(far, "/spin.toml:8:10: component \"a\": wasm source: "), "%s", far);
	write_text("spin.toml", REMOTE "\"b.wasm\"\n");
	options.path = in_app("spin.toml");
	OCIWP_AUTO(str) char *near = pack_failure(&options, OCIW_ERR_NOTFOUND);
	cr_assert(strstr(near, "/spin.toml:8:10: component \"a\": wasm source: "), "%s", near);
	cr_assert(strstr(near, "/b.wasm\" is not there: build the app first [source-missing]"),
	          "%s", near);
	write_text("spin.toml", REMOTE "\"a.wasm\"\n[component.a.dependencies]\n\"x:y\" = { path = "
	                               "\"d.wasm\" }\n");
	write_wasm("a.wasm");
	options.path = app_dir;
	OCIWP_AUTO(str) char *third = pack_failure(&options, OCIW_ERR_NOTFOUND);
	cr_assert(strstr(third, "/spin.toml:10:1: component \"a\": dependency: "), "%s", third);
}
