/* SPDX-License-Identifier: MIT */
#include "floor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/seccomp.h>
#include <linux/veth.h>
#include <linux/filter.h>
#include <libmnl/libmnl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define MUST(expression)                                                                           \
	do {                                                                                       \
		if ((expression) < 0) {                                                            \
			dprintf(2, "floor: %s: %m\n", #expression);                                \
			_exit(99);                                                                 \
		}                                                                                  \
	} while (0)

enum { DEFAULT_CAPS_LOW = (int)0xa80425fb };

/* ---- network ------------------------------------------------------------ */

static int netlink_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	MUST(fd);
	return fd;
}

static void talk(int fd, struct nlmsghdr *msg)
{
	char answer[8192];
	ssize_t n;

	msg->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	MUST(send(fd, msg, msg->nlmsg_len, 0));
	n = recv(fd, answer, sizeof(answer), 0);
	MUST(n);
	errno = -((struct nlmsgerr *)mnl_nlmsg_get_payload((struct nlmsghdr *)answer))->error;
	if (errno) {
		dprintf(2, "floor: netlink: %m\n");
		_exit(99);
	}
}

static struct nlmsghdr *begin(char *buffer, uint16_t type, size_t extra)
{
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buffer);

	msg->nlmsg_type = type;
	memset(mnl_nlmsg_put_extra_header(msg, extra), 0, extra);
	return msg;
}

static void set_up(int fd, int index)
{
	char buffer[256];
	struct nlmsghdr *msg = begin(buffer, RTM_NEWLINK, sizeof(struct ifinfomsg));
	struct ifinfomsg *info = mnl_nlmsg_get_payload(msg);

	info->ifi_index = index;
	info->ifi_flags = info->ifi_change = IFF_UP;
	talk(fd, msg);
}

static void add_address(int fd, int index, uint32_t address)
{
	char buffer[256];
	struct nlmsghdr *msg = begin(buffer, RTM_NEWADDR, sizeof(struct ifaddrmsg));
	struct ifaddrmsg *info = mnl_nlmsg_get_payload(msg);

	msg->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	info->ifa_family = AF_INET;
	info->ifa_prefixlen = 16;
	info->ifa_index = (unsigned int)index;
	mnl_attr_put_u32(msg, IFA_LOCAL, htonl(address));
	mnl_attr_put_u32(msg, IFA_ADDRESS, htonl(address));
	talk(fd, msg);
}

int floor_make_bridge(const char *name)
{
	int fd = netlink_open(), index;
	char buffer[512];
	struct nlmsghdr *msg = begin(buffer, RTM_NEWLINK, sizeof(struct ifinfomsg));
	struct nlattr *info;

	msg->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	mnl_attr_put_strz(msg, IFLA_IFNAME, name);
	info = mnl_attr_nest_start(msg, IFLA_LINKINFO);
	mnl_attr_put_str(msg, IFLA_INFO_KIND, "bridge");
	mnl_attr_nest_end(msg, info);
	talk(fd, msg);
	index = (int)if_nametoindex(name);
	add_address(fd, index, 0x0a630001);
	set_up(fd, index);
	close(fd);
	return index;
}

void floor_remove_bridge(int index)
{
	int fd = netlink_open();
	char buffer[256];
	struct nlmsghdr *msg = begin(buffer, RTM_DELLINK, sizeof(struct ifinfomsg));

	((struct ifinfomsg *)mnl_nlmsg_get_payload(msg))->ifi_index = index;
	talk(fd, msg);
	close(fd);
}

/* One message: a veth on the bridge, up, with its peer in the other namespace under its final name.
 */
static void add_veth(int fd, const char *name, int bridge, int netns_fd)
{
	char buffer[1024];
	struct nlmsghdr *msg = begin(buffer, RTM_NEWLINK, sizeof(struct ifinfomsg));
	struct ifinfomsg *ifi = mnl_nlmsg_get_payload(msg);
	struct nlattr *info, *data, *peer;

	msg->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	ifi->ifi_flags = ifi->ifi_change = IFF_UP;
	mnl_attr_put_strz(msg, IFLA_IFNAME, name);
	mnl_attr_put_u32(msg, IFLA_MASTER, (uint32_t)bridge);
	info = mnl_attr_nest_start(msg, IFLA_LINKINFO);
	mnl_attr_put_str(msg, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(msg, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(msg, VETH_INFO_PEER);
	memset(mnl_nlmsg_put_extra_header(msg, sizeof(struct ifinfomsg)), 0,
	       sizeof(struct ifinfomsg));
	mnl_attr_put_strz(msg, IFLA_IFNAME, "eth0");
	mnl_attr_put_u32(msg, IFLA_NET_NS_FD, (uint32_t)netns_fd);
	mnl_attr_nest_end(msg, peer);
	mnl_attr_nest_end(msg, data);
	mnl_attr_nest_end(msg, info);
	talk(fd, msg);
}

static int link_index(int fd, const char *name)
{
	char buffer[16384];
	struct nlmsghdr *msg = begin(buffer, RTM_GETLINK, sizeof(struct ifinfomsg));

	msg->nlmsg_flags = NLM_F_REQUEST;
	mnl_attr_put_strz(msg, IFLA_IFNAME, name);
	MUST(send(fd, msg, msg->nlmsg_len, 0));
	MUST(recv(fd, buffer, sizeof(buffer), 0));
	return ((struct ifinfomsg *)mnl_nlmsg_get_payload((struct nlmsghdr *)buffer))->ifi_index;
}

static void add_default_route(int fd)
{
	char buffer[256];
	struct nlmsghdr *msg = begin(buffer, RTM_NEWROUTE, sizeof(struct rtmsg));
	struct rtmsg *route = mnl_nlmsg_get_payload(msg);

	msg->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	route->rtm_family = AF_INET;
	route->rtm_table = RT_TABLE_MAIN;
	route->rtm_protocol = RTPROT_BOOT;
	route->rtm_type = RTN_UNICAST;
	mnl_attr_put_u32(msg, RTA_GATEWAY, htonl(0x0a630001));
	talk(fd, msg);
}

/* By the new process itself: one socket that was opened outside, one inside. */
static void make_network(const struct floor *floor, int outside)
{
	int netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), inside = netlink_open(), index;
	char name[16];

	MUST(netns);
	snprintf(name, sizeof(name), "fl%u", floor->host_number);
	add_veth(outside, name, floor->bridge_index, netns);
	index = link_index(inside, "eth0");
	set_up(inside, 1);
	add_address(inside, index, 0x0a630000 + 2 + floor->host_number % 60000);
	set_up(inside, index);
	add_default_route(inside);
	close(netns);
	close(inside);
}

/* ---- the process -------------------------------------------------------- */

struct child {
	const struct floor *floor;
	const char *const *argv;
	int stdin_fd, outside_fd, container_pidfd;
	volatile pid_t grandchild; /* written by the first child, in memory that it shares */
};

static void move_to(int tree, const char *path)
{
	MUST(syscall(SYS_move_mount, tree, "", AT_FDCWD, path, 4 /* F_EMPTY_PATH */));
	close(tree);
}

static void mount_new(const char *type, const char *options[][2], const char *path,
		      unsigned int attributes)
{
	int fs = (int)syscall(SYS_fsopen, type, 1), tree;

	MUST(fs);
	for (size_t i = 0; options && options[i][0]; i++)
		MUST(syscall(SYS_fsconfig, fs, options[i][1] ? 1 : 0, options[i][0], options[i][1],
			     0));
	MUST(syscall(SYS_fsconfig, fs, 6, NULL, NULL, 0));
	tree = (int)syscall(SYS_fsmount, fs, 1, attributes);
	MUST(tree);
	close(fs);
	mkdir(path, 0755);
	move_to(tree, path);
}

static void mount_root(const struct floor *f)
{
	int fs = (int)syscall(SYS_fsopen, "overlay", 1), tree;

	MUST(mount("none", "/", NULL, MS_REC | MS_SLAVE, NULL));
	MUST(fs);
	MUST(syscall(SYS_fsconfig, fs, 1, "lowerdir+", f->lower, 0));
	MUST(syscall(SYS_fsconfig, fs, 1, "upperdir", f->upper, 0));
	MUST(syscall(SYS_fsconfig, fs, 1, "workdir", f->work, 0));
	MUST(syscall(SYS_fsconfig, fs, 6, NULL, NULL, 0));
	tree = (int)syscall(SYS_fsmount, fs, 1, 0);
	MUST(tree);
	close(fs);
	move_to(tree, f->staging);
	MUST(chdir(f->staging));
}

/* The same hierarchies that the library shows: one directory each, as /proc/self/cgroup lists them.
 */
static void mount_cgroups(void)
{
	char text[4096] = "", *rest = text, *line;
	int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);

	MUST(read(fd, text, sizeof(text) - 1));
	close(fd);
	if (strncmp(text, "0::", 3) == 0 && strchr(text, '\n')[1] == '\0') {
		mount_new("cgroup2", NULL, "sys/fs/cgroup", 0xf);
		return;
	}
	mount_new("tmpfs", (const char *[][2]){{"mode", "755"}, {"size", "64k"}, {0}},
		  "sys/fs/cgroup", 0xe);
	while ((line = strsep(&rest, "\n"))) {
		char *id = strsep(&line, ":"), *controllers = strsep(&line, ":"), path[200];
		bool unified = strcmp(id, "0") == 0,
		     named = controllers && strncmp(controllers, "name=", 5) == 0;

		if (!controllers || !line)
			continue;
		snprintf(path, sizeof(path), "sys/fs/cgroup/%s",
			 unified ? "unified"
			 : named ? controllers + 5
				 : controllers);
		if (unified)
			mount_new("cgroup2", NULL, path, 0xf);
		else if (named)
			mount_new(
				"cgroup",
				(const char *[][2]){{"none", NULL}, {"name", controllers + 5}, {0}},
				path, 0xf);
		else
			mount_new("cgroup", (const char *[][2]){{controllers, NULL}, {0}}, path,
				  0xf);
	}
}

static void mount_standard(void)
{
	static const struct {
		const char *path;
		int major, minor;
	} nodes[] = {{"dev/null", 1, 3},   {"dev/zero", 1, 5},    {"dev/full", 1, 7},
		     {"dev/random", 1, 8}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0}};
	static const char *const links[][2] = {
		{"/proc/self/fd", "dev/fd"},       {"/proc/self/fd/0", "dev/stdin"},
		{"/proc/self/fd/1", "dev/stdout"}, {"/proc/self/fd/2", "dev/stderr"},
		{"/proc/kcore", "dev/core"},       {"pts/ptmx", "dev/ptmx"},
	};

	mount_new("proc", NULL, "proc", 0xe);
	mount_new("tmpfs", (const char *[][2]){{"mode", "755"}, {"size", "65536k"}, {0}}, "dev",
		  0x2);
	mount_new("devpts",
		  (const char *[][2]){{"newinstance", NULL},
				      {"ptmxmode", "0666"},
				      {"mode", "0620"},
				      {"gid", "5"},
				      {0}},
		  "dev/pts", 0xa);
	mount_new("tmpfs", (const char *[][2]){{"mode", "1777"}, {"size", "65536k"}, {0}},
		  "dev/shm", 0xe);
	mount_new("mqueue", NULL, "dev/mqueue", 0xe);
	mount_new("sysfs", NULL, "sys", 0xf);
	mount_cgroups();
	for (size_t i = 0; i < sizeof(nodes) / sizeof(*nodes); i++)
		MUST(mknod(nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)));
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
		MUST(symlink(links[i][0], links[i][1]));
}

/* mount_setattr(2) by hand: this C library has no struct for it yet. */
static void hide_paths(void)
{
	static const char *const readonly[] = {"proc/bus", "proc/fs", "proc/irq", "proc/sys",
					       "proc/sysrq-trigger"};
	static const char *const masked[] = {
		"proc/acpi",        "proc/asound",        "proc/kcore",
		"proc/keys",        "proc/latency_stats", "proc/timer_list",
		"proc/timer_stats", "proc/sched_debug",   "proc/scsi",
		"sys/firmware",     "proc/interrupts",    "sys/devices/virtual/powercap"};
	uint64_t attr[4] = {1, 0, 0, 0};
	struct stat st;
	int tree;

	for (size_t i = 0; i < sizeof(readonly) / sizeof(*readonly); i++) {
		tree = (int)syscall(SYS_open_tree, AT_FDCWD, readonly[i], 1 | O_CLOEXEC | 0x8000);
		if (tree < 0)
			continue;
		MUST(syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | 0x8000, attr,
			     sizeof(attr)));
		move_to(tree, readonly[i]);
	}
	for (size_t i = 0; i < sizeof(masked) / sizeof(*masked); i++) {
		if (stat(masked[i], &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode)) {
			mount_new("tmpfs", (const char *[][2]){{"size", "0"}, {"mode", "755"}, {0}},
				  masked[i], 0xf);
			continue;
		}
		tree = (int)syscall(SYS_open_tree, AT_FDCWD, "/dev/null", 1 | O_CLOEXEC);
		MUST(tree);
		move_to(tree, masked[i]);
	}
}

static void become(const struct floor *f)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {
		{(uint32_t)DEFAULT_CAPS_LOW, (uint32_t)DEFAULT_CAPS_LOW, 0}, {0}};
	struct sock_fprog program = {(unsigned short)(f->seccomp_size / 8),
				     (void *)(uintptr_t)f->seccomp};

	for (int cap = 0; cap < 64; cap++)
		if ((cap >= 32 || !((uint32_t)DEFAULT_CAPS_LOW & (1u << cap))) &&
		    prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			break;
	if (f->seccomp)
		MUST(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
	MUST(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
	MUST(syscall(SYS_setgroups, 0, NULL));
	MUST(syscall(SYS_setresgid, 0, 0, 0));
	MUST(syscall(SYS_setresuid, 0, 0, 0));
	MUST(syscall(SYS_capset, &header, data));
}

static void execute(const struct child *c)
{
	static const char *const env[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
		NULL};
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	MUST(dup2(c->stdin_fd, 0));
	MUST(syscall(SYS_close_range, 3, ~0u, 4));
	execve(c->argv[0], (char *const *)(uintptr_t)c->argv, (char *const *)(uintptr_t)env);
	_exit(127);
}

static void join_cgroups(const struct floor *f)
{
	for (const char *const *dir = f->cgroups; dir && *dir; dir++) {
		char path[512];
		int fd;

		snprintf(path, sizeof(path), "%s/tasks", *dir);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0) {
			snprintf(path, sizeof(path), "%s/cgroup.procs", *dir);
			fd = open(path, O_WRONLY | O_CLOEXEC);
		}
		MUST(write(fd, "0", 1));
		close(fd);
	}
}

static int start_child(void *data)
{
	const struct child *c = data;

	if (c->outside_fd >= 0)
		make_network(c->floor, c->outside_fd);
	MUST(setsid());
	join_cgroups(c->floor);
	MUST(unshare(CLONE_NEWCGROUP));
	mount_root(c->floor);
	mount_standard();
	hide_paths();
	MUST(sethostname("floor", 5));
	MUST(syscall(SYS_pivot_root, ".", "."));
	MUST(umount2(".", MNT_DETACH));
	MUST(chdir("/"));
	become(c->floor);
	execute(c);
	return 0;
}

static int exec_grandchild(void *data)
{
	const struct child *c = data;

	setsid();
	become(c->floor);
	execute(c);
	return 0;
}

/* setns() to a pid namespace takes effect in the next child: one more clone, as everybody needs. */
static int exec_child(void *data)
{
	static char stack[65536] __attribute__((aligned(64)));
	struct child *c = data;

	join_cgroups(c->floor);
	MUST(setns(c->container_pidfd, CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWNS |
					       CLONE_NEWUTS | CLONE_NEWCGROUP));
	c->grandchild = clone(exec_grandchild, stack + sizeof(stack),
			      CLONE_VM | CLONE_VFORK | CLONE_PARENT | SIGCHLD, c);
	MUST(c->grandchild);
	_exit(0);
}

static struct floor_process run(int (*function)(void *), struct child *child, int flags)
{
	static char stack[65536] __attribute__((aligned(64)));
	struct floor_process process = {.pidfd = -1};
	sigset_t all, before;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	process.pid = clone(function, stack + sizeof(stack),
			    flags | CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, child,
			    &process.pidfd);
	sigprocmask(SIG_SETMASK, &before, NULL);
	MUST(process.pid);
	return process;
}

static void write_to(const char *dir, const char *file, const char *text)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	MUST(fd);
	MUST(write(fd, text, strlen(text)));
	close(fd);
}

/* What a container has by default on version 1: which devices, and, if asked for, how much memory.
 */
static void limit(const char *dir, bool memory)
{
	static const char *const devices[] = {"c *:* m",   "b *:* m",   "c 1:3 rwm",  "c 1:5 rwm",
					      "c 1:7 rwm", "c 1:8 rwm", "c 1:9 rwm",  "c 5:0 rwm",
					      "c 5:1 rwm", "c 5:2 rwm", "c 136:* rwm"};

	if (strstr(dir, "/devices/")) {
		write_to(dir, "devices.deny", "a");
		for (size_t i = 0; i < sizeof(devices) / sizeof(*devices); i++)
			write_to(dir, "devices.allow", devices[i]);
	}
	if (strstr(dir, "/memory/") && memory)
		write_to(dir, "memory.limit_in_bytes", "268435456");
}

struct floor_process floor_start(const struct floor *floor, const char *const *argv, int stdin_fd)
{
	struct child child = {floor, argv, stdin_fd, -1, -1, -1};
	struct floor_process process;

	for (const char *const *dir = floor->cgroups; dir && *dir; dir++) {
		MUST(mkdir(*dir, 0755));
		limit(*dir, floor->network);
	}
	if (floor->network)
		child.outside_fd = netlink_open();
	process = run(start_child, &child,
		      CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET);
	if (child.outside_fd >= 0)
		close(child.outside_fd);
	return process;
}

struct floor_process floor_exec(const struct floor *floor, int container_pidfd,
				const char *const *argv)
{
	struct child child = {floor,           argv, open("/dev/null", O_RDONLY | O_CLOEXEC), -1,
			      container_pidfd, -1};
	struct floor_process helper = run(exec_child, &child, 0);

	close(child.stdin_fd);
	(void)floor_wait(&helper);
	return (struct floor_process){.pid = child.grandchild, .pidfd = -1};
}

int floor_wait(struct floor_process *process)
{
	int status = 0;

	while (waitpid(process->pid, &status, __WALL) < 0 && errno == EINTR)
		;
	if (process->pidfd >= 0)
		close(process->pidfd);
	process->pidfd = -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void floor_clean(const struct floor *floor)
{
	for (const char *const *dir = floor->cgroups; dir && *dir; dir++)
		while (rmdir(*dir) < 0 && errno == EBUSY)
			sched_yield();
}
