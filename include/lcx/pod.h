/* SPDX-License-Identifier: MIT */
#ifndef LCX_POD_H
#define LCX_POD_H

#include <stdint.h>

#include <lcx/container.h>
#include <lcx/ctx.h>
#include <lcx/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A pod: containers that share namespaces. One of them, the holder, has no program: its process is
 * there so that the namespaces are, whoever of the members comes and goes. It has the network with
 * its ports, the hostname and the name servers; the members are containers like any other. That is
 * all: who is started when, and what depends on what, is for the host to say.
 */

/**
 * lcx_pod_new() - describe the holder of a pod
 * @name:  of the pod; needed
 * @share: what members share: of "network", "ipc", "uts" and "pid", NULL-terminated. NULL: the
 *         first three
 *
 * It is a container, for lcx_container_set_network(), lcx_container_publish() and the like, to be
 * created, started detached, stopped and removed as such, but not before its members, unless by
 * force; its files are an empty directory below the root directory. Only root has pods, and a
 * holder has no users of its own: -EPERM, -EINVAL at its creation. Return: 0, -EINVAL.
 */
int lcx_pod_new(struct lcx_ctx *ctx, const char *name, const char *const *share,
		struct lcx_container **ret, struct lcx_error **err);

/**
 * lcx_container_set_pod() - make it a member
 * @pod: name or identifier of the holder, which is there when the container is created, and runs
 *       whenever it is started
 *
 * Instead of a network, ports, name servers, and what else the pod has. When the holder is started
 * anew, members that run keep the namespaces that it had. Return: 0, -EINVAL. Of creation then:
 * -ENOENT, -EINVAL if that is no holder, or for what is the pod's to say. Of a start: -ESRCH if the
 * holder does not run.
 */
int lcx_container_set_pod(struct lcx_container *c, const char *pod, struct lcx_error **err);

/** lcx_container_pod() - the identifier of its pod's holder; "" if it is in none */
const char *lcx_container_pod(const struct lcx_container *c);

/** lcx_container_is_pod() - 1 if it is a pod's holder, else 0 */
int32_t lcx_container_is_pod(const struct lcx_container *c);

#ifdef __cplusplus
}
#endif

#endif /* LCX_POD_H */
