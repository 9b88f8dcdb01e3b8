/* SPDX-License-Identifier: MIT */
#ifndef LCX_BUNDLE_H
#define LCX_BUNDLE_H

#include <lcx/container.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Containers as an OCI runtime has them: described by a bundle, a directory with a config.json and,
 * mostly, a root file system (the OCI runtime specification, bundle.md), and known by an identifier
 * that an engine chooses. What such a container does is lcx/container.h's: lcx_container_prepare()
 * is the specification's "create", lcx_container_proceed() its "start".
 */

/**
 * lcx_bundle_load() - describe a container by a bundle
 * @ctx:  must outlive the handle
 * @id:   its name: [A-Za-z0-9][A-Za-z0-9_.-]{0,127}
 * @path: the bundle's directory
 * @ret:  a container that lcx_container_prepare() takes; to be freed by lcx_container_free()
 *
 * Nothing is added to what config.json says: no network of the library's, no user looked up, no
 * variable. Its root.path is relative to the bundle. What engines count on: the devices that every
 * container has are allowed whatever linux.resources.devices says, and nothing else if it says
 * nothing; ambient capabilities are those that are inheritable and permitted, too, and what the
 * caller has not to grant is left out with a warning, lcx_spec_warning().
 *
 * Return: 0; -ENOENT if there is no config.json or no root file system; -EINVAL for what is wrong
 * with it, by its JSON path; -EOPNOTSUPP is told by lcx_container_create().
 */
int lcx_bundle_load(struct lcx_ctx *ctx, const char *id, const char *path,
		    struct lcx_container **ret, struct lcx_error **err);

/**
 * lcx_bundle_load_config() - the same, described by another file
 * @config: its path, by itself and not in the bundle; NULL: the bundle's config.json
 */
int lcx_bundle_load_config(struct lcx_ctx *ctx, const char *id, const char *path,
			   const char *config, struct lcx_container **ret, struct lcx_error **err);

/**
 * lcx_bundle_open() - attach to a container by exactly this identifier
 *
 * Return: 0, -ENOENT, -EINVAL.
 */
int lcx_bundle_open(struct lcx_ctx *ctx, const char *id, struct lcx_container **ret,
		    struct lcx_error **err);

/** lcx_bundle_path() - the bundle's absolute path; "" for a container without; borrowed */
const char *lcx_bundle_path(const struct lcx_container *c);

/**
 * lcx_bundle_state() - the state as the OCI specification has it (runtime.md, "State")
 * @ret: a JSON object, which the caller releases with lcx_string_free()
 *
 * With the names of the specification: a prepared container is "created", one that has ended
 * "stopped"; one that is paused is "paused", as engines know it. "rootfs" and "created", the time,
 * are added. It tells what the last refresh saw: lcx_container_refresh().
 */
int lcx_bundle_state(struct lcx_container *c, char **ret, struct lcx_error **err);

#ifdef __cplusplus
}
#endif

#endif /* LCX_BUNDLE_H */
