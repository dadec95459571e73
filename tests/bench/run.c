/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs one command and writes what it took to a file: wall time in ns by the monotonic clock, user and
 * system time in us, peak memory in KiB. A program of its own because a child inherits the peak
 * memory of what forked it (a Python's would hide ours), and time(1) rounds to 10 ms.
 *
 * usage: bench-run FILE COMMAND [ARGUMENT...]     exits with the command's status
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t microseconds(struct timeval t)
{
	return (int64_t)t.tv_sec * 1000000 + t.tv_usec;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	int status;
	if (argc < 3) {
		fprintf(stderr, "usage: bench-run FILE COMMAND [ARGUMENT...]\n");
		return 2;
	}
	int64_t begin = now();
	pid_t child = fork();
	if (child == 0) {
		execvp(argv[2], argv + 2);
		perror(argv[2]);
		_exit(127);
	}
	if (child < 0 || wait4(child, &status, 0, &usage) != child) {
		perror("bench-run");
		return 1;
	}
	int64_t took = now() - begin;
	FILE *out = fopen(argv[1], "w");
	if (!out) {
		perror(argv[1]);
		return 1;
	}
	fprintf(out, "%" PRId64 " %" PRId64 " %" PRId64 " %ld\n", took, microseconds(usage.ru_utime),
		microseconds(usage.ru_stime), usage.ru_maxrss);
	if (fclose(out) != 0)
		return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
