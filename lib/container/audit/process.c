/* SPDX-License-Identifier: MIT */
#include "container/audit/audit.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/stat.h>

#include "init/enter.h"
#include "security/caps.h"
#include "util/fs.h"

/* Of the first process: who it is, what it may, where it is. */

static void add_text(struct audit *audit, const char *key, const char *text)
{
	(void)json_object_object_add(audit->json, key, text ? json_object_new_string(text) : NULL);
}

/* ---- namespaces --------------------------------------------------------- */

/* The default has all but two of its own: it shares users and clocks. */
static const struct {
	const char *name, *file;
	bool own_by_default;
} namespaces[] = {
	{"mount", "mnt", true},  {"pid", "pid", true},    {"network", "net", true},
	{"ipc", "ipc", true},    {"uts", "uts", true},    {"cgroup", "cgroup", true},
	{"user", "user", false}, {"time", "time", false},
};

int lcx__audit_namespaces(struct audit *audit, struct lcx_error **err)
{
	struct json_object *json = json_object_new_object();

	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++) {
		char own[32], host[48];
		struct stat theirs, ours;
		bool shared;

		(void)snprintf(own, sizeof(own), "ns/%s", namespaces[i].file);
		(void)snprintf(host, sizeof(host), "/proc/self/ns/%s", namespaces[i].file);
		/* This kernel has no such kind. */
		if (stat(host, &ours) < 0)
			continue;
		if (fstatat(audit->proc_fd, own, &theirs, 0) < 0) {
			int code = errno;

			(void)json_object_put(json);
			return lcx__fail_sys(err, code, "look at the %s namespace",
					     namespaces[i].name);
		}
		shared = ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
		(void)json_object_object_add(json, namespaces[i].name,
					     json_object_new_string(shared ? "host" : "own"));
		if (shared && strcmp(namespaces[i].file, "mnt") == 0)
			audit->shares_mounts = true;
		if (shared && namespaces[i].own_by_default)
			lcx__audit_weaker(audit, "it shares the host's %s namespace",
					  namespaces[i].name);
	}
	(void)json_object_object_add(audit->json, "namespaces", json);
	return 0;
}

/* ---- status ------------------------------------------------------------- */

/* The value behind "Key:\t" in /proc/PID/status; NULL if the kernel has none. */
static const char *status_value(const char *status, const char *key)
{
	size_t length = strlen(key);

	for (const char *line = status; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, length) == 0 && line[length] == ':')
			return line + length + 1 + strspn(line + length + 1, "\t ");
	}
	return NULL;
}

static const struct {
	const char *key, *name;
	bool empty_by_default;
} sets[] = {
	{"CapInh", "inheritable", true}, {"CapPrm", "permitted", false},
	{"CapEff", "effective", false},  {"CapBnd", "bounding", false},
	{"CapAmb", "ambient", true},
};

static struct json_object *capability_names(uint64_t mask)
{
	struct json_object *list = json_object_new_array();

	for (int cap = 0; cap < 64; cap++) {
		const char *name = lcx_capability_name(cap);
		char number[16];

		(void)snprintf(number, sizeof(number), "%d", cap);
		if (mask & (UINT64_C(1) << cap))
			(void)json_object_array_add(list,
						    json_object_new_string(name ? name : number));
	}
	return list;
}

static void audit_capabilities(struct audit *audit, const char *status)
{
	struct json_object *json = json_object_new_object();
	uint64_t all = 0, inheritable = 0, more;

	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		const char *text = status_value(status, sets[i].key);
		uint64_t mask = text ? strtoull(text, NULL, 16) : 0;

		(void)json_object_object_add(json, sets[i].name, capability_names(mask));
		if (sets[i].empty_by_default)
			inheritable |= mask;
		all |= mask;
	}
	(void)json_object_object_add(audit->json, "capabilities", json);
	if (audit->shares_mounts && all & UINT64_C(1) << CAP_SYS_ADMIN &&
	    all & UINT64_C(1) << CAP_SYS_CHROOT)
		lcx__audit_weaker(audit, "it may go to the root directory of the mount namespace "
					 "that it shares, which is the host's");
	more = all & ~lcx_capability_default_mask();
	for (int cap = 0; cap < 64; cap++)
		if (more & (UINT64_C(1) << cap))
			lcx__audit_weaker(audit, "it has %s, which the default has not",
					  lcx_capability_name(cap) ? lcx_capability_name(cap)
								   : "an unknown capability");
	if (inheritable)
		lcx__audit_weaker(audit, "its inheritable or ambient capabilities are not empty");
}

static void audit_filter(struct audit *audit, const char *status)
{
	static const char *const modes[] = {"none", "strict", "filter"};
	const char *mode = status_value(status, "Seccomp");
	const char *filters = status_value(status, "Seccomp_filters");
	unsigned long number = mode ? strtoul(mode, NULL, 10) : 0;
	struct json_object *json = json_object_new_object();

	(void)json_object_object_add(
		json, "mode",
		json_object_new_string(number < ARRAY_SIZE(modes) ? modes[number] : "unknown"));
	if (filters)
		(void)json_object_object_add(json, "filters",
					     json_object_new_int64(strtoll(filters, NULL, 10)));
	(void)json_object_object_add(audit->json, "seccomp", json);
	if (number == 0)
		lcx__audit_weaker(audit, "it has no seccomp filter");
}

static struct json_object *id_map(const struct audit *audit, const char *file)
{
	CLEANUP(freep) char *text = lcx__audit_read(audit, file);
	struct json_object *list = json_object_new_array();
	long long inside, outside, size;
	int used = 0;

	for (const char *at = text;
	     at && sscanf(at, "%lld %lld %lld%n", &inside, &outside, &size, &used) == 3;
	     at += used) {
		struct json_object *range = json_object_new_object();

		(void)json_object_object_add(range, "containerID", json_object_new_int64(inside));
		(void)json_object_object_add(range, "hostID", json_object_new_int64(outside));
		(void)json_object_object_add(range, "size", json_object_new_int64(size));
		(void)json_object_array_add(list, range);
	}
	return list;
}

/* Stacked modules have directories of their own; before, one of them had all there is. */
static void audit_labels(struct audit *audit)
{
	CLEANUP(freep) char *apparmor = lcx__audit_read(audit, "attr/apparmor/current");
	CLEANUP(freep) char *current = lcx__audit_read(audit, "attr/current");

	add_text(audit, "apparmor", apparmor && *apparmor ? apparmor : NULL);
	add_text(audit, "label", current && *current ? current : NULL);
}

int lcx__audit_process(struct audit *audit, struct lcx_error **err)
{
	CLEANUP(freep) char *status = lcx__audit_read(audit, "status");
	CLEANUP(freep) char *score = lcx__audit_read(audit, "oom_score_adj");
	const char *value;

	if (!status)
		return lcx__fail(err, ESRCH, "container '%s' has just ended",
				 lcx__container_display(audit->c));
	(void)json_object_object_add(audit->json, "pid",
				     json_object_new_int(lcx_container_pid(audit->c)));
	value = status_value(status, "Uid");
	(void)json_object_object_add(audit->json, "hostUid",
				     json_object_new_int64(value ? strtoll(value, NULL, 10) : -1));
	(void)json_object_object_add(audit->json, "uidMappings", id_map(audit, "uid_map"));
	(void)json_object_object_add(audit->json, "gidMappings", id_map(audit, "gid_map"));
	audit_capabilities(audit, status);
	value = status_value(status, "NoNewPrivs");
	(void)json_object_object_add(audit->json, "noNewPrivileges",
				     json_object_new_boolean(value && *value == '1'));
	audit_filter(audit, status);
	audit_labels(audit);
	/* The kernel tells nobody by which rules a process is confined. */
	(void)json_object_object_add(audit->json, "landlock", NULL);
	if (score) {
		(void)json_object_object_add(audit->json, "oomScoreAdj",
					     json_object_new_int64(strtoll(score, NULL, 10)));
		if (strtoll(score, NULL, 10) < 0)
			lcx__audit_weaker(audit, "the kernel spares it when memory is short");
	}
	return 0;
}

/* ---- kernel parameters -------------------------------------------------- */

static const char *const parameters[] = {
	"net.ipv4.ip_forward",
	"net.ipv4.ip_unprivileged_port_start",
	"net.ipv4.ping_group_range",
	"net.ipv6.conf.all.forwarding",
	"kernel.shmmax",
	"kernel.shm_rmid_forced",
	"kernel.msgmax",
	"fs.mqueue.queues_max",
};

/* What a parameter is in there, only somebody who is in there is told. */
static void add_parameter(const struct audit *audit, struct json_object *json, const char *name)
{
	bool network = strncmp(name, "net", 3) == 0;
	CLEANUP(closep)
	int ns_fd = openat(audit->proc_fd, network ? "ns/net" : "ns/ipc", O_RDONLY | O_CLOEXEC);
	CLEANUP(freep) char *path = lcx__format("/proc/sys/%s", name);
	CLEANUP(freep) char *text = NULL;
	CLEANUP(closep) int fd = -1;

	for (char *at = path; at && !strchr(name, '/') && *at; at++)
		*at = *at == '.' ? '/' : *at;
	if (!path || ns_fd < 0)
		return;
	fd = lcx__open_in_namespace(ns_fd, path);
	if (fd < 0 || lcx__read_fd(fd, 4096, &text, NULL) < 0)
		return;
	text[strcspn(text, "\n")] = '\0';
	(void)json_object_object_add(json, name, json_object_new_string(text));
}

int lcx__audit_sysctls(struct audit *audit, struct lcx_error **err)
{
	const struct lcx__spec_linux *linux_ = &audit->c->spec->linux_;
	struct json_object *json = json_object_new_object();

	(void)err;
	for (size_t i = 0; i < ARRAY_SIZE(parameters); i++)
		add_parameter(audit, json, parameters[i]);
	for (size_t i = 0; i < linux_->sysctl.n; i++)
		add_parameter(audit, json, linux_->sysctl.items[i].key);
	(void)json_object_object_add(audit->json, "sysctls", json);
	return 0;
}
