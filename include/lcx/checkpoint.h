/* SPDX-License-Identifier: MIT */
#ifndef LCX_CHECKPOINT_H
#define LCX_CHECKPOINT_H

#include <stdint.h>

#include <lcx/container.h>
#include <lcx/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct lcx_checkpoint - how a container's processes are written to disk, or made again
 *
 * Both are done by the program criu(8), which must be installed (https://criu.org); its images are
 * files with all of the processes' memory. lcx-checkpoint(3) tells what comes back as it was, what
 * anew, and which containers can't have it. One thread at a time per object; it may be used for any
 * number of calls.
 */
struct lcx_checkpoint;

/** lcx_checkpoint_new() - with all options as they come. Return: 0, -ENOMEM */
int lcx_checkpoint_new(struct lcx_checkpoint **ret, struct lcx_error **err);

/**
 * lcx_checkpoint_set_option() - in the words of criu and of OCI runtimes
 * @key:   "image-path": the directory of the images; by default one in the container's own. It is
 *         made if it is missing, and for a checkpoint must be empty, or have an older one, which
 *         is replaced once the new one is whole and on the disk. Only an empty one will do with
 *         "pre-dump", "parent-path", "page-server" or "lazy-pages", in the place of a "pre-dump",
 *         and where the path ends in ".", a symbolic link or a mount point. It must belong to the
 *         caller, and nobody else may write to it: who writes images is root in there. What is
 *         restored are plain files of the caller's, each with one name, for criu follows links.
 *         "work-path": the directory of criu's log and statistics, likewise the caller's alone; by
 *         default one in the container's own. Older ones in it are removed.
 *         "parent-path": the images of an earlier "pre-dump", relative to the image path: only what
 *         has changed since is written.
 *         "leave-running" ("on", "off"): the container goes on after a checkpoint.
 *         "pre-dump": only memory is written, and the container goes on; the checkpoint follows.
 *         "tcp-established": with connections; "tcp-close": without, at a restore;
 *         "tcp-skip-in-flight": not those that are just being made.
 *         "ext-unix-sk": with unix sockets that are connected to somebody outside.
 *         "shell-job": with a terminal of the caller's.
 *         "file-locks": with locks on files. "link-remap": with files that were removed.
 *         "auto-dedup": memory that a later image replaces is given back.
 *         "page-server": "ADDRESS:PORT", with brackets around an IPv6 address: a checkpoint sends
 *         memory to the page server there (`criu page-server`) instead of writing it.
 *         "lazy-pages": a checkpoint leaves memory where it is, and serves it at "page-server", an
 *         address of this machine in numbers, to the first who comes (`criu lazy-pages`); the call
 *         returns when that one is done. A restore lets the processes go on at once and has
 *         their memory from the `criu lazy-pages` that listens in the work path, by default the
 *         image path. Both, and "page-server", need an image path.
 *         "status-fd": the number of a descriptor that can be written to, or "-1": of a copy, which
 *         is made now. A checkpoint with "lazy-pages" writes one byte 0 into it once the memory can
 *         be fetched, without SIGPIPE, and closes it: one call has it, the caller keeps its own.
 *         Other calls write nothing.
 *         "keep": the images stay after a restore from the container's own directory.
 *         "lsm-profile", "lsm-mount-context": the labels that restored processes and mounts have.
 *         "manage-cgroups-mode": "ignore", which is the only one: the library makes the cgroup.
 *         "empty-ns": "network", likewise: it is made anew, or joined, in any case.
 *         "criu": the program's absolute path, or "criu" for where it is installed, the default
 * @value: as above; NULL: as it comes
 *
 * Return: 0; -EINVAL for an unknown key or value; -EOPNOTSUPP for what criu or other runtimes have
 * and this library has not: other cgroup modes, other namespaces.
 */
int lcx_checkpoint_set_option(struct lcx_checkpoint *o, const char *key, const char *value,
			      struct lcx_error **err);

/** lcx_checkpoint_free() - NULL is accepted, NULL is returned */
struct lcx_checkpoint *lcx_checkpoint_free(struct lcx_checkpoint *o);

/**
 * lcx_checkpoint_check() - whether criu is here, new enough, and gets on with this kernel
 *
 * It is executed to be asked. Return: 0; -EOPNOTSUPP with the way out; -EPERM for ordinary users.
 */
int lcx_checkpoint_check(struct lcx_error **err);

/**
 * lcx_container_checkpoint() - write the processes of a running container to disk
 * @o: NULL: all options as they come
 *
 * Afterwards the container has ended, by SIGKILL, and can be restored or started afresh; with
 * "leave-running" or "pre-dump" it goes on. Blocks until criu is done, for as long as the memory
 * takes to be written. It happens, or not: after a failure, also if the caller is killed, the
 * container runs on and there are no images. What criu was writing when the caller was killed, also
 * into an image path, is removed by the next lcx_ctx_open() that finds the container's run
 * directory or is the machine's first, by lcx_gc(), and by the container's next checkpoint, start,
 * restore or removal; until then it can't be restored. One that has ended the container is a stop
 * to restart policies.
 *
 * With "lazy-pages" this holds until the memory can be fetched ("status-fd"). From then on nobody
 * here knows whether the processes go on elsewhere: 0 says that whoever has connected has ended
 * the connection in order, not that all was fetched; after a failure the processes may be alive
 * here, too, and no restart policy starts the container anew.
 *
 * Return: 0; -ESRCH if it does not run; -EOPNOTSUPP for a container that can't be restored (what of
 * it, is named) or without criu; -EPERM for ordinary users; -ENOTEMPTY for an image path with files
 * in it that can't be replaced; -EBUSY for one that another checkpoint or restore is at; -ESTALE if
 * it became another one meanwhile; -EINVAL for options that don't go together, or a container that
 * was not started; -EADDRINUSE or -EADDRNOTAVAIL for a page server's address with "lazy-pages";
 * -EIO or another errno with criu's own words.
 */
int lcx_container_checkpoint(struct lcx_container *c, const struct lcx_checkpoint *o,
			     struct lcx_error **err);

/**
 * lcx_container_restore() - have the processes of a checkpoint go on, owned by this program
 * @o:     NULL: all options as they come
 * @stdio: as for lcx_container_start()
 *
 * The container does not run: it is the one that was checkpointed, or another with the same
 * description. It gets namespaces, its network with the addresses that it had, cgroup, log and
 * mounts, as by a start, and its processes with the numbers that they had. Its files are as they
 * are now: criu refuses when one that is open has another size.
 *
 * Return: 0; -ENOENT if there is no checkpoint, or none that is whole; -EBUSY if one is written
 * there; -EALREADY if it runs; -EINVAL for images whose memory is elsewhere; -EPERM for an image
 * directory that others may write to; else as lcx_container_start() and lcx_container_checkpoint().
 * Nothing is left then.
 */
int lcx_container_restore(struct lcx_container *c, const struct lcx_checkpoint *o,
			  const struct lcx_stdio *stdio, struct lcx_error **err);

/** lcx_container_restore_detached() - the same, as lcx_container_start_detached() starts one */
int lcx_container_restore_detached(struct lcx_container *c, const struct lcx_checkpoint *o,
				   const struct lcx_stdio *stdio, struct lcx_error **err);

/**
 * lcx_container_restore_unowned() - the same, owned by nobody, as lcx_container_prepare() leaves
 * one
 *
 * But it runs: there is nothing to proceed with. @stdio as for lcx_container_prepare().
 */
int lcx_container_restore_unowned(struct lcx_container *c, const struct lcx_checkpoint *o,
				  const struct lcx_stdio *stdio, struct lcx_error **err);

/** lcx_container_has_checkpoint() - 1 if there is one in its own directory, else 0 */
int32_t lcx_container_has_checkpoint(const struct lcx_container *c);

#ifdef __cplusplus
}
#endif

#endif /* LCX_CHECKPOINT_H */
