/* SPDX-License-Identifier: MIT */
#include "container/supervisor/health.h"

#include <signal.h>
#include <string.h>
#include <sys/epoll.h>

#include "container/event.h"
#include "container/exec.h"
#include "spec/spec.h"

/*
 * A check is a process that is executed in the container, with the beginning of what it says kept;
 * the rest is read, so that it does not wait, and forgotten. Times are those of the monotonic
 * clock, but for what is written down. One check at a time: the next one is due an interval after
 * the last one's end.
 *
 * Nothing is waited for, not even the execution: a process of the container can hold it up, by a
 * lease on the program, say. From the beginning on the time counts; when it is over, what is there
 * of the check is killed, and one that not even that ends, as a file system that the container
 * serves can bring about, counts as another failure each interval.
 */

struct lcx__checker {
	struct lcx_container *c; /* of its own */
	int epoll_fd;            /* borrowed */
	int64_t began_ns;        /* of the container's run, as far as is known */
	int64_t due_ns;          /* the next check, or the end of the patience with this one */
	struct lcx__spawning *spawning; /* the check, until it was executed, */
	struct lcx_process *process;    /* and from then on; NULL, both: there is none */
	int64_t started_ns;             /* the check, since 1970 */
	bool too_late, is_told; /* it was killed; and did not end: that has been written down */
	struct lcx__log_writer *log;
	char output[LCX__HEALTH_OUTPUT_MAX + 1];
	size_t length;
};

DEFINE_CLEANUP(struct lcx__checker *, lcx__checker_free)

int64_t lcx__checker_due_ns(const struct lcx__checker *checker)
{
	return checker->due_ns;
}

/* ---- when ------------------------------------------------------------------------ */

static bool is_within_start_period(const struct lcx__checker *k)
{
	return lcx__now_ns() - k->c->started_ns <
	       lcx__health_setting(k->c, LCX_HEALTH_START_PERIOD_NS);
}

static void plan_next(struct lcx__checker *k)
{
	bool often =
		is_within_start_period(k) && strcmp(lcx_container_health(k->c), "starting") == 0;

	k->due_ns =
		lcx__monotonic_ns() + lcx__health_setting(k->c, often ? LCX_HEALTH_START_INTERVAL_NS
								      : LCX_HEALTH_INTERVAL_NS);
}

/* ---- one check -------------------------------------------------------------------- */

static void keep_output(void *data, enum lcx_log_stream stream, int64_t time_ns, const char *text,
			size_t length, int32_t partial)
{
	struct lcx__checker *k = data;
	size_t room = LCX__HEALTH_OUTPUT_MAX - k->length;
	size_t n = length < room ? length : room;

	(void)stream, (void)time_ns;
	if (n > 0)
		memcpy(k->output + k->length, text, n);
	k->length += n;
	if (!partial && k->length < LCX__HEALTH_OUTPUT_MAX)
		k->output[k->length++] = '\n';
}

static void say(struct lcx__checker *k, const char *text)
{
	keep_output(k, LCX_LOG_STREAM_STDERR, 0, text, strlen(text), 0);
}

/* JSON holds text: what is none, and what is no character of a line, becomes a '?'. */
static char *printable(const struct lcx__checker *k)
{
	char *text = strndup(k->output, k->length);

	for (char *at = text; at && *at; at++)
		if (((unsigned char)*at < ' ' && *at != '\n' && *at != '\t') ||
		    (unsigned char)*at >= 127)
			*at = '?';
	return text;
}

static int append_log(const struct lcx__checker *k, struct health *health, int32_t status)
{
	struct health_log *items = health->log.items, entry = {
							      .start_ns = LCX__OPT(k->started_ns),
							      .end_ns = LCX__OPT(lcx__now_ns()),
							      .exit_code = LCX__OPT(status),
						      };

	if (health->log.n >= LCX__HEALTH_LOGS) {
		free(items[0].output);
		memmove(items, items + 1, (--health->log.n) * sizeof(*items));
	}
	items = realloc(items, (health->log.n + 1) * sizeof(*items));
	if (!items)
		return -ENOMEM;
	health->log.items = items;
	health->log.set = true;
	entry.output = printable(k);
	items[health->log.n++] = entry;
	return entry.output ? 0 : -ENOMEM;
}

/* What cannot be written down, on a full disk, is not: the next check may be. */
static void record(struct lcx__checker *k, int32_t status)
{
	struct health health;
	bool is_news;

	if (lcx__health_load(k->c, &health) < 0)
		return;
	is_news = lcx__health_judge(&health, status == 0, is_within_start_period(k),
				    lcx__health_setting(k->c, LCX_HEALTH_RETRIES));
	if (append_log(k, &health, status) == 0 && lcx__health_save(k->c, &health) == 0 && is_news)
		lcx__event_emit(k->c, "health", health.status);
	lcx__health_clear(&health);
}

static void finish(struct lcx__checker *k, int32_t status)
{
	bool is_told = k->is_told;

	k->spawning = lcx__spawning_free(k->spawning);
	k->process = lcx_process_free(k->process);
	if (k->log)
		(void)lcx__log_writer_close(k->log);
	if (k->too_late)
		say(k, "the check took too long and was killed");
	if (!is_told)
		record(k, k->too_late ? LCX_EXIT_UNKNOWN : status);
	plan_next(k);
}

static int spec_of_check(const struct lcx__checker *k, struct lcx_spec **ret,
			 struct lcx_error **err)
{
	const char *const *test = (const char *const *)k->c->d.health_test;
	const char *const by_shell[] = {"/bin/sh", "-c", test[1], NULL};
	bool is_shell = strcmp(test[0], "CMD-SHELL") == 0;
	int r = lcx_container_exec_spec(k->c, ret, err);

	return r < 0 ? r : lcx_spec_set_args(*ret, is_shell ? by_shell : test + 1, err);
}

static int watch(const struct lcx__checker *k, int fd, struct lcx_error **err)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = -1};

	return epoll_ctl(k->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0
		       ? lcx__fail_sys(err, errno, "watch a health check")
		       : 0;
}

static int execute(struct lcx__checker *k, struct lcx_error **err)
{
	static const struct lcx__log_config config = {.driver = LCX__LOG_TO_CALLBACK};
	CLEANUP(lcx_spec_freep) struct lcx_spec *spec = NULL;
	int r = spec_of_check(k, &spec, err);

	if (r == 0 && !k->log)
		k->log = malloc(sizeof(*k->log));
	if (!k->log)
		return lcx__fail_nomem(err);
	lcx__log_writer_init(k->log);
	k->log->callback = keep_output;
	k->log->callback_data = k;
	(void)lcx__log_writer_open(k->log, -1, &config, NULL);
	if (r == 0)
		r = lcx__container_exec_begin(k->c, spec, k->log, &k->spawning, err);
	return r < 0 ? r : watch(k, lcx__spawning_fd(k->spawning), err);
}

/* Paused, or just ended: that says nothing. */
static void fail(struct lcx__checker *k, int r, const struct lcx_error *why)
{
	if (r == -EBUSY || r == -ESRCH || lcx__container_load_state(k->c, NULL) < 0 ||
	    !lcx__container_is_running(k->c)) {
		k->spawning = lcx__spawning_free(k->spawning);
		plan_next(k);
		return;
	}
	if (!k->too_late)
		say(k, lcx_error_message(why));
	finish(k, LCX_EXIT_UNKNOWN);
}

static void begin(struct lcx__checker *k)
{
	CLEANUP(lcx_error_freep) struct lcx_error *why = NULL;
	int r;

	k->length = 0;
	k->too_late = k->is_told = false;
	k->started_ns = lcx__now_ns();
	k->due_ns = lcx__monotonic_ns() + lcx__health_setting(k->c, LCX_HEALTH_TIMEOUT_NS);
	r = execute(k, &why);
	if (r < 0)
		fail(k, r, why);
}

static void kill_check(struct lcx__checker *k)
{
	enum { DYING_NS = 1000000000 };

	if (k->spawning)
		lcx__spawning_kill(k->spawning);
	else
		(void)lcx_process_kill(k->process, SIGKILL, NULL);
	k->too_late = true;
	k->due_ns = lcx__monotonic_ns() + DYING_NS;
}

/* Once more: a failure for each check that it keeps from being made. */
static void tell_stuck(struct lcx__checker *k)
{
	k->length = 0;
	say(k, "the check took too long, and cannot be killed");
	record(k, LCX_EXIT_UNKNOWN);
	k->is_told = true;
	plan_next(k);
}

static void go_on(struct lcx__checker *k)
{
	CLEANUP(lcx_error_freep) struct lcx_error *why = NULL;
	int r = lcx__spawn_go_on(k->spawning, &k->process, &why);

	if (r > 0)
		return;
	if (r == 0) {
		k->spawning = lcx__spawning_free(k->spawning);
		r = watch(k, lcx_process_fd(k->process), &why);
	}
	if (r < 0) {
		k->process = lcx__process_abandon(k->process);
		fail(k, r, why);
	}
}

/* What it started and left behind keeps nobody waiting: lcx_process_dispatch() knows. */
static void serve(struct lcx__checker *k)
{
	int32_t status = LCX_EXIT_UNKNOWN;

	if (k->spawning)
		go_on(k);
	if (k->process && lcx_process_wait(k->process, 0, &status, NULL) == 0) {
		finish(k, status);
		return;
	}
	if ((!k->spawning && !k->process) || lcx__monotonic_ns() < k->due_ns)
		return;
	if (k->too_late)
		tell_stuck(k);
	else
		kill_check(k);
}

int lcx__checker_dispatch(struct lcx__checker *k)
{
	if (k->spawning || k->process) {
		serve(k);
		return 1;
	}
	if (lcx__monotonic_ns() < k->due_ns)
		return 1;
	if (lcx__container_load_state(k->c, NULL) < 0 || !lcx__container_is_running(k->c))
		return 0;
	begin(k);
	return 1;
}

/* ---- the handle -------------------------------------------------------------------- */

int lcx__checker_new(struct lcx_ctx *ctx, const char *id, int epoll_fd, struct lcx__checker **ret,
		     struct lcx_error **err)
{
	CLEANUP(lcx__checker_freep) struct lcx__checker *k = calloc(1, sizeof(*k));
	int r;

	if (!k)
		return lcx__fail_nomem(err);
	k->epoll_fd = epoll_fd;
	r = lcx__container_open_id(ctx, id, &k->c, err);
	if (r < 0)
		return r;
	plan_next(k);
	*ret = TAKE_PTR(k);
	return 0;
}

struct lcx__checker *lcx__checker_free(struct lcx__checker *k)
{
	if (!k)
		return NULL;
	k->spawning = lcx__spawning_free(k->spawning);
	k->process = lcx__process_abandon(k->process);
	free(k->log);
	lcx_container_free(k->c);
	free(k);
	return NULL;
}
