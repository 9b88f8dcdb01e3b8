/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <sched.h>

#include "init/plan-internal.h"
#include "process/compile.h"
#include "security/lsm.h"
#include "spec/spec.h"

/* In place of security/lsm.c: every label is known here, whatever the kernel has. */
bool lcx__apparmor_is_enabled(void)
{
	return true;
}

const char *lcx__apparmor_missing(void)
{
	return NULL;
}

const char *lcx__selinux_missing(void)
{
	return NULL;
}

const char *lcx__apparmor_exec_file(void)
{
	return "/proc/self/attr/apparmor/exec";
}

static struct lcx_spec *spec;
static struct lcx__compiled compiled;
static const char *const args[] = {"true", NULL};
static const char *const layers[] = {"/layers/b", "/layers/a", NULL};

static void set_up(void)
{
	ck_assert_ok(lcx_spec_new(&spec, NULL));
	ck_assert_ok(lcx_spec_set_args(spec, args, NULL));
}

static void tear_down(void)
{
	spec = lcx_spec_free(spec);
	lcx__compiled_clear(&compiled);
}

static int compile(struct lcx_error **err)
{
	static const char filter[16];
	struct lcx__compile input = {
		.spec = spec,
		.layers = layers,
		.upper = "/upper",
		.work = "/work",
		.staging = "/staging",
		.cgroup_fd = -1,
		.mntns_fd = -1,
		.seccomp = filter,
		.seccomp_size = sizeof(filter),
	};

	return lcx__compile_start(&input, &compiled, err);
}

/* The place of the n-th operation with this code; -1 if there is none. */
static int find(enum plan_code code, int n)
{
	for (uint32_t i = 0; i < compiled.plan->n_ops; i++)
		if (compiled.plan->ops[i].code == code && n-- == 0)
			return (int)i;
	return -1;
}

static int last(enum plan_code code)
{
	int at = -1;

	for (int n = 0; find(code, n) >= 0; n++)
		at = find(code, n);
	return at;
}

START_TEST(the_order_is_what_the_kernel_and_security_demand)
{
	ck_assert_ok(lcx_spec_set_sysctl(spec, "net.ipv4.ip_unprivileged_port_start", "0", NULL));
	ck_assert_ok(compile(NULL));
	ck_assert_int_eq(find(PLAN_EXEC, 0), (int)compiled.plan->n_ops - 1);
	/* The host's mounts stop propagating before anything is mounted. */
	ck_assert_int_lt(find(PLAN_PROPAGATION, 0), find(PLAN_ROOT_OVERLAY, 0));
	ck_assert_int_lt(find(PLAN_ROOT_OVERLAY, 0), find(PLAN_MOUNT, 0));
	/* /proc/sys is the host's, and the network is there, when sysctls are set. */
	ck_assert_int_lt(last(PLAN_SYNC), find(PLAN_SYSCTL, 0));
	ck_assert_int_lt(find(PLAN_SYSCTL, 0), find(PLAN_PIVOT, 0));
	/* What is hidden is hidden before the container's root is the root. */
	ck_assert_int_ge(find(PLAN_MASK, 0), 0);
	ck_assert_int_lt(last(PLAN_MASK), find(PLAN_PIVOT, 0));
	ck_assert_int_lt(last(PLAN_READONLY), find(PLAN_PIVOT, 0));
	/* What may only be read is a copy on top: with the masks in it. */
	ck_assert_int_lt(last(PLAN_MASK), find(PLAN_READONLY, 0));
	/* Bounding set, then user, then the other sets. */
	ck_assert_int_lt(find(PLAN_CAP_BOUND, 0), last(PLAN_USER));
	ck_assert_int_lt(last(PLAN_USER), find(PLAN_CAPS, 0));
}
END_TEST

START_TEST(a_filter_comes_before_capabilities_go_or_else_last)
{
	ck_assert_ok(compile(NULL));
	ck_assert_int_lt(find(PLAN_SECCOMP, 0), last(PLAN_USER));
	ck_assert_int_eq(find(PLAN_NO_NEW_PRIVS, 0), -1);
	lcx__compiled_clear(&compiled);

	ck_assert_ok(lcx_spec_set_no_new_privileges(spec, 1, NULL));
	ck_assert_ok(compile(NULL));
	ck_assert_int_lt(find(PLAN_NO_NEW_PRIVS, 0), find(PLAN_SECCOMP, 0));
	ck_assert_int_lt(find(PLAN_CAPS, 0), find(PLAN_SECCOMP, 0));
	ck_assert_int_eq(find(PLAN_SECCOMP, 1), -1);
}
END_TEST

START_TEST(a_read_only_root_is_made_so_after_all_mounts)
{
	ck_assert_ok(lcx_spec_set_root_readonly(spec, 1, NULL));
	ck_assert_ok(compile(NULL));
	ck_assert_int_gt(last(PLAN_REMOUNT), last(PLAN_MOUNT));
	ck_assert_int_gt(last(PLAN_REMOUNT), last(PLAN_MKNOD));
	ck_assert_int_lt(last(PLAN_REMOUNT), find(PLAN_PIVOT, 0));
}
END_TEST

START_TEST(new_namespaces_are_cloned_but_for_two)
{
	ck_assert_ok(compile(NULL));
	ck_assert_uint_eq(compiled.clone_flags,
			  CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS);
	/* The cgroup namespace is rooted where the process is: only after it has joined. */
	ck_assert_int_ge(find(PLAN_UNSHARE, 0), 0);
	ck_assert_uint_eq(compiled.plan->ops[find(PLAN_UNSHARE, 0)].num[0], CLONE_NEWCGROUP);
}
END_TEST

START_TEST(a_process_that_joins_is_hidden_before)
{
	ck_assert_ok(lcx_spec_join_namespace(spec, "ipc", "/proc/self/ns/ipc", NULL));
	ck_assert_ok(lcx_spec_join_namespace(spec, "pid", "/proc/self/ns/pid", NULL));
	ck_assert_ok(compile(NULL));
	ck_assert_int_lt(find(PLAN_NONDUMPABLE, 0), find(PLAN_SETNS, 0));
	ck_assert_int_lt(find(PLAN_SETNS, 1), find(PLAN_ENTER, 0));
	ck_assert_uint_eq(compiled.clone_flags & (CLONE_NEWPID | CLONE_NEWIPC), 0);
}
END_TEST

START_TEST(what_is_new_belongs_to_users_that_are_joined)
{
	ck_assert_ok(lcx_spec_join_namespace(spec, "user", "/proc/self/ns/user", NULL));
	ck_assert_ok(lcx_spec_join_namespace(spec, "ipc", "/proc/self/ns/ipc", NULL));
	ck_assert_ok(compile(NULL));
	ck_assert_uint_eq(compiled.clone_flags, 0);
	ck_assert_uint_eq(compiled.plan->ops[find(PLAN_UNSHARE, 0)].num[0],
			  CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS);
	ck_assert_int_lt(last(PLAN_SETNS), find(PLAN_UNSHARE, 0));
	/* Who is nobody in there yet may own nothing. */
	ck_assert_int_lt(find(PLAN_UNSHARE, 0), find(PLAN_USER, 0));
	ck_assert_int_lt(find(PLAN_USER, 0), find(PLAN_ENTER, 0));
	ck_assert_int_lt(find(PLAN_ENTER, 0), find(PLAN_ROOT_OVERLAY, 0));
}
END_TEST

START_TEST(without_a_mount_namespace_all_mounts_are_a_builders)
{
	ck_assert_ok(lcx_spec_remove_namespace(spec, "mount", NULL));
	ck_assert_ok(lcx_spec_set_terminal(spec, 1, NULL));
	ck_assert_ok(compile(NULL));
	ck_assert_uint_eq(compiled.clone_flags & CLONE_NEWNS, 0);
	ck_assert_int_lt(find(PLAN_BUILD, 0), find(PLAN_PROPAGATION, 0));
	for (int code = PLAN_PROPAGATION; code <= PLAN_REMOUNT; code++)
		if (code != PLAN_ENTER_ROOT && code != PLAN_BUILD && code != PLAN_BUILT &&
		    find((enum plan_code)code, 0) >= 0) {
			ck_assert_int_lt(find(PLAN_BUILD, 0), find((enum plan_code)code, 0));
			ck_assert_int_lt(last((enum plan_code)code), find(PLAN_BUILT, 0));
		}
	ck_assert_int_eq(find(PLAN_BUILT, 0) + 1, find(PLAN_ENTER_ROOT, 0));
	ck_assert_int_eq(find(PLAN_PIVOT, 0), -1);
	ck_assert_int_lt(find(PLAN_TERMINAL, 0), find(PLAN_CONTROL, 0));
	ck_assert_int_lt(find(PLAN_ENTER_ROOT, 0), find(PLAN_CONTROL, 0));
}
END_TEST

/* What stands between BUILD and BUILT is done by another process, which ends. */
static const enum plan_code of_a_builder[] = {
	PLAN_PROPAGATION, PLAN_ROOT_OVERLAY, PLAN_ROOT_BIND, PLAN_ROOT_TREE,  PLAN_MOUNT,
	PLAN_BIND,        PLAN_TARGET,       PLAN_MKNOD,     PLAN_SYMLINK,    PLAN_MASK,
	PLAN_READONLY,    PLAN_REMOUNT,      PLAN_TERMINAL,  PLAN_SYNC,       PLAN_HOOK,
	PLAN_SYSCTL,      PLAN_HOSTNAME,     PLAN_DOMAINNAME,
};

static bool is_of_a_builder(enum plan_code code)
{
	for (size_t i = 0; i < ARRAY_SIZE(of_a_builder); i++)
		if (of_a_builder[i] == code)
			return true;
	return false;
}

static void ask_for_all_of_a_process(void)
{
	ck_assert_ok(lcx_spec_set_apparmor_profile(spec, "profile", NULL));
	ck_assert_ok(lcx_spec_set_selinux_label(spec, "u:r:t:s0", NULL));
	ck_assert_ok(lcx_spec_set_umask(spec, 077, NULL));
	ck_assert_ok(lcx_spec_set_no_new_privileges(spec, 1, NULL));
	ck_assert_ok(lcx_spec_set_oom_score_adj(spec, 100, NULL));
	ck_assert_ok(lcx_spec_set_coredump_filter(spec, 1, NULL));
	ck_assert_ok(lcx_spec_set_scheduler(spec, "SCHED_BATCH", 0, 0, NULL));
	ck_assert_ok(lcx_spec_set_io_priority(spec, "IOPRIO_CLASS_IDLE", 0, NULL));
	ck_assert_ok(lcx_spec_set_memory_policy(spec, "MPOL_BIND", "0", NULL));
	ck_assert_ok(lcx_spec_set_personality(spec, "LINUX32", NULL));
	ck_assert_ok(lcx_spec_set_timer_slack(spec, 1000, NULL));
	ck_assert_ok(lcx_spec_add_rlimit(spec, "NOFILE", 64, 64, NULL));
	ck_assert_ok(lcx_spec_add_landlock(spec, "ro=/", NULL));
	ck_assert_ok(lcx_spec_set_root_readonly(spec, 1, NULL));
	ck_assert_ok(lcx_spec_set_terminal(spec, 1, NULL));
	ck_assert_ok(lcx_spec_set_sysctl(spec, "net.core.somaxconn", "1", NULL));
	ck_assert_ok(lcx_spec_add_hook(spec, "createContainer", "/bin/true", NULL, NULL, 0, NULL));
	ck_assert_ok(lcx_spec_add_hook(spec, "startContainer", "/bin/true", NULL, NULL, 0, NULL));
}

START_TEST(a_builder_takes_nothing_that_is_the_process_own)
{
	ask_for_all_of_a_process();
	ck_assert_ok(lcx_spec_remove_namespace(spec, "mount", NULL));
	ck_assert_ok(compile(NULL));
	for (int i = find(PLAN_BUILD, 0) + 1; i < find(PLAN_BUILT, 0); i++)
		ck_assert_msg(is_of_a_builder((enum plan_code)compiled.plan->ops[i].code),
			      "operation %d between BUILD and BUILT", compiled.plan->ops[i].code);
	ck_assert_int_eq(find(PLAN_LABEL, 1), find(PLAN_BUILT, 0) + 1);
}
END_TEST

/* Programs of the host's come before the labels of the next program, and those of images after. */
START_TEST(labels_are_set_last_by_the_proc_of_the_host)
{
	ask_for_all_of_a_process();
	ck_assert_ok(compile(NULL));
	ck_assert_int_lt(find(PLAN_LABEL, 0), find(PLAN_KEYRING, 0));
	ck_assert_int_lt(find(PLAN_HOOK, 0), find(PLAN_LABEL, 1));
	ck_assert_int_eq(last(PLAN_LABEL), find(PLAN_PIVOT, 0) - 1);
	ck_assert_int_gt(find(PLAN_HOOK, 1), last(PLAN_LABEL));
	lcx__compiled_clear(&compiled);

	ck_assert_ok(lcx_spec_remove_namespace(spec, "mount", NULL));
	ck_assert_ok(compile(NULL));
	ck_assert_int_lt(find(PLAN_HOOK, 0), find(PLAN_LABEL, 1));
	ck_assert_int_eq(last(PLAN_LABEL), find(PLAN_ENTER_ROOT, 0) - 1);
	ck_assert_int_gt(find(PLAN_HOOK, 1), last(PLAN_LABEL));
}
END_TEST

START_TEST(no_command_is_an_error_in_words)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;

	ck_assert_ok(lcx_spec_set_args(spec, (const char *const[]){NULL}, NULL));
	ck_assert_fails(compile(&err), EINVAL, err, "no command");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("compile");
	TCase *tc = tcase_create("start");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, the_order_is_what_the_kernel_and_security_demand);
	tcase_add_test(tc, a_filter_comes_before_capabilities_go_or_else_last);
	tcase_add_test(tc, a_read_only_root_is_made_so_after_all_mounts);
	tcase_add_test(tc, new_namespaces_are_cloned_but_for_two);
	tcase_add_test(tc, a_process_that_joins_is_hidden_before);
	tcase_add_test(tc, what_is_new_belongs_to_users_that_are_joined);
	tcase_add_test(tc, without_a_mount_namespace_all_mounts_are_a_builders);
	tcase_add_test(tc, a_builder_takes_nothing_that_is_the_process_own);
	tcase_add_test(tc, labels_are_set_last_by_the_proc_of_the_host);
	tcase_add_test(tc, no_command_is_an_error_in_words);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
