/* SPDX-License-Identifier: Apache-2.0
 *
 * usage: spin-lock-driver MANIFEST [local]
 * Prints the lock that a push of the app would carry: what the loader made, with digests and inline
 * bytes filled in the plainest way. `local` allows nothing that Spin alone allows. For
 * golden-spin.py.
 */
#include "base/str.h"
#include "io/stream.h"
#include "spin/app.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int fill(const ociwp_app_source *source, ociwp_lock_ref *ref, ociw_error **err)
{
	/* What is fetched has its digest in the manifest, or none here. */
	if (!source->path) {
		ref->digest = source->digest ? ociwp_strdup(source->digest) : NULL;
		return 0;
	}
	const char *path = source->path;
	ociw_reader *reader = NULL;
	OCIWP_AUTO(hasher) ociwp_hasher *hasher = NULL;
	OCIWP_AUTO(str) char *bytes = NULL;
	size_t len;
	ociw_digest digest;
	char text[OCIW_DIGEST_TEXT_MAX];
	int fd = open(path, O_RDONLY);
	if (fd < 0)
		return ociwp_fail(err, OCIW_ERR_NOTFOUND, "open %s", path);
	int r;
	if ((r = ociw_reader_new_fd(fd, &reader, err)) < 0 ||
	    (r = ociwp_read_all(reader, 1 << 24, &bytes, &len, err)) < 0 ||
	    (r = ociwp_hasher_new(OCIW_DIGEST_SHA256, &hasher, err)) < 0)
		return r;
	ociwp_hasher_update(hasher, bytes, len);
	ociwp_hasher_final(hasher, &digest);
	ociw_digest_format(&digest, text);
	ref->digest = ociwp_strdup(text);
	if (len <= 128) {
		ref->bytes = ociwp_steal(&bytes);
		ref->bytes_len = len;
	}
	return 0;
}

static int fill_component(const ociwp_app_component *from, ociwp_lock_component *to,
                          ociw_error **err)
{
	int r = fill(&from->source, &to->source, err);
	for (size_t i = 0; r == 0 && i < to->dependency_count; i++)
		r = fill(&from->dependency_sources[i], &to->dependencies[i].content, err);
	to->files = ociwp_calloc(from->file_count, sizeof(*to->files));
	for (size_t i = 0; r == 0 && i < from->file_count; i++) {
		ociwp_app_source source = {.path = (char *)from->files[i].source.from.path};
		r = fill(&source, &to->files[i].content, err);
		to->files[i].path = ociwp_strdup(from->files[i].path);
		to->file_count++;
	}
	return r;
}

static int print(const char *path, unsigned flags, ociw_error **err)
{
	OCIWP_AUTO(app) ociwp_app *app = NULL;
	OCIWP_AUTO(writer) ociw_writer *out = NULL;
	int r = ociwp_app_load(path, NULL, flags, NULL, &app, err);
	for (size_t i = 0; r == 0 && i < app->component_count; i++)
		r = fill_component(&app->components[i], &app->lock->components[i], err);
	if (r < 0 || (r = ociw_writer_new_fd(dup(1), &out, err)) < 0 ||
	    (r = ociwp_lock_write(app->lock, false, out, err)) < 0)
		return r;
	return ociw_writer_commit(ociwp_steal(&out), err);
}

int main(int argc, char **argv)
{
	ociw_error *err = NULL;
	unsigned flags = argc > 2 ? 0 : OCIWP_APP_COMPAT_SPIN;
	if (argc < 2)
		return 2;
	int r = print(argv[1], flags, &err);
	if (r < 0)
		fprintf(stderr, "spin-lock-driver: %s\n", ociw_error_message(err));
	ociw_error_free(err);
	return r < 0;
}
