/* SPDX-License-Identifier: MIT */

/*
 * The few switches of the kernel that only /proc/sys has. It shows the network
 * namespace of the thread that opens it, which is the host by this room's rule.
 * A switch that stands right is not written: /proc/sys may be read-only.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "net/net-internal.h"
#include "util/fs.h"

#define IPV6_INTERFACES "/proc/sys/net/ipv6/conf"

static const char *const forwarding[NET_FAMILIES] = {
	[NET_V4] = "/proc/sys/net/ipv4/ip_forward",
	[NET_V6] = IPV6_INTERFACES "/all/forwarding",
};

static int read_switch(const char *path, char *text, size_t size)
{
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, size - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return 0;
}

/* 1 if it was changed, 0 if it was so already. */
static int write_switch(const char *path, const char *value, struct lcx_error **err)
{
	char text[32];
	int r;

	if (read_switch(path, text, sizeof(text)) == 0 && strcmp(text, value) == 0)
		return 0;
	r = lcx__write_control(AT_FDCWD, path, value);
	return r < 0 ? lcx__fail_sys(err, -r, "write %s to %s", value, path) : 1;
}

int lcx__forwarding_switch(enum net_family family, bool on, struct lcx_error **err)
{
	int r = write_switch(forwarding[family], on ? "1" : "0", err);

	return r < 0 ? r : 0;
}

net_families lcx__forwarding_off(net_families families)
{
	net_families off = 0;
	char text[32];

	for (enum net_family family = 0; family < NET_FAMILIES; family++)
		if (families & 1u << family &&
		    (read_switch(forwarding[family], text, sizeof(text)) < 0 ||
		     strcmp(text, "0") == 0))
			off |= 1u << family;
	return off;
}

int lcx__sysctl_interface(const char *family, const char *interface, const char *name,
			  const char *value, struct lcx_error **err)
{
	char path[128];
	int r;

	(void)snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", family, interface, name);
	r = write_switch(path, value, err);
	return r < 0 ? r : 0;
}

/*
 * Not by a look for /proc/sys/net/ipv6: the kernel keeps that name once for each namespace it was
 * looked up in, all in one chain, and on a host of a thousand containers goes through them all.
 * Only where there seems to be none: a filter that lets a program have no such socket says the
 * same.
 */
bool lcx__ipv6_is_there(void)
{
	CLEANUP(closep) int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd >= 0 || errno != EAFNOSUPPORT || access("/proc/sys/net/ipv6", F_OK) == 0;
}

static int accept_ra_path(const char *interface, char path[static 128])
{
	return snprintf(path, 128, IPV6_INTERFACES "/%s/accept_ra", interface) < 128 ? 0 : -EINVAL;
}

static bool accepts_ra_as(const char *interface, const char *value)
{
	char path[128], text[32];

	return accept_ra_path(interface, path) == 0 && read_switch(path, text, sizeof(text)) == 0 &&
	       strcmp(text, value) == 0;
}

/* Those with 1: a router does not listen to routers, unless it is 2. */
int lcx__accept_ra_list(char ***ret)
{
	CLEANUP(lcx__strv_freep) char **names = lcx__strv_copy(NULL);
	CLEANUP(closedirp) DIR *dir = opendir(IPV6_INTERFACES);
	struct dirent *entry;

	if (!names)
		return -ENOMEM;
	while (dir && (entry = readdir(dir))) {
		if (!lcx__link_name_is_valid(entry->d_name) || strcmp(entry->d_name, "lo") == 0 ||
		    strcmp(entry->d_name, "all") == 0 || strcmp(entry->d_name, "default") == 0 ||
		    !accepts_ra_as(entry->d_name, "1"))
			continue;
		if (lcx__strv_append(&names, entry->d_name) < 0)
			return -ENOMEM;
	}
	*ret = TAKE_PTR(names);
	return 0;
}

void lcx__accept_ra_change(char *const *interfaces, const char *from, const char *to)
{
	char path[128];

	for (; *interfaces; interfaces++)
		if (lcx__link_name_is_valid(*interfaces) && accepts_ra_as(*interfaces, from) &&
		    accept_ra_path(*interfaces, path) == 0)
			(void)write_switch(path, to, NULL);
}
