/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <sys/stat.h>

#include "bpf.h"
#include "lcx/version.h"
#include "security/seccomp-arch.h"
#include "security/seccomp-tree.h"
#include "security/seccomp.h"

/*
 * The filters are run by a small interpreter, so that what the kernel would decide is
 * seen without asking it. Numbers are those of x86-64: the tables below hold on any
 * machine, since a filter says what it does to calls of that architecture, if it was compiled with
 * it.
 */

#define ALLOW      ((uint32_t)LCX__ACT_ALLOW)
#define DENY(code) ((uint32_t)LCX__ACT_ERRNO | (code))
#define CAP(x)     (UINT64_C(1) << CAP_##x)
#define X32        0x40000000

static struct unit_dir dir;

static void set_up(void)
{
	unit_dir_make(&dir);
}

static void tear_down(void)
{
	unit_dir_remove(&dir);
}

static bool can_compile(void)
{
	return lcx_has_feature("seccomp") == 1 &&
	       strcmp(lcx__arch_native()->oci_name, "SCMP_ARCH_X86_64") == 0;
}

static void compile(const struct lcx_seccomp *profile, uint64_t caps,
		    struct lcx__seccomp_filter *filter)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	int r = lcx__seccomp_compile(profile, caps, filter, &err);

	ck_assert_msg(r == 0, "%s", lcx_error_message(err));
}

static void compile_json(const char *text, uint64_t caps, struct lcx__seccomp_filter *filter)
{
	CLEANUP(lcx_seccomp_freep) struct lcx_seccomp *profile = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	int r = lcx_seccomp_from_json(text, strlen(text), &profile, &err);

	ck_assert_msg(r == 0, "%s", lcx_error_message(err));
	compile(profile, caps, filter);
}

static uint32_t run(const struct lcx__seccomp_filter *filter, uint32_t arch, int number,
		    uint64_t arg0, uint64_t arg1)
{
	struct seccomp_data data = {.nr = number, .arch = arch, .args = {arg0, arg1}};

	return bpf_run(filter->bpf, filter->size, &data);
}

static uint32_t run64(const struct lcx__seccomp_filter *filter, int number, uint64_t arg0)
{
	return run(filter, AUDIT_ARCH_X86_64, number, arg0, 0);
}

/* ---- the default profile ------------------------------------------------------- */

#define NEW_NAMESPACES 0x7e020000

static const struct {
	const char *name;
	uint32_t arch;
	int number;
	uint64_t arg0;
	uint32_t by_default, with; /* what it gets; with the capability */
	uint64_t capability;
} default_cases[] = {
	{"read", AUDIT_ARCH_X86_64, 0, 0, ALLOW, ALLOW, 0},
	{"write", AUDIT_ARCH_X86_64, 1, 0, ALLOW, ALLOW, 0},
	{"mmap", AUDIT_ARCH_X86_64, 9, 0, ALLOW, ALLOW, 0},
	{"ioctl", AUDIT_ARCH_X86_64, 16, 0, ALLOW, ALLOW, 0},
	{"execve", AUDIT_ARCH_X86_64, 59, 0, ALLOW, ALLOW, 0},
	{"fork", AUDIT_ARCH_X86_64, 57, 0, ALLOW, ALLOW, 0},
	{"exit_group", AUDIT_ARCH_X86_64, 231, 0, ALLOW, ALLOW, 0},
	{"openat2", AUDIT_ARCH_X86_64, 437, 0, ALLOW, ALLOW, 0},
	{"close_range", AUDIT_ARCH_X86_64, 436, 0, ALLOW, ALLOW, 0},
	{"landlock_create_ruleset", AUDIT_ARCH_X86_64, 444, 0, ALLOW, ALLOW, 0},
	{"memfd_secret", AUDIT_ARCH_X86_64, 447, 0, ALLOW, ALLOW, 0},
	{"arch_prctl", AUDIT_ARCH_X86_64, 158, 0, ALLOW, ALLOW, 0},
	{"modify_ldt", AUDIT_ARCH_X86_64, 154, 0, ALLOW, ALLOW, 0},
	{"uretprobe", AUDIT_ARCH_X86_64, 335, 0, ALLOW, ALLOW, 0},
	{"cachestat, newer than libseccomp 2.5", AUDIT_ARCH_X86_64, 451, 0, ALLOW, ALLOW, 0},
	{"fchmodat2", AUDIT_ARCH_X86_64, 452, 0, ALLOW, ALLOW, 0},
	{"mseal", AUDIT_ARCH_X86_64, 462, 0, ALLOW, ALLOW, 0},
	{"removexattrat", AUDIT_ARCH_X86_64, 466, 0, ALLOW, ALLOW, 0},
	{"ptrace", AUDIT_ARCH_X86_64, 101, 0, ALLOW, ALLOW, 0},

	{"mount", AUDIT_ARCH_X86_64, 165, 0, DENY(EPERM), ALLOW, CAP(SYS_ADMIN)},
	{"umount2", AUDIT_ARCH_X86_64, 166, 0, DENY(EPERM), ALLOW, CAP(SYS_ADMIN)},
	{"unshare", AUDIT_ARCH_X86_64, 272, 0, DENY(EPERM), ALLOW, CAP(SYS_ADMIN)},
	{"setns", AUDIT_ARCH_X86_64, 308, 0, DENY(EPERM), ALLOW, CAP(SYS_ADMIN)},
	{"fsopen", AUDIT_ARCH_X86_64, 430, 0, DENY(EPERM), ALLOW, CAP(SYS_ADMIN)},
	{"open_tree", AUDIT_ARCH_X86_64, 428, 0, DENY(EPERM), ALLOW, CAP(SYS_ADMIN)},
	{"mount_setattr", AUDIT_ARCH_X86_64, 442, 0, DENY(EPERM), ALLOW, CAP(SYS_ADMIN)},
	{"sethostname", AUDIT_ARCH_X86_64, 170, 0, DENY(EPERM), ALLOW, CAP(SYS_ADMIN)},
	{"quotactl", AUDIT_ARCH_X86_64, 179, 0, DENY(EPERM), ALLOW, CAP(SYS_ADMIN)},
	{"lsm_list_modules", AUDIT_ARCH_X86_64, 461, 0, DENY(EPERM), ALLOW, CAP(SYS_ADMIN)},
	{"bpf", AUDIT_ARCH_X86_64, 321, 0, DENY(EPERM), ALLOW, CAP(BPF)},
	{"perf_event_open", AUDIT_ARCH_X86_64, 298, 0, DENY(EPERM), ALLOW, CAP(PERFMON)},
	{"syslog", AUDIT_ARCH_X86_64, 103, 0, DENY(EPERM), ALLOW, CAP(SYSLOG)},
	{"reboot", AUDIT_ARCH_X86_64, 169, 0, DENY(EPERM), ALLOW, CAP(SYS_BOOT)},
	{"init_module", AUDIT_ARCH_X86_64, 175, 0, DENY(EPERM), ALLOW, CAP(SYS_MODULE)},
	{"finit_module", AUDIT_ARCH_X86_64, 313, 0, DENY(EPERM), ALLOW, CAP(SYS_MODULE)},
	{"acct", AUDIT_ARCH_X86_64, 163, 0, DENY(EPERM), ALLOW, CAP(SYS_PACCT)},
	{"kcmp", AUDIT_ARCH_X86_64, 312, 0, DENY(EPERM), ALLOW, CAP(SYS_PTRACE)},
	{"pidfd_getfd", AUDIT_ARCH_X86_64, 438, 0, DENY(EPERM), ALLOW, CAP(SYS_PTRACE)},
	{"iopl", AUDIT_ARCH_X86_64, 172, 0, DENY(EPERM), ALLOW, CAP(SYS_RAWIO)},
	{"settimeofday", AUDIT_ARCH_X86_64, 164, 0, DENY(EPERM), ALLOW, CAP(SYS_TIME)},
	{"clock_settime", AUDIT_ARCH_X86_64, 227, 0, DENY(EPERM), ALLOW, CAP(SYS_TIME)},
	{"vhangup", AUDIT_ARCH_X86_64, 153, 0, DENY(EPERM), ALLOW, CAP(SYS_TTY_CONFIG)},
	{"mbind", AUDIT_ARCH_X86_64, 237, 0, DENY(EPERM), ALLOW, CAP(SYS_NICE)},
	{"open_by_handle_at", AUDIT_ARCH_X86_64, 304, 0, DENY(EPERM), ALLOW, CAP(DAC_READ_SEARCH)},
	{"chroot, a default capability", AUDIT_ARCH_X86_64, 161, 0, ALLOW, ALLOW, CAP(SYS_CHROOT)},

	{"kexec_load", AUDIT_ARCH_X86_64, 246, 0, DENY(EPERM), DENY(EPERM), CAP(SYS_BOOT)},
	{"add_key", AUDIT_ARCH_X86_64, 248, 0, DENY(EPERM), DENY(EPERM), CAP(SYS_ADMIN)},
	{"keyctl", AUDIT_ARCH_X86_64, 250, 0, DENY(EPERM), DENY(EPERM), CAP(SYS_ADMIN)},
	{"userfaultfd", AUDIT_ARCH_X86_64, 323, 0, DENY(EPERM), DENY(EPERM), CAP(SYS_PTRACE)},
	{"io_uring_setup", AUDIT_ARCH_X86_64, 425, 0, DENY(EPERM), DENY(EPERM), CAP(SYS_ADMIN)},
	{"swapon", AUDIT_ARCH_X86_64, 167, 0, DENY(EPERM), DENY(EPERM), CAP(SYS_ADMIN)},
	{"pivot_root", AUDIT_ARCH_X86_64, 155, 0, DENY(EPERM), DENY(EPERM), CAP(SYS_ADMIN)},
	{"nfsservctl", AUDIT_ARCH_X86_64, 180, 0, DENY(EPERM), DENY(EPERM), 0},

	{"clone of a thread", AUDIT_ARCH_X86_64, 56, 0x3d0f00, ALLOW, ALLOW, CAP(SYS_ADMIN)},
	{"clone of a process", AUDIT_ARCH_X86_64, 56, 17, ALLOW, ALLOW, CAP(SYS_ADMIN)},
	{"clone NEWUSER", AUDIT_ARCH_X86_64, 56, 0x10000011, DENY(EPERM), ALLOW, CAP(SYS_ADMIN)},
	{"clone NEWNS", AUDIT_ARCH_X86_64, 56, 0x00020011, DENY(EPERM), ALLOW, CAP(SYS_ADMIN)},
	{"clone NEWCGROUP", AUDIT_ARCH_X86_64, 56, 0x02000000, DENY(EPERM), ALLOW, CAP(SYS_ADMIN)},
	{"clone of all", AUDIT_ARCH_X86_64, 56, NEW_NAMESPACES, DENY(EPERM), ALLOW, CAP(SYS_ADMIN)},
	{"clone with bits above", AUDIT_ARCH_X86_64, 56, UINT64_C(0x100000000) | 0x10000000,
	 DENY(EPERM), ALLOW, CAP(SYS_ADMIN)},
	{"clone3", AUDIT_ARCH_X86_64, 435, 0, DENY(ENOSYS), ALLOW, CAP(SYS_ADMIN)},

	{"personality: ask", AUDIT_ARCH_X86_64, 135, 0xffffffff, ALLOW, ALLOW, 0},
	{"personality LINUX", AUDIT_ARCH_X86_64, 135, 0, ALLOW, ALLOW, 0},
	{"personality LINUX32", AUDIT_ARCH_X86_64, 135, 8, ALLOW, ALLOW, 0},
	{"personality UNAME26", AUDIT_ARCH_X86_64, 135, 0x20000, ALLOW, ALLOW, 0},
	{"personality NO_RANDOMIZE", AUDIT_ARCH_X86_64, 135, 0x40000, DENY(EPERM), DENY(EPERM), 0},
	{"personality READ_IMPLIES_EXEC", AUDIT_ARCH_X86_64, 135, 0x400000, DENY(EPERM),
	 DENY(EPERM), CAP(SYS_ADMIN)},

	{"socket UNIX", AUDIT_ARCH_X86_64, 41, 1, ALLOW, ALLOW, 0},
	{"socket INET", AUDIT_ARCH_X86_64, 41, 2, ALLOW, ALLOW, 0},
	{"socket NETLINK", AUDIT_ARCH_X86_64, 41, 16, ALLOW, ALLOW, 0},
	{"socket 37", AUDIT_ARCH_X86_64, 41, 37, ALLOW, ALLOW, 0},
	{"socket ALG", AUDIT_ARCH_X86_64, 41, 38, DENY(EPERM), DENY(EPERM), CAP(SYS_ADMIN)},
	{"socket NFC", AUDIT_ARCH_X86_64, 41, 39, ALLOW, ALLOW, 0},
	{"socket VSOCK", AUDIT_ARCH_X86_64, 41, 40, DENY(EPERM), DENY(EPERM), CAP(SYS_ADMIN)},
	{"socket 41", AUDIT_ARCH_X86_64, 41, 41, ALLOW, ALLOW, 0},
	{"socket XDP", AUDIT_ARCH_X86_64, 41, 44, ALLOW, ALLOW, 0},
	{"socket MCTP", AUDIT_ARCH_X86_64, 41, 45, ALLOW, ALLOW, 0},
	{"socket VSOCK with bits above", AUDIT_ARCH_X86_64, 41, UINT64_C(0x100000028), DENY(EPERM),
	 DENY(EPERM), 0},
	{"socket ALG with bits above", AUDIT_ARCH_X86_64, 41, UINT64_C(0xffffffff00000026),
	 DENY(EPERM), DENY(EPERM), 0},

	/* Programs of 32 bits, and x32, by the same rules. */
	{"i386 read", AUDIT_ARCH_I386, 3, 0, ALLOW, ALLOW, 0},
	{"i386 mount", AUDIT_ARCH_I386, 21, 0, DENY(EPERM), ALLOW, CAP(SYS_ADMIN)},
	{"i386 clone NEWUSER", AUDIT_ARCH_I386, 120, 0x10000011, DENY(EPERM), ALLOW,
	 CAP(SYS_ADMIN)},
	{"i386 fchmodat2", AUDIT_ARCH_I386, 452, 0, ALLOW, ALLOW, 0},
	{"x32 read", AUDIT_ARCH_X86_64, X32 + 0, 0, ALLOW, ALLOW, 0},
	{"x32 mount", AUDIT_ARCH_X86_64, X32 + 165, 0, DENY(EPERM), ALLOW, CAP(SYS_ADMIN)},
	{"x32 cachestat", AUDIT_ARCH_X86_64, X32 + 451, 0, ALLOW, ALLOW, 0},

	/* What nobody knows yet does not exist, so that C libraries fall back. */
	{"unknown", AUDIT_ARCH_X86_64, 470, 0, DENY(ENOSYS), DENY(ENOSYS), CAP(SYS_ADMIN)},
	{"unknown", AUDIT_ARCH_X86_64, 999, 0, DENY(ENOSYS), DENY(ENOSYS), 0},
	{"i386 unknown", AUDIT_ARCH_I386, 999, 0, DENY(ENOSYS), DENY(ENOSYS), 0},
	{"x32 unknown", AUDIT_ARCH_X86_64, X32 + 999, 0, DENY(ENOSYS), DENY(ENOSYS), 0},

	/* Another architecture's calls mean something else. */
	{"foreign", AUDIT_ARCH_AARCH64, 63, 0, LCX__ACT_KILL_THREAD, LCX__ACT_KILL_THREAD, 0},
};

START_TEST(the_default_profile_decides_as_docker)
{
	CLEANUP(lcx_seccomp_freep) struct lcx_seccomp *profile = NULL;

	if (!can_compile())
		return;
	ck_assert_ok(lcx_seccomp_default(&profile, NULL));
	for (size_t i = 0; i < ARRAY_SIZE(default_cases); i++) {
		uint64_t caps = lcx_capability_default_mask();
		static struct lcx__seccomp_filter plain;
		struct lcx__seccomp_filter more = {0};
		uint32_t got;

		if (!plain.bpf)
			compile(profile, caps, &plain);
		got = run(&plain, default_cases[i].arch, default_cases[i].number,
			  default_cases[i].arg0, 0);
		ck_assert_msg(got == default_cases[i].by_default, "%s: %#x, not %#x",
			      default_cases[i].name, got, default_cases[i].by_default);
		if (!default_cases[i].capability)
			continue;
		compile(profile, caps | default_cases[i].capability, &more);
		got = run(&more, default_cases[i].arch, default_cases[i].number,
			  default_cases[i].arg0, 0);
		free(more.bpf);
		ck_assert_msg(got == default_cases[i].with, "%s with its capability: %#x, not %#x",
			      default_cases[i].name, got, default_cases[i].with);
	}
}
END_TEST

START_TEST(no_capability_allows_less)
{
	CLEANUP(lcx_seccomp_freep) struct lcx_seccomp *profile = NULL;
	struct lcx__seccomp_filter filter = {0};

	if (!can_compile())
		return;
	ck_assert_ok(lcx_seccomp_default(&profile, NULL));
	compile(profile, 0, &filter);
	ck_assert_uint_eq(run64(&filter, 161, 0), DENY(EPERM)); /* chroot */
	ck_assert_uint_eq(run64(&filter, 0, 0), ALLOW);
	free(filter.bpf);
}
END_TEST

/* ---- changes ------------------------------------------------------------------- */

START_TEST(single_calls_can_be_allowed_and_denied)
{
	CLEANUP(lcx_seccomp_freep) struct lcx_seccomp *profile = NULL, *copy = NULL;
	struct lcx__seccomp_filter filter = {0};
	struct lcx_error *err = NULL;

	ck_assert_ok(lcx_seccomp_default(&profile, NULL));
	ck_assert_ok(lcx_seccomp_allow(profile, "keyctl", NULL));
	ck_assert_ok(lcx_seccomp_allow(profile, "socket", NULL));
	ck_assert_ok(lcx_seccomp_deny(profile, "mkdir", ENOSYS, NULL));
	ck_assert_ok(lcx_seccomp_deny(profile, "fchmodat2", ENOSYS, NULL));
	ck_assert_fails(lcx_seccomp_allow(profile, "Read ", &err), EINVAL, err, "'Read '");
	ck_assert_fails(lcx_seccomp_allow(profile, "", &err), EINVAL, err, "");
	ck_assert_fails(lcx_seccomp_deny(profile, "mkdir", 0, &err), EINVAL, err, "'mkdir'");
	ck_assert_fails(lcx_seccomp_deny(profile, "mkdir", 4096, &err), EINVAL, err, "4096");
	ck_assert_ok(lcx_seccomp_dup(profile, &copy, NULL));
	if (!can_compile())
		return;
	compile(copy, 0, &filter);
	ck_assert_uint_eq(run64(&filter, 250, 0), ALLOW);
	ck_assert_uint_eq(run64(&filter, 41, 40), ALLOW);
	ck_assert_uint_eq(run64(&filter, 83, 0), DENY(ENOSYS));
	ck_assert_uint_eq(run64(&filter, 452, 0), DENY(ENOSYS));
	ck_assert_uint_eq(run64(&filter, 451, 0), ALLOW);
	free(filter.bpf);
}
END_TEST

/* ---- profiles out of files ----------------------------------------------------- */

START_TEST(a_deny_list_lets_the_rest_through)
{
	struct lcx__seccomp_filter filter = {0};

	if (!can_compile())
		return;
	compile_json("{\"defaultAction\": \"SCMP_ACT_ALLOW\","
		     " \"architectures\": [\"SCMP_ARCH_X86_64\"], \"syscalls\": ["
		     " {\"names\": [\"mkdir\", \"cachestat\"], \"action\": \"SCMP_ACT_ERRNO\","
		     "  \"errnoRet\": 30},"
		     " {\"names\": [\"chmod\"], \"action\": \"SCMP_ACT_KILL_PROCESS\"},"
		     " {\"names\": [\"kill\"], \"action\": \"SCMP_ACT_ERRNO\","
		     "  \"args\": [{\"index\": 0, \"value\": 1, \"op\": \"SCMP_CMP_EQ\"}]}]}",
		     0, &filter);
	ck_assert_uint_eq(run64(&filter, 0, 0), ALLOW);
	ck_assert_uint_eq(run64(&filter, 83, 0), DENY(EROFS));
	ck_assert_uint_eq(run64(&filter, 451, 0), DENY(EROFS));
	ck_assert_uint_eq(run64(&filter, 90, 0), LCX__ACT_KILL_PROCESS);
	ck_assert_uint_eq(run64(&filter, 62, 1), DENY(EPERM));
	ck_assert_uint_eq(run64(&filter, 62, 2), ALLOW);
	ck_assert_uint_eq(run64(&filter, 999, 0), ALLOW);
	/* x32 was not asked for: it stays closed, not "unknown". */
	ck_assert_uint_eq(run64(&filter, X32 + 0, 0), LCX__ACT_KILL_THREAD);
	free(filter.bpf);
}
END_TEST

START_TEST(conditions_of_docker_profiles_are_kept)
{
	static const char text[] =
		"{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 13,"
		" \"archMap\": [{\"architecture\": \"SCMP_ARCH_X86_64\", \"subArchitectures\": "
		"null}],"
		" \"syscalls\": ["
		" {\"name\": \"read\", \"action\": \"SCMP_ACT_ALLOW\", \"args\": null},"
		" {\"names\": [\"mkdir\"], \"action\": \"SCMP_ACT_ALLOW\","
		"  \"includes\": {\"caps\": [\"CAP_CHOWN\", \"CAP_KILL\"]}},"
		" {\"names\": [\"rmdir\"], \"action\": \"SCMP_ACT_ALLOW\","
		"  \"excludes\": {\"caps\": [\"CAP_CHOWN\", \"CAP_KILL\"]}},"
		" {\"names\": [\"chmod\"], \"action\": \"SCMP_ACT_ALLOW\","
		"  \"includes\": {\"arches\": [\"amd64\"], \"minKernel\": \"4.8\"}},"
		" {\"names\": [\"chown\"], \"action\": \"SCMP_ACT_ALLOW\","
		"  \"includes\": {\"arches\": [\"s390x\"]}},"
		" {\"names\": [\"link\"], \"action\": \"SCMP_ACT_ALLOW\","
		"  \"includes\": {\"minKernel\": \"99.0\"}},"
		" {\"names\": [\"umask\"], \"action\": \"SCMP_ACT_ALLOW\","
		"  \"includes\": {\"caps\": [\"CAP_OF_THE_FUTURE\"]}},"
		" {\"names\": [\"of_the_future\"], \"action\": \"SCMP_ACT_ALLOW\"}]}";
	struct lcx__seccomp_filter none = {0}, one = {0}, both = {0};

	if (!can_compile())
		return;
	compile_json(text, 0, &none);
	compile_json(text, CAP(CHOWN), &one);
	compile_json(text, CAP(CHOWN) | CAP(KILL), &both);
	ck_assert_uint_eq(run64(&none, 0, 0), ALLOW);
	ck_assert_uint_eq(run64(&none, 83, 0), DENY(EACCES));
	ck_assert_uint_eq(run64(&one, 83, 0), DENY(EACCES));
	ck_assert_uint_eq(run64(&both, 83, 0), ALLOW);
	ck_assert_uint_eq(run64(&none, 84, 0), ALLOW);
	ck_assert_uint_eq(run64(&one, 84, 0), DENY(EACCES));
	ck_assert_uint_eq(run64(&none, 90, 0), ALLOW);
	ck_assert_uint_eq(run64(&none, 92, 0), DENY(ENOSYS)); /* beyond the highest, 90 */
	ck_assert_uint_eq(run64(&none, 86, 0), DENY(EACCES));
	ck_assert_uint_eq(run64(&both, 95, 0), DENY(ENOSYS));
	ck_assert_uint_eq(run(&none, AUDIT_ARCH_I386, 3, 0, 0), LCX__ACT_KILL_THREAD);
	free(none.bpf);
	free(one.bpf);
	free(both.bpf);
}
END_TEST

#define PROFILE(more) "{\"defaultAction\": \"SCMP_ACT_ERRNO\"" more "}"
#define RULE(more)    PROFILE(", \"syscalls\": [{\"names\": [\"read\"], " more "}]")
#define ARGS(more)    RULE("\"action\": \"SCMP_ACT_ALLOW\", \"args\": [" more "]")

static const struct {
	const char *text, *words;
} bad_profiles[] = {
	{"", "not JSON"},
	{"[]", "must be an object"},
	{"{}", "defaultAction: must be there"},
	{"{\"defaultAction\": \"ALLOW\"}", "defaultAction: 'ALLOW' is unknown"},
	{"{\"defaultAction\": 1}", "defaultAction: must be a string"},
	{"{\"defaultAction\": \"SCMP_ACT_NOTIFY\"}", "SCMP_ACT_NOTIFY"},
	{"{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"defaultErrnoRet\": 1}", "defaultErrnoRet"},
	{PROFILE(", \"defaultErrnoRet\": 4096"),
	 "defaultErrnoRet: must be an integer from 0 to 4095"},
	{PROFILE(", \"defaultErrnoRet\": -1"), "from 0 to 4095"},
	{PROFILE(", \"architectures\": [\"x86\"]"), "architectures[0]: 'x86'"},
	{PROFILE(", \"flags\": [\"NEW_LISTENER\"]"), "flags[0]"},
	{PROFILE(", \"listenerMetadata\": \"x\""), "needs listenerPath"},
	{PROFILE(", \"architectures\": [\"SCMP_ARCH_X86\"], \"archMap\": [{\"architecture\": "
		 "\"SCMP_ARCH_X86\"}]"),
	 "both architectures and archMap"},
	{PROFILE(", \"syscalls\": {}"), "syscalls: must be a list"},
	{PROFILE(", \"syscalls\": [{\"action\": \"SCMP_ACT_ALLOW\"}]"), "at least one"},
	{PROFILE(", \"syscalls\": [{\"names\": [], \"action\": \"SCMP_ACT_ALLOW\"}]"),
	 "syscalls[0]: names"},
	{PROFILE(", \"syscalls\": [{\"names\": [\"a b\"], \"action\": \"SCMP_ACT_ALLOW\"}]"),
	 "syscalls[0].names[0]: 'a b'"},
	{RULE("\"name\": \"read\", \"action\": \"SCMP_ACT_ALLOW\""), "both 'name' and 'names'"},
	{RULE("\"action\": \"SCMP_ACT_ALLOW\", \"errnoRet\": 1"), "errnoRet"},
	{"{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [\"read\", "
	 "\"sendmsg\"], "
	 "\"action\": \"SCMP_ACT_NOTIFY\"}]}",
	 "sendmsg can't be"},
	{RULE("\"action\": \"SCMP_ACT_ALLOW\", \"includes\": {\"minKernel\": \"x\"}"),
	 "syscalls[0].includes.minKernel: 'x'"},
	{ARGS("{\"index\": 6, \"value\": 1, \"op\": \"SCMP_CMP_EQ\"}"),
	 "syscalls[0].args[0].index: must be an integer from 0 to 5"},
	{ARGS("{\"index\": 0, \"value\": -1, \"op\": \"SCMP_CMP_EQ\"}"), "args[0].value"},
	{ARGS("{\"index\": 0, \"value\": 18446744073709551616, \"op\": \"SCMP_CMP_EQ\"}"),
	 "args[0].value: the number is out of range"},
	{ARGS("{\"index\": 0, \"value\": 1}"), "args[0].op: must be there"},
	{ARGS("{\"index\": 0, \"value\": 1, \"op\": \"EQ\"}"), "args[0].op: 'EQ'"},
	{ARGS("{\"index\": 0, \"value\": 1, \"op\": \"SCMP_CMP_EQ\"}, {\"index\": 0, \"value\": 2, "
	      "\"op\": \"SCMP_CMP_EQ\"}"),
	 "compared twice"},
	{"{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultAction\": \"SCMP_ACT_ALLOW\"}",
	 "defaultAction: stands twice"},
	{"{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"default\\u0041ction\": \"SCMP_ACT_ALLOW\"}",
	 "stands twice"},
};

START_TEST(bad_profiles_are_refused_by_path)
{
	struct lcx_seccomp *profile = NULL;
	struct lcx_error *err = NULL;

	ck_assert_fails(lcx_seccomp_from_json(bad_profiles[_i].text, strlen(bad_profiles[_i].text),
					      &profile, &err),
			EINVAL, err, bad_profiles[_i].words);
	ck_assert_ptr_null(profile);
}
END_TEST

START_TEST(more_names_than_a_filter_has_room_for_are_refused)
{
	struct lcx__strbuf text = STRBUF_EMPTY;
	struct lcx_seccomp *profile = NULL;
	struct lcx_error *err = NULL;

	lcx__strbuf_addf(&text,
			 "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": [{\"names\": [");
	for (int i = 0; i < 50000; i++)
		lcx__strbuf_addf(&text, "\"read\", ");
	lcx__strbuf_addf(&text, "\"write\"], \"action\": \"SCMP_ACT_ALLOW\"}]}");
	ck_assert_fails(lcx_seccomp_from_json(text.text, text.length, &profile, &err), EINVAL, err,
			"syscalls: has 50001 names");
	lcx__strbuf_free(&text);
}
END_TEST

START_TEST(what_cannot_be_denied_is_an_error)
{
	static const char text[] =
		"{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": ["
		"{\"names\": [\"of_the_future\"], \"action\": \"SCMP_ACT_ERRNO\"}]}";
	CLEANUP(lcx_seccomp_freep) struct lcx_seccomp *profile = NULL;
	struct lcx__seccomp_filter filter = {0};
	struct lcx_error *err = NULL;

	ck_assert_ok(lcx_seccomp_from_json(text, strlen(text), &profile, NULL));
	ck_assert_fails(lcx__seccomp_compile(profile, 0, &filter, &err), EOPNOTSUPP, err,
			lcx_has_feature("seccomp") ? "'of_the_future'" : "built without");
}
END_TEST

/* ---- the cache ----------------------------------------------------------------- */

static void get(struct lcx__seccomp_cache *cache, uint64_t caps, struct lcx__seccomp_filter *filter)
{
	CLEANUP(lcx_seccomp_freep) struct lcx_seccomp *profile = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;

	ck_assert_ok(lcx_seccomp_default(&profile, NULL));
	ck_assert_msg(lcx__seccomp_cache_get(cache, profile, caps, filter, &err) == 0, "%s",
		      lcx_error_message(err));
}

static void only_file(char name[static 64])
{
	CLEANUP(closedirp) DIR *stream = NULL;
	struct dirent *entry;
	int fd = openat(dir.fd, "seccomp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	stream = fdopendir(fd);
	name[0] = '\0';
	while ((entry = readdir(stream)))
		if (entry->d_name[0] != '.') {
			ck_assert_str_eq(name, "");
			(void)snprintf(name, 64, "seccomp/%.50s", entry->d_name);
		}
	ck_assert_str_ne(name, "");
}

START_TEST(filters_are_found_again_in_memory_and_in_files)
{
	CLEANUP(lcx__seccomp_cache_freep) struct lcx__seccomp_cache *first = NULL, *second = NULL;
	struct lcx__seccomp_filter a = {0}, b = {0}, c = {0};
	char name[64];
	struct stat st;

	if (!can_compile())
		return;
	ck_assert_ok(lcx__seccomp_cache_new(dir.fd, &first, NULL));
	get(first, 0, &a);
	get(first, 0, &b);
	ck_assert_ptr_eq(a.bpf, b.bpf);
	only_file(name);
	ck_assert_int_eq(fstatat(dir.fd, name, &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);

	ck_assert_ok(lcx__seccomp_cache_new(dir.fd, &second, NULL));
	get(second, 0, &c);
	ck_assert_uint_eq(a.size, c.size);
	ck_assert_mem_eq(a.bpf, c.bpf, c.size);
}
END_TEST

START_TEST(other_capabilities_get_another_filter)
{
	CLEANUP(lcx__seccomp_cache_freep) struct lcx__seccomp_cache *cache = NULL;
	struct lcx__seccomp_filter filter = {0};

	if (!can_compile())
		return;
	ck_assert_ok(lcx__seccomp_cache_new(-1, &cache, NULL));
	get(cache, 0, &filter);
	ck_assert_uint_eq(run64(&filter, 165, 0), DENY(EPERM));
	get(cache, CAP(SYS_ADMIN), &filter);
	ck_assert_uint_eq(run64(&filter, 165, 0), ALLOW);
	get(cache, 0, &filter);
	ck_assert_uint_eq(run64(&filter, 165, 0), DENY(EPERM));
}
END_TEST

/* Whatever byte of the file is spoilt, the filter is right: it is compiled again. */
START_TEST(spoilt_files_are_not_believed)
{
	CLEANUP(freep) char *good = NULL;
	char name[64];
	size_t length;

	if (!can_compile())
		return;
	{
		CLEANUP(lcx__seccomp_cache_freep) struct lcx__seccomp_cache *cache = NULL;
		struct lcx__seccomp_filter filter;

		ck_assert_ok(lcx__seccomp_cache_new(dir.fd, &cache, NULL));
		get(cache, 0, &filter);
	}
	only_file(name);
	ck_assert_ok(lcx__read_file(dir.fd, name, 1 << 20, &good, &length));
	for (size_t i = 0; i < 8; i++) {
		CLEANUP(lcx__seccomp_cache_freep) struct lcx__seccomp_cache *cache = NULL;
		struct lcx__seccomp_filter filter;
		size_t at = i < 7 ? i * (length / 7) : length - 1;
		char old = good[at];

		good[at] ^= 0x20;
		ck_assert_ok(lcx__replace_file(dir.fd, name, good, i == 3 ? length / 2 : length,
					       0600, false));
		good[at] = old;
		ck_assert_ok(lcx__seccomp_cache_new(dir.fd, &cache, NULL));
		get(cache, 0, &filter);
		ck_assert_uint_eq(run64(&filter, 165, 0), DENY(EPERM));
		ck_assert_uint_eq(run64(&filter, 0, 0), ALLOW);
	}
}
END_TEST

START_TEST(a_directory_that_others_write_to_is_refused)
{
	struct lcx__seccomp_cache *cache = NULL;
	struct lcx_error *err = NULL;

	ck_assert_int_eq(mkdirat(dir.fd, "seccomp", 0700), 0);
	ck_assert_int_eq(fchmodat(dir.fd, "seccomp", 0770, 0), 0);
	ck_assert_fails(lcx__seccomp_cache_new(dir.fd, &cache, &err), EPERM, err, "'seccomp'");
	ck_assert_int_eq(unlinkat(dir.fd, "seccomp", AT_REMOVEDIR), 0);
	ck_assert_int_eq(symlinkat("/tmp", dir.fd, "seccomp"), 0);
	ck_assert_int_lt(lcx__seccomp_cache_new(dir.fd, &cache, NULL), 0);
	ck_assert_ptr_null(cache);
}
END_TEST

START_TEST(a_filter_is_written_to_a_descriptor)
{
	CLEANUP(lcx_seccomp_freep) struct lcx_seccomp *profile = NULL;
	CLEANUP(closep) int fd = openat(dir.fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	struct stat st;
	int r;

	ck_assert_ok(lcx_seccomp_default(&profile, NULL));
	r = lcx_seccomp_export(profile, 0, fd, NULL);
	if (lcx_has_feature("seccomp")) {
		ck_assert_ok(r);
		ck_assert_int_eq(fstat(fd, &st), 0);
		ck_assert_int_eq(st.st_size % 8, 0);
		ck_assert_int_gt(st.st_size, 800);
	} else {
		ck_assert_int_eq(r, -EOPNOTSUPP);
	}
}
END_TEST

/* With all that its filter may look at: archs, numbers to beyond the tree's end, x32's, and
 * arguments. */
static size_t check_tree(const struct lcx_seccomp *profile, uint64_t caps)
{
	static const uint32_t archs[] = {AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64, 0};
	static const uint64_t args[] = {0, 1, 2, 16, 17, 40, 0x7e020000, 0xffffffff, UINT64_MAX};
	static const uint32_t bases[] = {0, X32, 0x7fffff00, 0xffffff00};
	CLEANUP(lcx__seccomp_release_resolved) struct lcx_seccomp resolved = {0};
	struct lcx__seccomp_filter tree = {0}, list = {0};

	ck_assert_ok(lcx__seccomp_resolve(profile, caps, &resolved, NULL));
	ck_assert_ok(lcx__seccomp_compile_list(&resolved, &list, NULL));
	ck_assert_ok(lcx__seccomp_compile_resolved(&resolved, &tree, NULL));
	ck_assert_int_ne(list.size, tree.size);
	for (size_t a = 0; a < ARRAY_SIZE(archs); a++)
		for (uint32_t number = 0; number < 4 * 600; number++)
			for (size_t i = 0; i < ARRAY_SIZE(args); i++) {
				int nr = (int)(bases[number / 600] + number % 600);

				ck_assert_uint_eq(run(&tree, archs[a], nr, args[i], args[i]),
						  run(&list, archs[a], nr, args[i], args[i]));
			}
	free(tree.bpf);
	free(list.bpf);
	return tree.size / sizeof(struct sock_filter);
}

static void check_tree_of(const char *text)
{
	CLEANUP(lcx_seccomp_freep) struct lcx_seccomp *profile = NULL;

	ck_assert_ok(lcx_seccomp_from_json(text, strlen(text), &profile, NULL));
	(void)check_tree(profile, 0);
}

START_TEST(the_tree_changes_no_verdict)
{
	CLEANUP(lcx_seccomp_freep) struct lcx_seccomp *profile = NULL;

	if (!can_compile())
		return;
	ck_assert_ok(lcx_seccomp_default(&profile, NULL));
	/* The kernel's work at each start is in proportion. libseccomp's list has a thousand. */
	ck_assert_uint_lt(check_tree(profile, lcx_capability_default_mask()), 256);
	(void)check_tree(profile, 0);
	(void)check_tree(profile, UINT64_MAX >> 23);
	check_tree_of("{\"defaultAction\": \"SCMP_ACT_ALLOW\"}");
	check_tree_of(
		"{\"defaultAction\": \"SCMP_ACT_KILL\", \"architectures\": [\"SCMP_ARCH_X86_64\", "
		"\"SCMP_ARCH_X86\", \"SCMP_ARCH_X32\"], \"syscalls\": [{\"names\": [\"read\", "
		"\"mkdir\", \"mseal\"], \"action\": \"SCMP_ACT_NOTIFY\"}, {\"names\": "
		"[\"personality\"], "
		"\"action\": \"SCMP_ACT_ALLOW\", \"args\": [{\"index\": 0, \"value\": 16, \"op\": "
		"\"SCMP_CMP_EQ\"}]}]}");
}
END_TEST

/* A verdict for each call: neither they nor the tree's own parts are near each other. */
START_TEST(what_is_out_of_reach_of_a_jump_is_reached)
{
	CLEANUP(lcx_seccomp_freep) struct lcx_seccomp *profile = NULL, *names = NULL;
	uint32_t code = 0;

	if (!can_compile())
		return;
	ck_assert_ok(lcx_seccomp_default(&profile, NULL));
	ck_assert_ok(lcx_seccomp_default(&names, NULL));
	for (size_t i = 0; i < names->rules.n; i++)
		for (char **name = names->rules.items[i].names; *name; name++)
			if (names->rules.items[i].args.n == 0)
				ck_assert_ok(
					lcx_seccomp_deny(profile, *name, 1 + code++ % 600, NULL));
	ck_assert_uint_gt(check_tree(profile, 0), 2 * 256);
}
END_TEST

/* Nothing that the kernel would refuse, whatever was given. */
START_TEST(what_is_no_filter_is_left_as_it_is)
{
	const struct sock_filter beyond[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 7),
		BPF_STMT(BPF_RET | BPF_K, ALLOW),
	};
	CLEANUP(freep) void *found = NULL;
	size_t size;

	ck_assert_ok(lcx__seccomp_shorten(beyond, sizeof(beyond), &found, &size, NULL));
	ck_assert_uint_eq(size, sizeof(beyond));
	ck_assert_int_eq(memcmp(found, beyond, size), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("seccomp");
	TCase *tc = tcase_create("seccomp");

	tcase_set_timeout(tc, 120); /* a filter a line, under a sanitizer */
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, the_default_profile_decides_as_docker);
	tcase_add_test(tc, no_capability_allows_less);
	tcase_add_test(tc, single_calls_can_be_allowed_and_denied);
	tcase_add_test(tc, a_deny_list_lets_the_rest_through);
	tcase_add_test(tc, conditions_of_docker_profiles_are_kept);
	tcase_add_loop_test(tc, bad_profiles_are_refused_by_path, 0, ARRAY_SIZE(bad_profiles));
	tcase_add_test(tc, more_names_than_a_filter_has_room_for_are_refused);
	tcase_add_test(tc, what_cannot_be_denied_is_an_error);
	tcase_add_test(tc, filters_are_found_again_in_memory_and_in_files);
	tcase_add_test(tc, other_capabilities_get_another_filter);
	tcase_add_test(tc, spoilt_files_are_not_believed);
	tcase_add_test(tc, a_directory_that_others_write_to_is_refused);
	tcase_add_test(tc, a_filter_is_written_to_a_descriptor);
	tcase_add_test(tc, the_tree_changes_no_verdict);
	tcase_add_test(tc, what_is_out_of_reach_of_a_jump_is_reached);
	tcase_add_test(tc, what_is_no_filter_is_left_as_it_is);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
