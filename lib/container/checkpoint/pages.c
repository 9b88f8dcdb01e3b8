/* SPDX-License-Identifier: MIT */
#include "container/checkpoint/checkpoint.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "util/fs.h"
#include "util/sigpipe.h"

/*
 * Memory that is not written beside the other images: it is sent to a page server, or stays where
 * it is and is fetched, page by page, by who restores. For the second criu becomes a page server
 * itself, after all else was written, and tells once when it is one.
 */

enum { ADDRESS_MAX = 255 };

/* ---- where: ADDRESS:PORT ------------------------------------------------- */

static bool is_address(const char *text, size_t length)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789.:%_-";

	return length > 0 && length <= ADDRESS_MAX && strspn(text, allowed) >= length &&
	       text[0] != '-';
}

/* An address with colons has brackets around it, as in a URL. */
static char *copy_address(const char *text, const char *colon)
{
	size_t length = (size_t)(colon - text);
	bool bracketed = length > 2 && text[0] == '[' && text[length - 1] == ']';

	if (bracketed)
		text++, length -= 2;
	if (!is_address(text, length) || (!bracketed && memchr(text, ':', length)))
		return NULL;
	return strndup(text, length);
}

int lcx__page_server_parse(const char *text, struct lcx__page_server *ret, struct lcx_error **err)
{
	const char *colon = strrchr(text, ':');
	CLEANUP(freep) char *address = colon ? copy_address(text, colon) : NULL;
	uint64_t port = 0;

	if (!address || lcx__parse_u64(colon + 1, UINT16_MAX, &port) < 0 || port == 0)
		return lcx__fail(err, EINVAL,
				 "checkpoint option 'page-server': '%s' is no ADDRESS:PORT", text);
	lcx__page_server_clear(ret);
	*ret = (struct lcx__page_server){TAKE_PTR(address), (uint16_t)port};
	return 0;
}

void lcx__page_server_clear(struct lcx__page_server *server)
{
	free(server->address);
	*server = (struct lcx__page_server){0};
}

/* ---- who hears that it is ready ------------------------------------------ */

static bool is_writable(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY && !(flags & O_PATH);
}

int lcx__status_open(const char *text, int **ret, struct lcx_error **err)
{
	CLEANUP(freep) int *copy = malloc(sizeof(*copy));
	uint64_t fd;

	if (!copy)
		return lcx__fail_nomem(err);
	if (lcx__parse_u64(text, INT32_MAX, &fd) < 0 || !is_writable((int)fd))
		return lcx__fail(err, EINVAL,
				 "checkpoint option 'status-fd': '%s' is no descriptor that can be "
				 "written to",
				 text);
	*copy = fcntl((int)fd, F_DUPFD_CLOEXEC, 3);
	if (*copy < 0)
		return lcx__fail_sys(err, errno, "keep the descriptor '%s'", text);
	lcx__status_close(*ret);
	*ret = TAKE_PTR(copy);
	return 0;
}

int *lcx__status_close(int *status_fd)
{
	if (status_fd)
		closep(status_fd);
	free(status_fd);
	return NULL;
}

/* If nobody hears it any more, who fetches the memory may come all the same. */
static void tell(int *status_fd)
{
	if (!status_fd || *status_fd < 0)
		return;
	(void)lcx__write_to_host(*status_fd, "", 1);
	closep(status_fd);
}

void lcx__pages_note_ready(const struct lcx_checkpoint *o)
{
	tell(o->status_fd);
}

/* ---- what goes together -------------------------------------------------- */

union address {
	struct sockaddr any;
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;
};

/* Return: its length, or 0: it is none of an interface's. */
static socklen_t read_address(const struct lcx__page_server *server, union address *ret)
{
	*ret = (union address){.in4 = {.sin_family = AF_INET, .sin_port = htons(server->port)}};
	if (inet_pton(AF_INET, server->address, &ret->in4.sin_addr) == 1)
		return sizeof(ret->in4);
	*ret = (union address){.in6 = {.sin6_family = AF_INET6, .sin6_port = htons(server->port)}};
	return inet_pton(AF_INET6, server->address, &ret->in6.sin6_addr) == 1 ? sizeof(ret->in6)
									      : 0;
}

/* criu finds out when all is written, and does not put back all that it has changed. */
static int check_is_free(const struct lcx__page_server *server, struct lcx_error **err)
{
	union address address;
	socklen_t length = read_address(server, &address);
	CLEANUP(closep) int fd = -1;
	int on = 1;

	if (length == 0)
		return lcx__fail(err, EINVAL,
				 "checkpoint option 'page-server': with 'lazy-pages' it is an "
				 "address of this machine, in numbers, and '%s' is none",
				 server->address);
	fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, &address.any, length) < 0)
		return lcx__fail_sys(err, errno, "page server '%s', port %u: bind", server->address,
				     server->port);
	return 0;
}

static const char *find_conflict(const struct lcx_checkpoint *o, enum lcx__checkpoint_way way)
{
	if (!o->image_path)
		return "needs an image path, as what is in the container's own is whole";
	if (way == LCX__CHECKPOINT_RESTORE || !o->lazy_pages)
		return NULL;
	if (!o->page_server.address)
		return "needs 'page-server', where the memory is fetched";
	return o->pre_dump ? "is not for a 'pre-dump', which writes nothing but memory" : NULL;
}

int lcx__pages_check(const struct lcx_checkpoint *o, enum lcx__checkpoint_way way,
		     struct lcx_error **err)
{
	bool elsewhere = way == LCX__CHECKPOINT_DUMP && o->page_server.address;
	const char *why = o->lazy_pages || elsewhere ? find_conflict(o, way) : NULL;

	if (why)
		return lcx__fail(err, EINVAL, "checkpoint option '%s' %s",
				 o->lazy_pages ? "lazy-pages" : "page-server", why);
	return o->lazy_pages && elsewhere ? check_is_free(&o->page_server, err) : 0;
}

/* ---- images without memory ----------------------------------------------- */

/*
 * criu, who isn't told to be lazy, reads the memory of lazy images for ever: their file of pages
 * ends before it has all. So such a directory is marked.
 */
int lcx__pages_save_mark(const struct lcx_checkpoint *o, int dir_fd, struct lcx_error **err)
{
	int r = o->lazy_pages ? lcx__replace_file(dir_fd, LCX__PAGES_MARK, "", 0, 0600, false) : 0;

	return r < 0 ? lcx__fail_sys(err, -r, "write '" LCX__PAGES_MARK "'") : 0;
}

int lcx__pages_check_mark(const struct lcx_checkpoint *o, int dir_fd, struct lcx_error **err)
{
	if (o->lazy_pages || faccessat(dir_fd, LCX__PAGES_MARK, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return lcx__fail(err, EINVAL,
			 "image path '%s' has no memory: it is fetched by a restore with "
			 "'lazy-pages'",
			 o->image_path ? o->image_path : "");
}

/* ---- for criu ------------------------------------------------------------ */

/*
 * Of a page server that it becomes itself criu takes only the port from its caller, and is one on
 * all of the machine's addresses: whoever comes first would have the container's memory. The
 * address it takes from a file. *ret_fd is to stay open until criu has ended.
 */
static int put_address(const char *address, struct lcx__strbuf *options, int *ret_fd,
		       struct lcx_error **err)
{
	CLEANUP(closep) int fd = memfd_create("lcx-criu.conf", MFD_CLOEXEC);
	char path[64];

	if (fd < 0)
		return lcx__fail_sys(err, errno, "make a file for criu");
	if (dprintf(fd, "address %s\n", address) < 0)
		return lcx__fail_sys(err, errno, "write a file for criu");
	(void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), fd);
	lcx__criu_put_text(options, LCX__CRIU_CONFIG_FILE, path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int lcx__pages_put(const struct lcx_checkpoint *o, struct lcx__strbuf *options, int *ret_fd,
		   struct lcx_error **err)
{
	if (!o->page_server.address)
		return 0;
	lcx__criu_put_page_server(options, o->page_server.address, o->page_server.port);
	return o->lazy_pages ? put_address(o->page_server.address, options, ret_fd, err) : 0;
}
