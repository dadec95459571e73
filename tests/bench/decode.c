/* SPDX-License-Identifier: Apache-2.0
 *
 * How fast layers are decoded: the inflate engines alone, the gunzip reader, gunzip and tar
 * together, tar alone. Makes its own data; a gzip'ed tar can be named instead. Prints best of five;
 * judges nothing.
 */
#include "archive/tar-reader.h"
#include "archive/tar-writer.h"
#include "base/buf.h"
#include "io/inflate.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define ROUNDS 5

static void die(const char *what)
{
	fprintf(stderr, "bench-decode: %s failed\n", what);
	exit(1);
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* other work on the machine counts less */
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Text of words with a skewed distribution, and noise in between: about 3 : 1, as layers are. */
static void fill(char *data, size_t len, uint32_t *seed)
{
	static const char words[] =
	        "the function return const module export import async let data "
	        "memory table index local type value string number object array ";
	for (size_t at = 0; at < len;) {
		*seed = *seed * 1664525u + 1013904223u;
		uint32_t r = *seed >> 8;
		size_t n = 0;
		if (r % 16 == 0) {
			for (n = 0; n < 8 && at + n < len; n++)
				data[at + n] =
				        (char)((*seed = *seed * 1664525u + 1013904223u) >> 24);
		} else {
			size_t from = (r >> 4) * (uint64_t)(r >> 6 & 0xff) % (sizeof(words) - 24);
			n = 4 + (r >> 20) % 12;
			n = n < len - at ? n : len - at;
			memcpy(data + at, words + from, n);
		}
		at += n;
	}
}

static void make_tar(ociwp_buf *out, size_t files, size_t size)
{
	ociw_writer *sink = NULL;
	ociwp_tar_writer *tar = NULL;
	uint32_t seed = 1;
	char *data = ociwp_malloc(size + 1);
	if (!data || ociwp_writer_new_buf(out, UINT64_MAX, &sink, NULL) < 0 ||
	    ociwp_tar_writer_new(sink, &tar, NULL) < 0)
		die("tar writer");
	for (size_t i = 0; i < files; i++) {
		char name[64];
		snprintf(name, sizeof(name), "assets/site/d%zu/file-%zu.js", i % 97, i);
		fill(data, size, &seed);
		if (ociwp_tar_writer_file(tar, name, 0644, size, NULL) < 0 ||
		    ociwp_tar_writer_data(tar, data, size, NULL) < 0)
			die("tar writer");
	}
	if (ociwp_tar_writer_finish(tar, NULL) < 0 || ociw_writer_commit(sink, NULL) < 0)
		die("tar writer");
	free(data);
}

static void gzip_all(const ociwp_buf *plain, ociwp_buf *out)
{
	ociw_writer *sink = NULL, *gzip = NULL;
	if (ociwp_writer_new_buf(out, UINT64_MAX, &sink, NULL) < 0 ||
	    ociwp_writer_gzip(sink, &gzip, NULL) < 0 ||
	    ociw_writer_write(gzip, plain->data, plain->len, NULL) < 0 ||
	    ociw_writer_commit(gzip, NULL) < 0)
		die("gzip");
}

static ociw_reader *open_memory(const ociwp_buf *buf)
{
	ociw_reader *reader = NULL;
	if (ociw_reader_new_memory(ociwp_buf_span(buf), &reader, NULL) < 0)
		die("reader");
	return reader;
}

/* What the others are measured against: no header, no CRC, no limits. */
static uint64_t run_raw(const ociwp_buf *gzip)
{
	static uint8_t out[256 << 10];
	ociwp_inflate *inflate = NULL;
	const uint8_t *in = (const uint8_t *)gzip->data + 10;
	size_t left = gzip->len - 10;
	uint64_t total = 0;
	bool ended = false;
	if (ociwp_inflate_new(OCIWP_INFLATE_AUTO, &inflate, NULL) < 0)
		die("inflate");
	while (!ended) {
		size_t piece = left < 64 << 10 ? left : 64 << 10, before = piece;
		ptrdiff_t n =
		        ociwp_inflate_run(inflate, &in, &piece, out, sizeof(out), &ended, NULL);
		if (n < 0)
			die("inflate");
		left -= before - piece;
		total += (uint64_t)n;
	}
	ociwp_inflate_free(inflate);
	return total;
}

static uint64_t run_gunzip(const ociwp_buf *gzip, ociwp_inflate_engine engine)
{
	static uint8_t out[256 << 10];
	ociw_reader *reader = NULL;
	uint64_t total = 0;
	ptrdiff_t n;
	if (ociwp_reader_gunzip_by(engine, open_memory(gzip), NULL, &reader, NULL) < 0)
		die("gunzip");
	while ((n = ociw_reader_read(reader, out, sizeof(out), NULL)) > 0)
		total += (uint64_t)n;
	if (n < 0 || ociw_reader_close(reader, NULL) < 0)
		die("gunzip");
	return total;
}

/* Every byte of every body is looked at by address only, as a writer to disk would get it. */
static uint64_t run_tar(ociw_reader *from, uint64_t *entries)
{
	ociwp_tar_reader *tar = NULL;
	const ociwp_tar_entry *entry;
	const void *data;
	uint64_t total = 0;
	ptrdiff_t n;
	int r;
	*entries = 0;
	if (ociwp_tar_reader_new(from, NULL, &tar, NULL) < 0)
		die("tar reader");
	while ((r = ociwp_tar_reader_next(tar, &entry, NULL)) > 0) {
		++*entries;
		while ((n = ociwp_tar_reader_peek(tar, &data, NULL)) > 0)
			total += (uint64_t)n;
		if (n < 0)
			die("tar reader");
	}
	if (r < 0 || ociwp_tar_reader_close(tar, NULL) < 0)
		die("tar reader");
	return total;
}

enum what { RAW, GUNZIP, GUNZIP_ZLIB, GUNZIP_TAR, TAR };

static double best_of(enum what what, const ociwp_buf *in, uint64_t *entries)
{
	double best = 1e9;
	for (int round = 0; round < ROUNDS; round++) {
		double start = now();
		ociw_reader *reader = NULL;
		switch (what) {
		case RAW:
			(void)run_raw(in);
			break;
		case GUNZIP:
			(void)run_gunzip(in, OCIWP_INFLATE_AUTO);
			break;
		case GUNZIP_ZLIB:
			(void)run_gunzip(in, OCIWP_INFLATE_ZLIB);
			break;
		case GUNZIP_TAR:
			if (ociwp_reader_gunzip(open_memory(in), NULL, &reader, NULL) < 0)
				die("gunzip");
			(void)run_tar(reader, entries);
			break;
		case TAR:
			(void)run_tar(open_memory(in), entries);
			break;
		}
		double took = now() - start;
		best = took < best ? took : best;
	}
	return best;
}

static void report(const char *name, const ociwp_buf *plain, const ociwp_buf *gzip)
{
	uint64_t entries = 0;
	double mb = (double)run_gunzip(gzip, OCIWP_INFLATE_AUTO) / 1e6;
	double raw = best_of(RAW, gzip, NULL), gunzip = best_of(GUNZIP, gzip, NULL);
	double zlib = best_of(GUNZIP_ZLIB, gzip, NULL), both = best_of(GUNZIP_TAR, gzip, &entries);
	printf("%s: %.0f MB, %.0f MB compressed, %llu entries\n", name, mb, (double)gzip->len / 1e6,
	       (unsigned long long)entries);
	printf("  engine alone    %6.0f MB/s\n", mb / raw);
	printf("  gunzip          %6.0f MB/s  %.2fx the engine's time\n", mb / gunzip,
	       gunzip / raw);
	printf("  gunzip by zlib  %6.0f MB/s\n", mb / zlib);
	printf("  gunzip and tar  %6.0f MB/s  %.2fx\n", mb / both, both / raw);
	if (plain) {
		double tar = best_of(TAR, plain, &entries);
		printf("  tar alone       %6.0f MB/s  %.2f million entries/s\n", mb / tar,
		       (double)entries / tar / 1e6);
	}
}

static void report_file(const char *path)
{
	ociwp_buf gzip = OCIWP_BUF_INIT;
	FILE *file = fopen(path, "rb");
	char piece[65536];
	if (!file)
		die(path);
	for (size_t n; (n = fread(piece, 1, sizeof(piece), file)) > 0;)
		ociwp_buf_append(&gzip, piece, n);
	fclose(file);
	report(path, NULL, &gzip);
	ociwp_buf_deinit(&gzip);
}

static void report_made(const char *name, size_t files, size_t size)
{
	ociwp_buf plain = OCIWP_BUF_INIT, gzip = OCIWP_BUF_INIT;
	make_tar(&plain, files, size);
	gzip_all(&plain, &gzip);
	report(name, &plain, &gzip);
	ociwp_buf_deinit(&plain);
	ociwp_buf_deinit(&gzip);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		report_file(argv[i]);
	if (argc == 1) {
		report_made("large files", 16, 4 << 20);
		report_made("small files", 40000, 700);
	}
	return 0;
}
