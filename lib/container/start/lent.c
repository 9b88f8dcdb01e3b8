/* SPDX-License-Identifier: MIT */

/*
 * The interfaces that a container is lent, linux.netDevices. The journal has the pin that keeps its
 * network namespace first, and them after it: so they are out before it goes.
 */
#include "container/start/start.h"

#include <fcntl.h>

#include "lcx/ns.h"
#include "net/lent.h"

bool lcx__container_is_lent(const struct lcx_container *c)
{
	return c->spec->linux_.net_devices.n > 0;
}

static char *pin_path(const struct lcx_container *c)
{
	return lcx__format("%s/containers/%s/" LCX__LENT_PIN, c->ctx->run_dir, c->d.id);
}

static int pin(struct start *s, struct lcx_error **err)
{
	CLEANUP(freep) char *path = pin_path(s->c);
	int r;

	if (!path)
		return lcx__fail_nomem(err);
	r = lcx__journal_add(s->c->run_fd, "pin", LCX__LENT_PIN, err);
	return r < 0 ? r : lcx_ns_pin(s->netns_fd, path, err);
}

int lcx__start_lend(struct start *s, int netlink_fd, struct lcx_error **err)
{
	const struct lcx__spec_linux *linux_ = &s->c->spec->linux_;
	int r = lcx__container_is_lent(s->c) ? pin(s, err) : 0;

	for (size_t i = 0; r == 0 && i < linux_->net_devices.n; i++) {
		const struct lcx__spec_net_device *device = &linux_->net_devices.items[i];

		r = lcx__journal_add(s->c->run_fd, "interface", device->host_name, err);
		if (r == 0)
			r = lcx__interface_lend(s->c->run_fd, device->host_name,
						device->name ? device->name : device->host_name,
						s->netns_fd, netlink_fd, err);
	}
	return r;
}

int lcx__container_undo_interface(struct lcx_container *c, const char *host_name,
				  struct lcx_error **err)
{
	return lcx__interface_take_back(c->run_fd, host_name, err);
}

int lcx__container_undo_pin(struct lcx_container *c, const char *object, struct lcx_error **err)
{
	CLEANUP(freep) char *path = pin_path(c);

	(void)object;
	if (!path)
		return lcx__fail_nomem(err);
	/* While one is still inside, the namespace must stay. */
	if (lcx__interface_is_out(c->run_fd))
		return lcx__fail(err, EBUSY, "an interface is still in the container's namespace");
	if (faccessat(c->run_fd, LCX__LENT_PIN, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return lcx_ns_unpin(path, err);
}
