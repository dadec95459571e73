/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs the client against a real registry: blobs of awkward sizes there and back, manifests, names,
 * deletion. Prints TAP. What is started, and how, is the business of test-real.sh.
 *
 * usage: real-registry REPOSITORY [--user NAME --password TEXT] [--identity TOKEN] [--ca FILE]
 *                      [--no-delete | --delete-off]
 */
#include "base/buf.h"
#include "base/str.h"
#include "codec/mediatype.h"
#include "io/stream.h"
#include "oci/content.h"
#include <oci-wasm/oci-wasm.h>
#include <stdio.h>
#include <unistd.h>

static int count, failed;

static bool ok(bool good, const char *name, ociw_error **err)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++count, name);
	if (!good) {
		failed++;
		printf("# %s\n", err && *err ? ociw_error_message(*err) : "no error");
	}
	if (err) {
		ociw_error_free(*err);
		*err = NULL;
	}
	return good;
}

typedef struct login_state {
	const char *user, *password, *identity;
	int asked;
} login_state;

static int on_credentials(const char *host, bool rejected, ociw_credential_request *request,
                          void *user_data, ociw_error **err)
{
	(void)host;
	(void)err;
	login_state *l = user_data;
	l->asked++;
	if ((!l->user && !l->identity) || rejected)
		return 0;
	ociw_credential give = {.size = sizeof(give),
	                        .username = l->user,
	                        .password = l->password,
	                        .identity_token = l->identity,
	                        .source = "test"};
	return ociw_credential_answer(request, &give) == 0 ? 1 : OCIW_ERR_NOMEM;
}

/* Bytes that do not compress and differ at each offset. */
static void fill(char *data, size_t len)
{
	uint64_t x = 0x9E3779B97F4A7C15u + len;
	for (size_t i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		data[i] = (char)x;
	}
}

/* @p streamed: as bytes of unknown length (PSH-7a). */
static int put_bytes(ociw_content *repo, ociw_span bytes, bool streamed, ociw_descriptor **out,
                     ociw_error **err)
{
	static const char type[] = "application/octet-stream";
	ociw_reader *reader = NULL;
	if (!streamed)
		return ociw_content_put_bytes(repo, type, bytes, NULL, out, err);
	int r = ociw_reader_new_memory(bytes, &reader, err);
	return r < 0 ? r : ociw_content_put_stream(repo, type, reader, NULL, out, err);
}

static bool blob_round_trip(ociw_content *repo, size_t len, bool streamed, ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	OCIWP_AUTO(mem) void *back = NULL;
	OCIWP_AUTO(mem) char *data = ociwp_malloc(len);
	size_t back_len = 0;
	fill(data, len);
	if (put_bytes(repo, (ociw_span){data, len}, streamed, &desc, err) < 0)
		return false;
	if (ociw_content_read(repo, desc, 1 << 30, NULL, &back, &back_len, err) < 0)
		return false;
	return back_len == len && (len == 0 || memcmp(back, data, len) == 0);
}

static bool image_round_trip(ociw_content *repo, const char *tag, ociw_descriptor **out,
                             ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *config = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *found = NULL;
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	OCIWP_AUTO(mem) void *back = NULL;
	size_t back_len = 0;
	if (ociw_content_put_bytes(repo, OCIWP_MT_OCI_EMPTY, (ociw_span){"{}", 2}, NULL, &config,
	                           err) < 0)
		return false;
	ociwp_buf_printf(
	        &text,
	        "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"artifactType\":\"test/%s\","
	        "\"config\":{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":2},\"layers\":[]}",
	        OCIWP_MT_OCI_MANIFEST, tag, OCIWP_MT_OCI_EMPTY, ociw_descriptor_digest(config));
	if (ociw_content_put_manifest(repo, NULL, ociwp_buf_span(&text), tag, NULL, out, err) < 0)
		return false;
	if (ociw_content_resolve(repo, tag, NULL, &found, err) < 0)
		return false;
	if (!ociwp_streq(ociw_descriptor_digest(found), ociw_descriptor_digest(*out)))
		return false;
	if (ociw_content_read(repo, found, 1 << 20, NULL, &back, &back_len, err) < 0)
		return false;
	return back_len == text.len && memcmp(back, text.data, back_len) == 0;
}

static int count_name(const char *name, const ociw_descriptor *desc, void *user_data)
{
	(void)desc;
	int *names = user_data;
	*names += name != NULL;
	return 0;
}

static void check_errors(ociw_content *repo)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	ociw_error *err = NULL;
	ociw_reader *reader = NULL;
	int r = ociw_content_resolve(repo, "no-such-tag", NULL, &desc, &err);
	bool good = r == OCIW_ERR_NOTFOUND && ociw_error_http_status(err) == 404 &&
	            ociwp_streq(ociw_error_registry_code(err), "MANIFEST_UNKNOWN");
	ok(good, "a tag that is not there is NOTFOUND with MANIFEST_UNKNOWN", &err);
	r = ociw_descriptor_new(
	        "application/octet-stream",
	        "sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", 5, &desc,
	        &err);
	if (r == 0)
		r = ociw_content_open(repo, desc, NULL, &reader, &err);
	ok(r == OCIW_ERR_NOTFOUND, "a blob that is not there is NOTFOUND", &err);
	r = ociw_content_put_manifest(repo, OCIWP_MT_OCI_MANIFEST,
	                              (ociw_span){"{\"schemaVersion\":2}", 19}, "bad", NULL, NULL,
	                              &err);
	ok(r < 0, "a manifest that is none is refused", &err);
}

static int count_referrer(const ociw_descriptor *desc, void *user_data)
{
	(void)desc;
	++*(int *)user_data;
	return 0;
}

/* An artifact about an image is listed, whichever way the registry lists (RFR-1..6). */
static void check_referrers(ociw_content *repo, const ociw_descriptor *subject)
{
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	ociw_error *err = NULL;
	int count_before = 0, count_after = 0;
	const char *digest = ociw_descriptor_digest(subject);
	int r = ociw_content_referrers(repo, digest, NULL, NULL, count_referrer, &count_before,
	                               &err);
	ok(r == 0 && count_before == 0, "at first nothing refers to the image", &err);
	ociwp_buf_printf(
	        &text,
	        "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"artifactType\":\"test/about\","
	        "\"config\":{\"mediaType\":\"%s\",\"digest\":\"sha256:44136fa355b3678a1146ad16f7e86"
	        "49e94fb4fc21fe77e8310c060f61caaff8a\",\"size\":2},\"layers\":[],\"subject\":"
	        "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%llu}}",
	        OCIWP_MT_OCI_MANIFEST, OCIWP_MT_OCI_EMPTY, OCIWP_MT_OCI_MANIFEST, digest,
	        (unsigned long long)ociw_descriptor_size(subject));
	r = ociw_content_put_manifest(repo, NULL, ociwp_buf_span(&text), NULL, NULL, NULL, &err);
	ok(r == 0, "an artifact about it is put", &err);
	r = ociw_content_referrers(repo, digest, NULL, NULL, count_referrer, &count_after, &err);
	ok(r == 0 && count_after == 1, "then one is listed", &err);
}

enum deletion { DELETION_ON, DELETION_OFF, DELETION_UNTESTED };

/* DEL-1, DEL-2: a registry that deletes nothing says so, and so do we. */
static void check_deletion(ociw_content *repo, enum deletion deletion, const ociw_descriptor *one)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *gone = NULL;
	ociw_error *err = NULL;
	if (deletion == DELETION_UNTESTED || !one)
		return;
	int r = ociw_content_delete(repo, ociw_descriptor_digest(one), NULL, &err);
	if (deletion == DELETION_OFF) {
		ok(r == OCIW_ERR_UNSUPPORTED, "deletion that is switched off is UNSUPPORTED", &err);
		r = ociw_content_resolve(repo, "v1", NULL, &gone, &err);
		ok(r == 0, "and nothing is gone", &err);
		return;
	}
	ok(r == 0, "a manifest is deleted by digest", &err);
	r = ociw_content_resolve(repo, "v1", NULL, &gone, &err);
	ok(r == OCIW_ERR_NOTFOUND, "and then it is gone", &err);
}

static void check_all(ociw_content *repo, enum deletion deletion)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *one = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *two = NULL;
	ociw_error *err = NULL;
	int names = 0;
	ok(blob_round_trip(repo, 0, false, &err), "an empty blob goes there and back (PSH-18)", &err);
	ok(blob_round_trip(repo, 1, false, &err), "one byte goes there and back", &err);
	ok(blob_round_trip(repo, 65537, false, &err), "64 KiB and a byte go there and back", &err);
	ok(blob_round_trip(repo, 20000003, false, &err), "20 MB go there and back", &err);
	ok(blob_round_trip(repo, 20000005, true, &err),
	   "20 MB of unknown length go there and back (PSH-7a)", &err);
	ok(image_round_trip(repo, "v1", &one, &err), "a manifest goes there and back", &err);
	ok(image_round_trip(repo, "v2", &two, &err), "another one too", &err);
	int r = ociw_content_list(repo, NULL, count_name, &names, &err);
	ok(r == 0 && names >= 2, "both tags are listed", &err);
	check_errors(repo);
	if (two)
		check_referrers(repo, two);
	check_deletion(repo, deletion, one);
}

int main(int argc, char **argv)
{
	login_state login = {0};
	enum deletion deletion = DELETION_ON;
	ociw_client *client = NULL;
	ociw_content *repo = NULL;
	ociw_reference *ref = NULL;
	ociw_error *err = NULL;
	const char *ca = NULL;
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--user") == 0 && i + 1 < argc)
			login.user = argv[++i];
		else if (strcmp(argv[i], "--password") == 0 && i + 1 < argc)
			login.password = argv[++i];
		else if (strcmp(argv[i], "--identity") == 0 && i + 1 < argc)
			login.identity = argv[++i];
		else if (strcmp(argv[i], "--ca") == 0 && i + 1 < argc)
			ca = argv[++i];
		else if (strcmp(argv[i], "--no-delete") == 0)
			deletion = DELETION_UNTESTED;
		else if (strcmp(argv[i], "--delete-off") == 0)
			deletion = DELETION_OFF;
	}
	if (argc < 2)
		return 2;
	int r = ociw_client_new(&client, &err);
	if (r == 0)
		ociw_client_set_credentials(client, on_credentials, &login);
	if (r == 0 && ca)
		r = ociw_client_set_ca_file(client, ca, &err);
	if (r == 0)
		r = ociw_reference_parse(argv[1], &ref, &err);
	if (r == 0)
		r = ociw_client_repository(client, ref, &repo, &err);
	if (ok(r == 0, "the client is made", &err))
		check_all(repo, deletion);
	ok(login.asked <= 1, "credentials were asked for once at most", NULL);
	ociw_content_free(repo);
	ociw_reference_free(ref);
	ociw_client_free(client);
	printf("1..%d\n", count);
	return failed != 0;
}
