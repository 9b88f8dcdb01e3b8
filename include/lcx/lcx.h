/* SPDX-License-Identifier: MIT */
#ifndef LCX_LCX_H
#define LCX_LCX_H

/* Everything; each header also stands alone. */
#include <lcx/attach.h>
#include <lcx/bundle.h>
#include <lcx/cgroup.h>
#include <lcx/checkpoint.h>
#include <lcx/container.h>
#include <lcx/ctx.h>
#include <lcx/error.h>
#include <lcx/event.h>
#include <lcx/image.h>
#include <lcx/ipam.h>
#include <lcx/layer.h>
#include <lcx/log.h>
#include <lcx/login.h>
#include <lcx/net.h>
#include <lcx/netlink.h>
#include <lcx/ns.h>
#include <lcx/overlay.h>
#include <lcx/pod.h>
#include <lcx/process.h>
#include <lcx/security.h>
#include <lcx/spec.h>
#include <lcx/supervisor.h>
#include <lcx/version.h>
#include <lcx/volume.h>

#endif /* LCX_LCX_H */
