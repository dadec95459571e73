/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a program and lets its n-th system call fail, or kills it there. A seccomp filter stops the
 * program at the calls that matter and at no others, so that a run costs little more than without.
 * What the dynamic loader does is not counted: it ends where the program's entry point is reached.
 *
 * usage: fail-call REPORT N ERROR COMMAND [ARGUMENT]...
 *
 * N counts from 1; 0 fails nothing. ERROR is a name below, or KILL. The file REPORT gets one line: the
 * name of the call that failed, or "-" and how many there were when the n-th was not reached.
 * Pauses take no time, so that what is tried again is tried at once.
 * The status is the program's, 128 + SIGNAL when one ended it, 125 when this tool itself fails.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

typedef struct named {
	const char *name;
	int number;
} named;

/* Files, sockets, memory maps and threads. Left out is what cannot give these errors or is the C
 * library's own book-keeping: futex, signal masks, brk, munmap, clocks. */
#define CALL(name) {#name, SYS_##name}
static const named calls[] = {
	CALL(accept4), CALL(access), CALL(bind), CALL(chdir), CALL(chmod), CALL(chown),
	CALL(clock_nanosleep), CALL(clone), CALL(clone3), CALL(close), CALL(connect),
	CALL(copy_file_range), CALL(dup), CALL(epoll_create1), CALL(epoll_ctl), CALL(epoll_wait),
	CALL(eventfd2), CALL(execve), CALL(faccessat), CALL(faccessat2), CALL(fallocate), CALL(fchdir),
	CALL(fchmod), CALL(fchmodat), CALL(fchown), CALL(fchownat), CALL(fcntl), CALL(fdatasync),
	CALL(fgetxattr), CALL(flistxattr), CALL(flock), CALL(fork), CALL(fsetxattr), CALL(fstat),
	CALL(fstatfs), CALL(fsync), CALL(ftruncate), CALL(getcwd), CALL(getdents64),
	CALL(getpeername), CALL(getrandom), CALL(getsockname), CALL(getsockopt), CALL(ioctl),
	CALL(link), CALL(linkat), CALL(listen), CALL(lseek), CALL(lstat), CALL(memfd_create),
	CALL(mkdir), CALL(mkdirat), CALL(mknodat), CALL(mmap), CALL(newfstatat), CALL(open),
	CALL(openat), CALL(openat2), CALL(pipe2), CALL(poll), CALL(pread64), CALL(pwrite64),
	CALL(read), CALL(readlink), CALL(readlinkat), CALL(readv), CALL(recvfrom), CALL(recvmmsg),
	CALL(recvmsg), CALL(rename), CALL(renameat), CALL(renameat2), CALL(rmdir), CALL(sendfile),
	CALL(sendmmsg), CALL(sendmsg), CALL(sendto), CALL(setsockopt), CALL(shutdown), CALL(socket),
	CALL(socketpair), CALL(stat), CALL(statfs), CALL(statx), CALL(symlink), CALL(symlinkat),
	CALL(sync_file_range), CALL(syncfs), CALL(truncate), CALL(unlink), CALL(unlinkat),
	CALL(utimensat), CALL(vfork), CALL(write), CALL(writev),
};

static const named errors[] = {
	{"KILL", 0},	      {"EIO", EIO},	  {"ENOSPC", ENOSPC}, {"EMFILE", EMFILE},
	{"EINTR", EINTR},     {"EACCES", EACCES}, {"EDQUOT", EDQUOT}, {"ENOMEM", ENOMEM},
	{"EAGAIN", EAGAIN},
};

static void die(const char *what)
{
	fprintf(stderr, "fail-call: %s: %s\n", what, strerror(errno));
	exit(125);
}

static const char *call_name(long number)
{
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		if (calls[i].number == number)
			return calls[i].name;
	return "?";
}

static void write_report(const char *path, const char *format, ...)
{
	va_list values;
	FILE *file = fopen(path, "we");
	if (!file)
		die(path);
	va_start(values, format);
	vfprintf(file, format, values);
	va_end(values);
	if (fclose(file) != 0)
		die(path);
}

/* --- the program ------------------------------------------------------------------------------ */

static void install_filter(void)
{
	struct sock_filter code[ARRAY_LEN(calls) + 6];
	size_t n = 0;
	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, arch));
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		code[n++] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)calls[i].number,
			(uint8_t)(ARRAY_LEN(calls) - i), 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	const struct sock_fprog program = {(unsigned short)n, code};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		die("seccomp");
}

static void be_program(char **argv)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
		die("ptrace");
	raise(SIGSTOP);
	install_filter();
	execvp(argv[0], argv);
	die(argv[0]);
}

/* --- the entry point -------------------------------------------------------------------------- */

typedef struct entry {
	uintptr_t address;
	long word;
	bool reached;
} entry;

static void set_breakpoint(pid_t pid, entry *e)
{
	char path[64];
	Elf64_auxv_t aux[64];
	snprintf(path, sizeof(path), "/proc/%d/auxv", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, aux, sizeof(aux));
	if (len < 0)
		die(path);
	close(fd);
	for (size_t i = 0; i < (size_t)len / sizeof(aux[0]); i++)
		if (aux[i].a_type == AT_ENTRY)
			e->address = aux[i].a_un.a_val;
	errno = 0;
	e->word = ptrace(PTRACE_PEEKTEXT, pid, (void *)e->address, NULL);
	if (errno != 0 ||
	    ptrace(PTRACE_POKETEXT, pid, (void *)e->address, (void *)((e->word & ~0xffL) | 0xcc)) != 0)
		die("breakpoint");
}

/* True when this stop was the breakpoint, which is gone then. */
static bool at_entry(pid_t pid, entry *e)
{
	struct user_regs_struct regs;
	if (e->reached || ptrace(PTRACE_GETREGS, pid, NULL, &regs) != 0 || regs.rip != e->address + 1)
		return false;
	regs.rip = e->address;
	if (ptrace(PTRACE_POKETEXT, pid, (void *)e->address, (void *)e->word) != 0 ||
	    ptrace(PTRACE_SETREGS, pid, NULL, &regs) != 0)
		die("breakpoint");
	e->reached = true;
	return true;
}

/* --- calls ------------------------------------------------------------------------------------ */

typedef struct fault {
	unsigned long wanted, seen;
	int error; /* 0: kill */
	bool failed;
	const char *report;
	pid_t program;
	pid_t closing; /* the thread whose close() is to look as if it had failed, or 0 */
} fault;

/* The call is not made; this is its result. */
static void answer(pid_t pid, struct user_regs_struct *regs, int result)
{
	regs->orig_rax = (unsigned long long)-1;
	regs->rax = (unsigned long long)result;
	ptrace(PTRACE_SETREGS, pid, NULL, regs);
}

/* At the door of a call. Gives how the thread goes on. */
static int at_call(pid_t pid, fault *f)
{
	struct user_regs_struct regs;
	if (ptrace(PTRACE_GETREGS, pid, NULL, &regs) != 0)
		return PTRACE_CONT;
	if (regs.orig_rax == SYS_clock_nanosleep) {
		answer(pid, &regs, 0);
		return PTRACE_CONT;
	}
	/* Flags of a descriptor can always be read and set. */
	if (regs.orig_rax == SYS_fcntl && (regs.rsi == F_GETFD || regs.rsi == F_SETFD ||
					   regs.rsi == F_GETFL || regs.rsi == F_SETFL))
		return PTRACE_CONT;
	if (++f->seen != f->wanted)
		return PTRACE_CONT;
	f->failed = true;
	/* At once: the program may hang from here on. */
	write_report(f->report, "%s\n", call_name((long)regs.orig_rax));
	if (f->error == 0) {
		kill(f->program, SIGKILL);
		return PTRACE_CONT;
	}
	if (regs.orig_rax == SYS_close) {
		/* Whatever close() says, the descriptor is gone. */
		f->closing = pid;
		return PTRACE_SYSCALL;
	}
	answer(pid, &regs, -f->error);
	return PTRACE_CONT;
}

static void after_close(pid_t pid, fault *f)
{
	struct user_regs_struct regs;
	f->closing = 0;
	if (ptrace(PTRACE_GETREGS, pid, NULL, &regs) != 0)
		return;
	regs.rax = (unsigned long long)-f->error;
	ptrace(PTRACE_SETREGS, pid, NULL, &regs);
}

/* --- the loop --------------------------------------------------------------------------------- */

/* One stop of a thread; gives how it goes on, and the signal that it gets. */
static int at_stop(pid_t pid, int status, fault *f, entry *e, int *deliver)
{
	const int event = status >> 16, sig = WSTOPSIG(status);
	*deliver = 0;
	if (event == PTRACE_EVENT_SECCOMP)
		return e->reached ? at_call(pid, f) : PTRACE_CONT;
	if (event == PTRACE_EVENT_EXEC) {
		if (pid == f->program && !e->reached)
			set_breakpoint(pid, e);
	} else if (sig == (SIGTRAP | 0x80)) {
		if (pid == f->closing)
			after_close(pid, f);
	} else if (event == 0 && sig != SIGSTOP && !(sig == SIGTRAP && at_entry(pid, e))) {
		*deliver = sig;
	}
	return PTRACE_CONT;
}

static int trace(fault *f)
{
	entry e = {0};
	int status = 0, result = 125;
	pid_t pid;
	if (waitpid(f->program, &status, 0) != f->program || !WIFSTOPPED(status))
		die("wait");
	if (ptrace(PTRACE_SETOPTIONS, f->program, NULL,
		   (void *)(PTRACE_O_EXITKILL | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEEXEC |
			    PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
			    PTRACE_O_TRACESYSGOOD)) != 0)
		die("ptrace options");
	ptrace(PTRACE_CONT, f->program, NULL, NULL);
	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		if (WIFSTOPPED(status)) {
			int deliver = 0;
			int how = at_stop(pid, status, f, &e, &deliver);
			ptrace(how, pid, NULL, (void *)(intptr_t)deliver);
		} else if (pid == f->program) {
			result = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
		}
	}
	return result;
}

int main(int argc, char **argv)
{
	fault f = {0};
	size_t i = 0;
	if (argc < 5) {
		fprintf(stderr, "usage: fail-call REPORT N ERROR COMMAND [ARGUMENT]...\n");
		return 125;
	}
	f.report = argv[1];
	f.wanted = strtoul(argv[2], NULL, 10);
	while (i < ARRAY_LEN(errors) && strcmp(errors[i].name, argv[3]) != 0)
		i++;
	if (i == ARRAY_LEN(errors)) {
		fprintf(stderr, "fail-call: unknown error %s\n", argv[3]);
		return 125;
	}
	f.error = errors[i].number;
	f.program = fork();
	if (f.program < 0)
		die("fork");
	if (f.program == 0)
		be_program(argv + 4);
	int result = trace(&f);
	if (!f.failed)
		write_report(f.report, "- %lu\n", f.seen);
	return result;
}
