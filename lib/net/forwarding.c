/* SPDX-License-Identifier: MIT */

/*
 * The kernel's forwarding, switched on for as long as a bridge needs it. A file in the
 * run directory says by being there that it was off before. That of IPv6 lists the
 * interfaces that listen to router advertisements: a router would not, and so the host
 * would lose its own way out; they are told to go on (accept_ra 2).
 */
#include <fcntl.h>
#include <string.h>

#include "net/net-internal.h"
#include "util/fs.h"

static const char *const files[NET_FAMILIES] = {
	[NET_V4] = ".forwarding-was-off",
	[NET_V6] = ".forwarding6-was-off",
};

enum { FILE_LIMIT = 1 << 20 };

net_families lcx__forwarding_was_off(const struct lcx_ctx *ctx)
{
	CLEANUP(closep) int fd = lcx__net_run_dir(ctx, NULL);
	net_families off = 0;

	for (enum net_family family = 0; fd >= 0 && family < NET_FAMILIES; family++)
		if (faccessat(fd, files[family], F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			off |= 1u << family;
	return off;
}

/* One name in each line, behind those that are there; twice the same does no harm. */
static int remember(int dir_fd, enum net_family family, char *const *names)
{
	CLEANUP(closep)
	int fd = openat(dir_fd, files[family],
			O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct lcx__strbuf text = STRBUF_EMPTY;
	int r;

	if (fd < 0)
		return -errno;
	for (; *names; names++)
		lcx__strbuf_addf(&text, "%s\n", *names);
	r = text.failed ? -ENOMEM : lcx__write_all(fd, text.text, text.length);
	lcx__strbuf_free(&text);
	return r;
}

static void restore_names(int dir_fd, enum net_family family)
{
	CLEANUP(freep) char *text = NULL;
	char *rest, *name;

	if (lcx__read_file(dir_fd, files[family], FILE_LIMIT, &text, NULL) < 0)
		return;
	for (name = strtok_r(text, "\n", &rest); name; name = strtok_r(NULL, "\n", &rest))
		lcx__accept_ra_change((char *[]){name, NULL}, "2", "1");
}

static int switch_on(int dir_fd, enum net_family family, struct lcx_error **err)
{
	CLEANUP(lcx__strv_freep) char **names = NULL;
	int r = family == NET_V6 ? lcx__accept_ra_list(&names) : 0;

	if (r == 0 && !names)
		names = lcx__strv_copy(NULL);
	if (r < 0 || !names)
		return lcx__fail_nomem(err);
	r = remember(dir_fd, family, names);
	if (r < 0)
		return lcx__fail_sys(err, -r, "remember that forwarding was off");
	lcx__accept_ra_change(names, "1", "2");
	return lcx__forwarding_switch(family, true, err);
}

int lcx__forwarding_ensure(const struct lcx_ctx *ctx, net_families families, struct lcx_error **err)
{
	net_families off = lcx__forwarding_off(families);
	CLEANUP(closep) int dir_fd = -1;
	int r = 0;

	if (off == 0)
		return 0;
	dir_fd = lcx__net_run_dir(ctx, err);
	if (dir_fd < 0)
		return dir_fd;
	for (enum net_family family = 0; family < NET_FAMILIES && r == 0; family++)
		if (off & 1u << family)
			r = switch_on(dir_fd, family, err);
	return r;
}

void lcx__forwarding_forget(const struct lcx_ctx *ctx, net_families families)
{
	CLEANUP(closep) int dir_fd = lcx__net_run_dir(ctx, NULL);

	for (enum net_family family = 0; dir_fd >= 0 && family < NET_FAMILIES; family++) {
		if (!(families & 1u << family))
			continue;
		/* Whoever has switched it on since needs them as they are. */
		if (lcx__forwarding_off(1u << family) != 0)
			restore_names(dir_fd, family);
		(void)unlinkat(dir_fd, files[family], 0);
	}
}
