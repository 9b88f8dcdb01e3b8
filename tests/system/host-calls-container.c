/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "host-calls.h"

static struct lcx_container *container;

static const char *const sleeper[] = {"sh", "-c", "echo up; echo wrong >&2; sleep 60", NULL};

static void ignore_line(void *data, enum lcx_log_stream stream, int64_t time_ns, const char *text,
			size_t length, int32_t partial)
{
	(void)data, (void)stream, (void)time_ns, (void)text, (void)length, (void)partial;
}

static int describe(struct world *w, const char *const *command, struct lcx_error **err)
{
	MUST(lcx_container_new(w->ctx, "host", &container, err));
	MUST(lcx_container_set_image(container, "box", err));
	MUST(lcx_container_set_command(container, command, err));
	MUST(lcx_container_set_network(container, "guest", err));
	REFUSED(lcx_container_add_network(container, "host", NULL, err));
	return lcx_container_add_network(container, "guest", NULL, err);
}

static int describe_container(struct world *w, struct lcx_error **err)
{
	static const char *const no_args[] = {NULL};
	struct lcx_container *none = NULL;

	MUST(describe(w, sleeper, err));
	MUST(lcx_container_set_entrypoint(container, no_args, err));
	MUST(lcx_container_add_env(container, "A=1", err));
	MUST(lcx_container_set_user(container, "root", err));
	MUST(lcx_container_set_userns(container, "auto:size=10", err));
	MUST(lcx_container_set_userns(container, "host", err));
	REFUSED(lcx_container_set_userns(container, "auto:size=0", err));
	MUST(lcx_container_set_cwd(container, "/", err));
	MUST(lcx_container_add_volume(container, "/usr/share:/mnt:ro", err));
	MUST(lcx_container_add_device(container, "/dev/zero:/dev/nought:rw", err));
	MUST(lcx_container_publish(container, "127.0.0.1:18082:80", err));
	MUST(lcx_container_set_log_callback(container, ignore_line, NULL, err));
	MUST(lcx_container_set_log_driver(container, "json-file", err));
	MUST(lcx_container_set_log_option(container, "max-size", "1m", err));
	MUST(lcx_container_set_label(container, "key", "value", err));
	lcx_container_set_auto_remove(container, 0);
	lcx_container_set_stdin_open(container, 0);
	MUST(lcx_container_set_seccomp_socket(container, 0, err));
	MUST(lcx_container_set_seccomp_socket(container, -1, err));
	lcx_container_set_debug(container, 1);
	if (!lcx_container_spec(container))
		return -EINVAL;
	MUST(lcx_container_set_storage_option(container, "volatile", "on", err));
	REFUSED(lcx_container_set_storage_option(container, "x", "on", err));
	MUST(lcx_container_add_dns(container, "192.0.2.53", err));
	MUST(lcx_container_add_dns_search(container, "example.test", err));
	MUST(lcx_container_add_dns_option(container, "ndots:2", err));
	MUST(lcx_container_add_host(container, "db:192.0.2.1", err));
	REFUSED(lcx_container_add_dns(container, "x", err));
	REFUSED(lcx_container_add_dns_search(container, "a b", err));
	REFUSED(lcx_container_add_dns_option(container, "a\nb", err));
	REFUSED(lcx_container_add_host(container, "db", err));
	REFUSED(lcx_container_new(w->ctx, "not a name", &none, err));
	REFUSED(lcx_container_add_env(container, "A", err));
	REFUSED(lcx_container_set_cwd(container, "relative", err));
	REFUSED(lcx_container_add_volume(container, "x", err));
	REFUSED(lcx_container_add_device(container, "x", err));
	REFUSED(lcx_container_publish(container, "x", err));
	REFUSED(lcx_container_set_log_driver(container, "x", err));
	REFUSED(lcx_container_set_log_option(container, "x", "y", err));
	return 0;
}

static int create_container(struct world *w, struct lcx_error **err)
{
	(void)w;
	return lcx_container_create(container, err);
}

static int start_container(struct world *w, struct lcx_error **err)
{
	(void)w;
	return lcx_container_start(container, NULL, err);
}

static int exec_in_container(struct world *w, struct lcx_error **err)
{
	static const char *const args[] = {"/bin/true", NULL}, *const top[] = {"/", NULL};
	struct lcx_process *process = NULL;
	struct lcx_spec *spec = NULL;
	int32_t status;

	(void)w;
	MUST(lcx_container_exec_spec(container, &spec, err));
	MUST(lcx_spec_set_args(spec, args, err));
	lcx_container_set_exec_paused(container, 0);
	MUST(lcx_container_exec(container, spec, NULL, &process, err));
	MUST(lcx_process_wait(process, 10000, &status, err));
	lcx_process_free(process);
	process = NULL;
	MUST(lcx_container_exec_in(container, spec, NULL, top, &process, err));
	MUST(lcx_process_wait(process, 10000, &status, err));
	lcx_process_free(process);
	lcx_spec_free(spec);
	return 0;
}

/* Many times: where SIGCHLD is ignored the process may be gone before anybody looked at it. */
static int exec_again_and_again(struct world *w, struct lcx_error **err)
{
	for (int i = 0; i < 50; i++)
		MUST(exec_in_container(w, err));
	return 0;
}

static int exec_what_is_not_there(struct world *w, struct lcx_error **err)
{
	static const char *const args[] = {"/no/such/program", NULL};
	struct lcx_process *process = NULL;
	struct lcx_spec *spec = NULL;

	(void)w;
	MUST(lcx_container_exec_spec(container, &spec, err));
	MUST(lcx_spec_set_args(spec, args, err));
	REFUSED(lcx_container_exec(container, spec, NULL, &process, err));
	lcx_spec_free(spec);
	return 0;
}

static int look_at_container(struct world *w, struct lcx_error **err)
{
	static const char *(*const texts[])(const struct lcx_container *) = {
		lcx_container_id,      lcx_container_name,     lcx_container_image,
		lcx_container_network, lcx_container_address,  lcx_container_ports,
		lcx_container_command, lcx_container_log_path, lcx_container_log_driver};
	static int32_t (*const numbers[])(const struct lcx_container *) = {
		lcx_container_pid, lcx_container_exit_status, lcx_container_oom_killed};
	static int64_t (*const times[])(const struct lcx_container *) = {
		lcx_container_created_ns, lcx_container_owner_uid, lcx_container_started_ns,
		lcx_container_finished_ns};

	(void)w;
	MUST(lcx_container_refresh(container, err));
	ALL(texts, container);
	ALL(numbers, container);
	ALL(times, container);
	(void)lcx_container_state_name(lcx_container_state(container));
	(void)lcx_container_label(container, lcx_container_label_key(container, 0));
	(void)lcx_container_network_at(container, 0), (void)lcx_container_image_id(container);
	(void)lcx_container_process(container);
	(void)lcx_container_has_terminal(container), (void)lcx_container_stdin_open(container);
	for (uint32_t i = 0; i < lcx_container_step_count(container); i++)
		(void)lcx_container_step_name(container, i),
			(void)lcx_container_step_ns(container, i);
	return 0;
}

static int inspect_container(struct world *w, struct lcx_error **err)
{
	struct lcx_cgroup_watch *watch = NULL;
	struct lcx_cgroup_figures *figures = NULL;
	struct lcx_cgroup_stats *stats = NULL;
	char *text = NULL;

	(void)w;
	MUST(lcx_container_inspect(container, &text, err));
	lcx_string_free(text);
	text = NULL;
	MUST(lcx_container_audit(container, &text, err));
	lcx_string_free(text);
	text = NULL;
	MUST(lcx_container_trace(container, &text, err));
	lcx_string_free(text);
	MUST(lcx_container_stats(container, &stats, err));
	lcx_cgroup_stats_free(stats);
	MUST(lcx_container_figures(container, &figures, err));
	lcx_cgroup_figures_free(figures);
	MUST(lcx_container_watch(container, &watch, err));
	lcx_cgroup_watch_free(watch);
	return 0;
}

static int list_and_open_containers(struct world *w, struct lcx_error **err)
{
	struct lcx_container_list *list = NULL;
	struct lcx_container *again = NULL;

	MUST(lcx_container_list_new(w->ctx, &list, err));
	if (lcx_container_list_count(list) != 1)
		return -EINVAL;
	MUST(lcx_container_open(w->ctx, lcx_container_list_id(list, 0), &again, err));
	lcx_container_free(again);
	lcx_container_list_free(list);
	return 0;
}

static int refuse_containers(struct world *w, struct lcx_error **err)
{
	struct lcx_container *other = NULL;

	REFUSED(lcx_container_open(w->ctx, "none", &other, err));
	REFUSED(lcx_container_create(container, err));
	REFUSED(lcx_container_start(container, NULL, err));
	EITHER(lcx_container_unpause(container, err));
	REFUSED(lcx_container_kill(container, 999, err));
	REFUSED(lcx_container_kill_all(container, 999, err));
	REFUSED(lcx_container_remove(container, 0, err));
	MUST(lcx_container_new(w->ctx, "host", &other, err));
	MUST(lcx_container_set_rootfs(other, w->rootfs, err));
	REFUSED(lcx_container_create(other, err));
	lcx_container_free(other);
	return 0;
}

static int limit_container(struct world *w, struct lcx_error **err)
{
	(void)w;
	MUST(lcx_spec_set_pids_limit(lcx_container_spec(container), 50, err));
	return lcx_container_update(container, err);
}

static int rename_container(struct world *w, struct lcx_error **err)
{
	(void)w;
	REFUSED(lcx_container_rename(container, "not a name", err));
	MUST(lcx_container_rename(container, "other", err));
	return lcx_container_rename(container, "host", err);
}

static int connect_and_disconnect(struct world *w, struct lcx_error **err)
{
	struct lcx_attachment *attachment = NULL;
	struct lcx_network *network = NULL;

	MUST(lcx_network_new("second", &network, err));
	MUST(lcx_network_set_subnet(network, "10.9.2.0/24", err));
	MUST(lcx_network_create(w->ctx, network, err));
	lcx_network_free(network);
	MUST(lcx_attachment_new(lcx_container_id(container), &attachment, err));
	MUST(lcx_attachment_set_gateway_priority(attachment, 5, err));
	REFUSED(lcx_attachment_set_gateway_priority(attachment, 99999, err));
	MUST(lcx_container_connect(container, "second", attachment, err));
	lcx_attachment_free(attachment);
	REFUSED(lcx_container_connect(container, "none-such", NULL, err));
	MUST(lcx_container_disconnect(container, "second", err));
	REFUSED(lcx_container_disconnect(container, "second", err));
	return lcx_network_remove(w->ctx, "second", err);
}

static int list_processes_and_changes(struct world *w, struct lcx_error **err)
{
	struct lcx_cgroup_pids *pids = NULL;
	struct lcx_overlay_diff *diff = NULL;
	int r;

	(void)w;
	MUST(lcx_container_pids(container, &pids, err));
	while (lcx_cgroup_pids_next(pids) > 0)
		;
	lcx_cgroup_pids_free(pids);
	MUST(lcx_container_diff(container, &diff, err));
	while ((r = lcx_overlay_diff_next(diff, err)) > 0)
		;
	lcx_overlay_diff_free(diff);
	return r;
}

static int export_container(struct world *w, struct lcx_error **err)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	int r = lcx_container_export(container, fd, err);

	(void)w;
	close(fd);
	return r;
}

/* A pipe without a reader would raise SIGPIPE. */
static int export_container_to_nobody(struct world *w, struct lcx_error **err)
{
	int ends[2] = {-1, -1};

	(void)w;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	close(ends[0]);
	REFUSED(lcx_container_export(container, ends[1], err));
	close(ends[1]);
	return 0;
}

static int pause_and_unpause_container(struct world *w, struct lcx_error **err)
{
	(void)w;
	MUST(lcx_container_pause(container, err));
	return lcx_container_unpause(container, err);
}

static int mount_and_unmount_in_container(struct world *w, struct lcx_error **err)
{
	static const char *const options[] = {"rbind", "ro", NULL};

	(void)w;
	MUST(lcx_container_mount(container, "/etc", "/tmp", options, err));
	return lcx_container_unmount(container, "/tmp", err);
}

static int kill_and_wait_for_container(struct world *w, struct lcx_error **err)
{
	int32_t status;

	(void)w;
	MUST(lcx_container_kill_all(container, 0, err));
	MUST(lcx_container_kill(container, SIGKILL, err));
	return lcx_container_wait(container, 10000, &status, err);
}

static int remove_container(struct world *w, struct lcx_error **err)
{
	int r = lcx_container_remove(container, 1, err);

	(void)w;
	container = lcx_container_free(container);
	return r;
}

static int start_what_is_not_there(struct world *w, struct lcx_error **err)
{
	static const char *const command[] = {"/no/such/program", NULL};

	MUST(describe(w, command, err));
	REFUSED(lcx_container_start(container, NULL, err));
	return 0;
}

static int start_detached(struct world *w, struct lcx_error **err)
{
	MUST(describe(w, sleeper, err));
	return lcx_container_start_detached(container, NULL, err);
}

static int start_detached_what_is_not_there(struct world *w, struct lcx_error **err)
{
	static const char *const command[] = {"/no/such/program", NULL};

	MUST(describe(w, command, err));
	REFUSED(lcx_container_start_detached(container, NULL, err));
	return 0;
}

static int restart_detached(struct world *w, struct lcx_error **err)
{
	(void)w;
	return lcx_container_restart(container, 0, err);
}

static int stop_detached(struct world *w, struct lcx_error **err)
{
	(void)w;
	return lcx_container_stop(container, 0, err);
}

const struct row rows_container[] = {
	ROW(describe_container, HELD),
	ROW(create_container, HELD),
	ROW(start_container, HELD),
	ROW(exec_in_container, HELD),
	ROW(exec_again_and_again, HELD),
	ROW(exec_what_is_not_there, HELD),
	ROW(look_at_container, HELD),
	ROW(inspect_container, HELD),
	ROW(list_and_open_containers, HELD),
	ROW(refuse_containers, HELD),
	ROW(limit_container, HELD),
	ROW(rename_container, HELD),
	ROW(connect_and_disconnect, HELD),
	ROW(list_processes_and_changes, HELD),
	ROW(export_container, HELD),
	ROW(export_container_to_nobody, HELD),
	ROW(pause_and_unpause_container, HELD),
	ROW(mount_and_unmount_in_container, HELD),
	ROW(kill_and_wait_for_container, HELD),
	/* The context now keeps a directory of compiled filters: once, not once a container. */
	ROW(remove_container, BASE),
	ROW(start_what_is_not_there, HELD),
	ROW(remove_container, RELEASED),
	ROW(start_detached, HELD),
	ROW(look_at_container, HELD),
	ROW(inspect_container, HELD),
	ROW(restart_detached, HELD),
	ROW(stop_detached, HELD),
	ROW(remove_container, RELEASED),
	ROW(start_detached_what_is_not_there, HELD),
	ROW(remove_container, RELEASED),
	{0},
};
