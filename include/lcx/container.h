/* SPDX-License-Identifier: MIT */
#ifndef LCX_CONTAINER_H
#define LCX_CONTAINER_H

#include <stdint.h>

#include <lcx/ctx.h>
#include <lcx/error.h>
#include <lcx/log.h>
#include <lcx/process.h>
#include <lcx/version.h>

#ifdef __cplusplus
extern "C" {
#endif

struct lcx_attachment;     /* lcx/net.h */
struct lcx_cgroup_figures; /* lcx/cgroup.h */
struct lcx_cgroup_pids;    /* likewise */
struct lcx_cgroup_stats;   /* likewise */
struct lcx_cgroup_watch;   /* likewise */
struct lcx_image;          /* lcx/image.h */
struct lcx_overlay_diff;   /* lcx/overlay.h */
struct lcx_spec;           /* lcx/spec.h */

/**
 * struct lcx_container - one container: a description, then a running thing
 *
 * The life of a container: lcx_container_new() and setters describe it,
 * lcx_container_create() puts it on disk, lcx_container_start() makes
 * namespaces, root file system, network and cgroup and executes its process;
 * when that has ended all of these are taken down again and the container is
 * *stopped*: its read-write layer, log and exit status stay until
 * lcx_container_remove(). Each step is a transaction: it either happens or
 * leaves nothing behind, even if the program is killed in the middle (the next
 * lcx_ctx_open() then finishes the clearing up).
 *
 * A container that was started with lcx_container_start() belongs to the
 * program: its output is copied by the program's calls, and it is ended if the
 * program dies. One started with lcx_container_start_detached() belongs to a
 * tiny monitor process and outlives the program.
 *
 * Any process may open a container by name and do all of this. One thread at a
 * time per handle, any number of handles in any number of threads.
 */
struct lcx_container;

/* ---- describing --------------------------------------------------------- */

/**
 * lcx_container_new() - describe a new container
 * @ctx:  must outlive the handle
 * @name: [A-Za-z0-9][A-Za-z0-9_.-]{0,127}, or NULL to go by the identifier only
 *
 * The description starts with lcx_spec_new()'s defaults, no root file system,
 * network "bridge" and log driver "json-file".
 * Return: 0, -EINVAL for a bad name, -ENOMEM.
 */
int lcx_container_new(struct lcx_ctx *ctx, const char *name, struct lcx_container **ret,
		      struct lcx_error **err);

/**
 * lcx_container_spec() - borrow the OCI description, to refine it
 *
 * What is set there wins over what the image says. Of changes after lcx_container_create(), only
 * those of limits have an effect, by lcx_container_update(). NULL only if the description of a
 * container that was opened cannot be read.
 */
struct lcx_spec *lcx_container_spec(struct lcx_container *c);

/** lcx_container_set_image() - run on this image's layers with its entrypoint, environment, ... */
int lcx_container_set_image(struct lcx_container *c, const char *reference, struct lcx_error **err);

/** lcx_container_set_rootfs() - run on this directory itself, without a read-write layer */
int lcx_container_set_rootfs(struct lcx_container *c, const char *path, struct lcx_error **err);

/**
 * lcx_container_set_entrypoint() / lcx_container_set_command() - as Docker has them
 * @argv: NULL-terminated; copied
 *
 * The process's arguments are entrypoint then command; either defaults to the
 * image's, but an entrypoint that is set also drops the image's command.
 */
int lcx_container_set_entrypoint(struct lcx_container *c, const char *const *argv,
				 struct lcx_error **err);
int lcx_container_set_command(struct lcx_container *c, const char *const *argv,
			      struct lcx_error **err);

/** lcx_container_add_env() - "NAME=value"; replaces one of the same name, the image's too */
int lcx_container_add_env(struct lcx_container *c, const char *assignment, struct lcx_error **err);

/**
 * lcx_container_set_user() - "uid[:gid]" or "name[:group]"
 *
 * Names are looked up in the container's own /etc/passwd and /etc/group at
 * creation, by no library of the host's (no NSS).
 */
int lcx_container_set_user(struct lcx_container *c, const char *user, struct lcx_error **err);

/**
 * lcx_container_set_userns() - whose users and groups of the host the container's are
 * @userns: "host": those of this process (default). "auto": 65536 that no other container has,
 *          "auto:size=COUNT": so many. "private": those that lcx_spec_add_uid_map() and
 *          lcx_spec_add_gid_map() say. "ns:/PATH": those of a user namespace that is there
 *
 * A range is chosen when the container is created and is its own until it is removed; a record in
 * the root directory says so, whoever dies when. It is taken from those that /etc/subuid and
 * /etc/subgid give to root, else from 1879048192 to 2147352575; ranges that other containers of
 * the same root directory were given by maps are left alone. Only root, in the first user
 * namespace, has such ranges. What else follows from a user namespace: lcx-container(3), "Its
 * users".
 *
 * Return: 0, -EINVAL, -EEXIST after creation. Of creation then: -ENOSPC when no range is left,
 * -EPERM, -EINVAL for "auto" along with maps.
 */
int lcx_container_set_userns(struct lcx_container *c, const char *userns, struct lcx_error **err);

/** lcx_container_set_cwd() - the working directory; made if it is missing, as Docker does */
int lcx_container_set_cwd(struct lcx_container *c, const char *path, struct lcx_error **err);

/**
 * lcx_container_add_volume() - "[SOURCE:]DESTINATION[:OPTION,...]"
 *
 * SOURCE is an absolute path of the host, or the name of a volume (lcx/volume.h), which creation
 * makes if it is not there. Without, it is an anonymous volume of this container. At its first use,
 * while it is empty, a volume gets what the image has at DESTINATION, unless the option "nocopy" is
 * given. Where the image wants volumes and nothing is put, creation makes anonymous ones. Options:
 * ro, rw, "bind" for a directory of the host without the mounts below it, and others of mount(8)
 * and the OCI specification, of which "idmap" shows the files with the owners that the container's
 * user namespace has for theirs, and "idmap=uids=FIRST-HOST-COUNT#...;gids=..." those that have
 * FIRST on the disk as HOST's, both as seen by the host. Return: 0, -EINVAL, -ENOENT.
 */
int lcx_container_add_volume(struct lcx_container *c, const char *volume, struct lcx_error **err);

/**
 * lcx_container_add_device() - "HOST[:CONTAINER[:ACCESS]]": a device of the host's, and its use
 *
 * HOST is the path of a node, or of a directory all of whose nodes are meant; CONTAINER is where
 * they are in there, the same if it isn't said; ACCESS is of "rwm" (read, write, mknod), all of it
 * if it isn't said. They are looked at when the container is created. Where the container has users
 * of its own the host's nodes are bound into it, as no node can be made there, and they are opened
 * with the rights that those users have on the host. Return: 0, -EINVAL. Of creation then: -ENOENT,
 * -EINVAL for what is no device.
 */
int lcx_container_add_device(struct lcx_container *c, const char *device, struct lcx_error **err);

/**
 * lcx_container_set_network() - "bridge" or the name of a network, or what stands alone
 * @network: "none"; "host": the host's own; "pasta": of an ordinary user, the way out and published
 *           ports by passt's pasta(1), as lcx-net(3) tells; "container:NAME": that of a container,
 *           which must run whenever this one is started; "ns:/PATH": a network namespace, as
 *           ip-netns(8) pins them in /run/netns. With the last two nothing is made, and nothing
 *           taken down
 *
 * Starts fail with -EOPNOTSUPP while pasta is not installed.
 */
int lcx_container_set_network(struct lcx_container *c, const char *network, struct lcx_error **err);

/**
 * lcx_container_add_dns() - a server to ask names of, instead of the network's resolver or the
 * host's
 * @server: an address; several are asked in their order
 *
 * A container with servers of its own finds no neighbours by their names, unless it is told to ask
 * the network's gateway first. This, search domains, options and hosts need an image, and a network
 * that is not "container:NAME": -EINVAL at the creation.
 */
int lcx_container_add_dns(struct lcx_container *c, const char *server, struct lcx_error **err);
/** lcx_container_add_dns_search() - of its resolv.conf, instead of the host's; "." alone: none */
int lcx_container_add_dns_search(struct lcx_container *c, const char *domain,
				 struct lcx_error **err);
/** lcx_container_add_dns_option() - of its resolv.conf, instead of the host's: "ndots:2" */
int lcx_container_add_dns_option(struct lcx_container *c, const char *option,
				 struct lcx_error **err);
/**
 * lcx_container_add_host() - one more line of its hosts file
 * @entry: "NAME:ADDRESS" or "NAME=ADDRESS"; the address "host-gateway" is that of this host on the
 *         network that gives the default route, and a failure of the start where there is none
 */
int lcx_container_add_host(struct lcx_container *c, const char *entry, struct lcx_error **err);

/**
 * lcx_container_add_network() - one of the networks that it is attached to when it starts
 * @network:    its name
 * @attachment: how: address, MAC, interface, aliases, gateway's priority, rates; its owner is this
 *              container, lcx_container_id(). NULL: as it comes. Copied
 *
 * The first call takes the place of lcx_container_set_network(). Interfaces without a name of their
 * own are eth0, eth1 ... in this order at every start. What lcx_container_publish() says is
 * published by the network that gives the way out.
 *
 * Return: 0; -EEXIST when it has that network already; -EINVAL for "none", "host" and the like,
 * which stand alone, and for ports in @attachment.
 */
int lcx_container_add_network(struct lcx_container *c, const char *network,
			      const struct lcx_attachment *attachment, struct lcx_error **err);

/** lcx_container_publish() - "[[HOST_ADDRESS:]HOST_PORT:]CONTAINER_PORT[/tcp|udp]" */
int lcx_container_publish(struct lcx_container *c, const char *port, struct lcx_error **err);

/**
 * lcx_container_set_log_driver() - what becomes of its output
 * @driver: "json-file" (the default), "cri" (what the kubelet reads), "journald", "syslog" (RFC
 *          5424 on a unix socket), "none"; or "passthrough": its descriptors are those of the
 *          starter's lcx_stdio_set_passthrough(), also if it is detached
 */
int lcx_container_set_log_driver(struct lcx_container *c, const char *driver,
				 struct lcx_error **err);

/**
 * lcx_container_set_log_option() - as Docker has them; lcx-container(3) lists them
 *
 * "max-size", "max-file", "max-age" ("24h") and "compress" ("true") of files; "mode" (blocking,
 * non-blocking) and "max-buffer-size" of journald and syslog; "tag", "labels", "env";
 * "syslog-address", "syslog-facility", "syslog-format", "syslog-framing". Whether the driver has it
 * shows when the container is created. Return: 0, -EINVAL for an option or a value that is none.
 */
int lcx_container_set_log_option(struct lcx_container *c, const char *key, const char *value,
				 struct lcx_error **err);

/**
 * lcx_container_set_log_callback() - have a function called with each line, instead of a driver
 *
 * Of a container that this handle starts with lcx_container_start(): a detached one has nobody to
 * call, and another handle must be given a function, too. Return: 0, -EINVAL without @fn.
 */
int lcx_container_set_log_callback(struct lcx_container *c, lcx_log_fn fn, void *data,
				   struct lcx_error **err);

/**
 * lcx_container_set_storage_option() - how the read-write layer over an image is kept
 * @key:   "size" ("10g"): how much it may hold, where the file system enforces project
 *         quotas (xfs, ext4); elsewhere creation fails with -EOPNOTSUPP.
 *         "volatile" ("on", "off"): nothing waits for the disk; after a crash of the machine the
 *         container can't be started any more. Unless it says otherwise, a container that is
 *         removed at its end has it on, but for an ordinary user's.
 *         "chown" ("copy"): a container with a user namespace has a copy of its image with its
 *         own ids, made when it is created and removed with it. Without, layers are shared and
 *         mounts show them with other owners, and where the file system can't have that
 *         (Linux 5.19), starting fails with -EOPNOTSUPP
 * @value: as above
 *
 * Return: 0, or -EINVAL.
 */
int lcx_container_set_storage_option(struct lcx_container *c, const char *key, const char *value,
				     struct lcx_error **err);

/** lcx_container_set_label() - data of the caller's; the library never acts on it */
int lcx_container_set_label(struct lcx_container *c, const char *key, const char *value,
			    struct lcx_error **err);

/**
 * lcx_container_set_auto_remove() - remove it as soon as it has ended; 0 or 1
 *
 * The end of the machine ends it, too, started or not: what is found of it afterwards is removed.
 */
void lcx_container_set_auto_remove(struct lcx_container *c, int32_t auto_remove);

/**
 * lcx_container_set_stdin_open() - keep its standard input open for those who attach; 0 or 1
 *
 * Without, a container with a monitor and no terminal has /dev/null there.
 */
void lcx_container_set_stdin_open(struct lcx_container *c, int32_t stdin_open);

/**
 * lcx_container_set_init() - have lcx-init as process 1, and the program as its child; 0 or 1
 *
 * It reaps every orphan, hands signals on, and ends as the program ends. Without, the program
 * itself is process 1, to which the kernel delivers only signals that it waits for:
 * pid_namespaces(7).
 */
void lcx_container_set_init(struct lcx_container *c, int32_t init);

/**
 * lcx_container_set_system() - it is a whole system, with an init of its own; 0 or 1
 *
 * As the init of systemd, busybox or others wants it: a terminal as its console, file systems in
 * memory on /run, /run/lock and /tmp where nothing else is put, the variable "container",
 * CAP_SYS_BOOT, which in a pid namespace ends only that, and cgroups of its own making. Without a
 * command it is /sbin/init. lcx_container_stop() sends what that init takes for an orderly end,
 * SIGRTMIN+3 for systemd, SIGUSR2 for busybox, else SIGPWR, unless another stop signal was said. A
 * system that has powered itself off has ended well, with status 0; one that wants to be started
 * again ends with 129, and is, by a supervisor, whatever its restart policy, unless it was being
 * stopped: the kernel ends its init by SIGINT and SIGHUP, reboot(2).
 *
 * It makes its cgroups in the version 2 hierarchy, below one that has the container's limits; what
 * there is of version 1 is read-only. With lcx-init as process 1: -EINVAL at the creation.
 */
void lcx_container_set_system(struct lcx_container *c, int32_t system);

/** lcx_container_is_system() - 1 if it is a whole system, else 0 */
int32_t lcx_container_is_system(const struct lcx_container *c);

/**
 * lcx_container_set_seccomp_socket() - where the listener of a filter that notifies is sent
 * @socket_fd: a connected Unix socket; a copy is kept by the handle. -1: none
 *
 * With each process that is started with this handle, the first and those of lcx_container_exec(),
 * one message arrives at the other end: the runtime specification's container process state, a JSON
 * object, with the listener as its descriptor. Somebody else than the thread in the start must
 * answer, for the calls on the way to the program may be among those that are notified. It comes
 * on top of the listenerPath of the profile. seccomp_unotify(2); examples/mknod.c is such a one.
 */
int lcx_container_set_seccomp_socket(struct lcx_container *c, int32_t socket_fd,
				     struct lcx_error **err);

/**
 * lcx_container_set_move_root() - 1: enter the root file system by moving its mount
 *
 * Instead of pivot_root(2), which refuses where the host's own root is an initial RAM disk. The
 * host's tree stays below, out of sight.
 */
void lcx_container_set_move_root(struct lcx_container *c, int32_t move_root);

/**
 * lcx_container_set_cgroup_manager() - who makes its cgroup
 * @manager: "cgroupfs", this library by itself, which is the default; or "systemd": the cgroup is a
 *           transient scope, delegated, of the system's systemd(1) for root and of the user's own
 *           for others. The description's cgroups path is then "SLICE:PREFIX:NAME", for the unit
 *           PREFIX-NAME.scope in SLICE; without one it is lcx-NAME.scope in system.slice.
 *           "disabled": nobody, and its processes stay in the starter's cgroup
 *
 * systemd is told the limits that it has words for. Without a cgroup, limits and a cgroups path
 * are refused with -EOPNOTSUPP or -EINVAL by lcx_container_create(), and by their calls updates,
 * pausing, statistics; the processes are those of its pid namespace. Device rules that deny
 * something are kept by other means: the root is mounted nodev, /dev must be a mount, CAP_MKNOD is
 * left out, with a warning, and CAP_SYS_ADMIN refused, unless there is a user namespace; device
 * nodes on volumes are not kept from it. Return: 0; -EINVAL for another word;
 * -EOPNOTSUPP if systemd does not run, or its library is not there.
 */
int lcx_container_set_cgroup_manager(struct lcx_container *c, const char *manager,
				     struct lcx_error **err);

/** lcx_container_set_new_keyring() - 0: stay in the caller's session keyring, keyrings(7) */
void lcx_container_set_new_keyring(struct lcx_container *c, int32_t new_keyring);

/** lcx_container_set_stop_timeout() - in seconds, for callers of lcx_container_stop(); -1: never
 * kill. Return: 0 or -EINVAL */
int lcx_container_set_stop_timeout(struct lcx_container *c, int32_t seconds,
				   struct lcx_error **err);

/* ---- life --------------------------------------------------------------- */

/**
 * lcx_container_create() - put the description on disk
 *
 * Return: 0, -EEXIST if the name is taken, -ENOENT if the image is not here,
 * -EINVAL for a description that cannot work, -EOPNOTSUPP for a property that
 * this build or kernel cannot put into effect (it is named).
 */
int lcx_container_create(struct lcx_container *c, struct lcx_error **err);

/**
 * lcx_container_start() - run it, owned by this program
 * @stdio: standard input, output, error; NULL to capture into the log only
 *
 * Creates first if that was not done. Blocks for the milliseconds that the
 * set-up takes; on return the process has been executed.
 *
 * Return: 0, -ENOENT if the program is not in the container, -EACCES or -ENOEXEC if it
 * cannot be executed (the error's stage is then "exec"), -EALREADY if it runs
 * already, -ETIMEDOUT if something holds up the execution for twenty seconds, as who has a lease
 * on the program does, fcntl(2), or what the failing step (the error's stage) reported.
 */
int lcx_container_start(struct lcx_container *c, const struct lcx_stdio *stdio,
			struct lcx_error **err);

/**
 * lcx_container_start_detached() - run it, owned by a monitor that outlives this program
 * @stdio: NULL, or an object on which only lcx_stdio_set_terminal() was used
 *
 * Without @stdio it has a terminal if its description asks for one. Otherwise as
 * lcx_container_start(). The monitor writes the log, keeps the exit status, and serves
 * lcx_container_attach().
 */
int lcx_container_start_detached(struct lcx_container *c, const struct lcx_stdio *stdio,
				 struct lcx_error **err);

/**
 * lcx_container_prepare() - all of a start but the execution of the program
 * @stdio: what the program gets: passed through, or a terminal with a console socket
 *
 * On return its process waits in its namespaces, with its files, network and cgroup, for
 * lcx_container_proceed(), which any process may call. It belongs to neither this program nor a
 * monitor: when this program ends, whoever is the subreaper above it (prctl(2)) becomes its parent
 * and is told its exit status. Nothing takes the container down when its process has ended,
 * until somebody waits for it or removes it. That is what engines want of an OCI runtime.
 * A bundle whose config.json has no "process" is prepared, too: others may join it.
 *
 * Return: as lcx_container_start(); -EINVAL for other @stdio; -ENOENT, -EACCES if there is no such
 * program to execute.
 */
int lcx_container_prepare(struct lcx_container *c, const struct lcx_stdio *stdio,
			  struct lcx_error **err);

/**
 * lcx_container_proceed() - execute the program of a prepared container
 *
 * Return: 0; -EALREADY if it runs already, -ESRCH if its process has ended; -EINVAL if it was
 * described without a process, and it then stays prepared; else as the execution
 * reports it, and the process has then ended.
 */
int lcx_container_proceed(struct lcx_container *c, struct lcx_error **err);

/** lcx_container_process() - borrow the process, if this handle started it, else NULL */
struct lcx_process *lcx_container_process(struct lcx_container *c);

/**
 * lcx_container_wait() - until its process has ended; from any process
 *
 * Copies output meanwhile if this handle owns it, and takes down what the container had, as
 * network, cgroup and mounts, before it returns. Parameters and result as
 * lcx_process_wait(); @ret_status may be NULL. A run that was waited for, also in vain, is the one
 * that the next call tells about, whether the container has been started again since or removed.
 */
int lcx_container_wait(struct lcx_container *c, int32_t timeout_ms, int32_t *ret_status,
		       struct lcx_error **err);

/**
 * lcx_container_kill() - send @signal to its first process
 *
 * One that is to end it, SIGKILL or its stop signal, also ends a pause, as nothing that is frozen
 * hears a signal; of a bundle's container (lcx/bundle.h) SIGKILL alone does, for its engine ends
 * what it has begun. Return: 0, -ESRCH if it does not run.
 */
int lcx_container_kill(struct lcx_container *c, int32_t signal, struct lcx_error **err);

/**
 * lcx_container_kill_all() - send @signal to each of its processes
 *
 * Those of its cgroup or, without one, of its PID namespace, as lcx_container_pids() lists them; a
 * number that is given to another process meanwhile is not hit. One that is made meanwhile may be
 * missed: lcx_container_stop() and lcx_container_remove() miss none. Where the first one has ended
 * and others have not, as without a PID namespace of its own, they are sent it, too.
 *
 * Return: 0, -ESRCH if nothing of it runs, -EINVAL for what is no signal, -ENODEV if it has neither.
 */
int lcx_container_kill_all(struct lcx_container *c, int32_t signal, struct lcx_error **err);

/**
 * lcx_container_stop() - send the stop signal (the image's, or SIGTERM), wait, then kill all of it
 * @grace_ms: time between the two; -1 never kills
 *
 * A pause is ended, and others can't pause it meanwhile. Return: 0, also if it does not run.
 */
int lcx_container_stop(struct lcx_container *c, int32_t grace_ms, struct lcx_error **err);

/**
 * lcx_container_restart() - lcx_container_stop(), then lcx_container_start_detached()
 *
 * Also starts one that does not run. Whoever owned it before, it has a monitor afterwards. If
 * somebody else starts it in between, that is as good.
 */
int lcx_container_restart(struct lcx_container *c, int32_t grace_ms, struct lcx_error **err);

/**
 * lcx_container_rename() - give it another name; also while it runs
 *
 * Happens, or not: a program that dies on the way leaves the old or the new name. Other handles see
 * it after lcx_container_refresh(). Return: 0, -EINVAL, -EEXIST if the name is taken.
 */
int lcx_container_rename(struct lcx_container *c, const char *name, struct lcx_error **err);

/**
 * lcx_container_update() - put the limits of lcx_container_spec() into force, running or not
 *
 * And the restart policy of the handle. Set them there first, by lcx_spec_set_memory_limit() and
 * the like; nothing else of the description changes. If a limit is refused, or the disk has no room
 * for it, those before stay in force, and so does the policy.
 */
int lcx_container_update(struct lcx_container *c, struct lcx_error **err);

/**
 * lcx_container_connect() - attach a container that runs to one more network
 * @attachment: how: of lcx_attachment_new(lcx_container_id(c)); completed with what was
 *              chosen. NULL: in the network's own way
 *
 * Until the container stops, or lcx_container_disconnect().
 *
 * Return: 0; -ESRCH when it does not run; -EEXIST when it is connected already; -EINVAL
 * when it shares the host's network; else as lcx_network_attach().
 */
int lcx_container_connect(struct lcx_container *c, const char *network,
			  struct lcx_attachment *attachment, struct lcx_error **err);

/**
 * lcx_container_disconnect() - take it off a network, also off the one it was started with
 *
 * Return: 0; -ENOENT when it is not connected with it.
 */
int lcx_container_disconnect(struct lcx_container *c, const char *network, struct lcx_error **err);
/**
 * lcx_container_mount() - show a directory or file of the host to a container that runs
 * @source:      absolute, on the host
 * @destination: absolute, inside; must be there. Found in the container's root, whatever links
 *               there are on the way
 * @options:     NULL-terminated, may be NULL: of a bind mount ("rbind", "ro", "rro", "nodev",
 *               "idmap", ...); propagation is private
 *
 * Until the container stops, or lcx_container_unmount(): a later start does not have it.
 *
 * Return: 0; -ESRCH when it does not run; -EEXIST when a volume came to that place before; -ENOENT
 * when the source or the place is missing; -EPERM for an ordinary user; -EINVAL when it has no
 * mount namespace of its own.
 */
int lcx_container_mount(struct lcx_container *c, const char *source, const char *destination,
			const char *const *options, struct lcx_error **err);

/**
 * lcx_container_unmount() - take away what lcx_container_mount() has brought, in its words
 *
 * Who uses files of it goes on with them. Return: 0; -ENOENT when it brought nothing there;
 * -EBUSY when something else is there now: a container with the right to mount can cover it.
 */
int lcx_container_unmount(struct lcx_container *c, const char *destination, struct lcx_error **err);
/** lcx_container_stop_timeout_ms() - what was set for it, else ten seconds; -1: never kill */
int32_t lcx_container_stop_timeout_ms(const struct lcx_container *c);

/**
 * lcx_container_pause() / lcx_container_unpause() - freeze and thaw its cgroup
 *
 * Return: 0, -ESRCH if it does not run, -EBUSY for a pause while somebody stops it.
 */
int lcx_container_pause(struct lcx_container *c, struct lcx_error **err);
int lcx_container_unpause(struct lcx_container *c, struct lcx_error **err);

/**
 * lcx_container_remove() - remove it from disk
 * @force: 1 kills it first if it runs, and removes the holder of a pod that has members
 *
 * Goes on after a failure and reports all of them. Return: 0, -EBUSY if it runs or has members.
 */
int lcx_container_remove(struct lcx_container *c, int32_t force, struct lcx_error **err);

/**
 * lcx_container_remove_with_volumes() - the same, and its anonymous volumes
 *
 * But for those that another container has mounted by their names. What is removed at its end, by
 * lcx_container_set_auto_remove(), goes with them, too.
 */
int lcx_container_remove_with_volumes(struct lcx_container *c, int32_t force,
				      struct lcx_error **err);

/** lcx_container_free() - drop the handle only; NULL is accepted, NULL is returned */
struct lcx_container *lcx_container_free(struct lcx_container *c);

/* ---- a second process --------------------------------------------------- */

/**
 * lcx_container_exec_spec() - a description for lcx_container_exec()
 *
 * A copy of the container's own process: user, environment, working directory,
 * capabilities, limits; set the arguments with lcx_spec_set_args(). The caller owns it
 * (lcx_spec_free()).
 */
int lcx_container_exec_spec(struct lcx_container *c, struct lcx_spec **ret, struct lcx_error **err);

/**
 * lcx_container_exec() - execute a process in the running container
 * @spec:  only its process part is used
 * @stdio: as for lcx_container_start(), but nothing is logged
 *
 * Return: as lcx_container_start(); -ESRCH if the container does not run. Processes of the
 * container can hold it up, for twenty seconds at most: -ETIMEDOUT.
 */
int lcx_container_exec(struct lcx_container *c, const struct lcx_spec *spec,
		       const struct lcx_stdio *stdio, struct lcx_process **ret,
		       struct lcx_error **err);

/**
 * lcx_container_exec_in() - lcx_container_exec(), in a cgroup below the container's
 * @cgroups: one path, which is looked up in all hierarchies of the container and must be in one
 *           at least; or, on version 1, any number of "CONTROLLER[,CONTROLLER...]:PATH", each for
 *           the hierarchy of these controllers; the last is followed by NULL
 *
 * The cgroups are there already: the container has made them. Where none is named the process
 * is in the container's own, as by lcx_container_exec(); on version 2, if that one passes
 * controllers on and so may hold no process, in the one of the container's first process.
 *
 * Return: as lcx_container_exec(); -ENOENT if there is no such cgroup, -EINVAL for a path that
 * leads out of the container's, for a hierarchy that this machine has not, or one named twice.
 */
int lcx_container_exec_in(struct lcx_container *c, const struct lcx_spec *spec,
			  const struct lcx_stdio *stdio, const char *const *cgroups,
			  struct lcx_process **ret, struct lcx_error **err);

/**
 * lcx_container_set_exec_paused() - 1: execute processes while the container is paused, too
 *
 * Of this handle only. The kernel stops such a process before its program begins, so
 * lcx_container_exec() returns when somebody resumes the container. Otherwise it is -EBUSY.
 */
void lcx_container_set_exec_paused(struct lcx_container *c, int32_t exec_paused);

/* ---- its files ---------------------------------------------------------- */

/**
 * lcx_container_diff() - what the container has changed, compared with its image
 * @ret: a walk, to be stepped with lcx_overlay_diff_next() and released with
 *       lcx_overlay_diff_free(); it does not need the container any more
 *
 * Whether it runs or not. What only holds the place of a mount, as an empty
 * /etc/resolv.conf, is left out. Return: 0, or -EOPNOTSUPP for a container on a root
 * file system of the caller's own (lcx_container_set_rootfs()).
 */
int lcx_container_diff(struct lcx_container *c, struct lcx_overlay_diff **ret,
		       struct lcx_error **err);

/**
 * lcx_container_export() - write all of its files as a tar archive
 * @fd: where to; borrowed. If it is a pipe whose reader goes away: -EPIPE, without SIGPIPE
 *
 * Whether it runs or not; without what is mounted in it. What it changes meanwhile is in
 * the archive partly as it was and partly as it is: pause it if that matters. The
 * archive is a pax one, sorted by name, with extended attributes and the ids of
 * the container's user namespace. Needs the right to mount, unless the container is on a root
 * file system of the caller's own.
 *
 * Return: 0, or a negative errno as reading and writing report it.
 */
int lcx_container_export(struct lcx_container *c, int fd, struct lcx_error **err);

/* How to copy. */
#define LCX_COPY_FOLLOW  1u /* a symbolic link that is the source itself is followed */
#define LCX_COPY_ARCHIVE 2u /* owners stay as they are, else files belong to who gets them */

/**
 * lcx_container_copy_in() - copy a file or tree of the host into the container
 * @source: as this process sees it
 * @path:   in the container, from its root
 * @flags:  LCX_COPY_*, or 0
 *
 * By the rules of `docker cp`. If @path is a directory, the copy is made in it, under the name
 * of the source; of a source that ends in "/." only what is in it is copied. If @path is
 * not there, the copy gets that name, in a directory that must be there. A directory is
 * never copied over a file, nor a file over a directory. Links below the source are
 * copied as links.
 *
 * Into a running container as its process sees it, volumes included; into another one as a process
 * of it would see what is bound into it, and else its read-write layer, which needs the right to
 * mount. A volume whose source is gone is then an error that names it. Container and volumes may
 * change meanwhile, and can't lead the copy out of them. Files belong to the container's root
 * unless LCX_COPY_ARCHIVE is set, and lose set-id bits if that is another owner. Holes of
 * sparse files stay holes.
 *
 * Return: 0, or a negative errno: -ENOENT, -ENOTDIR or -EISDIR by the rules above, -EROFS
 * for a read-only root, -EBUSY for a container that is just being started or stopped. A
 * copy that fails in the middle leaves what was copied so far.
 */
int lcx_container_copy_in(struct lcx_container *c, const char *source, const char *path,
			  uint32_t flags, struct lcx_error **err);

/**
 * lcx_container_copy_out() - copy a file or tree of the container to the host
 *
 * By the same rules. Files belong to the caller unless LCX_COPY_ARCHIVE is set; in either case
 * set-id bits and capabilities stay behind, and a device node is an error (-EPERM): a
 * container has no say about the host.
 */
int lcx_container_copy_out(struct lcx_container *c, const char *path, const char *target,
			   uint32_t flags, struct lcx_error **err);

/**
 * lcx_container_copy_in_tar() - unpack a tar stream in a directory of the container
 * @fd:    where from, to its end; borrowed
 * @path:  a directory of the container
 * @flags: must be 0 or a combination of LCX_COPY_*, which do nothing: owners are the archive's
 *
 * Return: as lcx_container_copy_in(); -EBADMSG for what is no tar archive or wants to get out of
 * the directory, -EOPNOTSUPP for one with sparse files. It must not be compressed.
 */
int lcx_container_copy_in_tar(struct lcx_container *c, int fd, const char *path, uint32_t flags,
			      struct lcx_error **err);

/**
 * lcx_container_copy_out_tar() - write a file or tree of the container as a tar stream
 * @fd: where to; borrowed; as for lcx_container_export()
 *
 * Names in it begin with that of the source, unless it ends in "/.".
 */
int lcx_container_copy_out_tar(struct lcx_container *c, const char *path, int fd, uint32_t flags,
			       struct lcx_error **err);

/**
 * struct lcx_commit - a container's changes on their way into a new image
 *
 * The read-write layer becomes one more layer on those of the container's image, and what
 * the container was described with (entrypoint, command, environment, user, working
 * directory, labels) becomes the image's defaults. The same files give the same layer, byte
 * for byte.
 */
struct lcx_commit;

/** lcx_commit_new() - prepare; @c must outlive it */
int lcx_commit_new(struct lcx_container *c, struct lcx_commit **ret, struct lcx_error **err);

/** lcx_commit_set_author() / lcx_commit_set_message() - for the image's history; NULL: nothing */
int lcx_commit_set_author(struct lcx_commit *commit, const char *author, struct lcx_error **err);
int lcx_commit_set_message(struct lcx_commit *commit, const char *message, struct lcx_error **err);

/**
 * lcx_commit_add_change() - change the new image's configuration
 * @instruction: as in a Dockerfile: `CMD ["sh", "-c", "date"]`, "ENTRYPOINT ...", "ENV
 * NAME=value", "EXPOSE 80/tcp", "LABEL name=value", "ONBUILD ...", "STOPSIGNAL ...", "USER ...",
 *               "VOLUME /data", "WORKDIR /srv"; variables are not expanded
 *
 * Return: 0, or -EINVAL for what can't be understood.
 */
int lcx_commit_add_change(struct lcx_commit *commit, const char *instruction,
			  struct lcx_error **err);

/** lcx_commit_set_compression() - of the layer: "gzip" (default), "zstd" or "none" */
int lcx_commit_set_compression(struct lcx_commit *commit, const char *compression,
			       struct lcx_error **err);

/** lcx_commit_set_pause() - freeze the container while its files are read: 1 (default) or 0 */
void lcx_commit_set_pause(struct lcx_commit *commit, int32_t pause);

/**
 * lcx_commit_set_created_ns() - the time that the image says it was made at, since the epoch
 *
 * 0, the default, is now. With a fixed one the whole image is the same each time.
 */
void lcx_commit_set_created_ns(struct lcx_commit *commit, int64_t created_ns);

/**
 * lcx_commit_run() - make the image
 * @name: its reference; taken from another image if need be
 * @ret:  the image, owned by the caller; NULL if unwanted
 *
 * Return: 0, or a negative errno: -EINVAL for a bad name, or a file that an image can't
 * have; -ENOENT if the layers of the container's image are not in the store any more in the form
 * in which they were pulled; -EOPNOTSUPP for a container without an image; and what reading and
 * writing report. No image is made then.
 */
int lcx_commit_run(struct lcx_commit *commit, const char *name, struct lcx_image **ret,
		   struct lcx_error **err);

/** lcx_commit_free() - NULL is accepted, NULL is returned */
struct lcx_commit *lcx_commit_free(struct lcx_commit *commit);

/* ---- finding and looking ------------------------------------------------ */

/**
 * lcx_container_open() - attach to a container by name, identifier, or a unique start of it
 *
 * Return: 0, -ENOENT, or -ENOTUNIQ if several identifiers start so.
 */
int lcx_container_open(struct lcx_ctx *ctx, const char *name, struct lcx_container **ret,
		       struct lcx_error **err);

/** struct lcx_container_list - the identifiers of all containers at one moment, oldest first */
struct lcx_container_list;

int lcx_container_list_new(struct lcx_ctx *ctx, struct lcx_container_list **ret,
			   struct lcx_error **err);
uint32_t lcx_container_list_count(const struct lcx_container_list *list);
/** lcx_container_list_id() - NULL beyond the end; valid as long as @list */
const char *lcx_container_list_id(const struct lcx_container_list *list, uint32_t index);
struct lcx_container_list *lcx_container_list_free(struct lcx_container_list *list);

enum lcx_container_state {
	LCX_CONTAINER_NEW,     /* described only */
	LCX_CONTAINER_CREATED, /* on disk, never started */
	LCX_CONTAINER_RUNNING,
	LCX_CONTAINER_PAUSED,
	LCX_CONTAINER_STOPPED,  /* has ended */
	LCX_CONTAINER_PREPARED, /* its process waits for lcx_container_proceed() */
	_LCX_CONTAINER_STATE_PAD = 1 << 30
};

/** lcx_container_refresh() - read anew what other processes may have changed */
int lcx_container_refresh(struct lcx_container *c, struct lcx_error **err);

/* All of the following tell what the last refresh, or the handle's own action, saw; strings
 * are valid until the next call that changes the handle; "" stands for "none". */
enum lcx_container_state lcx_container_state(const struct lcx_container *c);
const char *lcx_container_state_name(enum lcx_container_state state); /* "running", ... */
const char *lcx_container_id(const struct lcx_container *c);
const char *lcx_container_name(const struct lcx_container *c);
const char *lcx_container_image(const struct lcx_container *c); /* reference as given */
const char *lcx_container_network(const struct lcx_container *c);
const char *
lcx_container_address(const struct lcx_container *c); /* of the first interface, no prefix */
const char *lcx_container_ports(const struct lcx_container *c);   /* "0.0.0.0:8080->80/tcp, ..." */
const char *lcx_container_command(const struct lcx_container *c); /* one line, for display */
const char *lcx_container_label(const struct lcx_container *c, const char *key);    /* NULL: none */
const char *lcx_container_label_key(const struct lcx_container *c, uint32_t index); /* NULL: end */
/* The networks that it is described with, or what stands instead of one: "none"; NULL: end. */
const char *lcx_container_network_at(const struct lcx_container *c, uint32_t index);
const char *lcx_container_image_id(const struct lcx_container *c); /* "sha256:..."; "": no image */
const char *lcx_container_log_path(const struct lcx_container *c); /* for lcx_log_reader_open() */
const char *lcx_container_log_driver(const struct lcx_container *c);
int32_t lcx_container_pid(const struct lcx_container *c);         /* 0 if it does not run */
int32_t lcx_container_exit_status(const struct lcx_container *c); /* as lcx_process_wait() */
int32_t lcx_container_oom_killed(const struct lcx_container *c);  /* 0 or 1 */
int64_t lcx_container_owner_uid(const struct lcx_container *c);   /* who made it; -1: nobody yet */
int64_t lcx_container_created_ns(const struct lcx_container *c);  /* since the epoch; 0: never */
int64_t lcx_container_started_ns(const struct lcx_container *c);
int64_t lcx_container_finished_ns(const struct lcx_container *c);

/**
 * lcx_container_inspect() - everything as one JSON object
 * @ret: a string that the caller releases with lcx_string_free()
 */
int lcx_container_inspect(struct lcx_container *c, char **ret, struct lcx_error **err);

/**
 * lcx_container_audit() - what the running container really has, out of the kernel, as one JSON
 * object
 * @ret: a string that the caller releases with lcx_string_free()
 *
 * Nothing of it is taken from the description. Members: namespaces ("own" or "host"), pid, hostUid,
 * uidMappings, gidMappings, capabilities by set, noNewPrivileges, seccomp, apparmor, label,
 * landlock (null: no kernel tells), oomScoreAdj, mounts (host: a file system that is also mounted
 * here), unmaskedPaths, writablePaths, devices, devicesLimited, sysctls; and weaker: a sentence for
 * all that protects the host less than the defaults do. Names come from inside and may be anything.
 * Return: 0, -ESRCH if it has just ended, an errno if it does not run.
 */
int lcx_container_audit(struct lcx_container *c, char **ret, struct lcx_error **err);

/**
 * lcx_container_trace() - the path of the running container's packets, out of the kernel, as JSON
 * @ret: a string that the caller releases with lcx_string_free()
 *
 * The members of lcx_net_trace() in lcx/net.h. With the network "container:NAME" or "host" the
 * namespace is another's: what is seen there is told, and no network is its own.
 * Return: 0, -ESRCH if it has just ended, an errno if it does not run.
 */
int lcx_container_trace(struct lcx_container *c, char **ret, struct lcx_error **err);

/**
 * lcx_container_stats() - memory, cpu, pids and io of the running container
 * @ret: to be released with lcx_cgroup_stats_free()
 */
int lcx_container_stats(struct lcx_container *c, struct lcx_cgroup_stats **ret,
			struct lcx_error **err);

/** lcx_container_figures() - all that is counted of it, by name: see struct lcx_cgroup_figures
 * @ret: to be released with lcx_cgroup_figures_free()
 */
int lcx_container_figures(struct lcx_container *c, struct lcx_cgroup_figures **ret,
			  struct lcx_error **err);

/**
 * lcx_container_watch() - what happens in its cgroup: the memory runs out, the last process ends
 * @ret: to be polled and read as lcx/cgroup.h says, released with lcx_cgroup_watch_free()
 *
 * Of the run that goes on, and does not depend on the handle any more. Tells at once, where the
 * container's event "oom" waits for its end. Return: 0, -ESRCH if it does not run, -ENODEV if it
 * has no cgroup.
 */
int lcx_container_watch(struct lcx_container *c, struct lcx_cgroup_watch **ret,
			struct lcx_error **err);

/**
 * lcx_container_pids() - its processes, by their numbers here
 * @ret: to be read with lcx_cgroup_pids_next(), released with lcx_cgroup_pids_free()
 *
 * Return: 0, -ESRCH if it does not run, -ENODEV if it has no cgroup.
 */
int lcx_container_pids(struct lcx_container *c, struct lcx_cgroup_pids **ret,
		       struct lcx_error **err);

/**
 * lcx_container_set_debug() - record also the single operations of the set-up; 0 or 1
 *
 * The steps that the last start of this handle took can be read afterwards, in their order; the
 * operations of lcx-init, which happen meanwhile, have names that start with a blank.
 */
void lcx_container_set_debug(struct lcx_container *c, int32_t debug);
uint32_t lcx_container_step_count(const struct lcx_container *c);
const char *lcx_container_step_name(const struct lcx_container *c, uint32_t index);
int64_t lcx_container_step_ns(const struct lcx_container *c, uint32_t index); /* duration */

/**
 * lcx_gc() - take down what has no living owner
 * @ret_count: how many objects were removed; may be NULL
 *
 * Containers whose program or monitor died, half-made containers, kernel objects that carry this
 * root directory's mark, unfinished downloads. lcx_ctx_open() does the same for containers.
 * Goes on after a failure and reports all of them.
 */
int lcx_gc(struct lcx_ctx *ctx, uint32_t *ret_count, struct lcx_error **err);

#ifdef __cplusplus
}
#endif

#endif /* LCX_CONTAINER_H */
