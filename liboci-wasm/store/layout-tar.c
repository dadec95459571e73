/* SPDX-License-Identifier: Apache-2.0
 *
 * An image tar as a content to read (LAY-7, wasm-formats.md 3). With oci-layout inside it is an OCI
 * layout and index.json counts; without, manifest.json makes it a docker archive.
 */
#include "store/layout-tar.h"

#include "base/str.h"
#include "codec/mediatype.h"
#include "oci/blobdir.h"
#include "oci/descriptor.h"
#include "store/docker-archive.h"
#include "store/graph.h"
#include "store/layout-index.h"
#include "store/layout-root.h"
#include "store/tar-blobs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define VERSION_FILE_MAX 4096

static void tar_free(void *self)
{
	ociwp_tar_blobs_deinit(self);
	free(self);
}

/* A manifest that only an index or a subject names. */
static int describe(ociwp_tar_blobs *blobs, const char *digest, const ociw_op *op,
                    ociw_descriptor **out, ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *blob = NULL;
	OCIWP_AUTO(str) char *bytes = NULL;
	const char *media_type = NULL;
	uint64_t size = 0;
	size_t len = 0;

	if (!ociwp_tar_blobs_size(blobs, digest, &size))
		return ociwp_fail(err, OCIW_ERR_NOTFOUND, "%s is not in the archive", digest);
	int r = ociw_descriptor_new("application/octet-stream", digest, size, &blob, err);
	if (r >= 0)
		r = ociwp_tar_blobs_read(blobs, blob, op, &bytes, &len, err);
	if (r >= 0)
		r = ociwp_manifest_identify((ociw_span){bytes, len}, &media_type, err);
	if (r < 0)
		return ociwp_wrap(err, r, "%s", digest);
	if (!media_type)
		return ociwp_fail(err, OCIW_ERR_FORMAT, "%s is a blob, but no manifest", digest);
	return ociw_descriptor_new(media_type, digest, size, out, err);
}

static int tar_resolve(void *self, const char *name, const ociw_op *op, ociw_descriptor **out,
                       ociw_error **err)
{
	ociwp_tar_blobs *blobs = self;
	const ociw_descriptor *found = NULL;
	ociw_error *why = NULL;

	int r = ociwp_layout_index_resolve(blobs->index, name, &found, &why);
	if (r >= 0)
		return ociw_descriptor_dup(found, out, err);
	if (r == OCIW_ERR_NOTFOUND && name && ociwp_blobdir_name_is_safe(name)) {
		ociw_error_free(why);
		return describe(blobs, name, op, out, err);
	}
	return ociwp_error_move(err, why);
}

static int tar_open(void *self, const ociw_descriptor *desc, uint64_t offset, const ociw_op *op,
                    ociw_reader **out, ociw_error **err)
{
	(void)op;
	return ociwp_tar_blobs_open(self, desc, offset, out, err);
}

static int tar_list(void *self, const ociw_op *op, ociw_name_cb cb, void *user_data,
                    ociw_error **err)
{
	const ociwp_tar_blobs *blobs = self;

	(void)op;
	(void)err;
	return ociwp_layout_index_list(blobs->index, cb, user_data);
}

static int tar_has(void *self, const ociw_descriptor *desc, const ociw_op *op, bool *out,
                   ociw_error **err)
{
	uint64_t size = 0;

	(void)op;
	(void)err;
	*out = ociwp_tar_blobs_size(self, desc->digest, &size) && size == desc->size;
	return 0;
}

static int tar_referrers(void *self, const char *digest, const char *artifact_type,
                         const ociw_op *op, ociwp_referrer_cb cb, void *user_data, ociw_error **err)
{
	const ociwp_tar_blobs *blobs = self;
	ociwp_graph graph = {.read = ociwp_tar_blobs_read, .self = self, .op = op};

	return ociwp_graph_referrers(&graph, blobs->index, digest, artifact_type, cb, user_data,
	                             err);
}

static int tar_stat(void *self, const char *digest, const ociw_op *op, uint64_t *size,
                    ociw_error **err)
{
	(void)op;
	if (!ociwp_tar_blobs_size(self, digest, size))
		return ociwp_fail(err, OCIW_ERR_NOTFOUND, "%s is not in the archive",
		                  ociwp_quote(digest));
	return 0;
}

static const ociwp_content_ops tar_ops = {
        .resolve = tar_resolve,
        .open = tar_open,
        .list = tar_list,
        .has = tar_has,
        .referrers = tar_referrers,
        .stat = tar_stat,
        .free = tar_free,
};

/* "blobs/sha256/<hex>" to "sha256:<hex>"; false for everything else. */
static bool digest_of_path(const char *path, char out[OCIW_DIGEST_TEXT_MAX])
{
	if (!ociwp_starts_with(path, "blobs/"))
		return false;
	path += strlen("blobs/");
	const char *slash = strchr(path, '/');
	if (!slash || strlen(path) >= OCIW_DIGEST_TEXT_MAX)
		return false;
	snprintf(out, OCIW_DIGEST_TEXT_MAX, "%s", path);
	out[slash - path] = ':';
	return ociwp_blobdir_name_is_safe(out);
}

static int add_blobs(ociwp_tar_blobs *blobs, ociw_error **err)
{
	char digest[OCIW_DIGEST_TEXT_MAX];
	const char *path;
	void *value;
	int r = 0;

	for (size_t i = 0; r >= 0 && ociwp_map_at(blobs->members.by_path, i, &path, &value); i++) {
		const ociwp_tar_member *member = value;

		/* A hard link is how some tars store one blob twice; a symbolic one no blob is. */
		if (digest_of_path(path, digest) && !member->link)
			r = ociwp_tar_blobs_add_range(blobs, digest, member->offset, member->size,
			                              err);
	}
	return r;
}

static int read_oci(ociwp_tar_blobs *blobs, const ociw_op *op, ociw_error **err)
{
	OCIWP_AUTO(str) char *version = NULL;
	OCIWP_AUTO(str) char *index = NULL;
	ociw_limits limits;
	size_t len = 0;

	ociwp_limits_get(op, &limits);
	int r = ociwp_tar_members_read(&blobs->members, "oci-layout", VERSION_FILE_MAX, &version,
	                               &len, err);
	if (r >= 0)
		r = ociwp_layout_check_version((ociw_span){version, len}, err);
	if (r >= 0)
		r = ociwp_tar_members_read(&blobs->members, "index.json", limits.max_manifest_bytes,
		                           &index, &len, err);
	if (r == OCIW_ERR_NOTFOUND)
		return ociwp_wrap(err, r, "no OCI layout");
	if (r < 0)
		return r;
	r = ociwp_index_parse((ociw_span){index, len}, OCIWP_MT_OCI_INDEX, op, &blobs->index, err);
	if (r < 0)
		return ociwp_wrap(err, r, "index.json");
	return add_blobs(blobs, err);
}

static int read_docker(ociwp_tar_blobs *blobs, const ociw_op *op, ociw_error **err)
{
	OCIWP_AUTO(str) char *text = NULL;
	ociw_limits limits;
	size_t len = 0;

	ociwp_limits_get(op, &limits);
	int r = ociwp_tar_members_read(&blobs->members, "manifest.json", limits.max_manifest_bytes,
	                               &text, &len, err);
	return r < 0 ? r : ociwp_docker_archive_read(blobs, (ociw_span){text, len}, op, err);
}

static int read_archive(ociwp_tar_blobs *blobs, int take_fd, const ociw_op *op, ociw_error **err)
{
	blobs->members.fd = -1;
	int r = ociwp_tar_members_open(take_fd, op, &blobs->members, err);
	if (r >= 0)
		r = ociwp_tar_blobs_init(blobs, err);
	if (r < 0)
		return r;
	if (ociwp_tar_members_find(&blobs->members, "oci-layout"))
		return read_oci(blobs, op, err);
	if (ociwp_tar_members_find(&blobs->members, "manifest.json"))
		return read_docker(blobs, op, err);
	return ociwp_fail(err, OCIW_ERR_FORMAT,
	                  "no image archive: neither oci-layout nor manifest.json is in it");
}

int ociwp_archive_open_fd(int take_fd, const char *label, const ociw_op *op, ociw_content **out,
                          ociw_error **err)
{
	ociwp_tar_blobs *blobs = ociwp_new(ociwp_tar_blobs);

	*out = NULL;
	if (!blobs) {
		close(take_fd);
		return ociwp_nomem(err);
	}
	int r = read_archive(blobs, take_fd, op, err);
	if (r < 0) {
		tar_free(blobs);
		return ociwp_wrap(err, r, "%s", label);
	}
	return ociwp_content_new(&tar_ops, blobs, label, out, err);
}

int ociw_archive_open(const char *path, const ociw_op *op, ociw_content **out, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf label = OCIWP_BUF_INIT;

	*out = NULL;
	ociwp_buf_puts(&label, "oci-archive:");
	ociwp_escape(&label, path, strlen(path));
	int r = ociwp_buf_check(&label, err);
	if (r < 0)
		return r;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ociwp_fail_errno(err, errno, "open %s", label.data);
	return ociwp_archive_open_fd(fd, label.data, op, out, err);
}
