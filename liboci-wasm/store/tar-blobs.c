/* SPDX-License-Identifier: Apache-2.0
 *
 * Blobs of an opened tar. Nothing is verified when it is added: the front of every content verifies
 * what it gives out, and manifests are verified here before they are parsed.
 */
#include "store/tar-blobs.h"

#include "base/str.h"
#include "oci/descriptor.h"

typedef struct blob {
	uint64_t offset, size;
	char *bytes; /* instead of a range; or NULL */
} blob;

static void blob_free(void *value)
{
	blob *b = value;

	free(b->bytes);
	free(b);
}

int ociwp_tar_blobs_init(ociwp_tar_blobs *blobs, ociw_error **err)
{
	blobs->by_digest = ociwp_map_new(blob_free);
	return blobs->by_digest ? 0 : ociwp_nomem(err);
}

void ociwp_tar_blobs_deinit(ociwp_tar_blobs *blobs)
{
	ociwp_map_free(blobs->by_digest);
	ociwp_index_free(blobs->index);
	ociwp_tar_members_close(&blobs->members);
	blobs->by_digest = NULL;
	blobs->index = NULL;
}

static int add(ociwp_tar_blobs *blobs, const char *digest, const blob *value, ociw_error **err)
{
	const blob *first = ociwp_map_get(blobs->by_digest, digest);

	if (first && first->size != value->size)
		return ociwp_fail(err, OCIW_ERR_SIZE, "%s is there with %llu and with %llu bytes",
		                  digest, (unsigned long long)first->size,
		                  (unsigned long long)value->size);
	if (first) {
		free(value->bytes);
		return 0;
	}
	blob *copy = ociwp_memdup(value, sizeof(*value));
	if (!copy || !ociwp_map_set(blobs->by_digest, digest, copy)) {
		free(copy);
		free(value->bytes);
		return ociwp_nomem(err);
	}
	return 0;
}

int ociwp_tar_blobs_add_range(ociwp_tar_blobs *blobs, const char *digest, uint64_t offset,
                              uint64_t size, ociw_error **err)
{
	return add(blobs, digest, &(blob){offset, size, NULL}, err);
}

int ociwp_tar_blobs_add_bytes(ociwp_tar_blobs *blobs, const char *digest, char *take_bytes,
                              size_t len, ociw_error **err)
{
	return add(blobs, digest, &(blob){0, len, take_bytes}, err);
}

bool ociwp_tar_blobs_size(const ociwp_tar_blobs *blobs, const char *digest, uint64_t *out)
{
	const blob *b = ociwp_map_get(blobs->by_digest, digest);

	if (b)
		*out = b->size;
	return b != NULL;
}

int ociwp_tar_blobs_open(const ociwp_tar_blobs *blobs, const ociw_descriptor *desc, uint64_t offset,
                         ociw_reader **out, ociw_error **err)
{
	const blob *b = ociwp_map_get(blobs->by_digest, desc->digest);

	*out = NULL;
	if (!b)
		return ociwp_fail(err, OCIW_ERR_NOTFOUND, "it is not in the archive");
	if (b->size != desc->size)
		return ociwp_fail(err, OCIW_ERR_SIZE, "it has %llu bytes, expected %llu",
		                  (unsigned long long)b->size, (unsigned long long)desc->size);
	if (offset > b->size)
		return ociwp_fail(err, OCIW_ERR_INVALID, "offset %llu is past the end",
		                  (unsigned long long)offset);
	if (b->bytes)
		return ociw_reader_new_memory(
		        (ociw_span){b->bytes + offset, (size_t)(b->size - offset)}, out, err);
	return ociwp_reader_new_file_range(blobs->members.fd, b->offset + offset, b->size - offset,
	                                   out, err);
}

int ociwp_tar_blobs_read(void *self, const ociw_descriptor *desc, const ociw_op *op, char **out,
                         size_t *out_len, ociw_error **err)
{
	ociw_reader *raw = NULL, *reader = NULL;
	ociw_limits limits;
	ociw_digest digest;

	*out = NULL;
	ociwp_limits_get(op, &limits);
	int r = ociwp_descriptor_get_digest(desc, &digest, err);
	if (r >= 0)
		r = ociwp_tar_blobs_open(self, desc, 0, &raw, err);
	if (r >= 0)
		r = ociwp_reader_verify(raw, &digest, desc->size, &reader, err);
	return r < 0 ? r : ociwp_read_all(reader, limits.max_manifest_bytes, out, out_len, err);
}
