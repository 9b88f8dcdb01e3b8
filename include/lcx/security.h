/* SPDX-License-Identifier: MIT */
#ifndef LCX_SECURITY_H
#define LCX_SECURITY_H

#include <stddef.h>
#include <stdint.h>

#include <lcx/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- capabilities: capabilities(7) ---------------------------------------- */

/** lcx_capability_name() - "CAP_NET_ADMIN"; NULL for a number that has no name here. Valid for ever
 */
const char *lcx_capability_name(int32_t number);

/**
 * lcx_capability_number() - of "CAP_NET_ADMIN", "NET_ADMIN" or "net_admin"
 *
 * Return: 0 to 63, or -EINVAL for a name that is none.
 */
int32_t lcx_capability_number(const char *name);

/** lcx_capability_last() - the highest number that the running kernel knows; or a negative errno */
int32_t lcx_capability_last(void);

/**
 * lcx_capability_mask() - read a list of capabilities
 * @list: names separated by commas or blanks; "ALL" for all in the bounding set of this process; ""
 * for none
 * @ret:  bit 1 << number for each of them; untouched on failure
 *
 * Return: 0, or -EINVAL with the name that is none.
 */
int lcx_capability_mask(const char *list, uint64_t *ret, struct lcx_error **err);

/** lcx_capability_default_mask() - the fourteen that Docker gives a container */
uint64_t lcx_capability_default_mask(void);

/* ---- resource limits: getrlimit(2) ---------------------------------------- */

/** lcx_rlimit_name() - "RLIMIT_NOFILE"; NULL for a number that is none. Valid for ever */
const char *lcx_rlimit_name(int32_t number);

/** lcx_rlimit_number() - of "RLIMIT_NOFILE", "NOFILE" or "nofile"; -EINVAL for a name that is none
 */
int32_t lcx_rlimit_number(const char *name);

/* ---- what a container does not get to see, or to change --------------------- */

/** lcx_default_masked_path() - what Docker hides in /proc and /sys; NULL beyond the last. Valid for
 * ever */
const char *lcx_default_masked_path(size_t index);

/** lcx_default_readonly_path() - what Docker makes read-only; NULL beyond the last. Valid for ever
 */
const char *lcx_default_readonly_path(size_t index);

/* ---- users of a root file system ------------------------------------------ */

/** struct lcx_user - who "name:group" is in one root file system */
struct lcx_user;

/**
 * lcx_user_lookup() - resolve a user by /etc/passwd and /etc/group of a root file system
 * @root_fd: the root directory; borrowed for the call only
 * @user:    "uid", "name", or either with ":gid" or ":group" behind it; NULL: user 0
 * @ret:     owned by the caller; untouched on failure
 *
 * A string of digits only is always a number, and need not stand in any file; a name
 * has to. Without a group the user's own one is taken (0 if the user has no entry), and the
 * groups that list the user as a member. With a group's number /etc/group is not read. A
 * home that is no absolute path, or not shorter than PATH_MAX, is "/". The files may be hostile:
 * only regular files inside the root, of at most 4 MiB, are read, by no library that the root file
 * system or the host could configure (no NSS).
 *
 * Return: 0; -EINVAL for a string that is no user (so is "", "1000:", "-1", "0x0", " 0",
 * "4294967295"); -ENOENT for a name that isn't there; -EBADMSG for an entry or a file that
 * can't be right; or what openat2(2) reported.
 */
int lcx_user_lookup(int32_t root_fd, const char *user, struct lcx_user **ret,
		    struct lcx_error **err);

uint32_t lcx_user_uid(const struct lcx_user *user);
uint32_t lcx_user_gid(const struct lcx_user *user);

/** lcx_user_group_count() - supplementary groups, without lcx_user_gid() */
size_t lcx_user_group_count(const struct lcx_user *user);

/** lcx_user_group() - one of them; UINT32_MAX beyond the last */
uint32_t lcx_user_group(const struct lcx_user *user, size_t index);

/** lcx_user_name() - "" if the user has no entry. Valid as long as @user */
const char *lcx_user_name(const struct lcx_user *user);

/** lcx_user_home() - an absolute path; "/" if the user has no entry, or a senseless one. Valid as
 * long as @user */
const char *lcx_user_home(const struct lcx_user *user);

/** lcx_user_free() - release; NULL is accepted, NULL is returned */
struct lcx_user *lcx_user_free(struct lcx_user *user);

/* ---- seccomp: the filter for system calls ---------------------------------- */

/**
 * lcx_landlock_abi() - which version of Landlock the running kernel has; 0: none
 *
 * 1 (Linux 5.13) is about files, 3 (6.2) also about truncating them, 4 (6.7) about TCP ports, 6
 * (6.12) about abstract Unix sockets and signals. lcx_spec_add_landlock() adds rules.
 */
int32_t lcx_landlock_abi(void);

/**
 * struct lcx_seccomp - a profile: which system calls are allowed
 *
 * A profile is rules in words; the filter that the kernel runs is compiled
 * from it when a container starts, for that container's capabilities.
 */
struct lcx_seccomp;

/**
 * lcx_seccomp_default() - Docker's default profile
 *
 * An allow-list that depends on the architecture and on the bounding set of
 * capabilities: what needs, for instance, CAP_SYS_ADMIN is allowed only with it. The
 * rest gets EPERM; clone3(2) without CAP_SYS_ADMIN gets ENOSYS, since its flags can't be
 * looked at; numbers higher than any that the profile knows get ENOSYS, so that C libraries fall
 * back. lcx-security(3) names the source.
 */
int lcx_seccomp_default(struct lcx_seccomp **ret, struct lcx_error **err);

/**
 * lcx_seccomp_from_json() - read a profile: the OCI's form, or Docker's
 * @text:   the document; need not end with a NUL
 * @length: bytes in @text, at most 1 MiB
 * @ret:    owned by the caller; untouched on failure
 *
 * The OCI's form is linux.seccomp of a config.json; Docker's adds archMap, and
 * includes and excludes by capability, architecture and kernel.
 *
 * Return: 0; -EINVAL with the JSON path; -E2BIG; -ENOMEM.
 */
int lcx_seccomp_from_json(const char *text, size_t length, struct lcx_seccomp **ret,
			  struct lcx_error **err);

/** lcx_seccomp_dup() - an independent copy */
int lcx_seccomp_dup(const struct lcx_seccomp *profile, struct lcx_seccomp **ret,
		    struct lcx_error **err);

/** lcx_seccomp_allow() - also allow one system call by name, whatever its arguments are */
int lcx_seccomp_allow(struct lcx_seccomp *profile, const char *syscall, struct lcx_error **err);

/**
 * lcx_seccomp_deny() - refuse one system call by name; all rules that name it are taken out
 * @error_number: what the caller inside gets to see, EPERM for instance
 */
int lcx_seccomp_deny(struct lcx_seccomp *profile, const char *syscall, int32_t error_number,
		     struct lcx_error **err);

/**
 * lcx_seccomp_notify() - have one system call answered by somebody outside
 *
 * Who that is, lcx_seccomp_set_listener() or lcx_container_set_seccomp_socket() says. The kernel
 * stops the caller until it has an answer: seccomp_unotify(2), which also tells why an answer
 * must not be trusted to be about what the memory of the caller said a moment before.
 * Return: 0, -EINVAL (also for sendmsg, by which the listener is handed over), -ENOMEM.
 */
int lcx_seccomp_notify(struct lcx_seccomp *profile, const char *syscall, struct lcx_error **err);

/**
 * lcx_seccomp_add_flag() - "SECCOMP_FILTER_FLAG_LOG", ..._SPEC_ALLOW, ..._WAIT_KILLABLE_RECV;
 * seccomp(2)
 *
 * The last is put into effect with a listener only, for it is about its answers; ..._TSYNC is
 * taken and has none, since who installs the filter has one thread.
 */
int lcx_seccomp_add_flag(struct lcx_seccomp *profile, const char *flag, struct lcx_error **err);

/**
 * lcx_seccomp_set_listener() - a Unix socket to whose owner the listener is sent
 * @path:     absolute, on the host; NULL: none
 * @metadata: passed on to it as it is, or NULL
 *
 * The message is the runtime specification's "container process state", a JSON object, with the
 * descriptor: config-linux.md, "Seccomp".
 */
int lcx_seccomp_set_listener(struct lcx_seccomp *profile, const char *path, const char *metadata,
			     struct lcx_error **err);

/**
 * lcx_seccomp_export() - compile, and write the filter to a descriptor
 * @capabilities: the bounding set, bit 1 << number for each
 * @fd:           where the kernel's struct sock_filter instructions go, one after the other
 *
 * Return: 0; -EOPNOTSUPP if the library was built without seccomp, or the
 * profile needs what libseccomp or this library cannot do; -EINVAL for a senseless rule;
 * what write(2) reported.
 */
int lcx_seccomp_export(const struct lcx_seccomp *profile, uint64_t capabilities, int32_t fd,
		       struct lcx_error **err);

/** lcx_seccomp_free() - release; NULL is accepted, NULL is returned */
struct lcx_seccomp *lcx_seccomp_free(struct lcx_seccomp *profile);

#ifdef __cplusplus
}
#endif

#endif /* LCX_SECURITY_H */
