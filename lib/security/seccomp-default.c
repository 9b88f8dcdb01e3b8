/* SPDX-License-Identifier: MIT */
#include <linux/capability.h>
#include <string.h>

#include "security/seccomp.h"

/*
 * The default profile: what Docker's allows, as read in moby/profiles
 * seccomp/default.json of June 2026, and nothing more. Where this table differs it
 * is stricter, and says so. To follow a change there, change a row here.
 */

#define CAP(x) (UINT64_C(1) << CAP_##x)

/* One comparison of an argument; .op 0: none. */
struct compare {
	uint32_t index, op;
	uint64_t value, value_two;
};

struct default_rule {
	const char *names;             /* separated by blanks */
	uint64_t with_caps;            /* only with all of these */
	uint64_t without_caps;         /* not with any of these */
	const char *archs, *not_archs; /* separated by blanks */
	const char *min_kernel;
	struct compare compare;
	uint32_t deny_with; /* an error number; 0: allow */
};

/* Every flag of clone(2) that makes a namespace, but CLONE_NEWTIME, which clone(2) does not take.
 */
#define CLONE_NAMESPACES UINT64_C(0x7e020000)

#define LOW_BITS UINT64_C(0xffffffff)

static const struct default_rule rules[] = {
	/* Files: names, contents, metadata. */
	{"access chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 "
	 "faccessat faccessat2 fadvise64 fadvise64_64 fallocate fchdir fchmod fchmodat fchmodat2 "
	 "fchown fchown32 fchownat fcntl fcntl64 fdatasync flock fstat fstat64 fstatat64 fstatfs "
	 "fstatfs64 fsync ftruncate ftruncate64 futimesat getcwd getdents getdents64 ioctl lchown "
	 "lchown32 link linkat listmount _llseek lseek lstat lstat64 mkdir mkdirat mknod mknodat "
	 "name_to_handle_at newfstatat open openat openat2 pipe pipe2 pread64 preadv preadv2 "
	 "pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv rename renameat "
	 "renameat2 rmdir sendfile sendfile64 splice stat stat64 statfs statfs64 statmount statx "
	 "symlink symlinkat sync sync_file_range syncfs tee truncate truncate64 umask unlink "
	 "unlinkat utime utimensat utimensat_time64 utimes vmsplice write writev"},
	{"fgetxattr flistxattr fremovexattr fsetxattr getxattr getxattrat lgetxattr listxattr "
	 "listxattrat llistxattr lremovexattr lsetxattr removexattr removexattrat setxattr "
	 "setxattrat"},
	{"fanotify_mark inotify_add_watch inotify_init inotify_init1 inotify_rm_watch"},
	{"landlock_add_rule landlock_create_ruleset landlock_restrict_self"},

	/* Waiting for descriptors, and asynchronous input and output. */
	{"epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait "
	 "epoll_wait_old eventfd eventfd2 io_cancel io_destroy io_getevents io_pgetevents "
	 "io_pgetevents_time64 io_setup io_submit _newselect poll ppoll ppoll_time64 pselect6 "
	 "pselect6_time64 select signalfd signalfd4"},

	/* Memory. */
	{"brk cachestat madvise map_shadow_stack membarrier memfd_create memfd_secret mincore "
	 "mlock "
	 "mlock2 mlockall mmap mmap2 mprotect mremap mseal msync munlock munlockall munmap "
	 "pkey_alloc "
	 "pkey_free pkey_mprotect process_mrelease remap_file_pages"},

	/* Processes, threads, scheduling, identity. */
	{"execve execveat exit exit_group fork getcpu getpgid getpgrp getpid getppid getpriority "
	 "getrlimit get_robust_list getrusage getsid get_thread_area gettid ioprio_get ioprio_set "
	 "kill pause pidfd_open pidfd_send_signal prctl prlimit64 restart_syscall riscv_hwprobe "
	 "rseq "
	 "sched_getaffinity sched_getattr sched_getparam sched_get_priority_max "
	 "sched_get_priority_min sched_getscheduler sched_rr_get_interval "
	 "sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam "
	 "sched_setscheduler sched_yield seccomp setpgid setpriority setrlimit set_robust_list "
	 "setsid "
	 "set_thread_area set_tid_address sysinfo tgkill times tkill ugetrlimit uname uretprobe "
	 "vfork wait4 waitid waitpid"},
	{"capget capset getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 "
	 "getresgid getresgid32 getresuid getresuid32 getuid getuid32 setfsgid setfsgid32 setfsuid "
	 "setfsuid32 setgid setgid32 setgroups setgroups32 setregid setregid32 setresgid "
	 "setresgid32 "
	 "setresuid setresuid32 setreuid setreuid32 setuid setuid32"},

	/* Signals, clocks, timers. */
	{"rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend "
	 "rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack sigprocmask "
	 "sigreturn"},
	{"adjtimex alarm clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 "
	 "clock_gettime "
	 "clock_gettime64 clock_nanosleep clock_nanosleep_time64 getitimer gettimeofday nanosleep "
	 "setitimer time timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 "
	 "timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 "
	 "timerfd_settime timerfd_settime64"},

	/* Talking: sockets, futexes, System V and POSIX. */
	{"accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom "
	 "recvmmsg recvmmsg_time64 recvmsg send sendmmsg sendmsg sendto setsockopt shutdown "
	 "socketcall socketpair"},
	{"futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake ipc mq_getsetattr "
	 "mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend "
	 "mq_timedsend_time64 "
	 "mq_unlink msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 "
	 "shmat shmctl shmdt shmget"},
	{"getrandom"},

	/* Since 4.8 the kernel runs the filter after the tracer, which so can't get around it. */
	{"process_vm_readv process_vm_writev ptrace", .min_kernel = "4.8"},

	/*
	 * Sockets of every family but 38 (AF_ALG) and 40 (AF_VSOCK, which reaches the hypervisor).
	 * Stricter than Docker, whose comparisons look at 64 bits where the kernel takes 32, so
	 * that a number with a bit set above them gets through: here ranges of the low 32 bits are
	 * named, and families of 64 and more, which the kernel doesn't have, are refused.
	 */
	{"socket", .compare = {0, LCX__CMP_MASKED_EQ, LOW_BITS & ~UINT64_C(31), 0}},
	{"socket", .compare = {0, LCX__CMP_MASKED_EQ, LOW_BITS & ~UINT64_C(3), 32}},
	{"socket", .compare = {0, LCX__CMP_MASKED_EQ, LOW_BITS & ~UINT64_C(1), 36}},
	{"socket", .compare = {0, LCX__CMP_MASKED_EQ, LOW_BITS, 39}},
	{"socket", .compare = {0, LCX__CMP_MASKED_EQ, LOW_BITS, 41}},
	{"socket", .compare = {0, LCX__CMP_MASKED_EQ, LOW_BITS & ~UINT64_C(1), 42}},
	{"socket", .compare = {0, LCX__CMP_MASKED_EQ, LOW_BITS & ~UINT64_C(3), 44}},
	{"socket", .compare = {0, LCX__CMP_MASKED_EQ, LOW_BITS & ~UINT64_C(15), 48}},

	/* PER_LINUX, PER_LINUX32, both with UNAME26, and the question which one it is. */
	{"personality", .compare = {0, LCX__CMP_EQ, 0x0, 0}},
	{"personality", .compare = {0, LCX__CMP_EQ, 0x8, 0}},
	{"personality", .compare = {0, LCX__CMP_EQ, 0x20000, 0}},
	{"personality", .compare = {0, LCX__CMP_EQ, 0x20008, 0}},
	{"personality", .compare = {0, LCX__CMP_EQ, 0xffffffff, 0}},

	/* One architecture's own. */
	{"sync_file_range2 swapcontext", .archs = "ppc64le"},
	{"arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls",
	 .archs = "arm arm64"},
	{"arch_prctl", .archs = "amd64 x32"},
	{"modify_ldt", .archs = "amd64 x32 x86"},
	{"s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr", .archs = "s390 s390x"},
	{"riscv_flush_icache", .archs = "riscv64"},

	/* What a capability opens. */
	{"open_by_handle_at", .with_caps = CAP(DAC_READ_SEARCH)},
	{"bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie "
	 "lsm_get_self_attr lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount "
	 "open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog "
	 "umount "
	 "umount2 unshare",
	 .with_caps = CAP(SYS_ADMIN)},
	{"reboot", .with_caps = CAP(SYS_BOOT)},
	{"chroot", .with_caps = CAP(SYS_CHROOT)},
	{"delete_module init_module finit_module", .with_caps = CAP(SYS_MODULE)},
	{"acct", .with_caps = CAP(SYS_PACCT)},
	{"kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace",
	 .with_caps = CAP(SYS_PTRACE)},
	{"iopl ioperm", .with_caps = CAP(SYS_RAWIO)},
	{"settimeofday stime clock_settime clock_settime64", .with_caps = CAP(SYS_TIME)},
	{"vhangup", .with_caps = CAP(SYS_TTY_CONFIG)},
	{"get_mempolicy mbind set_mempolicy set_mempolicy_home_node", .with_caps = CAP(SYS_NICE)},
	{"syslog", .with_caps = CAP(SYSLOG)},
	{"bpf", .with_caps = CAP(BPF)},
	{"perf_event_open", .with_caps = CAP(PERFMON)},

	/* New processes, but no new namespaces. s390 has the flags in the second argument. */
	{"clone", .without_caps = CAP(SYS_ADMIN), .not_archs = "s390 s390x",
	 .compare = {0, LCX__CMP_MASKED_EQ, CLONE_NAMESPACES, 0}},
	{"clone", .without_caps = CAP(SYS_ADMIN), .archs = "s390 s390x",
	 .compare = {1, LCX__CMP_MASKED_EQ, CLONE_NAMESPACES, 0}},
	/* Its flags stand in memory, where a filter can't look: C libraries fall back to clone(2).
	 */
	{"clone3", .without_caps = CAP(SYS_ADMIN), .deny_with = ENOSYS},
};

/* As Docker: a 64-bit kernel's programs of 32 bits are filtered by the same rules. */
static const struct {
	const char *arch;
	const char *sub_archs;
} arch_map[] = {
	{"SCMP_ARCH_X86_64", "SCMP_ARCH_X86 SCMP_ARCH_X32"},
	{"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"},
	{"SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS SCMP_ARCH_MIPS64N32"},
	{"SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPS SCMP_ARCH_MIPS64"},
	{"SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL SCMP_ARCH_MIPSEL64N32"},
	{"SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_MIPSEL SCMP_ARCH_MIPSEL64"},
	{"SCMP_ARCH_S390X", "SCMP_ARCH_S390"},
	{"SCMP_ARCH_RISCV64", ""},
	{"SCMP_ARCH_LOONGARCH64", ""},
};

/* "a b c" as an array of strings; NULL stays NULL. */
static int split(const char *words, char ***ret)
{
	size_t n = 1;
	char **strv;

	if (!words)
		return 0;
	for (const char *at = words; *at; at++)
		n += *at == ' ';
	strv = *ret = calloc(n + 1, sizeof(*strv));
	if (!strv)
		return -ENOMEM;
	while (*words) {
		size_t length = strcspn(words, " ");

		*strv = strndup(words, length);
		if (!*strv++)
			return -ENOMEM;
		words += length + strspn(words + length, " ");
	}
	return 0;
}

static int set_condition(struct lcx__seccomp_condition *condition, uint64_t caps, const char *archs)
{
	condition->set = caps || archs;
	condition->capabilities.set = caps != 0;
	condition->capabilities.value = caps;
	return split(archs, &condition->architectures);
}

static int add_rule(struct lcx_seccomp *profile, const struct default_rule *from)
{
	struct lcx__seccomp_rule *rule = lcx__list_grow(&profile->rules, sizeof(*rule));
	struct lcx__seccomp_arg *arg;

	if (!rule || split(from->names, &rule->names) < 0)
		return -ENOMEM;
	rule->action =
		(struct lcx__opt_u32)LCX__OPT(from->deny_with ? LCX__ACT_ERRNO : LCX__ACT_ALLOW);
	rule->errno_ret.set = from->deny_with != 0;
	rule->errno_ret.value = from->deny_with;
	if (set_condition(&rule->includes, from->with_caps, from->archs) < 0 ||
	    set_condition(&rule->excludes, from->without_caps, from->not_archs) < 0)
		return -ENOMEM;
	if (from->min_kernel) {
		rule->includes.set = true;
		rule->includes.min_kernel = strdup(from->min_kernel);
		if (!rule->includes.min_kernel)
			return -ENOMEM;
	}
	if (!from->compare.op)
		return 0;
	arg = lcx__list_grow(&rule->args, sizeof(*arg));
	if (!arg)
		return -ENOMEM;
	arg->index = (struct lcx__opt_u32)LCX__OPT(from->compare.index);
	arg->op = (struct lcx__opt_u32)LCX__OPT(from->compare.op);
	arg->value = (struct lcx__opt_u64)LCX__OPT(from->compare.value);
	arg->value_two = (struct lcx__opt_u64)LCX__OPT(from->compare.value_two);
	return 0;
}

static int fill(struct lcx_seccomp *profile)
{
	profile->default_action = (struct lcx__opt_u32)LCX__OPT(LCX__ACT_ERRNO);
	profile->default_errno_ret = (struct lcx__opt_u32)LCX__OPT(EPERM);
	for (size_t i = 0; i < ARRAY_SIZE(arch_map); i++) {
		struct lcx__seccomp_arch_map *map =
			lcx__list_grow(&profile->arch_map, sizeof(*map));

		if (!map || !(map->architecture = strdup(arch_map[i].arch)) ||
		    split(arch_map[i].sub_archs, &map->sub_architectures) < 0)
			return -ENOMEM;
	}
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (add_rule(profile, &rules[i]) < 0)
			return -ENOMEM;
	return 0;
}

LCX_PUBLIC int lcx_seccomp_default(struct lcx_seccomp **ret, struct lcx_error **err)
{
	CLEANUP(lcx_seccomp_freep) struct lcx_seccomp *profile = calloc(1, sizeof(*profile));

	if (!profile || fill(profile) < 0)
		return lcx__fail_nomem(err);
	*ret = TAKE_PTR(profile);
	return 0;
}
