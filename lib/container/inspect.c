/* SPDX-License-Identifier: MIT */
#include "container/container-internal.h"

#include <string.h>
#include <sys/stat.h>

#include "container/cgroups/cgroups.h"
#include "container/log.h"
#include "container/supervisor/health.h"
#include "lcx/supervisor.h"
#include "net/net.h"
#include "util/fs.h"
#include "util/json.h"

/* ---- getters ------------------------------------------------------------ */

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

const char *lcx__container_display(const struct lcx_container *c)
{
	struct lcx_container *self = (struct lcx_container *)(uintptr_t)c;

	if (c->d.name && c->d.name[0])
		return c->d.name;
	(void)snprintf(self->short_id, sizeof(self->short_id), "%s", or_empty(c->d.id));
	return c->short_id;
}

LCX_PUBLIC enum lcx_container_state lcx_container_state(const struct lcx_container *c)
{
	return c->state;
}

LCX_PUBLIC const char *lcx_container_state_name(enum lcx_container_state state)
{
	static const char *const names[] = {
		[LCX_CONTAINER_NEW] = "new",         [LCX_CONTAINER_CREATED] = "created",
		[LCX_CONTAINER_RUNNING] = "running", [LCX_CONTAINER_PAUSED] = "paused",
		[LCX_CONTAINER_STOPPED] = "exited",  [LCX_CONTAINER_PREPARED] = "prepared",
	};

	return (size_t)state < ARRAY_SIZE(names) ? names[state] : "unknown";
}

LCX_PUBLIC const char *lcx_container_id(const struct lcx_container *c)
{
	return or_empty(c->d.id);
}

LCX_PUBLIC const char *lcx_container_name(const struct lcx_container *c)
{
	return or_empty(c->d.name);
}

LCX_PUBLIC const char *lcx_container_image(const struct lcx_container *c)
{
	return or_empty(c->d.image);
}

LCX_PUBLIC const char *lcx_container_network(const struct lcx_container *c)
{
	return or_empty(c->d.network);
}

LCX_PUBLIC const char *lcx_container_address(const struct lcx_container *c)
{
	return or_empty(c->run.address);
}

LCX_PUBLIC const char *lcx_container_ports(const struct lcx_container *c)
{
	return or_empty(c->run.ports);
}

/* The strings below are made at the first question; the handle is const for its owner, not for us.
 */
static const char *keep(char **place, char *text)
{
	free(*place);
	*place = text;
	return or_empty(text);
}

LCX_PUBLIC const char *lcx_container_command(const struct lcx_container *c)
{
	struct lcx_container *self = (struct lcx_container *)(uintptr_t)c;
	struct lcx__strbuf text = STRBUF_EMPTY;

	if (lcx__container_load_spec(self, NULL) < 0)
		return "";
	for (char **arg = self->spec->process.args; arg && *arg; arg++)
		lcx__strbuf_addf(&text, "%s%s", text.length ? " " : "", *arg);
	return keep(&self->command_text, lcx__strbuf_take(&text));
}

LCX_PUBLIC const char *lcx_container_log_path(const struct lcx_container *c)
{
	struct lcx_container *self = (struct lcx_container *)(uintptr_t)c;

	const char *file = lcx__log_driver_file(c->d.log_driver);

	if (!file)
		return "";
	return keep(&self->log_path,
		    lcx__format("%s/containers/%s/%s", c->ctx->root_dir, c->d.id, file));
}

LCX_PUBLIC const char *lcx_container_log_driver(const struct lcx_container *c)
{
	return or_empty(c->d.log_driver);
}

LCX_PUBLIC const char *lcx_container_label(const struct lcx_container *c, const char *key)
{
	for (size_t i = 0; i < c->d.labels.n; i++)
		if (strcmp(c->d.labels.items[i].key, key) == 0)
			return c->d.labels.items[i].value;
	return NULL;
}

LCX_PUBLIC const char *lcx_container_label_key(const struct lcx_container *c, uint32_t index)
{
	return index < c->d.labels.n ? c->d.labels.items[index].key : NULL;
}

LCX_PUBLIC const char *lcx_container_network_at(const struct lcx_container *c, uint32_t index)
{
	if (c->d.networks.n > 0)
		return index < c->d.networks.n ? c->d.networks.items[index].name : NULL;
	return index == 0 ? lcx_container_network(c) : NULL;
}

LCX_PUBLIC const char *lcx_container_image_id(const struct lcx_container *c)
{
	return or_empty(c->d.image_id);
}

LCX_PUBLIC int32_t lcx_container_pid(const struct lcx_container *c)
{
	return lcx__container_is_running(c) ? (int32_t)c->run.pid.value : 0;
}

LCX_PUBLIC int32_t lcx_container_exit_status(const struct lcx_container *c)
{
	return c->exit_status;
}

LCX_PUBLIC int32_t lcx_container_oom_killed(const struct lcx_container *c)
{
	return c->oom_killed;
}

LCX_PUBLIC int64_t lcx_container_owner_uid(const struct lcx_container *c)
{
	struct stat st;

	return c->dir_fd < 0 || fstat(c->dir_fd, &st) < 0 ? -1 : (int64_t)st.st_uid;
}

LCX_PUBLIC int64_t lcx_container_created_ns(const struct lcx_container *c)
{
	return c->d.created_ns.value;
}

LCX_PUBLIC int64_t lcx_container_started_ns(const struct lcx_container *c)
{
	return c->started_ns;
}

LCX_PUBLIC int64_t lcx_container_finished_ns(const struct lcx_container *c)
{
	return c->finished_ns;
}

/* ---- inspect ------------------------------------------------------------ */

static void add_text(struct json_object *object, const char *key, const char *text)
{
	(void)json_object_object_add(object, key, json_object_new_string(or_empty(text)));
}

static void add_time(struct json_object *object, const char *key, int64_t ns)
{
	char text[LCX__TIME_SIZE] = "";

	if (ns)
		lcx__format_time(ns, text);
	add_text(object, key, text);
}

static struct json_object *text_list(char *const *texts)
{
	struct json_object *list = json_object_new_array();

	for (; texts && *texts; texts++)
		(void)json_object_array_add(list, json_object_new_string(*texts));
	return list;
}

static struct json_object *inspect_state(const struct lcx_container *c)
{
	struct json_object *state = json_object_new_object();

	add_text(state, "status", lcx_container_state_name(c->state));
	(void)json_object_object_add(state, "pid", json_object_new_int(lcx_container_pid(c)));
	(void)json_object_object_add(
		state, "ownerPid",
		json_object_new_int64(lcx_container_pid(c) ? c->run.owner_pid.value : 0));
	/* What nobody knows is null, not a number. */
	(void)json_object_object_add(
		state, "exitCode",
		c->exit_status == LCX_EXIT_UNKNOWN ? NULL : json_object_new_int(c->exit_status));
	(void)json_object_object_add(state, "oomKilled", json_object_new_boolean(c->oom_killed));
	add_time(state, "startedAt", c->started_ns);
	add_time(state, "finishedAt", c->finished_ns);
	if (lcx_container_has_health_check(c))
		(void)json_object_object_add(state, "health", lcx__health_to_json(c));
	return state;
}

/* Where it is attached now, those it was connected with while it ran, too. */
static struct json_object *inspect_attachments(const struct lcx_container *c)
{
	struct json_object *networks = json_object_new_object();
	CLEANUP(lcx__strv_freep) char **names = NULL;

	if (lcx__network_list_of(c->ctx, c->d.id, &names) < 0)
		return networks;
	for (size_t i = 0; names[i]; i++) {
		CLEANUP(lcx_attachment_freep) struct lcx_attachment *attachment = NULL;

		if (lcx_attachment_open(c->ctx, names[i], c->d.id, &attachment, NULL) == 0)
			(void)json_object_object_add(networks, names[i],
						     lcx__record_to_json(attachment));
	}
	return networks;
}

static struct json_object *inspect_network(const struct lcx_container *c)
{
	struct json_object *network = json_object_new_object();

	add_text(network, "name", c->d.network);
	add_text(network, "address", c->run.address);
	add_text(network, "macAddress", c->run.mac);
	add_text(network, "ports", c->run.ports);
	(void)json_object_object_add(network, "publish", text_list(c->d.ports));
	return network;
}

static struct json_object *inspect_labels(const struct lcx_container *c)
{
	struct json_object *labels = json_object_new_object();

	for (size_t i = 0; i < c->d.labels.n; i++)
		add_text(labels, c->d.labels.items[i].key, c->d.labels.items[i].value);
	return labels;
}

static struct json_object *inspect_volumes(const struct lcx_container *c)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < c->d.volumes.n; i++) {
		const struct volume_wish *wish = &c->d.volumes.items[i];
		struct json_object *volume = json_object_new_object();
		CLEANUP(freep)
		char *path =
			lcx__format("%s/volumes/%s/data", c->ctx->root_dir, or_empty(wish->name));

		add_text(volume, "name", wish->name);
		add_text(volume, "source", path);
		add_text(volume, "destination", wish->destination);
		(void)json_object_object_add(volume, "options", text_list(wish->options));
		(void)json_object_object_add(volume, "anonymous",
					     json_object_new_boolean(wish->anonymous.value));
		(void)json_object_array_add(list, volume);
	}
	return list;
}

/* null: of the last run nothing was lost. */
static struct json_object *inspect_log_lost(const struct lcx_container *c)
{
	CLEANUP(freep) char *text = NULL;
	struct json_object *lost;
	long long lines, bytes;
	int code;

	if (c->dir_fd < 0 || lcx__read_file(c->dir_fd, "log-lost", 128, &text, NULL) < 0 ||
	    sscanf(text, "%lld %lld %d", &lines, &bytes, &code) != 3)
		return NULL;
	lost = json_object_new_object();
	(void)json_object_object_add(lost, "lines", json_object_new_int64(lines));
	(void)json_object_object_add(lost, "bytes", json_object_new_int64(bytes));
	add_text(lost, "reason", strerror(code));
	return lost;
}

LCX_PUBLIC int lcx_container_inspect(struct lcx_container *c, char **ret, struct lcx_error **err)
{
	CLEANUP(lcx__json_putp) struct json_object *json = NULL;
	CLEANUP(freep) char *spec_text = NULL;
	struct json_object *spec;
	char *text;
	int r = lcx__container_load_spec(c, err);

	if (r == 0)
		r = lcx__spec_to_short_json(c->spec, &spec_text, err);
	if (r < 0)
		return r;
	json = json_object_new_object();
	spec = json_tokener_parse(spec_text);
	if (!json || !spec)
		return lcx__fail_nomem(err);
	add_text(json, "id", c->d.id);
	add_text(json, "name", c->d.name);
	add_text(json, "image", c->d.image);
	add_text(json, "imageId", c->d.image_id);
	add_text(json, "rootfs", c->d.rootfs);
	add_text(json, "userns", c->d.userns);
	add_time(json, "createdAt", c->d.created_ns.value);
	(void)json_object_object_add(json, "state", inspect_state(c));
	(void)json_object_object_add(json, "network", inspect_network(c));
	(void)json_object_object_add(json, "networks", inspect_attachments(c));
	add_text(json, "pod", c->d.pod);
	(void)json_object_object_add(json, "volumes", inspect_volumes(c));
	(void)json_object_object_add(json, "labels", inspect_labels(c));
	add_text(json, "restartPolicy", lcx_container_restart_policy(c));
	(void)json_object_object_add(json, "restartCount",
				     json_object_new_int64(lcx_container_restart_count(c)));
	(void)json_object_object_add(json, "init", json_object_new_boolean(c->d.init.value));
	add_text(json, "stopSignal", c->d.stop_signal);
	(void)json_object_object_add(
		json, "stopTimeout",
		json_object_new_int(lcx_container_stop_timeout_ms(c) < 0
					    ? -1
					    : lcx_container_stop_timeout_ms(c) / 1000));
	add_text(json, "logDriver", c->d.log_driver);
	add_text(json, "logPath", lcx_container_log_path(c));
	(void)json_object_object_add(json, "logLost", inspect_log_lost(c));
	(void)json_object_object_add(json, "layers", text_list(c->d.layers));
	(void)json_object_object_add(json, "config", spec);
	text = lcx__json_print(json);
	if (!text)
		return lcx__fail_nomem(err);
	*ret = text;
	return 0;
}

LCX_PUBLIC int lcx_container_stats(struct lcx_container *c, struct lcx_cgroup_stats **ret,
				   struct lcx_error **err)
{
	int r = lcx__container_running_cgroup(c, err);

	return r < 0 ? r : lcx_cgroup_stats_new(c->cgroup, ret, err);
}

LCX_PUBLIC int lcx_container_figures(struct lcx_container *c, struct lcx_cgroup_figures **ret,
				     struct lcx_error **err)
{
	int r = lcx__container_running_cgroup(c, err);

	return r < 0 ? r : lcx_cgroup_figures_new(c->cgroup, ret, err);
}

LCX_PUBLIC int lcx_container_watch(struct lcx_container *c, struct lcx_cgroup_watch **ret,
				   struct lcx_error **err)
{
	int r = lcx__container_running_cgroup(c, err);

	return r < 0 ? r : lcx_cgroup_watch_new(c->cgroup, ret, err);
}
