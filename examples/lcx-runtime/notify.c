/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "runtime.h"

/*
 * A service that systemd(1), or an engine in its place, started with NOTIFY_SOCKET is up when its
 * container says so. The container gets a socket of its own, as runc has it in
 * /run/notify/notify.sock, and of all that its programs write to it one line is heard, "READY=1":
 * the rest of that protocol is about the service, its main process and its descriptors, which are
 * not theirs to name.
 *
 * The socket's directory, ROOT/notify/ID/inside, is made with the container and removed with it,
 * and mounted so that nothing in there can be changed. What a killed runtime has left, the next one
 * that makes such a place removes: who makes one holds a shared lock until the container is there.
 * ROOT/notify/ID, which the container doesn't see and so can't lock, is locked by who listens.
 */

#define INSIDE "/run/notify"
#define PLACE "inside"
#define SOCKET "notify.sock"

/* More than any queue has in practice; who fills it as fast as it is read must keep nobody here. */
enum { MESSAGES_PER_TURN = 1024 };

static const char *callers_socket(void)
{
	const char *path = getenv("NOTIFY_SOCKET");

	return path && (path[0] == '/' || path[0] == '@') && path[1] ? path : NULL;
}

static int open_directory(int at, const char *path)
{
	return openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* ROOT/notify. Return: a descriptor, or -1 with errno. */
static int open_all(const struct runtime *rt)
{
	CLEANUP(closep) int root_fd = open(rt->root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return root_fd < 0 ? -1 : open_directory(root_fd, "notify");
}

static void remove_one(int all_fd, const char *id)
{
	CLEANUP(closep) int fd = open_directory(all_fd, id);
	CLEANUP(closep) int place_fd = fd < 0 ? -1 : open_directory(fd, PLACE);

	if (place_fd >= 0)
		(void)unlinkat(place_fd, SOCKET, 0);
	if (fd >= 0)
		(void)unlinkat(fd, PLACE, AT_REMOVEDIR);
	(void)unlinkat(all_fd, id, AT_REMOVEDIR);
}

void notify_remove(const struct runtime *rt, const char *id)
{
	CLEANUP(closep) int fd = open_all(rt);

	if (fd >= 0)
		remove_one(fd, id);
}

/* Those of containers that are not there. */
static void sweep(const struct runtime *rt, int all_fd)
{
	int copy = flock(all_fd, LOCK_EX | LOCK_NB) < 0 ? -1 : open_directory(all_fd, ".");
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;

		if (entry->d_name[0] != '.' &&
		    lcx_bundle_open(rt->ctx, entry->d_name, &c, NULL) == -ENOENT)
			remove_one(all_fd, entry->d_name);
	}
	if (dir)
		(void)closedir(dir);
	else
		closep(&copy);
}

/* Return: 0, or a negative errno. */
static int make_place(const struct runtime *rt, const char *id, struct notify_place *ret)
{
	CLEANUP(closep) int root_fd = open(rt->root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(closep) int all_fd = -1, fd = -1, place_fd = -1;

	if (root_fd < 0 || (mkdirat(root_fd, "notify", 0700) < 0 && errno != EEXIST))
		return -errno;
	all_fd = open_all(rt);
	if (all_fd < 0)
		return -errno;
	sweep(rt, all_fd);
	if (flock(all_fd, LOCK_SH) < 0)
		return -errno;
	ret->made = mkdirat(all_fd, id, 0700) == 0;
	if (!ret->made && errno != EEXIST)
		return -errno;
	fd = open_directory(all_fd, id);
	if (fd < 0 || (mkdirat(fd, PLACE, 0755) < 0 && errno != EEXIST))
		return -errno;
	place_fd = open_directory(fd, PLACE);
	/* Whatever the umask: the container's user is no user of the host's. */
	if (place_fd < 0 || fchmod(place_fd, 0755) < 0)
		return -errno;
	ret->lock_fd = all_fd;
	all_fd = -1;
	return 0;
}

int notify_prepare(struct runtime *rt, const char *id, struct lcx_spec *spec,
		   struct notify_place *ret)
{
	static const char *const options[] = {"bind",   "ro",     "nosuid", "nodev",
					      "noexec", "rprivate", NULL};
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(freep) char *path = NULL;
	int r;

	if (!callers_socket())
		return 0;
	r = make_place(rt, id, ret);
	if (r < 0)
		return report(rt, "NOTIFY_SOCKET: '%s/notify': %s", rt->root_path, strerror(-r));
	if (asprintf(&path, "%s/notify/%s/" PLACE, rt->root_path, id) < 0)
		return report(rt, "out of memory");
	r = lcx_spec_add_mount(spec, path, INSIDE, "bind", options, &err);
	if (r == 0)
		r = lcx_spec_set_env(spec, "NOTIFY_SOCKET", INSIDE "/" SOCKET, &err);
	return r < 0 ? report_error(rt, err) : 0;
}

static int listen_in(int dir_fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	CLEANUP(closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	/* By the descriptor: the path may be longer than an address. */
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" SOCKET,
		       dir_fd);
	(void)unlinkat(dir_fd, SOCKET, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    fchmodat(dir_fd, SOCKET, 0777, 0) < 0)
		return -errno;
	r = fd;
	fd = -1;
	return r;
}

int notify_open(struct runtime *rt, const char *id, struct notify *ret)
{
	CLEANUP(closep) int all_fd = callers_socket() ? open_all(rt) : -1;
	CLEANUP(closep) int fd = all_fd < 0 ? -1 : open_directory(all_fd, id);
	CLEANUP(closep) int place_fd = fd < 0 ? -1 : open_directory(fd, PLACE);
	int r;

	if (place_fd < 0)
		return 0;
	/* Another's socket must stay, whoever of the two has the program go on. */
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return report(rt, "container '%s' is already being started", id);
	r = listen_in(place_fd);
	if (r < 0)
		return report(rt, "NOTIFY_SOCKET: '%s/notify/%s': %s", rt->root_path, id,
			      strerror(-r));
	ret->fd = r;
	ret->lock_fd = fd;
	fd = -1;
	return 0;
}

void notify_close(struct notify *notify)
{
	closep(&notify->fd);
	closep(&notify->lock_fd);
	*notify = (struct notify)NOTIFY_NONE;
}

static void tell(int32_t main_pid)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = callers_socket();
	CLEANUP(closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	size_t length = path ? strlen(path) : 0;
	char text[64];
	int n = snprintf(text, sizeof(text), "READY=1\nMAINPID=%d", (int)main_pid);

	if (fd < 0 || length == 0 || length >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, length);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	(void)sendto(fd, text, (size_t)n, MSG_NOSIGNAL, (struct sockaddr *)&address,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
}

static bool says_ready(char *text)
{
	char *line;

	while ((line = strsep(&text, "\n")))
		if (strcmp(line, "READY=1") == 0)
			return true;
	return false;
}

bool notify_pass_on(int fd, int32_t main_pid)
{
	char text[4096];

	for (int i = 0; i < MESSAGES_PER_TURN; i++) {
		ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);

		if (n < 0)
			break;
		text[n] = '\0';
		if (says_ready(text))
			return tell(main_pid), true;
	}
	return false;
}

void notify_wait(int fd, int pidfd, int32_t main_pid)
{
	struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = pidfd, .events = POLLIN}};

	if (fd < 0)
		return;
	/* What it said at last comes before its end. */
	while (!fds[1].revents)
		if ((poll(fds, 2, -1) < 0 && errno != EINTR) || notify_pass_on(fd, main_pid))
			return;
}
