/* SPDX-License-Identifier: MIT */

/*
 * lib/net on its own: networks, and programs attached to them, without a container.
 *
 *     net ROOT create NAME [SUBNET]        prints SUBNET GATEWAY BRIDGE
 *     net ROOT ls
 *     net ROOT inspect NAME
 *     net ROOT rm NAME
 *     net ROOT run NAME OWNER [PORT[,PORT]...] -- PROGRAM [ARGUMENT]...
 *
 * `run` starts a program in a new network namespace that is attached as OWNER,
 * publishes ports ("8080:80"), waits for the program's end, and takes everything
 * down: `net /tmp/n run bridge web 8080:80 -- busybox httpd -f -p 80`.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lcx/ctx.h>
#include <lcx/net.h>
#include <lcx/version.h>

static int create(struct lcx_ctx *ctx, char **args, struct lcx_error **err)
{
	struct lcx_network *network = NULL;
	int r = lcx_network_new(args[0], &network, err);

	if (r == 0 && args[1])
		r = lcx_network_set_subnet(network, args[1], err);
	if (r == 0)
		r = lcx_network_create(ctx, network, err);
	if (r == 0)
		printf("%s %s %s\n", lcx_network_subnet(network), lcx_network_gateway(network),
		       lcx_network_bridge(network));
	lcx_network_free(network);
	return r;
}

static int list(struct lcx_ctx *ctx, char **args, struct lcx_error **err)
{
	struct lcx_network_list *names = NULL;
	const char *name;
	int r = lcx_network_list_open(ctx, &names, err);

	(void)args;
	if (r < 0)
		return r;
	while ((name = lcx_network_list_next(names)))
		puts(name);
	lcx_network_list_free(names);
	return 0;
}

static int inspect(struct lcx_ctx *ctx, char **args, struct lcx_error **err)
{
	char *text = NULL;
	int r = lcx_network_inspect(ctx, args[0], &text, err);

	if (r == 0)
		puts(text);
	lcx_string_free(text);
	return r;
}

static int remove_network(struct lcx_ctx *ctx, char **args, struct lcx_error **err)
{
	return lcx_network_remove(ctx, args[0], err);
}

/* ---- run ---- */

struct child {
	pid_t pid;
	int socket;               /* ours; its end lets the program start */
	int netns_fd, netlink_fd; /* of the child's namespace */
};

static int send_fds(int socket, const int fds[2])
{
	char byte = 0;
	union {
		char space[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.space,
			     .msg_controllen = sizeof(control.space)};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(2 * sizeof(int));
	memcpy(CMSG_DATA(cmsg), fds, 2 * sizeof(int));
	return sendmsg(socket, &msg, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int receive_fds(int socket, int fds[2])
{
	char byte;
	union {
		char space[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.space,
			     .msg_controllen = sizeof(control.space)};
	struct cmsghdr *cmsg;

	if (recvmsg(socket, &msg, MSG_CMSG_CLOEXEC) <= 0)
		return -EIO;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg || cmsg->cmsg_type != SCM_RIGHTS || cmsg->cmsg_len != CMSG_LEN(2 * sizeof(int)))
		return -EIO;
	memcpy(fds, CMSG_DATA(cmsg), 2 * sizeof(int));
	return 0;
}

/* The child: a namespace, its two descriptors to the parent, then the parent's word. */
static void become_program(int socket_fd, char **argv)
{
	char go = 0;
	int fds[2];

	if (unshare(CLONE_NEWNET) < 0)
		_exit(125);
	fds[0] = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	fds[1] = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fds[0] < 0 || fds[1] < 0 || send_fds(socket_fd, fds) < 0)
		_exit(125);
	if (read(socket_fd, &go, 1) != 1)
		_exit(125);
	execvp(argv[0], argv);
	_exit(127);
}

static int spawn(struct child *child, char **argv)
{
	int pair[2], fds[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	child->pid = fork();
	if (child->pid == 0) {
		close(pair[0]); /* or the child would never see its end */
		become_program(pair[1], argv);
	}
	close(pair[1]);
	child->socket = pair[0];
	if (child->pid < 0)
		return -errno;
	r = receive_fds(child->socket, fds);
	if (r == 0) {
		child->netns_fd = fds[0];
		child->netlink_fd = fds[1];
	}
	return r;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int add_ports(struct lcx_attachment *attachment, char *texts, struct lcx_error **err)
{
	char *text;
	int r = 0;

	while (r == 0 && (text = strsep(&texts, ","))) {
		struct lcx_port *port = NULL;

		r = lcx_port_parse(text, &port, err);
		if (r == 0)
			r = lcx_attachment_add_port(attachment, port, err);
		lcx_port_free(port);
	}
	return r;
}

static int attach(struct lcx_ctx *ctx, char **args, char *ports, const struct child *child,
		  struct lcx_error **err)
{
	struct lcx_attachment *attachment = NULL;
	struct lcx_network *network = NULL;
	int r = lcx_network_open(ctx, args[0], &network, err);

	if (r == 0)
		r = lcx_attachment_new(args[1], &attachment, err);
	if (r == 0 && ports)
		r = add_ports(attachment, ports, err);
	if (r == 0)
		r = lcx_network_attach(ctx, network, attachment, child->netns_fd, child->netlink_fd,
				       err);
	if (r == 0)
		fprintf(stderr, "%s has %s/%u, behind %s\n", args[1],
			lcx_attachment_address(attachment), lcx_attachment_prefix(attachment),
			lcx_attachment_host_interface(attachment));
	lcx_attachment_free(attachment);
	lcx_network_free(network);
	return r;
}

static int run(struct lcx_ctx *ctx, char **args, struct lcx_error **err)
{
	struct child child = {-1, -1, -1, -1};
	char **argv = args + 2, *ports = NULL;
	int r, status = 0;

	if (*argv && strcmp(*argv, "--") != 0)
		ports = *argv++;
	if (!*argv || strcmp(*argv, "--") != 0 || !argv[1])
		return -EINVAL;
	r = spawn(&child, argv + 1);
	if (r == 0)
		r = attach(ctx, args, ports, &child, err);
	/* From now on only the program holds its namespace: it ends with it. */
	close_fd(&child.netns_fd);
	close_fd(&child.netlink_fd);
	if (r == 0 && write(child.socket, "!", 1) != 1)
		r = -EIO;
	close_fd(&child.socket);
	if (child.pid > 0)
		(void)waitpid(child.pid, &status, 0);
	if (r == 0)
		r = lcx_network_detach(ctx, args[0], args[1], err);
	return r < 0 ? r : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static const struct {
	const char *name;
	int arguments;
	int (*run)(struct lcx_ctx *ctx, char **args, struct lcx_error **err);
} verbs[] = {
	{"create", 1, create},     {"ls", 0, list}, {"inspect", 1, inspect},
	{"rm", 1, remove_network}, {"run", 4, run},
};

int main(int argc, char **argv)
{
	struct lcx_ctx *ctx = NULL;
	struct lcx_error *err = NULL;
	int r = -EINVAL;

	for (size_t i = 0; argc > 2 && i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(argv[2], verbs[i].name) != 0 || argc - 3 < verbs[i].arguments)
			continue;
		r = lcx_ctx_open(argv[1], NULL, &ctx, &err);
		if (r == 0)
			r = verbs[i].run(ctx, argv + 3, &err);
		break;
	}
	if (r < 0)
		fprintf(stderr, "net: %s\n", err ? lcx_error_message(err) : strerror(-r));
	lcx_error_free(err);
	lcx_ctx_free(ctx);
	return r < 0 ? EXIT_FAILURE : r;
}
