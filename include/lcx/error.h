/* SPDX-License-Identifier: MIT */
#ifndef LCX_ERROR_H
#define LCX_ERROR_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct lcx_error - one failure, in words
 *
 * Every fallible function of liblcx returns 0 (or a documented positive value)
 * on success and a negative errno on failure. Those that take a final
 * `struct lcx_error **err` also describe the failure, if @err is not NULL and
 * *@err is NULL: the description then belongs to the caller, who releases it
 * with lcx_error_free(). On success *@err is left alone.
 *
 * A function's errno variable means nothing after a call into liblcx.
 */
struct lcx_error;

/**
 * lcx_error_message() - what failed, on which thing, and the way out
 *
 * Return: a sentence without a final full stop or newline, valid as long as
 * @err; "" for NULL.
 */
const char *lcx_error_message(const struct lcx_error *err);

/** lcx_error_code() - the positive errno, as in the call's negative result; 0 for NULL */
int32_t lcx_error_code(const struct lcx_error *err);

/**
 * lcx_error_stage() - the step of a longer sequence that failed
 *
 * One word out of a fixed vocabulary ("image", "rootfs", "mount", "network",
 * "cgroup", "exec", ...; lcx(7) lists them), or "" when the call has one step
 * only. Valid for ever.
 */
const char *lcx_error_stage(const struct lcx_error *err);

/** lcx_error_free() - release; NULL is accepted, NULL is returned */
struct lcx_error *lcx_error_free(struct lcx_error *err);

#ifdef __cplusplus
}
#endif

#endif /* LCX_ERROR_H */
