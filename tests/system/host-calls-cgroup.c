/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host-calls.h"

static struct lcx_cgroup *cgroup;

static int look_at_hierarchies(struct world *w, struct lcx_error **err)
{
	(void)w;
	MUST(lcx_cgroup_mode(err));
	EITHER(lcx_cgroup_has_controller("memory", err));
	EITHER(lcx_cgroup_has_controller("no such", err));
	/* It moves the caller, where that is allowed: here only what it must not do. */
	REFUSED(lcx_cgroup_vacate("not/one/component", err));
	return 0;
}

static int create_cgroup(struct world *w, struct lcx_error **err)
{
	(void)w;
	return lcx_cgroup_create("lcx-host-unchanged", &cgroup, err);
}

static int open_cgroup(struct world *w, struct lcx_error **err)
{
	struct lcx_cgroup *again = NULL;

	(void)w;
	MUST(lcx_cgroup_open("lcx-host-unchanged", &again, err));
	(void)lcx_cgroup_path(again);
	lcx_cgroup_free(again);
	return 0;
}

static int refuse_cgroups(struct world *w, struct lcx_error **err)
{
	struct lcx_cgroup *none = NULL;

	(void)w;
	REFUSED(lcx_cgroup_create("../escape", &none, err));
	REFUSED(lcx_cgroup_create("lcx-host-unchanged", &none, err));
	REFUSED(lcx_cgroup_open("lcx-no-such-cgroup", &none, err));
	REFUSED(lcx_cgroup_use(cgroup, "no such", err));
	REFUSED(lcx_cgroup_add_pid(cgroup, -5, err));
	REFUSED(lcx_cgroup_set_limit(cgroup, 999, 1, err));
	REFUSED(lcx_cgroup_set_cpus(cgroup, "x", err));
	REFUSED(lcx_cgroup_set_mems(cgroup, "x", err));
	REFUSED(lcx_cgroup_set_file(cgroup, "../x", "1", err));
	REFUSED(lcx_cgroup_device_rule(cgroup, 1, 'x', 1, 1, "r", err));
	REFUSED(lcx_cgroup_pressure_fd(cgroup, 99, 0, 1, 1, err));
	return 0;
}

/* Which controllers there are, depends on the machine. */
static int limit_cgroup(struct world *w, struct lcx_error **err)
{
	(void)w;
	EITHER(lcx_cgroup_use(cgroup, "memory", err));
	EITHER(lcx_cgroup_set_limit(cgroup, LCX_CGROUP_PIDS_MAX, 100, err));
	EITHER(lcx_cgroup_set_limit(cgroup, LCX_CGROUP_MEMORY_MAX_BYTES, 64 << 20, err));
	EITHER(lcx_cgroup_set_cpus(cgroup, "0", err));
	EITHER(lcx_cgroup_set_mems(cgroup, "0", err));
	EITHER(lcx_cgroup_set_io_limit(cgroup, LCX_CGROUP_IO_READ_BYTES_PER_S, 8, 0, 1 << 20, err));
	EITHER(lcx_cgroup_set_hugetlb(cgroup, "2MB", 0, err));
	EITHER(lcx_cgroup_set_rdma(cgroup, "mlx5_0", 1, 1, err));
	EITHER(lcx_cgroup_set_misc(cgroup, "sev", 1, err));
	EITHER(lcx_cgroup_set_partition(cgroup, "member", err));
	EITHER(lcx_cgroup_set_net_priority(cgroup, "lo", 1, err));
	EITHER(lcx_cgroup_set_file(cgroup, "pids.max", "99", err));
	return 0;
}

static int limit_devices(struct world *w, struct lcx_error **err)
{
	(void)w;
	MUST(lcx_cgroup_device_defaults(cgroup, err));
	MUST(lcx_cgroup_device_rule(cgroup, 1, 'c', 10, 229, "rw", err));
	EITHER(lcx_cgroup_apply_devices(cgroup, err));
	lcx_cgroup_clear_devices(cgroup);
	return 0;
}

static int watch_cgroup(struct world *w, struct lcx_error **err)
{
	struct lcx_cgroup_watch *watch = NULL;
	int fd;

	(void)w;
	MUST(lcx_cgroup_watch_new(cgroup, &watch, err));
	(void)lcx_cgroup_watch_fd(watch);
	while (lcx_cgroup_watch_next(watch) > LCX_CGROUP_EVENT_NONE)
		;
	lcx_cgroup_watch_free(watch);
	(void)lcx_cgroup_oom_kills(cgroup);
	fd = lcx_cgroup_pressure_fd(cgroup, LCX_CGROUP_PRESSURE_CPU, 0, 200000, 2000000, err);
	if (fd >= 0)
		close(fd);
	*err = lcx_error_free(*err);
	return 0;
}

static int hold_and_kill_a_process(struct world *w, struct lcx_error **err)
{
	struct lcx_cgroup_pids *pids = NULL;
	pid_t pid = fork();

	(void)w;
	if (pid == 0) {
		for (;;)
			pause();
	}
	MUST(lcx_cgroup_add_pid(cgroup, pid, err));
	MUST(lcx_cgroup_is_populated(cgroup, err));
	MUST(lcx_cgroup_pids_new(cgroup, &pids, err));
	while (lcx_cgroup_pids_next(pids) > 0)
		;
	lcx_cgroup_pids_free(pids);
	EITHER(lcx_cgroup_freeze(cgroup, 2000, err));
	EITHER(lcx_cgroup_is_frozen(cgroup, err));
	EITHER(lcx_cgroup_thaw(cgroup, 2000, err));
	MUST(lcx_cgroup_signal(cgroup, SIGCONT, err));
	EITHER(lcx_cgroup_kill(cgroup, 0, err));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return lcx_cgroup_kill(cgroup, 2000, err);
}

static int read_statistics(struct world *w, struct lcx_error **err)
{
	static int64_t (*const numbers[])(const struct lcx_cgroup_stats *) = {
		lcx_cgroup_stats_cpu_usage_ns,
		lcx_cgroup_stats_cpu_user_ns,
		lcx_cgroup_stats_cpu_system_ns,
		lcx_cgroup_stats_cpu_periods,
		lcx_cgroup_stats_cpu_throttled_periods,
		lcx_cgroup_stats_cpu_throttled_ns,
		lcx_cgroup_stats_memory_usage_bytes,
		lcx_cgroup_stats_memory_peak_bytes,
		lcx_cgroup_stats_memory_limit_bytes,
		lcx_cgroup_stats_memory_working_set_bytes,
		lcx_cgroup_stats_memory_anon_bytes,
		lcx_cgroup_stats_memory_file_bytes,
		lcx_cgroup_stats_memory_inactive_file_bytes,
		lcx_cgroup_stats_memory_kernel_bytes,
		lcx_cgroup_stats_memory_page_faults,
		lcx_cgroup_stats_memory_major_faults,
		lcx_cgroup_stats_memory_oom_kills,
		lcx_cgroup_stats_swap_usage_bytes,
		lcx_cgroup_stats_swap_limit_bytes,
		lcx_cgroup_stats_pids_current,
		lcx_cgroup_stats_pids_limit,
		lcx_cgroup_stats_io_read_bytes,
		lcx_cgroup_stats_io_write_bytes,
		lcx_cgroup_stats_io_read_ops,
		lcx_cgroup_stats_io_write_ops,
	};
	struct lcx_cgroup_figures *figures = NULL;
	struct lcx_cgroup_stats *stats = NULL;

	(void)w;
	MUST(lcx_cgroup_figures_new(cgroup, &figures, err));
	for (uint32_t i = 0; i < lcx_cgroup_figures_count(figures); i++)
		(void)lcx_cgroup_figures_name(figures, i), (void)lcx_cgroup_figures_value(figures, i);
	(void)lcx_cgroup_figures_get(figures, "cpu.usage_ns");
	lcx_cgroup_figures_free(figures);
	MUST(lcx_cgroup_stats_new(cgroup, &stats, err));
	MUST(lcx_cgroup_stats_read(stats, err));
	ALL(numbers, stats);
	(void)lcx_cgroup_stats_stalled_ns(stats, LCX_CGROUP_PRESSURE_CPU, 0);
	lcx_cgroup_stats_free(stats);
	return 0;
}

static int destroy_cgroup(struct world *w, struct lcx_error **err)
{
	int r = lcx_cgroup_destroy(cgroup, 2000, err);

	(void)w;
	cgroup = lcx_cgroup_free(cgroup);
	return r;
}

const struct row rows_cgroup[] = {
	ROW(look_at_hierarchies, RELEASED),
	ROW(create_cgroup, HELD),
	ROW(open_cgroup, HELD),
	ROW(refuse_cgroups, HELD),
	ROW(limit_cgroup, HELD),
	ROW(limit_devices, HELD),
	ROW(watch_cgroup, HELD),
	ROW(hold_and_kill_a_process, HELD),
	ROW(read_statistics, HELD),
	ROW(destroy_cgroup, RELEASED),
	{0},
};
