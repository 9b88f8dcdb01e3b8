/* SPDX-License-Identifier: MIT */
#include "unit.h"
#include "cpus.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "init/within.h"
#include "lcx/ns.h"
#include "ns/ns.h"
#include "util/sys.h"

static struct unit_dir dir;
static struct lcx_idmap *map;
static struct lcx_error *err;

static void set_up(void)
{
	unit_dir_make(&dir);
	ck_assert_ok(lcx_idmap_new(&map, NULL));
}

static void tear_down(void)
{
	map = lcx_idmap_free(map);
	unit_dir_remove(&dir);
}

/* ---- maps of ids ---- */

static const struct {
	const char *text;
	int r;
	const char *kernel; /* or a part of the words */
} maps[] = {
	{"0:100000:65536", 0, "0 100000 65536\n"},
	{"5:7", 0, "5 7 1\n"},
	{"0:1000:1,1:100000:10", 0, "0 1000 1\n1 100000 10\n"},
	{"0:0:4294967295", 0, "0 0 4294967295\n"},
	{"0:4294967294:1", 0, "0 4294967294 1\n"},
	{"10:0:10,0:10:10", 0, "10 0 10\n0 10 10\n"},

	{"", -EINVAL, "CONTAINER:HOST:COUNT"},
	{"0", -EINVAL, "CONTAINER:HOST:COUNT"},
	{"0:", -EINVAL, "CONTAINER:HOST:COUNT"},
	{"0:1:2:3", -EINVAL, "CONTAINER:HOST:COUNT"},
	{"0:1:2,", -EINVAL, "CONTAINER:HOST:COUNT"},
	{",0:1:2", -EINVAL, "CONTAINER:HOST:COUNT"},
	{" 0:1:2", -EINVAL, "CONTAINER:HOST:COUNT"},
	{"0:-1:2", -EINVAL, "CONTAINER:HOST:COUNT"},
	{"0x1:1:2", -EINVAL, "CONTAINER:HOST:COUNT"},
	{"0:4294967296:1", -EINVAL, "CONTAINER:HOST:COUNT"},
	{"0:99999999999999999999:1", -EINVAL, "CONTAINER:HOST:COUNT"},
	{"0:1:0", -EINVAL, "at least one"},
	{"0:4294967295:1", -ERANGE, "beyond"},
	{"4294967295:0:1", -ERANGE, "beyond"},
	{"0:1:4294967295", -ERANGE, "beyond"},
	{"2147483648:0:2147483648", -ERANGE, "beyond"},
	{"0:1000:10,5:2000:1", -EINVAL, "overlap"},
	{"0:1000:10,20:1009:1", -EINVAL, "overlap"},
	{"5:2000:1,0:1000:10", -EINVAL, "overlap"},
};

START_TEST(map_in_words_is_read_or_refused_whole)
{
	int r = lcx_idmap_parse(map, LCX_ID_USER, maps[_i].text, &err);

	ck_assert_msg(r == maps[_i].r, "'%s': %d", maps[_i].text, r);
	if (r == 0) {
		ck_assert_str_eq(lcx_idmap_text(map, LCX_ID_USER), maps[_i].kernel);
		return;
	}
	ck_assert_msg(strstr(lcx_error_message(err), maps[_i].kernel) != NULL, "'%s': %s",
		      maps[_i].text, lcx_error_message(err));
	err = lcx_error_free(err);
	ck_assert_uint_eq(lcx_idmap_count(map, LCX_ID_USER), 0);
	ck_assert_str_eq(lcx_idmap_text(map, LCX_ID_USER), "");
}
END_TEST

START_TEST(ids_are_found_from_both_sides)
{
	uint32_t id = 77, host, count;
	struct lcx_idmap *copy = NULL;

	ck_assert_ok(lcx_idmap_parse(map, LCX_ID_USER, "0:1000:1,1:100000:65536", NULL));
	ck_assert_ok(lcx_idmap_parse(map, LCX_ID_GROUP, "0:5:1", NULL));
	ck_assert_ok(lcx_idmap_to_host(map, LCX_ID_USER, 0, &id));
	ck_assert_uint_eq(id, 1000);
	ck_assert_ok(lcx_idmap_to_host(map, LCX_ID_USER, 65536, &id));
	ck_assert_uint_eq(id, 165535);
	ck_assert_int_eq(lcx_idmap_to_host(map, LCX_ID_USER, 65537, &id), -ENOENT);
	ck_assert_uint_eq(id, 165535); /* untouched */
	ck_assert_int_eq(lcx_idmap_to_host(map, LCX_ID_USER, UINT32_MAX, &id), -ENOENT);
	ck_assert_ok(lcx_idmap_from_host(map, LCX_ID_USER, 100001, &id));
	ck_assert_uint_eq(id, 2);
	ck_assert_int_eq(lcx_idmap_from_host(map, LCX_ID_USER, 0, &id), -ENOENT);
	ck_assert_int_eq(lcx_idmap_from_host(map, LCX_ID_GROUP, 1000, &id), -ENOENT);
	ck_assert_ok(lcx_idmap_from_host(map, LCX_ID_GROUP, 5, &id));
	ck_assert_uint_eq(id, 0);

	ck_assert_ok(lcx_idmap_dup(map, &copy, NULL));
	ck_assert_str_eq(lcx_idmap_text(copy, LCX_ID_GROUP), "0 5 1\n");
	ck_assert_ok(lcx_idmap_add(copy, LCX_ID_GROUP, 1, 6, 1, NULL));
	ck_assert_str_eq(lcx_idmap_text(copy, LCX_ID_GROUP), "0 5 1\n1 6 1\n");
	ck_assert_str_eq(lcx_idmap_text(map, LCX_ID_GROUP), "0 5 1\n");
	ck_assert_ok(lcx_idmap_range(copy, LCX_ID_GROUP, 1, &id, &host, &count));
	ck_assert_uint_eq(host, 6);
	ck_assert_int_eq(lcx_idmap_range(copy, LCX_ID_GROUP, 2, &id, &host, &count), -ERANGE);
	lcx_idmap_free(copy);
	ck_assert_ptr_null(lcx_idmap_free(NULL));
}
END_TEST

START_TEST(a_kind_that_is_none_is_refused)
{
	uint32_t id;

	ck_assert_fails(lcx_idmap_add(map, 0, 0, 0, 1, &err), EINVAL, err, "kind of ids 0");
	ck_assert_fails(lcx_idmap_parse(map, 3, "0:0:1", &err), EINVAL, err, "kind of ids 3");
	ck_assert_int_eq(lcx_idmap_to_host(map, 3, 0, &id), -ENOENT);
	ck_assert_uint_eq(lcx_idmap_count(map, 3), 0);
	ck_assert_str_eq(lcx_idmap_text(map, 3), "");
}
END_TEST

START_TEST(no_more_ranges_than_the_kernel_takes)
{
	for (uint32_t i = 0; i < 340; i++)
		ck_assert_ok(lcx_idmap_add(map, LCX_ID_USER, i * 10, i * 10 + 1000000, 5, NULL));
	ck_assert_fails(lcx_idmap_add(map, LCX_ID_USER, 100000, 5, 1, &err), E2BIG, err, "340");
	ck_assert_ok(lcx_idmap_add(map, LCX_ID_GROUP, 0, 0, 1, NULL));
	ck_assert_fails(lcx_idmap_write(map, dir.fd, &err), E2BIG, err, "4095");
}
END_TEST

START_TEST(identity_is_for_both_or_none)
{
	ck_assert_ok(lcx_idmap_add_identity(map, 0, 1000, NULL));
	ck_assert_str_eq(lcx_idmap_text(map, LCX_ID_USER), "0 0 1000\n");
	ck_assert_str_eq(lcx_idmap_text(map, LCX_ID_GROUP), "0 0 1000\n");
	ck_assert_ok(lcx_idmap_add(map, LCX_ID_GROUP, 2000, 2000, 10, NULL));
	ck_assert_fails(lcx_idmap_add_identity(map, 2005, 1, &err), EINVAL, err, "overlap");
	ck_assert_str_eq(lcx_idmap_text(map, LCX_ID_USER), "0 0 1000\n");
}
END_TEST

static void put_file(const char *name, const char *text)
{
	ck_assert_ok(lcx__replace_file(dir.fd, name, text, strlen(text), 0644, false));
}

START_TEST(subordinate_ids_come_behind_what_is_mapped)
{
	put_file("subuid", "other:1:2\nme:100000:65536\n\nbroken\nalso:broken\n1000:300000:10\n");
	put_file("subgid", "mee:5:5\nme:200000:65536");
	ck_assert_ok(lcx_idmap_add(map, LCX_ID_USER, 0, 1000, 1, NULL));
	ck_assert_ok(lcx__idmap_add_subids(map, dir.fd, "me", 1000, NULL));
	ck_assert_str_eq(lcx_idmap_text(map, LCX_ID_USER),
			 "0 1000 1\n1 100000 65536\n65537 300000 10\n");
	ck_assert_str_eq(lcx_idmap_text(map, LCX_ID_GROUP), "0 200000 65536\n");
}
END_TEST

static const struct {
	const char *uids, *gids;
	int code;
	const char *words;
} bad_subids[] = {
	{"other:1:2\n", "me:1:2\n", ENOENT, "/etc/subuid"},
	{"me:1:2\n", "other:1:2\n", ENOENT, "/etc/subgid"},
	{"me:1:2\n", NULL, ENOENT, "/etc/subgid"},
	{"me:1\n", "me:1:2\n", EINVAL, "NAME:FIRST:COUNT"},
	{"me:1:2:3\n", "me:1:2\n", EINVAL, "NAME:FIRST:COUNT"},
	{"me:x:2\n", "me:1:2\n", EINVAL, "NAME:FIRST:COUNT"},
	{"me:1:-2\n", "me:1:2\n", EINVAL, "NAME:FIRST:COUNT"},
	{"me:1:0\n", "me:1:2\n", EINVAL, "at least one"},
	{"me:4294967295:1\n", "me:1:2\n", ERANGE, "beyond"},
	{"me:1:10\nme:5:10\n", "me:1:2\n", EINVAL, "overlap"},
};

START_TEST(bad_subordinate_ids_add_nothing)
{
	put_file("subuid", bad_subids[_i].uids);
	if (bad_subids[_i].gids)
		put_file("subgid", bad_subids[_i].gids);
	ck_assert_fails(lcx__idmap_add_subids(map, dir.fd, "me", 1000, &err), bad_subids[_i].code,
			err, bad_subids[_i].words);
	ck_assert_uint_eq(lcx_idmap_count(map, LCX_ID_USER), 0);
	ck_assert_uint_eq(lcx_idmap_count(map, LCX_ID_GROUP), 0);
}
END_TEST

/* Plain files stand in for those of /proc/PID. */
START_TEST(map_is_written_groups_first)
{
	CLEANUP(freep) char *text = NULL;

	put_file("gid_map", "");
	ck_assert_ok(lcx_idmap_parse(map, LCX_ID_USER, "0:1:2", NULL));
	ck_assert_fails(lcx_idmap_write(map, dir.fd, &err), EINVAL, err, "no group ids");
	ck_assert_ok(lcx_idmap_parse(map, LCX_ID_GROUP, "0:3:4", NULL));
	ck_assert_fails(lcx_idmap_write(map, dir.fd, &err), ENOENT, err, "uid_map");
	ck_assert_ok(lcx__read_file(dir.fd, "gid_map", 100, &text, NULL));
	ck_assert_str_eq(text, "0 3 4\n");
	put_file("uid_map", "");
	ck_assert_ok(lcx_idmap_write(map, dir.fd, NULL));
	freep(&text);
	ck_assert_ok(lcx__read_file(dir.fd, "uid_map", 100, &text, NULL));
	ck_assert_str_eq(text, "0 1 2\n");
}
END_TEST

/* ---- namespaces ---- */

START_TEST(every_kind_has_its_words)
{
	static const char *const words[] = {"cgroup",  "ipc", "mnt",  "mount", "net",
					    "network", "pid", "time", "user",  "uts"};
	enum lcx_ns_kind kind;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		ck_assert_ok(lcx_ns_parse(words[i], &kind));
		ck_assert_ptr_nonnull(lcx_ns_name(kind));
		ck_assert_int_eq(strncmp(words[i], lcx_ns_name(kind), 1), 0);
	}
	ck_assert_str_eq(lcx_ns_name(LCX_NS_MNT), "mnt");
	ck_assert_int_eq(lcx_ns_parse("Net", &kind), -EINVAL);
	ck_assert_int_eq(lcx_ns_parse("", &kind), -EINVAL);
	ck_assert_ptr_null(lcx_ns_name(0));
	ck_assert_ptr_null(lcx_ns_name(LCX_NS_NET | LCX_NS_PID));
	ck_assert_ptr_null(lcx_ns_name(256));
	ck_assert_uint_eq(lcx__ns_clone_flags(LCX_NS_NET | LCX_NS_TIME), 0x40000000 | 0x80);
}
END_TEST

START_TEST(own_namespaces_are_opened_and_verified)
{
	enum lcx_ns_kind kind = 1 << _i;
	CLEANUP(closep) int by_pid = -1, by_zero = -1, by_path = -1, by_pidfd = -1, pidfd = -1;
	char path[64];
	uint64_t device, inode;
	struct stat st;

	by_pid = lcx_ns_open_pid(getpid(), kind, NULL);
	ck_assert_ok(by_pid);
	ck_assert_int_eq(fcntl(by_pid, F_GETFD), FD_CLOEXEC);
	by_zero = lcx_ns_open_pid(0, kind, NULL);
	ck_assert_int_eq(lcx_ns_is_same(by_pid, by_zero, NULL), 1);
	(void)snprintf(path, sizeof(path), "/proc/self/ns/%s", lcx_ns_name(kind));
	by_path = lcx_ns_open_path(path, kind, NULL);
	ck_assert_int_eq(lcx_ns_is_same(by_pid, by_path, NULL), 1);
	pidfd = sys_pidfd_open(getpid(), 0);
	by_pidfd = lcx_ns_open_pidfd(pidfd, kind, NULL);
	ck_assert_int_eq(lcx_ns_is_same(by_pid, by_pidfd, NULL), 1);
	ck_assert_int_eq(lcx_ns_kind_of(by_pid, NULL), kind);
	ck_assert_ok(lcx_ns_identity(by_pid, &device, &inode, NULL));
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(inode, st.st_ino);
	ck_assert_fails(lcx_ns_open_path(path, kind == LCX_NS_NET ? LCX_NS_PID : LCX_NS_NET, &err),
			EINVAL, err, lcx_ns_name(kind));
}
END_TEST

START_TEST(what_is_no_namespace_is_refused)
{
	char path[64];

	put_file("file", "");
	(void)snprintf(path, sizeof(path), "%s/file", dir.path);
	ck_assert_fails(lcx_ns_open_path(path, LCX_NS_NET, &err), EINVAL, err, "is no namespace");
	ck_assert_fails(lcx_ns_open_path("/dev/null", LCX_NS_NET, &err), EINVAL, err,
			"is no namespace");
	(void)snprintf(path, sizeof(path), "%s/fifo", dir.path);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_fails(lcx_ns_open_path(path, LCX_NS_NET, &err), EINVAL, err, "is no namespace");
	ck_assert_fails(lcx_ns_open_path("/no/such", LCX_NS_NET, &err), ENOENT, err, "/no/such");
	ck_assert_fails(lcx_ns_kind_of(dir.fd, &err), EINVAL, err, "no namespace");
	ck_assert_fails(lcx_ns_kind_of(-1, &err), EBADF, err, "-1");
	ck_assert_fails(lcx_ns_open_pid(0, LCX_NS_NET | LCX_NS_PID, &err), EINVAL, err,
			"not one kind");
	ck_assert_fails(lcx_ns_open_pid(-5, LCX_NS_NET, &err), EINVAL, err, "-5");
	ck_assert_fails(lcx_ns_pin(dir.fd, path, &err), EINVAL, err, "no namespace");
	ck_assert_fails(lcx_ns_unpin(path, &err), EINVAL, err, "no pinned");
	ck_assert_fails(lcx_ns_unpin("/no/such", &err), ENOENT, err, "/no/such");
	ck_assert_fails(lcx_idmap_mount(dir.fd, dir.fd, 0, &err), EINVAL, err, "no user namespace");
}
END_TEST

START_TEST(process_that_has_ended_has_no_namespaces)
{
	CLEANUP(closep) int pidfd = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	pidfd = sys_pidfd_open(pid, 0);
	ck_assert_int_ge(pidfd, 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_fails(lcx_ns_open_pidfd(pidfd, LCX_NS_NET, &err), ESRCH, err, "process");
	ck_assert_fails(lcx_ns_open_pid(pid, LCX_NS_NET, &err), ESRCH, err, "process");
	ck_assert_fails(lcx_ns_open_pidfd(dir.fd, LCX_NS_NET, &err), ESRCH, err, "process");
}
END_TEST

START_TEST(leftover_of_a_pin_is_removed)
{
	char path[64];

	put_file("pin", "");
	(void)snprintf(path, sizeof(path), "%s/pin", dir.path);
	ck_assert_ok(lcx_ns_unpin(path, NULL));
	put_file("pin", "data");
	ck_assert_fails(lcx_ns_unpin(path, &err), EINVAL, err, "no pinned");
	ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

START_TEST(impossible_sets_are_refused)
{
	struct lcx_ns_set *set = NULL;

	ck_assert_fails(lcx_ns_create(0, NULL, &set, &err), EINVAL, err, "no set");
	ck_assert_fails(lcx_ns_create(256, NULL, &set, &err), EINVAL, err, "0x100");
	ck_assert_fails(lcx_ns_create(LCX_NS_PID, NULL, &set, &err), EINVAL, err, "first process");
	ck_assert_fails(lcx_ns_create(LCX_NS_USER, NULL, &set, &err), EINVAL, err, "map");
	ck_assert_fails(lcx_ns_create(LCX_NS_NET, map, &set, &err), EINVAL, err, "user namespace");
	ck_assert_fails(lcx_ns_create(LCX_NS_USER, map, &set, &err), EINVAL, err,
			"users and groups");
	ck_assert_ptr_null(set);
	ck_assert_ptr_null(lcx_ns_set_free(NULL));
}
END_TEST

/* With a user namespace of one's own this needs no privilege, only a kernel that allows it. */
START_TEST(new_namespaces_are_made_and_the_callers_stay)
{
	static const uint32_t all =
		LCX_NS_CGROUP | LCX_NS_IPC | LCX_NS_MNT | LCX_NS_NET | LCX_NS_USER | LCX_NS_UTS;
	struct lcx_ns_set *set = NULL;
	int r;

	ck_assert_ok(lcx_idmap_add(map, LCX_ID_USER, 0, geteuid(), 1, NULL));
	ck_assert_ok(lcx_idmap_add(map, LCX_ID_GROUP, 0, getegid(), 1, NULL));
	r = lcx_ns_create(all, map, &set, &err);
	if (r == -EPERM || r == -ENOSPC) {
		err = lcx_error_free(err);
		return;
	}
	ck_assert_msg(r == 0, "%s", lcx_error_message(err));
	ck_assert_uint_eq(lcx_ns_set_kinds(set), all);
	ck_assert_int_eq(lcx_ns_set_fd(set, LCX_NS_PID), -1);
	ck_assert_int_eq(lcx_ns_set_fd(set, LCX_NS_NET | LCX_NS_IPC), -1);
	for (int i = 0; i < 8; i++) {
		CLEANUP(closep) int own = -1, owner = -1;
		enum lcx_ns_kind kind = 1 << i;
		int fd = lcx_ns_set_fd(set, kind);

		if (!(all & kind))
			continue;
		ck_assert_int_eq(lcx_ns_kind_of(fd, NULL), kind);
		own = lcx_ns_open_pid(0, kind, NULL);
		ck_assert_int_eq(lcx_ns_is_same(fd, own, NULL), 0);
		owner = lcx_ns_open_owner(fd, NULL);
		if (kind != LCX_NS_USER)
			ck_assert_int_eq(
				lcx_ns_is_same(owner, lcx_ns_set_fd(set, LCX_NS_USER), NULL), 1);
	}
	lcx_ns_set_free(set);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
}
END_TEST

START_TEST(time_offsets_are_spelled_as_the_kernel_reads)
{
	char text[LCX__TIME_OFFSETS_SIZE];

	lcx__time_offsets_format(5, 6, -7, 999999999, text);
	ck_assert_str_eq(text, "monotonic 5 6\nboottime -7 999999999\n");
	lcx__time_offsets_format(INT64_MIN, 999999999, INT64_MIN, 999999999, text);
	ck_assert_uint_lt(strlen(text), sizeof(text) - 1);
}
END_TEST

/* ---- work in another user namespace ---- */

static struct lcx_ns_set *create_own_users(void)
{
	struct lcx_ns_set *set = NULL;

	ck_assert_ok(lcx_idmap_add(map, LCX_ID_USER, 0, getuid(), 1, NULL));
	ck_assert_ok(lcx_idmap_add(map, LCX_ID_GROUP, 0, getgid(), 1, NULL));
	ck_assert_ok(lcx_ns_create(LCX_NS_USER, map, &set, NULL));
	return set;
}

static int in_own_users(int (*act)(void *data, struct lcx_error **why), void *data)
{
	struct lcx_ns_set *set = create_own_users();
	int r;

	r = lcx__within(lcx_ns_set_fd(set, LCX_NS_USER), false, act, data, NULL);
	lcx_ns_set_free(set);
	return r;
}

static atomic_bool has_entered;

/* The second of the C library's own signals, with which setgid(2) becomes that of all threads. */
static bool is_asked(pid_t pid)
{
	char path[300], line[200];
	unsigned long long pending;
	struct dirent *entry;
	bool found = false;
	DIR *tasks;

	(void)snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks))) {
		FILE *status;

		(void)snprintf(path, sizeof(path), "/proc/%d/task/%s/status", pid, entry->d_name);
		status = fopen(path, "re");
		while (status && fgets(line, sizeof(line), status))
			found = found || (sscanf(line, "SigPnd: %llx", &pending) == 1 &&
					  pending & 1ull << (33 - 1));
		if (status)
			(void)fclose(status);
	}
	if (tasks)
		(void)closedir(tasks);
	return found;
}

static int wait_until_asked(void *data, struct lcx_error **why)
{
	(void)data;
	(void)why;
	has_entered = true;
	/* None comes through here but those that end it for certain. */
	for (int number = 1; number <= 64; number++)
		if (number != SIGKILL && number != SIGSTOP)
			(void)kill(getpid(), number);
	while (!is_asked(getppid()))
		(void)usleep(1000);
	return 0;
}

static void *wait_within(void *data)
{
	*(int *)data = in_own_users(wait_until_asked, NULL);
	return NULL;
}

START_TEST(setgid_meanwhile_is_that_of_all_threads)
{
	pthread_t thread;
	int r = -1;

	ck_assert_int_eq(pthread_create(&thread, NULL, wait_within, &r), 0);
	while (!has_entered)
		(void)usleep(1000);
	ck_assert_ok(setgid(getgid()));
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_ok(r);
}
END_TEST

static atomic_bool is_cancelled, has_finished;

static int wait_until_cancelled(void *data, struct lcx_error **why)
{
	(void)data;
	(void)why;
	has_entered = true;
	while (!is_cancelled)
		(void)usleep(1000);
	(void)usleep(100000);
	has_finished = true;
	return 0;
}

/* The set is another thread's: to close it would be the end of this one, and of what it holds. */
static void *be_cancelled(void *set)
{
	int users_fd = lcx_ns_set_fd(set, LCX_NS_USER);

	(void)lcx__within(users_fd, false, wait_until_cancelled, NULL, NULL);
	pthread_testcancel();
	return NULL;
}

START_TEST(cancellation_waits_for_what_uses_the_stack)
{
	struct lcx_ns_set *set = create_own_users();
	pthread_t thread;
	void *result;

	ck_assert_int_eq(pthread_create(&thread, NULL, be_cancelled, set), 0);
	while (!has_entered)
		(void)usleep(1000);
	ck_assert_int_eq(pthread_cancel(thread), 0);
	is_cancelled = true;
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	ck_assert(has_finished);
	ck_assert_ptr_eq(result, PTHREAD_CANCELED);
	lcx_ns_set_free(set);
}
END_TEST

/* An allocator of the host's may ask the C library's data for it, not the kernel. */
static bool is_right(int cpu)
{
	return sched_getcpu() == cpu;
}

static int visit_all(void *data, struct lcx_error **why)
{
	(void)data;
	(void)why;
	return visit_cpus(is_right);
}

START_TEST(number_of_the_cpu_is_the_right_one_within)
{
	ck_assert_ok(in_own_users(visit_all, NULL));
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("ns");
	TCase *ids = tcase_create("ids"), *ns = tcase_create("namespaces");
	TCase *within = tcase_create("within");

	tcase_add_checked_fixture(ids, set_up, tear_down);
	tcase_add_loop_test(ids, map_in_words_is_read_or_refused_whole, 0, ARRAY_SIZE(maps));
	tcase_add_test(ids, ids_are_found_from_both_sides);
	tcase_add_test(ids, a_kind_that_is_none_is_refused);
	tcase_add_test(ids, no_more_ranges_than_the_kernel_takes);
	tcase_add_test(ids, identity_is_for_both_or_none);
	tcase_add_test(ids, subordinate_ids_come_behind_what_is_mapped);
	tcase_add_loop_test(ids, bad_subordinate_ids_add_nothing, 0, ARRAY_SIZE(bad_subids));
	tcase_add_test(ids, map_is_written_groups_first);
	suite_add_tcase(s, ids);

	tcase_add_checked_fixture(ns, set_up, tear_down);
	tcase_add_test(ns, every_kind_has_its_words);
	tcase_add_loop_test(ns, own_namespaces_are_opened_and_verified, 0, 8);
	tcase_add_test(ns, what_is_no_namespace_is_refused);
	tcase_add_test(ns, process_that_has_ended_has_no_namespaces);
	tcase_add_test(ns, leftover_of_a_pin_is_removed);
	tcase_add_test(ns, impossible_sets_are_refused);
	tcase_add_test(ns, new_namespaces_are_made_and_the_callers_stay);
	tcase_add_test(ns, time_offsets_are_spelled_as_the_kernel_reads);
	suite_add_tcase(s, ns);

	tcase_add_checked_fixture(within, set_up, tear_down);
	tcase_add_test(within, setgid_meanwhile_is_that_of_all_threads);
	tcase_add_test(within, cancellation_waits_for_what_uses_the_stack);
	tcase_add_test(within, number_of_the_cpu_is_the_right_one_within);
	suite_add_tcase(s, within);
	return s;
}

int main(void)
{
	return unit_run(suite());
}
