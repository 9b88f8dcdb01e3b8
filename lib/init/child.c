/* SPDX-License-Identifier: MIT */
#include "init/child.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <signal.h>

#include "util/sys.h"

/*
 * Every source first gets a copy above all targets, then takes its place: no
 * order of dup() alone could do it when sources and targets overlap. Then
 * everything else of the host's is closed, whether O_CLOEXEC or not.
 */
static int place_descriptors(const struct lcx__child_start *start, int *program_fd)
{
	int copies[LCX__CHILD_MAX_FDS], n = start->n_sources, program;

	for (int i = 0; i < n; i++) {
		copies[i] = (int)sys_call3(__NR_fcntl, start->sources[i], F_DUPFD_CLOEXEC, n + 1);
		if (copies[i] < 0)
			return copies[i];
	}
	program = (int)sys_call3(__NR_fcntl, start->program_fd, F_DUPFD_CLOEXEC, n + 1);
	if (program < 0)
		return program;
	for (int i = 0; i < n; i++) {
		int r = (int)sys_call3(__NR_dup3, copies[i], i, 0);

		if (r < 0)
			return r;
	}
	*program_fd = (int)sys_call3(__NR_dup3, program, n, O_CLOEXEC);
	if (*program_fd < 0)
		return *program_fd;
	return sys_close_range((unsigned int)n + 1, ~0u, 0);
}

/*
 * In a new user namespace nobody has an id yet, and the exec of one who is not root drops all
 * capabilities, unless they are ambient: capabilities(7). lcx-init sets the program's own later.
 */
static int keep_capabilities(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];
	int r = (int)sys_call2(__NR_capget, &header, data);

	for (int i = 0; i < 2; i++)
		data[i].inheritable = data[i].permitted;
	if (r == 0)
		r = (int)sys_call2(__NR_capset, &header, data);
	for (int cap = 0; r == 0 && cap < 64; cap++)
		if (data[cap / 32].permitted & (1u << (cap % 32)))
			r = (int)sys_call5(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0,
					   0);
	return r;
}

static void child_main(struct lcx__child_start *start)
{
	const char *argv[] = {start->name, NULL}, *nothing[] = {NULL};
	/* That of a host is none of its business; the weakened library's says what is off. */
	const void *env = LCX_WEAKEN ? (const void *)environ : nothing;
	int program_fd, r = 0;

	if (start->users_fd >= 0)
		r = (int)sys_call2(__NR_setns, start->users_fd, CLONE_NEWUSER);
	if (r >= 0)
		r = place_descriptors(start, &program_fd);
	if (r >= 0 && start->new_user)
		r = keep_capabilities();
	if (r >= 0)
		r = (int)sys_call5(__NR_execveat, program_fd, "", argv, env, AT_EMPTY_PATH);
	start->error = r;
	for (;;)
		sys_call1(__NR_exit, 127);
}

/*
 * The system call and the child's first step are one piece of assembly: after it, the
 * child stands on another stack and must not return into a frame of the parent's.
 */
#if defined(__x86_64__)
static long clone_on_stack(long nr, long a, long b, long c, struct lcx__child_start *start)
{
	register long r10 __asm__("r10") = 0;
	register long r8 __asm__("r8") = 0;
	register uintptr_t function __asm__("r12") = (uintptr_t)child_main;
	register void *argument __asm__("r13") = start;
	long result;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "mov %%r13, %%rdi\n\t"
			 "call *%%r12\n\t"
			 "hlt\n"
			 "1:"
			 : "=a"(result)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(function),
			   "r"(argument)
			 : "rcx", "r11", "memory");
	return result;
}
#elif defined(__aarch64__)
static long clone_on_stack(long nr, long a, long b, long c, struct lcx__child_start *start)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = 0;
	register long x4 __asm__("x4") = 0;
	register uintptr_t function __asm__("x19") = (uintptr_t)child_main;
	register void *argument __asm__("x20") = start;

	__asm__ volatile("svc 0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov x29, #0\n\t"
			 "mov x0, x20\n\t"
			 "blr x19\n\t"
			 "brk #0\n"
			 "1:"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(function), "r"(argument)
			 : "x30", "memory");
	return x0;
}
#endif

int lcx__child_clone(uint64_t flags, int cgroup_fd, void *stack, struct lcx__child_start *start,
		     int *ret_pidfd)
{
	int pidfd = -1;
	struct sys_clone_args args = {
		.flags = flags | CLONE_VM | CLONE_VFORK | CLONE_PIDFD |
			 (cgroup_fd >= 0 ? CLONE_INTO_CGROUP : 0),
		.pidfd = (uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
		.stack = (uintptr_t)stack,
		.stack_size = LCX__CHILD_STACK_SIZE,
		.cgroup = (uint64_t)(cgroup_fd >= 0 ? cgroup_fd : 0),
	};
	long r = clone_on_stack(__NR_clone3, (long)&args, sizeof(args), 0, start);

	/* Seccomp filters that cannot look into clone3()'s arguments hide it behind ENOSYS. */
	if (r == -ENOSYS && cgroup_fd < 0)
		r = clone_on_stack(__NR_clone, (long)(args.flags | SIGCHLD),
				   (long)((char *)stack + LCX__CHILD_STACK_SIZE), (long)&pidfd,
				   start);
	if (r >= 0)
		*ret_pidfd = pidfd;
	return (int)r;
}
