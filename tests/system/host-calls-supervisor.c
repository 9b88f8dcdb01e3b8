/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <time.h>

#include "host-calls.h"

static struct lcx_supervisor *supervisor;
static struct lcx_container *container;

static int supervise(struct world *w, struct lcx_error **err)
{
	struct lcx_supervisor *second = NULL;

	MUST(lcx_supervisor_new(w->ctx, &supervisor, err));
	REFUSED(lcx_supervisor_new(w->ctx, &second, err));
	return lcx_supervisor_fd(supervisor);
}

static int start_what_fails(struct world *w, struct lcx_error **err)
{
	static const char *const command[] = {"sh", "-c", "sleep 0.3; false", NULL};
	static const char *const test[] = {"CMD", "true", NULL};

	MUST(lcx_container_new(w->ctx, "failing", &container, err));
	MUST(lcx_container_set_rootfs(container, w->rootfs, err));
	MUST(lcx_container_set_command(container, command, err));
	MUST(lcx_container_set_network(container, "none", err));
	MUST(lcx_container_set_restart_policy(container, "on-failure:2", err));
	REFUSED(lcx_container_set_restart_policy(container, "sometimes", err));
	MUST(lcx_container_set_health_test(container, test, err));
	MUST(lcx_container_set_health_setting(container, LCX_HEALTH_INTERVAL_NS, 50000000, err));
	REFUSED(lcx_container_set_health_setting(container, LCX_HEALTH_RETRIES, -1, err));
	return lcx_container_start_detached(container, NULL, err);
}

static int restart_what_fails(struct world *w, struct lcx_error **err)
{
	struct pollfd fd = {.fd = lcx_supervisor_fd(supervisor), .events = POLLIN};

	time_t end = time(NULL) + 20;

	while (lcx_container_restart_count(container) < 2 && time(NULL) < end) {
		poll(&fd, 1, 1000);
		MUST(lcx_supervisor_dispatch(supervisor, err));
		MUST(lcx_container_refresh(container, err));
	}
	(void)lcx_container_restart_policy(container), (void)lcx_supervisor_count(supervisor);
	(void)lcx_container_has_health_check(container), (void)lcx_container_health(container);
	return lcx_container_restart_count(container) == 2 ? 0 : -EINVAL;
}

static int stop_supervising(struct world *w, struct lcx_error **err)
{
	supervisor = lcx_supervisor_free(supervisor);
	MUST(lcx_container_remove(container, 1, err));
	container = lcx_container_free(container);
	return 0;
}

const struct row rows_supervisor[] = {
	ROW(supervise, HELD),
	ROW(start_what_fails, HELD),
	ROW(restart_what_fails, HELD),
	ROW(stop_supervising, RELEASED),
	{0},
};
