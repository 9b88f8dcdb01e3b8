/* SPDX-License-Identifier: MIT */

/*
 * The few switches of the kernel that only /proc/sys has. It shows the network
 * namespace of the thread that opens it, which is the host by this room's rule.
 * A switch that stands right is not written: /proc/sys may be read-only.
 */
#include <fcntl.h>
#include <string.h>

#include "net/net-internal.h"
#include "util/fs.h"

#define FORWARDING "/proc/sys/net/ipv4/ip_forward"

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

int lcx__forwarding_switch_on(struct lcx_error **err)
{
	return write_switch(FORWARDING, "1", err);
}

int lcx__forwarding_is_on(void)
{
	char text[32];

	return read_switch(FORWARDING, text, sizeof(text)) == 0 && strcmp(text, "0") != 0;
}

int lcx__forwarding_switch_off(struct lcx_error **err)
{
	int r = write_switch(FORWARDING, "0", err);

	return r < 0 ? r : 0;
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

bool lcx__ipv6_is_there(void)
{
	return access("/proc/sys/net/ipv6", F_OK) == 0;
}
