/* SPDX-License-Identifier: MIT */

/*
 * A supervisor of system calls: a container that makes device nodes, of a list.
 *
 *     mknod ROOTFS PROGRAM [ARGUMENT]...
 *
 * mknod(2) and mknodat(2) of the container's processes stop in the kernel and come here. /dev/null,
 * zero, full, random and urandom are made by this program, which has the right, where the process
 * wanted them; every other call goes on to the kernel, which refuses a device to a container
 * without CAP_MKNOD. This is what a supervisor for mounts, or for setting the clock, looks like
 * too.
 *
 * What must not be done: to look at the memory of the process, find it harmless, and let the
 * kernel go on with the call. Between the two another thread of it writes other words there, and
 * the kernel reads those (seccomp_unotify(2), "Caveats regarding the use of
 * SECCOMP_USER_NOTIF_FLAG_CONTINUE"). Here the path is read once, into our own memory, and the call
 * is made by us with what was read; what is allowed to go on is what would be refused, or harmless,
 * anyway: its arguments are never relied on for more. And a process may die and its number be given
 * to another one at any moment: after the descriptors of the process are open, the kernel is asked
 * whether the call still waits (SECCOMP_IOCTL_NOTIF_ID_VALID); only then they are surely its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/audit.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>

#include <lcx/lcx.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

static const struct {
	unsigned int major, minor;
} allowed[] = {{1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}};

/* One call that waits, and what is held of its process. */
struct call {
	int listener_fd;
	struct seccomp_notif *request;
	int root_fd; /* the root directory of the process */
	int dir_fd;  /* what a relative path starts at */
	char path[4096];
};

/* Whether the call still waits: what was opened by the number of the process is then its own. */
static int is_valid(const struct call *call)
{
	return ioctl(call->listener_fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &call->request->id) == 0;
}

static int open_of_process(const struct call *call, const char *what)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%u/%s", call->request->pid, what);
	return open(path, O_PATH | O_CLOEXEC);
}

/* A string ends within its page or goes on in the next one, which may not be there. */
static int read_path(struct call *call, uint64_t address)
{
	char name[64];
	ssize_t n;
	int fd;

	(void)snprintf(name, sizeof(name), "/proc/%u/mem", call->request->pid);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = pread(fd, call->path, sizeof(call->path), (off_t)address);
	if (n <= 0)
		n = -EFAULT;
	else if (!memchr(call->path, '\0', (size_t)n))
		n = -ENAMETOOLONG;
	close(fd);
	return n < 0 ? (int)n : 0;
}

/*
 * Only root of the container is served: we do not ask whether somebody else might write there. By
 * "Uid:", for the owner of /proc/PID is also root when a process has made itself undumpable.
 */
static int is_root(const struct call *call)
{
	unsigned int real, effective, saved, fs = 1;
	char path[64], line[256];
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%u/status", call->request->pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "Uid: %u %u %u %u", &real, &effective, &saved, &fs) == 4)
			break;
	if (file)
		(void)fclose(file);
	return fs == 0;
}

static int read_call(struct call *call, uint64_t dir, uint64_t address)
{
	char what[32] = "cwd";
	int r = is_root(call) ? read_path(call, address) : -EPERM;

	if ((int)dir != AT_FDCWD)
		(void)snprintf(what, sizeof(what), "fd/%d", (int)dir);
	call->root_fd = open_of_process(call, "root");
	call->dir_fd = open_of_process(call, what);
	if (r == 0 && (call->root_fd < 0 || (call->path[0] != '/' && call->dir_fd < 0)))
		r = -EBADF;
	/* All that was looked up by its number, and only now may be used. */
	return r == 0 && !is_valid(call) ? -ESRCH : r;
}

/*
 * The directory, never outside of the process's root. Its own working directory lies in there: a
 * relative path is resolved from it, but must not climb.
 */
static int open_directory(const struct call *call, const char **ret_name)
{
	const char *slash = strrchr(call->path, '/');
	char directory[sizeof(call->path)] = ".";
	struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC};
	int absolute = call->path[0] == '/';

	*ret_name = slash ? slash + 1 : call->path;
	if (slash)
		(void)snprintf(directory, sizeof(directory), "%.*s",
			       (int)(slash - call->path) + (slash == call->path), call->path);
	how.resolve = (absolute ? RESOLVE_IN_ROOT : RESOLVE_BENEATH) | RESOLVE_NO_MAGICLINKS;
	return (int)syscall(SYS_openat2, absolute ? call->root_fd : call->dir_fd, directory, &how,
			    sizeof(how));
}

static int make_node(const struct call *call, mode_t mode, dev_t device)
{
	const char *name;
	int fd = open_directory(call, &name), r;

	if (fd < 0)
		return -errno;
	r = mknodat(fd, name, mode, device) < 0 ? -errno : 0;
	/* Not followed: it is ours, but its directory is not. */
	if (r == 0)
		(void)fchownat(fd, name, 0, 0, AT_SYMLINK_NOFOLLOW);
	close(fd);
	return r;
}

static int is_allowed(uint64_t mode, uint64_t device)
{
	for (size_t i = 0; (mode & S_IFMT) == S_IFCHR && i < sizeof(allowed) / sizeof(*allowed);
	     i++)
		if (device == makedev(allowed[i].major, allowed[i].minor))
			return 1;
	return 0;
}

static void answer(int listener_fd, struct seccomp_notif *request, struct seccomp_notif_resp *reply)
{
	struct call call = {listener_fd, request, -1, -1, ""};
	const struct seccomp_data *data = &request->data;
	int at = data->nr == SYS_mknodat; /* has the directory before the others */
	uint64_t mode = data->args[at + 1], device = data->args[at + 2];

	/* Of another architecture the same numbers are other calls. */
	if (data->arch == ARCHITECTURE && is_allowed(mode, device)) {
		int r = read_call(&call, at ? data->args[0] : (uint64_t)AT_FDCWD, data->args[at]);

		reply->error =
			r == 0 ? make_node(&call, (mode_t)(mode & (S_IFCHR | 0666)), device) : r;
	} else {
		/* Without CAP_MKNOD the kernel refuses a device, whatever its arguments become. */
		reply->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	}
	if (call.root_fd >= 0)
		close(call.root_fd);
	if (call.dir_fd >= 0)
		close(call.dir_fd);
}

/* Structures as large as this kernel's, which may be larger than those of the headers. */
static int serve(int listener_fd)
{
	struct seccomp_notif_sizes sizes;
	struct pollfd pfd = {.fd = listener_fd, .events = POLLIN};
	struct seccomp_notif_resp *reply;
	struct seccomp_notif *request;

	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0)
		return 1;
	request = malloc(sizes.seccomp_notif);
	reply = malloc(sizes.seccomp_notif_resp);
	/* POLLHUP: no process has the filter any more. */
	while (request && reply && (poll(&pfd, 1, -1) > 0 || errno == EINTR) &&
	       !(pfd.revents & POLLHUP)) {
		memset(request, 0, sizes.seccomp_notif);
		memset(reply, 0, sizes.seccomp_notif_resp);
		if (ioctl(listener_fd, SECCOMP_IOCTL_NOTIF_RECV, request) < 0)
			continue;
		reply->id = request->id;
		answer(listener_fd, request, reply);
		/* ENOENT: it was killed meanwhile. */
		(void)ioctl(listener_fd, SECCOMP_IOCTL_NOTIF_SEND, reply);
	}
	free(request);
	free(reply);
	return 0;
}

/* The message is one JSON object, and brings the listener. */
static int receive_listener(int socket_fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	char text[4096];
	struct iovec iov = {text, sizeof(text)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	struct cmsghdr *cmsg;
	int fd = -1;

	if (recvmsg(socket_fd, &msg, MSG_CMSG_CLOEXEC) <= 0)
		return -1;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (cmsg && cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(cmsg), sizeof(int));
	return fd;
}

/* A process of its own: the thread that starts the container waits meanwhile. */
static pid_t start_supervisor(int pair[2])
{
	pid_t pid = fork();
	int listener_fd;

	if (pid != 0)
		return pid;
	close(pair[0]);
	(void)umask(0);
	listener_fd = receive_listener(pair[1]);
	_exit(listener_fd >= 0 ? serve(listener_fd) : 0);
}

static int describe(struct lcx_container *container, const char *rootfs, char **argv, int socket_fd,
		    struct lcx_error **err)
{
	struct lcx_spec *spec = lcx_container_spec(container);
	struct lcx_seccomp *profile = NULL;
	int r = lcx_container_set_rootfs(container, rootfs, err);

	if (r == 0)
		r = lcx_container_set_command(container, (const char *const *)argv, err);
	if (r == 0)
		r = lcx_container_set_network(container, "none", err);
	if (r == 0)
		r = lcx_spec_drop_capability(spec, "MKNOD", err);
	if (r == 0)
		r = lcx_seccomp_default(&profile, err);
	if (r == 0)
		r = lcx_seccomp_notify(profile, "mknod", err);
	if (r == 0)
		r = lcx_seccomp_notify(profile, "mknodat", err);
	if (r == 0)
		r = lcx_spec_set_seccomp(spec, profile, err);
	if (r == 0)
		r = lcx_container_set_seccomp_socket(container, socket_fd, err);
	lcx_seccomp_free(profile);
	return r;
}

int main(int argc, char **argv)
{
	struct lcx_container *container = NULL;
	struct lcx_stdio *stdio = NULL;
	struct lcx_error *err = NULL;
	struct lcx_ctx *ctx = NULL;
	int32_t status = 125;
	int pair[2], r;
	pid_t supervisor;

	if (argc < 3) {
		fprintf(stderr, "usage: mknod ROOTFS PROGRAM [ARGUMENT]...\n");
		return 125;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return 125;
	supervisor = start_supervisor(pair);
	close(pair[1]);

	r = lcx_ctx_open(getenv("LCX_ROOT"), getenv("LCX_RUN"), &ctx, &err);
	if (r == 0)
		r = lcx_container_new(ctx, NULL, &container, &err);
	if (r == 0)
		r = describe(container, argv[1], argv + 2, pair[0], &err);
	if (r == 0)
		r = lcx_stdio_new(&stdio, &err);
	if (r == 0) {
		lcx_stdio_set_attach(stdio, 0, 1, 2);
		lcx_container_set_auto_remove(container, 1);
		r = lcx_container_start(container, stdio, &err);
	}
	if (r == 0)
		r = lcx_container_wait(container, -1, &status, &err);
	if (r < 0)
		fprintf(stderr, "mknod: %s\n", lcx_error_message(err));
	lcx_error_free(err);
	lcx_stdio_free(stdio);
	lcx_container_free(container);
	lcx_ctx_free(ctx);
	close(pair[0]);
	if (supervisor > 0)
		(void)waitpid(supervisor, NULL, 0);
	return r < 0 ? 125 : status;
}
