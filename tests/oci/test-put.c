/* SPDX-License-Identifier: Apache-2.0
 *
 * The public ways to write into a content (PSH-1, DEL-1, DEL-2), over an end that keeps notes.
 */
#include "codec/mediatype.h"
#include "io/stream.h"
#include "oci/content.h"
#include "oci/descriptor.h"
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define EMPTY_MANIFEST                                                                             \
	"{\"schemaVersion\":2,\"mediaType\":\"" OCIWP_MT_OCI_MANIFEST                              \
	"\",\"config\":{\"mediaType\":\"" OCIWP_MT_OCI_EMPTY                                       \
	"\",\"digest\":\"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060"            \
	"f61caaff8a\",\"size\":2},\"layers\":[]}"

/* What the end was asked last. */
static struct notes {
	char bytes[256], name[128], digest[OCIW_DIGEST_TEXT_MAX];
	bool removed_blob;
	unsigned puts, manifests, removes;
} notes;

static int put(void *self, const ociw_descriptor *desc, const ociwp_blob_source *source,
               const ociw_op *op, ociw_error **err)
{
	ociw_reader *reader = NULL;
	(void)self;
	int r = source->open(source->self, 0, op, &reader, err);
	cr_assert_eq(r, 0);
	ptrdiff_t n = ociwp_read_full(reader, notes.bytes, sizeof(notes.bytes) - 1, err);
	cr_assert_geq(n, 0);
	notes.bytes[n] = '\0';
	snprintf(notes.digest, sizeof(notes.digest), "%s", desc->digest);
	notes.puts++;
	(void)ociw_reader_close(reader, NULL);
	return 0;
}

static int put_manifest(void *self, const ociw_descriptor *desc, ociw_span bytes, const char *name,
                        const ociw_op *op, ociw_error **err)
{
	(void)self;
	(void)bytes;
	(void)op;
	(void)err;
	snprintf(notes.name, sizeof(notes.name), "%s", name);
	snprintf(notes.digest, sizeof(notes.digest), "%s", desc->digest);
	notes.manifests++;
	return 0;
}

static int remove_name(void *self, const char *name, bool blob_only, const ociw_op *op,
                       ociw_error **err)
{
	(void)self;
	(void)op;
	(void)err;
	snprintf(notes.name, sizeof(notes.name), "%s", name);
	notes.removed_blob = blob_only;
	notes.removes++;
	return 0;
}

static void free_nothing(void *self)
{
	(void)self;
}

static const ociwp_content_ops ops = {
        .put = put, .put_manifest = put_manifest, .remove = remove_name, .free = free_nothing};

static ociw_content *content;
static char path[64];

static void setup(void)
{
	cr_assert_eq(ociwp_content_new(&ops, &notes, "notes", &content, NULL), 0);
	strcpy(path, "/tmp/ociw-put-XXXXXX");
	int fd = mkstemp(path);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, "hello", 5), 5);
	close(fd);
}

static void teardown(void)
{
	ociw_content_free(content);
	unlink(path);
}

TestSuite(put, .init = setup, .fini = teardown);

static void expect(int r, int code, ociw_error *err, const char *text)
{
	cr_assert_eq(r, code, "%d: %s", r, err ? ociw_error_message(err) : "");
	cr_assert_not_null(strstr(ociw_error_message(err), text), "%s", ociw_error_message(err));
	ociw_error_free(err);
}

Test(put, bytes_become_a_blob_with_their_descriptor)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	cr_assert_eq(ociw_content_put_bytes(content, "text/plain", (ociw_span){"hello", 5}, NULL,
	                                    &desc, NULL),
	             0);
	cr_assert_str_eq(notes.bytes, "hello");
	cr_assert_eq(desc->size, 5);
	cr_assert_str_eq(desc->media_type, "text/plain");
	cr_assert_str_eq(desc->digest,
	                 "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b"
	                 "9824");
	cr_assert_str_eq(notes.digest, desc->digest);
}

Test(put, a_file_is_hashed_and_sent)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	cr_assert_eq(ociw_content_put_file(content, "text/plain", path, NULL, &desc, NULL), 0);
	cr_assert_str_eq(notes.bytes, "hello");
	cr_assert_eq(desc->size, 5);
	cr_assert_str_eq(notes.digest, desc->digest);
	/* Nobody needs the descriptor. */
	cr_assert_eq(ociw_content_put_file(content, "text/plain", path, NULL, NULL, NULL), 0);
	cr_assert_eq(notes.puts, 2);
}

Test(put, an_open_file_is_sent_from_where_it_stands)
{
	static const struct {
		off_t at;
		const char *text;
	} rows[] = {{0, "hello"}, {2, "llo"}, {5, ""}, {9, ""}};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
		ociw_error *err = NULL;
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		cr_assert_eq(lseek(fd, rows[i].at, SEEK_SET), rows[i].at);
		int r = ociw_content_put_fd(content, "text/plain", fd, NULL, &desc, &err);
		cr_assert_eq(r, 0, "%s", err ? ociw_error_message(err) : "");
		cr_assert_str_eq(notes.bytes, rows[i].text);
		cr_assert_eq(desc->size, strlen(rows[i].text));
		cr_assert_str_eq(notes.digest, desc->digest);
		cr_assert_eq(lseek(fd, 0, SEEK_CUR), rows[i].at);
		close(fd);
	}
}

Test(put, only_open_files_that_can_be_read_again_are_sent)
{
	ociw_error *err = NULL;
	int pair[2];
	cr_assert_eq(pipe(pair), 0);
	int r = ociw_content_put_fd(content, "text/plain", pair[0], NULL, NULL, &err);
	expect(r, OCIW_ERR_INVALID, err, "not a regular file");
	close(pair[0]);
	err = NULL;
	r = ociw_content_put_fd(content, "text/plain", pair[0], NULL, NULL, &err);
	expect(r, OCIW_ERR_IO, err, "Bad file descriptor");
	close(pair[1]);
	err = NULL;
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	r = ociw_content_put_fd(content, "text/plain", fd, NULL, NULL, &err);
	expect(r, OCIW_ERR_IO, err, "the open file");
	close(fd);
	cr_assert_eq(notes.puts, 0);
}

Test(put, a_stream_is_read_to_its_end_where_the_end_takes_only_whole_blobs)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	ociw_reader *reader = NULL;
	cr_assert_eq(ociw_reader_new_memory((ociw_span){"hello", 5}, &reader, NULL), 0);
	cr_assert_eq(ociw_content_put_stream(content, "text/plain", reader, NULL, &desc, NULL), 0);
	cr_assert_str_eq(notes.bytes, "hello");
	cr_assert_eq(desc->size, 5);
	cr_assert_str_eq(desc->media_type, "text/plain");
	cr_assert_str_eq(notes.digest, desc->digest);
}

Test(put, only_files_that_are_there_are_sent)
{
	ociw_descriptor *desc = NULL;
	ociw_error *err = NULL;
	int r = ociw_content_put_file(content, "text/plain", "/tmp/no/such", NULL, &desc, &err);
	expect(r, OCIW_ERR_NOTFOUND, err, "/tmp/no/such");
	err = NULL;
	r = ociw_content_put_file(content, "text/plain", "/tmp", NULL, &desc, &err);
	expect(r, OCIW_ERR_INVALID, err, "not a regular file");
	cr_assert_null(desc);
	cr_assert_eq(notes.puts, 0);
}

Test(put, a_manifest_is_stored_under_its_name_or_its_digest)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	ociw_span bytes = {EMPTY_MANIFEST, strlen(EMPTY_MANIFEST)};
	cr_assert_eq(ociw_content_put_manifest(content, NULL, bytes, "v1", NULL, &desc, NULL), 0);
	cr_assert_str_eq(notes.name, "v1");
	cr_assert_str_eq(desc->media_type, OCIWP_MT_OCI_MANIFEST);
	cr_assert_eq(ociw_content_put_manifest(content, OCIWP_MT_OCI_MANIFEST, bytes, NULL, NULL,
	                                       NULL, NULL),
	             0);
	cr_assert_str_eq(notes.name, desc->digest);
}

Test(put, what_is_no_manifest_is_never_sent)
{
	static const struct {
		const char *media_type, *text;
		int code;
	} rows[] = {
	        {NULL, "hello", OCIW_ERR_FORMAT},
	        {NULL, "{}", OCIW_ERR_FORMAT},
	        {OCIWP_MT_OCI_MANIFEST, "{}", OCIW_ERR_FORMAT},
	        {OCIWP_MT_OCI_INDEX, EMPTY_MANIFEST, OCIW_ERR_FORMAT},
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		ociw_descriptor *desc = NULL;
		ociw_error *err = NULL;
		int r = ociw_content_put_manifest(content, rows[i].media_type,
		                                  (ociw_span){rows[i].text, strlen(rows[i].text)},
		                                  "v1", NULL, &desc, &err);
		cr_assert_eq(r, rows[i].code, "%zu: %d", i, r);
		cr_assert_null(desc);
		ociw_error_free(err);
	}
	cr_assert_eq(notes.manifests, 0);
}

Test(put, a_manifest_over_the_limit_is_never_sent)
{
	ociw_limits limits = OCIW_LIMITS_INIT;
	ociw_op op = OCIW_OP_INIT;
	ociw_error *err = NULL;
	limits.max_manifest_bytes = 10;
	op.limits = &limits;
	int r = ociw_content_put_manifest(content, NULL,
	                                  (ociw_span){EMPTY_MANIFEST, strlen(EMPTY_MANIFEST)}, "v1",
	                                  &op, NULL, &err);
	expect(r, OCIW_ERR_LIMIT, err, "the limit is 10");
	cr_assert_eq(notes.manifests, 0);
}

Test(put, names_and_blobs_are_deleted_apart)
{
	ociw_error *err = NULL;
	cr_assert_eq(ociw_content_delete(content, "v1", NULL, NULL), 0);
	cr_assert_str_eq(notes.name, "v1");
	cr_assert_not(notes.removed_blob);
	int r = ociw_content_delete_blob(content, "v1", NULL, &err);
	expect(r, OCIW_ERR_INVALID, err, "\"v1\" is not a digest");
	cr_assert_eq(notes.removes, 1);
}
