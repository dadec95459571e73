/* SPDX-License-Identifier: Apache-2.0
 *
 * An OCI layout directory as a content (image-layout.md, oci-client.md LAY-1..6). index.json is
 * read anew for each question and changed under a lock, so that any number of processes share one.
 */
#include "store/layout-dir.h"

#include "base/str.h"
#include "codec/mediatype.h"
#include "oci/blobdir.h"
#include "store/ingest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_index_text(ociwp_layout *layout, const ociw_op *op, char **out, size_t *len,
                           ociw_error **err)
{
	ociw_limits limits;

	ociwp_limits_get(op, &limits);
	return ociwp_layout_read_file(layout, "index.json", limits.max_manifest_bytes, out, len,
	                              err);
}

int ociwp_layout_dir_index(ociwp_layout *layout, const ociw_op *op, ociwp_index **out,
                           ociw_error **err)
{
	OCIWP_AUTO(str) char *text = NULL;
	size_t len = 0;

	*out = NULL;
	int r = read_index_text(layout, op, &text, &len, err);
	if (r < 0)
		return r;
	r = ociwp_index_parse((ociw_span){text, len}, OCIWP_MT_OCI_INDEX, op, out, err);
	return r < 0 ? ociwp_wrap(err, r, "index.json") : 0;
}

int ociwp_layout_dir_read(void *self, const ociw_descriptor *desc, const ociw_op *op, char **out,
                          size_t *out_len, ociw_error **err)
{
	return ociwp_blobdir_read(ociwp_layout_blobs(self), desc, op, out, out_len, err);
}

static int dir_resolve(void *self, const char *name, const ociw_op *op, ociw_descriptor **out,
                       ociw_error **err)
{
	OCIWP_AUTO(index) ociwp_index *index = NULL;
	const ociw_descriptor *found = NULL;
	ociw_error *why = NULL;

	int r = ociwp_layout_dir_index(self, op, &index, err);
	if (r < 0)
		return r;
	r = ociwp_layout_index_resolve(index, name, &found, &why);
	if (r >= 0)
		return ociw_descriptor_dup(found, out, err);
	/* A manifest that only an index or a subject names. */
	if (r == OCIW_ERR_NOTFOUND && name && ociwp_blobdir_name_is_safe(name)) {
		ociw_error_free(why);
		return ociwp_blobdir_describe(ociwp_layout_blobs(self), name, op, out, err);
	}
	return ociwp_error_move(err, why);
}

static int dir_open(void *self, const ociw_descriptor *desc, uint64_t offset, const ociw_op *op,
                    ociw_reader **out, ociw_error **err)
{
	(void)op;
	return ociwp_blobdir_reader(ociwp_layout_blobs(self), desc, offset, out, err);
}

static int dir_list(void *self, const ociw_op *op, ociw_name_cb cb, void *user_data,
                    ociw_error **err)
{
	OCIWP_AUTO(index) ociwp_index *index = NULL;
	ociwp_layout *layout = self;
	ociw_error *why = NULL;

	int r = ociwp_layout_dir_index(layout, op, &index, &why);
	if (r == OCIW_ERR_NOTFOUND && (layout->flags & OCIW_LAYOUT_CREATE)) {
		ociw_error_free(why); /* to be made: it has no names yet */
		return 0;
	}
	return r < 0 ? ociwp_error_move(err, why) : ociwp_layout_index_list(index, cb, user_data);
}

static int begin_write(ociwp_layout *layout, const ociw_op *op, ociw_error **err)
{
	int r = ociwp_layout_begin_write(layout, op, err);

	if (r == 1)
		ociwp_ingest_clean(layout, NULL, NULL);
	return r < 0 ? r : 0;
}

static int dir_has(void *self, const ociw_descriptor *desc, const ociw_op *op, bool *out,
                   ociw_error **err)
{
	ociwp_layout *layout = self;

	/* Who asks is going to rely on the answer: gc stays away from here on. */
	if ((layout->flags & OCIW_LAYOUT_WRITE) && ociwp_layout_blobs(layout) >= 0) {
		int r = begin_write(layout, op, err);
		if (r < 0)
			return r;
	}
	return ociwp_blobdir_has(ociwp_layout_blobs(layout), desc->digest, desc->size, out, err);
}

static int dir_stat(void *self, const char *digest, const ociw_op *op, uint64_t *size,
                    ociw_error **err)
{
	(void)op;
	return ociwp_blobdir_stat(ociwp_layout_blobs(self), digest, size, err);
}

static int dir_put(void *self, const ociw_descriptor *desc, const ociwp_blob_source *source,
                   const ociw_op *op, ociw_error **err)
{
	int r = begin_write(self, op, err);

	return r < 0 ? r : ociwp_ingest_blob(self, desc, source, op, err);
}

/* What a name points at must survive a power cut before the name does: the manifest, and blobs that may
 * have digests of the other kind. */
static int sync_blobs(ociwp_layout *layout, ociw_error **err)
{
	static const char *const algorithms[] = {"sha256", "sha512"};
	int r = 0;

	if (layout->flags & OCIW_LAYOUT_NO_SYNC)
		return 0;
	for (size_t i = 0; r >= 0 && i < OCIWP_ARRAY_LEN(algorithms); i++) {
		OCIWP_AUTO(fd)
		int dir_fd = openat(layout->blobs_fd, algorithms[i],
		                    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (dir_fd >= 0)
			r = ociwp_layout_sync_dir(layout, dir_fd, "blobs", err);
		else if (errno != ENOENT)
			r = ociwp_fail_errno(err, errno, "open blobs/%s", algorithms[i]);
	}
	return r < 0 ? r : ociwp_layout_sync_dir(layout, layout->blobs_fd, "blobs", err);
}

typedef struct put_edit {
	const ociw_descriptor *desc;
	const char *name;
} put_edit;

static int edit_put(ociwp_layout_doc *doc, void *user_data, ociw_error **err)
{
	const put_edit *edit = user_data;

	return ociwp_layout_doc_put(doc, edit->desc, edit->name, NULL, err);
}

static int dir_put_manifest(void *self, const ociw_descriptor *desc, ociw_span bytes,
                            const char *name, const ociw_op *op, ociw_error **err)
{
	ociwp_blob_source source = ociwp_blob_source_of_span(&bytes);
	put_edit edit = {desc, name};
	bool is_referrer = false;

	if (name && strcmp(name, desc->digest) != 0 && !ociwp_layout_name_is_valid(name))
		return ociwp_fail(err, OCIW_ERR_INVALID, "%s is no name for a layout",
		                  ociwp_quote(name));
	int r = ociwp_layout_is_referrer(desc, bytes, op, &is_referrer, err);
	if (r >= 0)
		r = begin_write(self, op, err);
	if (r >= 0)
		r = ociwp_ingest_blob(self, desc, &source, op, err);
	/* A child of an index needs no entry: the index leads to it. */
	if (r < 0 || (!name && !is_referrer))
		return r;
	r = sync_blobs(self, err);
	return r < 0 ? r : ociwp_layout_dir_update(self, edit_put, &edit, op, err);
}

/* Under the lock. */
static int write_index(ociwp_layout *layout, const ociwp_layout_doc *doc, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	const ociw_span version = {ociwp_layout_version_text, strlen(ociwp_layout_version_text)};
	struct stat st;
	int r = 0;

	if (fstatat(layout->root_fd, "oci-layout", &st, AT_SYMLINK_NOFOLLOW) != 0) {
		if (errno != ENOENT)
			return ociwp_fail_errno(err, errno, "stat oci-layout");
		r = ociwp_layout_replace_file(layout, "oci-layout", version, err);
	}
	if (r >= 0)
		r = ociwp_layout_doc_format(doc, &text, err);
	if (r >= 0)
		r = ociwp_layout_replace_file(layout, "index.json", ociwp_buf_span(&text), err);
	if (r >= 0) {
		pthread_mutex_lock(&layout->mutex);
		layout->published = true;
		pthread_mutex_unlock(&layout->mutex);
	}
	return r;
}

static int update_locked(ociwp_layout *layout, ociwp_layout_edit edit, void *user_data,
                         const ociw_op *op, ociw_error **err)
{
	OCIWP_AUTO(layout_doc) ociwp_layout_doc *doc = NULL;
	OCIWP_AUTO(str) char *text = NULL;
	ociw_error *why = NULL;
	size_t len = 0;

	int r = read_index_text(layout, op, &text, &len, &why);
	if (r == OCIW_ERR_NOTFOUND && (layout->flags & OCIW_LAYOUT_CREATE)) {
		ociw_error_free(why);
	} else if (r < 0) {
		return ociwp_error_move(err, why);
	}
	r = ociwp_layout_doc_parse((ociw_span){text, len}, op, &doc, err);
	if (r < 0)
		return ociwp_wrap(err, r, "index.json");
	r = edit(doc, user_data, err);
	if (r >= 0 && ociwp_layout_doc_changed(doc))
		r = write_index(layout, doc, err);
	return r;
}

int ociwp_layout_dir_update(ociwp_layout *layout, ociwp_layout_edit edit, void *user_data,
                            const ociw_op *op, ociw_error **err)
{
	int lock_fd = -1;

	int r = ociwp_layout_lock(layout, op, &lock_fd, err);
	if (r >= 0)
		r = update_locked(layout, edit, user_data, op, err);
	ociwp_layout_unlock(layout, lock_fd);
	return r;
}

static int dir_referrers(void *self, const char *digest, const char *artifact_type,
                         const ociw_op *op, ociwp_referrer_cb cb, void *user_data, ociw_error **err)
{
	OCIWP_AUTO(index) ociwp_index *index = NULL;
	ociwp_graph graph = {.read = ociwp_layout_dir_read, .self = self, .op = op};

	int r = ociwp_layout_dir_index(self, op, &index, err);
	if (r < 0)
		return r;
	return ociwp_graph_referrers(&graph, index, digest, artifact_type, cb, user_data, err);
}

static int remove_blob(ociwp_layout *layout, const char *digest, ociw_error **err)
{
	OCIWP_AUTO(fd) int dir_fd = -1;
	const char *encoded;

	int r = ociwp_blobdir_open_algorithm(layout->blobs_fd, digest, false, &dir_fd, &encoded,
	                                     err);
	if (r >= 0 && unlinkat(dir_fd, encoded, 0) != 0)
		r = ociwp_fail_errno(err, errno, "remove blob %s", digest);
	return r;
}

static int edit_remove(ociwp_layout_doc *doc, void *user_data, ociw_error **err)
{
	return ociwp_layout_doc_remove(doc, user_data, err);
}

static int dir_remove(void *self, const char *name, bool blob_only, const ociw_op *op,
                      ociw_error **err)
{
	int r = begin_write(self, op, err);

	if (r < 0)
		return r;
	if (blob_only)
		return remove_blob(self, name, err);
	/* Blobs stay until gc: others may share them. */
	return ociwp_layout_dir_update(self, edit_remove, (void *)name, op, err);
}

static void dir_free(void *self)
{
	ociwp_layout_root_free(self);
}

static const ociwp_content_ops dir_ops = {
        .resolve = dir_resolve,
        .open = dir_open,
        .list = dir_list,
        .has = dir_has,
        .put = dir_put,
        .put_manifest = dir_put_manifest,
        .referrers = dir_referrers,
        .remove = dir_remove,
        .stat = dir_stat,
        .free = dir_free,
};

int ociwp_layout_dir_get(ociw_content *content, ociwp_layout **out, ociw_error **err)
{
	*out = ociwp_content_self(content, &dir_ops);
	if (!*out)
		return ociwp_fail(err, OCIW_ERR_INVALID, "%s is not a layout directory",
		                  ociw_content_label(content));
	return 0;
}

int ociw_layout_open(const char *path, unsigned flags, ociw_content **out, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf label = OCIWP_BUF_INIT;
	OCIWP_AUTO(index) ociwp_index *index = NULL;
	ociwp_layout *layout = NULL;

	*out = NULL;
	ociwp_buf_puts(&label, "oci:");
	ociwp_escape(&label, path, strlen(path));
	int r = ociwp_buf_check(&label, err);
	if (r >= 0)
		r = ociwp_layout_root_open(path, flags, &layout, err);
	/* A layout that cannot be read is refused now, not at the first use. */
	if (r >= 0 && layout->published)
		r = ociwp_layout_dir_index(layout, NULL, &index, err);
	if (r < 0) {
		ociwp_layout_root_free(layout);
		return ociwp_wrap(err, r, "%s", label.data ? label.data : "oci:");
	}
	return ociwp_content_new(&dir_ops, layout, label.data, out, err);
}
