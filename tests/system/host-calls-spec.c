/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "host-calls.h"

static struct lcx_spec *spec;

static int make_spec(struct world *w, struct lcx_error **err)
{
	struct lcx_spec *empty = NULL, *copy = NULL, *again = NULL;
	char *json = NULL;

	(void)w;
	MUST(lcx_spec_new_empty(&empty, err));
	MUST(lcx_spec_new(&spec, err));
	MUST(lcx_spec_dup(spec, &copy, err));
	MUST(lcx_spec_to_json(copy, &json, err));
	MUST(lcx_spec_from_json(json, strlen(json), &again, err));
	if (lcx_spec_n_warnings(again) > 0)
		(void)lcx_spec_warning(again, 0);
	MUST(lcx_spec_merge_resources(again, "{\"pids\": {\"limit\": 7}}", 22, err));
	again = lcx_spec_free(again);
	MUST(lcx_spec_process_from_json("{\"cwd\": \"/\"}", 12, &again, err));
	lcx_string_free(json);
	lcx_spec_free(again);
	lcx_spec_free(copy);
	lcx_spec_free(empty);
	return 0;
}

static int refuse_a_wrong_config(struct world *w, struct lcx_error **err)
{
	struct lcx_spec *wrong = NULL;

	(void)w;
	REFUSED(lcx_spec_process_from_json("[]", 2, &wrong, err));
	REFUSED(lcx_spec_merge_resources(spec, "[]", 2, err));
	REFUSED(lcx_spec_from_json("{\"ociVersion\": 7}", 17, &wrong, err));
	REFUSED(lcx_spec_from_json("", 0, &wrong, err));
	return 0;
}

static int set_the_process(struct world *w, struct lcx_error **err)
{
	static const char *const args[] = {"sh", NULL};

	(void)w;
	MUST(lcx_spec_set_args(spec, args, err));
	MUST(lcx_spec_add_arg(spec, "-l", err));
	MUST(lcx_spec_clear_env(spec, err));
	MUST(lcx_spec_set_env(spec, "PATH", "/bin", err));
	MUST(lcx_spec_add_env(spec, "TZ=UTC", err));
	MUST(lcx_spec_unset_env(spec, "TZ", err));
	MUST(lcx_spec_set_cwd(spec, "/tmp", err));
	MUST(lcx_spec_set_user(spec, 1000, 1000, err));
	MUST(lcx_spec_clear_groups(spec, err));
	MUST(lcx_spec_add_group(spec, 5, err));
	MUST(lcx_spec_set_umask(spec, 027, err));
	MUST(lcx_spec_set_terminal(spec, 1, err));
	MUST(lcx_spec_set_terminal_size(spec, 24, 80, err));
	REFUSED(lcx_spec_set_umask(spec, 01000, err));
	REFUSED(lcx_spec_add_env(spec, "A", err));
	return 0;
}

static int set_the_privileges(struct world *w, struct lcx_error **err)
{
	struct lcx_seccomp *seccomp = NULL;

	(void)w;
	MUST(lcx_spec_set_no_new_privileges(spec, 1, err));
	MUST(lcx_spec_set_oom_score_adj(spec, 10, err));
	MUST(lcx_spec_add_rlimit(spec, "nofile", 10, 20, err));
	MUST(lcx_spec_set_scheduler(spec, "SCHED_BATCH", 5, 0, err));
	MUST(lcx_spec_add_scheduler_flag(spec, "SCHED_FLAG_RESET_ON_FORK", err));
	MUST(lcx_spec_set_deadline(spec, 1000000, 2000000, 3000000, err));
	REFUSED(lcx_spec_set_deadline(spec, 2, 1, 3, err));
	MUST(lcx_spec_set_io_priority(spec, "IOPRIO_CLASS_BE", 7, err));
	MUST(lcx_spec_set_exec_cpu_affinity(spec, "0", "0-1", err));
	MUST(lcx_spec_set_memory_policy(spec, "MPOL_BIND", "0", err));
	MUST(lcx_spec_set_rdt_schemas(spec, "L3:0=f", "MB:0=70", err));
	MUST(lcx_spec_add_memory_policy_flag(spec, "MPOL_F_STATIC_NODES", err));
	MUST(lcx_spec_set_personality(spec, "LINUX32", err));
	MUST(lcx_spec_add_landlock(spec, "ro=/usr", err));
	MUST(lcx_spec_set_landlock_best_effort(spec, 1, err));
	MUST(lcx_spec_clear_landlock(spec, err));
	REFUSED(lcx_spec_add_landlock(spec, "ro=usr", err));
	MUST(lcx_spec_set_timer_slack(spec, 100000, err));
	MUST(lcx_spec_set_coredump_filter(spec, 0x33, err));
	MUST(lcx_spec_set_apparmor_profile(spec, "none", err));
	MUST(lcx_spec_set_selinux_label(spec, "a:b:c:s0", err));
	MUST(lcx_spec_set_mount_label(spec, "a:b:c:s0", err));
	MUST(lcx_spec_clear_capabilities(spec, err));
	MUST(lcx_spec_add_capability(spec, "kill", err));
	MUST(lcx_spec_add_ambient_capability(spec, "kill", err));
	MUST(lcx_spec_drop_capability(spec, "kill", err));
	REFUSED(lcx_spec_add_rlimit(spec, "files", 1, 1, err));
	REFUSED(lcx_spec_add_capability(spec, "", err));
	if (lcx_has_feature("seccomp"))
		MUST(lcx_seccomp_default(&seccomp, err));
	MUST(lcx_spec_set_seccomp(spec, seccomp, err));
	lcx_seccomp_free(seccomp);
	return lcx_spec_set_privileged(spec, err);
}

static int set_the_files(struct world *w, struct lcx_error **err)
{
	static const char *const options[] = {"ro", NULL};

	MUST(lcx_spec_set_root(spec, w->rootfs, err));
	MUST(lcx_spec_set_root_readonly(spec, 1, err));
	MUST(lcx_spec_set_root_propagation(spec, "rslave", err));
	MUST(lcx_spec_add_mount(spec, "tmpfs", "/a", "tmpfs", options, err));
	REFUSED(lcx_spec_set_mount_idmap(spec, "/nowhere", NULL, err));
	MUST(lcx_spec_add_bind(spec, "/srv", "/b", 1, err));
	MUST(lcx_spec_set_mount_idmap(spec, "/b", NULL, err));
	MUST(lcx_spec_add_tmpfs(spec, "/c", 1 << 20, err));
	MUST(lcx_spec_remove_mount(spec, "/a", err));
	MUST(lcx_spec_clear_masked_paths(spec, err));
	MUST(lcx_spec_add_masked_path(spec, "/proc/kcore", err));
	MUST(lcx_spec_clear_readonly_paths(spec, err));
	MUST(lcx_spec_add_readonly_path(spec, "/proc/sys", err));
	MUST(lcx_spec_add_device(spec, "/dev/fuse", "c", 10, 229, 0666, 0, 0, "rw", err));
	MUST(lcx_spec_add_device_rule(spec, 1, "c", 10, 229, "rwm", err));
	REFUSED(lcx_spec_add_bind(spec, "/srv", "relative", 0, err));
	REFUSED(lcx_spec_remove_mount(spec, "/a", err));
	return 0;
}

static int set_the_namespaces(struct world *w, struct lcx_error **err)
{
	(void)w;
	MUST(lcx_spec_add_hook(spec, "poststop", "/bin/true", NULL, NULL, 5, err));
	REFUSED(lcx_spec_add_hook(spec, "poststop", "true", NULL, NULL, 0, err));
	MUST(lcx_spec_add_namespace(spec, "time", err));
	MUST(lcx_spec_join_namespace(spec, "network", "/proc/1/ns/net", err));
	MUST(lcx_spec_remove_namespace(spec, "network", err));
	MUST(lcx_spec_add_uid_map(spec, 0, 100000, 65536, err));
	MUST(lcx_spec_add_gid_map(spec, 0, 100000, 65536, err));
	MUST(lcx_spec_clear_id_maps(spec, err));
	MUST(lcx_spec_set_time_offset(spec, "boottime", 5, 6, err));
	MUST(lcx_spec_set_hostname(spec, "guest", err));
	MUST(lcx_spec_set_domainname(spec, "example", err));
	MUST(lcx_spec_add_net_device(spec, "nosuch0", "eth7", err));
	REFUSED(lcx_spec_add_net_device(spec, "nosuch0", NULL, err));
	MUST(lcx_spec_set_sysctl(spec, "net.ipv4.ip_forward", "1", err));
	MUST(lcx_spec_set_annotation(spec, "a", "b", err));
	REFUSED(lcx_spec_add_namespace(spec, "", err));
	REFUSED(lcx_spec_set_time_offset(spec, "tai", 0, 0, err));
	return 0;
}

static int set_the_resources(struct world *w, struct lcx_error **err)
{
	(void)w;
	MUST(lcx_spec_set_cgroups_path(spec, "/lcx-host", err));
	MUST(lcx_spec_set_memory_limit(spec, 64 << 20, err));
	MUST(lcx_spec_set_memory_reservation(spec, 32 << 20, err));
	MUST(lcx_spec_set_memory_swap(spec, 64 << 20, err));
	MUST(lcx_spec_set_cpu_shares(spec, 512, err));
	MUST(lcx_spec_set_cpu_quota(spec, 150000, 0, err));
	MUST(lcx_spec_set_cpuset(spec, "0", NULL, err));
	MUST(lcx_spec_set_pids_limit(spec, 100, err));
	MUST(lcx_spec_set_blkio_weight(spec, 500, err));
	MUST(lcx_spec_add_blkio_throttle(spec, "read_bps", 8, 0, 1 << 20, err));
	MUST(lcx_spec_add_hugepage_limit(spec, "2MB", 0, err));
	MUST(lcx_spec_set_unified(spec, "memory.high", "max", err));
	REFUSED(lcx_spec_set_memory_limit(spec, -2, err));
	REFUSED(lcx_spec_set_unified(spec, "../x", "5", err));
	return 0;
}

static int look_at_spec(struct world *w, struct lcx_error **err)
{
	static const char *(*const texts[])(const struct lcx_spec *) = {lcx_spec_cwd, lcx_spec_root,
									lcx_spec_hostname};
	static const char *(*const nth[])(const struct lcx_spec *, size_t) = {
		lcx_spec_arg, lcx_spec_env, lcx_spec_mount_destination, lcx_spec_mount_source,
		lcx_spec_warning};
	static const char *(*const named[])(const struct lcx_spec *, const char *) = {
		lcx_spec_getenv, lcx_spec_annotation, lcx_spec_namespace_path};
	static int32_t (*const flags[])(const struct lcx_spec *) = {lcx_spec_root_readonly,
								    lcx_spec_terminal};
	static int32_t (*const has[])(const struct lcx_spec *, const char *) = {
		lcx_spec_has_capability, lcx_spec_has_namespace};
	static uint32_t (*const ids[])(const struct lcx_spec *) = {lcx_spec_uid, lcx_spec_gid};
	static int64_t (*const limits[])(const struct lcx_spec *) = {lcx_spec_memory_limit,
								     lcx_spec_pids_limit};

	(void)w, (void)err;
	ALL(texts, spec);
	ALL(nth, spec, 0);
	ALL(nth, spec, 1000);
	ALL(named, spec, "time");
	ALL(flags, spec);
	ALL(has, spec, "time");
	ALL(ids, spec);
	ALL(limits, spec);
	EITHER(lcx_spec_check(spec, err));
	return 0;
}

static int free_spec(struct world *w, struct lcx_error **err)
{
	(void)w, (void)err;
	spec = lcx_spec_free(spec);
	return 0;
}

const struct row rows_spec[] = {
	ROW(make_spec, HELD),         ROW(refuse_a_wrong_config, HELD),
	ROW(set_the_process, HELD),   ROW(set_the_privileges, HELD),
	ROW(set_the_files, HELD),     ROW(set_the_namespaces, HELD),
	ROW(set_the_resources, HELD), ROW(look_at_spec, HELD),
	ROW(free_spec, RELEASED),     {0},
};
