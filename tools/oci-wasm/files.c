/* SPDX-License-Identifier: Apache-2.0
 *
 * Small files in, blobs out.
 */
#include "files.h"
#include "exit-status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail_errno(struct tool *tool, const char *what, const char *path)
{
	int errnum = errno;

	progress_clear(tool->progress);
	fprintf(stderr, "oci-wasm: %s \"", what);
	print_escaped(stderr, path);
	fprintf(stderr, "\": %s\n", strerror(errnum));
	return errnum == ENOENT ? EXIT_NOT_FOUND : EXIT_OTHER;
}

int read_file(struct tool *tool, const char *path, uint64_t max, char **out, size_t *out_len)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rbe");
	size_t len = 0, cap = 1 << 16;
	char *data = file ? malloc(cap) : NULL;

	if (!data)
		return fail_errno(tool, "cannot open", path);
	for (;;) {
		len += fread(data + len, 1, cap - len, file);
		if (len < cap || len > max)
			break;
		char *grown = realloc(data, cap *= 2);
		if (!grown)
			break;
		data = grown;
	}
	int status = 0;
	if (ferror(file))
		status = fail_errno(tool, "cannot read", path);
	else if (len > max) {
		fprintf(stderr, "oci-wasm: \"%s\" has more than %llu bytes\n", path,
			(unsigned long long)max);
		status = EXIT_LIMIT;
	}
	if (file != stdin)
		fclose(file);
	if (status != 0) {
		free(data);
		return status;
	}
	*out = data;
	*out_len = len;
	return 0;
}

static int copy_bytes(ociw_reader *reader, FILE *out, ociw_error **err)
{
	static const size_t step = 256 * 1024;
	char *buf = malloc(step);
	ptrdiff_t n = buf ? 1 : OCIW_ERR_NOMEM;

	while (n > 0) {
		n = ociw_reader_read(reader, buf, step, err);
		if (n > 0 && fwrite(buf, 1, (size_t)n, out) != (size_t)n)
			break;
	}
	free(buf);
	return n > 0 ? 1 : (int)n; /* 1: the output failed */
}

/* A device or pipe is written to. Renamed over, /dev/null would be a file from then on. */
static bool is_special(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

int write_stream(struct tool *tool, ociw_reader *take_reader, const char *path)
{
	bool to_stdout = strcmp(path, "-") == 0;
	ociw_error *err = NULL;
	char *partial = NULL;
	FILE *out = stdout;

	if (!to_stdout && is_special(path)) {
		out = fopen(path, "we");
		if (!out) {
			(void)ociw_reader_close(take_reader, NULL);
			return fail_errno(tool, "cannot open", path);
		}
	} else if (!to_stdout) {
		if (asprintf(&partial, "%s.%ld.partial", path, (long)getpid()) < 0)
			partial = NULL;
		out = partial ? fopen(partial, "wbxe") : NULL;
		if (!out) {
			(void)ociw_reader_close(take_reader, NULL);
			int status = fail_errno(tool, "cannot create", partial ? partial : path);
			free(partial);
			return status;
		}
	}
	int r = copy_bytes(take_reader, out, &err);
	int closed = ociw_reader_close(take_reader, r == 0 ? &err : NULL);
	int status = 0;
	if (r < 0 || (r == 0 && closed < 0))
		status = tool_fail(tool, err);
	else if (r > 0 || fflush(out) != 0)
		status = fail_errno(tool, "cannot write", path);
	if (!to_stdout) {
		bool failed = fclose(out) != 0 && status == 0;
		if (failed || (status == 0 && partial && rename(partial, path) != 0))
			status = fail_errno(tool, "cannot write", path);
		if (status != 0 && partial)
			unlink(partial);
	}
	free(partial);
	return status;
}

int spool_input(struct tool *tool, FILE **out, char path[SPOOL_PATH_MAX])
{
	char block[1 << 14];
	FILE *file = tmpfile();
	size_t n;

	if (!file)
		return fail_errno(tool, "cannot make", "a temporary file");
	while ((n = fread(block, 1, sizeof(block), stdin)) > 0) {
		if (fwrite(block, 1, n, file) != n)
			break;
	}
	if (ferror(stdin) || n > 0 || fflush(file) != 0) {
		int status = fail_errno(tool, "cannot keep", "standard input");
		fclose(file);
		return status;
	}
	snprintf(path, SPOOL_PATH_MAX, "/proc/self/fd/%d", fileno(file));
	*out = file;
	return 0;
}
