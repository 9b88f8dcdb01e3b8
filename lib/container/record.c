/* SPDX-License-Identifier: MIT */
#include "container/container-internal.h"

#include <poll.h>
#include <string.h>
#include <sys/stat.h>

#include "util/fs.h"
#include "util/json.h"
#include "util/sys.h"

/* The two records of a container, each by a table that reads, writes and releases it. */

enum { RECORD_LIMIT = 4 << 20 };

static const struct lcx__json_field network_fields[] = {
	{"name", AS_STRING(struct network_wish, name), .required = true},
	{"address", AS_STRING(struct network_wish, address)},
	{"address6", AS_STRING(struct network_wish, address6)},
	{"mac", AS_STRING(struct network_wish, mac)},
	{"interface", AS_STRING(struct network_wish, interface)},
	{"aliases", AS_STRINGS(struct network_wish, aliases)},
	{"gatewayPriority", AS_INT(struct network_wish, priority), .min = INT32_MIN,
	 .max = INT32_MAX},
	{"sysctls", AS_STRINGS(struct network_wish, sysctls)},
	{"egressBits", AS_U64(struct network_wish, egress_bits)},
	{"ingressBits", AS_U64(struct network_wish, ingress_bits)},
	{"hairpin", AS_BOOL(struct network_wish, hairpin)},
	{"promiscuous", AS_BOOL(struct network_wish, promiscuous)},
	{0},
};

static const struct lcx__json_field volume_fields[] = {
	{"name", AS_STRING(struct volume_wish, name)},
	{"destination", AS_STRING(struct volume_wish, destination), .required = true},
	{"options", AS_STRINGS(struct volume_wish, options)},
	{"anonymous", AS_BOOL(struct volume_wish, anonymous)},
	{"nocopy", AS_BOOL(struct volume_wish, nocopy)},
	{0},
};

static const struct lcx__json_field description_fields[] = {
	{"id", AS_STRING(struct description, id)},
	{"name", AS_STRING(struct description, name)},
	{"image", AS_STRING(struct description, image)},
	{"imageId", AS_STRING(struct description, image_id)},
	{"rootfs", AS_STRING(struct description, rootfs)},
	{"layers", AS_STRINGS(struct description, layers)},
	{"entrypoint", AS_STRINGS(struct description, entrypoint)},
	{"command", AS_STRINGS(struct description, command)},
	{"user", AS_STRING(struct description, user)},
	{"userns", AS_STRING(struct description, userns)},
	{"pod", AS_STRING(struct description, pod)},
	{"podShare", AS_STRINGS(struct description, pod_share)},
	{"network", AS_STRING(struct description, network)},
	{"networks", AS_LIST(struct description, networks), .fields = network_fields},
	{"volumes", AS_LIST(struct description, volumes), .fields = volume_fields},
	{"ports", AS_STRINGS(struct description, ports)},
	{"dns", AS_STRINGS(struct description, dns)},
	{"dnsSearch", AS_STRINGS(struct description, dns_search)},
	{"dnsOptions", AS_STRINGS(struct description, dns_options)},
	{"hosts", AS_STRINGS(struct description, hosts)},
	{"logDriver", AS_STRING(struct description, log_driver)},
	{"logOptions", AS_STRING_MAP(struct description, log_options)},
	{"labels", AS_STRING_MAP(struct description, labels)},
	{"storageOptions", AS_STRING_MAP(struct description, storage_options)},
	{"stopSignal", AS_STRING(struct description, stop_signal)},
	{"restart", AS_STRING(struct description, restart)},
	{"autoRemove", AS_BOOL(struct description, auto_remove)},
	{"stdinOpen", AS_BOOL(struct description, stdin_open)},
	{"init", AS_BOOL(struct description, init)},
	{"system", AS_BOOL(struct description, system)},
	{"bundle", AS_STRING(struct description, bundle)},
	{"moveRoot", AS_BOOL(struct description, move_root)},
	{"sameKeyring", AS_BOOL(struct description, same_keyring)},
	{"cgroupManager", AS_STRING(struct description, cgroup_manager)},
	{"stopTimeout", AS_I64(struct description, stop_timeout)},
	{"healthTest", AS_STRINGS(struct description, health_test)},
	{"healthInterval", AS_I64(struct description, health_interval)},
	{"healthTimeout", AS_I64(struct description, health_timeout)},
	{"healthStartPeriod", AS_I64(struct description, health_start_period)},
	{"healthStartInterval", AS_I64(struct description, health_start_interval)},
	{"healthRetries", AS_I64(struct description, health_retries)},
	{"createdNs", AS_I64(struct description, created_ns)},
	{"bootId", AS_STRING(struct description, boot_id)},
	{0},
};

static const struct lcx__json_field run_state_fields[] = {
	{"bootId", AS_STRING(struct run_state, boot_id)},
	{"pid", AS_I64(struct run_state, pid)},
	{"startTime", AS_I64(struct run_state, start_time)},
	{"ownerPid", AS_I64(struct run_state, owner_pid)},
	{"ownerStartTime", AS_I64(struct run_state, owner_start_time)},
	{"startedNs", AS_I64(struct run_state, started_ns)},
	{"run", AS_I64(struct run_state, number)},
	{"paused", AS_BOOL(struct run_state, paused)},
	{"terminal", AS_BOOL(struct run_state, terminal)},
	{"stdinOpen", AS_BOOL(struct run_state, stdin_open)},
	{"external", AS_BOOL(struct run_state, external)},
	{"cgroup", AS_STRING(struct run_state, cgroup)},
	{"scope", AS_STRING(struct run_state, scope)},
	{"resctrl", AS_STRINGS(struct run_state, resctrl)},
	{"address", AS_STRING(struct run_state, address)},
	{"mac", AS_STRING(struct run_state, mac)},
	{"ports", AS_STRING(struct run_state, ports)},
	{"volumes", AS_STRINGS(struct run_state, volumes)},
	{0},
};

int lcx__record_save(const struct lcx__json_field *fields, const void *record, int dir_fd,
		     const char *file, lcx__write_file_fn *write, bool durable,
		     struct lcx_error **err)
{
	CLEANUP(lcx__json_putp) struct json_object *json = lcx__json_write(fields, record, NULL);
	CLEANUP(freep) char *text = json ? lcx__json_print_short(json) : NULL;
	int r;

	if (!text)
		return lcx__fail_nomem(err);
	r = write(dir_fd, file, text, strlen(text), 0600, durable);
	return r < 0 ? lcx__fail_sys(err, -r, "write '%s'", file) : 0;
}

int lcx__json_load(int dir_fd, const char *file, size_t limit, struct json_object **ret,
		   struct lcx_error **err)
{
	CLEANUP(freep) char *text = NULL;
	size_t length;
	int r = lcx__read_file(dir_fd, file, limit, &text, &length);

	if (r < 0)
		return r == -ENOENT ? r : lcx__fail_sys(err, -r, "read '%s'", file);
	r = lcx__json_parse(text, length, limit, ret, err);
	return lcx__fail_prefix(err, r, "'%s'", file);
}

int lcx__record_load(const struct lcx__json_field *fields, void *record, int dir_fd,
		     const char *file, struct lcx_error **err)
{
	CLEANUP(lcx__json_putp) struct json_object *json = NULL;
	int r = lcx__json_load(dir_fd, file, RECORD_LIMIT, &json, err);

	if (r < 0)
		return r;
	r = lcx__json_read(fields, json, record, NULL, err);
	return lcx__fail_prefix(err, r, "'%s'", file);
}

int lcx__description_save(const struct description *description, int dir_fd, struct lcx_error **err)
{
	return lcx__record_save(description_fields, description, dir_fd, "container.json",
				lcx__replace_file, true, err);
}

int lcx__description_save_first(const struct description *description, int dir_fd, bool durable,
				struct lcx_error **err)
{
	return lcx__record_save(description_fields, description, dir_fd, "container.json",
				lcx__new_file, durable, err);
}

/* Cut off when the power went, which is no damage: it is as good as removed, and lcx_gc() does so.
 */
static bool is_passing(int dir_fd)
{
	struct stat st;

	return fstat(dir_fd, &st) == 0 && (st.st_mode & LCX__PASSING_MODE) != 0;
}

int lcx__description_load(int dir_fd, struct description *ret, struct lcx_error **err)
{
	CLEANUP(lcx__json_putp) struct json_object *json = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *e = NULL;
	int r = lcx__json_load(dir_fd, "container.json", RECORD_LIMIT, &json, &e);

	*ret = (struct description){0};
	if (r == -ENOENT)
		return lcx__fail_sys(err, ENOENT, "read 'container.json'");
	if (r == -EINVAL && is_passing(dir_fd))
		return lcx__fail(err, ENOENT, "'container.json' was not written to its end");
	if (r < 0)
		return lcx__fail(err, -r, "%s", lcx_error_message(e));
	r = lcx__json_read(description_fields, json, ret, NULL, err);
	return lcx__fail_prefix(err, r, "'container.json'");
}

void lcx__description_clear(struct description *description)
{
	lcx__json_release(description_fields, description);
	*description = (struct description){0};
}

int lcx__run_state_save(const struct run_state *state, int run_fd, struct lcx_error **err)
{
	return lcx__record_save(run_state_fields, state, run_fd, "state.json", lcx__replace_file,
				false, err);
}

int lcx__run_state_load(int run_fd, struct run_state *ret, struct lcx_error **err)
{
	int r;

	*ret = (struct run_state){0};
	r = lcx__record_load(run_state_fields, ret, run_fd, "state.json", err);
	return r == -ENOENT ? lcx__fail_sys(err, ENOENT, "read 'state.json'") : r;
}

void lcx__run_state_clear(struct run_state *state)
{
	lcx__json_release(run_state_fields, state);
	*state = (struct run_state){0};
}
