/* SPDX-License-Identifier: MIT */
/*
 * A pin is a root set in the making: an operation writes down a digest before it
 * relies on the blob or layer being there. It is alive as long as its file is locked,
 * so nothing has to be undone when its process dies.
 */
#include "image/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "ns/users.h"
#include "util/fs.h"
#include "util/str.h"

int lcx__pin_new(const struct lcx__store *store, struct lcx__pin **ret, struct lcx_error **err)
{
	CLEANUP(closep) int lock = lcx__store_lock(store, LOCK_SH, err);
	CLEANUP(lcx__pin_freep) struct lcx__pin *pin = NULL;
	char path[80];

	if (lock < 0)
		return lock;
	pin = calloc(1, sizeof(*pin));
	if (!pin)
		return lcx__fail_nomem(err);
	pin->store = store;
	pin->fd = pin->tmp_fd = -1;
	if (lcx__temporary_name(pin->name) < 0)
		return lcx__fail(err, EIO, "no random name to be had");

	/* The sweep is kept out by the lock, so nobody meets the file before it is locked. */
	(void)snprintf(path, sizeof(path), "pins/%s", pin->name);
	pin->fd = openat(store->fd, path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (pin->fd < 0 || flock(pin->fd, LOCK_EX | LOCK_NB) < 0)
		return lcx__fail_sys(err, errno, "image store: create '%s'", path);
	(void)snprintf(path, sizeof(path), "tmp/%s", pin->name);
	if (mkdirat(store->fd, path, 0700) < 0)
		return lcx__fail_sys(err, errno, "image store: create '%s'", path);
	pin->tmp_fd = lcx__open_dir(store->fd, path);
	if (pin->tmp_fd < 0)
		return lcx__fail_sys(err, -pin->tmp_fd, "image store: open '%s'", path);
	*ret = TAKE_PTR(pin);
	return 0;
}

struct lcx__pin *lcx__pin_free(struct lcx__pin *pin)
{
	char path[80];

	if (!pin)
		return NULL;
	if (pin->fd >= 0) {
		(void)snprintf(path, sizeof(path), "tmp/%s", pin->name);
		(void)lcx__users_remove_tree(pin->store->ctx, pin->store->fd, path);
		(void)snprintf(path, sizeof(path), "pins/%s", pin->name);
		(void)unlinkat(pin->store->fd, path, 0);
	}
	closep(&pin->tmp_fd);
	closep(&pin->fd);
	free(pin);
	return NULL;
}

static int add_line(struct lcx__pin *pin, const char *what, const struct lcx__digest *digest,
		    struct lcx_error **err)
{
	CLEANUP(closep) int lock = lcx__store_lock(pin->store, LOCK_SH, err);
	CLEANUP(freep) char *line = lcx__format("%s %s\n", what, digest->text);
	int r;

	if (lock < 0)
		return lock;
	if (!line)
		return lcx__fail_nomem(err);
	r = lcx__write_all(pin->fd, line, strlen(line));
	return r < 0 ? lcx__fail_sys(err, -r, "image store: pin %s", digest->text) : 0;
}

int lcx__pin_blob(struct lcx__pin *pin, const struct lcx__digest *digest, struct lcx_error **err)
{
	return add_line(pin, "blob", digest, err);
}

int lcx__pin_layer(struct lcx__pin *pin, const struct lcx__digest *chain_id, struct lcx_error **err)
{
	return add_line(pin, "layer", chain_id, err);
}
