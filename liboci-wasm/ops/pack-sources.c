/* SPDX-License-Identifier: Apache-2.0
 *
 * Bringing every wasm of an app to a local file. Whoever fetches is the caller's; what was fetched
 * is believed only after its digest.
 */
#include "ops/pack-sources.h"
#include "base/path.h"
#include "base/str.h"
#include "ops/fetched.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* --- the workspace --- */

void ociwp_workspace_deinit(ociwp_workspace *workspace)
{
	for (size_t i = 0; i < workspace->count; i++) {
		ociwp_work_file *file = &workspace->files[i];
		if (file->fd >= 0)
			close(file->fd);
		free(file->path);
	}
	free(workspace->files);
	if (workspace->dir)
		ociwp_workdir_remove(&workspace->folder);
	free(workspace->dir);
	*workspace = (ociwp_workspace){0};
}

int ociwp_workspace_slot(ociwp_workspace *workspace, const char *temp_dir, const char *suffix,
                         ociwp_work_file **out, ociw_error **err)
{
	char name[32];
	int r = workspace->dir ? 0
	                       : ociwp_workdir_make_temp(temp_dir, &workspace->folder,
	                                                 &workspace->dir, err);
	if (r < 0)
		return r;
	ociwp_work_file *grown =
	        ociwp_realloc_array(workspace->files, workspace->count + 1, sizeof(*grown));
	if (!grown)
		return ociwp_nomem(err);
	workspace->files = grown;
	snprintf(name, sizeof(name), "%zu%.8s", workspace->count, suffix);
	grown[workspace->count] = (ociwp_work_file){ociwp_path_join(workspace->dir, name), -1};
	if (!grown[workspace->count].path)
		return ociwp_nomem(err);
	*out = &grown[workspace->count++];
	return 0;
}

/* --- fetching --- */

/* What the callback writes to: capped, hashed, and committed by nobody but us. */
struct sink {
	int fd;
	uint64_t size, max;
	ociwp_hasher *hasher;
};

static int sink_write(void *self, const void *buf, size_t len, ociw_error **err)
{
	struct sink *sink = self;
	if (len > sink->max - sink->size)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "it has more than %llu bytes",
		                  (unsigned long long)sink->max);
	int failed = ociwp_write_full(sink->fd, buf, len);
	if (failed)
		return ociwp_fail_errno(err, failed, "write a temporary file");
	ociwp_hasher_update(sink->hasher, buf, len);
	sink->size += len;
	return 0;
}

static int sink_commit(void *self, ociw_error **err)
{
	(void)self;
	(void)err;
	return 0;
}

static void sink_abort(void *self)
{
	(void)self;
}

static const ociw_writer_ops sink_ops = {sizeof(ociw_writer_ops), sink_write, sink_commit,
                                         sink_abort};

static int call_fetch(const ociwp_pack *pack, const ociwp_app_source *from, struct sink *sink,
                      ociw_error **err)
{
	OCIWP_AUTO(writer) ociw_writer *writer = NULL;
	OCIWP_AUTO(str) char *locator = NULL;
	const ociw_pack_options *options = &pack->options;
	int r = ociw_writer_new(&sink_ops, sink, &writer, err);
	if (r < 0)
		return r;
	if (from->url)
		return options->fetch("url", from->url, NULL, from->digest, writer,
		                      options->fetch_data, err);
	locator = from->registry ? ociwp_path_join(from->registry, from->package)
	                         : ociwp_strdup(from->package);
	if (!locator)
		return ociwp_nomem(err);
	return options->fetch(from->range ? "package-range" : "package", locator, from->version,
	                      NULL, writer, options->fetch_data, err);
}

static int fetch_into(const ociwp_pack *pack, const ociwp_app_source *from, int fd,
                      ociw_digest *digest, uint64_t *size, ociw_error **err)
{
	OCIWP_AUTO(hasher) ociwp_hasher *hasher = NULL;
	ociw_limits limits;
	ociwp_limits_get(pack->op, &limits);
	int r = ociwp_hasher_new(OCIW_DIGEST_SHA256, &hasher, err);
	struct sink sink = {fd, 0, limits.max_blob_bytes, hasher};
	if (r == 0)
		r = call_fetch(pack, from, &sink, err);
	if (r < 0)
		return r;
	ociwp_hasher_final(hasher, digest);
	*size = sink.size;
	return 0;
}

static int judge_digest(const ociwp_app_source *from, const ociw_digest *got, ociw_error **err)
{
	char text[OCIW_DIGEST_TEXT_MAX];
	ociw_digest want;
	if (!from->digest)
		return 0;
	int r = ociw_digest_parse(from->digest, &want, err);
	if (r < 0)
		return r;
	if (!ociw_digest_equal(&want, got))
		return ociwp_fail(err, OCIW_ERR_DIGEST, "digest is %s, expected %s",
		                  ociw_digest_format(got, text), from->digest);
	return 0;
}

/* A store that cannot be written is no error: the copy in the workspace serves this time. */
static void keep(const ociwp_pack *pack, const ociwp_app_source *from, const ociw_digest *digest,
                 ociwp_work_file *file)
{
	char *kept = ociwp_fetched_keep(pack, digest, file->path, file->fd);
	if (!kept)
		return;
	unlink(file->path); /* unless it was moved */
	free(file->path);
	file->path = kept;
	if (from->package)
		ociwp_fetched_remember(pack, from, digest);
}

static int fetch_source(const ociwp_pack *pack, const ociwp_app_source *from,
                        ociwp_workspace *workspace, ociwp_source *out, ociw_error **err)
{
	ociwp_work_file *file = NULL;
	ociw_digest digest;
	uint64_t size = 0;
	if (!pack->options.fetch)
		return ociwp_fail(err, OCIW_ERR_UNSUPPORTED,
		                  "it is remote, and this caller cannot fetch");
	int r = ociwp_workspace_slot(workspace, pack->options.temp_dir, ".wasm", &file, err);
	if (r < 0)
		return r;
	file->fd = open(file->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file->fd < 0)
		return ociwp_fail_errno(err, errno, "make a temporary file");
	r = fetch_into(pack, from, file->fd, &digest, &size, err);
	if (r == 0)
		r = judge_digest(from, &digest, err);
	if (r < 0)
		return r;
	keep(pack, from, &digest, file);
	*out = (ociwp_source){.kind = OCIWP_SOURCE_RANGE, .fd = file->fd, .size = size};
	return 0;
}

/* The cached bytes of a digest, when they are there and still right. */
static int find_cached(const ociwp_pack *pack, const ociw_digest *want, ociwp_workspace *workspace,
                       ociwp_source *out, bool *found, ociw_error **err)
{
	OCIWP_AUTO(str) char *path = NULL;
	OCIWP_AUTO(fd) int fd = -1;
	ociw_digest got = {.algorithm = OCIW_DIGEST_SHA256, .len = 32};
	ociwp_scratch scratch;
	struct stat st;
	*found = false;
	int r = ociwp_fetched_path(pack, want, &path, err);
	if (r < 0 || !path)
		return r;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	r = ociwp_scratch_init(&scratch, err);
	*out = (ociwp_source){.kind = OCIWP_SOURCE_RANGE, .fd = fd, .size = (uint64_t)st.st_size};
	if (r == 0 && ociwp_source_hash(out, 0, &scratch, NULL) == 0) {
		memcpy(got.bytes, out->sha256, 32);
		*found = ociw_digest_equal(want, &got);
	}
	ociwp_scratch_deinit(&scratch);
	ociwp_source_deinit(out);
	out->known = false; /* is it wasm at all: the caller's next step finds out */
	if (r < 0 || !*found)
		return r;
	ociwp_work_file *file = NULL;
	r = ociwp_workspace_slot(workspace, pack->options.temp_dir, ".wasm", &file, err);
	if (r < 0)
		return r;
	free(file->path);
	*file = (ociwp_work_file){ociwp_steal(&path), ociwp_steal_fd(&fd)};
	return 0;
}

/* What meets a requirement may be newer than what is remembered, so the registry is asked; when it
 * cannot be reached the older answer is better than none. */
static int fetch_or_recall(const ociwp_pack *pack, const ociwp_app_source *from,
                           ociwp_workspace *workspace, ociwp_source *out, ociw_error **err)
{
	ociw_error *why = NULL;
	ociw_digest want;
	bool found = false;
	int cached = 0, r = fetch_source(pack, from, workspace, out, &why);
	if (r == OCIW_ERR_NETWORK && from->range && ociwp_fetched_recall(pack, from, &want))
		cached = find_cached(pack, &want, workspace, out, &found, err);
	if (r < 0 && cached == 0 && !found)
		return ociwp_error_move(err, why);
	if (r < 0 && cached == 0)
		cached = ociwp_warn(pack->op, err, "package %s %s: taken as fetched before: %s",
		                    ociwp_quote(from->package), ociwp_quote(from->version),
		                    ociw_error_message(why));
	ociw_error_free(why);
	return cached;
}

/* The digest of bytes that need not be fetched: said by the manifest, or remembered of a version,
 * which is for one content for ever. */
static int known_digest(const ociwp_pack *pack, const ociwp_app_source *from, ociw_digest *out,
                        bool *known, ociw_error **err)
{
	*known = from->digest || (!from->range && ociwp_fetched_recall(pack, from, out));
	return from->digest ? ociw_digest_parse(from->digest, out, err) : 0;
}

static int resolve_source(const ociwp_pack *pack, const ociwp_app_source *from,
                          ociwp_workspace *workspace, ociwp_source *out, ociw_error **err)
{
	bool known = false, found = false;
	ociw_digest want;
	struct stat st;
	if (from->path) {
		/* Hashing opens it; this is for the message. */
		if (stat(from->path, &st) < 0 && (errno == ENOENT || errno == ENOTDIR))
			return ociwp_fail(err, OCIW_ERR_NOTFOUND,
			                  "%s is not there: build the app first [source-missing]",
			                  ociwp_quote(from->path));
		*out = (ociwp_source){.kind = OCIWP_SOURCE_FILE, .fd = -1, .from.path = from->path};
		return 0;
	}
	int r = known_digest(pack, from, &want, &known, err);
	if (r == 0 && known)
		r = find_cached(pack, &want, workspace, out, &found, err);
	if (r == 0 && !found)
		r = fetch_or_recall(pack, from, workspace, out, err);
	if (r < 0)
		return ociwp_wrap(err, r, "%s", ociwp_quote(from->url ? from->url : from->package));
	return 0;
}

/* Whose sources are resolved, for messages. */
struct owner {
	const ociwp_app *app;
	const char *id, *what;
};

int ociwp_pack_in_manifest(const ociwp_app *app, ociwp_place at, const char *id, const char *what,
                           int r, ociw_error **err)
{
	if (r >= 0)
		return r;
	if (!at.line)
		return ociwp_wrap(err, r, "component %s: %s", ociwp_quote(id), what);
	return ociwp_wrap(err, r, "%s:%u:%u: component %s: %s",
	                  app->shown ? app->shown : app->manifest_path, at.line, at.column,
	                  ociwp_quote(id), what);
}

/* Resolves @p count sources of an owner; *done grows with each. */
static int resolve_list(const ociwp_pack *pack, const struct owner *owner,
                        const ociwp_app_source *from, size_t count, ociwp_workspace *workspace,
                        ociwp_source **out, size_t *done, ociw_error **err)
{
	*out = ociwp_calloc(count, sizeof(**out));
	if (!*out)
		return ociwp_nomem(err);
	for (size_t i = 0; i < count; i++) {
		int r = resolve_source(pack, &from[i], workspace, &(*out)[i], err);
		if (r < 0)
			return ociwp_pack_in_manifest(owner->app, from[i].at, owner->id,
			                              owner->what, r, err);
		++*done;
	}
	return 0;
}

int ociwp_pack_sources(const ociwp_pack *pack, const ociwp_app *app, ociwp_workspace *workspace,
                       ociwp_draft *draft, ociw_error **err)
{
	bool compat = pack->options.flags & OCIW_PACK_COMPAT_SPIN;
	for (size_t i = 0; i < app->component_count; i++) {
		const ociwp_app_component *from = &app->components[i];
		ociwp_draft_component *to = &draft->components[i];
		struct owner owner = {app, to->id, "wasm source"};
		int r = resolve_source(pack, &from->source, workspace, &to->wasm, err);
		r = ociwp_pack_in_manifest(app, from->source.at, to->id, owner.what, r, err);
		owner.what = "dependency";
		if (r == 0)
			r = resolve_list(pack, &owner, from->dependency_sources,
			                 from->dependency_count, workspace, &to->dependencies,
			                 &to->dependency_count, err);
		/* Spin packs none of these: their file URLs stay in its locks (spin.md 3.2). */
		owner.what = "trigger dependency";
		if (r == 0 && !compat)
			r = resolve_list(pack, &owner, from->trigger_sources,
			                 from->trigger_source_count, workspace, &to->triggers,
			                 &to->trigger_count, err);
		if (r < 0)
			return r;
	}
	return 0;
}

const char *ociwp_workspace_path(const ociwp_workspace *workspace, const ociwp_source *source)
{
	if (source->kind == OCIWP_SOURCE_FILE)
		return source->from.path;
	for (size_t i = 0; i < workspace->count; i++)
		if (workspace->files[i].fd == source->fd)
			return workspace->files[i].path;
	return NULL;
}
