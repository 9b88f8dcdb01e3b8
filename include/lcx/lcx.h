/* SPDX-License-Identifier: MIT */
#ifndef LCX_LCX_H
#define LCX_LCX_H

/* Everything; each header also stands alone. */
#include <lcx/ctx.h>
#include <lcx/error.h>

#endif /* LCX_LCX_H */
