/* SPDX-License-Identifier: MIT */

/*
 * usage: survey: all that a process is given, one thing a line. What two runtimes
 * give is then compared by comm(1). Linked statically, to run in any root file system.
 *
 *   file PATH r|w       of /proc, /sys: can be opened to read, to write; never read or written
 *   device NAME MAJOR:MINOR r w
 *   mount PLACE TYPE|suid|dev|exec|w
 *   fd, socket, key     what is there
 *   cap SET NAME
 *   call NUMBER         of a system call that is not refused; and some with telling arguments
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <mntent.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- files -------------------------------------------------------------- */

static bool opens(const char *path, int flags)
{
	int fd = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* A file that is covered is of another file system. */
static bool is_covered(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) < 0 ||
	       (fs.f_type != PROC_SUPER_MAGIC && fs.f_type != SYSFS_MAGIC &&
		fs.f_type != CGROUP_SUPER_MAGIC && fs.f_type != CGROUP2_SUPER_MAGIC);
}

static void show_file(const char *path)
{
	bool r, w;

	if (is_covered(path))
		return;
	r = opens(path, O_RDONLY);
	w = opens(path, O_WRONLY);
	if (r)
		printf("file %s r\n", path);
	if (w)
		printf("file %s w\n", path);
}

/* Other processes come and go; of the devices below /sys each runtime sees the same. */
static bool is_of_interest(const char *dir, const char *name)
{
	return name[0] != '.' &&
	       !(strcmp(dir, "/proc") == 0 && (strspn(name, "0123456789") == strlen(name) ||
					       strncmp(name, "thread-self", 11) == 0)) &&
	       !(strcmp(dir, "/proc/self") == 0 &&
		 (strcmp(name, "task") == 0 || strcmp(name, "fd") == 0 ||
		  strcmp(name, "map_files") == 0 || strcmp(name, "fdinfo") == 0));
}

static void walk(const char *dir, int depth)
{
	DIR *d = depth < 16 ? opendir(dir) : NULL;
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		char path[1024];

		if (!is_of_interest(dir, entry->d_name))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		if (entry->d_type == DT_DIR || strcmp(path, "/proc/self") == 0)
			walk(path, depth + 1);
		else if (entry->d_type != DT_LNK)
			show_file(path);
	}
	if (d)
		closedir(d);
}

static void show_devices(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		char path[1024];
		struct stat st;

		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		if (lstat(path, &st) == 0 && (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)))
			printf("device %s %u:%u%s%s\n", path, major(st.st_rdev), minor(st.st_rdev),
			       opens(path, O_RDONLY) ? " r" : "",
			       opens(path, O_WRONLY) ? " w" : "");
	}
	if (d)
		closedir(d);
}

/* A word stands for what is possible there. */
static void show_mounts(void)
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	struct mntent *m;

	while (f && (m = getmntent(f))) {
		bool of_kernel = strncmp(m->mnt_dir, "/proc/", 6) == 0 ||
				 strncmp(m->mnt_dir, "/sys/fs/cgroup/", 15) == 0;

		if (!hasmntopt(m, "ro"))
			printf("mount %s w\n", m->mnt_dir);
		/* What covers something there is no gift. */
		if (of_kernel && is_covered(m->mnt_dir))
			continue;
		printf("mount %s %s\n", m->mnt_dir, m->mnt_type);
		if (!hasmntopt(m, "nosuid"))
			printf("mount %s suid\n", m->mnt_dir);
		if (!hasmntopt(m, "nodev"))
			printf("mount %s dev\n", m->mnt_dir);
		if (!hasmntopt(m, "noexec"))
			printf("mount %s exec\n", m->mnt_dir);
	}
	if (f)
		endmntent(f);
}

/* ---- what a process holds ----------------------------------------------- */

static void show_lines(const char *word, const char *path, const char *containing)
{
	FILE *f = fopen(path, "re");
	char line[1024];

	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, containing))
			printf("%s %s", word, line);
	if (f)
		fclose(f);
}

static void show_descriptors(void)
{
	for (int fd = 3; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf("fd %d\n", fd);
}

static void show_capabilities(void)
{
	static const char *const sets[] = {"CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"};
	FILE *f = fopen("/proc/self/status", "re");
	unsigned long long set;
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++) {
			if (strncmp(line, sets[i], 7) != 0)
				continue;
			set = strtoull(line + 7, NULL, 16);
			for (int bit = 0; bit <= CAP_LAST_CAP; bit++)
				if (set >> bit & 1)
					printf("cap %.6s %d\n", sets[i], bit);
		}
	if (f)
		fclose(f);
}

static void show_self(void)
{
	show_lines("self", "/proc/self/status", "Groups:");
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0)
		printf("self new-privileges\n");
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 0)
		printf("self unfiltered\n");
}

/* ---- system calls ------------------------------------------------------- */

/* By a child of its own: some end it, or wait for ever, which is an answer too. */
static bool is_refused(long nr, const long args[6])
{
	static const struct itimerval soon = {.it_value.tv_usec = 50000};
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		setitimer(ITIMER_REAL, &soon, NULL);
		errno = 0;
		if (syscall(nr, args[0], args[1], args[2], args[3], args[4], args[5]) >= 0)
			_exit(0);
		_exit(errno == EPERM || errno == ENOSYS || errno == EACCES ? 1 : 0);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return (WIFEXITED(status) && WEXITSTATUS(status) == 1) ||
	       (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

static void show_call(const char *name, long nr, long a, long b, long c, long d)
{
	if (!is_refused(nr, (const long[6]){a, b, c, d, 0, 0}))
		printf("call %s %ld %ld %ld\n", name, a, b, c);
}

static void show_calls(void)
{
	static const long nothing[6] = {-1, -1, -1, -1, -1, -1};
	enum { NOBODY = 0x7ffffff0 };

	for (long nr = 0; nr <= 600; nr++)
		if (!is_refused(nr, nothing))
			printf("call %ld\n", nr);
	for (int family = 0; family < 46; family++)
		for (int type = 1; type <= 5; type++)
			show_call("socket", SYS_socket, family, type, 0, 0);
	for (int protocol = 0; protocol < 23; protocol++)
		show_call("netlink", SYS_socket, AF_NETLINK, SOCK_RAW, protocol, 0);
	for (int bit = 0; bit < 32; bit++) {
		show_call("unshare", SYS_unshare, 1L << bit, 0, 0, 0);
		show_call("personality", SYS_personality, 1L << bit, 0, 0, 0);
#ifdef __x86_64__
		if (1u << bit & (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
				 CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET))
			show_call("clone", SYS_clone, 1L << bit | SIGCHLD, 0, 0, 0);
#endif
	}
	for (int operation = 0; operation < 32; operation++) {
		show_call("keyctl", SYS_keyctl, operation, -3, 0, 0);
		show_call("bpf", SYS_bpf, operation, 0, 0, 0);
		show_call("ptrace", SYS_ptrace, operation, NOBODY, 0, 0);
	}
	for (int namespace = 0; namespace < 32; namespace ++)
		show_call("setns", SYS_setns, 0, 1L << namespace, 0, 0);
	show_call("io_uring", SYS_io_uring_setup, 1, 0, 0, 0);
	show_call("userfaultfd", SYS_userfaultfd, 1, 0, 0, 0);
	show_call("tiocsti", SYS_ioctl, 0, TIOCSTI, 0, 0);
	show_call("tioclinux", SYS_ioctl, 0, TIOCLINUX, 0, 0);
}

int main(void)
{
	/* Before there are descriptors of its own. */
	show_descriptors();
	walk("/proc", 0);
	walk("/sys", 0);
	show_devices("/dev");
	show_devices("/dev/pts");
	show_mounts();
	show_lines("socket", "/proc/net/unix", "@");
	show_lines("key", "/proc/keys", "");
	show_capabilities();
	show_self();
	show_calls();
	return 0;
}
