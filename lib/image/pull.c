/* SPDX-License-Identifier: MIT */
/*
 * A pull is a row of stages (manifest, configuration, layers) that is moved on by
 * lcx_pull_dispatch() whenever its epoll descriptor is readable. Four things make it so:
 * curl's sockets, curl's timer, our own timer (retries, stalls, another process's lock), and
 * an eventfd that is full as long as there is work that needs no waiting: unpacking.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include "image/image-internal.h"
#include "image/install.h"
#include "image/registry.h"
#include "util/str.h"

enum {
	STALL_TIMEOUT_MS = 30000,
	FETCHES_AT_ONCE = 3,
	UNPACKS_AT_ONCE = 4,
	INDEX_DEPTH_MAX = 3,
	LOCK_POLL_MS = 100,
};

enum stage {
	STAGE_NEW,
	STAGE_MANIFEST,
	STAGE_CONFIG,
	STAGE_LAYERS,
	STAGE_DONE,
	STAGE_FAILED,
};

/* What is shown of a layer after its own state is gone. */
struct progress {
	struct lcx__digest digest;
	uint64_t total_bytes;
	bool watched; /* the descriptor of its unpacking */
};

struct lcx_pull {
	struct lcx_ctx *ctx;
	struct lcx__reference *ref;
	char *full_name;
	struct lcx__registry_settings settings;
	struct lcx__platform platform;

	struct lcx__transport *transport;
	int work_fd, tick_fd;

	enum stage stage;
	int result;
	struct lcx__registry *registry;
	struct lcx__install *install;
	struct lcx__fetch *document;
	struct lcx__digest digest; /* of the document; empty if a tag names it */
	uint64_t size_bytes;       /* of the document; 0 if unknown */
	char *media_type;          /* that the index announced; NULL if unknown */
	int depth;
	struct lcx__fetch **fetches; /* one per layer, NULL when none runs */
	int64_t lock_poll_ns;
	struct progress *layers;
	size_t n_layers;
};

/* Everything but the description and the handles that were promised to live as long as the pull. */
static void let_go(struct lcx_pull *pull)
{
	pull->document = lcx__fetch_free(pull->document);
	for (size_t i = 0; pull->fetches && i < pull->n_layers; i++)
		(void)lcx__fetch_free(pull->fetches[i]);
	free(TAKE_PTR(pull->fetches));
	free(TAKE_PTR(pull->media_type));
	pull->registry = lcx__registry_free(pull->registry);
	pull->install = lcx__install_free(pull->install);
}

LCX_PUBLIC struct lcx_pull *lcx_pull_free(struct lcx_pull *pull)
{
	if (!pull)
		return NULL;
	let_go(pull);
	(void)lcx__transport_free(pull->transport);
	closep(&pull->tick_fd);
	closep(&pull->work_fd);
	(void)lcx__reference_free(pull->ref);
	if (pull->settings.password)
		explicit_bzero(pull->settings.password, strlen(pull->settings.password));
	free(pull->settings.password);
	free(pull->settings.user);
	free(pull->settings.ca_file);
	free(pull->full_name);
	free(pull->layers);
	free(pull);
	return NULL;
}

static int watch(const struct lcx_pull *pull, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = UINT64_MAX};

	return epoll_ctl(lcx__transport_fd(pull->transport), EPOLL_CTL_ADD, fd, &event);
}

static int open_descriptors(struct lcx_pull *pull, struct lcx_error **err)
{
	int r = lcx__transport_new(&pull->transport, err);

	if (r < 0)
		return r;
	/* Full from the start: the first dispatch begins the pull. */
	pull->work_fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
	pull->tick_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (pull->work_fd < 0 || pull->tick_fd < 0 || watch(pull, pull->work_fd) < 0 ||
	    watch(pull, pull->tick_fd) < 0)
		return lcx__fail_sys(err, errno, "pull: event and timer");
	return 0;
}

LCX_PUBLIC int lcx_pull_new(struct lcx_ctx *ctx, const char *ref, struct lcx_pull **ret,
			    struct lcx_error **err)
{
	CLEANUP(lcx_pull_freep) struct lcx_pull *pull = calloc(1, sizeof(*pull));
	int r;

	if (!pull)
		return lcx__fail_nomem(err);
	pull->ctx = ctx;
	pull->work_fd = pull->tick_fd = -1;
	pull->settings.stall_timeout_ms = STALL_TIMEOUT_MS;
	lcx__platform_host(&pull->platform);
	r = lcx__reference_parse(ref, &pull->ref, err);
	if (r < 0)
		return r;
	pull->full_name = lcx__reference_format(pull->ref);
	if (!pull->full_name)
		return lcx__fail_nomem(err);
	r = open_descriptors(pull, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(pull);
	return 0;
}

static int check_new(const struct lcx_pull *pull, struct lcx_error **err)
{
	return pull->stage == STAGE_NEW
		       ? 0
		       : lcx__fail(err, EBUSY, "pull '%s': already begun", pull->full_name);
}

static int set_string(char **field, const char *value, struct lcx_error **err)
{
	char *copy = value ? strdup(value) : NULL;

	if (value && !copy)
		return lcx__fail_nomem(err);
	free(*field);
	*field = copy;
	return 0;
}

LCX_PUBLIC int lcx_pull_set_plain_http(struct lcx_pull *pull, bool plain_http,
				       struct lcx_error **err)
{
	int r = check_new(pull, err);

	if (r == 0)
		pull->settings.plain_http = plain_http;
	return r;
}

LCX_PUBLIC int lcx_pull_set_ca_file(struct lcx_pull *pull, const char *path, struct lcx_error **err)
{
	int r = check_new(pull, err);

	return r < 0 ? r : set_string(&pull->settings.ca_file, path, err);
}

LCX_PUBLIC int lcx_pull_set_credentials(struct lcx_pull *pull, const char *user,
					const char *password, struct lcx_error **err)
{
	int r = check_new(pull, err);

	if (r < 0)
		return r;
	if (user && (strchr(user, ':') || !password))
		return lcx__fail(err, EINVAL, "credentials: %s",
				 password ? "a user's name can't have a colon"
					  : "there must be a password");
	r = set_string(&pull->settings.user, user, err);
	return r < 0 ? r : set_string(&pull->settings.password, user ? password : NULL, err);
}

LCX_PUBLIC int lcx_pull_set_platform(struct lcx_pull *pull, const char *platform,
				     struct lcx_error **err)
{
	int r = check_new(pull, err);

	return r < 0 ? r : lcx__platform_parse(platform, &pull->platform, err);
}

LCX_PUBLIC int lcx_pull_set_stall_timeout_ms(struct lcx_pull *pull, int32_t timeout_ms,
					     struct lcx_error **err)
{
	int r = check_new(pull, err);

	if (r < 0)
		return r;
	if (timeout_ms <= 0)
		return lcx__fail(err, EINVAL, "a stall timeout of %d ms is none", timeout_ms);
	pull->settings.stall_timeout_ms = timeout_ms;
	return 0;
}

LCX_PUBLIC int lcx_pull_fd(const struct lcx_pull *pull)
{
	return lcx__transport_fd(pull->transport);
}

/* Stages. Each returns 0 (look at the stage) or a negative errno. */

static int fetch_document(struct lcx_pull *pull, const char *kind, const char *target,
			  const char *accept, struct lcx_error **err)
{
	size_t limit = pull->size_bytes ? pull->size_bytes : LCX__DOCUMENT_MAX;
	CLEANUP(freep) char *path = lcx__format("%s/%s", kind, target);

	if (!path)
		return lcx__fail_nomem(err);
	if (limit > LCX__DOCUMENT_MAX)
		return lcx__fail(err, EBADMSG, "'%.19s': %zu bytes are too many", target, limit);
	pull->document = lcx__fetch_free(pull->document);
	return lcx__fetch_new(pull->registry, path, accept, NULL, limit, &pull->document, err);
}

static int stage_new(struct lcx_pull *pull, struct lcx_error **err)
{
	int r;

	r = lcx__install_new(pull->ctx, &pull->install, err);
	if (r == 0)
		r = lcx__registry_new(pull->transport, pull->ref, &pull->settings, &pull->registry,
				      err);
	pull->digest = pull->ref->digest;
	if (r == 0)
		r = fetch_document(pull, "manifests", lcx__reference_target(pull->ref),
				   LCX__MANIFEST_ACCEPT, err);
	pull->stage = STAGE_MANIFEST;
	return r;
}

static int check_manifest(struct lcx_pull *pull, const char *data, size_t length,
			  struct lcx_error **err)
{
	if (pull->digest.text[0] == '\0')
		return lcx__digest_of(NULL, data, length, &pull->digest) < 0
			       ? lcx__fail(err, EIO, "hash the manifest")
			       : 0;
	return lcx__check_document(&pull->digest, pull->size_bytes ? pull->size_bytes : length,
				   data, length, err);
}

static int follow_index(struct lcx_pull *pull, const struct lcx__manifest *index,
			struct lcx_error **err)
{
	const struct lcx__descriptor *d = NULL;
	int r;

	if (++pull->depth > INDEX_DEPTH_MAX)
		return lcx__fail(err, EBADMSG, "indexes nested too deeply");
	r = lcx__index_choose(index, &pull->platform, NULL, &d, err);
	if (r < 0)
		return r;
	pull->digest = d->digest;
	pull->size_bytes = d->size;
	r = set_string(&pull->media_type, d->media_type, err);
	return r < 0 ? r
		     : fetch_document(pull, "manifests", d->digest.text, LCX__MANIFEST_ACCEPT, err);
}

static int begin_config(struct lcx_pull *pull, struct lcx_error **err)
{
	const struct lcx__descriptor *d = &pull->install->manifest->config;

	pull->stage = STAGE_CONFIG;
	pull->size_bytes = d->size;
	return fetch_document(pull, "blobs", d->digest.text, NULL, err);
}

static int stage_manifest(struct lcx_pull *pull, struct lcx_error **err)
{
	CLEANUP(lcx__manifest_freep) struct lcx__manifest *manifest = NULL;
	const char *data, *type = NULL;
	size_t length;
	int r;

	r = lcx__fetch_result(pull->document, err);
	if (r != 0)
		return r < 0 ? r : 0;
	data = lcx__fetch_body(pull->document, &length, &type);
	r = check_manifest(pull, data, length, err);
	if (r == 0)
		r = lcx__manifest_parse(data, length, type, &manifest, err);
	/* What the index called it counts as well. */
	if (r == 0 && pull->media_type) {
		manifest = lcx__manifest_free(manifest);
		r = lcx__manifest_parse(data, length, pull->media_type, &manifest, err);
	}
	if (r < 0)
		return r;
	if (manifest->is_index)
		return follow_index(pull, manifest, err);
	r = lcx__install_manifest(pull->install, &pull->digest, data, length, TAKE_PTR(manifest),
				  err);
	return r < 0 ? r : begin_config(pull, err);
}

static int begin_layers(struct lcx_pull *pull, struct lcx_error **err)
{
	size_t n = pull->install->n_layers;

	pull->fetches = calloc(n + 1, sizeof(struct lcx__fetch *));
	pull->layers = calloc(n + 1, sizeof(*pull->layers));
	if (!pull->fetches || !pull->layers)
		return lcx__fail_nomem(err);
	pull->n_layers = n;
	for (size_t i = 0; i < n; i++) {
		pull->layers[i].digest = pull->install->layers[i].digest;
		pull->layers[i].total_bytes = pull->install->layers[i].size_bytes;
	}
	pull->stage = STAGE_LAYERS;
	return 0;
}

static int stage_config(struct lcx_pull *pull, struct lcx_error **err)
{
	const char *data;
	size_t length;
	int r;

	r = lcx__fetch_result(pull->document, err);
	if (r != 0)
		return r < 0 ? r : 0;
	data = lcx__fetch_body(pull->document, &length, NULL);
	r = lcx__install_config(pull->install, data, length, err);
	pull->document = lcx__fetch_free(pull->document);
	return r < 0 ? r : begin_layers(pull, err);
}

static uint64_t sink_offset(void *data)
{
	return ((struct lcx__layer *)data)->have_bytes;
}

static int sink_restart(void *data, struct lcx_error **err)
{
	return lcx__layer_restart(data, err);
}

static int sink_write(void *data, const void *bytes, size_t length, struct lcx_error **err)
{
	return lcx__layer_write(data, bytes, length, err);
}

static size_t count_fetches(const struct lcx_pull *pull)
{
	size_t n = 0;

	for (size_t i = 0; i < pull->n_layers; i++)
		n += pull->fetches[i] != NULL;
	return n;
}

static int fetch_layer(struct lcx_pull *pull, size_t i, struct lcx_error **err)
{
	struct lcx__layer *layer = &pull->install->layers[i];
	int r;

	if (!pull->fetches[i]) {
		const struct lcx__sink sink = {layer, sink_offset, sink_restart, sink_write};
		CLEANUP(freep) char *path = lcx__format("blobs/%s", layer->digest.text);

		if (count_fetches(pull) >= FETCHES_AT_ONCE)
			return 0;
		return path ? lcx__fetch_new(pull->registry, path, NULL, &sink, 0,
					     &pull->fetches[i], err)
			    : lcx__fail_nomem(err);
	}
	r = lcx__fetch_result(pull->fetches[i], err);
	if (r != 0)
		return r < 0 ? r : 0;
	pull->fetches[i] = lcx__fetch_free(pull->fetches[i]);
	return lcx__layer_fetched(layer, err);
}

/* More at once would only wait for processors, each with its own decoder in memory. */
static bool may_unpack(const struct lcx_pull *pull, const struct lcx__layer *layer)
{
	size_t n = 0;

	if (lcx__layer_fd(layer) >= 0)
		return true;
	for (size_t i = 0; i < pull->n_layers; i++)
		n += lcx__layer_fd(&pull->install->layers[i]) >= 0;
	return n < UNPACKS_AT_ONCE;
}

/* Where the work is done elsewhere, its descriptor tells of it. */
static int unpack_layer(struct lcx_pull *pull, size_t i, struct lcx_error **err)
{
	struct lcx__layer *layer = &pull->install->layers[i];
	int r = lcx__layer_step(layer, err);

	if (r < 0 || pull->layers[i].watched || lcx__layer_fd(layer) < 0)
		return r;
	pull->layers[i].watched = true;
	return watch(pull, lcx__layer_fd(layer)) < 0 ? lcx__fail_sys(err, errno, "watch a layer")
						     : 0;
}

/* Downloads all move on; of the work that takes our own time one piece is done, for one layer. */
static int stage_layers(struct lcx_pull *pull, struct lcx_error **err)
{
	bool may_poll = lcx__monotonic_ns() >= pull->lock_poll_ns;
	bool worked = false, waiting = false;
	int r = 0;

	for (size_t i = 0; r == 0 && i < pull->n_layers; i++) {
		struct lcx__layer *layer = &pull->install->layers[i];
		int fd = lcx__layer_fd(layer);

		switch (layer->stage) {
		case LCX__LAYER_LOCK:
			if (may_poll && !waiting)
				r = lcx__layer_step(layer, err);
			/* Those above it may not be locked before it. */
			waiting |= layer->stage == LCX__LAYER_LOCK;
			break;
		case LCX__LAYER_FETCH:
			r = fetch_layer(pull, i, err);
			break;
		case LCX__LAYER_REHASH:
			if (!worked)
				r = lcx__layer_step(layer, err);
			worked = true;
			break;
		case LCX__LAYER_UNPACK:
			if (may_unpack(pull, layer) && (fd >= 0 || !worked))
				r = unpack_layer(pull, i, err);
			worked |= fd < 0;
			break;
		case LCX__LAYER_SETTLE:
		case LCX__LAYER_DONE:
			break;
		}
	}
	if (r == 0)
		r = lcx__install_settle(pull->install, err);
	if (may_poll)
		pull->lock_poll_ns = lcx__monotonic_ns() + LOCK_POLL_MS * INT64_C(1000000);
	if (r < 0 || !lcx__install_complete(pull->install))
		return r;
	r = lcx__install_commit(pull->install, pull->full_name, err);
	pull->stage = r < 0 ? STAGE_FAILED : STAGE_DONE;
	return r;
}

static int (*const stages[])(struct lcx_pull *pull, struct lcx_error **err) = {
	[STAGE_NEW] = stage_new,
	[STAGE_MANIFEST] = stage_manifest,
	[STAGE_CONFIG] = stage_config,
	[STAGE_LAYERS] = stage_layers,
};

/* Is there something to do that no descriptor tells of? And when, if not at once? */
static bool has_work(const struct lcx_pull *pull, int64_t *ret_deadline_ns)
{
	bool work = false;

	*ret_deadline_ns = lcx__registry_deadline_ns(pull->registry);
	for (size_t i = 0; pull->stage == STAGE_LAYERS && i < pull->n_layers; i++) {
		enum lcx__layer_stage stage = pull->install->layers[i].stage;

		work |= stage == LCX__LAYER_REHASH ||
			(stage == LCX__LAYER_UNPACK && !pull->layers[i].watched &&
			 may_unpack(pull, &pull->install->layers[i])) ||
			(stage == LCX__LAYER_FETCH && !pull->fetches[i] &&
			 count_fetches(pull) < FETCHES_AT_ONCE);
		if (stage == LCX__LAYER_LOCK && pull->lock_poll_ns < *ret_deadline_ns)
			*ret_deadline_ns = pull->lock_poll_ns;
	}
	return work;
}

static int arm(struct lcx_pull *pull)
{
	struct itimerspec at = {0};
	uint64_t count = 1;
	int64_t deadline_ns;

	if (has_work(pull, &deadline_ns))
		(void)!write(pull->work_fd, &count, sizeof(count));
	if (deadline_ns == INT64_MAX)
		return timerfd_settime(pull->tick_fd, 0, &at, NULL) < 0 ? -errno : 0;
	deadline_ns = deadline_ns > 0 ? deadline_ns : 1; /* 0 would stop the timer */
	at.it_value.tv_sec = deadline_ns / 1000000000;
	at.it_value.tv_nsec = deadline_ns % 1000000000;
	return timerfd_settime(pull->tick_fd, TFD_TIMER_ABSTIME, &at, NULL) < 0 ? -errno : 0;
}

static int dispatch(struct lcx_pull *pull, struct lcx_error **err)
{
	uint64_t count;
	int r;

	(void)!read(pull->work_fd, &count, sizeof(count));
	(void)!read(pull->tick_fd, &count, sizeof(count));
	r = lcx__transport_dispatch(pull->transport);
	if (r < 0)
		return lcx__fail_sys(err, -r, "network");
	r = pull->registry ? lcx__registry_dispatch(pull->registry, err) : 0;
	if (r == 0)
		r = stages[pull->stage](pull, err);
	if (r < 0 || pull->stage == STAGE_DONE)
		return r;
	r = arm(pull);
	return r < 0 ? lcx__fail_sys(err, -r, "timer") : 0;
}

/* From now on nothing of it is left but its result; its descriptor stays readable for a late poll.
 */
static int end(struct lcx_pull *pull, int result, struct lcx_error **err)
{
	uint64_t count = 1;

	pull->stage = result < 0 ? STAGE_FAILED : STAGE_DONE;
	pull->result = result;
	let_go(pull);
	(void)!write(pull->work_fd, &count, sizeof(count));
	if (result == 0)
		return 0;
	result = lcx__fail_prefix(err, result, "pull '%s'", pull->full_name);
	return lcx__fail_stage(err, result, "image");
}

LCX_PUBLIC int lcx_pull_dispatch(struct lcx_pull *pull, struct lcx_error **err)
{
	int r;

	if (pull->stage == STAGE_DONE)
		return 0;
	if (pull->stage == STAGE_FAILED)
		return lcx__fail(err, -pull->result, "pull '%s': it has failed before",
				 pull->full_name);
	r = dispatch(pull, err);
	if (r < 0 || pull->stage == STAGE_DONE)
		return end(pull, r, err);
	return 1;
}

static int wait_for(struct lcx_pull *pull, int64_t end_ns)
{
	struct pollfd poller = {.fd = lcx_pull_fd(pull), .events = POLLIN};
	int64_t left_ms = -1;

	if (end_ns != INT64_MAX) {
		left_ms = (end_ns - lcx__monotonic_ns() + 999999) / 1000000;
		if (left_ms <= 0)
			return -ETIMEDOUT;
	}
	if (poll(&poller, 1, left_ms > INT32_MAX ? INT32_MAX : (int)left_ms) < 0 && errno != EINTR)
		return -errno;
	return 0;
}

LCX_PUBLIC int lcx_pull_run(struct lcx_pull *pull, int32_t timeout_ms, struct lcx_error **err)
{
	int64_t end_ns =
		timeout_ms < 0 ? INT64_MAX : lcx__monotonic_ns() + (int64_t)timeout_ms * 1000000;
	int r;

	while ((r = lcx_pull_dispatch(pull, err)) == 1) {
		r = wait_for(pull, end_ns);
		if (r == -ETIMEDOUT)
			(void)lcx__fail(err, ETIMEDOUT,
					"not done within %d ms; what is here will be resumed",
					timeout_ms);
		if (r < 0)
			return end(pull, lcx__fail_sys(err, -r, "wait"), err);
	}
	return r;
}

LCX_PUBLIC const char *lcx_pull_reference(const struct lcx_pull *pull)
{
	return pull->full_name;
}

LCX_PUBLIC size_t lcx_pull_layer_count(const struct lcx_pull *pull)
{
	return pull->n_layers;
}

LCX_PUBLIC const char *lcx_pull_layer_digest(const struct lcx_pull *pull, size_t index)
{
	return index < pull->n_layers ? pull->layers[index].digest.text : NULL;
}

LCX_PUBLIC uint64_t lcx_pull_layer_total_bytes(const struct lcx_pull *pull, size_t index)
{
	return index < pull->n_layers ? pull->layers[index].total_bytes : 0;
}

LCX_PUBLIC enum lcx_pull_state lcx_pull_layer_state(const struct lcx_pull *pull, size_t index)
{
	if (index >= pull->n_layers)
		return LCX_PULL_WAITING;
	if (!pull->install)
		return pull->stage == STAGE_DONE ? LCX_PULL_DONE : LCX_PULL_WAITING;
	switch (pull->install->layers[index].stage) {
	case LCX__LAYER_LOCK:
		return LCX_PULL_WAITING;
	case LCX__LAYER_REHASH:
	case LCX__LAYER_FETCH:
		return LCX_PULL_DOWNLOADING;
	case LCX__LAYER_UNPACK:
	case LCX__LAYER_SETTLE:
		return LCX_PULL_UNPACKING;
	case LCX__LAYER_DONE:
		break;
	}
	return LCX_PULL_DONE;
}

LCX_PUBLIC uint64_t lcx_pull_layer_done_bytes(const struct lcx_pull *pull, size_t index)
{
	switch (lcx_pull_layer_state(pull, index)) {
	case LCX_PULL_DOWNLOADING:
		return pull->install->layers[index].have_bytes;
	case LCX_PULL_UNPACKING:
		return pull->install->layers[index].progress.consumed_bytes;
	case LCX_PULL_DONE:
		return pull->layers[index].total_bytes;
	default:
		return 0;
	}
}

LCX_PUBLIC int lcx_pull_image(struct lcx_pull *pull, struct lcx_image **ret, struct lcx_error **err)
{
	if (pull->stage != STAGE_DONE)
		return lcx__fail(err, EAGAIN, "pull '%s': not done", pull->full_name);
	return lcx_image_open(pull->ctx, pull->full_name, ret, err);
}
