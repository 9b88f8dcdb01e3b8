/* SPDX-License-Identifier: MIT */
#include "init/init.h"

#include <linux/sched.h>
#include <linux/signal.h>
#include <linux/time.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <asm/errno.h>

/*
 * The process starts with the descriptors of plan.h, all signals blocked by its
 * creator, and no argument that matters. It maps the plan, performs the
 * operations, and never returns: the last one executes the user's program.
 */

static init_op_fn *const operations[PLAN_N_CODES] = {
#define X(name, stage, text) [PLAN_##name] = init_op_##name,
	PLAN_OPS(X)
#undef X
};

#if LCX_WEAKEN
static uint32_t weakened;

uint32_t lcx__weakened(void)
{
	return weakened;
}
#endif

int init_send(struct init *init, const struct plan_message *message, int fd)
{
	return init_send_to(init->control_fd, message, fd);
}

static uint32_t op_index(const struct init *init)
{
	return (uint32_t)(init->op -
			  (const struct plan_op *)(init->base + sizeof(struct plan_header)));
}

/* What Landlock has the kernel answer EPERM to: hook_sb_mount() and hook_ptrace_access_check(). */
static bool is_landlocked(enum plan_code code)
{
	return code == PLAN_PROPAGATION || code == PLAN_ROOT_OVERLAY || code == PLAN_ROOT_BIND ||
	       code == PLAN_ROOT_TREE || code == PLAN_ROOT_HANDED || code == PLAN_MOUNT ||
	       code == PLAN_BIND || code == PLAN_SETNS;
}

_Noreturn void init_fail(struct init *init, int error)
{
	struct plan_message message = {
		.type = PLAN_MESSAGE_ERROR,
		.op = op_index(init),
		.error = -error,
		.code = init->op->code,
	};

	if (error == -EPERM && is_landlocked(init->op->code))
		init_explain_domain(init);
	(void)text_append(message.text, sizeof(message.text), init->detail);
	(void)init_send(init, &message, -1);
	/* Whoever opened the gate listens there; the packet is shorter than a pipe's atomic write.
	 */
	if (init->control_fd < 0 && init->failure_fd >= 0)
		sys_call3(__NR_write, init->failure_fd, &message, sizeof(message));
	/* The monitor must not take this for the end of the program. */
	if (init->monitor_fd >= 0)
		(void)init_send_to(init->monitor_fd, &message, -1);
	for (;;)
		sys_call1(__NR_exit_group, 255);
}

int init_fork(uint64_t flags, int exit_signal, int cgroup_fd, int *pidfd)
{
	struct sys_clone_args args = {
		.flags = flags | (pidfd ? CLONE_PIDFD : 0) |
			 (cgroup_fd >= 0 ? CLONE_INTO_CGROUP : 0),
		.pidfd = (uintptr_t)pidfd,
		.exit_signal = (uint64_t)exit_signal,
		.cgroup = (uint64_t)(cgroup_fd >= 0 ? cgroup_fd : 0),
	};
	int r = (int)sys_call2(__NR_clone3, &args, sizeof(args));

	/* A seccomp filter around us may hide clone3(2), whose flags it cannot see. */
	if (r == -ENOSYS && cgroup_fd < 0)
		r = (int)sys_call5(__NR_clone,
				   flags | (pidfd ? CLONE_PIDFD : 0) | (uint64_t)exit_signal, 0,
				   pidfd, 0, 0);
	return r;
}

/* SIGKILL and SIGSTOP answer EINVAL, which is as good. */
static void reset_signal(int sig)
{
	struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		uint64_t mask;
	} action = {0};

	sys_call4(__NR_rt_sigaction, sig, &action, 0, sizeof(action.mask));
}

void init_reset_signals(void)
{
	uint64_t none = 0;

	for (int sig = 1; sig <= 64; sig++)
		reset_signal(sig);
	sys_call4(__NR_rt_sigprocmask, SIG_SETMASK, &none, 0, sizeof(none));
}

char **init_vector(struct init *init, uint32_t offset, uint32_t n)
{
	uint64_t *vector = (void *)(init->base + offset);

	for (uint32_t i = 0; i < n; i++)
		vector[i] += (uintptr_t)init->base;
	return (char **)vector;
}

static uint64_t now_ns(void)
{
	struct {
		int64_t seconds, ns;
	} ts = {0, 0};

	sys_call2(__NR_clock_gettime, CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.seconds * 1000000000 + (uint64_t)ts.ns;
}

static void perform(struct init *init, bool trace)
{
	const struct plan_op *op = init->op;
	struct plan_message message = {.type = PLAN_MESSAGE_TRACE, .op = op_index(init)};
	uint64_t start = trace ? now_ns() : 0;
	int r = op->code < PLAN_N_CODES ? operations[op->code](init, op) : -EINVAL;

	if (r < 0 && !(op->flags & PLAN_F_IGNORE_ERRORS))
		init_fail(init, r);
	if (trace && init->control_fd >= 0) {
		message.ns = now_ns() - start;
		(void)init_send(init, &message, -1);
	}
}

static struct plan_header *map_plan(void)
{
	struct plan_header head;
	long r = sys_call4(__NR_pread64, PLAN_FD_PLAN, &head, sizeof(head), 0);

	if (r != sizeof(head) || head.magic != PLAN_MAGIC)
		return NULL;
	/* Private and writable: vectors are relocated in place, nobody else sees it. */
	r = sys_call6(__NR_mmap, 0, head.size, PROT_READ | PROT_WRITE, MAP_PRIVATE, PLAN_FD_PLAN,
		      0);
	return r < 0 && r > -4096 ? NULL : (struct plan_header *)r;
}

_Noreturn void init_main(void);
_Noreturn void init_main(void)
{
	struct plan_header *plan = map_plan();
	struct init init = {
		.base = (char *)plan,
		.control_fd = PLAN_FD_CONTROL,
		.monitor_fd = -1,
		.gate_fd = -1,
		.failure_fd = -1,
		.root_fd = -1,
		.tree_fd = -1,
		.staging_fd = -1,
		.null_fd = -1,
		.empty_fd = -1,
		.landlock_fd = -1,
		.state_fd = -1,
	};

#if LCX_WEAKEN
	weakened = plan ? plan->weakened : 0;
#endif
	/* What the library passed without O_CLOEXEC, to survive one exec, must not survive the
	 * next. */
	sys_close_range(PLAN_FD_CONTROL, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */);
	init.umask = (int)sys_call1(__NR_umask, 0);
	/* A host that ignores it hands that on, and nobody could ask how a child has ended. */
	reset_signal(SIGCHLD);
	/* Else a list of processes shows the memfd's name. */
	sys_call5(__NR_prctl, PR_SET_NAME, "lcx-init", 0, 0, 0);

	init.op = (struct plan_op *)(plan + 1);
	for (; plan && op_index(&init) < plan->n_ops; init.op++)
		perform(&init, plan->trace != 0);
	for (;;)
		sys_call1(__NR_exit_group, plan ? 0 : 255);
}

#if defined(__x86_64__)
__asm__(".globl _start\n"
	"_start:\n"
	"	xor %ebp, %ebp\n"
	"	and $-16, %rsp\n"
	"	call init_main\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n"
	"_start:\n"
	"	mov x29, #0\n"
	"	bl init_main\n");
#endif
