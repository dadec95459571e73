/* SPDX-License-Identifier: Apache-2.0
 *
 * What nobody can save who unpacks a gzip layer, each part alone: inflating it, hashing its bytes,
 * making and writing its files with their times. Prints the processor time of each in microseconds:
 * "inflate hash files". One stream cannot be inflated by two cores, so on two of them no unpacker is
 * faster than the larger of inflate and half of the sum.
 *
 * usage: bench-bound LAYER FOLDER     FOLDER exists and is empty
 */
#include "archive/tar-reader.h"
#include "base/buf.h"
#include "io/inflate.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define GZIP_HEADER 10 /* without a name, as image.py writes it */

typedef struct made {
	char *path;
	uint64_t size;
	bool directory;
} made;

typedef struct made_list {
	made *items;
	size_t count;
} made_list;

static uint8_t window[256 << 10];

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "bench-bound: %s\n", what);
	exit(1);
}

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void read_all(const char *path, ociwp_buf *out)
{
	static char piece[65536];
	FILE *file = fopen(path, "rb");
	if (!file)
		die(path);
	for (size_t n; (n = fread(piece, 1, sizeof(piece), file)) > 0;)
		ociwp_buf_append(out, piece, n);
	fclose(file);
	if (out->failed)
		die("out of memory");
	if (out->len < GZIP_HEADER || memcmp(out->data, "\x1f\x8b\x08\0", 4) != 0)
		die("no plain gzip");
}

static int64_t inflate_alone(const ociwp_buf *gzip)
{
	int64_t begin = now();
	ociwp_inflate *inflate = NULL;
	const uint8_t *in = (const uint8_t *)gzip->data + GZIP_HEADER;
	size_t left = gzip->len - GZIP_HEADER;
	bool ended = false;
	if (ociwp_inflate_new(OCIWP_INFLATE_AUTO, &inflate, NULL) < 0)
		die("inflate");
	while (!ended) {
		size_t piece = left < 64 << 10 ? left : 64 << 10, before = piece;
		if (ociwp_inflate_run(inflate, &in, &piece, window, sizeof(window), &ended, NULL) < 0)
			die("inflate");
		left -= before - piece;
	}
	ociwp_inflate_free(inflate);
	return now() - begin;
}

static int64_t hash_alone(const ociwp_buf *gzip)
{
	int64_t begin = now();
	ociw_digest digest;
	if (ociw_digest_bytes(OCIW_DIGEST_SHA256, ociwp_buf_span(gzip), &digest, NULL) < 0)
		die("hash");
	return now() - begin;
}

static void list(const ociwp_buf *gzip, made_list *out)
{
	ociw_reader *memory = NULL, *plain = NULL;
	ociwp_tar_reader *tar = NULL;
	const ociwp_tar_entry *entry;
	size_t room = 0;
	int r;
	if (ociw_reader_new_memory(ociwp_buf_span(gzip), &memory, NULL) < 0 ||
	    ociwp_reader_gunzip(memory, NULL, &plain, NULL) < 0 ||
	    ociwp_tar_reader_new(plain, NULL, &tar, NULL) < 0)
		die("tar");
	while ((r = ociwp_tar_reader_next(tar, &entry, NULL)) > 0) {
		if (out->count == room) {
			room = room ? 2 * room : 1024;
			out->items = realloc(out->items, room * sizeof(*out->items));
			if (!out->items)
				die("out of memory");
		}
		made *item = &out->items[out->count++];
		*item = (made){strdup(entry->path), entry->size, entry->type == OCIWP_TAR_DIRECTORY};
		if (!item->path)
			die("out of memory");
	}
	if (r < 0 || ociwp_tar_reader_close(tar, NULL) < 0)
		die("tar");
}

static void make_file(const made *item, const struct timespec times[2])
{
	int fd = open(item->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		die(item->path);
	for (uint64_t left = item->size; left > 0;) {
		ssize_t n = write(fd, window, left < sizeof(window) ? (size_t)left : sizeof(window));
		if (n <= 0)
			die("write");
		left -= (uint64_t)n;
	}
	if (futimens(fd, times) != 0 || close(fd) != 0)
		die(item->path);
}

static int64_t files_alone(const made_list *files)
{
	const struct timespec times[2] = {{1600000000, 0}, {1600000000, 0}};
	int64_t begin = now();
	for (size_t i = 0; i < files->count; i++) {
		if (!files->items[i].directory)
			make_file(&files->items[i], times);
		else if (mkdir(files->items[i].path, 0755) != 0)
			die(files->items[i].path);
	}
	return now() - begin;
}

int main(int argc, char **argv)
{
	ociwp_buf gzip = OCIWP_BUF_INIT;
	made_list files = {0};
	if (argc != 3)
		die("usage: bench-bound LAYER FOLDER");
	read_all(argv[1], &gzip);
	list(&gzip, &files);
	if (chdir(argv[2]) != 0)
		die(argv[2]);
	int64_t inflate = inflate_alone(&gzip), hash = hash_alone(&gzip), wrote = files_alone(&files);
	printf("%lld %lld %lld\n", (long long)inflate, (long long)hash, (long long)wrote);
	ociwp_buf_deinit(&gzip);
	for (size_t i = 0; i < files.count; i++)
		free(files.items[i].path);
	free(files.items);
	return 0;
}
