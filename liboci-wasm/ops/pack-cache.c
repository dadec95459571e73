/* SPDX-License-Identifier: Apache-2.0
 *
 * The pack cache: <cache>/pack/<hash of the app's folder>/index and the bundles beside it. Whatever
 * is odd about it (owner, checksum, version, a missing blob) means "not there"; nothing here can
 * make a pack fail or, short of a clock that goes backwards, give bytes that are not the file's.
 */
#include "ops/pack-cache.h"
#include "base/map.h"
#include "base/path.h"
#include "base/str.h"
#include "ops/pack-cache-prune.h"
#include "ops/pack-private.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define MAGIC "ociwpack"
#define TEMPORARY "new-"
#define VERSION 4u
#define BYTE_ORDER_MARK 0x01020304u
#define INDEX_MAX (512u << 20)
#define NEAR ((size_t)256) /* three times what 28,000 keys stray from their place by chance */

/* The index: header, files sorted by key, layers, inline bytes, SHA-256 of all before. */
struct header {
	char magic[8];
	uint32_t version, byte_order, file_size, layer_size;
	uint64_t file_count, layer_count, inline_len;
};

struct file_record {
	uint64_t
	        key; /* of the path; what it means is up to the stamp, which says which file it is */
	uint64_t size;
	ociwp_file_stamp stamp;
	uint8_t sha256[32];
	uint32_t inline_at; /* where the bytes of a small file are */
	uint32_t checked;   /* the check of wasm that it passed, or 0 */
};

struct layer_record {
	uint8_t key[32], digest[32], diff_id[32]; /* the last all zero: not known */
	uint64_t size;
	ociwp_file_stamp stamp; /* of the blob's file */
};

struct ociwp_pack_cache {
	char *dir;
	int claim;      /* says that the folder is in use, or -1 */
	int64_t opened; /* seconds since 1970 */
	char *index;    /* the whole file, until its files are forgotten, or NULL */
	const struct file_record *files; /* in the index */
	size_t file_count;
	const char *inlined; /* in the index */
	struct layer_record *layers;
	size_t layer_count;
	atomic_size_t misses;
	pthread_mutex_t lock; /* of what follows */
	struct layer_record *used;
	size_t used_count;
	ociwp_layer_cache hooks;
};

int ociwp_pack_make_parents(const char *path)
{
	OCIWP_AUTO(str) char *copy = ociwp_strdup(path);
	if (!copy)
		return -1;
	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0700) < 0 && errno != EEXIST)
			return -1;
		*slash = '/';
	}
	return 0;
}

/* Eight bytes at a time, multiplied and folded. Two paths of one key are told apart by device, inode and
 * times; at worst one of them is hashed each time. */
static uint64_t path_key(const char *path)
{
	const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
	size_t len = strlen(path);
	uint64_t key = len, word;
	for (; len >= sizeof(word); path += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, path, sizeof(word));
		key = (key ^ word) * odd;
		key ^= key >> 32;
	}
	word = 0;
	memcpy(&word, path, len);
	key = (key ^ word) * odd;
	return (key ^ key >> 32) * odd;
}

/* --- reading the index --- */

/* Opens a file of ours: regular, owned by this user, not a link. */
static int open_own(const char *path, struct stat *st)
{
	OCIWP_AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, st) < 0 || !S_ISREG(st->st_mode) || st->st_uid != geteuid())
		return -1;
	return ociwp_steal_fd(&fd);
}

static bool read_index(const char *path, char **out, size_t *len)
{
	struct stat st;
	OCIWP_AUTO(fd) int fd = open_own(path, &st);
	if (fd < 0 || st.st_size < (off_t)sizeof(struct header) + 32 || st.st_size > INDEX_MAX)
		return false;
	OCIWP_AUTO(mem) char *text = ociwp_malloc((size_t)st.st_size);
	if (!text)
		return false;
	for (size_t done = 0; done < (size_t)st.st_size;) {
		ssize_t got = read(fd, text + done, (size_t)st.st_size - done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		done += (size_t)got;
	}
	*len = (size_t)st.st_size - 32;
	ociw_digest digest;
	if (ociw_digest_bytes(OCIW_DIGEST_SHA256, (ociw_span){text, *len}, &digest, NULL) < 0 ||
	    memcmp(digest.bytes, text + *len, 32) != 0)
		return false;
	*out = ociwp_steal(&text);
	return true;
}

/* The checksum was right, so this finds other versions and machines rather than damage. */
static bool place_index(ociwp_pack_cache *cache, size_t len)
{
	struct header header;
	uint64_t files, layers, total = sizeof(header);
	memcpy(&header, cache->index, sizeof(header));
	if (memcmp(header.magic, MAGIC, 8) != 0 || header.version != VERSION ||
	    header.byte_order != BYTE_ORDER_MARK ||
	    header.file_size != sizeof(struct file_record) ||
	    header.layer_size != sizeof(struct layer_record) ||
	    !ociwp_mul_ok(header.file_count, (uint64_t)sizeof(struct file_record), &files) ||
	    !ociwp_mul_ok(header.layer_count, (uint64_t)sizeof(struct layer_record), &layers) ||
	    !ociwp_add_ok(total, files, &total) || !ociwp_add_ok(total, layers, &total) ||
	    !ociwp_add_ok(total, header.inline_len, &total) || total != len)
		return false;
	const char *at = cache->index + sizeof(header);
	cache->files = (const void *)at;
	cache->file_count = (size_t)header.file_count;
	cache->inlined = at + files + layers;
	for (size_t i = 0; i < cache->file_count; i++) {
		const struct file_record *file = &cache->files[i];
		if (file->size <= OCIWP_INLINE_MAX && file->inline_at + file->size > header.inline_len)
			return false;
	}
	cache->layers = ociwp_memdup(at + files, (size_t)layers);
	cache->layer_count = cache->layers ? (size_t)header.layer_count : 0;
	return cache->layers;
}

void ociwp_pack_cache_forget_files(ociwp_pack_cache *cache)
{
	free(cache->index);
	cache->index = NULL;
	cache->files = NULL;
	cache->file_count = 0;
}

static void load(ociwp_pack_cache *cache)
{
	OCIWP_AUTO(str) char *path = ociwp_path_join(cache->dir, "index");
	size_t len = 0;
	if (!path || !read_index(path, &cache->index, &len))
		return;
	if (!place_index(cache, len))
		ociwp_pack_cache_forget_files(cache);
}

/* --- files --- */

/* Of records or of files to be saved: both begin with their key. */
static int compare_keys(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

/* How the file looks, and that this user may read it: permission is not in the stamp, and a file that
 * cannot be read now must be an error now. */
static bool look(ociwp_source *source)
{
	struct stat st;
	if (!source->looked) {
		if (stat(source->from.path, &st) < 0 || !S_ISREG(st.st_mode))
			return false;
		ociwp_file_stamp_of(&st, &source->stamp);
		source->size = (uint64_t)st.st_size;
	}
	return source->readable || access(source->from.path, R_OK) == 0;
}

/* Keys are hashes, so where one is in the order follows from its value, give or take the square root of
 * the count: a search there touches a tenth of the memory that one of the whole index does. */
static const struct file_record *record_of(const ociwp_pack_cache *cache, uint64_t key)
{
	const struct file_record wanted = {.key = key}, *files = cache->files;
	size_t count = cache->file_count, around = (size_t)((key >> 32) * count >> 32);
	size_t from = around > NEAR ? around - NEAR : 0;
	size_t to = count - around > NEAR ? around + NEAR : count;
	if (from > 0 && files[from].key > key)
		from = 0;
	if (to < count && files[to - 1].key < key)
		to = count;
	return bsearch(&wanted, files + from, to - from, sizeof(*files), compare_keys);
}

static bool file_find(const ociwp_pack_cache *cache, ociwp_source *source, unsigned wasm)
{
	if (cache->file_count == 0 || source->kind != OCIWP_SOURCE_FILE)
		return false;
	const struct file_record *found = record_of(cache, path_key(source->from.path));
	if (!found || found->checked < wasm || !look(source) || found->size != source->size ||
	    !ociwp_file_stamp_equal(&found->stamp, &source->stamp))
		return false;
	if (found->size <= OCIWP_INLINE_MAX) {
		source->bytes = ociwp_memdup(cache->inlined + found->inline_at, (size_t)found->size);
		if (!source->bytes)
			return false;
	}
	source->checked = (uint8_t)found->checked;
	memcpy(source->sha256, found->sha256, 32);
	source->known = true;
	return true;
}

bool ociwp_pack_cache_find(ociwp_pack_cache *cache, ociwp_source *source, unsigned wasm)
{
	if (file_find(cache, source, wasm))
		return true;
	atomic_fetch_add(&cache->misses, 1);
	return false;
}

/* --- layers --- */

static char *blob_path(const ociwp_pack_cache *cache, const uint8_t digest[32])
{
	static const char digits[] = "0123456789abcdef";
	char name[70];
	for (size_t i = 0; i < 32; i++) {
		name[2 * i] = digits[digest[i] >> 4];
		name[2 * i + 1] = digits[digest[i] & 15];
	}
	strcpy(name + 64, ".gz");
	return ociwp_path_join(cache->dir, name);
}

static void remember(ociwp_pack_cache *cache, const struct layer_record *record)
{
	pthread_mutex_lock(&cache->lock);
	struct layer_record *grown =
	        ociwp_realloc_array(cache->used, cache->used_count + 1, sizeof(*grown));
	if (grown) {
		cache->used = grown;
		grown[cache->used_count++] = *record;
	}
	pthread_mutex_unlock(&cache->lock);
}

/* A blob whose file looks as it did is trusted; any other is hashed first. */
static bool blob_is_right(int fd, const struct layer_record *record, const struct stat *st)
{
	ociwp_scratch scratch;
	ociwp_source source = {.kind = OCIWP_SOURCE_RANGE, .fd = fd, .size = record->size};
	if ((uint64_t)st->st_size != record->size)
		return false;
	if (ociwp_file_stamp_fits(&record->stamp, record->size, st))
		return true;
	bool right = ociwp_scratch_init(&scratch, NULL) == 0 &&
	             ociwp_source_hash(&source, 0, &scratch, NULL) == 0 &&
	             memcmp(source.sha256, record->digest, 32) == 0;
	ociwp_scratch_deinit(&scratch);
	ociwp_source_deinit(&source);
	return right;
}

static ociw_digest digest_of(const uint8_t bytes[32])
{
	ociw_digest digest = {.algorithm = OCIW_DIGEST_SHA256, .len = 32};
	memcpy(digest.bytes, bytes, 32);
	return digest;
}

static bool knows_diff_id(const struct layer_record *record)
{
	static const uint8_t none[sizeof(record->diff_id)];
	return memcmp(record->diff_id, none, sizeof(none)) != 0;
}

static int layer_find(void *self, const uint8_t key[32], bool diff_id, ociwp_tar_layer *layer, bool *found,
                      ociw_error **err)
{
	ociwp_pack_cache *cache = self;
	(void)err;
	for (size_t i = 0; i < cache->layer_count; i++) {
		const struct layer_record *record = &cache->layers[i];
		struct stat st;
		if (memcmp(record->key, key, 32) != 0 || (diff_id && !knows_diff_id(record)))
			continue;
		OCIWP_AUTO(str) char *path = blob_path(cache, record->digest);
		OCIWP_AUTO(fd) int fd = path ? open_own(path, &st) : -1;
		if (fd < 0 || !blob_is_right(fd, record, &st))
			break;
		layer->digest = digest_of(record->digest);
		if (diff_id)
			layer->diff_id = digest_of(record->diff_id);
		layer->size = record->size;
		layer->offset = 0;
		layer->fd = ociwp_steal_fd(&fd);
		layer->own_fd = true;
		remember(cache, record);
		*found = true;
		return 0;
	}
	atomic_fetch_add(&cache->misses, 1);
	return 0;
}

static bool copy_range(int from, uint64_t offset, uint64_t size, int to)
{
	char buf[65536];
	for (uint64_t done = 0; done < size;) {
		size_t want = size - done < sizeof(buf) ? (size_t)(size - done) : sizeof(buf);
		ssize_t got = pread(from, buf, want, (off_t)(offset + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0 || ociwp_write_full(to, buf, (size_t)got) != 0)
			return false;
		done += (uint64_t)got;
	}
	return true;
}

/* A new file under a passing name, locked for as long as it is written: what can be locked was left by
 * a run that died. Gives the descriptor and the name (to be freed), or -1. */
static int open_temporary(const ociwp_pack_cache *cache, char **name)
{
	*name = ociwp_path_join(cache->dir, TEMPORARY "XXXXXX");
	int fd = *name ? mkostemp(*name, O_CLOEXEC) : -1;
	/* Where locks do not work nobody can take it for dead either. */
	if (fd >= 0)
		(void)flock(fd, LOCK_EX | LOCK_NB);
	return fd;
}

static void drop_if_dead(int dir, const char *name)
{
	OCIWP_AUTO(fd) int fd = openat(dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		unlinkat(dir, name, 0);
}

/* Writes through a temporary name, so that a blob of the cache is whole or not there. */
static bool blob_store(const ociwp_pack_cache *cache, const ociwp_tar_layer *layer,
                       ociwp_file_stamp *stamp)
{
	OCIWP_AUTO(str) char *path = blob_path(cache, layer->digest.bytes);
	OCIWP_AUTO(str) char *temporary = NULL;
	struct stat st;
	if (!path)
		return false;
	OCIWP_AUTO(fd) int fd = open_temporary(cache, &temporary);
	if (fd < 0)
		return false;
	if (!copy_range(layer->fd, layer->offset, layer->size, fd) || rename(temporary, path) < 0) {
		unlink(temporary);
		return false;
	}
	if (fstat(fd, &st) < 0)
		return false;
	ociwp_file_stamp_of(&st, stamp);
	return true;
}

static int layer_keep(void *self, const uint8_t key[32], ociwp_tar_layer *layer, ociw_error **err)
{
	ociwp_pack_cache *cache = self;
	struct layer_record record = {.size = layer->size};
	(void)err;
	memcpy(record.key, key, 32);
	memcpy(record.digest, layer->digest.bytes, 32);
	if (layer->diff_id.len == sizeof(record.diff_id))
		memcpy(record.diff_id, layer->diff_id.bytes, sizeof(record.diff_id));
	if (blob_store(cache, layer, &record.stamp))
		remember(cache, &record);
	return 0;
}

const ociwp_layer_cache *ociwp_pack_cache_layers(ociwp_pack_cache *cache)
{
	return &cache->hooks;
}

/* --- opening and saving --- */

int ociwp_pack_cache_open(const char *dir, const char *root, ociwp_pack_cache **out,
                          ociw_error **err)
{
	char name[OCIWP_PACK_CACHE_NAME_MAX];
	OCIWP_AUTO(buf) ociwp_buf path = OCIWP_BUF_INIT;
	*out = NULL;
	if (!ociwp_pack_cache_name(root, name))
		return ociwp_nomem(err);
	ociwp_buf_printf(&path, "%s/pack/%s/index", dir, name);
	int r = ociwp_buf_check(&path, err);
	if (r < 0)
		return r;
	if (ociwp_pack_make_parents(path.data) < 0)
		return 0;
	ociwp_pack_cache *cache = ociwp_new(ociwp_pack_cache);
	if (!cache)
		return ociwp_nomem(err);
	pthread_mutex_init(&cache->lock, NULL);
	cache->hooks = (ociwp_layer_cache){layer_find, layer_keep, cache};
	cache->opened = (int64_t)time(NULL);
	cache->claim = -1;
	cache->dir = ociwp_strndup(path.data, path.len - strlen("/index"));
	if (!cache->dir) {
		ociwp_pack_cache_free(cache);
		return ociwp_nomem(err);
	}
	cache->claim = ociwp_pack_cache_claim(cache->dir, root);
	load(cache);
	*out = cache;
	return 0;
}

void ociwp_pack_cache_free(ociwp_pack_cache *cache)
{
	if (!cache)
		return;
	pthread_mutex_destroy(&cache->lock);
	if (cache->claim >= 0)
		close(cache->claim);
	free(cache->dir);
	free(cache->index);
	free(cache->layers);
	free(cache->used);
	free(cache);
}

/* A file that will be remembered: its record is made when it is written, as all of them are as large as
 * the draft. */
struct saved_file {
	uint64_t key;
	const ociwp_source *source;
};

struct saving {
	const ociwp_pack_cache *cache;
	struct saved_file *files;
	size_t count; /* there is room for all */
	size_t inline_len;
	int fd;
	ociwp_hasher *hasher;
};

static void save_source(struct saving *saving, const ociwp_source *source)
{
	/* What may change again under the same times is not remembered. */
	int64_t newest = saving->cache->opened - OCIWP_RACY_SECONDS;
	if (source->kind != OCIWP_SOURCE_FILE || !source->known ||
	    !ociwp_file_stamp_is_before(&source->stamp, newest))
		return;
	saving->files[saving->count++] =
	        (struct saved_file){path_key(source->from.path), source};
	if (source->size <= OCIWP_INLINE_MAX)
		saving->inline_len += (size_t)source->size;
}

static bool save_draft(struct saving *saving, const ociwp_draft *draft)
{
	size_t room = 0;
	for (size_t i = 0; i < draft->component_count; i++)
		room += 1 + draft->components[i].dependency_count +
		        draft->components[i].trigger_count + draft->components[i].file_count;
	saving->files = ociwp_calloc(room, sizeof(*saving->files));
	if (!saving->files)
		return false;
	for (size_t i = 0; i < draft->component_count; i++) {
		const ociwp_draft_component *component = &draft->components[i];
		save_source(saving, &component->wasm);
		for (size_t j = 0; j < component->dependency_count; j++)
			save_source(saving, &component->dependencies[j]);
		for (size_t j = 0; j < component->trigger_count; j++)
			save_source(saving, &component->triggers[j]);
		for (size_t j = 0; j < component->file_count; j++)
			save_source(saving, &component->files[j].source);
	}
	if (saving->count)
		qsort(saving->files, saving->count, sizeof(*saving->files), compare_keys);
	return true;
}

static bool put(struct saving *saving, const void *data, size_t len)
{
	if (len == 0)
		return true;
	ociwp_hasher_update(saving->hasher, data, len);
	return ociwp_write_full(saving->fd, data, len) == 0;
}

/* In blocks, as a call for each record would take long. */
static bool put_files(struct saving *saving)
{
	struct file_record block[128];
	size_t used = 0, inline_at = 0;
	for (size_t i = 0; i < saving->count; i++) {
		const struct saved_file *file = &saving->files[i];
		struct file_record *record = &block[used++];
		memset(record, 0, sizeof(*record));
		record->key = file->key;
		record->size = file->source->size;
		record->stamp = file->source->stamp;
		record->checked = file->source->checked;
		record->inline_at = (uint32_t)inline_at;
		memcpy(record->sha256, file->source->sha256, 32);
		if (file->source->size <= OCIWP_INLINE_MAX)
			inline_at += (size_t)file->source->size;
		if (used < OCIWP_ARRAY_LEN(block) && i + 1 < saving->count)
			continue;
		if (!put(saving, block, used * sizeof(*block)))
			return false;
		used = 0;
	}
	return true;
}

static bool put_inlined(struct saving *saving)
{
	OCIWP_AUTO(buf) ociwp_buf inlined = OCIWP_BUF_INIT;
	for (size_t i = 0; i < saving->count; i++) {
		const ociwp_source *source = saving->files[i].source;
		if (source->size <= OCIWP_INLINE_MAX)
			ociwp_buf_append(&inlined, source->bytes, (size_t)source->size);
	}
	return !inlined.failed && put(saving, inlined.data, inlined.len);
}

static bool write_index(struct saving *saving)
{
	const ociwp_pack_cache *cache = saving->cache;
	struct header header = {MAGIC,
	                        VERSION,
	                        BYTE_ORDER_MARK,
	                        sizeof(struct file_record),
	                        sizeof(struct layer_record),
	                        saving->count,
	                        cache->used_count,
	                        saving->inline_len};
	ociw_digest digest;
	if (saving->inline_len > UINT32_MAX ||
	    ociwp_hasher_new(OCIW_DIGEST_SHA256, &saving->hasher, NULL) < 0 ||
	    !put(saving, &header, sizeof(header)) || !put_files(saving) ||
	    !put(saving, cache->used, cache->used_count * sizeof(*cache->used)) || !put_inlined(saving))
		return false;
	ociwp_hasher_final(saving->hasher, &digest);
	return ociwp_write_full(saving->fd, digest.bytes, 32) == 0;
}

static bool is_used(const ociwp_pack_cache *cache, const char *name)
{
	for (size_t i = 0; i < cache->used_count; i++) {
		OCIWP_AUTO(str) char *path = blob_path(cache, cache->used[i].digest);
		if (path && ociwp_streq(ociwp_path_basename(path), name))
			return true;
	}
	return false;
}

/* Blobs that no layer needs now, and what dead runs left. Whoever reads a dropped blob just now has it
 * open. */
static void drop_unused(const ociwp_pack_cache *cache)
{
	DIR *dir = opendir(cache->dir);
	struct dirent *entry;
	while (dir && (entry = readdir(dir)) != NULL)
		if (ociwp_ends_with(entry->d_name, ".gz") && !is_used(cache, entry->d_name))
			unlinkat(dirfd(dir), entry->d_name, 0);
		else if (ociwp_starts_with(entry->d_name, TEMPORARY))
			drop_if_dead(dirfd(dir), entry->d_name);
	if (dir)
		closedir(dir);
}

void ociwp_pack_cache_save(ociwp_pack_cache *cache, const ociwp_draft *draft)
{
	struct saving saving = {.cache = cache};
	OCIWP_AUTO(str) char *path = ociwp_path_join(cache->dir, "index");
	OCIWP_AUTO(str) char *temporary = NULL;
	if (atomic_load(&cache->misses) == 0 && cache->used_count == cache->layer_count)
		return; /* it says all of this already */
	OCIWP_AUTO(fd) int fd = path ? open_temporary(cache, &temporary) : -1;
	if (fd < 0)
		return;
	saving.fd = fd;
	bool written = save_draft(&saving, draft) && write_index(&saving);
	if (!written || rename(temporary, path) < 0)
		unlink(temporary);
	else
		drop_unused(cache);
	ociwp_pack_cache_prune(cache->dir, cache->opened);
	free(saving.files);
	ociwp_hasher_free(saving.hasher);
}
