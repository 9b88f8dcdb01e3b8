/* SPDX-License-Identifier: MIT */

/*
 * Sockets and exchanges.
 *
 * Every datagram must come from the kernel (port 0): a process in the socket's
 * namespace may have the capability to send to our port, and inside a container
 * it may be hostile. Answers to another sequence number are left-overs of an
 * exchange that was broken off, and are skipped.
 */
#include <libmnl/libmnl.h>
#include <string.h>
#include <sys/socket.h>
#include <fcntl.h>

#include "init/enter.h"
#include "netlink/netlink.h"
#include "netlink/reply.h"

enum {
	/* The kernel cuts a dump to the reader's buffer, up to 32 KiB a part. */
	BUFFER_SIZE = 64 * 1024,
	DUMP_RETRIES = 16,
};

struct lcx_netlink {
	int fd;
	uint32_t portid;
	uint32_t seq;                   /* of the next message */
	char words[LCX__NL_WORDS_SIZE]; /* the kernel's, about the last exchange */
	_Alignas(struct nlmsghdr) uint8_t buffer[BUFFER_SIZE];
};

static int socket_option(int fd, int option)
{
	socklen_t length = sizeof(int);
	int value;

	return getsockopt(fd, SOL_SOCKET, option, &value, &length) < 0 ? -1 : value;
}

static void set_option(int fd, int option)
{
	int on = 1;

	/* Each is an improvement only: kernels without it answer in the old way. */
	(void)setsockopt(fd, SOL_NETLINK, option, &on, sizeof(on));
}

/* A socket that was never used has no port number yet: bind(2) gives it one. */
static int bind_socket(int fd, uint32_t *ret_portid)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK};
	socklen_t length = sizeof(address);

	if (getsockname(fd, (struct sockaddr *)&address, &length) < 0)
		return -errno;
	if (address.nl_pid == 0) {
		address = (struct sockaddr_nl){.nl_family = AF_NETLINK};
		if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
			return -errno;
		length = sizeof(address);
		if (getsockname(fd, (struct sockaddr *)&address, &length) < 0)
			return -errno;
	}
	*ret_portid = address.nl_pid;
	return 0;
}

/* Takes @fd over on success only. */
static int wrap(int fd, struct lcx_netlink **ret, struct lcx_error **err)
{
	CLEANUP(freep) struct lcx_netlink *nl = malloc(sizeof(*nl));
	int r;

	if (!nl)
		return lcx__fail_nomem(err);
	nl->fd = fd;
	nl->words[0] = '\0';
	nl->seq = 1;

	r = bind_socket(fd, &nl->portid);
	if (r < 0)
		return lcx__fail_sys(err, -r, "bind a netlink socket");
	set_option(fd, NETLINK_EXT_ACK);
	set_option(fd, NETLINK_CAP_ACK);
	set_option(fd, NETLINK_GET_STRICT_CHK);

	*ret = TAKE_PTR(nl);
	return 0;
}

int lcx__netlink_open(int protocol, struct lcx_netlink **ret, struct lcx_error **err)
{
	CLEANUP(closep) int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	int r;

	if (fd < 0)
		return lcx__fail_sys(err, errno, "open a netlink socket%s",
				     protocol == NETLINK_NETFILTER && errno == EPROTONOSUPPORT
					     ? ": load the kernel's module nf_tables"
					     : "");
	r = wrap(fd, ret, err);
	if (r == 0)
		(void)TAKE_FD(fd);
	return r;
}

LCX_PUBLIC int lcx_netlink_open(struct lcx_netlink **ret, struct lcx_error **err)
{
	return lcx__netlink_open(NETLINK_ROUTE, ret, err);
}

LCX_PUBLIC int lcx_netlink_open_netns(int netns_fd, struct lcx_netlink **ret,
				      struct lcx_error **err)
{
	CLEANUP(closep)
	int fd = lcx__socket_in_netns(netns_fd, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	int r;

	if (fd < 0)
		return lcx__fail_sys(err, -fd,
				     "open a netlink socket in the network namespace behind "
				     "descriptor %d",
				     netns_fd);
	r = wrap(fd, ret, err);
	if (r == 0)
		(void)TAKE_FD(fd);
	return r;
}

LCX_PUBLIC int lcx_netlink_open_fd(int fd, struct lcx_netlink **ret, struct lcx_error **err)
{
	if (socket_option(fd, SO_DOMAIN) != AF_NETLINK ||
	    socket_option(fd, SO_PROTOCOL) != NETLINK_ROUTE)
		return lcx__fail(err, EINVAL, "descriptor %d is not a NETLINK_ROUTE socket", fd);
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return lcx__fail_sys(err, errno, "netlink socket %d: set close-on-exec", fd);
	return wrap(fd, ret, err);
}

int lcx__netlink_borrow(int fd, struct lcx_netlink **ret, struct lcx_error **err)
{
	CLEANUP(closep) int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	int r;

	if (copy < 0)
		return lcx__fail_sys(err, errno, "netlink socket %d", fd);
	r = lcx_netlink_open_fd(copy, ret, err);
	if (r == 0)
		(void)TAKE_FD(copy);
	return r;
}

LCX_PUBLIC int lcx_netlink_fd(const struct lcx_netlink *nl)
{
	return nl->fd;
}

LCX_PUBLIC struct lcx_netlink *lcx_netlink_free(struct lcx_netlink *nl)
{
	if (!nl)
		return NULL;
	closep(&nl->fd);
	free(nl);
	return NULL;
}

/* Number the messages; returns the first number. */
static uint32_t number(struct lcx_netlink *nl, const struct lcx__nl_batch *batch)
{
	uint32_t first = nl->seq;
	size_t offset = 0;

	while (offset < batch->length) {
		struct nlmsghdr *nlh = (struct nlmsghdr *)(batch->data + offset);

		nlh->nlmsg_seq = nl->seq++;
		offset += MNL_ALIGN(nlh->nlmsg_len);
	}
	return first;
}

static int send_all(const struct lcx_netlink *nl, const struct lcx__nl_batch *batch)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t n;

	do
		n = sendto(nl->fd, batch->data, batch->length, MSG_NOSIGNAL,
			   (struct sockaddr *)&kernel, sizeof(kernel));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == batch->length ? 0 : -EIO;
}

/* The next datagram of the kernel's: its length, 0 when the queue is empty, or a negative errno. */
static ssize_t receive(struct lcx_netlink *nl)
{
	struct sockaddr_nl from = {0};
	struct iovec iov = {.iov_base = nl->buffer, .iov_len = sizeof(nl->buffer)};
	struct msghdr msg = {.msg_name = &from, .msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	for (;;) {
		msg.msg_namelen = sizeof(from);
		n = recvmsg(nl->fd, &msg, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
		if (msg.msg_namelen != sizeof(from) || from.nl_pid != 0)
			continue;
		return msg.msg_flags & MSG_TRUNC ? -EMSGSIZE : n;
	}
}

static int exchange_once(struct lcx_netlink *nl, const struct lcx__nl_batch *batch,
			 struct lcx__nl_reply *reply)
{
	int broken = 0;
	ssize_t n;
	int r;

	reply->first_seq = number(nl, batch);
	reply->portid = nl->portid;
	r = send_all(nl, batch);
	if (r < 0)
		return r;

	/* The queue is emptied in any case, for the sake of the next exchange. */
	while ((n = receive(nl)) != 0) {
		r = n < 0         ? (int)n
		    : broken == 0 ? lcx__nl_reply_read(reply, nl->buffer, (size_t)n)
				  : 0;
		if (r < 0 && broken == 0)
			broken = r;
		if (n < 0 && n != -ENOBUFS && n != -EMSGSIZE)
			break;
	}
	return broken;
}

/* What a confirmed exchange must have brought: its end, if it was a dump, and its last ACK. */
static unsigned int confirmations(const struct lcx__nl_batch *batch)
{
	unsigned int wanted = 0;
	size_t offset = 0;

	while (offset < batch->length) {
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)(batch->data + offset);

		if ((nlh->nlmsg_flags & NLM_F_ACK) || (nlh->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP)
			wanted++;
		offset += MNL_ALIGN(nlh->nlmsg_len);
	}
	return wanted;
}

int lcx__nl_exchange(struct lcx_netlink *nl, struct lcx__nl_batch *batch, lcx__nl_answer answer,
		     void *data, unsigned int *ret_failed)
{
	struct lcx__nl_reply reply;
	int r = batch->failed;

	nl->words[0] = '\0';
	for (int i = 0; r == 0 && i < DUMP_RETRIES; i++) {
		reply = (struct lcx__nl_reply){.messages = batch->count,
					       .answer = answer,
					       .data = data,
					       .words = nl->words};
		if (i > 0 && answer)
			r = answer(NULL, data);
		if (r == 0)
			r = exchange_once(nl, batch, &reply);
		if (r == 0)
			r = reply.result;
		if (r == 0 && !reply.interrupted) {
			if (reply.confirmed < confirmations(batch))
				r = -EIO;
			break;
		}
		if (r == 0 && i == DUMP_RETRIES - 1)
			r = -EBUSY;
	}
	if (ret_failed)
		*ret_failed = r < 0 && batch->failed == 0 ? reply.failed : 0;
	lcx__nl_batch_free(batch);
	return r;
}

int lcx__nl_fail(const struct lcx_netlink *nl, struct lcx_error **err, int code, const char *format,
		 ...)
{
	char what[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	if (nl->words[0] == '\0')
		return lcx__fail_sys(err, code, "%s", what);
	return lcx__fail_sys(err, code, "%s (the kernel says: %s)", what, nl->words);
}
