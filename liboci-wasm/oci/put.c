/* SPDX-License-Identifier: Apache-2.0
 *
 * Public ways to write into and delete from a content, over the vtable's front (content.c).
 */
#include "oci/content.h"

#include "base/op.h"
#include "base/str.h"
#include "codec/mediatype.h"
#include "io/stream.h"
#include "oci/descriptor.h"
#include "oci/manifest.h"
#include "oci/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int ociw_content_referrers(ociw_content *content, const char *digest, const char *artifact_type,
			   const ociw_op *op, ociw_referrer_cb cb, void *user_data,
			   ociw_error **err)
{
	return ociwp_content_referrers(content, digest, artifact_type, op, cb, user_data, err);
}

int ociw_content_delete(ociw_content *content, const char *name, const ociw_op *op,
			ociw_error **err)
{
	return ociwp_content_remove(content, name, false, op, err);
}

int ociw_content_delete_blob(ociw_content *content, const char *digest, const ociw_op *op,
			     ociw_error **err)
{
	if (!ociw_digest_is_valid(digest))
		return ociwp_fail(err, OCIW_ERR_INVALID, "%s is not a digest", ociwp_quote(digest));
	return ociwp_content_remove(content, digest, true, op, err);
}

static int hand_over(ociw_descriptor *take_desc, ociw_descriptor **out)
{
	if (out)
		*out = take_desc;
	else
		ociw_descriptor_free(take_desc);
	return 0;
}

int ociw_content_put_bytes(ociw_content *content, const char *media_type, ociw_span bytes,
			   const ociw_op *op, ociw_descriptor **out, ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;

	if (out)
		*out = NULL;
	int r = ociwp_descriptor_of_bytes(media_type, bytes, &desc, err);
	if (r >= 0)
		r = ociwp_content_put_bytes(content, desc, bytes, op, err);
	if (r < 0)
		return r;
	return hand_over(ociwp_steal(&desc), out);
}

/* A file that is opened once: ranges of it serve every retry. */
struct open_file {
	int fd;
	uint64_t start, size;
	const char *name; /* for messages */
};

static int open_range(void *self, uint64_t offset, const ociw_op *op, ociw_reader **out,
		      ociw_error **err)
{
	const struct open_file *file = self;

	(void)op;
	if (offset > file->size)
		return ociwp_fail(err, OCIW_ERR_INVALID, "offset is past the end");
	return ociwp_reader_new_file_range(file->fd, file->start + offset, file->size - offset, out,
					   err);
}

static int hash_file(const struct open_file *file, ociw_digest *digest, ociw_error **err)
{
	ociw_reader *range, *hashing;
	int r = ociwp_reader_new_file_range(file->fd, file->start, file->size, &range, err);

	if (r >= 0)
		r = ociwp_reader_hash(range, OCIW_DIGEST_SHA256, digest, NULL, &hashing, err);
	if (r >= 0)
		r = ociwp_reader_drain(hashing, err);
	return r;
}

static int put_open_file(ociw_content *content, const char *media_type, struct open_file *file,
			 const ociw_op *op, ociw_descriptor **out, ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	ociwp_blob_source source = {open_range, file};
	char text[OCIW_DIGEST_TEXT_MAX];
	ociw_digest digest;
	int r = hash_file(file, &digest, err);

	if (r < 0)
		return ociwp_wrap(err, r, "%s", file->name);
	r = ociw_descriptor_new(media_type, ociw_digest_format(&digest, text), file->size, &desc,
				err);
	if (r >= 0)
		r = ociwp_content_put(content, desc, &source, op, err);
	if (r < 0)
		return r;
	return hand_over(ociwp_steal(&desc), out);
}

int ociw_content_put_file(ociw_content *content, const char *media_type, const char *path,
			  const ociw_op *op, ociw_descriptor **out, ociw_error **err)
{
	OCIWP_AUTO(fd) int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (out)
		*out = NULL;
	if (fd < 0 || fstat(fd, &st) != 0)
		return ociwp_fail_errno(err, errno, "open %s", ociwp_quote(path));
	if (!S_ISREG(st.st_mode))
		return ociwp_fail(err, OCIW_ERR_INVALID, "%s is not a regular file",
				  ociwp_quote(path));
	struct open_file file = {fd, 0, (uint64_t)st.st_size, ociwp_quote(path)};
	return put_open_file(content, media_type, &file, op, out, err);
}

int ociw_content_put_fd(ociw_content *content, const char *media_type, int fd, const ociw_op *op,
			ociw_descriptor **out, ociw_error **err)
{
	struct stat st;

	if (out)
		*out = NULL;
	if (fstat(fd, &st) != 0)
		return ociwp_fail_errno(err, errno, "look at an open file");
	if (!S_ISREG(st.st_mode))
		return ociwp_fail(err, OCIW_ERR_INVALID, "it is not a regular file");
	off_t start = lseek(fd, 0, SEEK_CUR);
	if (start < 0)
		return ociwp_fail_errno(err, errno, "find the offset of an open file");
	uint64_t size = start < st.st_size ? (uint64_t)(st.st_size - start) : 0;
	struct open_file file = {fd, (uint64_t)start, size, "the open file"};
	return put_open_file(content, media_type, &file, op, out, err);
}

int ociw_content_put_stream(ociw_content *content, const char *media_type, ociw_reader *take_reader,
			    const ociw_op *op, ociw_descriptor **out, ociw_error **err)
{
	OCIWP_AUTO(spool) ociwp_spool *spool = NULL;

	if (out)
		*out = NULL;
	int r = ociwp_spool_open(take_reader, media_type, op, &spool, err);
	if (r >= 0)
		r = ociwp_content_put_stream(content, spool, op, err);
	if (r < 0)
		return r;
	return hand_over(ociwp_steal(&spool->desc), out);
}

/* Parses what is to be stored: nothing that readers would refuse is ever sent. */
static int check_manifest(const char *media_type, ociw_span bytes, const ociw_op *op,
			  ociw_error **err)
{
	if (ociwp_mediatype_is_index(media_type)) {
		OCIWP_AUTO(index) ociwp_index *index = NULL;
		return ociwp_index_parse(bytes, media_type, op, &index, err);
	}
	OCIWP_AUTO(manifest) ociwp_manifest *manifest = NULL;
	return ociwp_manifest_parse(bytes, media_type, op, &manifest, err);
}

int ociw_content_put_manifest(ociw_content *content, const char *media_type, ociw_span bytes,
			      const char *name, const ociw_op *op, ociw_descriptor **out,
			      ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	ociw_limits limits;

	if (out)
		*out = NULL;
	ociwp_limits_get(op, &limits);
	if (bytes.len > limits.max_manifest_bytes)
		return ociwp_fail(err, OCIW_ERR_LIMIT,
				  "manifest has %zu bytes, the limit is %llu", bytes.len,
				  (unsigned long long)limits.max_manifest_bytes);
	if (!media_type)
		media_type = ociwp_manifest_sniff(bytes);
	if (!media_type)
		return ociwp_fail(err, OCIW_ERR_FORMAT, "this is neither a manifest nor an index");
	int r = check_manifest(media_type, bytes, op, err);
	if (r >= 0)
		r = ociwp_descriptor_of_bytes(media_type, bytes, &desc, err);
	if (r >= 0)
		r = ociwp_content_put_manifest(content, desc, bytes, name ? name : desc->digest,
					       op, err);
	if (r < 0)
		return r;
	return hand_over(ociwp_steal(&desc), out);
}
