/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs `PROGRAM compose --dep PACKAGE=FILE... -o OUT SCRIPT` without a shell, with nothing on stdin
 * and its stdout on our stderr (ours is data), and stops it when we are stopped. specs/spin.md 3.7.
 */
#include "compose.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* 0 or an errno. A group of its own, so that what it starts is stopped with it. */
static int spawn(char **argv, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
	                                        POSIX_SPAWN_SETPGROUP);
	int e = posix_spawnp(pid, argv[0], &actions, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return e;
}

/* The end of the program; OCIW_ERR_CANCELLED after stopping it when we are to stop. */
static int wait_for(pid_t pid, const ociw_cancel *cancel, int *status, ociw_error **err)
{
	for (;;) {
		pid_t got = waitpid(pid, status, WNOHANG);
		if (got == pid)
			return 0;
		if (got < 0 && errno != EINTR)
			return ociw_error_set(err, OCIW_ERR_IO, "waitpid: %s", strerror(errno));
		if (ociw_cancel_triggered(cancel)) {
			kill(-pid, SIGKILL);
			while (waitpid(pid, status, 0) < 0 && errno == EINTR)
				;
			return ociw_error_set(err, OCIW_ERR_CANCELLED, "cancelled");
		}
		struct timespec ts = {0, 5000000};
		nanosleep(&ts, NULL);
	}
}

static int judge(const char *program, int status, ociw_error **err)
{
	if (WIFSIGNALED(status))
		return ociw_error_set(err, OCIW_ERR_UNSUPPORTED, "%s compose was ended by signal %d",
		                      program, WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		return ociw_error_set(err, OCIW_ERR_UNSUPPORTED, "%s compose ended with status %d",
		                      program, WEXITSTATUS(status));
	return 0;
}

static int run(const struct composer *composer, char **argv, ociw_error **err)
{
	pid_t pid;
	int status = 0;

	progress_clear(composer->tool->progress);
	int e = spawn(argv, &pid);
	if (e == ENOENT || e == ENOTDIR)
		return ociw_error_set(
		        err, OCIW_ERR_NOTFOUND,
		        "there is no program %s: install it, name another with "
		        "--compose, or pack dependencies as they are with --no-compose",
		        composer->program);
	if (e != 0)
		return ociw_error_set(err, OCIW_ERR_IO, "run %s: %s", composer->program,
		                      strerror(e));
	int r = wait_for(pid, composer->tool->cancel, &status, err);
	return r < 0 ? r : judge(composer->program, status, err);
}

static int write_script(const ociw_composition *what, ociw_error **err)
{
	int fd = open(what->script_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	bool failed = !file || fputs(what->script, file) == EOF;

	if (file)
		failed |= fclose(file) != 0;
	else if (fd >= 0)
		close(fd);
	return failed ? ociw_error_set(err, OCIW_ERR_IO, "write %s: %s", what->script_path,
	                               strerror(errno))
	              : 0;
}

/* The arguments, and which of them are ours to free. */
struct arguments {
	char **argv;
	char **values; /* of --dep */
	size_t value_count;
};

static void free_arguments(struct arguments *arguments)
{
	for (size_t i = 0; i < arguments->value_count; i++)
		free(arguments->values[i]);
	free(arguments->values);
	free(arguments->argv);
}

/* program compose (--dep PACKAGE=PATH)... -o OUT SCRIPT NULL; false without memory. */
static bool make_arguments(const struct composer *composer, const ociw_composition *what,
                           struct arguments *out)
{
	size_t n = 0;

	out->argv = calloc(what->part_count + 3, 2 * sizeof(*out->argv));
	out->values = calloc(what->part_count + 1, sizeof(*out->values));
	if (!out->argv || !out->values)
		return false;
	out->argv[n++] = (char *)composer->program;
	out->argv[n++] = (char *)"compose";
	for (size_t i = 0; i < what->part_count; i++) {
		char **value = &out->values[i];
		if (asprintf(value, "%s=%s", what->parts[i].package, what->parts[i].path) < 0) {
			*value = NULL;
			return false;
		}
		out->value_count++;
		out->argv[n++] = (char *)"--dep";
		out->argv[n++] = *value;
	}
	out->argv[n++] = (char *)"-o";
	out->argv[n++] = (char *)what->out_path;
	out->argv[n++] = (char *)what->script_path;
	return true;
}

int compose_component(const ociw_composition *what, void *user_data, ociw_error **err)
{
	const struct composer *composer = user_data;
	struct arguments arguments = {0};
	int r;

	if (make_arguments(composer, what, &arguments)) {
		r = write_script(what, err);
		if (r == 0)
			r = run(composer, arguments.argv, err);
	} else {
		r = ociw_error_set(err, OCIW_ERR_NOMEM, "out of memory");
	}
	free_arguments(&arguments);
	return r;
}
