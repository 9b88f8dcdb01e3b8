/* SPDX-License-Identifier: MIT */
#include "net/monitor/monitor.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/filter.h"
#include "util/sys.h"

static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct none[2] = {{0}};

	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return (int)sys_call2(__NR_capset, &header, none);
}

/* It owns the files that it reads, and its sockets are made. */
int monitor_confine_reader(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	(void)prctl(PR_SET_NAME, "lcx-monitor", 0, 0, 0);
	return drop_capabilities();
}

static const uint32_t allowed[] = {
	/* askers and servers */
	__NR_recvfrom,
	__NR_sendto,
	__NR_accept4,
	__NR_connect,
	__NR_shutdown,
	__NR_getsockopt, /* where a client wanted to go */
	__NR_setsockopt,
	__NR_epoll_ctl,
	__NR_epoll_pwait,
#ifdef __NR_epoll_wait
	__NR_epoll_wait,
#endif
#ifdef __NR_poll
	__NR_poll,
#endif
	__NR_ppoll,
	__NR_timerfd_settime,
	__NR_read, /* the timer, the news */
	__NR_close,
	/* the table */
	__NR_recvmsg,
	/* memory and the process itself */
	__NR_brk,
	__NR_munmap,
	__NR_mremap,
	__NR_madvise,
	__NR_futex,
	__NR_getrandom,
	__NR_clock_gettime,
	__NR_rt_sigreturn,
	__NR_restart_syscall,
	__NR_exit_group,
};

static const uint32_t allowed_without_exec[] = {__NR_mmap, __NR_mprotect};
static const uint32_t domains[] = {AF_INET, AF_INET6};

static int limit(int resource, rlim_t value)
{
	struct rlimit rlimit;

	if (getrlimit((__rlimit_resource_t)resource, &rlimit) < 0)
		return -errno;
	if (rlimit.rlim_max != RLIM_INFINITY && rlimit.rlim_max < value)
		value = rlimit.rlim_max;
	rlimit.rlim_cur = rlimit.rlim_max = value;
	return setrlimit((__rlimit_resource_t)resource, &rlimit) < 0 ? -errno : 0;
}

static int set_limits(void)
{
	static const struct {
		int resource;
		rlim_t value;
	} rows[] = {
		{RLIMIT_CORE, 0},
		{RLIMIT_FSIZE, 0},
		{RLIMIT_NOFILE, 1024},
		{RLIMIT_AS, 256 << 20},
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows) && r == 0; i++)
		r = limit(rows[i].resource, rows[i].value);
	return r;
}

int monitor_confine_worker(int reader_pid)
{
	const struct lcx__filter filter = {
		.allowed = allowed,
		.n_allowed = ARRAY_SIZE(allowed),
		.without_exec = allowed_without_exec,
		.n_without_exec = ARRAY_SIZE(allowed_without_exec),
		.domains = domains,
		.n_domains = ARRAY_SIZE(domains),
	};
	int r = set_limits();

	if (r < 0)
		return r;
	(void)prctl(PR_SET_NAME, "lcx-names", 0, 0, 0);
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return -errno;
	if (getppid() != reader_pid) /* it was faster */
		return -ESRCH;
	/* Nothing but what it works with: not the directories, nor the lock. */
	return lcx__filter_install(&filter);
}
