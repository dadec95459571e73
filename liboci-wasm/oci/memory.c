/* SPDX-License-Identifier: Apache-2.0
 *
 * A content made by the library itself: a map from digest to where the bytes are. Knows files only
 * as places to read from; judges no path and parses nothing.
 */
#include "oci/memory.h"
#include "base/map.h"
#include "base/str.h"
#include "io/stream.h"
#include "oci/descriptor.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

enum blob_kind { BLOB_BYTES, BLOB_FILE, BLOB_RANGE, BLOB_FOREIGN };

struct blob {
	enum blob_kind kind;
	uint64_t size;
	union {
		struct {
			ociwp_file_stamp stamp;
		} file;
		struct {
			int fd; /* of memory->spools */
			uint64_t offset;
		} range;
		ociw_content *foreign;
	} u;
	char data[]; /* the bytes, or the path of the file */
};

/* One open file that ranges point into, told apart by what it is, not by its number. */
struct spool {
	int fd;
	dev_t device;
	ino_t inode;
};

struct name {
	char *text; /* or NULL */
	ociw_descriptor *desc;
};

struct ociwp_memory {
	char *label;
	pthread_mutex_t mutex; /* of blobs and spools: both grow while some are being sent */
	ociwp_map *blobs;      /* digest -> struct blob, which never changes */
	struct spool *spools;
	size_t spool_count;
	struct name *names;
	size_t name_count;
	void *held; /* freed last */
	void (*release)(void *held);
};

#define SECOND INT64_C(1000000000)

static int64_t nanoseconds(const struct timespec *time)
{
	int64_t out;
	if (ociwp_mul_ok((int64_t)time->tv_sec, SECOND, &out) &&
	    ociwp_add_ok(out, (int64_t)time->tv_nsec, &out))
		return out;
	return time->tv_sec < 0 ? INT64_MIN : INT64_MAX;
}

void ociwp_file_stamp_of(const struct stat *st, ociwp_file_stamp *out)
{
	*out = (ociwp_file_stamp){
	        .device = (uint64_t)st->st_dev,
	        .inode = (uint64_t)st->st_ino,
	        .mtime = nanoseconds(&st->st_mtim),
	        .ctime = nanoseconds(&st->st_ctim),
	};
}

bool ociwp_file_stamp_equal(const ociwp_file_stamp *a, const ociwp_file_stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->mtime == b->mtime &&
	       a->ctime == b->ctime;
}

bool ociwp_file_stamp_fits(const ociwp_file_stamp *stamp, uint64_t size, const struct stat *st)
{
	ociwp_file_stamp now;
	ociwp_file_stamp_of(st, &now);
	return ociwp_file_stamp_equal(stamp, &now) && (uint64_t)st->st_size == size;
}

bool ociwp_file_stamp_is_before(const ociwp_file_stamp *stamp, int64_t seconds)
{
	int64_t limit;
	return ociwp_mul_ok(seconds, SECOND, &limit) && stamp->mtime < limit && stamp->ctime < limit;
}

int ociwp_memory_new(const char *label, ociwp_memory **out, ociw_error **err)
{
	OCIWP_AUTO(memory) ociwp_memory *memory = ociwp_new(ociwp_memory);
	if (!memory)
		return ociwp_nomem(err);
	pthread_mutex_init(&memory->mutex, NULL);
	memory->label = ociwp_strdup(label);
	memory->blobs = ociwp_map_new(free);
	if (!memory->label || !memory->blobs)
		return ociwp_nomem(err);
	*out = ociwp_steal(&memory);
	return 0;
}

void ociwp_memory_free(ociwp_memory *memory)
{
	if (!memory)
		return;
	free(memory->label);
	ociwp_map_free(memory->blobs);
	for (size_t i = 0; i < memory->spool_count; i++)
		close(memory->spools[i].fd);
	free(memory->spools);
	for (size_t i = 0; i < memory->name_count; i++) {
		free(memory->names[i].text);
		ociw_descriptor_free(memory->names[i].desc);
	}
	free(memory->names);
	if (memory->release)
		memory->release(memory->held);
	pthread_mutex_destroy(&memory->mutex);
	free(memory);
}

static void unlock(pthread_mutex_t **mutex)
{
	pthread_mutex_unlock(*mutex);
}

/* Holds the mutex to the end of the block. */
#define LOCKED(memory)                                                                             \
	__attribute__((cleanup(unlock))) pthread_mutex_t *locked = &(memory)->mutex;               \
	pthread_mutex_lock(locked)

static const struct blob *find_blob(ociwp_memory *memory, const char *digest)
{
	LOCKED(memory);
	return ociwp_map_get(memory->blobs, digest);
}

bool ociwp_memory_has(ociwp_memory *memory, const char *digest)
{
	return find_blob(memory, digest) != NULL;
}

/* Finds out whether the digest is there: *out is its blob or NULL; another size is an error. */
static int find_same(const ociwp_memory *memory, const ociw_descriptor *desc, struct blob **out,
                     ociw_error **err)
{
	*out = ociwp_map_get(memory->blobs, desc->digest);
	if (*out && (*out)->size != desc->size)
		return ociwp_fail(err, OCIW_ERR_SIZE,
		                  "two blobs of digest %s, of %llu and %llu bytes", desc->digest,
		                  (unsigned long long)(*out)->size, (unsigned long long)desc->size);
	return 0;
}

/* A new blob with a copy of @p len bytes behind it and a NUL. */
static struct blob *blob_new(enum blob_kind kind, uint64_t size, const void *data, size_t len)
{
	size_t total;
	if (!ociwp_add_ok(sizeof(struct blob) + 1, len, &total))
		return NULL;
	struct blob *blob = ociwp_malloc(total);
	if (!blob)
		return NULL;
	memset(blob, 0, sizeof(*blob));
	blob->kind = kind;
	blob->size = size;
	if (len)
		memcpy(blob->data, data, len);
	blob->data[len] = '\0';
	return blob;
}

static int blob_insert(ociwp_memory *memory, const ociw_descriptor *desc, struct blob *take_blob,
                       ociw_error **err)
{
	if (!take_blob)
		return ociwp_nomem(err);
	if (!ociwp_map_set(memory->blobs, desc->digest, take_blob)) {
		free(take_blob);
		return ociwp_nomem(err);
	}
	return 0;
}

int ociwp_memory_add_bytes(ociwp_memory *memory, const ociw_descriptor *desc, ociw_span bytes,
                           ociw_error **err)
{
	LOCKED(memory);
	struct blob *same;
	int r = find_same(memory, desc, &same, err);
	if (r < 0 || same)
		return r;
	if (desc->size != bytes.len)
		return ociwp_fail(err, OCIW_ERR_SIZE, "blob %s has %zu bytes, expected %llu",
		                  desc->digest, bytes.len, (unsigned long long)desc->size);
	return blob_insert(memory, desc, blob_new(BLOB_BYTES, desc->size, bytes.data, bytes.len),
	                   err);
}

int ociwp_memory_add_file(ociwp_memory *memory, const ociw_descriptor *desc, const char *path,
                          const ociwp_file_stamp *stamp, ociw_error **err)
{
	LOCKED(memory);
	struct blob *same;
	int r = find_same(memory, desc, &same, err);
	if (r < 0 || same)
		return r;
	ociwp_file_stamp now;
	if (!stamp) {
		struct stat st;
		if (stat(path, &st) < 0)
			return ociwp_fail_errno(err, errno, "stat %s", ociwp_quote(path));
		ociwp_file_stamp_of(&st, &now);
		stamp = &now;
	}
	struct blob *blob = blob_new(BLOB_FILE, desc->size, path, strlen(path));
	if (blob)
		blob->u.file.stamp = *stamp;
	return blob_insert(memory, desc, blob, err);
}

/* Our own descriptor of the file behind @p fd. */
static int spool_get(ociwp_memory *memory, int fd, int *out, ociw_error **err)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return ociwp_fail_errno(err, errno, "stat of a spool file");
	for (size_t i = 0; i < memory->spool_count; i++) {
		const struct spool *spool = &memory->spools[i];
		if (spool->device == st.st_dev && spool->inode == st.st_ino) {
			*out = spool->fd;
			return 0;
		}
	}
	struct spool *grown =
	        ociwp_realloc_array(memory->spools, memory->spool_count + 1, sizeof(*grown));
	if (!grown)
		return ociwp_nomem(err);
	memory->spools = grown;
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (copy < 0)
		return ociwp_fail_errno(err, errno, "duplicate a spool file");
	grown[memory->spool_count++] = (struct spool){copy, st.st_dev, st.st_ino};
	*out = copy;
	return 0;
}

int ociwp_memory_add_range(ociwp_memory *memory, const ociw_descriptor *desc, int fd,
                           uint64_t offset, ociw_error **err)
{
	LOCKED(memory);
	struct blob *same;
	int r = find_same(memory, desc, &same, err);
	if (r < 0 || same)
		return r;
	uint64_t end;
	if (!ociwp_add_ok(offset, desc->size, &end))
		return ociwp_fail(err, OCIW_ERR_INVALID, "blob %s ends past the largest offset",
		                  desc->digest);
	int own = -1;
	r = spool_get(memory, fd, &own, err);
	if (r < 0)
		return r;
	struct blob *blob = blob_new(BLOB_RANGE, desc->size, NULL, 0);
	if (blob) {
		blob->u.range.fd = own;
		blob->u.range.offset = offset;
	}
	return blob_insert(memory, desc, blob, err);
}

int ociwp_memory_add_foreign(ociwp_memory *memory, const ociw_descriptor *desc,
                             ociw_content *borrowed, ociw_error **err)
{
	LOCKED(memory);
	struct blob *same;
	int r = find_same(memory, desc, &same, err);
	if (r < 0 || same)
		return r;
	struct blob *blob = blob_new(BLOB_FOREIGN, desc->size, NULL, 0);
	if (blob)
		blob->u.foreign = borrowed;
	return blob_insert(memory, desc, blob, err);
}

int ociwp_memory_add_manifest(ociwp_memory *memory, const ociw_descriptor *desc, ociw_span bytes,
                              const char *name, ociw_error **err)
{
	int r = ociwp_memory_add_bytes(memory, desc, bytes, err);
	if (r < 0)
		return r;
	for (size_t i = 0; name && i < memory->name_count; i++)
		if (ociwp_streq(memory->names[i].text, name))
			return ociwp_fail(err, OCIW_ERR_EXISTS, "two images named %s",
			                  ociwp_quote(name));
	struct name *grown =
	        ociwp_realloc_array(memory->names, memory->name_count + 1, sizeof(*grown));
	if (!grown)
		return ociwp_nomem(err);
	memory->names = grown;
	struct name *slot = &grown[memory->name_count];
	*slot = (struct name){NULL, NULL};
	OCIWP_AUTO(str) char *text = name ? ociwp_strdup(name) : NULL;
	if (name && !text)
		return ociwp_nomem(err);
	r = ociw_descriptor_dup(desc, &slot->desc, err);
	if (r < 0)
		return r;
	slot->text = ociwp_steal(&text);
	memory->name_count++;
	return 0;
}

void ociwp_memory_prefer(ociwp_memory *memory, const char *name)
{
	for (size_t i = 1; i < memory->name_count; i++) {
		if (!ociwp_streq(memory->names[i].text, name))
			continue;
		struct name preferred = memory->names[i];
		memmove(&memory->names[1], &memory->names[0], i * sizeof(preferred));
		memory->names[0] = preferred;
		return;
	}
}

/* --- reading a file that may have changed since it was hashed --- */

struct file_reader {
	int fd;
	bool judged;
	uint64_t size, left;
	ociwp_file_stamp stamp;
	ociwp_hasher *hasher; /* only when the file no longer looks as it did */
	char digest[OCIW_DIGEST_TEXT_MAX];
	char path[];
};

/* At the end of the file: is it still the one that was hashed? */
static int file_judge(struct file_reader *file, ociw_error **err)
{
	if (file->hasher) {
		ociw_digest got;
		char text[OCIW_DIGEST_TEXT_MAX];
		ociwp_hasher_final(file->hasher, &got);
		ociwp_hasher_free(ociwp_steal(&file->hasher));
		ociw_digest_format(&got, text);
		if (!ociwp_streq(text, file->digest))
			return ociwp_fail(
			        err, OCIW_ERR_DIGEST,
			        "%s changed since it was packed: digest is %s, expected %s",
			        ociwp_quote(file->path), text, file->digest);
		return 0;
	}
	struct stat st;
	if (fstat(file->fd, &st) < 0)
		return ociwp_fail_errno(err, errno, "stat %s", ociwp_quote(file->path));
	ociwp_file_stamp now;
	ociwp_file_stamp_of(&st, &now);
	if ((uint64_t)st.st_size != file->size || now.mtime != file->stamp.mtime)
		return ociwp_fail(err, OCIW_ERR_DIGEST, "%s changed while it was read",
		                  ociwp_quote(file->path));
	return 0;
}

static ptrdiff_t file_read(void *self, void *buf, size_t len, ociw_error **err)
{
	struct file_reader *file = self;
	if (file->left == 0) {
		if (file->judged)
			return 0;
		file->judged = true;
		return file_judge(file, err);
	}
	if (len > file->left)
		len = (size_t)file->left;
	ssize_t got;
	do {
		got = read(file->fd, buf, len);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return ociwp_fail_errno(err, errno, "read %s", ociwp_quote(file->path));
	if (got == 0)
		return ociwp_fail(err, OCIW_ERR_SIZE,
		                  "%s changed since it was packed: %llu bytes are missing",
		                  ociwp_quote(file->path), (unsigned long long)file->left);
	if (file->hasher)
		ociwp_hasher_update(file->hasher, buf, (size_t)got);
	file->left -= (uint64_t)got;
	return got;
}

static int file_close(void *self, ociw_error **err)
{
	(void)err;
	struct file_reader *file = self;
	close(file->fd);
	ociwp_hasher_free(file->hasher);
	free(file);
	return 0;
}

static const ociw_reader_ops file_reader_ops = {sizeof(ociw_reader_ops), file_read, file_close};

/* Opens the file and compares it with its stamp. O_NONBLOCK: a FIFO in its place must not hang. */
static int file_check(const struct blob *blob, int *out_fd, bool *out_same, ociw_error **err)
{
	OCIWP_AUTO(fd) int fd = open(blob->data, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return ociwp_fail_errno(err, errno, "open %s", ociwp_quote(blob->data));
	struct stat st;
	if (fstat(fd, &st) < 0)
		return ociwp_fail_errno(err, errno, "stat %s", ociwp_quote(blob->data));
	if (!S_ISREG(st.st_mode))
		return ociwp_fail(err, OCIW_ERR_DIGEST,
		                  "%s changed since it was packed: it is no regular file now",
		                  ociwp_quote(blob->data));
	if ((uint64_t)st.st_size != blob->size)
		return ociwp_fail(err, OCIW_ERR_SIZE,
		                  "%s changed since it was packed: %llu bytes, expected %llu",
		                  ociwp_quote(blob->data), (unsigned long long)st.st_size,
		                  (unsigned long long)blob->size);
	*out_same = ociwp_file_stamp_fits(&blob->u.file.stamp, blob->size, &st);
	*out_fd = ociwp_steal_fd(&fd);
	return 0;
}

static int file_open(const struct blob *blob, const ociw_descriptor *desc, uint64_t offset,
                     ociw_reader **out, ociw_error **err)
{
	OCIWP_AUTO(fd) int fd = -1;
	bool same = false;
	int r = file_check(blob, &fd, &same, err);
	if (r < 0)
		return r;
	/* Half a changed file cannot be judged: what was sent before came from another one. */
	if (!same && offset > 0)
		return ociwp_fail(err, OCIW_ERR_DIGEST, "%s changed since it was packed",
		                  ociwp_quote(blob->data));
	if (offset > 0 && lseek(fd, (off_t)offset, SEEK_SET) < 0)
		return ociwp_fail_errno(err, errno, "seek in %s", ociwp_quote(blob->data));
	OCIWP_AUTO(hasher) ociwp_hasher *hasher = NULL;
	ociw_digest want;
	r = ociw_digest_parse(desc->digest, &want, err);
	if (r == 0 && !same)
		r = ociwp_hasher_new((ociw_digest_algorithm)want.algorithm, &hasher, err);
	if (r < 0)
		return r;
	size_t path_size = strlen(blob->data) + 1;
	struct file_reader *file = ociwp_malloc(sizeof(*file) + path_size);
	if (!file)
		return ociwp_nomem(err);
	*file = (struct file_reader){
	        .fd = ociwp_steal_fd(&fd),
	        .size = blob->size,
	        .left = blob->size - offset,
	        .stamp = blob->u.file.stamp,
	        .hasher = ociwp_steal(&hasher),
	};
	ociw_digest_format(&want, file->digest);
	memcpy(file->path, blob->data, path_size);
	return ociw_reader_new(&file_reader_ops, file, out, err);
}

/* --- the vtable --- */

static int memory_resolve(void *self, const char *name, const ociw_op *op, ociw_descriptor **out,
                          ociw_error **err)
{
	(void)op;
	const ociwp_memory *memory = self;
	for (size_t i = 0; i < memory->name_count; i++) {
		const struct name *entry = &memory->names[i];
		if (name ? (ociwp_streq(entry->text, name) ||
		            ociwp_streq(entry->desc->digest, name))
		         : entry->text != NULL)
			return ociw_descriptor_dup(entry->desc, out, err);
	}
	if (!name)
		return ociwp_fail(err, OCIW_ERR_NOTFOUND, "no image has a name");
	return ociwp_fail(err, OCIW_ERR_NOTFOUND, "no image is named %s", ociwp_quote(name));
}

/* Files are compared with what was hashed, or hashed; the rest is ours alone, and was hashed as it was
 * made. */
static bool memory_is_sure(void *self, const ociw_descriptor *desc)
{
	const struct blob *blob = find_blob(self, desc->digest);
	return blob && blob->kind != BLOB_FOREIGN;
}

static int memory_open(void *self, const ociw_descriptor *desc, uint64_t offset, const ociw_op *op,
                       ociw_reader **out, ociw_error **err)
{
	const struct blob *blob = find_blob(self, desc->digest);
	if (!blob)
		return ociwp_fail(err, OCIW_ERR_NOTFOUND, "blob %s is not there",
		                  ociwp_quote(desc->digest));
	if (offset > blob->size)
		return ociwp_fail(err, OCIW_ERR_INVALID, "offset %llu is past the end of blob %s",
		                  (unsigned long long)offset, desc->digest);
	switch (blob->kind) {
	case BLOB_BYTES:
		return ociw_reader_new_memory(
		        (ociw_span){blob->data + offset, (size_t)(blob->size - offset)}, out, err);
	case BLOB_FILE:
		return file_open(blob, desc, offset, out, err);
	case BLOB_RANGE:
		return ociwp_reader_new_file_range(blob->u.range.fd, blob->u.range.offset + offset,
		                                   blob->size - offset, out, err);
	case BLOB_FOREIGN:
		return ociwp_content_open_raw(blob->u.foreign, desc, offset, op, out, err);
	}
	return ociwp_fail(err, OCIW_ERR_INVALID, "blob of an unknown kind");
}

static int memory_list(void *self, const ociw_op *op, ociw_name_cb cb, void *user_data,
                       ociw_error **err)
{
	(void)op;
	(void)err;
	const ociwp_memory *memory = self;
	for (size_t i = 0; i < memory->name_count; i++) {
		int r = cb(memory->names[i].text, memory->names[i].desc, user_data);
		if (r != 0)
			return r;
	}
	return 0;
}

static int memory_blob_has(void *self, const ociw_descriptor *desc, const ociw_op *op, bool *out,
                           ociw_error **err)
{
	(void)op;
	(void)err;
	*out = ociwp_memory_has(self, desc->digest);
	return 0;
}

static void memory_release(void *self)
{
	ociwp_memory_free(self);
}

static int memory_stat(void *self, const char *digest, const ociw_op *op, uint64_t *size,
                       ociw_error **err)
{
	const struct blob *blob = find_blob(self, digest);

	(void)op;
	if (!blob)
		return ociwp_fail(err, OCIW_ERR_NOTFOUND, "blob %s is not there",
		                  ociwp_quote(digest));
	*size = blob->size;
	return 0;
}

static const ociwp_content_ops memory_ops = {
        .resolve = memory_resolve,
        .open = memory_open,
        .list = memory_list,
        .has = memory_blob_has,
        .stat = memory_stat,
        .sure = memory_is_sure,
        .free = memory_release,
};

void ociwp_memory_hold(ociw_content *content, void *owned, void (*release)(void *owned))
{
	ociwp_memory *memory = ociwp_content_self(content, &memory_ops);

	if (!memory) {
		release(owned);
		return;
	}
	memory->held = owned;
	memory->release = release;
}

static void view_release(void *self)
{
	(void)self; /* borrowed */
}

int ociwp_memory_view(ociwp_memory *borrowed, ociw_content **out, ociw_error **err)
{
	static const ociwp_content_ops view_ops = {.resolve = memory_resolve,
	                                           .open = memory_open,
	                                           .has = memory_blob_has,
	                                           .sure = memory_is_sure,
	                                           .free = view_release};
	return ociwp_content_new(&view_ops, borrowed, borrowed->label, out, err);
}

int ociwp_memory_publish(ociwp_memory *take_memory, ociw_content **out, ociw_error **err)
{
	OCIWP_AUTO(str) char *label = ociwp_strdup(take_memory->label);
	if (!label) {
		ociwp_memory_free(take_memory);
		return ociwp_nomem(err);
	}
	return ociwp_content_new(&memory_ops, take_memory, label, out, err);
}
