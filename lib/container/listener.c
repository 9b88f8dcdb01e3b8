/* SPDX-License-Identifier: MIT */
#include "container/listener.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "container/container-internal.h"
#include "container/hooks.h"
#include "security/seccomp.h"
#include "util/json.h"

enum { SEND_TIMEOUT_S = 10 };

/* config-linux.md, "The Container Process State", without the state. */
struct process_state {
	char *oci_version, *metadata;
	char **fds;
	struct lcx__opt_i64 pid;
};

static const struct lcx__json_field process_state_fields[] = {
	{"ociVersion", AS_STRING(struct process_state, oci_version)},
	{"fds", AS_STRINGS(struct process_state, fds)},
	{"pid", AS_I64(struct process_state, pid)},
	{"metadata", AS_STRING(struct process_state, metadata)},
	{0},
};

static char *describe(const struct lcx_container *c, const char *status, pid_t pid)
{
	static char name[] = "seccompFd", version[] = LCX__OCI_VERSION;
	char *names[] = {name, NULL};
	const struct process_state process = {
		.oci_version = version,
		.metadata = c->spec->linux_.seccomp->listener_metadata,
		.fds = names,
		.pid = LCX__OPT(pid),
	};
	CLEANUP(freep) char *text = lcx__container_oci_state(c, status, pid);
	CLEANUP(lcx__json_putp)
	struct json_object *json = lcx__json_write(process_state_fields, &process, NULL);
	CLEANUP(lcx__json_putp) struct json_object *state = NULL;

	if (!text || !json || lcx__json_parse(text, strlen(text), 1 << 20, &state, NULL) < 0)
		return NULL;
	if (json_object_object_add(json, "state", state) < 0)
		return NULL;
	state = NULL;
	return lcx__json_print(json);
}

static int send_to(int socket_fd, const char *text, int listener_fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
				.cmsg_level = SOL_SOCKET,
				.cmsg_type = SCM_RIGHTS}};
	struct iovec iov = {(void *)(uintptr_t)text, strlen(text)};
	const struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n;

	memcpy(CMSG_DATA(&control.header), &listener_fd, sizeof(int));
	do
		n = sendmsg(socket_fd, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	/* A stream takes what it has room for. */
	while (n >= 0 && (size_t)n < iov.iov_len) {
		ssize_t more = send(socket_fd, text + n, iov.iov_len - (size_t)n, MSG_NOSIGNAL);

		if (more < 0 && errno != EINTR)
			return -errno;
		n += more > 0 ? more : 0;
	}
	return n < 0 ? -errno : 0;
}

/* A name longer than sun_path is reached by its descriptor. */
static int connect_to(int socket_fd, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	CLEANUP(closep) int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d", fd);
	return connect(socket_fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? -errno
											  : 0;
}

static int send_by_path(const char *path, const char *text, int listener_fd)
{
	const struct timeval timeout = {.tv_sec = SEND_TIMEOUT_S};
	CLEANUP(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return -errno;
	/* Nobody who does not accept may hold up the start for ever: socket(7). */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0)
		return -errno;
	r = connect_to(fd, path);
	return r == 0 ? send_to(fd, text, listener_fd) : r;
}

int lcx__container_send_listener(struct lcx_container *c, const char *status, pid_t pid,
				 int listener_fd, struct lcx_error **err)
{
	const char *path = c->spec->linux_.seccomp->listener_path;
	CLEANUP(freep) char *text = describe(c, status, pid);
	int r = 0;

	if (!text)
		return lcx__fail_nomem(err);
	if (path)
		r = send_by_path(path, text, listener_fd);
	if (r < 0)
		return lcx__fail_sys(err, -r, "send the seccomp listener to '%s'", path);
	if (c->seccomp_socket_fd >= 0)
		r = send_to(c->seccomp_socket_fd, text, listener_fd);
	return r < 0 ? lcx__fail_sys(err, -r, "send the seccomp listener by the caller's socket")
		     : 0;
}

LCX_PUBLIC int lcx_container_set_seccomp_socket(struct lcx_container *c, int32_t socket_fd,
						struct lcx_error **err)
{
	int fd = -1;

	if (socket_fd >= 0) {
		fd = fcntl(socket_fd, F_DUPFD_CLOEXEC, 3);
		if (fd < 0)
			return lcx__fail_sys(err, errno, "keep the socket for seccomp listeners");
	}
	closep(&c->seccomp_socket_fd);
	c->seccomp_socket_fd = fd;
	return 0;
}
