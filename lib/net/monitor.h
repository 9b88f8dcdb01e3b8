/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A network's monitor, as the library sees it: there while the network has attachments and needs
 * one. Both calls are made with the network's lock. RUN/net/NAME/monitor says which
 * process it is, and is locked by it as long as it lives.
 */

#include "net/net-internal.h"

/*
 * Start it if it is not there, or of another build; the bridge is up. Goes without, if the network
 * resolves no names, and no attachment publishes a port on ::1.
 */
int lcx__monitor_ensure(struct lcx_ctx *ctx, const struct lcx_network *network, int records_fd,
			const struct lcx_attachment *attachment, struct lcx_error **err);

/* Another one in the place of one that was killed: 1; 0 if none was. */
int lcx__monitor_revive(struct lcx_ctx *ctx, const struct lcx_network *network, int records_fd,
			struct lcx_error **err);

/*
 * A pidfd of it. -ENOENT when there is none, or it was ended; -ESRCH when it was killed; -EAGAIN
 * while it is starting.
 */
int lcx__monitor_open(int records_fd);

/* End it, and forget it and whatever leads to it; if there is none, that is fine. */
int lcx__monitor_end(struct lcx_ctx *ctx, struct lcx_netlink **nft,
		     const struct lcx_network *network, struct lcx_error **err);

/* The port of its sockets, or of a program's in its place, or 0 if there is neither. */
uint16_t lcx__monitor_port(int records_fd);

/* The port of its socket on ::1, or 0. */
uint16_t lcx__monitor_loopback_port(int records_fd);

/* *ret_port 0: this host has no ::1. */
int lcx__loopback_listen(int *ret_fd, uint16_t *ret_port, struct lcx_error **err);

/*
 * The resolver's sockets, of UDP and of TCP at each of the network's gateways, all at one port:
 * @fds has room for two of each subnet. They hear what comes from the bridge only. *ret_count of
 * them are the caller's to close.
 */
int lcx__resolver_listen(const struct lcx_network *network, int *fds, size_t *ret_count,
			 uint16_t *ret_port, struct lcx_error **err);

/* A program's right to resolve, as long as the descriptor is open; -EBUSY: another has it. */
int lcx__resolver_claim(int records_fd, struct lcx_error **err);
int lcx__resolver_tell(int file_fd, uint16_t port, struct lcx_error **err);
