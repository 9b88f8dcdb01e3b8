/* SPDX-License-Identifier: MIT */
#include "crash.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/elf.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Theory of operation. The host program is a child that calls the library, under ptrace(2) of a
 * process in between: whatever that one still traces when it ends goes on by itself, as a
 * monitor must. It is stopped at each system call; those that calls.c names are counted, and
 * at the chosen one it is killed before the call happens, or the call is left out and fails.
 * Nothing that happens between two such calls makes a difference that could be seen, so that
 * these are all the points that there are.
 */

enum { LIMIT_S = 15, TRACEES = 64 };

/* ---- allocations --------------------------------------------------------- */

/* The C library's own allocator under its other names: this program's malloc() is the one that
 * everybody calls. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);

static struct {
	struct outcome *outcome; /* NULL: not counted */
	const struct fault *fault;
} allocations;

static bool allocation_fails(void)
{
	const struct fault *fault = allocations.fault;
	struct way way;
	uint64_t chain;
	uint32_t nth;

	if (!allocations.outcome || allocations.outcome->hit)
		return false;
	way.top = allocations.outcome->way.top;
	chain = chain_here(&way);
	nth = chain_pass(&allocations.outcome->passed, chain, NULL);
	if (chain != fault->chain || nth != fault->nth)
		return false;
	allocations.outcome->hit = true;
	allocations.outcome->way = way;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return allocation_fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return allocation_fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	return allocation_fails() ? NULL : __libc_realloc(p, size);
}

/* ---- registers ----------------------------------------------------------- */

#if defined(__x86_64__)
static void skip_call(pid_t pid)
{
	struct user_regs_struct regs;

	(void)ptrace(PTRACE_GETREGS, pid, NULL, &regs);
	regs.orig_rax = (unsigned long long)-1;
	(void)ptrace(PTRACE_SETREGS, pid, NULL, &regs);
}

static void set_result(pid_t pid, long result)
{
	struct user_regs_struct regs;

	(void)ptrace(PTRACE_GETREGS, pid, NULL, &regs);
	regs.rax = (unsigned long long)result;
	(void)ptrace(PTRACE_SETREGS, pid, NULL, &regs);
}
#elif defined(__aarch64__)
static void skip_call(pid_t pid)
{
	int none = -1;
	struct iovec iov = {&none, sizeof(none)};

	(void)ptrace(PTRACE_SETREGSET, pid, (void *)NT_ARM_SYSTEM_CALL, &iov);
}

static void set_result(pid_t pid, long result)
{
	struct user_pt_regs regs;
	struct iovec iov = {&regs, sizeof(regs)};

	(void)ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &iov);
	regs.regs[0] = (unsigned long long)result;
	(void)ptrace(PTRACE_SETREGSET, pid, (void *)NT_PRSTATUS, &iov);
}
#else
#error "which register has a system call's number?"
#endif

/* ---- the tracer ---------------------------------------------------------- */

struct tracee {
	pid_t pid;
	int fails_with; /* the call that it is in was left out */
};

struct tracer {
	const struct fault *fault;
	pid_t host;
	struct outcome *outcome;
	struct tracee tracees[TRACEES];
};

static struct tracee *tracee_of(struct tracer *t, pid_t pid)
{
	struct tracee *empty = NULL;

	for (size_t i = 0; i < TRACEES; i++) {
		if (t->tracees[i].pid == pid)
			return &t->tracees[i];
		if (t->tracees[i].pid == 0 && !empty)
			empty = &t->tracees[i];
	}
	if (!empty)
		abort();
	*empty = (struct tracee){.pid = pid};
	return empty;
}

/* Threads have the host's thread group, and die with it; what it has started has another. */
static bool is_host(const struct tracer *t, pid_t pid)
{
	char path[64];

	if (pid == t->host)
		return true;
	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d", t->host, pid);
	return access(path, F_OK) == 0;
}

/* Of the chains only those that lead to the call in question are worth the time. */
static bool counts(const struct tracer *t, const struct call *call, const uint64_t args[6])
{
	if (t->fault->kind == FAULT_ERROR)
		return t->fault->nth == 0 || call == t->fault->call;
	return call_changes(call, args);
}

/* A call begins. */
static void on_entry(struct tracer *t, struct tracee *tracee, const struct call *call,
		     const uint64_t args[6])
{
	const struct fault *fault = t->fault;
	bool fails = fault->kind == FAULT_ERROR;
	struct way way = {.top = t->outcome->way.top};
	uint64_t chain;
	uint32_t nth;

	if (t->outcome->hit || is_host(t, tracee->pid) == (fault->kind == FAULT_HELPER) ||
	    !counts(t, call, args))
		return;
	chain = fails ? chain_of(tracee->pid, call, &way) : FAULT_ANYWHERE;
	nth = chain_pass(&t->outcome->passed, chain, fails ? call : NULL);
	if (chain != fault->chain || nth != fault->nth)
		return;
	t->outcome->hit = true;
	t->outcome->way = way;
	(void)snprintf(t->outcome->where, sizeof(t->outcome->where), "%s", call->name);
	if (fails) {
		tracee->fails_with = fault->error;
		skip_call(tracee->pid);
	} else {
		(void)kill(fault->kind == FAULT_HELPER ? tracee->pid : t->host, SIGKILL);
	}
}

static void on_call(struct tracer *t, pid_t pid)
{
	struct __ptrace_syscall_info info;
	struct tracee *tracee = tracee_of(t, pid);
	const struct call *call;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info), &info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		call = call_find((long)info.entry.nr, (const uint64_t *)info.entry.args);
		if (call)
			on_entry(t, tracee, call, (const uint64_t *)info.entry.args);
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT && tracee->fails_with) {
		set_result(pid, -tracee->fails_with);
		tracee->fails_with = 0;
	}
}

static void forget(struct tracer *t, pid_t pid)
{
	tracee_of(t, pid)->pid = 0;
}

/* A process that became the container's program is not the library's any more. */
static bool is_ours(pid_t pid)
{
	char path[64], target[64] = "";

	(void)snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	return readlink(path, target, sizeof(target) - 1) > 0 && strstr(target, "/memfd:lcx");
}

static void on_stop(struct tracer *t, pid_t pid, int status)
{
	int signal = WSTOPSIG(status), event = status >> 16;

	if (signal == (SIGTRAP | 0x80)) {
		on_call(t, pid);
		signal = 0;
	} else if (event == PTRACE_EVENT_EXEC && pid != t->host && !is_ours(pid)) {
		forget(t, pid);
		(void)ptrace(PTRACE_DETACH, pid, NULL, NULL);
		return;
	} else if (event != 0) {
		/* A group stop is not something that happens here. */
		signal = 0;
	}
	/* After the fault nobody asks any more, and it is quicker without. */
	(void)ptrace(t->outcome->hit && !tracee_of(t, pid)->fails_with ? PTRACE_CONT
								       : PTRACE_SYSCALL,
		     pid, NULL, (void *)(intptr_t)signal);
}

static volatile sig_atomic_t late;

static void on_alarm(int signal)
{
	(void)signal;
	late = 1;
}

static void trace(struct tracer *t)
{
	int status;
	pid_t pid;

	for (;;) {
		pid = waitpid(-1, &status, __WALL);
		if (pid < 0 && errno == EINTR && late) {
			t->outcome->hung = true;
			(void)kill(t->host, SIGKILL);
			late = 0;
			continue;
		}
		if (pid < 0)
			return;
		if (WIFSTOPPED(status)) {
			on_stop(t, pid, status);
			continue;
		}
		forget(t, pid);
		if (pid != t->host)
			continue;
		t->outcome->status = status;
		return;
	}
}

/* Never inlined: what is above it is not the same in each run. */
__attribute__((noinline)) static void host(const struct fault *fault, int (*work)(void),
					   struct outcome *outcome)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	outcome->way.top = (uint64_t)(uintptr_t)__builtin_return_address(0);
	(void)dup2(null_fd, 0);
	(void)dup2(null_fd, 1);
	if (fault->kind == FAULT_ALLOC) {
		allocations.fault = fault;
		allocations.outcome = outcome;
	} else {
		(void)raise(SIGSTOP);
	}
	_exit(work() < 0 ? 1 : 0);
}

/* In a process of its own; its end lets go of everybody. */
static void tracer(const struct fault *fault, int (*work)(void), struct outcome *outcome)
{
	struct tracer t = {.fault = fault, .outcome = outcome};
	struct sigaction action = {.sa_handler = on_alarm};
	long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;
	int status;

	(void)sigaction(SIGALRM, &action, NULL);
	t.host = fork();
	if (t.host == 0)
		host(fault, work, outcome);
	(void)alarm(LIMIT_S);
	if (fault->kind != FAULT_ALLOC) {
		if (fault->kind == FAULT_HELPER)
			options |= PTRACE_O_TRACEVFORK | PTRACE_O_TRACEFORK;
		(void)waitpid(t.host, &status, WUNTRACED);
		if (ptrace(PTRACE_SEIZE, t.host, NULL, (void *)options) < 0)
			_exit(3);
		(void)kill(t.host, SIGCONT);
	}
	trace(&t);
	_exit(0);
}

const struct outcome *run_with_fault(const struct fault *fault, int (*work)(void))
{
	static struct outcome *shared;
	int status;
	pid_t pid;

	if (shared)
		(void)munmap(shared, sizeof(*shared));
	else
		(void)chain_here(
			&(struct way){0}); /* what it loads at first is there from then on */
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		abort();
	pid = fork();
	if (pid == 0)
		tracer(fault, work, shared);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		abort();
	return shared;
}
