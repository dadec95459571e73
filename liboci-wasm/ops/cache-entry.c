/* SPDX-License-Identifier: Apache-2.0
 *
 * Entries of the cache: their names, records and locks. An entry is made whole under a hidden name and
 * renamed once; its record has a checksum, so that a disk that lost half of it is noticed.
 */
#include "ops/cache-entry.h"

#include "base/str.h"
#include "codec/json-writer.h"
#include "codec/json.h"
#include "io/fsys-tree.h"
#include "io/stream.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "oci-wasm cache 1\n"
#define MAX_RECORD ((uint64_t)64 * 1024 * 1024) /* its list of wasm files grows with the app */
#define SHAPING_FLAGS                                                                                \
	((uint32_t)OCIW_EXTRACT_SAME_OWNER | OCIW_EXTRACT_SPECIAL_FILES | OCIW_EXTRACT_KEEP_SETID |  \
	 OCIW_EXTRACT_XATTRS | OCIW_EXTRACT_ABSOLUTE_NAMES)

void ociwp_cache_record_deinit(ociwp_cache_record *record)
{
	free(record->json);
	record->json = NULL;
}

/* --- names ---------------------------------------------------------------------------------- */

static int compare_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int ociwp_cache_key(const char *digest, const ociw_extract_options *extract,
		    char out[OCIWP_CACHE_KEY_MAX], ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	OCIWP_AUTO(mem) const char **ids = NULL;
	ociw_digest hash;
	ids = ociwp_calloc(extract->component_count + 1, sizeof(*ids));
	if (!ids)
		return ociwp_nomem(err);
	for (size_t i = 0; i < extract->component_count; i++)
		ids[i] = extract->components[i];
	qsort(ids, extract->component_count, sizeof(*ids), compare_text);
	/* Strings end in a NUL, so that no two sets of options give the same text. */
	ociwp_buf_printf(&text, "%s%c%u.%u%c%s%c%s", digest, 0, extract->mode,
			 extract->flags & SHAPING_FLAGS, 0,
			 extract->platform ? ociw_platform_text(extract->platform) : "", 0,
			 extract->file_url_root ? extract->file_url_root : "");
	for (size_t i = 0; i < extract->component_count; i++) {
		ociwp_buf_putc(&text, '\0');
		ociwp_buf_puts(&text, ids[i]);
	}
	int r = ociwp_buf_check(&text, err);
	if (r == 0)
		r = ociw_digest_bytes(OCIW_DIGEST_SHA256, ociwp_buf_span(&text), &hash, err);
	if (r == 0)
		ociwp_hex_encode(out, hash.bytes, hash.len);
	return r;
}

bool ociwp_cache_is_key(const char *name)
{
	return strlen(name) == OCIWP_CACHE_KEY_LEN &&
	       strspn(name, "0123456789abcdef") == OCIWP_CACHE_KEY_LEN;
}

/* --- looking at a tree ---------------------------------------------------------------------- */

struct count {
	uint64_t names, bytes;
};

static int count_directory(void *data, int fd, uint64_t inode)
{
	struct count *count = data;
	(void)inode;
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	if (!dir) {
		int saved = errno;
		if (copy >= 0)
			close(copy);
		return saved;
	}
	int r = 0;
	for (struct dirent *entry; r == 0 && (entry = readdir(dir));) {
		struct stat st;
		if (ociwp_streq(entry->d_name, ".") || ociwp_streq(entry->d_name, ".."))
			continue;
		count->names++;
		if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			r = errno == EACCES ? 0 : errno; /* listed, but closed: a name */
		else if (S_ISREG(st.st_mode))
			count->bytes += (uint64_t)st.st_size;
	}
	closedir(dir);
	return r;
}

int ociwp_cache_count(int tree, uint64_t *names, uint64_t *bytes, ociw_error **err)
{
	struct count count = {0, 0};
	/* Others may be reading the tree, and its modes are the layers' word: nothing is opened up. */
	int e = ociwp_tree_directories(tree, true, count_directory, &count);
	if (e != 0)
		return ociwp_fail_errno(err, e, "look through a cached tree");
	*names = count.names;
	*bytes = count.bytes;
	return 0;
}

static void set_identity(ociwp_cache_record *record, const struct stat *st)
{
	record->inode = (uint64_t)st->st_ino;
	record->changed_seconds = st->st_ctim.tv_sec;
	record->changed_nanoseconds = (uint32_t)st->st_ctim.tv_nsec;
}

static int open_tree(int entry, ociw_error **err)
{
	int fd = openat(entry, OCIWP_CACHE_TREE,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? ociwp_fail_errno(err, errno, "open a cached tree") : fd;
}

int ociwp_cache_measure(int entry, ociwp_cache_record *out, ociw_error **err)
{
	struct stat st;
	OCIWP_AUTO(fd) int tree = open_tree(entry, err);
	if (tree < 0)
		return tree;
	if (fstat(tree, &st) != 0)
		return ociwp_fail_errno(err, errno, "look at a cached tree");
	set_identity(out, &st);
	return ociwp_cache_count(tree, &out->names, &out->bytes, err);
}

/* --- records -------------------------------------------------------------------------------- */

static int format_record(const ociwp_cache_record *record, ociwp_buf *out, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf body = OCIWP_BUF_INIT;
	ociwp_json_writer *w = NULL;
	ociw_digest digest;
	char text[OCIW_DIGEST_TEXT_MAX];
	int r = ociwp_json_writer_new(NULL, &body, &w, err);
	if (r < 0)
		return r;
	ociwp_json_begin_object(w);
	ociwp_json_key(w, "names");
	ociwp_json_u64(w, record->names);
	ociwp_json_key(w, "bytes");
	ociwp_json_u64(w, record->bytes);
	ociwp_json_key(w, "inode");
	ociwp_json_u64(w, record->inode);
	ociwp_json_key(w, "changedSeconds");
	ociwp_json_i64(w, record->changed_seconds);
	ociwp_json_key(w, "changedNanoseconds");
	ociwp_json_u64(w, record->changed_nanoseconds);
	ociwp_json_member(w, "result", record->json);
	ociwp_json_end_object(w);
	r = ociwp_json_writer_finish(w, err);
	if (r == 0)
		r = ociw_digest_bytes(OCIW_DIGEST_SHA256, ociwp_buf_span(&body), &digest, err);
	if (r < 0)
		return r;
	ociwp_buf_printf(out, MAGIC "%s\n", ociw_digest_format(&digest, text));
	ociwp_buf_append(out, body.data, body.len);
	return ociwp_buf_check(out, err);
}

static int put_file(int dir, const char *name, const void *data, size_t len, ociw_error **err)
{
	OCIWP_AUTO(fd) int fd = openat(
		dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (fd < 0)
		return ociwp_fail_errno(err, errno, "make %s in the cache", name);
	int e = fchmod(fd, S_IRUSR | S_IWUSR) != 0 ? errno : ociwp_write_full(fd, data, len);
	if (e == 0 && fsync(fd) != 0)
		e = errno;
	if (close(ociwp_steal_fd(&fd)) != 0 && e == 0)
		e = errno;
	return e ? ociwp_fail_errno(err, e, "write %s in the cache", name) : 0;
}

int ociwp_cache_write_record(int entry, const ociwp_cache_record *record, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	int r = format_record(record, &text, err);
	if (r == 0)
		r = put_file(entry, OCIWP_CACHE_LOCK, "", 0, err);
	return r == 0 ? put_file(entry, OCIWP_CACHE_RECORD, text.data, text.len, err) : r;
}

static int damaged(ociw_error **err, const char *why)
{
	return ociwp_fail(err, OCIW_ERR_FORMAT, "a cached tree is damaged: %s", why);
}

/* The part after magic and checksum, once both are right. */
static int check_frame(const char *text, size_t len, ociw_span *body, ociw_error **err)
{
	const size_t head = strlen(MAGIC);
	char want[OCIW_DIGEST_TEXT_MAX];
	ociw_digest digest;
	if (len < head || memcmp(text, MAGIC, head) != 0)
		return damaged(err, "no record");
	const char *line = text + head, *end = memchr(line, '\n', len - head);
	if (!end)
		return damaged(err, "half a record");
	*body = (ociw_span){end + 1, (size_t)(text + len - (end + 1))};
	int r = ociw_digest_bytes(OCIW_DIGEST_SHA256, *body, &digest, err);
	if (r < 0)
		return r;
	ociw_digest_format(&digest, want);
	if (strlen(want) != (size_t)(end - line) || memcmp(want, line, strlen(want)) != 0)
		return damaged(err, "the record's checksum is wrong");
	return 0;
}

static int parse_record(ociw_span body, ociwp_cache_record *out, ociw_error **err)
{
	OCIWP_AUTO(json) json_t *json = NULL;
	const char *result = NULL;
	uint64_t nanoseconds = 0;
	int r = ociwp_json_parse(body, "cache record", 0, &json, err);
	if (r == 0)
		r = ociwp_json_need_u64(json, "", "names", &out->names, err);
	if (r == 0)
		r = ociwp_json_need_u64(json, "", "bytes", &out->bytes, err);
	if (r == 0)
		r = ociwp_json_need_u64(json, "", "inode", &out->inode, err);
	if (r == 0)
		r = ociwp_json_need_u64(json, "", "changedNanoseconds", &nanoseconds, err);
	if (r == 0)
		r = ociwp_json_need_string(json, "", "result", &result, err);
	if (r < 0)
		return r;
	out->changed_seconds = json_integer_value(json_object_get(json, "changedSeconds"));
	out->changed_nanoseconds = (uint32_t)nanoseconds;
	out->json = ociwp_strdup(result);
	return out->json ? 0 : ociwp_nomem(err);
}

/* The top of the tree is the same directory, unchanged; on request all of it has as many names and
 * bytes as it had. */
static int check_tree(int entry, bool deep, const ociwp_cache_record *record, ociw_error **err)
{
	struct stat st;
	OCIWP_AUTO(fd) int tree = -1;
	ociwp_cache_record now = {0};
	bool there = fstatat(entry, OCIWP_CACHE_TREE, &st, AT_SYMLINK_NOFOLLOW) == 0;
	if (!there && errno != ENOENT)
		return ociwp_fail_errno(err, errno, "look at a cached tree");
	if (!there || !S_ISDIR(st.st_mode))
		return damaged(err, "the tree is gone");
	set_identity(&now, &st);
	if (now.inode != record->inode || now.changed_seconds != record->changed_seconds ||
	    now.changed_nanoseconds != record->changed_nanoseconds)
		return damaged(err, "its top was changed");
	if (!deep)
		return 0;
	tree = open_tree(entry, err);
	if (tree < 0)
		return tree;
	int r = ociwp_cache_count(tree, &now.names, &now.bytes, err);
	if (r == 0 && (now.names != record->names || now.bytes != record->bytes))
		return damaged(err, "names or bytes are missing or too many");
	return r;
}

int ociwp_cache_read_record(int entry, bool deep, ociwp_cache_record *out, ociw_error **err)
{
	OCIWP_AUTO(str) char *text = NULL;
	ociw_reader *reader = NULL;
	ociw_span body = {0};
	size_t len = 0;
	*out = (ociwp_cache_record){0};
	int fd = openat(entry, OCIWP_CACHE_RECORD, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ELOOP || errno == ENXIO
			       ? damaged(err, "no record")
			       : ociwp_fail_errno(err, errno, "record of a cached tree");
	int r = ociw_reader_new_fd(fd, &reader, err);
	if (r == 0)
		r = ociwp_read_all(reader, MAX_RECORD, &text, &len, err);
	if (r == 0)
		r = check_frame(text, len, &body, err);
	if (r == 0)
		r = parse_record(body, out, err);
	if (r == 0)
		r = check_tree(entry, deep, out, err);
	if (r < 0)
		ociwp_cache_record_deinit(out);
	return r;
}

/* --- locks ---------------------------------------------------------------------------------- */

/* Without waiting. 0 or errno. */
static int lock_file(int fd, int how)
{
	while (flock(fd, how | LOCK_NB) != 0)
		if (errno != EINTR)
			return errno;
	return 0;
}

int ociwp_cache_guard(int entry, ociw_error **err)
{
	OCIWP_AUTO(fd) int lock = openat(entry, OCIWP_CACHE_LOCK, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	int e = lock < 0 ? errno : lock_file(lock, LOCK_SH);
	return e ? ociwp_fail_errno(err, e, "lock a new cache entry") : ociwp_steal_fd(&lock);
}

int ociwp_cache_lock_entry(int cache, const char *key, int how, int *out_entry, int *out_lock,
			   ociw_error **err)
{
	OCIWP_AUTO(fd) int lock = -1;
	OCIWP_AUTO(fd) int entry =
		openat(cache, key, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (entry < 0)
		return ociwp_fail_errno(err, errno, "cache entry %s", key);
	lock = openat(entry, OCIWP_CACHE_LOCK, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (lock < 0)
		return ociwp_fail_errno(err, errno, "lock of cache entry %s", key);
	int e = lock_file(lock, how);
	if (e != 0)
		return e == EWOULDBLOCK
			       ? ociwp_fail(err, OCIW_ERR_BUSY, "cache entry %s is in use", key)
			       : ociwp_fail_errno(err, e, "lock cache entry %s", key);
	/* Whoever removes an entry renames it first, while its lock is held exclusively. */
	if (!ociwp_is_named(cache, key, entry))
		return ociwp_fail(err, OCIW_ERR_NOTFOUND, "cache entry %s was just removed", key);
	*out_entry = ociwp_steal_fd(&entry);
	*out_lock = ociwp_steal_fd(&lock);
	return 0;
}

/* --- build locks ---------------------------------------------------------------------------- */

#define LOCK_NAME_MAX (sizeof(OCIWP_CACHE_LOCKS "/") + OCIWP_CACHE_KEY_LEN)

static void build_lock_name(const char *key, char out[LOCK_NAME_MAX])
{
	snprintf(out, LOCK_NAME_MAX, OCIWP_CACHE_LOCKS "/%s", key);
}

/* Whoever removes the file holds its lock, so a lock counts only when the file still has its name
 * afterwards. */
int ociwp_cache_lock_build(int cache, const char *key, int *out_lock, ociw_error **err)
{
	char name[LOCK_NAME_MAX];
	build_lock_name(key, name);
	OCIWP_AUTO(fd) int fd = openat(cache, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
				       S_IRUSR | S_IWUSR);
	int e = fd < 0 ? errno : lock_file(fd, LOCK_EX);
	if (e != 0 && e != EWOULDBLOCK)
		return ociwp_fail_errno(err, e, "build lock in the cache");
	if (e != 0 || !ociwp_is_named(cache, name, fd))
		return ociwp_fail(err, OCIW_ERR_BUSY, "cache entry %s is being built", key);
	*out_lock = ociwp_steal_fd(&fd);
	return 0;
}

void ociwp_cache_unlock_build(int cache, const char *key, int take_lock)
{
	char name[LOCK_NAME_MAX];
	build_lock_name(key, name);
	(void)unlinkat(cache, name, 0);
	close(take_lock);
}

/* --- removal -------------------------------------------------------------------------------- */

int ociwp_cache_remove_entry(int cache, const char *key, ociw_error **err)
{
	/* A name of the staging kind: if this run dies here, the next one clears it away. */
	uint64_t random = 0;
	char hidden[64];
	int e = ociwp_random(&random, sizeof(random));
	if (e != 0)
		return ociwp_fail_errno(err, e, "random name");
	snprintf(hidden, sizeof(hidden), ".removed.%016llx.partial", (unsigned long long)random);
	if (renameat(cache, key, cache, hidden) != 0)
		return ociwp_fail_errno(err, errno, "remove cache entry %s", key);
	e = ociwp_tree_remove(cache, hidden);
	return e ? ociwp_fail_errno(err, e, "remove cache entry %s", key) : 0;
}

/* --- aside ---------------------------------------------------------------------------------- */

/* ".aside/KEY-0123456789abcdef" */
int ociwp_cache_set_aside(int cache, const char *key, ociw_error **err)
{
	uint64_t random = 0;
	char name[sizeof(OCIWP_CACHE_ASIDE) + OCIWP_CACHE_KEY_MAX + 32];
	int e = ociwp_random(&random, sizeof(random));
	if (e == 0 && mkdirat(cache, OCIWP_CACHE_ASIDE, S_IRWXU) != 0 && errno != EEXIST)
		e = errno;
	snprintf(name, sizeof(name), OCIWP_CACHE_ASIDE "/%s-%016llx", key,
		 (unsigned long long)random);
	if (e == 0 && renameat(cache, key, cache, name) != 0 && errno != ENOENT)
		e = errno;
	return e ? ociwp_fail_errno(err, e, "set damaged cache entry %s aside", key) : 0;
}

/* Calls @p each for every name in a directory of the cache but "." and ".."; true from it ends. */
typedef bool (*name_visitor)(int dir, const char *name, const char *key);

static bool visit(int cache, const char *folder, name_visitor each, const char *key)
{
	int fd = openat(cache, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	bool ended = false;
	for (struct dirent *entry; !ended && (entry = readdir(dir));)
		if (!ociwp_streq(entry->d_name, ".") && !ociwp_streq(entry->d_name, ".."))
			ended = each(dirfd(dir), entry->d_name, key);
	closedir(dir);
	return ended;
}

static bool is_leased_copy(int aside, const char *name, const char *key)
{
	OCIWP_AUTO(fd) int entry = -1;
	OCIWP_AUTO(fd) int lock = -1;
	return ociwp_starts_with(name, key) &&
	       ociwp_cache_lock_entry(aside, name, LOCK_EX, &entry, &lock, NULL) == OCIW_ERR_BUSY;
}

bool ociwp_cache_is_leased_aside(int cache, const char *key)
{
	return visit(cache, OCIWP_CACHE_ASIDE, is_leased_copy, key);
}

static bool sweep_aside(int aside, const char *name, const char *key)
{
	OCIWP_AUTO(fd) int entry = -1;
	OCIWP_AUTO(fd) int lock = -1;
	(void)key;
	int r = ociwp_cache_lock_entry(aside, name, LOCK_EX, &entry, &lock, NULL);
	/* NOTFOUND: its lock file is gone, and its users with it. */
	if (r == 0 || r == OCIW_ERR_NOTFOUND)
		(void)ociwp_tree_remove(aside, name);
	return false;
}

static bool sweep_lock(int locks, const char *name, const char *key)
{
	OCIWP_AUTO(fd) int fd = openat(locks, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	(void)key;
	if (fd >= 0 && ociwp_cache_is_key(name) && lock_file(fd, LOCK_EX) == 0 &&
	    ociwp_is_named(locks, name, fd))
		(void)unlinkat(locks, name, 0);
	return false;
}

void ociwp_cache_sweep(int cache)
{
	(void)visit(cache, OCIWP_CACHE_LOCKS, sweep_lock, NULL);
	(void)visit(cache, OCIWP_CACHE_ASIDE, sweep_aside, NULL);
	(void)unlinkat(cache, OCIWP_CACHE_ASIDE, AT_REMOVEDIR); /* when it is empty */
}
