/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Netlink messages under construction, one behind the other in a buffer that
 * grows, to be sent at once. A failed put is remembered and makes the exchange
 * fail before anything is sent, so that puts need no checks of their own.
 *
 * The length of an attribute is a 16-bit number: one that does not fit is
 * refused, never truncated (a truncated one lets the rest of its bytes be read
 * as attributes of the sender's choice).
 */

#include <stddef.h>
#include <stdint.h>

#include "util/cleanup.h"

struct lcx__nl_batch {
	uint8_t *data;
	size_t length, size;
	size_t message;     /* offset of the message under construction */
	unsigned int count; /* messages begun */
	int failed;         /* the first failure of a put: -ENOMEM, -EMSGSIZE */
};

#define NL_BATCH_EMPTY ((struct lcx__nl_batch){0})

/* Begin a message; @header is the family's own header, behind netlink's. */
void lcx__nl_begin(struct lcx__nl_batch *batch, uint16_t type, uint16_t flags, const void *header,
		   size_t length);

void lcx__nl_put(struct lcx__nl_batch *batch, uint16_t type, const void *data, size_t length);
void lcx__nl_put_u8(struct lcx__nl_batch *batch, uint16_t type, uint8_t value);
void lcx__nl_put_u32(struct lcx__nl_batch *batch, uint16_t type, uint32_t value);
void lcx__nl_put_be32(struct lcx__nl_batch *batch, uint16_t type, uint32_t value);
void lcx__nl_put_str(struct lcx__nl_batch *batch, uint16_t type,
		     const char *text); /* with its NUL */

/* Bytes without an attribute around them, padded: the header inside VETH_INFO_PEER. */
void lcx__nl_put_raw(struct lcx__nl_batch *batch, const void *data, size_t length);

/* An attribute that holds what is put until its end; the result is for lcx__nl_nest_end(). */
size_t lcx__nl_nest(struct lcx__nl_batch *batch, uint16_t type);
void lcx__nl_nest_end(struct lcx__nl_batch *batch, size_t nest);

static inline void lcx__nl_batch_free(struct lcx__nl_batch *batch)
{
	free(batch->data);
	*batch = NL_BATCH_EMPTY;
}
