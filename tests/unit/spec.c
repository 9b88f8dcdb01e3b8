/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <glob.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "lcx/security.h"
#include "lcx/version.h"
#include "spec/names.h"
#include "spec/spec.h"
#include "util/sys.h"

#define GOOD_FILES LCX_TEST_DATA "/oci/runtime-spec/test/config/good/*.json"
#define BAD_FILES  LCX_TEST_DATA "/oci/runtime-spec/test/config/bad/*.json"
#define OWN_FILES  LCX_TEST_DATA "/spec/*.json"

static struct lcx_spec *parse(const char *text)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	struct lcx_spec *spec = NULL;
	int r = lcx_spec_from_json(text, strlen(text), &spec, &err);

	ck_assert_msg(r == 0, "%s", lcx_error_message(err));
	return spec;
}

static char *print(const struct lcx_spec *spec)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	char *text = NULL;

	ck_assert_msg(lcx_spec_to_json(spec, &text, &err) == 0, "%s", lcx_error_message(err));
	return text;
}

/* What is read from what was written is the same, and a copy too. */
static void check_round_trip(const struct lcx_spec *spec)
{
	CLEANUP(lcx_spec_freep) struct lcx_spec *again = NULL, *copy = NULL;
	CLEANUP(freep) char *first = print(spec), *second = NULL, *third = NULL;

	again = parse(first);
	second = print(again);
	ck_assert_str_eq(first, second);
	ck_assert_ok(lcx_spec_dup(spec, &copy, NULL));
	third = print(copy);
	ck_assert_str_eq(first, third);
}

/* ---- the specification's own examples -------------------------------------------- */

static size_t for_each_file(const char *pattern, void (*test)(const char *path, const char *text))
{
	glob_t files;
	size_t n;

	ck_assert_int_eq(glob(pattern, 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		CLEANUP(freep) char *text = NULL;

		ck_assert_ok(lcx__read_file(AT_FDCWD, files.gl_pathv[i], 1 << 20, &text, NULL));
		test(files.gl_pathv[i], text);
	}
	n = files.gl_pathc;
	globfree(&files);
	return n;
}

static void good(const char *path, const char *text)
{
	CLEANUP(lcx_spec_freep) struct lcx_spec *spec = parse(text);

	(void)path;
	check_round_trip(spec);
}

static void bad(const char *path, const char *text)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	struct lcx_spec *spec = NULL;

	ck_assert_msg(lcx_spec_from_json(text, strlen(text), &spec, &err) == -EINVAL, "%s", path);
	ck_assert_str_ne(lcx_error_message(err), "");
	ck_assert_ptr_null(spec);
}

START_TEST(good_examples_are_read_and_written)
{
	ck_assert_uint_ge(for_each_file(GOOD_FILES, good), 7);
	ck_assert_uint_ge(for_each_file(OWN_FILES, good), 1);
}
END_TEST

START_TEST(bad_examples_are_refused)
{
	ck_assert_uint_ge(for_each_file(BAD_FILES, bad), 4);
}
END_TEST

/* Everything at once: every property of the Linux part, and nothing is lost on the way. */
static void all_there(const char *path, const char *text)
{
	CLEANUP(lcx_spec_freep) struct lcx_spec *spec = parse(text);
	CLEANUP(freep) char *written = print(spec);

	(void)path;
	ck_assert_uint_eq(lcx_spec_n_warnings(spec), 0);
	/* The file is written by this library, with every row of the tables in it. */
	ck_assert_str_eq(written, text);
}

START_TEST(nothing_is_lost)
{
	ck_assert_uint_eq(for_each_file(LCX_TEST_DATA "/spec/everything.json", all_there), 1);
}
END_TEST

START_TEST(values_arrive_where_they_belong)
{
	CLEANUP(freep) char *text = NULL;
	CLEANUP(lcx_spec_freep) struct lcx_spec *spec = NULL;
	const struct lcx__spec_process *p;
	const struct lcx__resources *r;

	ck_assert_ok(lcx__read_file(AT_FDCWD, LCX_TEST_DATA "/spec/everything.json", 1 << 20, &text,
				    NULL));
	spec = parse(text);
	p = &spec->process;
	r = &spec->linux_.resources;
	ck_assert(p->terminal.value);
	ck_assert_uint_eq(p->user.umask.value, 022);
	ck_assert_uint_eq(p->user.additional_gids.n, 2);
	ck_assert_uint_eq(p->capabilities.bounding.value,
			  UINT64_C(1) << CAP_CHOWN | UINT64_C(1) << CAP_KILL);
	ck_assert_int_eq(p->rlimits.items[0].resource.value, RLIMIT_NOFILE);
	ck_assert_uint_eq(p->rlimits.items[0].hard.value, UINT64_MAX);
	ck_assert_int_eq(p->scheduler.policy.value, SCHED_FIFO);
	ck_assert_int_eq(p->io_priority.class.value, 2);
	ck_assert_int_eq(r->memory.limit.value, 67108864);
	ck_assert_int_eq(r->cpu.quota_us.value, -1);
	ck_assert_int_eq(r->pids.limit.value, 100);
	ck_assert_str_eq(r->hugepages.items[0].page_size, "2MB");
	ck_assert_str_eq(r->unified.items[0].key, "memory.high");
	ck_assert_str_eq(r->rdma.items[0].device, "mlx5_1");
	ck_assert_uint_eq(r->devices.n, 2);
	ck_assert(!r->devices.items[0].major.set);
	ck_assert_uint_eq(spec->linux_.namespaces.n, 8);
	ck_assert_str_eq(lcx__spec_namespace(spec, CLONE_NEWNET)->path, "/run/netns/blue");
	ck_assert_uint_eq(spec->linux_.rootfs_propagation.value, MS_SLAVE);
	ck_assert_int_eq(spec->linux_.memory_policy.mode.value, 3);
	ck_assert_uint_eq(spec->linux_.memory_policy.flags.value, 1 << 15);
	ck_assert_uint_eq(spec->linux_.personality.domain.value, 8);
	ck_assert_uint_eq(spec->hooks.kind[LCX__HOOK_POSTSTOP].hooks.items[0].timeout_s.value, 5);
	ck_assert_int_eq(spec->linux_.time_offsets.boottime.secs.value, -7);
	ck_assert_ptr_nonnull(spec->linux_.seccomp);
	ck_assert_uint_eq(spec->mounts.items[1].parsed.flags, MS_BIND | MS_REC | MS_RDONLY);
}
END_TEST

/* ---- hostile documents ------------------------------------------------------------ */

#define DOC(more)     "{\"ociVersion\": \"1.3.0\", " more "}"
#define PROCESS(more) DOC("\"process\": {\"cwd\": \"/\", " more "}")
#define LINUX(more)   DOC("\"linux\": {" more "}")
#define RES(more)     LINUX("\"resources\": {" more "}")
#define MOUNT(more)   DOC("\"mounts\": [{\"destination\": \"/x\", " more "}]")
#define MAP(c, h, s)  "{\"containerID\": " c ", \"hostID\": " h ", \"size\": " s "}"

static const struct {
	const char *text, *words;
} bad_cases[] = {
	{"", "not JSON"},
	{"null", "must be an object"},
	{"{", "not JSON"},
	{"{} {}", "not JSON"},
	{"{'ociVersion': '1.0.0'}", "not JSON"},
	{"{\"a\": 1,}", "not JSON"},
	{"// c\n{}", "not JSON"},
	{"{}", "ociVersion: must be there"},
	{"{\"ociVersion\": null}", "ociVersion: must be there"},
	{"{\"ociVersion\": 1}", "ociVersion: must be a string"},
	{"{\"ociVersion\": \"\"}", "ociVersion: '' is not a version"},
	{"{\"ociVersion\": \"2.0.0\"}", "ociVersion: version 2"},
	{DOC("\"ociVersion\": \"1.3.0\""), "ociVersion: stands twice"},
	{DOC("\"linux\": {}, \"l\\u0069nux\": {}"), "linux: stands twice"},
	{DOC("\"annotations\": {\"a\": \"b\\\"\", \"c\": \"d\\\\\", \"a\": \"\"}"),
	 "annotations.a: stands twice"},
	{PROCESS("\"rlimits\": [{\"type\": \"RLIMIT_CPU\", \"soft\": 1, \"soft\" : 1}]"),
	 "process.rlimits[0].soft: stands twice"},
	{DOC("\"a\\u0000b\": 1"), "contains a NUL"},
	{DOC("\"hostname\": \"a\\u0000b\""), "hostname: must not contain a NUL"},
	{DOC("\"hostname\": 7"), "hostname: must be a string"},
	{DOC("\"mounts\": {}"), "mounts: must be a list"},
	{DOC("\"mounts\": [7]"), "mounts[0]: must be an object"},
	{DOC("\"mounts\": [{}]"), "mounts[0].destination: must be there"},
	{DOC("\"root\": {}"), "root.path: must be there"},
	{DOC("\"process\": {}"), "process.cwd: must be there"},
	{DOC("\"process\": {\"cwd\": \"relative\"}"), "process.cwd: must be an absolute path"},
	{DOC("\"annotations\": {\"\": \"x\"}"), "must not be empty"},
	{DOC("\"annotations\": {\"x\": 1}"), "annotations.x: must be a string"},
	{DOC("\"hooks\": {\"poststop\": [{\"path\": \"x\"}]}"), "hooks.poststop[0].path"},
	{DOC("\"hooks\": {\"poststop\": [{\"path\": \"/x\", \"timeout\": 0}]}"), "timeout"},

	{PROCESS("\"args\": \"sh\""), "process.args: must be a list"},
	{PROCESS("\"args\": [\"a\", 1]"), "process.args[1]: must be a string"},
	{PROCESS("\"env\": [\"A=1\", \"B\"]"), "process.env[1]: must be NAME=value"},
	{PROCESS("\"env\": [\"=1\"]"), "process.env[0]"},
	{PROCESS("\"terminal\": 1"), "process.terminal: must be true or false"},
	{PROCESS("\"terminal\": \"true\""), "process.terminal: must be true or false"},
	{PROCESS("\"consoleSize\": {\"height\": 1}"), "process.consoleSize.width: must be there"},
	{PROCESS("\"user\": {\"uid\": -1}"), "process.user.uid: must be an integer from 0"},
	{PROCESS("\"user\": {\"uid\": 4294967295}"), "process.user.uid"},
	{PROCESS("\"user\": {\"uid\": 4294967296}"), "process.user.uid"},
	{PROCESS("\"user\": {\"uid\": 18446744073709551616}"), "out of range"},
	{PROCESS("\"user\": {\"uid\": -9223372036854775809}"), "out of range"},
	{PROCESS("\"user\": {\"uid\": 1.0}"), "process.user.uid: must be an integer"},
	{PROCESS("\"user\": {\"uid\": 1e3}"), "process.user.uid: must be an integer"},
	{PROCESS("\"user\": {\"uid\": \"0\"}"), "process.user.uid: must be an integer"},
	{PROCESS("\"user\": {\"uid\": true}"), "process.user.uid: must be an integer"},
	{PROCESS("\"user\": {\"umask\": 512}"), "process.user.umask"},
	{PROCESS("\"user\": {\"additionalGids\": [1, -1]}"), "process.user.additionalGids[1]"},
	{PROCESS("\"capabilities\": {\"bounding\": \"ALL\"}"), "bounding: must be a list"},
	{PROCESS("\"capabilities\": {\"bounding\": [1]}"), "bounding: must be a list of names"},
	{PROCESS("\"rlimits\": [{\"type\": \"RLIMIT_X\", \"soft\": 1, \"hard\": 1}]"),
	 "process.rlimits[0].type: 'RLIMIT_X' is unknown"},
	{PROCESS("\"rlimits\": [{\"type\": \"RLIMIT_CPU\", \"soft\": 2, \"hard\": 1}]"),
	 "process.rlimits[0]: the soft limit"},
	{PROCESS("\"rlimits\": [{\"type\": \"RLIMIT_CPU\", \"soft\": 1, \"hard\": 1}, "
		 "{\"type\": \"RLIMIT_CPU\", \"soft\": 1, \"hard\": 2}]"),
	 "process.rlimits: RLIMIT_CPU stands twice"},
	{PROCESS("\"oomScoreAdj\": 1001"),
	 "process.oomScoreAdj: must be an integer from -1000 to 1000"},
	{PROCESS("\"oomScoreAdj\": -1001"), "process.oomScoreAdj"},
	{PROCESS("\"scheduler\": {}"), "process.scheduler.policy: must be there"},
	{PROCESS("\"scheduler\": {\"policy\": \"SCHED_OTHER\", \"priority\": 1}"), "priority"},
	{PROCESS("\"scheduler\": {\"policy\": \"SCHED_OTHER\", \"period\": 1}"), "SCHED_DEADLINE"},
	{PROCESS("\"scheduler\": {\"policy\": \"SCHED_OTHER\", \"nice\": 20}"), "nice"},
	{PROCESS("\"ioPriority\": {\"class\": \"IOPRIO_CLASS_BE\", \"priority\": 8}"), "priority"},
	{PROCESS("\"execCPUAffinity\": {\"initial\": \"a\"}"), "initial: must be a list"},
	{PROCESS("\"selinuxLabel\": \"a\\nb\""), "selinuxLabel: must be one line"},

	{LINUX("\"namespaces\": [{\"type\": \"net\"}]"),
	 "linux.namespaces[0].type: 'net' is unknown"},
	{LINUX("\"namespaces\": [{\"type\": \"pid\"}, {\"type\": \"pid\"}]"),
	 "linux.namespaces: 'pid' stands twice"},
	{LINUX("\"namespaces\": [{\"type\": \"pid\", \"path\": \"x\"}]"),
	 "linux.namespaces[0].path"},
	{LINUX("\"uidMappings\": [" MAP("0", "0", "0") "]"), "linux.uidMappings[0]: size"},
	{LINUX("\"uidMappings\": [" MAP("1", "0", "4294967295") "]"), "ends beyond"},
	{LINUX("\"uidMappings\": [" MAP("0", "0", "2") ", " MAP("1", "9", "1") "]"), "overlap"},
	{LINUX("\"gidMappings\": [" MAP("0", "0", "2") ", " MAP("9", "1", "1") "]"), "overlap"},
	{LINUX("\"timeOffsets\": {\"boottime\": {\"nanosecs\": 1000000000}}"), "nanosecs"},
	{LINUX("\"devices\": [{\"path\": \"/dev/x\", \"type\": \"c\"}]"),
	 "linux.devices[0]: major"},
	{LINUX("\"devices\": [{\"path\": \"/dev/x\", \"type\": \"d\"}]"), "linux.devices[0].type"},
	{LINUX("\"devices\": [{\"path\": \"x\", \"type\": \"p\"}]"), "linux.devices[0].path"},
	{LINUX("\"devices\": [{\"path\": \"/x\", \"type\": \"c\", \"major\": -1, \"minor\": 0}]"),
	 "linux.devices[0].major"},
	{LINUX("\"netDevices\": {\"../x\": {}}"), "network interface"},
	{LINUX("\"netDevices\": {\"eth0\": {\"name\": \"longer-than-fifteen\"}}"),
	 "netDevices.eth0.name"},
	{LINUX("\"cgroupsPath\": \"/a/../b\""), "linux.cgroupsPath: must not contain '..'"},
	{LINUX("\"rootfsPropagation\": \"public\""), "linux.rootfsPropagation: 'public'"},
	{LINUX("\"sysctl\": {\"../x\": \"1\"}"), "linux.sysctl"},
	{LINUX("\"sysctl\": {\"net..x\": \"1\"}"), "linux.sysctl"},
	{LINUX("\"sysctl\": {\"net.x\": 1}"), "linux.sysctl.net.x: must be a string"},
	{LINUX("\"maskedPaths\": [\"proc\"]"), "linux.maskedPaths[0]: must be an absolute path"},
	{LINUX("\"readonlyPaths\": \"/proc\""), "linux.readonlyPaths: must be a list"},
	{LINUX("\"intelRdt\": {\"closID\": \"../x\"}"), "linux.intelRdt.closID"},
	{LINUX("\"intelRdt\": {\"memBwSchema\": \"L3:0=f\"}"), "must start with 'MB:'"},
	{LINUX("\"memoryPolicy\": {\"mode\": \"MPOL_X\"}"), "linux.memoryPolicy.mode"},
	{LINUX("\"personality\": {\"domain\": \"BSD\"}"), "linux.personality.domain"},
	{LINUX("\"seccomp\": {}"), "linux.seccomp.defaultAction: must be there"},
	{LINUX("\"seccomp\": {\"defaultAction\": \"SCMP_ACT_NOTIFY\"}"),
	 "linux.seccomp: defaultAction"},

	{RES("\"memory\": {\"limit\": \"64m\"}"),
	 "linux.resources.memory.limit: must be an integer"},
	{RES("\"memory\": {\"limit\": -2}"), "linux.resources.memory.limit"},
	{RES("\"memory\": {\"limit\": 9223372036854775808}"), "linux.resources.memory.limit"},
	{RES("\"memory\": {\"swappiness\": 101}"), "linux.resources.memory.swappiness"},
	{RES("\"memory\": []"), "linux.resources.memory: must be an object"},
	{RES("\"cpu\": {\"shares\": -1}"), "linux.resources.cpu.shares"},
	{RES("\"cpu\": {\"cpus\": \"0;1\"}"), "linux.resources.cpu.cpus: must be a list"},
	{RES("\"cpu\": {\"idle\": 2}"), "linux.resources.cpu.idle"},
	{RES("\"pids\": {}"), "linux.resources.pids.limit: must be there"},
	{RES("\"blockIO\": {\"weight\": 1001}"), "linux.resources.blockIO.weight"},
	{RES("\"blockIO\": {\"weightDevice\": [{\"major\": 1}]}"), "weightDevice[0].minor"},
	{RES("\"hugepageLimits\": [{\"pageSize\": \"02MB\", \"limit\": 1}]"), "pageSize"},
	{RES("\"hugepageLimits\": [{\"pageSize\": \"2MB/../x\", \"limit\": 1}]"), "pageSize"},
	{RES("\"network\": {\"classID\": 4294967296}"), "linux.resources.network.classID"},
	{RES("\"rdma\": {\"..\": {}}"), "linux.resources.rdma"},
	{RES("\"unified\": {\"../x\": \"1\"}"), "linux.resources.unified"},
	{RES("\"unified\": {\".x\": \"1\"}"), "linux.resources.unified"},
	{RES("\"unified\": {\"a/b\": \"1\"}"), "linux.resources.unified"},
	{RES("\"devices\": [{}]"), "linux.resources.devices[0].allow: must be there"},
	{RES("\"devices\": [{\"allow\": true, \"access\": \"rx\"}]"), "access"},
	{RES("\"devices\": [{\"allow\": true, \"type\": \"d\"}]"), "type"},

	{MOUNT("\"options\": [\"\"]"), "mounts[0]: options: an option is empty"},
	{MOUNT("\"options\": [\"bind\", \"nosuidd\"]"), "mounts[0]: options: 'nosuidd' is no"},
	{MOUNT("\"type\": \"bind\", \"options\": [\"nosuidd\"]"), "options: 'nosuidd' is no"},
	{MOUNT("\"options\": [\"bind\", \"size=1\", \"idmap=uids=0-1-1\"]"), "is no option of a bind"},
	{MOUNT("\"options\": [\"context=a\", \"bind\", \"size=1\"]"), "is no option of a bind"},
	{MOUNT("\"options\": [\"bind\", \"tmpcopyup\"]"), "tmpcopyup"},
	{MOUNT("\"uidMappings\": [" MAP("0", "0", "1") "]"), "must be there both"},
	{MOUNT("\"options\": [\"shared\", \"slave\", \"private\", \"shared\", \"slave\"]"),
	 "propagation"},
};

START_TEST(bad_documents_are_refused_by_path)
{
	struct lcx_spec *spec = NULL;
	struct lcx_error *err = NULL;

	ck_assert_fails(
		lcx_spec_from_json(bad_cases[_i].text, strlen(bad_cases[_i].text), &spec, &err),
		EINVAL, err, bad_cases[_i].words);
	ck_assert_ptr_null(spec);
}
END_TEST

START_TEST(depth_and_size_have_limits)
{
	enum { N = 100000, SIZE = (4 << 20) + 1 };
	CLEANUP(freep) char *deep = malloc(N), *large = malloc(SIZE);
	struct lcx_spec *spec = NULL;
	struct lcx_error *err = NULL;

	memset(deep, '[', N);
	ck_assert_fails(lcx_spec_from_json(deep, N, &spec, &err), EINVAL, err, "nesting");
	memset(large, ' ', SIZE);
	ck_assert_fails(lcx_spec_from_json(large, SIZE, &spec, &err), E2BIG, err, "at most");
	ck_assert_fails(lcx_spec_from_json("{}\0{}", 5, &spec, &err), EINVAL, err, "NUL");
}
END_TEST

START_TEST(what_makes_a_tmpfs_does_not_change_what_is_bound_and_that_is_told)
{
	static const char *const options[] = {"bind", "size=1", NULL};
	CLEANUP(lcx_spec_freep)
	struct lcx_spec *spec =
		parse(MOUNT("\"options\": [\"mode=755\", \"size=1k\", \"bind\", \"ro\"]"));
	struct lcx_error *err = NULL;

	ck_assert_uint_eq(lcx_spec_n_warnings(spec), 1);
	ck_assert_str_eq(lcx_spec_warning(spec, 0),
			 "mounts[0]: options: 'mode=755,size=1k' is for a new file system, and of "
			 "no effect on a bind mount");
	check_round_trip(spec);
	/* Who calls can do better. */
	ck_assert_fails(lcx_spec_add_mount(spec, "/a", "/b", NULL, options, &err), EINVAL, err,
			"'size=1' is no option of a bind mount");
}
END_TEST

START_TEST(what_is_unknown_is_ignored_and_told)
{
	CLEANUP(lcx_spec_freep)
	struct lcx_spec *spec = parse(
		PROCESS("\"new\": {\"a\": [1]}, \"args\": null, \"capabilities\": {\"bounding\": "
			"[\"CAP_CHOWN\", \"CAP_OF_THE_FUTURE\", \"chown\"]}"));

	ck_assert_uint_eq(lcx_spec_n_warnings(spec), 3);
	ck_assert_str_eq(lcx_spec_warning(spec, 0), "process.new: unknown property, ignored");
	ck_assert_str_eq(lcx_spec_warning(spec, 1), "process.capabilities.bounding: unknown "
						    "capability 'CAP_OF_THE_FUTURE', ignored");
	ck_assert_ptr_null(lcx_spec_warning(spec, 3));
	ck_assert_ptr_null(lcx_spec_arg(spec, 0));
	ck_assert_uint_eq(spec->process.capabilities.bounding.value, UINT64_C(1) << CAP_CHOWN);
}
END_TEST

START_TEST(bytes_that_are_no_utf8_survive)
{
	CLEANUP(lcx_spec_freep) struct lcx_spec *spec = NULL;

	ck_assert_ok(lcx_spec_new_empty(&spec, NULL));
	ck_assert_ok(lcx_spec_add_arg(spec, "\xff\xfe/\"\\\x01", NULL));
	ck_assert_ok(lcx_spec_set_cwd(spec, "/\xc3", NULL));
	check_round_trip(spec);
}
END_TEST

START_TEST(parts_of_a_document_can_be_read_alone)
{
	CLEANUP(lcx_spec_freep) struct lcx_spec *process = NULL, *resources = NULL;
	static const char process_text[] = "{\"cwd\": \"/tmp\", \"args\": [\"sh\"]}";
	static const char resources_text[] = "{\"memory\": {\"limit\": 5}}";
	struct lcx_spec *none = NULL;
	struct lcx_error *err = NULL;

	ck_assert_ok(
		lcx__spec_from_process_json(process_text, strlen(process_text), &process, NULL));
	ck_assert_str_eq(lcx_spec_cwd(process), "/tmp");
	check_round_trip(process);
	ck_assert_ok(lcx__spec_from_resources_json(resources_text, strlen(resources_text),
						   &resources, NULL));
	ck_assert_int_eq(lcx_spec_memory_limit(resources), 5);
	check_round_trip(resources);
	ck_assert_fails(lcx__spec_from_process_json("{}", 2, &none, &err), EINVAL, err, "cwd");
}
END_TEST

/* ---- mount options ------------------------------------------------------------------ */

static const struct {
	const char *options[6];
	uint64_t flags, flags_clear, attr_set, attr_clr, rattr_set, rattr_clr, propagation;
	const char *data;
} mount_cases[] = {
	{{"ro", "nosuid"}, MS_RDONLY | MS_NOSUID, 0, 3, 0, 0, 0, 0, NULL},
	{{"ro", "rw"}, 0, MS_RDONLY, 0, 1, 0, 0, 0, NULL},
	{{"rw", "ro"}, MS_RDONLY, 0, 1, 1, 0, 0, 0, NULL},
	{{"rbind", "rslave"}, MS_BIND | MS_REC, 0, 0, 0, 0, 0, MS_SLAVE | MS_REC, NULL},
	{{"noatime"}, MS_NOATIME, MS_RELATIME | MS_STRICTATIME, 0x10, 0x70, 0, 0, 0, NULL},
	{{"noatime", "strictatime"},
	 MS_STRICTATIME,
	 MS_NOATIME | MS_RELATIME,
	 0x20,
	 0x70,
	 0,
	 0,
	 0,
	 NULL},
	{{"bind", "rro", "rnoexec"}, MS_BIND, 0, 0, 0, 1 | 8, 0, 0, NULL},
	{{"rro", "rrw"}, 0, 0, 0, 0, 0, 1, 0, NULL},
	{{"rnoatime", "rrelatime"}, 0, 0, 0, 0, 0, 0x70, 0, NULL},
	{{"mode=755", "nodev", "size=5"}, MS_NODEV, 0, 4, 0, 0, 0, 0, "mode=755,size=5"},
	{{"defaults"}, 0, 0, 0, 0, 0, 0, 0, NULL},
	{{"nosymfollow", "sync"}, 256 | MS_SYNCHRONOUS, 0, 0x200000, 0, 0, 0, 0, NULL},
	{{NULL}, 0, 0, 0, 0, 0, 0, 0, NULL},
};

START_TEST(mount_options_become_flags)
{
	struct lcx__mount_options o = {0};

	ck_assert_ok(lcx__mount_options_parse(mount_cases[_i].options, &o, NULL));
	ck_assert_uint_eq(o.flags, mount_cases[_i].flags);
	ck_assert_uint_eq(o.flags_clear, mount_cases[_i].flags_clear);
	ck_assert_uint_eq(o.attr_set, mount_cases[_i].attr_set);
	ck_assert_uint_eq(o.attr_clr, mount_cases[_i].attr_clr);
	ck_assert_uint_eq(o.rattr_set, mount_cases[_i].rattr_set);
	ck_assert_uint_eq(o.rattr_clr, mount_cases[_i].rattr_clr);
	ck_assert_uint_eq(o.propagation[0], mount_cases[_i].propagation);
	ck_assert_pstr_eq(o.data, mount_cases[_i].data);
	free(o.data);
}
END_TEST

/* config.md, "Linux mount options": none of them may end up as the file system's data. */
START_TEST(every_option_of_the_specification_is_known)
{
	static const char *const names[] = {
		"async",      "atime",        "defaults",    "dev",         "diratime",
		"dirsync",    "exec",         "iversion",    "lazytime",    "loud",
		"mand",       "noatime",      "nodev",       "nodiratime",  "noexec",
		"noiversion", "nolazytime",   "nomand",      "norelatime",  "nostrictatime",
		"nosuid",     "nosymfollow",  "private",     "ratime",      "rbind",
		"rdev",       "rdiratime",    "relatime",    "remount",     "rexec",
		"rnoatime",   "rnodiratime",  "rnoexec",     "rnorelatime", "rnostrictatime",
		"rnosuid",    "rnosymfollow", "ro",          "rprivate",    "rrelatime",
		"rro",        "rrw",          "rshared",     "rslave",      "rstrictatime",
		"rsuid",      "rsymfollow",   "runbindable", "rw",          "shared",
		"silent",     "slave",        "strictatime", "suid",        "symfollow",
		"sync",       "tmpcopyup",    "unbindable",  "idmap",       "ridmap",
		"bind",       "rnodev",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *const options[] = {names[i], NULL};
		struct lcx__mount_options o = {0};

		ck_assert_ok(lcx__mount_options_parse(options, &o, NULL));
		ck_assert_msg(o.data == NULL, "%s", names[i]);
	}
}
END_TEST

/* ---- setters ------------------------------------------------------------------------ */

START_TEST(defaults_are_dockers)
{
	CLEANUP(lcx_spec_freep) struct lcx_spec *spec = NULL;

	ck_assert_ok(lcx_spec_new(&spec, NULL));
	ck_assert_uint_eq(spec->process.capabilities.bounding.value, lcx_capability_default_mask());
	ck_assert(!spec->process.capabilities.inheritable.set);
	ck_assert(!spec->process.no_new_privileges.value);
	ck_assert_int_eq(lcx_spec_has_namespace(spec, "pid"), 1);
	ck_assert_int_eq(lcx_spec_has_namespace(spec, "net"), 1);
	ck_assert_int_eq(lcx_spec_has_namespace(spec, "cgroup"), 1);
	ck_assert_int_eq(lcx_spec_has_namespace(spec, "user"), 0);
	ck_assert_int_eq(lcx_spec_has_namespace(spec, "x"), -EINVAL);
	ck_assert_str_eq(lcx_spec_mount_destination(spec, 0), "/proc");
	ck_assert_uint_eq(spec->mounts.n, 7);
	ck_assert_int_eq(spec->linux_.seccomp != NULL, lcx_has_feature("seccomp"));
	ck_assert_ptr_null(lcx_spec_arg(spec, 0));
	ck_assert_ptr_null(lcx_spec_root(spec));
	ck_assert_int_eq(lcx_spec_memory_limit(spec), LCX_SPEC_UNLIMITED);
	ck_assert_ok(lcx_spec_check(spec, NULL));
	check_round_trip(spec);
}
END_TEST

START_TEST(the_environment_has_each_name_once)
{
	CLEANUP(lcx_spec_freep) struct lcx_spec *spec = NULL;
	struct lcx_error *err = NULL;

	ck_assert_ok(lcx_spec_new_empty(&spec, NULL));
	ck_assert_ok(lcx_spec_add_env(spec, "A=1", NULL));
	ck_assert_ok(lcx_spec_add_env(spec, "AB=2", NULL));
	ck_assert_ok(lcx_spec_set_env(spec, "A", "3=4", NULL));
	ck_assert_str_eq(lcx_spec_env(spec, 0), "A=3=4");
	ck_assert_str_eq(lcx_spec_getenv(spec, "A"), "3=4");
	ck_assert_str_eq(lcx_spec_getenv(spec, "AB"), "2");
	ck_assert_ptr_null(lcx_spec_env(spec, 2));
	ck_assert_ok(lcx_spec_unset_env(spec, "A", NULL));
	ck_assert_ok(lcx_spec_unset_env(spec, "A", NULL));
	ck_assert_str_eq(lcx_spec_env(spec, 0), "AB=2");
	ck_assert_ptr_null(lcx_spec_env(spec, 1));
	ck_assert_fails(lcx_spec_add_env(spec, "A", &err), EINVAL, err, "'A'");
	ck_assert_fails(lcx_spec_set_env(spec, "", "x", &err), EINVAL, err, "''");
	ck_assert_fails(lcx_spec_set_env(spec, "A=B", "x", &err), EINVAL, err, "'A=B'");
	ck_assert_ok(lcx_spec_clear_env(spec, NULL));
	ck_assert_ptr_null(lcx_spec_env(spec, 0));
}
END_TEST

START_TEST(capabilities_come_and_go)
{
	CLEANUP(lcx_spec_freep) struct lcx_spec *spec = NULL, *empty = NULL;
	struct lcx_error *err = NULL;

	ck_assert_ok(lcx_spec_new(&spec, NULL));
	ck_assert_ok(lcx_spec_drop_capability(spec, "ALL", NULL));
	ck_assert_int_eq(lcx_spec_has_capability(spec, "chown"), 0);
	ck_assert_ok(lcx_spec_add_capability(spec, "net_admin", NULL));
	ck_assert_int_eq(lcx_spec_has_capability(spec, "CAP_NET_ADMIN"), 1);
	ck_assert_uint_eq(spec->process.capabilities.effective.value, UINT64_C(1) << CAP_NET_ADMIN);
	ck_assert_uint_eq(spec->process.capabilities.inheritable.value, 0);
	ck_assert_ok(lcx_spec_add_ambient_capability(spec, "kill", NULL));
	ck_assert_uint_eq(spec->process.capabilities.inheritable.value, UINT64_C(1) << CAP_KILL);
	ck_assert_fails(lcx_spec_add_capability(spec, "chown,kill", &err), EINVAL, err, "one");
	ck_assert_fails(lcx_spec_add_capability(spec, "", &err), EINVAL, err, "");
	ck_assert_fails(lcx_spec_drop_capability(spec, "chow", &err), EINVAL, err, "'chow'");
	ck_assert_int_eq(lcx_spec_has_capability(spec, "x"), -EINVAL);
	check_round_trip(spec);

	/* Where nothing was said, all is inherited: dropping one leaves the rest. */
	ck_assert_ok(lcx_spec_new_empty(&empty, NULL));
	ck_assert_int_eq(lcx_spec_has_capability(empty, "sys_admin"), 1);
	ck_assert_ok(lcx_spec_drop_capability(empty, "sys_admin", NULL));
	ck_assert_int_eq(lcx_spec_has_capability(empty, "sys_admin"), 0);
	ck_assert_int_eq(lcx_spec_has_capability(empty, "chown"), 1);
}
END_TEST

START_TEST(mounts_are_replaced_in_place)
{
	static const char *const options[] = {"ro", "nonsense", NULL};
	CLEANUP(lcx_spec_freep) struct lcx_spec *spec = NULL;
	struct lcx_error *err = NULL;
	size_t n;

	ck_assert_ok(lcx_spec_new(&spec, NULL));
	n = spec->mounts.n;
	ck_assert_ok(lcx_spec_add_tmpfs(spec, "/dev/shm", 1 << 20, NULL));
	ck_assert_uint_eq(spec->mounts.n, n);
	ck_assert_str_eq(spec->mounts.items[n - 1].parsed.data, "size=1048576");
	ck_assert_ok(lcx_spec_add_bind(spec, "/srv", "/data", 1, NULL));
	ck_assert_str_eq(lcx_spec_mount_source(spec, n), "/srv");
	ck_assert_uint_eq(spec->mounts.items[n].parsed.flags, MS_BIND | MS_REC | MS_RDONLY);
	ck_assert_uint_eq(spec->mounts.items[n].parsed.rattr_set, SYS_MOUNT_ATTR_RDONLY);
	ck_assert_fails(lcx_spec_add_mount(spec, "/srv", "/data", NULL, options, &err), EINVAL, err,
			"mount '/data': options: 'nonsense'");
	ck_assert_fails(lcx_spec_add_mount(spec, NULL, "/data", NULL, NULL, &err), EINVAL, err,
			"source");
	ck_assert_fails(lcx_spec_add_bind(spec, "/srv", "data", 0, &err), EINVAL, err, "'data'");
	ck_assert_fails(lcx_spec_add_bind(spec, "/srv", "/data", 2, &err), EINVAL, err, "0 or 1");
	ck_assert_str_eq(lcx_spec_mount_source(spec, n), "/srv");
	ck_assert_ok(lcx_spec_remove_mount(spec, "/dev/mqueue", NULL));
	ck_assert_fails(lcx_spec_remove_mount(spec, "/dev/mqueue", &err), ENOENT, err, "mqueue");
	ck_assert_str_eq(lcx_spec_mount_destination(spec, n - 1), "/data");
	ck_assert_ptr_null(lcx_spec_mount_destination(spec, n));
	check_round_trip(spec);
}
END_TEST

START_TEST(namespaces_are_made_joined_and_left)
{
	CLEANUP(lcx_spec_freep) struct lcx_spec *spec = NULL;
	struct lcx_error *err = NULL;

	ck_assert_ok(lcx_spec_new(&spec, NULL));
	ck_assert_ok(lcx_spec_join_namespace(spec, "net", "/proc/1/ns/net", NULL));
	ck_assert_int_eq(lcx_spec_has_namespace(spec, "network"), 2);
	ck_assert_str_eq(lcx_spec_namespace_path(spec, "net"), "/proc/1/ns/net");
	ck_assert_ok(lcx_spec_add_namespace(spec, "network", NULL));
	ck_assert_int_eq(lcx_spec_has_namespace(spec, "network"), 1);
	ck_assert_ok(lcx_spec_remove_namespace(spec, "network", NULL));
	ck_assert_ok(lcx_spec_remove_namespace(spec, "network", NULL));
	ck_assert_int_eq(lcx_spec_has_namespace(spec, "network"), 0);
	ck_assert_fails(lcx_spec_join_namespace(spec, "pid", "x", &err), EINVAL, err, "absolute");
	ck_assert_fails(lcx_spec_add_namespace(spec, "", &err), EINVAL, err, "''");
	ck_assert_ok(lcx_spec_add_uid_map(spec, 0, 100000, 65536, NULL));
	ck_assert_ok(lcx_spec_add_gid_map(spec, 0, 100000, 65536, NULL));
	ck_assert_int_eq(lcx_spec_has_namespace(spec, "user"), 1);
	ck_assert_fails(lcx_spec_add_uid_map(spec, 65535, 0, 1, &err), EINVAL, err, "overlap");
	ck_assert_uint_eq(spec->linux_.uid_mappings.n, 1);
	ck_assert_ok(lcx_spec_set_time_offset(spec, "boottime", -5, 6, NULL));
	ck_assert_int_eq(lcx_spec_has_namespace(spec, "time"), 1);
	ck_assert_fails(lcx_spec_set_time_offset(spec, "tai", 0, 0, &err), EINVAL, err, "'tai'");
	check_round_trip(spec);
}
END_TEST

START_TEST(resources_are_checked)
{
	CLEANUP(lcx_spec_freep) struct lcx_spec *spec = NULL;
	struct lcx_error *err = NULL;

	ck_assert_ok(lcx_spec_new(&spec, NULL));
	ck_assert_ok(lcx_spec_set_memory_limit(spec, 64 << 20, NULL));
	ck_assert_int_eq(lcx_spec_memory_limit(spec), 64 << 20);
	ck_assert_fails(lcx_spec_set_memory_limit(spec, -2, &err), EINVAL, err, "-2");
	ck_assert_ok(lcx_spec_set_memory_swap(spec, LCX_SPEC_UNLIMITED, NULL));
	ck_assert_ok(lcx_spec_set_cpu_quota(spec, 150000, 0, NULL));
	ck_assert_uint_eq(spec->linux_.resources.cpu.period_us.value, 100000);
	ck_assert_fails(lcx_spec_set_cpu_quota(spec, 999, 0, &err), EINVAL, err, "999");
	ck_assert_fails(lcx_spec_set_cpu_quota(spec, 5000, 5, &err), EINVAL, err, "period");
	ck_assert_fails(lcx_spec_set_cpu_shares(spec, 1, &err), EINVAL, err, "shares");
	ck_assert_ok(lcx_spec_set_cpuset(spec, "0-1", NULL, NULL));
	ck_assert_fails(lcx_spec_set_cpuset(spec, "x", NULL, &err), EINVAL, err, "'x'");
	ck_assert_str_eq(spec->linux_.resources.cpu.cpus, "0-1");
	ck_assert_ok(lcx_spec_set_pids_limit(spec, 100, NULL));
	ck_assert_int_eq(lcx_spec_pids_limit(spec), 100);
	ck_assert_ok(lcx_spec_set_blkio_weight(spec, 500, NULL));
	ck_assert_fails(lcx_spec_set_blkio_weight(spec, 9, &err), EINVAL, err, "weight");
	ck_assert_ok(lcx_spec_add_blkio_throttle(spec, "read_bps", 8, 0, 1 << 20, NULL));
	ck_assert_fails(lcx_spec_add_blkio_throttle(spec, "bps", 8, 0, 1, &err), EINVAL, err,
			"'bps'");
	ck_assert_ok(lcx_spec_add_hugepage_limit(spec, "2MB", 0, NULL));
	ck_assert_fails(lcx_spec_add_hugepage_limit(spec, "2M", 0, &err), EINVAL, err, "'2M'");
	ck_assert_ok(lcx_spec_set_unified(spec, "memory.high", "max", NULL));
	ck_assert_ok(lcx_spec_set_unified(spec, "memory.high", "5", NULL));
	ck_assert_uint_eq(spec->linux_.resources.unified.n, 1);
	ck_assert_fails(lcx_spec_set_unified(spec, "../x", "5", &err), EINVAL, err, "'../x'");
	ck_assert_ok(lcx_spec_set_unified(spec, "memory.high", NULL, NULL));
	ck_assert_uint_eq(spec->linux_.resources.unified.n, 0);
	ck_assert_ok(lcx_spec_add_device(spec, "/dev/fuse", "c", 10, 229, 0666, 0, 0, "rw", NULL));
	ck_assert_fails(lcx_spec_add_device(spec, "/dev/x", "c", 4096, 0, 0666, 0, 0, "rw", &err),
			EINVAL, err, "4096:0");
	ck_assert_fails(lcx_spec_add_device(spec, "/dev/x", "c", 1, 0, 04666, 0, 0, "rw", &err),
			EINVAL, err, "permissions");
	ck_assert_fails(lcx_spec_add_device(spec, "/dev/x", "c", 1, 0, 0666, 0, 0, "x", &err),
			EINVAL, err, "r, w and m");
	ck_assert_uint_eq(spec->linux_.devices.n, 1);
	check_round_trip(spec);
}
END_TEST

START_TEST(process_setters_check)
{
	static const char *const args[] = {"sh", "-c", "exit 0", NULL};
	CLEANUP(lcx_spec_freep) struct lcx_spec *spec = NULL;
	CLEANUP(freep) char *long_name = malloc(66);
	struct lcx_error *err = NULL;

	memset(long_name, 'a', 65);
	long_name[65] = '\0';
	ck_assert_ok(lcx_spec_new(&spec, NULL));
	ck_assert_ok(lcx_spec_set_args(spec, args, NULL));
	ck_assert_ok(lcx_spec_add_arg(spec, "", NULL));
	ck_assert_str_eq(lcx_spec_arg(spec, 3), "");
	ck_assert_fails(lcx_spec_set_user(spec, UINT32_MAX, 0, &err), EINVAL, err, "4294967295");
	ck_assert_ok(lcx_spec_set_user(spec, 1000, 100, NULL));
	ck_assert_ok(lcx_spec_add_group(spec, 5, NULL));
	ck_assert_ok(lcx_spec_add_group(spec, 5, NULL));
	ck_assert_uint_eq(spec->process.user.additional_gids.n, 1);
	ck_assert_fails(lcx_spec_set_umask(spec, 01000, &err), EINVAL, err, "umask");
	ck_assert_fails(lcx_spec_set_terminal(spec, 2, &err), EINVAL, err, "terminal");
	ck_assert_ok(lcx_spec_set_terminal_size(spec, 24, 80, NULL));
	ck_assert_fails(lcx_spec_set_terminal_size(spec, 65536, 80, &err), EINVAL, err, "65536");
	ck_assert_fails(lcx_spec_set_oom_score_adj(spec, -1001, &err), EINVAL, err, "-1001");
	ck_assert_ok(lcx_spec_add_rlimit(spec, "nofile", 10, 20, NULL));
	ck_assert_ok(lcx_spec_add_rlimit(spec, "RLIMIT_NOFILE", 11, 20, NULL));
	ck_assert_uint_eq(spec->process.rlimits.n, 1);
	ck_assert_fails(lcx_spec_add_rlimit(spec, "nofile", 2, 1, &err), EINVAL, err, "soft");
	ck_assert_fails(lcx_spec_add_rlimit(spec, "files", 1, 1, &err), EINVAL, err, "'files'");
	ck_assert_ok(lcx_spec_set_hostname(spec, "web", NULL));
	ck_assert_fails(lcx_spec_set_hostname(spec, long_name, &err), EINVAL, err, "64");
	ck_assert_str_eq(lcx_spec_hostname(spec), "web");
	ck_assert_ok(lcx_spec_set_annotation(spec, "a", "1", NULL));
	ck_assert_ok(lcx_spec_set_annotation(spec, "a", "2", NULL));
	ck_assert_str_eq(lcx_spec_annotation(spec, "a"), "2");
	ck_assert_ok(lcx_spec_set_annotation(spec, "a", NULL, NULL));
	ck_assert_ptr_null(lcx_spec_annotation(spec, "a"));
	ck_assert_ok(lcx_spec_set_root(spec, "rootfs", NULL));
	ck_assert_ok(lcx_spec_set_root_readonly(spec, 1, NULL));
	ck_assert_int_eq(lcx_spec_root_readonly(spec), 1);
	ck_assert_fails(lcx_spec_set_root(spec, "", &err), EINVAL, err, "empty");
	ck_assert_ok(lcx_spec_set_root_propagation(spec, "rslave", NULL));
	ck_assert_fails(lcx_spec_set_root_propagation(spec, "x", &err), EINVAL, err, "'x'");
	check_round_trip(spec);
}
END_TEST

START_TEST(privileged_takes_the_protection_away)
{
	CLEANUP(lcx_spec_freep) struct lcx_spec *spec = NULL;

	ck_assert_ok(lcx_spec_new(&spec, NULL));
	ck_assert_ok(lcx_spec_set_privileged(spec, NULL));
	ck_assert_int_eq(lcx_spec_has_capability(spec, "sys_admin"), 1);
	ck_assert_ptr_null(spec->linux_.seccomp);
	ck_assert_ptr_null(spec->linux_.masked_paths);
	ck_assert_uint_eq(spec->mounts.items[3].parsed.flags & MS_RDONLY, 0);
	ck_assert_int_eq(lcx_spec_has_namespace(spec, "pid"), 1);
	check_round_trip(spec);
}
END_TEST

/* ---- what can be put into effect ------------------------------------------------------ */

#define UTS      "\"linux\": {\"namespaces\": [{\"type\": \"uts\"}]}"
#define NS(type) "\"namespaces\": [{\"type\": \"" type "\"}]"

static const struct {
	const char *text, *words; /* NULL: it can */
	int code;
} check_cases[] = {
	{DOC("\"hostname\": \"x\", " UTS), NULL, 0},
	{DOC("\"hostname\": \"x\""), "hostname: needs a 'uts'", EINVAL},
	{DOC("\"domainname\": \"x\""), "domainname: needs a 'uts'", EINVAL},
	{MOUNT("\"type\": \"tmpfs\""), NULL, 0},
	{MOUNT("\"type\": \"tmpfs\", \"options\": [\"private\"]"), NULL, 0},
	{MOUNT("\"type\": \"tmpfs\", \"options\": [\"private\", \"slave\"]"), "needs a 'mount'",
	 EOPNOTSUPP},
	{MOUNT("\"type\": \"tmpfs\", \"options\": [\"rshared\"]"), "needs a 'mount'", EOPNOTSUPP},
	{LINUX("\"maskedPaths\": [\"/x\"]"), NULL, 0},
	{LINUX("\"rootfsPropagation\": \"private\""), NULL, 0},
	{LINUX("\"rootfsPropagation\": \"slave\""), "linux.rootfsPropagation", EOPNOTSUPP},
	{LINUX("\"rootfsPropagation\": \"slave\", " NS("mount")), NULL, 0},
	{LINUX("\"uidMappings\": [" MAP("0", "0", "1") "]"), "needs a 'user'", EINVAL},
	{LINUX(NS("user")), "needs both", EINVAL},
	{LINUX("\"timeOffsets\": {}"), "linux.timeOffsets: needs a 'time'", EINVAL},
	{LINUX("\"sysctl\": {\"net.core.somaxconn\": \"1\"}, " NS("network")), NULL, 0},
	{LINUX("\"sysctl\": {\"net/core/somaxconn\": \"1\"}, " NS("network")), NULL, 0},
	{LINUX("\"sysctl\": {\"net.core.somaxconn\": \"1\"}, " NS("ipc")), "'network'", EINVAL},
	{LINUX("\"sysctl\": {\"kernel.shmmax\": \"1\"}, " NS("ipc")), NULL, 0},
	{LINUX("\"sysctl\": {\"kernel.shmmaxx\": \"1\"}, " NS("ipc")), "no namespace", EINVAL},
	{LINUX("\"sysctl\": {\"kernel.core_pattern\": \"|/x\"}, " NS("ipc")), "no namespace",
	 EINVAL},
	{LINUX("\"sysctl\": {\"vm.overcommit_memory\": \"1\"}"), "no namespace", EINVAL},
	{LINUX("\"intelRdt\": {\"closID\": \"/\"}"), NULL, 0},
	{LINUX("\"memoryPolicy\": {\"mode\": \"MPOL_LOCAL\"}"), NULL, 0},
	{LINUX("\"personality\": {\"domain\": \"LINUX32\"}"), NULL, 0},
	{LINUX("\"personality\": {\"domain\": \"LINUX\", \"flags\": [\"X\"]}"),
	 "linux.personality.flags", EOPNOTSUPP},
	{LINUX("\"netDevices\": {\"eth0\": {}}"), "linux.netDevices: needs", EINVAL},
	{LINUX("\"netDevices\": {}"), NULL, 0},
	{LINUX("\"mountLabel\": \"\""), NULL, 0},
	{LINUX("\"seccomp\": {\"defaultAction\": \"SCMP_ACT_ALLOW\", \"listenerPath\": \"/x\"}"),
	 NULL, 0},
	{DOC("\"hooks\": {\"poststart\": [{\"path\": \"/x\"}]}"), NULL, 0},
	{DOC("\"hooks\": {\"poststart\": []}"), NULL, 0},
	{PROCESS("\"scheduler\": {\"policy\": \"SCHED_OTHER\"}"), NULL, 0},
	{PROCESS("\"ioPriority\": {\"class\": \"IOPRIO_CLASS_BE\"}"), NULL, 0},
	{PROCESS("\"execCPUAffinity\": {\"initial\": \"0\"}"), NULL, 0},
	{PROCESS("\"apparmorProfile\": \"unconfined\""), NULL, 0},
	{MOUNT("\"type\": \"tmpfs\", \"options\": [\"iversion\"]"), "mounts: iversion", EOPNOTSUPP},
	{MOUNT("\"type\": \"tmpfs\", \"options\": [\"idmap\"]"), "idmap", EOPNOTSUPP},
	{LINUX("\"seccomp\": {\"defaultAction\": \"SCMP_ACT_ALLOW\", \"flags\": "
	       "[\"SECCOMP_FILTER_FLAG_LOG\"]}"),
	 NULL, 0},
};

START_TEST(what_has_no_effect_is_refused_by_name)
{
	CLEANUP(lcx_spec_freep) struct lcx_spec *spec = parse(check_cases[_i].text);
	struct lcx_error *err = NULL;

	if (check_cases[_i].words)
		ck_assert_fails(lcx_spec_check(spec, &err), check_cases[_i].code, err,
				check_cases[_i].words);
	else
		ck_assert_ok(lcx_spec_check(spec, NULL));
}
END_TEST

static TCase *reading(void)
{
	TCase *tc = tcase_create("reading");

	tcase_add_test(tc, good_examples_are_read_and_written);
	tcase_add_test(tc, bad_examples_are_refused);
	tcase_add_test(tc, nothing_is_lost);
	tcase_add_test(tc, values_arrive_where_they_belong);
	tcase_add_loop_test(tc, bad_documents_are_refused_by_path, 0, ARRAY_SIZE(bad_cases));
	tcase_add_test(tc, depth_and_size_have_limits);
	tcase_add_test(tc, what_makes_a_tmpfs_does_not_change_what_is_bound_and_that_is_told);
	tcase_add_test(tc, what_is_unknown_is_ignored_and_told);
	tcase_add_test(tc, bytes_that_are_no_utf8_survive);
	tcase_add_test(tc, parts_of_a_document_can_be_read_alone);
	tcase_add_loop_test(tc, mount_options_become_flags, 0, ARRAY_SIZE(mount_cases));
	tcase_add_test(tc, every_option_of_the_specification_is_known);
	return tc;
}

static TCase *setting(void)
{
	TCase *tc = tcase_create("setting");

	tcase_add_test(tc, defaults_are_dockers);
	tcase_add_test(tc, the_environment_has_each_name_once);
	tcase_add_test(tc, capabilities_come_and_go);
	tcase_add_test(tc, mounts_are_replaced_in_place);
	tcase_add_test(tc, namespaces_are_made_joined_and_left);
	tcase_add_test(tc, resources_are_checked);
	tcase_add_test(tc, process_setters_check);
	tcase_add_test(tc, privileged_takes_the_protection_away);
	tcase_add_loop_test(tc, what_has_no_effect_is_refused_by_name, 0, ARRAY_SIZE(check_cases));
	return tc;
}

int main(void)
{
	Suite *suite = suite_create("spec");

	suite_add_tcase(suite, reading());
	suite_add_tcase(suite, setting());
	return unit_run(suite);
}
