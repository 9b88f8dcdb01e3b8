/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Single defences that tests turn off, to show that each holds an attack off which would succeed
 * without it (tests/system/escape-attacks.sh): in a build with -Dweaken=true, and in no other, the
 * environment variable LCX_WEAKEN names the one, or several, with commas between them, where one
 * alone still holds. In every other build lcx__is_off() is the constant 0, and nothing of this is
 * left.
 */

#include <stdint.h>

/* X(NAME, name) */
#define LCX__DEFENCES(X)                                                                           \
	X(CGROUP, "cgroup")           /* cgroups can't be written */                               \
	X(CONSOLE, "console")         /* the terminal is bound by its descriptor */                \
	X(COPY_UP, "copy-up")         /* no link is followed where files are copied from */        \
	X(DESCRIPTORS, "descriptors") /* nothing of the host's is open when the program starts */  \
	X(DEVICES, "devices")         /* the device rules */                                       \
	X(FIFO, "fifo")               /* a file of the image is opened without waiting */          \
	X(HOOKS, "hooks")             /* a hook has no variable of the container's */              \
	X(IMAGES, "images")           /* criu follows no link out of a checkpoint */               \
	X(INHERITABLE, "inheritable") /* no capability is inheritable */                           \
	X(KEYRING, "keyring")         /* the session keyring is its own */                         \
	X(LINKS, "links")             /* no link stands where /proc is mounted */                  \
	X(MASKS, "masks")             /* what covers a file is the host's /dev/null */             \
	X(NAMES, "names")             /* an internal network's questions stay in it */             \
	X(NODES, "nodes")             /* who gets a device is who is looked at, and no name */    \
	X(PATHS, "paths")             /* paths in a container's tree never lead out of it */       \
	X(PLACES, "places")           /* in /proc what is covered is found by the mount */         \
	X(PRESERVED, "preserved")     /* no descriptor of the library's is handed on */            \
	X(PRIVATE, "private")         /* what is kept is its owner's alone */                      \
	X(PROC, "proc")               /* what is written to /proc goes to the kernel */            \
	X(READONLY, "readonly")       /* of /proc some can't be written */                         \
	X(ROUTERS, "routers")         /* a bridge hears no router, and no container that plays one */ \
	X(SEALS, "seals")             /* nobody can write to the program that sets up */           \
	X(SECCOMP, "seccomp")         /* the filter */                                             \
	X(USERS, "users")             /* a number is a number to its last digit, and in range */

enum lcx__defence {
#define X(id, name) LCX__DEFENCE_##id,
	LCX__DEFENCES(X)
#undef X
};

#if LCX_WEAKEN
/* One bit for each that is off. lcx-init has it from its plan, all others from the environment. */
uint32_t lcx__weakened(void);
#define lcx__is_off(defence) ((lcx__weakened() & 1u << LCX__DEFENCE_##defence) != 0)
/* What a path means to who takes no root for the root: "/x" is "x". */
static inline const char *lcx__from_here(const char *path)
{
	while (*path == '/')
		path++;
	return *path ? path : ".";
}
#else
#define lcx__is_off(defence) 0
#define lcx__from_here(path) (path)
#endif
