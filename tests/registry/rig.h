/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of this layer share: a fake registry with a client and a repository on it.
 */
#ifndef OCIW_TESTS_REGISTRY_RIG_H
#define OCIW_TESTS_REGISTRY_RIG_H

#include "../support/fake-registry.h"
#include "io/stream.h"
#include "registry/repository.h"
#include <criterion/criterion.h>
#include <oci-wasm/oci-wasm.h>
#include <stdio.h>

#define EMPTY_DIGEST "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"

typedef struct rig {
	fake_registry *fake;
	ociw_client *client;
	ociw_content *content;
	ociwp_repository *repo;
	ociw_limits limits;
	ociw_op op;
	/* What the credentials callback gives, and how often it was asked. */
	ociw_credential give, give_next;
	unsigned asked, asked_again;
	unsigned retries, warnings;
	char warning[512], retry[512];
} rig;

static inline int rig_event(const ociw_event *event, void *user_data)
{
	rig *r = user_data;
	if (event->kind == OCIW_EVENT_RETRY) {
		r->retries++;
		snprintf(r->retry, sizeof(r->retry), "%s", event->message);
	}
	if (event->kind == OCIW_EVENT_WARNING) {
		r->warnings++;
		snprintf(r->warning, sizeof(r->warning), "%s", event->message);
	}
	return 0;
}

static inline int rig_credentials(const char *host, bool rejected, ociw_credential_request *request,
                                  void *user_data, ociw_error **err)
{
	(void)host;
	(void)err;
	rig *r = user_data;
	r->asked += !rejected;
	r->asked_again += rejected;
	const ociw_credential *give = rejected ? &r->give_next : &r->give;
	if (!give->size)
		return 0;
	return ociw_credential_answer(request, give) == 0 ? 1 : OCIW_ERR_NOMEM;
}

/* A client with short patience on a started server; repository "a/b", tag v1. */
static inline void rig_open(rig *r, const fake_rule *rules, size_t count)
{
	char name[64];
	ociw_reference *ref = NULL;
	*r = (rig){.limits = OCIW_LIMITS_INIT, .op = OCIW_OP_INIT};
	r->limits.max_tries = 3;
	r->op.limits = &r->limits;
	r->op.event = rig_event;
	r->op.user_data = r;
	r->fake = fake_start(rules, count);
	cr_assert_eq(ociw_client_new(&r->client, NULL), 0);
	ociw_client_set_plain_http(r->client, true);
	ociw_client_set_credentials(r->client, rig_credentials, r);
	snprintf(name, sizeof(name), "%s/a/b:v1", fake_address(r->fake));
	cr_assert_eq(ociw_reference_parse(name, &ref, NULL), 0);
	cr_assert_eq(ociw_client_repository(r->client, ref, &r->content, NULL), 0);
	ociw_reference_free(ref);
	r->repo = ociwp_content_self(r->content, &ociwp_repository_ops);
}

static inline void rig_close(rig *r)
{
	ociw_content_free(r->content);
	ociw_client_free(r->client);
	fake_stop(r->fake);
}

/* The nth request that matches; the test fails when there is none. */
static inline const fake_request *rig_request(rig *r, const char *match, size_t nth)
{
	char line[4096];
	for (size_t i = 0; i < fake_count(r->fake); i++) {
		const fake_request *request = fake_at(r->fake, i);
		snprintf(line, sizeof(line), "%s %s", request->method, request->target);
		if (strncmp(line, match, strlen(match)) == 0 && nth-- == 0)
			return request;
	}
	cr_assert_fail("no such request: %s", match);
	return NULL;
}

/* The code must be as said, and the message must hold a text. */
static inline void rig_expect(int r, int code, ociw_error **err, const char *text)
{
	cr_assert_eq(r, code, "%d, not %d: %s", r, code, *err ? ociw_error_message(*err) : "none");
	cr_assert_not_null(strstr(ociw_error_message(*err), text), "no \"%s\" in: %s", text,
	                   ociw_error_message(*err));
	ociw_error_free(*err);
	*err = NULL;
}

static inline void rig_ok(int r, ociw_error **err)
{
	cr_assert_geq(r, 0, "%d: %s", r, *err ? ociw_error_message(*err) : "none");
}

static inline ociw_descriptor *rig_blob(const char *text, size_t len)
{
	ociw_descriptor *desc = NULL;
	ociw_digest digest;
	char name[OCIW_DIGEST_TEXT_MAX];
	cr_assert_eq(ociw_digest_bytes(OCIW_DIGEST_SHA256, (ociw_span){text, len}, &digest, NULL),
	             0);
	cr_assert_eq(ociw_descriptor_new("application/octet-stream",
	                                 ociw_digest_format(&digest, name), len, &desc, NULL),
	             0);
	return desc;
}

/* Bytes in memory as a source that counts how often it is opened. */
typedef struct rig_source {
	const char *data;
	size_t len;
	unsigned opened;
	uint64_t last_offset;
} rig_source;

static inline int rig_source_open(void *self, uint64_t offset, const ociw_op *op, ociw_reader **out,
                                  ociw_error **err)
{
	(void)op;
	rig_source *s = self;
	s->opened++;
	s->last_offset = offset;
	return ociw_reader_new_memory((ociw_span){s->data + offset, s->len - (size_t)offset}, out,
	                              err);
}

#define RULES(...)                                                                                 \
	((const fake_rule[]){__VA_ARGS__}),                                                        \
	        (sizeof((const fake_rule[]){__VA_ARGS__}) / sizeof(fake_rule))

#endif
