/* SPDX-License-Identifier: MIT */
#include "net/monitor.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "init/launch.h"
#include "init/program.h"
#include "net/monitor/embed.h"
#include "net/monitor/wire.h"
#include "util/fs.h"
#include "util/process.h"
#include "util/sys.h"

#define MONITOR_FILE  "monitor"
#define RESOLVER_FILE "resolver"

enum {
	TEXT_LIMIT = 256,
	START_MS = 10000,
	END_MS = 5000,
};

_Static_assert((int)MONITOR_SOCKETS_LIMIT > 2 * (int)NET_SUBNETS_LIMIT, "two for each subnet");
_Static_assert((int)MONITOR_NAME_SIZE == (int)NET_NAME_SIZE, "a network's name");

/* ---- which one is it ---- */

struct running {
	long long pid, start_time;
	unsigned int port, loopback_port;
	char version[32];
};

static bool is_locked(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* 1 if one lives; 0 if not: then what the last one was. What it has not written, or not well, is
 * zero. */
static int read_running(int records_fd, const char *file, struct running *ret)
{
	CLEANUP(closep) int fd = openat(records_fd, file, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	CLEANUP(freep) char *text = NULL;

	*ret = (struct running){0};
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (lcx__read_fd(fd, TEXT_LIMIT, &text, NULL) < 0 ||
	    sscanf(text, "%lld %lld %u %u %31s", &ret->pid, &ret->start_time, &ret->port,
		   &ret->loopback_port, ret->version) != 5)
		*ret = (struct running){0};
	return is_locked(fd);
}

uint16_t lcx__monitor_loopback_port(int records_fd)
{
	struct running running;

	return read_running(records_fd, MONITOR_FILE, &running) == 1
		       ? (uint16_t)running.loopback_port
		       : 0;
}

uint16_t lcx__monitor_port(int records_fd)
{
	static const char *const files[] = {MONITOR_FILE, RESOLVER_FILE};
	struct running running;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (read_running(records_fd, files[i], &running) == 1 && running.port != 0)
			return (uint16_t)running.port;
	return 0;
}

int lcx__monitor_open(int records_fd)
{
	struct running running;
	int r = read_running(records_fd, MONITOR_FILE, &running);

	/* The file stays while it is not ended by us. */
	if (r == 0)
		r = faccessat(records_fd, MONITOR_FILE, F_OK, AT_SYMLINK_NOFOLLOW) < 0 ? -errno
										       : -ESRCH;
	if (r < 0)
		return r;
	return running.pid == 0 ? -EAGAIN : lcx__open_process(running.pid, running.start_time);
}

/* ---- a program that does it itself ---- */

int lcx__resolver_claim(int records_fd, struct lcx_error **err)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	CLEANUP(closep)
	int fd = openat(records_fd, RESOLVER_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return lcx__fail_sys(err, errno, "make the resolver's file");
	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return TAKE_FD(fd);
	return errno == EAGAIN || errno == EACCES
		       ? lcx__fail(err, EBUSY, "somebody resolves its names already")
		       : lcx__fail_sys(err, errno, "lock the resolver's file");
}

int lcx__resolver_tell(int file_fd, uint16_t port, struct lcx_error **err)
{
	CLEANUP(freep) char *text = lcx__format("%d 0 %u 0 " LCX_VERSION "\n", getpid(), port);
	int r;

	if (!text)
		return lcx__fail_nomem(err);
	r = ftruncate(file_fd, 0) < 0 ? -errno : lcx__write_all(file_fd, text, strlen(text));
	return r < 0 ? lcx__fail_sys(err, -r, "write the resolver's file") : 0;
}

/* ---- its end ---- */

/* Killed, it leaves nothing but the sockets, which end with it: there is nothing to ask it for. */
static int kill_and_wait(const struct running *running, struct lcx_error **err)
{
	int r = lcx__end_process(running->pid, running->start_time, END_MS);

	return r < 0 ? lcx__fail_sys(err, -r, "end process %lld", running->pid) : 0;
}

/* One that has just been started writes its number in a moment. */
static int end_running(int records_fd, struct lcx_error **err)
{
	int64_t end = lcx__monotonic_ns() + INT64_C(1000000) * END_MS;
	struct running running;
	int r;

	while ((r = read_running(records_fd, MONITOR_FILE, &running)) == 1 && running.pid == 0) {
		if (lcx__monotonic_ns() > end)
			return lcx__fail(err, ETIMEDOUT, "it does not say which process it is");
		(void)poll(NULL, 0, 1);
	}
	if (r < 0)
		return lcx__fail_sys(err, -r, "read its file");
	return r == 0 ? 0 : kill_and_wait(&running, err);
}

static int forget(int records_fd, const char *file, struct lcx_error **err)
{
	if (unlinkat(records_fd, file, 0) < 0 && errno != ENOENT)
		return lcx__fail_sys(err, errno, "remove its file");
	return 0;
}

int lcx__monitor_end(struct lcx_ctx *ctx, struct lcx_netlink **nft,
		     const struct lcx_network *network, struct lcx_error **err)
{
	CLEANUP(closep) int records_fd = lcx__net_records_dir(ctx, network->name, err);
	int r;

	if (records_fd < 0)
		return records_fd == -ENOENT ? 0 : records_fd;
	r = end_running(records_fd, err);
	if (r == 0)
		r = forget(records_fd, MONITOR_FILE, err);
	/* Of a program that lives on it remains to be locked, as a file without a name. */
	if (r == 0)
		r = forget(records_fd, RESOLVER_FILE, err);
	if (r == 0 && network->resolver != NET_RESOLVER_NONE)
		r = lcx__firewall_remove_names(nft, network, err);
	return lcx__fail_prefix(err, r, "monitor of network '%s'", network->name);
}

/* ---- its start ---- */

struct sockets {
	int fds[MONITOR_SOCKETS_LIMIT];
	size_t count;
	uint16_t port, loopback_port;
};

static void close_sockets(struct sockets *sockets)
{
	while (sockets->count > 0)
		closep(&sockets->fds[--sockets->count]);
}

static int send_order(int control_fd, const struct lcx_network *network,
		      const struct sockets *sockets)
{
	struct monitor_order order;

	memset(&order, 0, sizeof(order));
	order.n_sockets = (uint32_t)sockets->count;
	order.port = sockets->port;
	order.loopback_port = sockets->loopback_port;
	(void)snprintf(order.network, sizeof(order.network), "%s", network->name);
	return send(control_fd, &order, sizeof(order), MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int receive_reply(int control_fd, struct lcx_error **err)
{
	struct monitor_reply reply;
	int r = lcx__program_answer(control_fd, START_MS, &reply, sizeof(reply));

	if (r < 0)
		return lcx__fail(err, -r,
				 r == -ETIMEDOUT ? "it does not answer"
						 : "it ended without a word");
	reply.text[sizeof(reply.text) - 1] = '\0';
	return reply.error == 0 ? 0 : lcx__fail(err, reply.error, "%s", reply.text);
}

/* @fds: what it gets behind the control socket. */
static int launch(const struct lcx_network *network, const struct sockets *sockets, const int *fds,
		  size_t n_fds, struct lcx_error **err)
{
	const struct lcx__program program = {
		.name = "lcx-monitor",
		.bytes = lcx__monitor_program,
		.size = lcx__monitor_program_size,
	};
	CLEANUP(closep) int control_fd = -1, pidfd = -1;
	int r = lcx__program_start_told(&program, fds, n_fds, -1, &control_fd, &pidfd, err);

	if (r < 0)
		return r;
	r = send_order(control_fd, network, sockets);
	r = r < 0 ? lcx__fail_sys(err, -r, "tell it what to do") : receive_reply(control_fd, err);
	/* It has left us a child of its own, and ends itself. */
	lcx__pidfd_reap(pidfd);
	return r;
}

/* That on ::1 is the last one. */
static int open_sockets(const struct lcx_network *network, struct sockets *sockets,
			struct lcx_error **err)
{
	int r = 0;

	if (network->resolver == NET_RESOLVER_MONITOR)
		r = lcx__resolver_listen(network, sockets->fds, &sockets->count, &sockets->port,
					 err);
	if (r == 0 && lcx__network_families(network) & 1u << NET_V6)
		r = lcx__loopback_listen(&sockets->fds[sockets->count], &sockets->loopback_port,
					 err);
	sockets->count += sockets->loopback_port != 0;
	return r;
}

/* What leads to it; @former: to whom it led. */
static int lead_there(struct lcx_ctx *ctx, const struct lcx_network *network,
		      const struct sockets *sockets, const struct running *former,
		      struct lcx_error **err)
{
	char comment[NET_MARK_SIZE];
	int r = 0;

	lcx__net_comment(ctx, network->name, comment);
	if (sockets->port != 0)
		r = lcx__firewall_add_names(comment, network, sockets->port, err);
	if (r == 0 && former->loopback_port != 0)
		r = lcx__firewall_move_loopback((uint16_t)former->loopback_port,
						sockets->loopback_port, err);
	return r;
}

static int start(struct lcx_ctx *ctx, const struct lcx_network *network, int records_fd,
		 const struct running *former, struct lcx_error **err)
{
	CLEANUP(close_sockets) struct sockets sockets = {0};
	CLEANUP(closep) int run_fd = lcx__net_run_dir(ctx, err), file_fd = -1;
	CLEANUP(closep) int networks_fd = lcx__net_networks_dir(ctx, err);
	int fds[MONITOR_FD_SOCKETS + MONITOR_SOCKETS_LIMIT], r;
	size_t n = 0;

	if (run_fd < 0 || networks_fd < 0)
		return run_fd < 0 ? run_fd : networks_fd;
	file_fd = openat(records_fd, MONITOR_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (file_fd < 0)
		return lcx__fail_sys(err, errno, "make its file");
	r = open_sockets(network, &sockets, err);
	if (r < 0)
		return r;
	fds[n++] = file_fd;
	fds[n++] = run_fd;
	fds[n++] = networks_fd;
	for (size_t i = 0; i < sockets.count; i++)
		fds[n++] = sockets.fds[i];
	r = launch(network, &sockets, fds, n, err);
	return r < 0 ? r : lead_there(ctx, network, &sockets, former, err);
}

static bool is_needed(const struct lcx_network *network, int records_fd,
		      const struct lcx_attachment *attachment)
{
	bool needed = network->resolver == NET_RESOLVER_MONITOR ||
		      faccessat(records_fd, MONITOR_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0;

	for (size_t i = 0; i < attachment->port_count && !needed; i++)
		needed = lcx__port_is_on_loopback6(&attachment->ports[i]);
	return needed;
}

int lcx__monitor_ensure(struct lcx_ctx *ctx, const struct lcx_network *network, int records_fd,
			const struct lcx_attachment *attachment, struct lcx_error **err)
{
	struct running running;
	int r = read_running(records_fd, MONITOR_FILE, &running);

	if (!is_needed(network, records_fd, attachment) ||
	    (r == 1 && strcmp(running.version, LCX_VERSION) == 0))
		return 0;
	/* Its file stays, and what leads to it, until there is another one. */
	r = end_running(records_fd, err);
	if (r == 0)
		r = start(ctx, network, records_fd, &running, err);
	return lcx__fail_prefix(err, r, "start the monitor of network '%s'", network->name);
}

int lcx__monitor_revive(struct lcx_ctx *ctx, const struct lcx_network *network, int records_fd,
			struct lcx_error **err)
{
	struct running former;
	int r;

	/* One that was ended has no file. */
	if (faccessat(records_fd, MONITOR_FILE, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	r = read_running(records_fd, MONITOR_FILE, &former);
	if (r > 0)
		return 0;
	r = r < 0 ? lcx__fail_sys(err, -r, "read its file")
		  : start(ctx, network, records_fd, &former, err);
	(void)lcx__fail_prefix(err, r, "start the monitor of network '%s' again", network->name);
	return r < 0 ? r : 1;
}
