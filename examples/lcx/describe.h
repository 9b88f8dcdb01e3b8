/* SPDX-License-Identifier: MIT */
#pragma once

/* What `create` and `run` have in common: the options that describe a container. */

#include <stdbool.h>
#include <stdint.h>

#include "app.h"
#include "attachment.h"
#include "fetch.h"
#include "limits.h"
#include "memory.h"
#include "options.h"
#include "resources.h"
#include "users.h"

struct run_options {
	bool system, interactive, tty, detach, remove, read_only, privileged, init, no_healthcheck;
	const char *name, *user, *workdir, *hostname;
	const char *pod, *entrypoint, *rootfs, *log_driver, *stop_signal, *pull, *detach_keys, *restart,
		*stop_timeout;
	const char *health_cmd, *health_interval, *health_timeout, *health_start_period,
		*health_start_interval, *health_retries;
	struct list dns, dns_search, dns_options, hosts;
	struct list env, env_files, mounts, ulimits, volumes, devices, ports, cap_add, cap_drop, labels, log_options, security,
		storage_options, landlock;
	struct network_options network;
	struct user_options users;
	struct limit_options limits;
	struct resource_options resources;
	struct fetch_options fetch;
};

#define RUN_ROW(letter, name, type, member, argument, help)                                        \
	{                                                                                          \
		letter, name, type, offsetof(struct run_options, member), argument, help           \
	}

#define RUN_ROWS                                                                                   \
	RUN_ROW('i', "interactive", OPTION_FLAG, interactive, NULL, "pass standard input on"),     \
		RUN_ROW('t', "tty", OPTION_FLAG, tty, NULL, "give it a terminal"),                 \
		RUN_ROW('\0', "restart", OPTION_STRING, restart, "POLICY",                         \
			"no, always, unless-stopped, on-failure[:N]"),                             \
		RUN_ROW('\0', "rm", OPTION_FLAG, remove, NULL,                                     \
			"remove the container when it has ended"),                                 \
		RUN_ROW('\0', "name", OPTION_STRING, name, "NAME", "of the container"),            \
		RUN_ROW('e', "env", OPTION_LIST, env, "NAME[=VALUE]",                              \
			"set a variable; without value: as here"),                                 \
		RUN_ROW('\0', "env-file", OPTION_LIST, env_files, "FILE",                         \
			"variables, a line each; -e comes after them"),                            \
		RUN_ROW('w', "workdir", OPTION_STRING, workdir, "DIR", "working directory"),       \
		RUN_ROW('u', "user", OPTION_STRING, user, "USER[:GROUP]",                          \
			"names of the container, or numbers"),                                     \
		RUN_ROW('v', "volume", OPTION_LIST, volumes, "[SOURCE:]DIR[:ro]",                  \
			"mount a directory or a volume; ro, nocopy, ..."),                         \
		RUN_ROW('\0', "mount", OPTION_LIST, mounts, "type=TYPE,FIELD=...",                \
			"bind, volume or tmpfs: source, target, readonly, ..."),                   \
		RUN_ROW('\0', "ulimit", OPTION_LIST, ulimits, "NAME=SOFT[:HARD]",                 \
			"a limit of its processes: nofile=1024"),                                  \
		RUN_ROW('\0', "device", OPTION_LIST, devices, "DEVICE[:DIR][:rwm]",            \
			"a device of the host's"),                                         \
		RUN_ROW('\0', "pod", OPTION_STRING, pod, "POD",                                   \
			"share the network and more with its other members"),              \
		USER_ROWS(struct run_options, users), LIMIT_ROWS(struct run_options, limits),      \
		RESOURCE_ROWS(struct run_options, resources),                                      \
		RUN_ROW('\0', "network", OPTION_LIST, network.networks, "NETWORK",                 \
			"bridge, none, host, container:NAME, ns:PATH; a name, or "                 \
			"name=NAME,ip=ADDRESS,..."),                                               \
		RUN_ROW('\0', "net", OPTION_LIST, network.networks, "NETWORK", NULL),              \
		RUN_ROW('\0', "ip", OPTION_STRING, network.ip, "ADDRESS",                          \
			"a certain IPv4 address"),                                                 \
		RUN_ROW('\0', "ip6", OPTION_STRING, network.ip6, "ADDRESS",                        \
			"a certain IPv6 address"),                                                 \
		RUN_ROW('\0', "mac-address", OPTION_STRING, network.mac_address, "MAC",            \
			"of the first interface"),                                                 \
		RUN_ROW('\0', "network-alias", OPTION_LIST, network.aliases, "NAME",               \
			"one more name in the first network"),                                     \
		RUN_ROW('\0', "net-alias", OPTION_LIST, network.aliases, "NAME", NULL),            \
		RUN_ROW('p', "publish", OPTION_LIST, ports, "[[ADDRESS:]PORT:]PORT",               \
			"make a port reachable from outside"),                                     \
		RUN_ROW('\0', "dns", OPTION_LIST, dns, "ADDRESS",                                  \
			"a name server, instead of the network's or the host's"),                  \
		RUN_ROW('\0', "dns-search", OPTION_LIST, dns_search, "DOMAIN",                     \
			"where a short name is looked for; . for nowhere"),                        \
		RUN_ROW('\0', "dns-option", OPTION_LIST, dns_options, "OPTION",                    \
			"of resolv.conf: ndots:2"),                                                \
		RUN_ROW('\0', "dns-opt", OPTION_LIST, dns_options, "OPTION", NULL),                \
		RUN_ROW('\0', "add-host", OPTION_LIST, hosts, "NAME:ADDRESS",                      \
			"a line of its hosts file; host-gateway for this host"),                   \
		RUN_ROW('h', "hostname", OPTION_STRING, hostname, "NAME",                          \
			"the container's host name"),                                              \
		RUN_ROW('\0', "read-only", OPTION_FLAG, read_only, NULL,                           \
			"mount the root file system read-only"),                                   \
		RUN_ROW('\0', "cap-add", OPTION_LIST, cap_add, "CAPABILITY",                       \
			"give a capability, or ALL"),                                              \
		RUN_ROW('\0', "cap-drop", OPTION_LIST, cap_drop, "CAPABILITY",                     \
			"take a capability, or ALL"),                                              \
		RUN_ROW('\0', "security-opt", OPTION_LIST, security, "OPTION",                     \
			"seccomp=FILE, apparmor=PROFILE, label=type:TYPE, ..."),                   \
		RUN_ROW('\0', "landlock", OPTION_LIST, landlock, "RULE[,RULE]...",                 \
			"ro=/usr, rw=/tmp, tcp-connect=443, ..., best-effort"),                    \
		RUN_ROW('\0', "privileged", OPTION_FLAG, privileged, NULL,                         \
			"take away all that protects the host"),                                   \
		RUN_ROW('\0', "entrypoint", OPTION_STRING, entrypoint, "PROGRAM",                  \
			"instead of the image's"),                                                 \
		RUN_ROW('\0', "rootfs", OPTION_STRING, rootfs, "DIR",                              \
			"run on this directory; no IMAGE is given"),                               \
		RUN_ROW('l', "label", OPTION_LIST, labels, "KEY[=VALUE]",                          \
			"data for whoever looks at it"),                                           \
		RUN_ROW('\0', "log-driver", OPTION_STRING, log_driver, "DRIVER",                   \
			"json-file, cri, journald, syslog, passthrough, none"),                    \
		RUN_ROW('\0', "storage-opt", OPTION_LIST, storage_options, "KEY=VALUE",            \
			"of the read-write layer: size=10g, volatile=on"),                         \
		RUN_ROW('\0', "log-opt", OPTION_LIST, log_options, "KEY=VALUE",                    \
			"max-size=10m, max-file=3, tag={{.Name}}, ..."),                           \
		RUN_ROW('\0', "health-cmd", OPTION_STRING, health_cmd, "LINE",                     \
			"a command of its shell that tells whether it is well"),                   \
		RUN_ROW('\0', "health-interval", OPTION_STRING, health_interval, "TIME",           \
			"from check to check: 30s"),                                               \
		RUN_ROW('\0', "health-timeout", OPTION_STRING, health_timeout, "TIME",             \
			"how long a check may take: 30s"),                                         \
		RUN_ROW('\0', "health-retries", OPTION_STRING, health_retries, "NUMBER",           \
			"of failures that make it unhealthy: 3"),                                  \
		RUN_ROW('\0', "health-start-period", OPTION_STRING, health_start_period, "TIME",   \
			"how long failures do not count: 0s"),                                     \
		RUN_ROW('\0', "health-start-interval", OPTION_STRING, health_start_interval,       \
			"TIME", "from check to check meanwhile: 5s"),                              \
		RUN_ROW('\0', "no-healthcheck", OPTION_FLAG, no_healthcheck, NULL,                 \
			"none, whatever the image says"),                                          \
		RUN_ROW('\0', "system", OPTION_FLAG, system, NULL,                                 \
			"a whole system, with an init of its own"),                      \
		RUN_ROW('\0', "init", OPTION_FLAG, init, NULL,                                     \
			"a process 1 that reaps and hands signals on"),                            \
		RUN_ROW('\0', "stop-timeout", OPTION_STRING, stop_timeout, "SECONDS",              \
			"how long stop waits; default 10"),                                        \
		RUN_ROW('\0', "stop-signal", OPTION_STRING, stop_signal, "SIGNAL",                 \
			"sent by stop first"),                                                     \
		RUN_ROW('\0', "pull", OPTION_STRING, pull, "WHEN",                                 \
			"the image: missing (default), always, never"),                            \
		FETCH_ROWS(struct run_options, fetch)

void run_options_free(struct run_options *o);

/* Describe a new container, with its image fetched if need be. What goes wrong is reported. Return:
 * NULL then; else the caller frees it. */
struct lcx_container *describe_container(struct app *app, const struct run_options *o, int argc,
					 char **argv);

/* It never ran, so nobody misses it. The error is reported. Return: the exit code. */
int fail_start(struct app *app, struct lcx_container *c, struct lcx_error **err);
void print_steps(const struct app *app, const struct lcx_container *c);
