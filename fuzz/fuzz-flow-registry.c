/* SPDX-License-Identifier: Apache-2.0
 *
 * The client against a registry that says what it likes: the input is a list of answers, played in
 * the order of the requests, below the seam of registry/transport.h (this file stands in for
 * exchange.c and transport.c). Pulls, pushes, lists, follows referrers, attaches, deletes, tags.
 *
 * The first byte chooses the flow. Answers are separated by 0xFF: "STATUS", '!' behind it when the
 * body breaks off, a newline, header lines, an empty line, the body. "@a" stands for the digest of
 * the body of answer a (the first), "#a" for its size, where a comes later than the mark.
 */
#include "../tests/support/far-end.h"
#include "base/str.h"
#include "codec/mediatype.h"
#include "fuzz-blob.h"
#include "io/stream.h"
#include "oci/descriptor.h"
#include "oci/memory.h"
#include "registry/request.h"
#include "registry/retry.h"
#include <oci-wasm/oci-wasm.h>
#include <stdint.h>
#include <stdio.h>

#define ANSWERS_MAX 24
#define REQUESTS_MAX 3000
#define LAYER_SIZE (1024u * 1024 + 7)
#define PASSWORD "pw-3b1f9d"
#define HOME "https://registry.test:443"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
	if (!condition)
		__builtin_trap();
}

/* ---- the script ---- */

typedef struct answer {
	int status;
	bool breaks_off;
	ociwp_buf headers; /* "Name: value", a NUL behind each */
	ociwp_buf body;
	char digest[OCIW_DIGEST_TEXT_MAX];
} answer;

static struct {
	answer answers[ANSWERS_MAX];
	size_t count, next;
	unsigned requests;
} script;

/* Copies text with its marks replaced; only answers behind @p at are known already. */
static void expand(const uint8_t *data, size_t len, size_t at, ociwp_buf *out)
{
	for (size_t i = 0; i < len; i++) {
		size_t number = i + 1 < len ? (size_t)(data[i + 1] - 'a') : ANSWERS_MAX;
		if ((data[i] != '@' && data[i] != '#') || number >= script.count || number <= at) {
			ociwp_buf_append(out, data + i, 1);
			continue;
		}
		if (data[i++] == '@')
			ociwp_buf_puts(out, script.answers[number].digest);
		else
			ociwp_buf_printf(out, "%zu", script.answers[number].body.len);
	}
	must(!out->failed);
}

static void read_answer(const uint8_t *data, size_t len, size_t at)
{
	answer *a = &script.answers[at];
	ociw_digest digest;
	size_t i = 0;
	for (; i < len && ociwp_is_digit((char)data[i]) && a->status < 100; i++)
		a->status = a->status * 10 + (data[i] - '0');
	a->breaks_off = i < len && data[i] == '!';
	while (i < len && data[i++] != '\n')
		;
	while (i < len && data[i] != '\n') {
		const uint8_t *end = memchr(data + i, '\n', len - i);
		size_t line = end ? (size_t)(end - data) - i : len - i;
		if (!memchr(data + i, 0, line)) {
			expand(data + i, line, at, &a->headers);
			ociwp_buf_putc(&a->headers, 0);
		}
		i += line + (end ? 1 : 0);
	}
	if (i < len)
		expand(data + i + 1, len - i - 1, at, &a->body);
	must(ociw_digest_bytes(OCIW_DIGEST_SHA256, ociwp_buf_span(&a->body), &digest, NULL) == 0);
	ociw_digest_format(&digest, a->digest);
}

static void read_script(const uint8_t *data, size_t size)
{
	const uint8_t *starts[ANSWERS_MAX];
	size_t lens[ANSWERS_MAX];
	while (script.count < ANSWERS_MAX) {
		const uint8_t *end = size ? memchr(data, 0xff, size) : NULL;
		starts[script.count] = data;
		lens[script.count++] = end ? (size_t)(end - data) : size;
		if (!end)
			break;
		size -= (size_t)(end - data) + 1;
		data = end + 1;
	}
	for (size_t i = script.count; i-- > 0;)
		read_answer(starts[i], lens[i], i);
}

static void free_script(void)
{
	for (size_t i = 0; i < script.count; i++) {
		ociwp_buf_deinit(&script.answers[i].headers);
		ociwp_buf_deinit(&script.answers[i].body);
	}
	memset(&script, 0, sizeof(script));
}

static const char *header_of(const answer *a, const char *name, size_t nth)
{
	size_t len = strlen(name);
	if (!a->headers.len)
		return NULL;
	const char *end = a->headers.data + a->headers.len;
	for (const char *line = a->headers.data; line < end; line += strlen(line) + 1) {
		if (strncasecmp(line, name, len) == 0 && line[len] == ':' && nth-- == 0)
			return line + len + 1 + strspn(line + len + 1, " ");
	}
	return NULL;
}

/* ---- what must hold of every request ---- */

/* In small letters and without the backslashes of a quoted string, in place. */
static void plain_realm(char *text)
{
	char *to = text;
	for (const char *from = text; *from; from++)
		if (*from != '\\')
			*to++ = (char)ociwp_to_lower(*from);
	*to = '\0';
}

/* Passwords may go to the registry and to realms that it named. */
static bool is_realm(const char *host)
{
	const char *value;
	for (size_t i = 0; i < script.count; i++) {
		for (size_t n = 0; (value = header_of(&script.answers[i], "WWW-Authenticate", n));
		     n++) {
			OCIWP_AUTO(str) char *named = ociwp_strdup(value);
			if (!named)
				return true;
			plain_realm(named);
			if (strstr(named, host))
				return true;
		}
	}
	return false;
}

static void check_request(const ociwp_http *http)
{
	__attribute__((cleanup(ociwp_cleanup_url))) ociwp_url url = {0};
	must(++script.requests < REQUESTS_MAX);
	must(ociwp_url_parse(http->url, NULL, &url, NULL) == 0);
	must(url.https && !ociwp_host_is_private(url.host));
	must(!strpbrk(http->url, " \r\n"));
	for (size_t i = 0; i < http->header_count; i++) {
		const char *name = http->headers[i].name, *value = http->headers[i].value;
		must(!strpbrk(name, ":\r\n"));
		if (strcmp(name, "Authorization") == 0 && strcmp(url.origin, HOME) != 0)
			must(ociwp_starts_with(value, "Basic ") && is_realm(url.host));
	}
}

/* ---- the seam ---- */

struct ociwp_transport {
	int none;
};
struct ociwp_exchange {
	const answer *answer;
	size_t at;
	bool no_body;
};

int ociwp_transport_new(const ociwp_transport_options *options, ociwp_transport **out,
                        ociw_error **err)
{
	(void)options;
	*out = ociwp_new(ociwp_transport);
	return *out ? 0 : ociwp_nomem(err);
}

void ociwp_transport_free(ociwp_transport *transport)
{
	free(transport);
}

ociwp_transport_options ociwp_transport_settings(const ociwp_transport *transport);
ociwp_transport_options ociwp_transport_settings(const ociwp_transport *transport)
{
	(void)transport;
	return (ociwp_transport_options){1000, 1000, 1000};
}

void ociwp_http_header(ociwp_http *http, const char *name, const char *value)
{
	if (!value || http->header_count == OCIWP_HTTP_HEADERS_MAX)
		return;
	http->headers[http->header_count].name = name;
	http->headers[http->header_count++].value = value;
}

/* As much of the source as was announced, as exchange.c does. */
static int send_body(const ociwp_http *http, ociw_error **err)
{
	char block[16 * 1024];
	uint64_t left = http->body_size;
	ptrdiff_t n = 1;
	while (http->body && left > 0 && n > 0) {
		size_t want = left < sizeof(block) ? (size_t)left : sizeof(block);
		n = ociw_reader_read(http->body, block, want, err);
		left -= n > 0 ? (uint64_t)n : 0;
	}
	if (n < 0)
		return (int)n;
	must(left == 0 || !http->body || http->body_size >= OCIWP_BODY_UNKNOWN);
	return 0;
}

int ociwp_exchange_begin(ociwp_transport *transport, const ociwp_http *http, const ociw_op *op,
                         ociwp_exchange **out, ociwp_failure *failure, ociw_error **err)
{
	static const answer nothing = {.status = 404};
	(void)transport;
	(void)op;
	check_request(http);
	*failure = OCIWP_FAILURE_LOCAL;
	int r = send_body(http, err);
	if (r < 0)
		return r;
	const answer *a = script.next < script.count ? &script.answers[script.next++] : &nothing;
	if (a->status < 200) {
		*failure = OCIWP_FAILURE_CONNECT;
		return ociwp_fail(err, OCIW_ERR_NETWORK, "no answer");
	}
	ociwp_exchange *x = ociwp_new(ociwp_exchange);
	if (!x)
		return ociwp_nomem(err);
	*x = (ociwp_exchange){.answer = a, .no_body = strcmp(http->method, "HEAD") == 0};
	*out = x;
	return 0;
}

int ociwp_exchange_status(const ociwp_exchange *x)
{
	return x->answer->status;
}

const char *ociwp_exchange_header(const ociwp_exchange *x, const char *name, size_t nth)
{
	return header_of(x->answer, name, nth);
}

ptrdiff_t ociwp_exchange_read(ociwp_exchange *x, void *buf, size_t len, const ociw_op *op,
                              ociwp_failure *failure, ociw_error **err)
{
	size_t left = x->no_body ? 0 : x->answer->body.len - x->at;
	size_t n = left < len ? left : len;
	(void)op;
	if (n == 0 && len > 0 && x->answer->breaks_off) {
		*failure = OCIWP_FAILURE_LOST;
		return ociwp_fail(err, OCIW_ERR_NETWORK, "it broke off");
	}
	if (n)
		memcpy(buf, x->answer->body.data + x->at, n);
	x->at += n;
	return (ptrdiff_t)n;
}

void ociwp_exchange_close(ociwp_exchange *x)
{
	free(x);
}

/* Nobody waits here (linked with --wrap). */
uint64_t __wrap_ociwp_retry_delay_ms(unsigned number, uint32_t random);
bool __real_ociwp_retry_after(const char *value, int64_t now_s, uint64_t *out_ms);
bool __wrap_ociwp_retry_after(const char *value, int64_t now_s, uint64_t *out_ms);

uint64_t __wrap_ociwp_retry_delay_ms(unsigned number, uint32_t random)
{
	(void)number;
	(void)random;
	return 0;
}

bool __wrap_ociwp_retry_after(const char *value, int64_t now_s, uint64_t *out_ms)
{
	bool known = __real_ociwp_retry_after(value, now_s, out_ms);
	if (known && *out_ms <= OCIWP_RETRY_AFTER_MAX_MS)
		*out_ms = 0;
	return known;
}

/* ---- the other end: takes what verifies ---- */

static int sink_put(void *self, const ociw_descriptor *desc, const ociwp_blob_source *source,
                    const ociw_op *op, ociw_error **err)
{
	(void)self;
	(void)desc;
	return far_take(source, op, err);
}

static int sink_put_manifest(void *self, const ociw_descriptor *desc, ociw_span bytes,
                             const char *name, const ociw_op *op, ociw_error **err)
{
	(void)self;
	(void)name;
	(void)op;
	(void)err;
	fuzz_check_blob(desc, bytes);
	return 0;
}

static const ociwp_content_ops sink_ops = {.resolve = far_resolve,
                                           .open = far_open,
                                           .put = sink_put,
                                           .put_manifest = sink_put_manifest,
                                           .free = far_free};

/* An image to push: one small and one large blob. */
static ociw_content *make_image(void)
{
	static char layer[LAYER_SIZE];
	static const char form[] =
	        "{\"schemaVersion\":2,\"mediaType\":\"" OCIWP_MT_OCI_MANIFEST
	        "\",\"config\":{\"mediaType\":\"" OCIWP_MT_OCI_EMPTY
	        "\",\"digest\":\"%s\",\"size\":2},\"artifactType\":\"a/b\",\"layers\":["
	        "{\"mediaType\":\"a/b\",\"digest\":\"%s\",\"size\":%u}],\"subject\":"
	        "{\"mediaType\":\"" OCIWP_MT_OCI_MANIFEST "\",\"digest\":\"%s\",\"size\":2}}";
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	ociw_descriptor *config = NULL, *big = NULL, *manifest = NULL;
	ociwp_memory *memory = NULL;
	ociw_content *out = NULL;
	must(ociwp_memory_new("image", &memory, NULL) == 0);
	must(ociwp_descriptor_of_bytes(OCIWP_MT_OCI_EMPTY, (ociw_span){"{}", 2}, &config, NULL) ==
	     0);
	must(ociwp_descriptor_of_bytes("a/b", (ociw_span){layer, LAYER_SIZE}, &big, NULL) == 0);
	ociwp_buf_printf(&text, form, config->digest, big->digest, LAYER_SIZE, config->digest);
	must(ociwp_descriptor_of_bytes(OCIWP_MT_OCI_MANIFEST, ociwp_buf_span(&text), &manifest,
	                               NULL) == 0);
	must(ociwp_memory_add_bytes(memory, config, (ociw_span){"{}", 2}, NULL) == 0);
	must(ociwp_memory_add_bytes(memory, big, (ociw_span){layer, LAYER_SIZE}, NULL) == 0);
	must(ociwp_memory_add_manifest(memory, manifest, ociwp_buf_span(&text), "v1", NULL) == 0);
	must(ociwp_memory_publish(memory, &out, NULL) == 0);
	ociw_descriptor_free(config);
	ociw_descriptor_free(big);
	ociw_descriptor_free(manifest);
	return out;
}

/* ---- flows ---- */

static int give_password(const char *host, bool rejected, ociw_credential_request *request,
                         void *user_data, ociw_error **err)
{
	ociw_credential give = {.size = sizeof(give), .username = "me", .password = PASSWORD};
	(void)host;
	(void)user_data;
	(void)err;
	if (rejected)
		return 0;
	return ociw_credential_answer(request, &give) == 0 ? 1 : OCIW_ERR_NOMEM;
}

static int take_name(const char *name, const ociw_descriptor *desc, void *user_data)
{
	(void)name;
	(void)desc;
	(void)user_data;
	return 0;
}

static int take_referrer(const ociw_descriptor *desc, void *user_data)
{
	(void)user_data;
	must(ociw_digest_is_valid(desc->digest));
	return 0;
}

static int run_copy(ociw_content *from, ociw_content *to, uint32_t flags, const ociw_op *op,
                    ociw_error **err)
{
	ociw_copy_options options = OCIW_COPY_OPTIONS_INIT;
	options.op = op;
	options.parallel = 1;
	options.flags = flags;
	return ociw_copy(from, "v1", to, "v1", &options, NULL, err);
}

static int run_flow(uint8_t flow, ociw_client *client, ociw_content *repo, ociw_content *image,
                    const ociw_op *op, ociw_error **err)
{
	static const char some[] =
	        "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
	OCIWP_AUTO(content) ociw_content *sink = NULL;
	ociw_attach_options attach = OCIW_ATTACH_OPTIONS_INIT;
	ociw_tags_options tags = OCIW_TAGS_OPTIONS_INIT;
	static const char *const two[] = {"a", "b"};
	if (flow == '8')
		return ociw_content_tag(repo, "v1", two, 2, op, NULL, err);
	must(ociwp_content_new(&sink_ops, NULL, "sink", &sink, NULL) == 0);
	attach.op = tags.op = op;
	attach.artifact_type = "a/b";
	switch (flow % 8) {
	case 0:
		return run_copy(repo, sink, OCIW_COPY_RECURSIVE, op, err);
	case 1:
		return run_copy(image, repo, 0, op, err);
	case 2:
		ociw_client_set_chunk_size(client, 300000);
		return run_copy(image, repo, 0, op, err);
	case 3:
		return ociw_repository_tags(repo, &tags, take_name, NULL, err);
	case 4:
		return ociw_client_catalog(client, "registry.test", &tags, take_name, NULL, err);
	case 5:
		return ociw_content_referrers(repo, some, "a/b", op, take_referrer, NULL, err);
	case 6:
		return ociw_attach(repo, "v1", &attach, NULL, err);
	default:
		break;
	}
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	int r = ociw_content_resolve(repo, "v1", op, &desc, err);
	return r < 0 ? r : ociw_content_delete(repo, desc->digest, op, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static ociw_content *image;
	ociw_limits limits = OCIW_LIMITS_INIT;
	ociw_op op = OCIW_OP_INIT;
	ociw_reference *ref = NULL;
	ociw_client *client = NULL;
	ociw_content *repo = NULL;
	ociw_error *err = NULL;
	if (size < 1 || size > 1 << 16)
		return 0;
	if (!image)
		image = make_image();
	read_script(data + 1, size - 1);
	limits.max_tries = 3;
	op.limits = &limits;
	must(ociw_client_new(&client, NULL) == 0);
	ociw_client_set_credentials(client, give_password, NULL);
	must(ociw_reference_parse("registry.test/a/b:v1", &ref, NULL) == 0);
	must(ociw_client_repository(client, ref, &repo, NULL) == 0);
	int r = run_flow(data[0], client, repo, image, &op, &err);
	must((r < 0) == (err != NULL));
	/* The answers may know it, by chance or from the coverage of this line. */
	must(!err || !strstr(ociw_error_message(err), PASSWORD) ||
	     memmem(data, size, PASSWORD, strlen(PASSWORD)));
	ociw_error_free(err);
	ociw_content_free(repo);
	ociw_client_free(client);
	ociw_reference_free(ref);
	free_script();
	return 0;
}
