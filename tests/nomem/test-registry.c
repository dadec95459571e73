/* SPDX-License-Identifier: Apache-2.0
 *
 * Running out of memory anywhere in what is done with a registry is OCIW_ERR_NOMEM, leaks nothing, and
 * is never taken for an answer of the registry. The registry plays from another process, so that only
 * this one runs out.
 */
#include "../support/fake-registry.h"
#include "../support/layouts.h"
#include "fail-alloc.h"

#include <oci-wasm/attach.h>
#include <oci-wasm/package.h>
#include <oci-wasm/registry.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define TYPE "Content-Type: " OCIWP_MT_OCI_MANIFEST "\n"
#define INDEX_TYPE "Content-Type: " OCIWP_MT_OCI_INDEX "\n"
#define MAX_RULES 16

static pid_t server;
static char address[64];
static fake_rule rules[MAX_RULES];
static size_t rule_count;

static void fini(void)
{
	if (server > 0) {
		kill(server, SIGKILL);
		waitpid(server, NULL, 0);
	}
	scratch_remove();
}

TestSuite(nomem_registry, .init = scratch_make, .fini = fini, .timeout = 200);

static const char *format(const char *fmt, const char *value)
{
	ociwp_buf text = OCIWP_BUF_INIT;
	const char *at = strstr(fmt, "%s");

	cr_assert_not_null(at);
	ociwp_buf_printf(&text, "%.*s%s%s", (int)(at - fmt), fmt, value, at + 2);
	return ociwp_buf_steal(&text); /* lives as long as the test */
}

/* Anonymous requests get a challenge, others their answer. */
static void need_token(const fake_request *request, fake_answer *answer, void *user_data)
{
	(void)user_data;
	if (!fake_header(request, "Authorization"))
		*answer = (fake_answer){.status = 401,
		                        .headers = "WWW-Authenticate: Bearer realm=\"http://{self}/token\","
		                                   "service=\"s\"\n"};
}

static void rule(const char *match, int status, const char *headers, const char *body)
{
	cr_assert_lt(rule_count, MAX_RULES);
	rules[rule_count++] = (fake_rule){
	        .match = match,
	        .answer = {.status = status, .headers = headers, .body = body},
	        .handler = strstr(match, " /v2/") ? need_token : NULL,
	};
}

static void serve(void)
{
	int ready[2];

	rule("GET /token", 200, "", "{\"token\":\"secret\"}");
	cr_assert_eq(pipe(ready), 0);
	server = fork();
	cr_assert_geq(server, 0);
	if (server == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		const char *self = fake_address(fake_start(rules, rule_count));
		(void)!write(ready[1], self, strlen(self) + 1);
		for (;;)
			pause();
	}
	cr_assert_gt(read(ready[0], address, sizeof(address)), 0);
}

/* An image in a layout of its own; its manifest and blobs become answers. */
static ociw_descriptor *make_image(ociw_content **layout)
{
	*layout = new_layout(in_scratch("from"));
	ociw_descriptor *image = put_image(*layout, "v1", "one");
	char *manifest = read_text(blob_path(in_scratch("from"), image->digest));

	rule("GET /v2/a/b/manifests/v1$", 200, TYPE, manifest);
	rule(format("GET /v2/a/b/manifests/%s", image->digest), 200, TYPE, manifest);
	return image;
}

static void serve_blob(const char *text)
{
	ociw_descriptor *desc = NULL;

	cr_assert_eq(ociwp_descriptor_of_bytes("a/b", (ociw_span){text, strlen(text)}, &desc, NULL), 0);
	rule(format("GET /v2/a/b/blobs/%s", desc->digest), 200, "", text);
	ociw_descriptor_free(desc);
}

static int give(const char *host, bool rejected, ociw_credential_request *request, void *user_data,
                ociw_error **err)
{
	const ociw_credential credential = {
	        .size = sizeof(credential), .username = "u", .password = "p", .source = "test"};

	(void)host;
	(void)user_data;
	if (rejected)
		return 0;
	return ociw_credential_answer(request, &credential) == 0
	               ? 1
	               : ociw_error_set(err, OCIW_ERR_NOMEM, "no memory");
}

typedef struct end {
	ociw_client *client;
	ociw_content *content;
} end;

static void end_free(end *e)
{
	ociw_content_free(e->content);
	ociw_client_free(e->client);
}

static int end_open(end *e, ociw_error **err)
{
	ociw_reference *ref = NULL;
	char name[128];

	*e = (end){NULL, NULL};
	int r = ociw_client_new(&e->client, err);
	if (r < 0)
		return r;
	ociw_client_set_credentials(e->client, give, NULL);
	r = ociw_client_set_user_agent(e->client, "test", err);
	if (r >= 0)
		r = ociw_client_set_host(e->client, address, OCIW_HOST_PLAIN_HTTP, err);
	if (r >= 0)
		r = ociw_client_add_registries_conf(e->client, in_scratch("registries.conf"), err);
	snprintf(name, sizeof(name), "%s/a/b:v1", address);
	if (r >= 0)
		r = ociw_reference_parse(name, &ref, err);
	if (r >= 0)
		r = ociw_client_repository(e->client, ref, &e->content, err);
	ociw_reference_free(ref);
	return r;
}

static void write_conf(void)
{
	write_text(in_scratch("registries.conf"),
	           "[[registry]]\nprefix = \"example.com\"\nlocation = \"localhost:1\"\n"
	           "[[registry.mirror]]\nlocation = \"localhost:2\"\n");
}

static int run_pull(void *data, ociw_error **err)
{
	OCIWP_AUTO(content) ociw_content *to = NULL;
	ociw_copy_options options = OCIW_COPY_OPTIONS_INIT;
	end e;

	(void)data;
	options.flags = OCIW_COPY_RECURSIVE;
	options.parallel = 1;
	int r = end_open(&e, err);
	if (r >= 0)
		r = ociw_layout_open(in_scratch("to"),
		                     OCIW_LAYOUT_WRITE | OCIW_LAYOUT_CREATE | OCIW_LAYOUT_NO_SYNC,
		                     &to, err);
	if (r >= 0)
		r = ociw_copy(e.content, "v1", to, "v1", &options, NULL, err);
	end_free(&e);
	return r;
}

Test(nomem_registry, a_pull)
{
	OCIWP_AUTO(content) ociw_content *from = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *image = make_image(&from);
	ociw_error *err = NULL;

	write_conf();
	serve_blob("one");
	serve_blob("{}");
	rule("GET /v2/a/b/referrers/", 200, INDEX_TYPE,
	     "{\"schemaVersion\":2,\"mediaType\":\"" OCIWP_MT_OCI_INDEX "\",\"manifests\":[]}");
	/* Without this list the copy goes on: memory that is short while its error is worded costs nothing. */
	rule("GET /v2/a/b/tags/list", 200, "", "{\"name\":\"a/b\",\"tags\":[\"v1\"]}");
	serve();
	cr_expect_gt(fail_alloc_each("pull", run_pull, NULL), 200);
	OCIWP_AUTO(content) ociw_content *to = open_layout(in_scratch("to"), OCIW_LAYOUT_READ);
	expect_name(to, "v1", image);
	expect_ok(ociw_layout_verify(to, NULL, NULL, NULL, &err), &err);
}

struct pushing {
	ociw_content *from;
	uint64_t chunk;
};

static int run_push(void *data, ociw_error **err)
{
	const struct pushing *p = data;
	ociw_copy_options options = OCIW_COPY_OPTIONS_INIT;
	end e;

	options.parallel = 1;
	int r = end_open(&e, err);
	if (r >= 0) {
		ociw_client_set_chunk_size(e.client, p->chunk);
		r = ociw_copy(p->from, "v1", e.content, "v1", &options, NULL, err);
	}
	end_free(&e);
	return r;
}

Test(nomem_registry, a_push_whole_and_in_chunks)
{
	struct pushing p = {new_layout(in_scratch("from")), 0};

	ociw_descriptor_free(put_image(p.from, "v1", "one"));
	write_conf();
	rule("POST /v2/a/b/blobs/uploads/", 202, "Location: /u/0\n", "");
	rule("PATCH /u/0", 202, "Location: /u/0\nRange: 0-2\n", "");
	rule("PUT /u/0", 201, "", "");
	rule("PUT /v2/a/b/manifests/v1$", 201, "", "");
	serve();
	cr_expect_gt(fail_alloc_each("push", run_push, &p), 200);
	p.chunk = 2;
	cr_expect_gt(fail_alloc_each("push in chunks", run_push, &p), 200);
	ociw_content_free(p.from);
}

static int run_lists(void *data, ociw_error **err)
{
	ociw_tags_options options = OCIW_TAGS_OPTIONS_INIT;
	size_t count = 0;
	end e;

	options.page_size = 1;
	int r = end_open(&e, err);
	if (r >= 0)
		r = ociw_client_ping(e.client, address, NULL, err);
	if (r >= 0)
		r = ociw_repository_tags(e.content, &options, count_name, &count, err);
	if (r >= 0)
		r = ociw_content_list(e.content, NULL, count_name, &count, err);
	if (r >= 0)
		r = ociw_client_catalog(e.client, address, &options, count_name, &count, err);
	if (r >= 0)
		r = ociw_content_referrers(e.content, data, "application/x", NULL, count_referrer,
		                           &count, err);
	cr_expect(r < 0 || count == 6, "%zu names", count);
	end_free(&e);
	return r;
}

Test(nomem_registry, lists_of_tags_repositories_and_referrers)
{
	OCIWP_AUTO(content) ociw_content *from = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *image = make_image(&from);

	write_conf();
	rule("GET /v2/a/b/tags/list?n=1$", 200, "Link: </v2/a/b/tags/list?last=x>; rel=\"next\"\n",
	     "{\"name\":\"a/b\",\"tags\":[\"x\"]}");
	rule("GET /v2/a/b/tags/list", 200, "", "{\"name\":\"a/b\",\"tags\":[\"y\"]}");
	rule("GET /v2/_catalog", 200, "", "{\"repositories\":[\"a\",\"b\"]}");
	rule("GET /v2/a/b/referrers/", 200, INDEX_TYPE,
	     format("{\"schemaVersion\":2,\"mediaType\":\"" OCIWP_MT_OCI_INDEX
	            "\",\"manifests\":[{\"mediaType\":\"" OCIWP_MT_OCI_MANIFEST
	            "\",\"artifactType\":\"application/x\",\"size\":2,\"digest\":\"%s\"}]}",
	            image->digest));
	rule("GET /v2/$", 200, "", "{}");
	serve();
	cr_expect_gt(fail_alloc_each("lists", run_lists, image->digest), 200);
}

static int run_attach(void *data, ociw_error **err)
{
	ociw_attach_options options = OCIW_ATTACH_OPTIONS_INIT;
	const ociw_attach_file file = {in_scratch("registries.conf"), "text/plain"};
	end e;

	(void)data;
	options.artifact_type = "application/x";
	options.files = &file;
	options.file_count = 1;
	int r = end_open(&e, err);
	if (r >= 0)
		r = ociw_attach(e.content, "v1", &options, NULL, err);
	end_free(&e);
	return r;
}

/* The fallback tag as it was put last; a new artifact makes the registry forget it, so that each run
 * finds none. */
static void keep_tag(const fake_request *request, fake_answer *answer, void *user_data)
{
	static const char *kept;

	need_token(request, answer, user_data);
	if (answer->status == 401)
		return;
	if (strcmp(request->method, "GET") == 0)
		*answer = (fake_answer){.status = kept ? 200 : 404, .headers = INDEX_TYPE, .body = kept};
	else
		kept = strstr(request->target, "/sha256-") ? request->body : NULL;
}

/* A registry without the referrers API: the fallback tag is read and written too. */
Test(nomem_registry, an_attached_file)
{
	OCIWP_AUTO(content) ociw_content *from = NULL;

	ociw_descriptor_free(make_image(&from));
	write_conf();
	rule("POST /v2/a/b/blobs/uploads/", 202, "Location: /u/0\n", "");
	rule("PUT /u/0", 201, "", "");
	rule("PUT /v2/a/b/manifests/", 201, "", "");
	rules[rule_count - 1].handler = keep_tag;
	rule("GET /v2/a/b/manifests/sha256-", 200, "", "");
	rules[rule_count - 1].handler = keep_tag;
	serve();
	cr_expect_gt(fail_alloc_each("attach", run_attach, NULL), 200);
}

static const char long_text[100000];

static int run_parts(void *data, ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *blob = NULL;
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	ociw_writer *writer = NULL;
	ociw_reader *reader = NULL;
	char url[128];
	end e;

	(void)data;
	snprintf(url, sizeof(url), "http://%s/file", address);
	int r = end_open(&e, err);
	if (r >= 0)
		r = ociwp_writer_new_buf(&text, 100, &writer, err);
	if (r >= 0)
		r = ociw_client_get(e.client, url, NULL, writer, err);
	ociw_writer_abort(writer);
	if (r >= 0)
		r = ociw_content_put_bytes(e.content, "text/plain", (ociw_span){"x", 1}, NULL, &blob,
		                           err);
	if (r >= 0)
		r = ociw_content_put_file(e.content, "text/plain", in_scratch("registries.conf"),
		                          NULL, NULL, err);
	if (r >= 0)
		r = ociw_reader_new_memory((ociw_span){long_text, sizeof(long_text)}, &reader, err);
	if (r >= 0)
		r = ociw_content_put_stream(e.content, "text/plain", reader, NULL, NULL, err);
	if (r >= 0)
		r = ociw_content_delete_blob(e.content, blob->digest, NULL, err);
	if (r >= 0)
		r = ociw_content_delete(e.content, "v1", NULL, err);
	end_free(&e);
	return r;
}

Test(nomem_registry, blobs_and_deletions)
{
	write_conf();
	rule("GET /file", 200, "", "hello");
	rule("POST /v2/a/b/blobs/uploads/", 202, "Location: /u/0\n", "");
	rule("PATCH /u/0", 202, "Location: /u/0\n", "");
	rule("PUT /u/0", 201, "", "");
	rule("DELETE /v2/a/b/", 202, "", "");
	serve();
	cr_expect_gt(fail_alloc_each("parts", run_parts, NULL), 100);
}
