/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "process/flow.h"
#include "process/process.h"
#include "util/sys.h"

static struct lcx__flow flow;
static int source[2], sink[2], epoll_fd;
static char tapped[256 * 1024];
static size_t n_tapped;
static bool tap_ended;

static void tap(void *data, const void *bytes, size_t length)
{
	(void)data;
	if (!bytes) {
		tap_ended = true;
		return;
	}
	ck_assert_uint_le(n_tapped + length, sizeof(tapped));
	memcpy(tapped + n_tapped, bytes, length);
	n_tapped += length;
}

static void set_up(void)
{
	ck_assert_int_eq(pipe2(source, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(sink, O_CLOEXEC), 0);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	flow = LCX__FLOW_NONE;
	flow.from = source[0];
	flow.to = sink[1];
	flow.epoll_fd = epoll_fd;
	flow.tap = tap;
	n_tapped = 0;
	tap_ended = false;
}

static void tear_down(void)
{
	lcx__flow_close(&flow);
	closep(&source[1]);
	closep(&sink[0]);
	closep(&epoll_fd);
}

static bool has_news(void)
{
	struct epoll_event event;

	return epoll_wait(epoll_fd, &event, 1, 0) > 0;
}

START_TEST(bytes_reach_the_other_side_and_the_tap)
{
	char text[16] = "";

	ck_assert_ok(lcx__flow_run(&flow));
	ck_assert(!has_news());
	ck_assert_int_eq(write(source[1], "hello", 5), 5);
	ck_assert(has_news());
	ck_assert_ok(lcx__flow_run(&flow));
	ck_assert(!has_news());
	ck_assert_int_eq(read(sink[0], text, sizeof(text)), 5);
	ck_assert_str_eq(text, "hello");
	ck_assert_uint_eq(n_tapped, 5);
	ck_assert(!lcx__flow_is_done(&flow));
}
END_TEST

START_TEST(the_end_is_handed_on)
{
	char text[16];

	ck_assert_int_eq(write(source[1], "bye", 3), 3);
	closep(&source[1]);
	ck_assert_ok(lcx__flow_run(&flow));
	ck_assert(lcx__flow_is_done(&flow));
	ck_assert(tap_ended);
	ck_assert_int_eq(read(sink[0], text, sizeof(text)), 3);
	ck_assert_int_eq(read(sink[0], text, sizeof(text)), 0);
}
END_TEST

START_TEST(a_terminal_is_told_the_end_by_a_character)
{
	char text[16] = "";

	flow.farewell = 4;
	ck_assert_int_eq(write(source[1], "bye", 3), 3);
	closep(&source[1]);
	ck_assert_ok(lcx__flow_run(&flow));
	ck_assert(lcx__flow_is_done(&flow));
	ck_assert_int_eq(read(sink[0], text, sizeof(text)), 4);
	ck_assert_str_eq(text, "bye\004");
}
END_TEST

/*
 * The C library's, but for one thing: while @reads_behind, whoever asks whether the sink takes more
 * and hears that it is full is overtaken by its reader, who empties it before the answer is acted
 * on.
 */
static bool reads_behind;
static size_t n_read;

int poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	static char bytes[64 * 1024];
	struct timespec time = {.tv_sec = timeout_ms / 1000,
				.tv_nsec = timeout_ms % 1000 * 1000000L};
	int ready = ppoll(fds, n, timeout_ms < 0 ? NULL : &time, NULL);
	ssize_t length;

	if (!reads_behind || ready != 0 || fds->fd != flow.to)
		return ready;
	while ((length = read(sink[0], bytes, sizeof(bytes))) > 0)
		n_read += (size_t)length;
	return ready;
}

/* epoll refuses files: what is left in one must not be forgotten when the reader catches up. */
START_TEST(a_file_is_read_to_its_end)
{
	char path[] = "/tmp/lcx-unit-flow-XXXXXX";
	const off_t size = 1 << 20;

	closep(&flow.from);
	flow.tap = NULL;
	flow.from = mkstemp(path);
	ck_assert_int_ge(flow.from, 0);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(ftruncate(flow.from, size), 0);
	ck_assert_int_eq(fcntl(sink[0], F_SETFL, O_NONBLOCK), 0);
	reads_behind = true;
	n_read = 0;
	ck_assert_ok(lcx__flow_run(&flow));
	while (!lcx__flow_is_done(&flow)) {
		struct epoll_event event;

		ck_assert_msg(epoll_wait(epoll_fd, &event, 1, 0) == 1,
			      "it waits for nothing, with %zu bytes read", n_read);
		ck_assert_ok(lcx__flow_run(&flow));
	}
	reads_behind = false;
	ck_assert_uint_ge(n_read, (size_t)size / 2);
}
END_TEST

/* A reader that does not read must stop the flow, not the program, and lose nothing. */
START_TEST(a_full_pipe_does_not_block)
{
	static char block[4096], received[300 * 1024];
	size_t sent = 0, got = 0;

	ck_assert_int_eq(fcntl(source[1], F_SETFL, O_NONBLOCK), 0);
	for (int i = 0; i < 100; i++) {
		memset(block, 'a' + i % 26, sizeof(block));
		ssize_t n = write(source[1], block, sizeof(block));

		if (n > 0)
			sent += (size_t)n;
		ck_assert_ok(lcx__flow_run(&flow));
	}
	ck_assert(!has_news());
	closep(&source[1]);
	while (!lcx__flow_is_done(&flow) || flow.to >= 0) {
		ssize_t n = read(sink[0], received + got, sizeof(received) - got);

		ck_assert_int_gt(n, 0);
		got += (size_t)n;
		ck_assert_ok(lcx__flow_run(&flow));
	}
	for (ssize_t n; (n = read(sink[0], received + got, sizeof(received) - got)) > 0;)
		got += (size_t)n;
	ck_assert_uint_eq(got, sent);
	ck_assert_uint_eq(n_tapped, sent);
	ck_assert_int_eq(memcmp(received, tapped, got), 0);
}
END_TEST

static volatile sig_atomic_t n_signals;

static void count_signal(int sig)
{
	(void)sig;
	n_signals = n_signals + 1;
}

START_TEST(a_reader_that_left_raises_no_signal)
{
	struct sigaction action = {.sa_handler = count_signal}, before;
	sigset_t mask;

	ck_assert_int_eq(sigaction(SIGPIPE, &action, &before), 0);
	n_signals = 0;
	closep(&sink[0]);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(write(source[1], "x", 1), 1);
		ck_assert_ok(lcx__flow_run(&flow));
	}
	ck_assert_int_eq(n_signals, 0);
	ck_assert_uint_eq(n_tapped, 3); /* the log still gets it */
	ck_assert_int_eq(sigprocmask(SIG_BLOCK, NULL, &mask), 0);
	ck_assert_int_eq(sigismember(&mask, SIGPIPE), 0);
	ck_assert_int_eq(sigaction(SIGPIPE, &before, NULL), 0);
}
END_TEST

START_TEST(descriptors_of_the_callers_keep_their_flags)
{
	int before = fcntl(sink[1], F_GETFL);

	ck_assert_int_eq(write(source[1], "x", 1), 1);
	ck_assert_ok(lcx__flow_run(&flow));
	ck_assert_int_eq(fcntl(sink[1], F_GETFL), before);
}
END_TEST

START_TEST(terminal_and_passthrough_exclude_each_other)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(lcx_stdio_freep) struct lcx_stdio *stdio = NULL;
	struct lcx__streams streams;

	ck_assert_ok(lcx_stdio_new(&stdio, NULL));
	lcx_stdio_set_terminal(stdio, 24, 80);
	lcx_stdio_set_passthrough(stdio, 0, 1, 2);
	ck_assert_fails(lcx__streams_open(stdio, &streams, &err), EINVAL, err, "exclude");
}
END_TEST

enum { CHILDREN = 1000, CHILDS_STATUS = 7 };

static int32_t status_of_a_child(void)
{
	CLEANUP(closep) int pidfd = -1;
	struct pollfd ended = {.events = POLLIN};
	int32_t status = -1;
	int gate[2];
	pid_t pid;

	ck_assert_int_eq(pipe2(gate, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		closep(&gate[1]);
		_exit((int)read(gate[0], &status, 1) + CHILDS_STATUS);
	}
	closep(&gate[0]);
	pidfd = sys_pidfd_open(pid, 0);
	ck_assert_int_ge(pidfd, 0);
	closep(&gate[1]);
	ended.fd = pidfd;
	/* Seen at once when it ends, as an event loop on another processor does. */
	while (poll(&ended, 1, 0) == 0)
		;
	ck_assert_int_eq(lcx__process_poll_exit(pidfd, &status), 1);
	return status;
}

/* Before Linux 6.15 nobody can tell any status that was taken away; since then, every one. */
START_TEST(a_status_that_was_taken_away_is_known_at_any_moment)
{
	int32_t first;

	ck_assert(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
	first = status_of_a_child();
	ck_assert(first == CHILDS_STATUS || first == LCX_EXIT_UNKNOWN);
	for (int i = 0; i < CHILDREN; i++)
		ck_assert_int_eq(status_of_a_child(), first);
	ck_assert(signal(SIGCHLD, SIG_DFL) != SIG_ERR);
}
END_TEST

static const struct {
	const char *text;
	int number; /* 1000 and more: from SIGRTMIN up; 2000 and more: from SIGRTMAX down */
} signal_cases[] = {
	{"15", SIGTERM},       {"64", 64},           {"SIGTERM", SIGTERM},
	{"usr1", SIGUSR1},     {"sigUSR2", SIGUSR2}, {"VTALRM", SIGVTALRM},
	{"SIGPOLL", SIGIO},    {"io", SIGIO},        {"IOT", SIGABRT},
	{"CLD", SIGCHLD},      {"RTMIN", 1000},      {"SIGRTMIN+3", 1003},
	{"rtmax", 2000},       {"SIGRTMAX-1", 2001}, {"0", 0},
	{"65", -EINVAL},       {"-1", -EINVAL},      {"", -EINVAL},
	{"SIG", -EINVAL},      {"SIG15", -EINVAL},   {"SIG0", -EINVAL},
	{"TERM ", -EINVAL},    {"RTMIN-1", -EINVAL}, {"RTMIN+", -EINVAL},
	{"RTMIN+31", -EINVAL}, {"RTMAX+1", -EINVAL}, {"RTMAX-99", -EINVAL},
};

START_TEST(a_signal_is_known_in_each_spelling)
{
	int number = signal_cases[_i].number;

	if (number >= 2000)
		number = SIGRTMAX - (number - 2000);
	else if (number >= 1000)
		number = SIGRTMIN + (number - 1000);
	ck_assert_int_eq(lcx_signal_parse(signal_cases[_i].text), number);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("process");
	TCase *tc = tcase_create("flow");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, bytes_reach_the_other_side_and_the_tap);
	tcase_add_test(tc, the_end_is_handed_on);
	tcase_add_test(tc, a_terminal_is_told_the_end_by_a_character);
	tcase_add_test(tc, a_file_is_read_to_its_end);
	tcase_add_test(tc, a_full_pipe_does_not_block);
	tcase_add_test(tc, a_reader_that_left_raises_no_signal);
	tcase_add_test(tc, descriptors_of_the_callers_keep_their_flags);
	tcase_add_test(tc, terminal_and_passthrough_exclude_each_other);
	suite_add_tcase(suite, tc);
	tc = tcase_create("exit");
	tcase_add_test(tc, a_status_that_was_taken_away_is_known_at_any_moment);
	suite_add_tcase(suite, tc);
	tc = tcase_create("signal");
	tcase_add_loop_test(tc, a_signal_is_known_in_each_spelling, 0, ARRAY_SIZE(signal_cases));
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
