/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "runtime.h"

/*
 * features.md of the specification. Nothing here is believed: what stands in a list is a
 * description that the library, on this kernel, says it can put into effect.
 */

/* Whether a config.json, with @value in the place of its '@', could run. */
static bool works(const char *config, const char *value)
{
	CLEANUP(lcx_spec_freep) struct lcx_spec *spec = NULL;
	size_t before = strcspn(config, "@");
	char json[1024];
	int n = snprintf(json, sizeof(json), "%.*s%s%s", (int)before, config, value,
			 config + before + 1);

	return n > 0 && n < (int)sizeof(json) &&
	       lcx_spec_from_json(json, strlen(json), &spec, NULL) == 0 &&
	       lcx_spec_n_warnings(spec) == 0 && lcx_spec_check(spec, NULL) == 0;
}

#define HEAD    "{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"r\"},\"process\":{\"cwd\":\"/\"},"
#define MOUNT   "\"linux\":{\"namespaces\":[{\"type\":\"mount\"}]},"
#define SECCOMP HEAD "\"linux\":{\"seccomp\":{\"defaultAction\":"

static const char *const namespaces[] = {"cgroup", "ipc",  "mount", "network", "pid",
					 "time",   "user", "uts",   NULL};
static const char *const mount_options[] = {"async",         "atime",        "bind",
					    "defaults",      "dev",          "diratime",
					    "dirsync",       "exec",         "idmap",
					    "iversion",      "lazytime",     "loud",
					    "mand",          "noatime",      "nodev",
					    "nodiratime",    "noexec",       "noiversion",
					    "nolazytime",    "nomand",       "norelatime",
					    "nostrictatime", "nosuid",       "nosymfollow",
					    "private",       "ratime",       "rbind",
					    "rdev",          "rdiratime",    "relatime",
					    "remount",       "rexec",        "ridmap",
					    "rnoatime",      "rnodev",       "rnodiratime",
					    "rnoexec",       "rnorelatime",  "rnostrictatime",
					    "rnosuid",       "rnosymfollow", "ro",
					    "rprivate",      "rrelatime",    "rro",
					    "rrw",           "rshared",      "rslave",
					    "rstrictatime",  "rsuid",        "rsymfollow",
					    "runbindable",   "rw",           "shared",
					    "silent",        "slave",        "strictatime",
					    "suid",          "symfollow",    "sync",
					    "tmpcopyup",     "unbindable",   NULL};
static const char *const hooks[] = {
	"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop",
	NULL};
static const char *const actions[] = {"SCMP_ACT_ALLOW",       "SCMP_ACT_ERRNO",
				      "SCMP_ACT_KILL",        "SCMP_ACT_KILL_PROCESS",
				      "SCMP_ACT_KILL_THREAD", "SCMP_ACT_LOG",
				      "SCMP_ACT_NOTIFY",      "SCMP_ACT_TRACE",
				      "SCMP_ACT_TRAP",        NULL};
static const char *const operators[] = {"SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT",
					"SCMP_CMP_LE", "SCMP_CMP_LT", "SCMP_CMP_MASKED_EQ",
					"SCMP_CMP_NE", NULL};
static const char *const archs[] = {
	"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM",      "SCMP_ARCH_LOONGARCH64",
	"SCMP_ARCH_MIPS",    "SCMP_ARCH_MIPS64",   "SCMP_ARCH_MIPS64N32",
	"SCMP_ARCH_MIPSEL",  "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32",
	"SCMP_ARCH_PARISC",  "SCMP_ARCH_PARISC64", "SCMP_ARCH_PPC",
	"SCMP_ARCH_PPC64",   "SCMP_ARCH_PPC64LE",  "SCMP_ARCH_RISCV64",
	"SCMP_ARCH_S390",    "SCMP_ARCH_S390X",    "SCMP_ARCH_X32",
	"SCMP_ARCH_X86",     "SCMP_ARCH_X86_64",   NULL};
static const char *const seccomp_flags[] = {
	"SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_TSYNC",
	"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", NULL};

static const struct list {
	const char *open, *key;
	const char *const *names;
	const char *format; /* NULL: they are what the specification knows, not what works */
	const char *close;
} lists[] = {
	{"", "hooks", hooks, HEAD "\"hooks\":{\"@\":[{\"path\":\"/bin/true\"}]}}", ","},
	{"", "mountOptions", mount_options,
	 HEAD MOUNT "\"mounts\":[{\"destination\":\"/m\",\"type\":\"tmpfs\",\"options\":[\"@\"]}]}",
	 ",\"linux\":{"},
	{"", "namespaces", namespaces,
	 HEAD "\"linux\":{\"namespaces\":[{\"type\":\"@\",\"path\":\"/n\"}]}}", ","},
	{"\"seccomp\":{\"enabled\":true,", "actions", actions, SECCOMP "\"@\"}}}", ","},
	{"", "operators", operators,
	 SECCOMP "\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"read\"],\"action\":"
		 "\"SCMP_ACT_ERRNO\",\"args\":[{\"index\":0,\"value\":1,\"op\":\"@\"}]}]}}}",
	 ","},
	{"", "archs", archs, SECCOMP "\"SCMP_ACT_ALLOW\",\"architectures\":[\"@\"]}}}", ","},
	{"", "knownFlags", seccomp_flags, NULL, ","},
	{"", "supportedFlags", seccomp_flags, SECCOMP "\"SCMP_ACT_ALLOW\",\"flags\":[\"@\"]}}}",
	 "},"},
};

/* Properties that are there as a whole or not at all. */
static const struct {
	const char *open, *key, *config, *close;
} switches[] = {
	{"\"apparmor\":{", "enabled",
	 "{\"ociVersion\":\"1.3.0\",\"process\":{\"cwd\":\"/\",\"apparmorProfile\":\"@\"}}", "},"},
	{"\"selinux\":{", "enabled",
	 "{\"ociVersion\":\"1.3.0\",\"process\":{\"cwd\":\"/\",\"selinuxLabel\":\"@\"}}", "},"},
	{"\"intelRdt\":{", "enabled", HEAD "\"linux\":{\"intelRdt\":{\"closID\":\"@\"}}}", ","},
	{"", "schemata", HEAD "\"linux\":{\"intelRdt\":{\"schemata\":[\"@\"]}}}", ","},
	{"", "monitoring",
	 HEAD "\"linux\":{\"intelRdt\":{\"closID\":\"@\",\"enableMonitoring\":true}}}", "},"},
	{"\"mountExtensions\":{\"idmap\":{", "enabled",
	 HEAD MOUNT "\"mounts\":[{\"destination\":\"/@\",\"type\":\"bind\",\"source\":\"/m\","
		    "\"options\":[\"bind\",\"idmap\"],\"uidMappings\":[{\"containerID\":0,"
		    "\"hostID\":1,\"size\":1}],\"gidMappings\":[{\"containerID\":0,\"hostID\":1,"
		    "\"size\":1}]}]}",
	 "}},"},
	{"\"netDevices\":{", "enabled",
	 HEAD "\"linux\":{\"namespaces\":[{\"type\":\"network\"}],\"netDevices\":{\"@\":{}}}}",
	 "}"},
};

static void print_list(const struct list *list)
{
	bool first = true;

	printf("%s\"%s\":[", list->open, list->key);
	for (size_t i = 0; list->names[i]; i++) {
		if (list->format && !works(list->format, list->names[i]))
			continue;
		printf("%s\"%s\"", first ? "" : ",", list->names[i]);
		first = false;
	}
	printf("]%s", list->close);
}

static void print_capabilities(void)
{
	fputs("\"capabilities\":[", stdout);
	for (int32_t i = 0; i <= lcx_capability_last() && lcx_capability_name(i); i++)
		printf("%s\"%s\"", i ? "," : "", lcx_capability_name(i));
	fputs("],", stdout);
}

int cmd_features(struct runtime *rt, void *values, int argc, char **argv)
{
	const char *systemd = lcx_has_feature("systemd") ? "true" : "false";
	bool seccomp = lcx_has_feature("seccomp");

	(void)rt, (void)values, (void)argc, (void)argv;
	fputs("{\"ociVersionMin\":\"1.0.0\",\"ociVersionMax\":\"1.3.0\",", stdout);
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		if (lists[i].names == actions) {
			print_capabilities();
			printf("\"cgroup\":{\"v1\":true,\"v2\":true,\"systemd\":%s,"
			       "\"systemdUser\":%s,\"rdma\":true},",
			       systemd, systemd);
		}
		if (i >= 3 && !seccomp) {
			fputs("\"seccomp\":{\"enabled\":false},", stdout);
			break;
		}
		print_list(&lists[i]);
	}
	for (size_t i = 0; i < sizeof(switches) / sizeof(*switches); i++)
		printf("%s\"%s\":%s%s", switches[i].open, switches[i].key,
		       works(switches[i].config, "x") ? "true" : "false", switches[i].close);
	printf("},\"annotations\":{\"org.opencontainers.runtime-spec.features\":\"1.3.0\","
	       "\"org.opencontainers.runc.checkpoint.enabled\":\"%s\","
	       "\"io.lcx.version\":\"%s\"},\"potentiallyUnsafeConfigAnnotations\":[\"org.systemd.property.\"]}\n",
	       lcx_checkpoint_check(NULL) == 0 ? "true" : "false", lcx_version());
	return 0;
}
