/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * From rules in words to the filter that the kernel runs.
 *
 *   profile   struct lcx_seccomp: the OCI's linux.seccomp, and what Docker's
 *             profiles have beyond it: rules that apply only with, or only
 *             without, some capability, architecture or kernel
 *   resolved  the same without conditions: what applies to one set of capabilities here
 *   filter    BPF, by libseccomp, behind a short prelude of our own (seccomp-compile.c)
 *
 * Actions are the kernel's SECCOMP_RET_x without data, comparisons are libseccomp's SCMP_CMP_x
 * by our own numbers, architectures are names, so that a profile can be read,
 * changed and written without libseccomp.
 */

#include "lcx/security.h"
#include "util/error.h"
#include "util/json.h"
#include "util/opt.h"

/* include/uapi/linux/seccomp.h; from the least allowed to the most. */
enum {
	LCX__ACT_KILL_THREAD = 0x00000000,
	LCX__ACT_TRAP = 0x00030000,
	LCX__ACT_ERRNO = 0x00050000,
	LCX__ACT_NOTIFY = 0x7fc00000,
	LCX__ACT_TRACE = 0x7ff00000,
	LCX__ACT_LOG = 0x7ffc0000,
	LCX__ACT_ALLOW = 0x7fff0000,
};
#define LCX__ACT_KILL_PROCESS 0x80000000u

enum lcx__cmp {
	LCX__CMP_NE = 1,
	LCX__CMP_LT,
	LCX__CMP_LE,
	LCX__CMP_EQ,
	LCX__CMP_GE,
	LCX__CMP_GT,
	LCX__CMP_MASKED_EQ, /* (argument & value) == value_two */
};

struct lcx__seccomp_arg {
	struct lcx__opt_u32 index; /* 0 to 5 */
	struct lcx__opt_u64 value, value_two;
	struct lcx__opt_u32 op;
};

/* All that is set must hold (includes), or none of it (excludes). */
struct lcx__seccomp_condition {
	bool set;
	struct lcx__opt_u64 capabilities;
	char **architectures; /* Go's or libseccomp's short names: "amd64", "arm64", "x86" */
	char *min_kernel;     /* "4.8" */
};

struct lcx__seccomp_rule {
	char **names;
	char *name; /* how old profiles of Docker spell it; moved into .names when read */
	struct lcx__opt_u32 action;
	struct lcx__opt_u32 errno_ret;           /* only with ERRNO and TRACE */
	LCX__LIST(struct lcx__seccomp_arg) args; /* all of them must match */
	char *comment;
	struct lcx__seccomp_condition includes, excludes;
};

struct lcx__seccomp_arch_map {
	char *architecture;
	char **sub_architectures;
};

struct lcx_seccomp {
	struct lcx__opt_u32 default_action;
	struct lcx__opt_u32 default_errno_ret;
	struct lcx__opt_u64 flags; /* SECCOMP_FILTER_FLAG_x of seccomp(2) */
	char *listener_path, *listener_metadata;
	char **architectures; /* "SCMP_ARCH_X86_64"; NULL: by the map, else the native one */
	LCX__LIST(struct lcx__seccomp_arch_map) arch_map;
	LCX__LIST(struct lcx__seccomp_rule) rules;
};

DEFINE_CLEANUP(struct lcx_seccomp *, lcx_seccomp_free)

/* The table of a profile; lcx__seccomp_finish() checks what spans several fields. */
extern const struct lcx__json_field lcx__seccomp_fields[];
int lcx__seccomp_finish(struct lcx_seccomp *profile, struct lcx_error **err);

/* One more rule of @action for one name. */
int lcx__seccomp_add_rule(struct lcx_seccomp *profile, const char *name, uint32_t action,
			  uint32_t errno_ret, struct lcx_error **err);

/*
 * What of @profile applies with this bounding set on this machine. The result
 * borrows every string and list of @profile but has arrays of its own:
 * lcx__seccomp_release_resolved().
 */
int lcx__seccomp_resolve(const struct lcx_seccomp *profile, uint64_t capabilities,
			 struct lcx_seccomp *ret, struct lcx_error **err);
void lcx__seccomp_release_resolved(struct lcx_seccomp *resolved);

/* Whether any rule hands system calls to a listener (SECCOMP_FILTER_FLAG_NEW_LISTENER). */
bool lcx__seccomp_notifies(const struct lcx_seccomp *profile);

/* The filter: an array of the kernel's struct sock_filter. */
struct lcx__seccomp_filter {
	void *bpf;
	size_t size;    /* bytes: a multiple of 8 */
	uint32_t flags; /* for seccomp(2), without NEW_LISTENER */
};

/* Compile what applies with @capabilities. ->bpf belongs to the caller: free(). */
int lcx__seccomp_compile(const struct lcx_seccomp *profile, uint64_t capabilities,
			 struct lcx__seccomp_filter *ret, struct lcx_error **err);

/* What a start still has to do when the filter is there, each a bit. */
enum lcx__seccomp_step {
	LCX__SECCOMP_BECOME = 1 << 0,  /* the user */
	LCX__SECCOMP_LISTEN = 1 << 1,  /* hand out the listener */
	LCX__SECCOMP_WAIT = 1 << 2,    /* at the gate */
	LCX__SECCOMP_EXECUTE = 1 << 3, /* the program */
};

/* -EPERM, by the name of the system call, if the filter forbids what these steps call. */
int lcx__seccomp_check_start(const void *bpf, size_t size, uint32_t steps, struct lcx_error **err);

/* Compile a resolved profile; the only part that needs libseccomp. Without the search tree: _list. */
int lcx__seccomp_compile_list(const struct lcx_seccomp *resolved, struct lcx__seccomp_filter *ret,
			      struct lcx_error **err);
int lcx__seccomp_compile_resolved(const struct lcx_seccomp *resolved,
				  struct lcx__seccomp_filter *ret, struct lcx_error **err);

/*
 * Filters that were compiled before, in memory and below a run directory, for
 * libseccomp takes milliseconds. One thread at a time per cache.
 */
struct lcx__seccomp_cache;

/* @run_fd: files go into its "seccomp" directory; a copy is kept. -1: in memory only. */
int lcx__seccomp_cache_new(int run_fd, struct lcx__seccomp_cache **ret, struct lcx_error **err);
struct lcx__seccomp_cache *lcx__seccomp_cache_free(struct lcx__seccomp_cache *cache);
DEFINE_CLEANUP(struct lcx__seccomp_cache *, lcx__seccomp_cache_free)

/* As lcx__seccomp_compile(), but ->bpf is borrowed until the next call with this cache. */
int lcx__seccomp_cache_get(struct lcx__seccomp_cache *cache, const struct lcx_seccomp *profile,
			   uint64_t capabilities, struct lcx__seccomp_filter *ret,
			   struct lcx_error **err);
