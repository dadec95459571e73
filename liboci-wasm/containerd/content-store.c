/* SPDX-License-Identifier: Apache-2.0
 *
 * containerd's content directory, io.containerd.content.v1.content/blobs, which is laid out like
 * the blobs of an OCI layout. Digests only: names are in its database. Knows neither gRPC nor
 * libcurl.
 */
#include <oci-wasm/containerd.h>

#include "base/buf.h"
#include "base/str.h"
#include "oci/blobdir.h"
#include "oci/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define DEFAULT_ROOT "/var/lib/containerd"
#define CONTENT "io.containerd.content.v1.content"

typedef struct content_store {
	int blobs_fd;
} content_store;

static int store_resolve(void *self, const char *name, const ociw_op *op, ociw_descriptor **out,
                         ociw_error **err)
{
	const content_store *store = self;

	if (!name || !ociwp_blobdir_name_is_safe(name))
		return ociwp_fail(err, OCIW_ERR_INVALID,
		                  "containerd's content is known by digest only, not as %s",
		                  name ? ociwp_quote(name) : "the only one");
	return ociwp_blobdir_describe(store->blobs_fd, name, op, out, err);
}

static int store_open(void *self, const ociw_descriptor *desc, uint64_t offset, const ociw_op *op,
                      ociw_reader **out, ociw_error **err)
{
	const content_store *store = self;

	(void)op;
	return ociwp_blobdir_reader(store->blobs_fd, desc, offset, out, err);
}

static int store_has(void *self, const ociw_descriptor *desc, const ociw_op *op, bool *out,
                     ociw_error **err)
{
	const content_store *store = self;

	(void)op;
	return ociwp_blobdir_has(store->blobs_fd, desc->digest, desc->size, out, err);
}

static int store_stat(void *self, const char *digest, const ociw_op *op, uint64_t *size,
                      ociw_error **err)
{
	const content_store *store = self;

	(void)op;
	return ociwp_blobdir_stat(store->blobs_fd, digest, size, err);
}

static void store_free(void *self)
{
	content_store *store = self;

	ociwp_cleanup_fd(&store->blobs_fd);
	free(store);
}

static const ociwp_content_ops store_ops = {
        .resolve = store_resolve,
        .open = store_open,
        .has = store_has,
        .stat = store_stat,
        .free = store_free,
};

/* The root is the caller's word; below it, no link is followed. The content directory itself is taken
 * as well: it is what people see first. */
static int open_blobs(const char *root, int *out_fd, ociw_error **err)
{
	static const char *const below[] = {CONTENT, "blobs"};
	const char *last = strrchr(root, '/');
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	OCIWP_AUTO(fd) int fd = open(root, flags);

	if (fd < 0)
		return ociwp_fail_errno(err, errno, "open");
	last = last ? last + 1 : root;
	for (size_t i = strcmp(last, CONTENT) == 0; i < OCIWP_ARRAY_LEN(below); i++) {
		int next = openat(fd, below[i], flags | O_NOFOLLOW);

		if (next < 0 && (errno == ELOOP || errno == ENOTDIR))
			return ociwp_fail(err, OCIW_ERR_UNSAFE, "%s is not a plain directory",
			                  below[i]);
		if (next < 0)
			return ociwp_fail_errno(err, errno, "open %s", below[i]);
		close(fd);
		fd = next;
	}
	*out_fd = ociwp_steal_fd(&fd);
	return 0;
}

int ociw_containerd_store_open(const char *root, ociw_content **out, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf label = OCIWP_BUF_INIT;
	int fd = -1;

	*out = NULL;
	if (!root)
		root = DEFAULT_ROOT;
	ociwp_buf_puts(&label, "containerd's content in ");
	ociwp_escape(&label, root, strlen(root));
	int r = ociwp_buf_check(&label, err);
	if (r < 0)
		return r;
	r = open_blobs(root, &fd, err);
	if (r < 0)
		return ociwp_wrap(err, r, "%s", label.data);
	content_store *store = ociwp_new(content_store);
	if (!store) {
		close(fd);
		return ociwp_nomem(err);
	}
	store->blobs_fd = fd;
	return ociwp_content_new(&store_ops, store, label.data, out, err);
}
