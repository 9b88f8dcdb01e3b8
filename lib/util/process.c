/* SPDX-License-Identifier: MIT */
#include "util/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/fs.h"
#include "util/str.h"
#include "util/sys.h"

/* The kernel's number for the time namespace that is there from the boot on. */
#define FIRST_TIME_NS 0xeffffffau

/* 0: this kernel has no such namespaces, or a policy shows them to nobody here, now or later. */
static int number_of(const char *path, ino_t *ret)
{
	struct stat st = {0};

	if (stat(path, &st) < 0 && errno != ENOENT && errno != EACCES)
		return -errno;
	*ret = st.st_ino;
	return 0;
}

/*
 * How far this process's clock of the time since the boot is from the machine's: the kernel adds it
 * to each start time that it shows. The file has that of the namespace for children; whoever made
 * one for them alone is taken for one with the machine's own clock.
 */
static int own_boottime_offset_ns(int64_t *ret)
{
	CLEANUP(freep) char *text = NULL;
	ino_t own, for_children;
	long long seconds, ns;
	const char *line;
	int r = number_of("/proc/self/ns/time", &own);

	*ret = 0;
	if (r == 0)
		r = number_of("/proc/self/ns/time_for_children", &for_children);
	if (r < 0 || own == 0 || own == FIRST_TIME_NS || own != for_children)
		return r;
	r = lcx__read_file(AT_FDCWD, "/proc/self/timens_offsets", 4096, &text, NULL);
	if (r < 0)
		return r;
	line = strstr(text, "boottime");
	if (!line || sscanf(line, "boottime %lld %lld", &seconds, &ns) != 2)
		return -EIO;
	*ret = seconds * 1000000000 + ns;
	return 0;
}

static int64_t to_the_machines(int64_t ticks, int64_t offset_ns)
{
	int64_t tick_ns = 1000000000 / sysconf(_SC_CLK_TCK);
	int64_t whole = offset_ns / tick_ns, part = offset_ns % tick_ns;

	/* Down, whatever the sign. */
	return ticks - whole - (part > 0);
}

bool lcx__is_same_start(int64_t a, int64_t b)
{
	return a - b <= 1 && b - a <= 1;
}

/* Field 22; field 2, the name, may hold anything, also blanks and parentheses: proc(5). */
int lcx__read_start_time(pid_t pid, int64_t *ret)
{
	CLEANUP(freep) char *text = NULL;
	char path[64], *at;
	int64_t offset_ns;
	int r = own_boottime_offset_ns(&offset_ns);

	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	r = lcx__read_file(AT_FDCWD, path, 4096, &text, NULL);
	if (r < 0)
		return r == -ENOENT ? -ESRCH : r;
	at = strrchr(text, ')');
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	if (!at)
		return -EIO;
	*ret = to_the_machines(strtoll(at + 1, NULL, 10), offset_ns);
	return 0;
}

/* Of a thread it is EINVAL, and ENOENT on newer kernels. */
int lcx__pidfd_open(pid_t pid)
{
	int fd = sys_pidfd_open(pid, 0);

	return fd == -ENOENT || (fd == -EINVAL && pid > 0) ? -ESRCH : fd;
}

/* The number may have been given to somebody else: the pidfd is opened first, then checked. */
int lcx__open_process(int64_t pid, int64_t start_time)
{
	CLEANUP(closep) int pidfd = -1;
	int64_t found;
	int r;

	if (pid <= 0)
		return -ESRCH;
	pidfd = lcx__pidfd_open((pid_t)pid);
	if (pidfd < 0)
		return pidfd;
	r = lcx__read_start_time((pid_t)pid, &found);
	if (r < 0)
		return r;
	if (!lcx__is_same_start(found, start_time))
		return -ESRCH;
	/* A zombie keeps its number for as long as its parent likes. */
	r = lcx__pidfd_ends(pidfd, 0);
	return r < 0 ? r : r == 1 ? -ESRCH : TAKE_FD(pidfd);
}

int lcx__poll_in(int fd, int timeout_ms)
{
	int64_t left_ms, end = lcx__monotonic_ns() + (int64_t)timeout_ms * 1000000;
	struct pollfd in = {.fd = fd, .events = POLLIN};
	int n;

	do {
		left_ms = (end - lcx__monotonic_ns() + 999999) / 1000000;
		n = poll(&in, 1, left_ms > 0 ? (int)left_ms : 0);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

int lcx__pidfd_ends(int pidfd, int timeout_ms)
{
	return lcx__poll_in(pidfd, timeout_ms);
}

int lcx__end_process(int64_t pid, int64_t start_time, int timeout_ms)
{
	CLEANUP(closep) int pidfd = lcx__open_process(pid, start_time);
	int r;

	if (pidfd < 0)
		return pidfd == -ESRCH ? 0 : pidfd;
	(void)sys_pidfd_send_signal(pidfd, SIGKILL);
	r = lcx__pidfd_ends(pidfd, timeout_ms);
	return r < 0 ? r : r == 1 ? 0 : -ETIMEDOUT;
}

pid_t lcx__pidfd_pid(int pidfd)
{
	CLEANUP(freep) char *text = NULL;
	char path[64];
	const char *line;
	long number;
	int r;

	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	r = lcx__read_file(AT_FDCWD, path, 4096, &text, NULL);
	if (r < 0)
		return r == -ENOENT ? -EBADF : r;
	line = strstr(text, "\nPid:");
	if (!line)
		return -EINVAL;
	number = strtol(line + strlen("\nPid:"), NULL, 10);
	return number > 0 ? (pid_t)number : -ESRCH;
}

/* struct pidfd_info of linux/pidfd.h, in its first published size. */
struct pidfd_info {
	uint64_t mask, cgroup_id;
	uint32_t pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	int32_t exit_code;
};
_Static_assert(sizeof(struct pidfd_info) == 64, "the kernel's size of the first version");

#define PIDFD_GET_INFO_  _IOWR(0xff, 11, struct pidfd_info)
#define PIDFD_INFO_EXIT_ (UINT64_C(1) << 3)

/* The wait status that the kernel keeps for a pidfd since Linux 6.15. Return: 1 with it, else 0. */
static int ask_kernel(int pidfd, struct pidfd_info *info)
{
	*info = (struct pidfd_info){.mask = PIDFD_INFO_EXIT_};
	if (ioctl(pidfd, PIDFD_GET_INFO_, info) < 0)
		return -errno;
	return (info->mask & PIDFD_INFO_EXIT_) != 0;
}

/* POLLHUP comes when it was reaped (Linux 6.9). */
static void wait_until_reaped(int pidfd)
{
	struct pollfd reaped = {.fd = pidfd};

	while (poll(&reaped, 1, -1) < 0 && errno == EINTR)
		;
}

/*
 * Whoever takes the status, another thread or the process itself as it ends, does so some time
 * before the kernel keeps it: a child of ours, which waitid(2) no longer knows, is in between.
 * ESRCH: it was reaped while the kernel looked for it.
 */
static int status_of_reaped(int pidfd, int *ret_status)
{
	struct pidfd_info info;
	int r = ask_kernel(pidfd, &info);

	if (r == -ESRCH || (r == 0 && info.ppid == (uint32_t)getpid())) {
		wait_until_reaped(pidfd);
		r = ask_kernel(pidfd, &info);
	}
	if (r != 1)
		return -ECHILD;
	*ret_status = info.exit_code;
	return 1;
}

int lcx__pidfd_wait(int pidfd, int options, int *ret_status)
{
	siginfo_t info = {0};
	int r;

	do
		r = waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED | __WALL | options);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return status_of_reaped(pidfd, ret_status);
	if (info.si_pid == 0)
		return 0;
	*ret_status = info.si_code == CLD_EXITED ? W_EXITCODE(info.si_status, 0)
						 : W_EXITCODE(0, info.si_status);
	return 1;
}

bool lcx__pidfd_is_stopped(int pidfd)
{
	CLEANUP(freep) char *text = NULL;
	pid_t pid = lcx__pidfd_pid(pidfd);
	const char *state;
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (pid <= 0 || lcx__read_file(AT_FDCWD, path, 4096, &text, NULL) < 0)
		return false;
	state = strrchr(text, ')');
	/* Its number may have been given to another one meanwhile. */
	return state && strncmp(state, ") T", 3) == 0 && lcx__pidfd_pid(pidfd) == pid;
}
