/* SPDX-License-Identifier: MIT */
#include "host-calls.h"

static struct lcx_ctx *listener, *owner;
static struct lcx_container *container;

static int listen_to_events(struct world *w, struct lcx_error **err)
{
	MUST(lcx_ctx_open(w->root_dir, w->run_dir, &listener, err));
	MUST(lcx_ctx_set_events_since(listener, 0, err));
	MUST(lcx_ctx_fd(listener, err));
	REFUSED(lcx_ctx_set_events_since(listener, 0, err));
	return 0;
}

/* A container whose end lcx_dispatch() is to find. */
static int own_a_container(struct world *w, struct lcx_error **err)
{
	static const char *const command[] = {"true", NULL};

	MUST(lcx_ctx_open(w->root_dir, w->run_dir, &owner, err));
	MUST(lcx_ctx_fd(owner, err));
	MUST(lcx_container_new(owner, "event", &container, err));
	MUST(lcx_container_set_rootfs(container, w->rootfs, err));
	MUST(lcx_container_set_command(container, command, err));
	MUST(lcx_container_set_network(container, "none", err));
	return lcx_container_start(container, NULL, err);
}

static int dispatch(struct world *w, struct lcx_error **err)
{
	int32_t status;

	MUST(lcx_dispatch(listener, err));
	MUST(lcx_dispatch(owner, err));
	return lcx_container_wait(container, 10000, &status, err);
}

static int read_events(struct world *w, struct lcx_error **err)
{
	static const char *(*const texts[])(const struct lcx_event *) = {
		lcx_event_type, lcx_event_container_id, lcx_event_container_name, lcx_event_image,
		lcx_event_detail};
	const struct lcx_event *event;
	int r, n = 0;

	(void)w;
	for (; (r = lcx_event_next(listener, &event, err)) > 0; n++) {
		ALL(texts, event);
		(void)lcx_event_time_ns(event), (void)lcx_event_exit_status(event);
	}
	MUST(r);
	return n > 0 ? 0 : -EINVAL;
}

static int stop_listening(struct world *w, struct lcx_error **err)
{
	MUST(lcx_container_remove(container, 1, err));
	container = lcx_container_free(container);
	owner = lcx_ctx_free(owner);
	listener = lcx_ctx_free(listener);
	return 0;
}

const struct row rows_event[] = {
	ROW(listen_to_events, HELD), ROW(own_a_container, HELD),    ROW(dispatch, HELD),
	ROW(read_events, HELD),      ROW(stop_listening, RELEASED), {0},
};
