/* SPDX-License-Identifier: Apache-2.0
 *
 * Small files in, blobs out.
 */
#include "files.h"
#include "exit-status.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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

/* A pipe may be silent for long, and a signal that comes just before read() would be slept through. */
static ptrdiff_t read_input(void *self, void *buf, size_t len, ociw_error **err)
{
	const struct tool *tool = self;
	struct pollfd input = {STDIN_FILENO, POLLIN, 0};

	for (;;) {
		if (ociw_cancel_triggered(tool->cancel))
			return ociw_error_set(err, OCIW_ERR_CANCELLED, "interrupted");
		if (poll(&input, 1, 100) <= 0)
			continue;
		ssize_t n = read(STDIN_FILENO, buf, len);
		if (n >= 0)
			return n;
		if (errno != EINTR && errno != EAGAIN)
			return ociw_error_set(err, OCIW_ERR_IO, "read standard input: %s",
			                      strerror(errno));
	}
}

static int close_input(void *self, ociw_error **err)
{
	(void)self;
	(void)err;
	return 0;
}

int open_input(struct tool *tool, ociw_reader **out, ociw_error **err)
{
	static const ociw_reader_ops ops = {sizeof(ops), read_input, close_input};

	return ociw_reader_new(&ops, tool, out, err);
}
