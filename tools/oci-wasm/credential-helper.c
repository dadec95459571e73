/* SPDX-License-Identifier: Apache-2.0
 *
 * One run of a credential helper: posix_spawn, a socket for stdin, a pipe for stdout, a deadline.
 * It knows nothing of what is said. docker-credential-helpers; CRD-5.
 */
#include "credential-helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TIMEOUT_MS 30000
#define OUTPUT_MAX (64 * 1024)

extern char **environ;

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* A socket as stdin: a helper that does not read must not kill us with SIGPIPE. */
static int spawn(const char *name, const char *verb, int in, int out, pid_t *pid)
{
	char program[256];
	char *argv[] = {program, (char *)verb, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;

	int n = snprintf(program, sizeof(program), "docker-credential-%s", name);
	if (n < 0 || (size_t)n >= sizeof(program) || strchr(name, '/'))
		return EINVAL;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
	                                        POSIX_SPAWN_SETPGROUP);
	int e = posix_spawnp(pid, program, &actions, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return e;
}

/* The input is far smaller than a socket's buffer: one send takes it, or nobody reads. */
static void give_input(int fd, const char *input)
{
	size_t len = strlen(input);

	while (len > 0) {
		ssize_t n = send(fd, input, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		input += n;
		len -= (size_t)n;
	}
}

/* All of the output up to the cap; 0 or an errno. */
static int take_output(int fd, char *out, size_t *len)
{
	long long end = now_ms() + TIMEOUT_MS;

	for (;;) {
		struct pollfd p = {fd, POLLIN, 0};
		long long left = end - now_ms();
		int ready = left > 0 ? poll(&p, 1, (int)left) : 0;
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return ready < 0 ? errno : ETIMEDOUT;
		ssize_t n = read(fd, out + *len, OUTPUT_MAX - *len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? errno : 0;
		*len += (size_t)n;
		if (*len == OUTPUT_MAX)
			return EFBIG;
	}
}

/* A helper may close stdout and go on running: the deadline holds for its end too. */
static int wait_for(pid_t pid, int *status)
{
	long long end = now_ms() + TIMEOUT_MS;

	for (;;) {
		pid_t got = waitpid(pid, status, WNOHANG);
		if (got == pid)
			return 0;
		if (got < 0 && errno != EINTR)
			return errno;
		if (now_ms() > end)
			return ETIMEDOUT;
		struct timespec ts = {0, 5000000};
		nanosleep(&ts, NULL);
	}
}

static void stop(pid_t pid)
{
	int status;

	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
}

static enum helper_result talk(pid_t pid, int in, int out, const char *input, char *text,
                               size_t *len)
{
	int status = 0;

	give_input(in, input);
	shutdown(in, SHUT_WR);
	int e = take_output(out, text, len);
	if (e == 0)
		e = wait_for(pid, &status);
	if (e != 0) {
		stop(pid);
		errno = e;
		return HELPER_BROKEN;
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? HELPER_OK : HELPER_FAILED;
}

enum helper_result helper_run(const char *name, const char *verb, const char *input, char **out,
                              size_t *out_len)
{
	int in[2] = {-1, -1}, output[2] = {-1, -1};
	char *text = malloc(OUTPUT_MAX + 1);
	pid_t pid = -1;
	enum helper_result result = HELPER_BROKEN;

	*out = NULL;
	*out_len = 0;
	if (text && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) == 0 &&
	    pipe2(output, O_CLOEXEC) == 0) {
		int e = spawn(name, verb, in[1], output[1], &pid);
		close(in[1]);
		close(output[1]);
		in[1] = output[1] = -1;
		if (e == 0)
			result = talk(pid, in[0], output[0], input, text, out_len);
		else if (e == ENOENT)
			result = HELPER_MISSING;
		else
			errno = e;
	}
	int e = errno;
	for (int i = 0; i < 2; i++) {
		if (in[i] >= 0)
			close(in[i]);
		if (output[i] >= 0)
			close(output[i]);
	}
	if (text)
		text[*out_len] = 0;
	*out = text;
	errno = e;
	return result;
}
