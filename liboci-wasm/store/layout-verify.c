/* SPDX-License-Identifier: Apache-2.0
 *
 * Everything a layout directory promises, checked: every blob against its name, every manifest that
 * the index leads to, every blob a manifest leads to (LAY-2, LAY-5).
 */
#include "store/layout-dir.h"

#include "base/str.h"
#include "codec/mediatype.h"
#include "io/stream.h"
#include "oci/blobdir.h"
#include "oci/descriptor.h"

#include <errno.h>
#include <string.h>

typedef struct verification {
	ociwp_layout *layout;
	const ociw_op *op;
	ociw_finding_cb cb;
	void *user_data;
	ociwp_map *told; /* digests with something wrong, each told once */
	size_t blobs, damaged, missing, broken;
} verification;

static int tell(const verification *v, ociw_finding_kind kind, const char *digest,
                const char *message, uint64_t bytes, ociw_error **err)
{
	const ociw_finding finding = {sizeof(finding), kind, digest, message, bytes};

	if (v->cb && v->cb(&finding, v->user_data) != 0)
		return ociwp_fail(err, OCIW_ERR_CANCELLED, "stopped by the caller");
	return 0;
}

static int tell_wrong(verification *v, ociw_finding_kind kind, const char *digest,
                      const char *message, uint64_t bytes, ociw_error **err)
{
	if (ociwp_map_contains(v->told, digest))
		return 0;
	if (!ociwp_map_set(v->told, digest, NULL))
		return ociwp_nomem(err);
	v->damaged += kind == OCIW_FINDING_DAMAGED;
	v->missing += kind == OCIW_FINDING_MISSING;
	v->broken += kind == OCIW_FINDING_BROKEN;
	return tell(v, kind, digest, message, bytes, err);
}

static int read_to_end(const verification *v, ociw_reader *reader, ociw_error **err)
{
	static const size_t step = (size_t)256 << 10;
	OCIWP_AUTO(mem) void *buffer = ociwp_malloc(step);
	ptrdiff_t n = buffer ? 1 : 0;
	int r = buffer ? 0 : ociwp_nomem(err);

	while (r >= 0 && n > 0) {
		r = ociwp_check_cancel(v->op, err);
		if (r < 0)
			break;
		n = ociw_reader_read(reader, buffer, step, err);
		r = n < 0 ? (int)n : 0;
	}
	int verdict = ociw_reader_close(reader, r < 0 ? NULL : err);
	return r < 0 ? r : verdict;
}

/* The bytes against the name; the size of the file is not in question here. */
static int check_bytes(const verification *v, const ociwp_blobdir_entry *entry, ociw_error **err)
{
	ociw_reader *raw = NULL, *reader = NULL;
	uint64_t size = 0;
	ociw_digest digest;
	int fd = -1;

	int r = ociw_digest_parse(entry->digest, &digest, err);
	if (r >= 0)
		r = ociwp_blobdir_open(v->layout->blobs_fd, entry->digest, &fd, &size, err);
	if (r >= 0)
		r = ociw_reader_new_fd(fd, &raw, err);
	if (r >= 0)
		r = ociwp_reader_verify(raw, &digest, size, &reader, err);
	return r < 0 ? r : read_to_end(v, reader, err);
}

static int verify_blob(const ociwp_blobdir_entry *entry, void *user_data, ociw_error **err)
{
	verification *v = user_data;
	ociw_error *why = NULL;

	int r = check_bytes(v, entry, &why);
	int errnum = ociw_error_errno(why);
	if (r == OCIW_ERR_CANCELLED || r == OCIW_ERR_NOMEM || errnum == EMFILE || errnum == ENFILE)
		return ociwp_error_move(err, why); /* says nothing about the blob */
	if (r == OCIW_ERR_UNSUPPORTED) {           /* DIG-4: an algorithm that cannot be checked */
		ociw_error_free(why);
		return ociwp_warn(v->op, err, "blob %s cannot be verified", entry->digest);
	}
	v->blobs++;
	if (r >= 0)
		r = tell(v, OCIW_FINDING_GOOD, entry->digest, NULL, entry->size, err);
	else
		r = tell_wrong(v, OCIW_FINDING_DAMAGED, entry->digest, ociw_error_message(why),
		               entry->size, err);
	ociw_error_free(why);
	return r;
}

/* A config or layer that a manifest names. */
static int verify_reference(verification *v, const ociw_descriptor *desc, ociw_error **err)
{
	uint64_t size = 0;
	char message[128];

	int r = ociwp_blobdir_stat(v->layout->blobs_fd, desc->digest, &size, NULL);
	if (r == OCIW_ERR_NOTFOUND && ociwp_mediatype_is_nondistributable(desc->media_type))
		return 0;
	if (r == OCIW_ERR_NOTFOUND)
		return tell_wrong(v, OCIW_FINDING_MISSING, desc->digest, "it is not there", 0, err);
	if (r < 0 || size == desc->size) /* what cannot be opened was told by verify_blob */
		return 0;
	snprintf(message, sizeof(message), "it has %llu bytes, a manifest says %llu",
	         (unsigned long long)size, (unsigned long long)desc->size);
	return tell_wrong(v, OCIW_FINDING_DAMAGED, desc->digest, message, size, err);
}

static int verify_node(const ociwp_graph_node *node, void *user_data, ociw_error **err)
{
	verification *v = user_data;
	const ociwp_manifest *manifest = node->manifest;
	int r = 0;

	if (node->code < 0) {
		ociw_finding_kind kind = OCIW_FINDING_BROKEN;

		if (node->code == OCIW_ERR_NOTFOUND)
			kind = OCIW_FINDING_MISSING;
		else if (node->code == OCIW_ERR_DIGEST || node->code == OCIW_ERR_SIZE)
			kind = OCIW_FINDING_DAMAGED;
		return tell_wrong(v, kind, node->desc->digest, ociw_error_message(node->error), 0,
		                  err);
	}
	if (!manifest)
		return node->index ? 0 : verify_reference(v, node->desc, err);
	r = verify_reference(v, manifest->config, err);
	for (size_t i = 0; r >= 0 && i < manifest->layer_count; i++)
		r = verify_reference(v, manifest->layers[i], err);
	return r;
}

static int verify_index(verification *v, ociw_error **err)
{
	OCIWP_AUTO(map) ociwp_map *seen = ociwp_map_new(NULL);
	OCIWP_AUTO(index) ociwp_index *index = NULL;
	ociwp_graph graph = {ociwp_layout_dir_read, v->layout, verify_node, v, v->op, seen};

	if (!seen)
		return ociwp_nomem(err);
	int r = ociwp_layout_dir_index(v->layout, v->op, &index, err);
	return r < 0 ? r : ociwp_graph_walk_index(&graph, index, err);
}

static int verdict(const verification *v, ociw_error **err)
{
	ociw_code code = OCIW_ERR_NOTFOUND;

	if (!v->damaged && !v->missing && !v->broken)
		return 0;
	if (v->damaged)
		code = OCIW_ERR_DIGEST;
	else if (v->broken)
		code = OCIW_ERR_FORMAT;
	return ociwp_fail(err, code, "%zu blobs: %zu damaged, %zu broken, %zu missing", v->blobs,
	                  v->damaged, v->broken, v->missing);
}

int ociw_layout_verify(ociw_content *layout, const ociw_op *op, ociw_finding_cb cb, void *user_data,
                       ociw_error **err)
{
	OCIWP_AUTO(map) ociwp_map *told = ociwp_map_new(NULL);
	verification v = {.op = op, .cb = cb, .user_data = user_data, .told = told};

	if (!told)
		return ociwp_nomem(err);
	int r = ociwp_layout_dir_get(layout, &v.layout, err);
	if (r < 0)
		return r;
	r = ociwp_blobdir_each(ociwp_layout_blobs(v.layout), verify_blob, &v, err);
	if (r >= 0)
		r = verify_index(&v, err);
	if (r >= 0)
		r = verdict(&v, err);
	return r < 0 ? ociwp_wrap(err, r, "%s", ociw_content_label(layout)) : 0;
}
