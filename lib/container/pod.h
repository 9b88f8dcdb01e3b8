/* SPDX-License-Identifier: MIT */
#pragma once

/* Pods: a container that holds namespaces, and its members, which share them. */

#include "container/container-internal.h"

enum { LCX__SHARED_MAX = 4 };

bool lcx__container_is_holder(const struct lcx_container *c);
/* It has files in /etc of its own: an image's, or a pod's. */
bool lcx__container_has_files(const struct lcx_container *c);
/* What a member shares, at creation. */
int lcx__pod_settle(struct lcx_container *c, struct lcx_error **err);
/* Before a holder goes: -EBUSY if it has members, and none can be made as long as @containers_fd is
 * open and not unlocked. Nothing for all others. */
int lcx__pod_lock_members(const struct lcx_container *c, int containers_fd, struct lcx_error **err);
/* Those of a process that @c shares: the network only, if it is in no pod. */
int lcx__pod_open_namespaces(const struct lcx_container *c, int pidfd,
			     struct lcx__joined_ns ret[static LCX__SHARED_MAX], size_t *ret_n,
			     struct lcx_error **err);
/* Whether it shares a kind of namespace with its pod, once that is settled. */
bool lcx__pod_shares(const struct lcx_container *c, uint32_t flag);
