/* SPDX-License-Identifier: MIT */
#ifndef LCX_VERSION_H
#define LCX_VERSION_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** lcx_string_free() - release a string that the library handed out; returns NULL */
char *lcx_string_free(char *text);

/** lcx_version() - "0.1.0" of the library that is loaded */
const char *lcx_version(void);

/** lcx_has_feature() - 1 if this build has the named feature: "image", "seccomp", ...; else 0 */
int32_t lcx_has_feature(const char *name);

#ifdef __cplusplus
}
#endif

#endif /* LCX_VERSION_H */
