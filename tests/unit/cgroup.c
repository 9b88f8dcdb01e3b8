/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <linux/bpf.h>
#include <math.h>
#include <sys/stat.h>

#include "cgroup/unit-property.h"
#include "cgroup/limits-internal.h"
#include "spec/resources.h"

/* --- a directory that stands in for "/" --- */

static struct unit_dir dir;
static struct lcx__cgroup_layout *layout;

#define V2_MOUNT "30 23 0:26 / /cg rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
#define V1_MOUNTS                                                                                  \
	"24 23 0:5 / /proc rw - proc proc rw\n"                                                    \
	"31 23 0:27 / /m rw shared:4 master:2 - cgroup none rw,memory\n"                           \
	"32 23 0:28 / /odd\\040name rw - cgroup cgroup rw,cpu,cpuacct\n"                           \
	"33 23 0:29 / /p rw - cgroup cgroup rw,pids\n"                                             \
	"34 23 0:30 / /f rw - cgroup cgroup rw,freezer\n"                                          \
	"35 23 0:31 / /d rw - cgroup cgroup rw,devices\n"                                          \
	"36 23 0:32 / /s rw - cgroup cgroup rw,xattr,release_agent=/x,name=systemd\n"

static void put(const char *path, const char *text)
{
	CLEANUP(closep) int fd = openat(dir.fd, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
	ck_assert_ok(lcx__write_all(fd, text, strlen(text)));
}

static void ck_file(const char *path, const char *text)
{
	CLEANUP(freep) char *found = NULL;

	ck_assert_ok(lcx__read_file(dir.fd, path, 65536, &found, NULL));
	ck_assert_msg(strcmp(found, text) == 0, "%s: '%s', not '%s'", path, found, text);
}

/* Empty control files: what a write leaves in them is what the kernel would have got. */
static void put_all(const char *at, const char *const *files)
{
	char path[256];

	for (; *files; files++) {
		(void)snprintf(path, sizeof(path), "%s/%s", at, *files);
		put(path, "");
	}
}

static bool exists(const char *path)
{
	return faccessat(dir.fd, path, F_OK, 0) == 0;
}

static void use_layout(const char *mountinfo, const char *own)
{
	struct lcx_error *err = NULL;
	int r = lcx__cgroup_layout_parse(dir.fd, mountinfo, own, &layout, &err);

	ck_assert_msg(r == 0, "%s", lcx_error_message(err));
}

static void set_up(void)
{
	static const char *const mounts[] = {"cg", "m", "odd name", "p", "f", "d", "s"};

	unit_dir_make(&dir);
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		char path[64];

		ck_assert_ok(mkdirat(dir.fd, mounts[i], 0755));
		(void)snprintf(path, sizeof(path), "%s/cgroup.procs", mounts[i]);
		put(path, "");
	}
	put("cg/cgroup.controllers", "cpuset cpu io memory hugetlb pids rdma misc\n");
	put("cg/cgroup.subtree_control", "");
}

static void tear_down(void)
{
	layout = lcx__cgroup_layout_free(layout);
	unit_dir_remove(&dir);
}

/* --- the layout --- */

START_TEST(mounts_are_found_by_type_and_options)
{
	use_layout(V1_MOUNTS V2_MOUNT, "6:memory:/\n0::/\n");
	ck_assert_uint_eq(layout->count, 7);
	ck_assert_int_eq(lcx__cgroup_layout_mode(layout), LCX_CGROUP_MODE_HYBRID);
	ck_assert_int_eq(layout->tracker, layout->unified);
	ck_assert_str_eq(layout->hierarchies[layout->controller[CONTROLLER_MEMORY]].mount_point,
			 "/m");
	ck_assert_str_eq(layout->hierarchies[layout->controller[CONTROLLER_CPU]].mount_point,
			 "/odd name");
	ck_assert_int_eq(layout->controller[CONTROLLER_CPU],
			 layout->controller[CONTROLLER_CPUACCT]);
	ck_assert_int_eq(layout->controller[CONTROLLER_NET_CLS], -1);
	ck_assert_int_eq(layout->controller[CONTROLLER_HUGETLB], layout->unified);
}
END_TEST

START_TEST(without_the_unified_hierarchy_the_freezer_tracks)
{
	use_layout(V1_MOUNTS, "6:memory:/\n");
	ck_assert_int_eq(lcx__cgroup_layout_mode(layout), LCX_CGROUP_MODE_V1);
	ck_assert_str_eq(layout->hierarchies[layout->tracker].name, "freezer");
}
END_TEST

START_TEST(without_any_mount_there_is_no_cgroup)
{
	struct lcx_error *err = NULL;
	struct lcx_cgroup *cg = NULL;

	use_layout("24 23 0:5 / /proc rw - proc proc rw\n", "0::/\n");
	ck_assert_int_eq(lcx__cgroup_layout_mode(layout), LCX_CGROUP_MODE_NONE);
	ck_assert_fails(lcx__cgroup_create_in(layout, "x", &cg, &err), ENODEV, err,
			"no cgroup file system");
}
END_TEST

static const struct {
	const char *mounts, *own, *expected;
} own_cases[] = {
	{V2_MOUNT, "0::/\n", ""},
	{V2_MOUNT, "0::/a/b\n", "/a/b"},
	{V2_MOUNT, "0::/../elsewhere\n", ""},
	{V2_MOUNT, "", ""},
	/* Bind-mounted into a container without a cgroup namespace. */
	{"30 23 0:26 /docker/x /cg rw - cgroup2 cgroup2 rw\n", "0::/docker/x\n", ""},
	{"30 23 0:26 /docker/x /cg rw - cgroup2 cgroup2 rw\n", "0::/docker/x/in\n", "/in"},
	{"30 23 0:26 /docker/x /cg rw - cgroup2 cgroup2 rw\n", "0::/docker/xy\n", ""},
	/* Mounted twice: the whole before the part, the writable before the read-only. */
	{"30 23 0:26 /a /q rw - cgroup2 c rw\n" V2_MOUNT, "0::/a/b\n", "/a/b"},
	{"30 23 0:26 / /q ro - cgroup2 c rw\n" V2_MOUNT, "0::/a/b\n", "/a/b"},
};

START_TEST(own_place_is_seen_through_the_mount)
{
	use_layout(own_cases[_i].mounts, own_cases[_i].own);
	ck_assert_str_eq(layout->hierarchies[0].own, own_cases[_i].expected);
	ck_assert_str_eq(layout->hierarchies[0].mount_point, "/cg");
}
END_TEST

static const char *const bad_mountinfo[] = {
	"",
	"\n\n",
	"30",
	"30 23 0:26 / /cg rw -",
	"30 23 0:26 / /cg rw - cgroup2",
	"30 23 0:26 / /cg rw - cgroup2 x",
	"30 23 026 / /cg rw - cgroup2 x rw",
	"30 23 0:99999999999999999999 / /cg rw - cgroup2 x rw",
	"30 23 0:26 / /cg rw shared:1",
	"- - - - - - - - - -",
};

START_TEST(torn_lines_are_no_mounts)
{
	use_layout(bad_mountinfo[_i], ":::\n::\n\n0:\nx");
	ck_assert_uint_eq(layout->count, 0);
}
END_TEST

/* --- paths --- */

static const struct {
	const char *base, *path, *expected; /* NULL: refused */
} path_cases[] = {
	{"", "a", "/a"},     {"/b", "a//c/", "/b/a/c"},
	{"/b", "/a", "/a"},  {"/b", "", "/b"},
	{"", "", "/"},       {"", "/", "/"},
	{"", "..", NULL},    {"", "a/../b", NULL},
	{"", "./a", NULL},   {"", "a\nb", NULL},
	{"", "/a/..", NULL}, {"", "...", "/..."},
};

START_TEST(paths_have_no_tricks)
{
	CLEANUP(freep) char *path = NULL;
	int r = lcx__cgroup_path_join(path_cases[_i].base, path_cases[_i].path, &path);

	ck_assert_int_eq(r, path_cases[_i].expected ? 0 : -EINVAL);
	if (path_cases[_i].expected)
		ck_assert_str_eq(path, path_cases[_i].expected);
}
END_TEST

/* --- life, in the stand-in --- */

static struct lcx_cgroup *make(const char *path)
{
	struct lcx_error *err = NULL;
	struct lcx_cgroup *cg = NULL;
	int r = lcx__cgroup_create_in(layout, path, &cg, &err);

	ck_assert_msg(r == 0, "%s", lcx_error_message(err));
	return cg;
}

START_TEST(second_create_reports_the_name)
{
	struct lcx_cgroup *first, *second = NULL;
	struct lcx_error *err = NULL;

	use_layout(V2_MOUNT, "0::/\n");
	first = make("lcx/web");
	ck_assert_fails(lcx__cgroup_create_in(layout, "lcx/web", &second, &err), EEXIST, err,
			"'/lcx/web' exists already");
	ck_assert_ptr_null(second);
	lcx_cgroup_free(first);
}
END_TEST

START_TEST(destroy_takes_children_and_empty_parents_of_a_relative_path)
{
	struct lcx_cgroup *cg;

	use_layout(V1_MOUNTS V2_MOUNT, "0::/\n");
	cg = make("lcx/web");
	ck_assert_ok(lcx_cgroup_use(cg, "pids", NULL));
	ck_assert(exists("cg/lcx/web") && exists("p/lcx/web") && !exists("m/lcx"));
	ck_assert_ok(mkdirat(dir.fd, "cg/lcx/web/a", 0755));
	ck_assert_ok(mkdirat(dir.fd, "cg/lcx/web/a/b", 0755));
	ck_assert_ok(mkdirat(dir.fd, "cg/lcx/web/c", 0755));
	ck_assert_ok(lcx_cgroup_destroy(cg, 0, NULL));
	ck_assert(!exists("cg/lcx") && !exists("p/lcx") && exists("cg") && exists("p"));
	lcx_cgroup_free(cg);
}
END_TEST

START_TEST(parents_that_others_made_or_need_stay)
{
	struct lcx_cgroup *one, *two;

	use_layout(V2_MOUNT, "0::/\n");
	ck_assert_ok(mkdirat(dir.fd, "cg/slice", 0755));
	one = make("/slice/mine/one");
	two = make("lcx/two");
	ck_assert_ok(mkdirat(dir.fd, "cg/lcx/three", 0755));
	ck_assert_ok(lcx_cgroup_destroy(one, 0, NULL));
	ck_assert_ok(lcx_cgroup_destroy(two, 0, NULL));
	ck_assert(exists("cg/slice") && !exists("cg/slice/mine") && exists("cg/lcx/three"));
	lcx_cgroup_free(one);
	lcx_cgroup_free(two);
}
END_TEST

START_TEST(a_leftover_in_another_hierarchy_is_not_taken_over)
{
	struct lcx_error *err = NULL;
	struct lcx_cgroup *cg;

	use_layout(V1_MOUNTS V2_MOUNT, "0::/\n");
	ck_assert_ok(mkdirat(dir.fd, "m/x", 0755));
	cg = make("x");
	ck_assert_fails(lcx_cgroup_use(cg, "memory", &err), EEXIST, err, "hierarchy memory");
	lcx_cgroup_free(cg);
	/* Opened, all of it is found, and goes. */
	cg = NULL;
	ck_assert_ok(lcx__cgroup_open_in(layout, "x", &cg, NULL));
	ck_assert_ok(lcx_cgroup_destroy(cg, 0, NULL));
	ck_assert(!exists("m/x") && !exists("cg/x"));
	lcx_cgroup_free(cg);
}
END_TEST

START_TEST(very_deep_trees_are_removed_without_recursion)
{
	CLEANUP(closep) int at = -1;
	struct lcx_cgroup *cg;

	use_layout(V2_MOUNT, "0::/\n");
	cg = make("deep");
	at = openat(dir.fd, "cg/deep", O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 3000; i++) {
		int next;

		ck_assert_ok(mkdirat(at, "d", 0755));
		next = openat(at, "d", O_DIRECTORY | O_CLOEXEC);
		closep(&at);
		at = next;
	}
	ck_assert_ok(lcx_cgroup_destroy(cg, 0, NULL));
	ck_assert(!exists("cg/deep"));
	lcx_cgroup_free(cg);
}
END_TEST

START_TEST(a_symbolic_link_is_not_followed)
{
	struct lcx_cgroup *cg = NULL;
	struct lcx_error *err = NULL;

	use_layout(V2_MOUNT, "0::/\n");
	ck_assert_ok(symlinkat("/tmp", dir.fd, "cg/link"));
	ck_assert_int_lt(lcx__cgroup_create_in(layout, "link/x", &cg, &err), 0);
	err = lcx_error_free(err);
	ck_assert_int_lt(lcx__cgroup_open_in(layout, "link", &cg, &err), 0);
	err = lcx_error_free(err);
	ck_assert_ptr_null(cg);
}
END_TEST

START_TEST(controllers_are_enabled_from_the_base_down)
{
	struct lcx_cgroup *cg;

	use_layout(V2_MOUNT, "0::/\n");
	cg = make("lcx/web");
	put("cg/lcx/cgroup.subtree_control", "pids\n");
	put("cg/lcx/web/cgroup.controllers", "pids\n");
	ck_assert_ok(lcx_cgroup_use(cg, "memory", NULL));
	ck_file("cg/cgroup.subtree_control", "+memory");
	ck_file("cg/lcx/cgroup.subtree_control", "+memory");
	/* What has got there already is not written again. */
	ck_assert_ok(lcx_cgroup_use(cg, "pids", NULL));
	ck_file("cg/cgroup.subtree_control", "+memory");
	lcx_cgroup_free(cg);
}
END_TEST

/* --- limits --- */

static const char *const v2_files[] = {
	"cgroup.controllers",
	"memory.max",
	"memory.high",
	"memory.low",
	"memory.swap.max",
	"cpu.max",
	"cpu.weight",
	"cpu.max.burst",
	"pids.max",
	"io.max",
	"io.weight",
	"cpuset.cpus",
	"hugetlb.2MB.max",
	"rdma.max",
	"misc.max",
	"memory.oom.group",
	"memory.zswap.max",
	"cpuset.cpus.partition",
	NULL,
};

static struct lcx_cgroup *make_v2(void)
{
	struct lcx_cgroup *cg;

	use_layout(V2_MOUNT, "0::/\n");
	cg = make("x");
	put_all("cg/x", v2_files);
	put("cg/x/cgroup.controllers", "cpuset cpu io memory hugetlb pids rdma misc\n");
	put("cg/x/cpu.max", "max 100000\n");
	return cg;
}

static const struct {
	enum lcx_cgroup_limit limit;
	int64_t value;
	int r;
	const char *file, *text;
} v2_cases[] = {
	{LCX_CGROUP_MEMORY_MAX_BYTES, 4096, 0, "memory.max", "4096"},
	{LCX_CGROUP_MEMORY_MAX_BYTES, INT64_MAX, 0, "memory.max", "max"},
	{LCX_CGROUP_MEMORY_MAX_BYTES, -1, -ERANGE, NULL, NULL},
	{LCX_CGROUP_MEMORY_HIGH_BYTES, 1, 0, "memory.high", "1"},
	{LCX_CGROUP_SWAP_MAX_BYTES, 0, 0, "memory.swap.max", "0"},
	{LCX_CGROUP_OOM_GROUP, 1, 0, "memory.oom.group", "1"},
	{LCX_CGROUP_OOM_GROUP, INT64_MAX, -ERANGE, NULL, NULL},
	{LCX_CGROUP_ZSWAP_MAX_BYTES, 4096, 0, "memory.zswap.max", "4096"},
	{LCX_CGROUP_ZSWAP_MAX_BYTES, INT64_MAX, 0, "memory.zswap.max", "max"},
	{LCX_CGROUP_ZSWAP_WRITEBACK, 0, -EOPNOTSUPP, NULL, NULL}, /* no such file */
	{LCX_CGROUP_CPU_QUOTA_US, 50000, 0, "cpu.max", "50000"},
	{LCX_CGROUP_CPU_QUOTA_US, INT64_MAX, 0, "cpu.max", "max"},
	{LCX_CGROUP_CPU_QUOTA_US, 999, -ERANGE, NULL, NULL},
	{LCX_CGROUP_CPU_PERIOD_US, 50000, 0, "cpu.max", "max 50000"},
	{LCX_CGROUP_CPU_WEIGHT, 10000, 0, "cpu.weight", "10000"},
	{LCX_CGROUP_CPU_WEIGHT, 0, -ERANGE, NULL, NULL},
	{LCX_CGROUP_CPU_SHARES, 1024, 0, "cpu.weight", "100"},
	{LCX_CGROUP_CPU_IDLE, 1, -EOPNOTSUPP, NULL, NULL}, /* no such file */
	{LCX_CGROUP_PIDS_MAX, INT64_MAX, 0, "pids.max", "max"},
	{LCX_CGROUP_IO_WEIGHT, 500, 0, "io.weight", "default 500"},
	{LCX_CGROUP_SWAPPINESS, 10, -EOPNOTSUPP, NULL, NULL},
	{LCX_CGROUP_NET_CLASS_ID, 1, -ENODEV, NULL, NULL},
	{LCX_CGROUP_LIMIT__PAD, 1, -EINVAL, NULL, NULL},
	{(enum lcx_cgroup_limit) - 1, 1, -EINVAL, NULL, NULL},
};

START_TEST(limits_are_spelled_for_version_2)
{
	struct lcx_cgroup *cg = make_v2();
	struct lcx_error *err = NULL;
	char path[64];

	ck_assert_int_eq(
		lcx_cgroup_set_limit(cg, (int32_t)v2_cases[_i].limit, v2_cases[_i].value, &err),
		v2_cases[_i].r);
	ck_assert((err != NULL) == (v2_cases[_i].r < 0));
	if (v2_cases[_i].file) {
		(void)snprintf(path, sizeof(path), "cg/x/%s", v2_cases[_i].file);
		/* The stand-in keeps the tail of a longer text; the kernel does not. */
		if (strcmp(v2_cases[_i].file, "cpu.max") != 0 || strchr(v2_cases[_i].text, ' '))
			ck_file(path, strcmp(v2_cases[_i].text, "max 50000") == 0
					      ? "max 500000\n"
					      : v2_cases[_i].text);
	}
	lcx_error_free(err);
	lcx_cgroup_free(cg);
}
END_TEST

static const struct {
	enum lcx_cgroup_limit limit;
	int64_t value;
	int r;
	const char *file, *text;
} v1_cases[] = {
	{LCX_CGROUP_MEMORY_MAX_BYTES, 4096, 0, "m/x/memory.limit_in_bytes", "4096"},
	{LCX_CGROUP_MEMORY_MAX_BYTES, INT64_MAX, 0, "m/x/memory.limit_in_bytes", "-1"},
	{LCX_CGROUP_MEMORY_LOW_BYTES, 7, 0, "m/x/memory.soft_limit_in_bytes", "7"},
	{LCX_CGROUP_MEMORY_HIGH_BYTES, 7, -EOPNOTSUPP, NULL, NULL},
	{LCX_CGROUP_SWAPPINESS, 100, 0, "m/x/memory.swappiness", "100"},
	{LCX_CGROUP_SWAPPINESS, 101, -ERANGE, NULL, NULL},
	{LCX_CGROUP_CPU_QUOTA_US, INT64_MAX, 0, "odd name/x/cpu.cfs_quota_us", "-1"},
	{LCX_CGROUP_CPU_PERIOD_US, 50000, 0, "odd name/x/cpu.cfs_period_us", "50000"},
	{LCX_CGROUP_CPU_WEIGHT, 100, 0, "odd name/x/cpu.shares", "1024"},
	{LCX_CGROUP_CPU_SHARES, 512, 0, "odd name/x/cpu.shares", "512"},
	{LCX_CGROUP_PIDS_MAX, 5, 0, "p/x/pids.max", "5"},
};

START_TEST(limits_are_spelled_for_version_1)
{
	static const char *const files[] = {
		"m/x/memory.limit_in_bytes",
		"m/x/memory.soft_limit_in_bytes",
		"m/x/memory.swappiness",
		"odd name/x/cpu.cfs_quota_us",
		"odd name/x/cpu.shares",
		"odd name/x/cpu.cfs_period_us",
		"p/x/pids.max",
	};
	struct lcx_error *err = NULL;
	struct lcx_cgroup *cg;

	use_layout(V1_MOUNTS, "1:memory:/\n");
	cg = make("x");
	ck_assert_ok(lcx_cgroup_use(cg, "memory", NULL));
	ck_assert_ok(lcx_cgroup_use(cg, "cpu", NULL));
	ck_assert_ok(lcx_cgroup_use(cg, "pids", NULL));
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		put(files[i], "");
	ck_assert_int_eq(
		lcx_cgroup_set_limit(cg, (int32_t)v1_cases[_i].limit, v1_cases[_i].value, &err),
		v1_cases[_i].r);
	if (v1_cases[_i].file)
		ck_file(v1_cases[_i].file, v1_cases[_i].text);
	lcx_error_free(err);
	lcx_cgroup_free(cg);
}
END_TEST

START_TEST(weights_and_shares_meet_at_their_ends_and_defaults)
{
	ck_assert_uint_eq(lcx__cgroup_weight_from_shares(2), 1);
	ck_assert_uint_eq(lcx__cgroup_weight_from_shares(1024), 100);
	ck_assert_uint_eq(lcx__cgroup_weight_from_shares(262144), 10000);
	ck_assert_uint_eq(lcx__cgroup_shares_from_weight(100), 1024);
	ck_assert_uint_eq(lcx__cgroup_shares_from_weight(10000), 262144);
	for (uint64_t shares = 3; shares < 262144; shares += 97)
		ck_assert_uint_ge(lcx__cgroup_weight_from_shares(shares),
				  lcx__cgroup_weight_from_shares(shares - 1));
	for (uint64_t weight = 10; weight <= 1000; weight++)
		ck_assert_uint_eq(
			lcx__cgroup_blkio_from_io_weight(lcx__cgroup_io_weight_from_blkio(weight)),
			weight);
	ck_assert_uint_eq(lcx__cgroup_io_weight_from_blkio(10), 1);
	ck_assert_uint_eq(lcx__cgroup_io_weight_from_blkio(1000), 10000);
}
END_TEST

/* That is the formula which runc and crun have, by libm. */
START_TEST(a_weight_is_what_libm_says)
{
	for (uint64_t shares = 2; shares <= 262144; shares += shares < 4096 ? 1 : 61) {
		double l = log2((double)shares);
		double weight = pow(10, (l * l + 125 * l) / 612.0 - 7.0 / 34.0);

		ck_assert_uint_eq(lcx__cgroup_weight_from_shares(shares),
				  (uint64_t)ceil(weight - 1e-9));
	}
}
END_TEST

START_TEST(named_limits_are_spelled_and_checked)
{
	struct lcx_cgroup *cg = make_v2();
	struct lcx_error *err = NULL;

	ck_assert_ok(lcx_cgroup_set_cpus(cg, "0-2,5", NULL));
	ck_file("cg/x/cpuset.cpus", "0-2,5");
	ck_assert_fails(lcx_cgroup_set_cpus(cg, "", &err), EINVAL, err, "not a list");
	ck_assert_fails(lcx_cgroup_set_cpus(cg, "0 \n", &err), EINVAL, err, "not a list");
	ck_assert_ok(
		lcx_cgroup_set_io_limit(cg, LCX_CGROUP_IO_READ_BYTES_PER_S, 8, 16, 4096, NULL));
	ck_file("cg/x/io.max", "8:16 rbps=4096");
	ck_assert_fails(lcx_cgroup_set_io_limit(cg, 77, 8, 16, 4096, &err), EINVAL, err,
			"not an I/O limit");
	ck_assert_ok(lcx_cgroup_set_hugetlb(cg, "2MB", INT64_MAX, NULL));
	ck_file("cg/x/hugetlb.2MB.max", "max");
	ck_assert_fails(lcx_cgroup_set_hugetlb(cg, "../2MB", 1, &err), EINVAL, err, "huge page");
	ck_assert_fails(lcx_cgroup_set_hugetlb(cg, "2MB/..", 1, &err), EINVAL, err, "huge page");
	ck_assert_ok(lcx_cgroup_set_rdma(cg, "mlx5_0", 3, -1, NULL));
	ck_file("cg/x/rdma.max", "mlx5_0 hca_handle=3");
	ck_assert_fails(lcx_cgroup_set_rdma(cg, "a b", 3, -1, &err), EINVAL, err, "RDMA");
	ck_assert_ok(lcx_cgroup_set_misc(cg, "sev", 4, NULL));
	ck_file("cg/x/misc.max", "sev 4");
	ck_assert_ok(lcx_cgroup_set_partition(cg, "isolated", NULL));
	ck_file("cg/x/cpuset.cpus.partition", "isolated");
	ck_assert_fails(lcx_cgroup_set_partition(cg, "root\nx", &err), EINVAL, err,
			"none of member");
	ck_assert_ok(lcx_cgroup_set_file(cg, "memory.high", "12", NULL));
	ck_file("cg/x/memory.high", "12");
	lcx_cgroup_free(cg);
}
END_TEST

static const char *const bad_files[] = {
	"",
	"memory",
	".",
	"..",
	"../cg/memory.max",
	"memory.max/",
	".hidden",
	"cgroup.procs",
	"cgroup.threads",
	"cgroup.kill",
	"cgroup.freeze",
	"cgroup.type",
	"cgroup.subtree_control",
	"memory.max\n",
};

START_TEST(files_by_name_stay_in_the_cgroup_and_limit_only)
{
	struct lcx_cgroup *cg = make_v2();
	struct lcx_error *err = NULL;

	ck_assert_fails(lcx_cgroup_set_file(cg, bad_files[_i], "1", &err), EINVAL, err,
			"not a control file");
	lcx_cgroup_free(cg);
}
END_TEST

/* --- the OCI's resources --- */

START_TEST(oci_swap_is_memory_and_swap)
{
	struct lcx_cgroup *cg = make_v2();
	struct lcx_error *err = NULL;
	struct lcx__resources res = {0};

	res.memory.limit = (struct lcx__opt_i64)LCX__OPT(1000);
	res.memory.swap = (struct lcx__opt_i64)LCX__OPT(3000);
	res.pids.limit = (struct lcx__opt_i64)LCX__OPT(-1);
	res.cpu.quota_us = (struct lcx__opt_i64)LCX__OPT(20000);
	res.cpu.period_us = (struct lcx__opt_u64)LCX__OPT(100000);
	ck_assert_ok(lcx__cgroup_apply(cg, &res, NULL));
	ck_file("cg/x/memory.max", "1000");
	ck_file("cg/x/memory.swap.max", "2000");
	ck_file("cg/x/pids.max", "max");
	ck_file("cg/x/cpu.max", "20000 100000");
	res.memory.swap.value = 999;
	ck_assert_fails(lcx__cgroup_apply(cg, &res, &err), EINVAL, err,
			"linux.resources.memory: memory.swap 999");
	lcx_cgroup_free(cg);
}
END_TEST

START_TEST(what_this_version_lacks_is_refused_by_name)
{
	struct lcx_cgroup *cg = make_v2();
	struct lcx_error *err = NULL;
	struct lcx__resources res = {0};

	res.network.class_id = (struct lcx__opt_u32)LCX__OPT(1);
	ck_assert_fails(lcx__cgroup_apply(cg, &res, &err), ENODEV, err,
			"linux.resources.network: cgroup controller 'net_cls'");
	res.network.class_id.set = false;
	res.memory.swappiness = (struct lcx__opt_u64)LCX__OPT(1);
	ck_assert_fails(lcx__cgroup_apply(cg, &res, &err), EOPNOTSUPP, err, "swappiness");
	lcx_cgroup_free(cg);
}
END_TEST

/* --- devices --- */

/* As much of an eBPF machine as a device program needs. */
static uint32_t run_program(const uint64_t *code, int count, const struct bpf_cgroup_dev_ctx *ctx)
{
	const struct bpf_insn *insns = (const struct bpf_insn *)code;
	uint64_t reg[11] = {0};

	for (int pc = 0; pc < count; pc++) {
		const struct bpf_insn *in = &insns[pc];
		uint64_t *to = &reg[in->dst_reg];
		bool jump = false;

		switch (in->code) {
		case BPF_LDX | BPF_MEM | BPF_W:
			*to = *(const uint32_t *)((const char *)ctx + in->off);
			break;
		case BPF_ALU | BPF_MOV | BPF_K:
			*to = (uint32_t)in->imm;
			break;
		case BPF_ALU | BPF_MOV | BPF_X:
			*to = (uint32_t)reg[in->src_reg];
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			*to = (uint32_t)*to & (uint32_t)in->imm;
			break;
		case BPF_ALU | BPF_RSH | BPF_K:
			*to = (uint32_t)*to >> in->imm;
			break;
		case BPF_JMP | BPF_JNE | BPF_K:
			jump = *to != (uint64_t)(int64_t)in->imm;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			jump = *to == (uint64_t)(int64_t)in->imm;
			break;
		case BPF_JMP32 | BPF_JNE | BPF_K:
			jump = (uint32_t)*to != (uint32_t)in->imm;
			break;
		case BPF_JMP | BPF_EXIT:
			return (uint32_t)reg[0];
		default:
			ck_abort_msg("instruction %#x", in->code);
		}
		if (jump)
			pc += in->off;
	}
	ck_abort_msg("the program has no end");
	return 0;
}

/* The meaning, said plainly: each access apart, the last rule that matches. */
static uint32_t decide(const struct device_rule *rules, size_t count, char type, uint32_t access,
		       int64_t major, int64_t minor)
{
	for (uint32_t bit = 1; bit <= DEVICE_WRITE; bit <<= 1) {
		bool allowed = false;

		for (size_t i = 0; i < count; i++)
			if ((rules[i].type == 'a' || rules[i].type == type) &&
			    (rules[i].major < 0 || rules[i].major == major) &&
			    (rules[i].minor < 0 || rules[i].minor == minor) &&
			    rules[i].access & bit)
				allowed = rules[i].allow;
		if (access & bit && !allowed)
			return 0;
	}
	return 1;
}

START_TEST(the_program_decides_as_the_list_reads)
{
	static const char types[] = "abc";
	uint64_t code[4096];
	unsigned int seed = 1;

	for (int round = 0; round < 300; round++) {
		struct device_rule rules[8];
		size_t count = (size_t)rand_r(&seed) % 8;
		int length;

		for (size_t i = 0; i < count; i++)
			rules[i] = (struct device_rule){
				.allow = rand_r(&seed) % 2,
				.type = types[rand_r(&seed) % 3],
				.access = (uint8_t)(1 + rand_r(&seed) % 7),
				.major = rand_r(&seed) % 4 - 1,
				.minor = rand_r(&seed) % 4 ? (int64_t)(rand_r(&seed) % 3)
							   : (int64_t)UINT32_MAX,
			};
		length = lcx__cgroup_bpf_compile(rules, count, code, ARRAY_SIZE(code));
		ck_assert_int_gt(length, 0);
		for (uint32_t i = 0; i < 2 * 7 * 3 * 4; i++) {
			uint32_t block = i % 2, access = 1 + i / 2 % 7, major = i / 14 % 3;
			uint32_t minor = i / 42 < 3 ? i / 42 : UINT32_MAX;
			struct bpf_cgroup_dev_ctx ctx = {
				access << 16 | (block ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR),
				major, minor};

			ck_assert_uint_eq(
				run_program(code, length, &ctx),
				decide(rules, count, block ? 'b' : 'c', access, major, minor));
		}
	}
	ck_assert_int_eq(lcx__cgroup_bpf_compile(NULL, 0, code, 3), -E2BIG);
}
END_TEST

static struct lcx_cgroup *make_v1_devices(const char *now)
{
	struct lcx_cgroup *cg;

	use_layout(V1_MOUNTS, "1:memory:/\n");
	cg = make("x");
	ck_assert_ok(lcx_cgroup_use(cg, "devices", NULL));
	put("d/x/devices.list", now);
	put("d/x/devices.allow", "");
	put("d/x/devices.deny", "");
	return cg;
}

START_TEST(version_1_is_changed_only_where_it_differs)
{
	struct lcx_cgroup *cg = make_v1_devices("c 1:3 rwm\nb 8:* rw\nc 5:1 r\n");

	ck_assert_ok(lcx_cgroup_device_rule(cg, 0, 'a', -1, -1, "rwm", NULL));
	ck_assert_ok(lcx_cgroup_device_rule(cg, 1, 'c', 1, 3, "rwm", NULL));
	ck_assert_ok(lcx_cgroup_device_rule(cg, 1, 'c', 5, 1, "rw", NULL));
	ck_assert_ok(lcx_cgroup_apply_devices(cg, NULL));
	ck_file("d/x/devices.allow", "c 5:1 w");
	ck_file("d/x/devices.deny", "b 8:* rw");
	lcx_cgroup_free(cg);
}
END_TEST

START_TEST(version_1_starts_from_everything_by_denying_it)
{
	struct lcx_cgroup *cg = make_v1_devices("a *:* rwm\n");

	ck_assert_ok(lcx_cgroup_device_rule(cg, 1, 'c', 1, 3, "r", NULL));
	ck_assert_ok(lcx_cgroup_apply_devices(cg, NULL));
	ck_file("d/x/devices.deny", "a");
	ck_file("d/x/devices.allow", "c 1:3 r");
	lcx_cgroup_free(cg);
}
END_TEST

START_TEST(version_1_refuses_a_hole_in_a_wider_rule)
{
	struct lcx_cgroup *cg = make_v1_devices("a *:* rwm\n");
	struct lcx_error *err = NULL;

	ck_assert_ok(lcx_cgroup_device_rule(cg, 1, 'c', -1, -1, "rw", NULL));
	ck_assert_ok(lcx_cgroup_device_rule(cg, 0, 'c', 1, 3, "w", NULL));
	ck_assert_fails(lcx_cgroup_apply_devices(cg, &err), EOPNOTSUPP, err, "c 1:3");
	ck_file("d/x/devices.deny", "");
	lcx_cgroup_free(cg);
}
END_TEST

/* --- statistics --- */

START_TEST(figures_come_from_the_files_and_the_rest_is_unknown)
{
	struct lcx_cgroup *cg = make_v2();
	struct lcx_cgroup_stats *stats = NULL;

	put("cg/x/cpu.stat", "usage_usec 1500\nuser_usec 1000\nnr_throttled 3\nthrottled_usec 2\n");
	put("cg/x/memory.current", "10000\n");
	put("cg/x/memory.max", "max\n");
	put("cg/x/memory.stat", "anon 1\ninactive_file 4000\nanon_thp 9\n");
	put("cg/x/io.stat", "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n8:16 rbytes=10 "
			    "wbytes=20 rios=30 wios=40 dbytes=0 dios=0\n");
	put("cg/x/cpu.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=7\n"
				 "full avg10=0.00 avg60=0.00 avg300=0.00 total=5\n");
	put("cg/x/pids.current", "garbage\n");
	ck_assert_ok(lcx_cgroup_stats_new(cg, &stats, NULL));
	lcx_cgroup_free(cg);
	ck_assert_int_eq(lcx_cgroup_stats_cpu_usage_ns(stats), 1500000);
	ck_assert_int_eq(lcx_cgroup_stats_cpu_user_ns(stats), 1000000);
	ck_assert_int_eq(lcx_cgroup_stats_cpu_system_ns(stats), -1);
	ck_assert_int_eq(lcx_cgroup_stats_cpu_throttled_periods(stats), 3);
	ck_assert_int_eq(lcx_cgroup_stats_cpu_throttled_ns(stats), 2000);
	ck_assert_int_eq(lcx_cgroup_stats_memory_usage_bytes(stats), 10000);
	ck_assert_int_eq(lcx_cgroup_stats_memory_limit_bytes(stats), INT64_MAX);
	ck_assert_int_eq(lcx_cgroup_stats_memory_working_set_bytes(stats), 6000);
	ck_assert_int_eq(lcx_cgroup_stats_memory_anon_bytes(stats), 1);
	ck_assert_int_eq(lcx_cgroup_stats_io_write_bytes(stats), 22);
	ck_assert_int_eq(lcx_cgroup_stats_io_read_ops(stats), 33);
	ck_assert_int_eq(lcx_cgroup_stats_stalled_ns(stats, LCX_CGROUP_PRESSURE_CPU, 1), 5000);
	ck_assert_int_eq(lcx_cgroup_stats_stalled_ns(stats, LCX_CGROUP_PRESSURE_IO, 0), -1);
	ck_assert_int_eq(lcx_cgroup_stats_stalled_ns(stats, 99, 0), -1);
	ck_assert_int_eq(lcx_cgroup_stats_pids_current(stats), -1);
	put("cg/x/memory.current", "20000\n");
	ck_assert_ok(lcx_cgroup_stats_read(stats, NULL));
	ck_assert_int_eq(lcx_cgroup_stats_memory_usage_bytes(stats), 20000);
	lcx_cgroup_stats_free(stats);
}
END_TEST

START_TEST(every_figure_has_a_name)
{
	struct lcx_cgroup *cg = make_v2();
	struct lcx_cgroup_figures *f = NULL;

	put("cg/x/cpu.stat", "usage_usec 1500\n");
	put("cg/x/memory.max", "max\n");
	put("cg/x/memory.stat", "anon 1\nnonsense\n x\n\nfile y\nshmem 9\n");
	put("cg/x/io.stat", "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6 cost=7\n"
			    "nothing rbytes=1\n254:16\n8:32 rbytes\n");
	put("cg/x/hugetlb.2MB.current", "4194304\n");
	put("cg/x/hugetlb.2MB.events", "max 3\n");
	ck_assert_ok(lcx_cgroup_figures_new(cg, &f, NULL));
	ck_assert_int_eq(lcx_cgroup_figures_get(f, "cpu.usage_ns"), 1500000);
	ck_assert_int_eq(lcx_cgroup_figures_get(f, "memory.limit_bytes"), INT64_MAX);
	ck_assert_int_eq(lcx_cgroup_figures_get(f, "memory.stat.shmem"), 9);
	ck_assert_int_eq(lcx_cgroup_figures_get(f, "memory.stat.file"), -1);
	ck_assert_int_eq(lcx_cgroup_figures_get(f, "io.8:0.discard_ops"), 6);
	ck_assert_int_eq(lcx_cgroup_figures_get(f, "io.8:32.read_bytes"), -1);
	ck_assert_int_eq(lcx_cgroup_figures_get(f, "hugetlb.2MB.usage_bytes"), 4194304);
	ck_assert_int_eq(lcx_cgroup_figures_get(f, "hugetlb.2MB.events.max"), 3);
	ck_assert_ptr_null(lcx_cgroup_figures_name(f, lcx_cgroup_figures_count(f)));
	lcx_cgroup_figures_free(f);
	lcx_cgroup_free(cg);
}
END_TEST

START_TEST(listing_reads_all_below)
{
	struct lcx_cgroup_pids *pids = NULL;
	struct lcx_cgroup *cg = make_v2();

	put("cg/x/cgroup.procs", "12\n0\n7\nx\n");
	ck_assert_ok(mkdirat(dir.fd, "cg/x/in", 0755));
	put("cg/x/in/cgroup.procs", "99999999999\n5\n");
	ck_assert_ok(lcx_cgroup_pids_new(cg, &pids, NULL));
	ck_assert_int_eq(lcx_cgroup_pids_next(pids), 12);
	ck_assert_int_eq(lcx_cgroup_pids_next(pids), 7);
	ck_assert_int_eq(lcx_cgroup_pids_next(pids), 5);
	ck_assert_int_eq(lcx_cgroup_pids_next(pids), 0);
	ck_assert_int_eq(lcx_cgroup_pids_next(pids), 0);
	lcx_cgroup_pids_free(pids);
	lcx_cgroup_free(cg);
}
END_TEST

START_TEST(very_deep_trees_are_listed_without_recursion)
{
	CLEANUP(closep) int at = -1;
	struct lcx_cgroup_pids *pids = NULL;
	struct lcx_cgroup *cg = make_v2();

	at = openat(dir.fd, "cg/x", O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 300; i++) {
		CLEANUP(closep) int procs = -1;
		int next;

		ck_assert_ok(mkdirat(at, "d", 0755));
		ck_assert_ok(mkdirat(at, "beside", 0755));
		next = openat(at, "d", O_DIRECTORY | O_CLOEXEC);
		closep(&at);
		at = next;
		procs = openat(at, "cgroup.procs", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		ck_assert_ok(lcx__write_all(procs, "5\n", 2));
	}
	put("cg/x/beside/cgroup.procs", "7\n");
	ck_assert_ok(lcx_cgroup_pids_new(cg, &pids, NULL));
	ck_assert_uint_eq(pids->count, 301);
	lcx_cgroup_pids_free(pids);
	lcx_cgroup_free(cg);
}
END_TEST

/* Where the caller is, and whether that is in "/a/b". */
static const struct {
	const char *root, *own;
	int in;
} places[] = {
	{"/", "/a/b", 1},   {"/", "/a/b/c", 1},    {"/", "/a/bc", 0},      {"/", "/a", 0},
	{"/", "/", 0},      {"/", "/../a/b", 0},   {"/r", "/r/a/b/c", 1},  {"/r", "/a/b", 0},
	{"/r", "/ra/b", 0}, {"/", NULL, -ENODATA}, {"/..", "/", -ENODATA},
};

START_TEST(a_process_is_in_a_cgroup_or_below_it)
{
	struct lcx__cgroup_layout l = {.count = 1, .hierarchies[0] = {.unified = true}};
	char root[8], text[64];

	(void)snprintf(root, sizeof(root), "%s", places[_i].root);
	(void)snprintf(text, sizeof(text), "1:pids:/a/b\n%s%s\n", places[_i].own ? "0::" : "",
		       places[_i].own ? places[_i].own : "");
	l.hierarchies[0].mount_root = root;
	ck_assert_int_eq(lcx__cgroup_layout_is_below(&l, 0, text, "/a/b"), places[_i].in);
}
END_TEST

START_TEST(destructors_take_null)
{
	ck_assert_ptr_null(lcx_cgroup_free(NULL));
	ck_assert_ptr_null(lcx_cgroup_pids_free(NULL));
	ck_assert_ptr_null(lcx_cgroup_watch_free(NULL));
	ck_assert_ptr_null(lcx_cgroup_stats_free(NULL));
	ck_assert_ptr_null(lcx_cgroup_figures_free(NULL));
}
END_TEST

#define LOOP(test, cases) tcase_add_loop_test(tc, test, 0, (int)ARRAY_SIZE(cases))

/* ---- properties of systemd's units ------------------------------------------ */

static const struct {
	const char *name, *text, *known_as;
	char type;
	size_t n; /* of a list; 0: a single one */
	double number;
	const char *last;
} properties[] = {
	{"SendSIGHUP", "true", "SendSIGHUP", 'b', 0, 1, NULL},
	{"SendSIGHUP", " false ", "SendSIGHUP", 'b', 0, 0, NULL},
	{"CPUWeight", "uint64 18446744073709551615", "CPUWeight", 't', 0, 1.8446744073709552e19,
	 NULL},
	{"CPUWeight", "@t 0x10", "CPUWeight", 't', 0, 16, NULL},
	{"Nice", "-5", "Nice", 'i', 0, -5, NULL},
	{"Nice", "int16 -32768", "Nice", 'n', 0, -32768, NULL},
	{"Share", "1.5e1", "Share", 'd', 0, 15, NULL},
	{"TimeoutStopSec", "90", "TimeoutStopUSec", 't', 0, 90e6, NULL},
	{"TimeoutStopSec", "double 0.5", "TimeoutStopUSec", 't', 0, 5e5, NULL},
	{"TimeoutStopUSec", "uint64 7", "TimeoutStopUSec", 't', 0, 7, NULL},
	{"CollectMode", "'it\\'s'", "CollectMode", 's', 0, 0, "it's"},
	{"CollectMode", "\"\"", "CollectMode", 's', 0, 0, ""},
	{"After", "['a', \"b c\" ,'d']", "After", 's', 3, 0, "d"},
	{"Numbers", "@au [1, 2,0xffffffff]", "Numbers", 'u', 3, 4294967295.0, NULL},
};

static double number_of(const struct lcx__unit_property *p)
{
	const union lcx__unit_value *value = &p->values[p->n - 1];

	return p->type == 'd'           ? value->real
	       : strchr("nix", p->type) ? (double)value->integer
					: (double)value->natural;
}

START_TEST(properties_are_read_with_their_types)
{
	struct lcx__unit_properties list = {0};
	const struct lcx__unit_property *p;

	ck_assert_ok(
		lcx__unit_properties_add(&list, properties[_i].name, properties[_i].text, NULL));
	ck_assert_uint_eq(list.n, 1);
	p = &list.items[0];
	ck_assert_str_eq(p->name, properties[_i].known_as);
	ck_assert_int_eq(p->type, properties[_i].type);
	ck_assert_int_eq(p->is_array, properties[_i].n > 0);
	ck_assert_uint_eq(p->n, p->is_array ? properties[_i].n : 1);
	if (p->type == 's')
		ck_assert_str_eq(p->values[p->n - 1].text, properties[_i].last);
	else
		ck_assert_double_eq(number_of(p), properties[_i].number);
	lcx__unit_properties_clear(&list);
}
END_TEST

static const char *const no_properties[][2] = {
	{"CPUWeight", ""},
	{"CPUWeight", "many"},
	{"CPUWeight", "uint64"},
	{"CPUWeight", "uint64 "},
	{"CPUWeight", "uint64 -1"},
	{"CPUWeight", "uint64 18446744073709551616"},
	{"CPUWeight", "byte 256"},
	{"CPUWeight", "2147483648"},
	{"CPUWeight", "int64 -9223372036854775809"},
	{"CPUWeight", "5 6"},
	{"CPUWeight", "5x"},
	{"CPUWeight", "trueish"},
	{"CPUWeight", "@z 5"},
	{"CPUWeight", "@at 5"},
	{"CPUWeight", "nan"},
	{"CPUWeight", "1e999"},
	{"After", "[]"},
	{"After", "['a'"},
	{"After", "['a',]"},
	{"After", "['a', 5]"},
	{"After", "[['a']]"},
	{"After", "'open"},
	{"After", "'bad \\q'"},
	{"After", "'a' 'b'"},
	{"After", "[true] x"},
	{"TimeoutStopSec", "'x'"},
	{"TimeoutStopSec", "-1"},
	{"TimeoutStopSec", "[5]"},
	{"Slice", "'x.slice'"},
	{"PIDs", "@au [1]"},
	{"Description", "'x'"},
	{"Delegate", "false"},
	{"lower", "5"},
	{"No-letters", "5"},
	{"Ab", "5"},
};

START_TEST(what_is_no_property_is_refused_by_its_annotation)
{
	struct lcx__unit_properties list = {0};
	struct lcx_error *err = NULL;

	ck_assert_fails(
		lcx__unit_properties_add(&list, no_properties[_i][0], no_properties[_i][1], &err),
		EINVAL, err, no_properties[_i][0]);
	ck_assert_uint_eq(list.n, 0);
	lcx__unit_properties_clear(&list);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cgroup");
	TCase *tc = tcase_create("cgroup");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, mounts_are_found_by_type_and_options);
	tcase_add_test(tc, without_the_unified_hierarchy_the_freezer_tracks);
	tcase_add_test(tc, without_any_mount_there_is_no_cgroup);
	LOOP(own_place_is_seen_through_the_mount, own_cases);
	LOOP(torn_lines_are_no_mounts, bad_mountinfo);
	LOOP(paths_have_no_tricks, path_cases);
	tcase_add_test(tc, second_create_reports_the_name);
	tcase_add_test(tc, destroy_takes_children_and_empty_parents_of_a_relative_path);
	tcase_add_test(tc, parents_that_others_made_or_need_stay);
	tcase_add_test(tc, a_leftover_in_another_hierarchy_is_not_taken_over);
	tcase_add_test(tc, very_deep_trees_are_removed_without_recursion);
	tcase_add_test(tc, a_symbolic_link_is_not_followed);
	tcase_add_test(tc, controllers_are_enabled_from_the_base_down);
	LOOP(limits_are_spelled_for_version_2, v2_cases);
	LOOP(limits_are_spelled_for_version_1, v1_cases);
	tcase_add_test(tc, weights_and_shares_meet_at_their_ends_and_defaults);
	tcase_add_test(tc, a_weight_is_what_libm_says);
	tcase_add_test(tc, named_limits_are_spelled_and_checked);
	LOOP(files_by_name_stay_in_the_cgroup_and_limit_only, bad_files);
	tcase_add_test(tc, oci_swap_is_memory_and_swap);
	tcase_add_test(tc, what_this_version_lacks_is_refused_by_name);
	tcase_add_test(tc, the_program_decides_as_the_list_reads);
	tcase_add_test(tc, version_1_is_changed_only_where_it_differs);
	tcase_add_test(tc, version_1_starts_from_everything_by_denying_it);
	tcase_add_test(tc, version_1_refuses_a_hole_in_a_wider_rule);
	tcase_add_test(tc, figures_come_from_the_files_and_the_rest_is_unknown);
	tcase_add_test(tc, every_figure_has_a_name);
	tcase_add_test(tc, listing_reads_all_below);
	tcase_add_test(tc, very_deep_trees_are_listed_without_recursion);
	LOOP(a_process_is_in_a_cgroup_or_below_it, places);
	tcase_add_test(tc, destructors_take_null);
	LOOP(properties_are_read_with_their_types, properties);
	LOOP(what_is_no_property_is_refused_by_its_annotation, no_properties);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
