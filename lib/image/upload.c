/* SPDX-License-Identifier: MIT */
/*
 * The states of an upload, by what is asked next:
 *
 *   CHECK  HEAD the blob: it may be there
 *   OPEN   POST: mount it from elsewhere, or open a session, whose address comes back
 *   WHOLE  PUT all of it to the session
 *   CHUNK  PATCH the next piece to the session, again and again
 *   CLOSE  PUT nothing, with the digest: the session becomes the blob
 *   ASK    GET the session: how much has it?
 *
 * When something breaks nobody knows how much has arrived. A session of chunks is asked; whatever
 * else is in doubt goes back to CHECK, which also notices that only the last answer was lost. Each
 * step back is an attempt, and only bytes that nobody had before make these count from 0 again.
 */
#include "image/upload.h"

#include <errno.h>
#include <string.h>

#include "image/registry-internal.h"

enum {
	ATTEMPTS_MAX = 5,
	PART_BYTES = 64 << 10, /* of a piece: when a registry takes less, that is no progress */
};

enum state {
	STATE_CHECK,
	STATE_OPEN,
	STATE_WHOLE,
	STATE_CHUNK,
	STATE_CLOSE,
	STATE_ASK,
};

struct lcx__upload {
	struct lcx__upload_job job;
	char *what; /* "blob sha256:0123456789ab" */
	enum state state;
	enum lcx__upload_end end;
	struct lcx__request *request;
	char *location; /* of the session */
	uint64_t offset, best_offset, chunk_bytes;
	unsigned attempts;
	int64_t pause_until_ns;
	bool sent; /* at least some of it */
};

int lcx__upload_new(const struct lcx__upload_job *job, struct lcx__upload **ret,
		    struct lcx_error **err)
{
	CLEANUP(lcx__upload_freep) struct lcx__upload *upload = calloc(1, sizeof(*upload));

	if (!upload)
		return lcx__fail_nomem(err);
	upload->job = *job;
	upload->what = lcx__format("blob %.19s", job->digest.text);
	if (!upload->what)
		return lcx__fail_nomem(err);
	*ret = TAKE_PTR(upload);
	return 0;
}

struct lcx__upload *lcx__upload_free(struct lcx__upload *upload)
{
	if (upload) {
		(void)lcx__request_free(upload->request);
		free(upload->location);
		free(upload->what);
		free(upload);
	}
	return NULL;
}

/* Asking */

static int ask(struct lcx__upload *u, enum lcx__method method, const char *target, uint64_t from,
	       uint64_t to, struct lcx_error **err)
{
	const struct lcx__payload payload = {
		.content_type = "application/octet-stream",
		.data = "",
		.fd = to > from ? u->job.fd : -1,
		.from = from,
		.to = to,
		.is_chunk = method == LCX__PATCH,
	};
	bool has_body = method == LCX__PATCH || method == LCX__PUT;

	return lcx__request_send(u->job.registry, method, target, has_body ? &payload : NULL,
				 &u->request, err);
}

static int send_check(struct lcx__upload *u, struct lcx_error **err)
{
	CLEANUP(freep) char *path = lcx__format("blobs/%s", u->job.digest.text);

	return path ? ask(u, LCX__HEAD, path, 0, 0, err) : lcx__fail_nomem(err);
}

static int send_open(struct lcx__upload *u, struct lcx_error **err)
{
	CLEANUP(freep)
	char *path = u->job.mount_from ? lcx__format("blobs/uploads/?mount=%s&from=%s",
						     u->job.digest.text, u->job.mount_from)
				       : strdup("blobs/uploads/");

	return path ? ask(u, LCX__POST, path, 0, 0, err) : lcx__fail_nomem(err);
}

static int send_last(struct lcx__upload *u, uint64_t to, struct lcx_error **err)
{
	CLEANUP(freep) char *url = NULL;
	int r = lcx__url_append(u->location, "digest", u->job.digest.text, &url);

	if (r < 0)
		return r == -ENOMEM ? lcx__fail_nomem(err)
				    : lcx__fail(err, EPROTO, "its session has no usable address");
	return ask(u, LCX__PUT, url, 0, to, err);
}

static int send_whole(struct lcx__upload *u, struct lcx_error **err)
{
	u->sent = true;
	return send_last(u, u->job.size_bytes, err);
}

static uint64_t chunk_end(const struct lcx__upload *u)
{
	uint64_t left = u->job.size_bytes - u->offset;

	return u->offset + (left < u->chunk_bytes ? left : u->chunk_bytes);
}

static int send_chunk(struct lcx__upload *u, struct lcx_error **err)
{
	u->sent = true;
	return ask(u, LCX__PATCH, u->location, u->offset, chunk_end(u), err);
}

static int send_close(struct lcx__upload *u, struct lcx_error **err)
{
	return send_last(u, 0, err);
}

static int send_ask(struct lcx__upload *u, struct lcx_error **err)
{
	return ask(u, LCX__GET, u->location, 0, 0, err);
}

/* Answers. Each returns 0, with the next state, or a failure. */

static int go_to(struct lcx__upload *u, enum state state)
{
	u->state = state;
	return 0;
}

/* The answer as it stands is the failure, unless this is still worth an attempt. */
static int step_back(struct lcx__upload *u, enum state state, struct lcx_error **err)
{
	if (++u->attempts >= ATTEMPTS_MAX)
		return lcx__request_refused(u->request, err);
	return go_to(u, state);
}

static int finish(struct lcx__upload *u, enum lcx__upload_end end)
{
	u->end = end;
	return 0;
}

static int take_location(struct lcx__upload *u, struct lcx_error **err)
{
	char *location = NULL;
	int r = lcx__request_location(u->request, &location, err);

	if (r < 0)
		return r;
	free(u->location);
	u->location = location;
	return 0;
}

static int take_check(struct lcx__upload *u, long status, struct lcx_error **err)
{
	if (status == 200)
		return finish(u, u->sent ? LCX__UPLOAD_SENT : LCX__UPLOAD_EXISTED);
	return status == 404 ? go_to(u, STATE_OPEN) : lcx__request_refused(u->request, err);
}

static int take_open(struct lcx__upload *u, long status, struct lcx_error **err)
{
	uint64_t least = lcx__request_chunk_min(u->request);
	int r;

	if (status == 201 && u->job.mount_from)
		return finish(u, LCX__UPLOAD_MOUNTED);
	if (status != 202) {
		if (!u->job.mount_from)
			return lcx__request_refused(u->request, err);
		u->job.mount_from = NULL; /* it only would have been shorter */
		return go_to(u, STATE_OPEN);
	}
	if (u->job.fd < 0)
		return lcx__fail(err, ENODATA,
				 "it isn't in the image store, where another image's archive was "
				 "unpacked instead; remove the image and pull it again");
	r = take_location(u, err);
	if (r < 0)
		return r;
	u->offset = 0;
	u->chunk_bytes = u->job.chunk_bytes > least ? u->job.chunk_bytes : least;
	return go_to(u, u->job.chunk_bytes == 0 || u->job.size_bytes <= u->chunk_bytes
				? STATE_WHOLE
				: STATE_CHUNK);
}

static int take_last(struct lcx__upload *u, long status, struct lcx_error **err)
{
	if (status == 201 || status == 204)
		return finish(u, LCX__UPLOAD_SENT);
	/* 404: the session is gone. 400: what it had before we went on wasn't what we thought. */
	if (status == 404 || (status == 400 && u->attempts > 0))
		return step_back(u, STATE_CHECK, err);
	return lcx__request_refused(u->request, err);
}

/* "0-N", which some say for nothing as well if N is 0. */
static int take_range(struct lcx__upload *u, uint64_t at_most, struct lcx_error **err)
{
	const char *range = lcx__request_range(u->request);
	uint64_t last;

	if (!range || strncmp(range, "0-", 2) != 0 ||
	    lcx__parse_u64(range + 2, at_most - 1, &last) < 0)
		return lcx__fail(err, EPROTO, "the registry says it has the bytes '%.40s' of %ju",
				 range ? range : "", (uintmax_t)at_most);
	u->offset = last > 0 ? last + 1 : 0;
	return 0;
}

static int take_chunk(struct lcx__upload *u, long status, struct lcx_error **err)
{
	uint64_t before = u->offset, end = chunk_end(u);
	int r;

	if (status == 416)
		return step_back(u, STATE_ASK, err);
	if (status == 404)
		return step_back(u, STATE_CHECK, err);
	if (status != 202)
		return lcx__request_refused(u->request, err);
	r = take_location(u, err);
	if (r == 0 && lcx__request_range(u->request))
		r = take_range(u, end, err);
	else if (r == 0)
		u->offset = end;
	if (r < 0)
		return r;
	if (u->offset <= before || (u->offset < end && u->offset - before < PART_BYTES))
		return step_back(u, STATE_CHUNK, err);
	if (u->offset > u->best_offset) {
		u->best_offset = u->offset;
		u->attempts = 0;
	}
	return go_to(u, u->offset == u->job.size_bytes ? STATE_CLOSE : STATE_CHUNK);
}

static int take_ask(struct lcx__upload *u, long status, struct lcx_error **err)
{
	int r;

	if (status != 204 && status != 200)
		return step_back(u, STATE_CHECK, err);
	if (u->request->response.location) {
		r = take_location(u, err);
		if (r < 0)
			return r;
	}
	r = take_range(u, u->job.size_bytes, err);
	if (r < 0)
		return r;
	return go_to(u, u->offset == u->job.size_bytes ? STATE_CLOSE : STATE_CHUNK);
}

static const struct {
	int (*send)(struct lcx__upload *u, struct lcx_error **err);
	int (*take)(struct lcx__upload *u, long status, struct lcx_error **err);
} states[] = {
	[STATE_CHECK] = {send_check, take_check}, [STATE_OPEN] = {send_open, take_open},
	[STATE_WHOLE] = {send_whole, take_last},  [STATE_CHUNK] = {send_chunk, take_chunk},
	[STATE_CLOSE] = {send_close, take_last},  [STATE_ASK] = {send_ask, take_ask},
};

/* No answer, or "later", at a moment when bytes were on their way. */
static int broken(struct lcx__upload *u, int result, struct lcx_error **err)
{
	int64_t retry_at_ns = lcx__request_retry_at_ns(u->request);

	/* The other repository is none of ours. */
	if (u->state == STATE_OPEN && u->job.mount_from && result == -EACCES) {
		u->job.mount_from = NULL;
		*err = lcx_error_free(*err);
		return 0;
	}
	if (retry_at_ns == INT64_MAX || ++u->attempts >= ATTEMPTS_MAX)
		return result;
	*err = lcx_error_free(*err);
	u->pause_until_ns = retry_at_ns;
	u->state = u->state == STATE_CHUNK ? STATE_ASK : STATE_CHECK;
	return 0;
}

static int advance(struct lcx__upload *u, struct lcx_error **err)
{
	int r;

	if (u->end != LCX__UPLOAD_RUNS)
		return 0;
	if (lcx__monotonic_ns() < u->pause_until_ns)
		return 1;
	u->pause_until_ns = 0;
	if (!u->request) {
		r = states[u->state].send(u, err);
		return r < 0 ? r : 1;
	}
	r = lcx__request_result(u->request, err);
	if (r > 0)
		return 1;
	r = r < 0 ? broken(u, r, err)
		  : states[u->state].take(u, lcx__request_status(u->request), err);
	u->request = lcx__request_free(u->request);
	return r < 0 ? r : u->end == LCX__UPLOAD_RUNS;
}

int lcx__upload_step(struct lcx__upload *upload, struct lcx_error **err)
{
	CLEANUP(lcx_error_freep) struct lcx_error *words = NULL;
	int r = advance(upload, &words);

	if (r < 0 && err && !*err)
		*err = TAKE_PTR(words);
	return r < 0 ? lcx__fail_prefix(err, r, "%s", upload->what) : r;
}

int64_t lcx__upload_deadline_ns(const struct lcx__upload *upload)
{
	if (upload->end != LCX__UPLOAD_RUNS)
		return INT64_MAX;
	if (upload->pause_until_ns > 0)
		return upload->pause_until_ns;
	return upload->request ? INT64_MAX : 0;
}

enum lcx__upload_end lcx__upload_end(const struct lcx__upload *upload)
{
	return upload->end;
}

uint64_t lcx__upload_done_bytes(const struct lcx__upload *upload)
{
	if (upload->end != LCX__UPLOAD_RUNS)
		return upload->job.size_bytes;
	return upload->offset + (upload->request ? lcx__request_sent_bytes(upload->request) : 0);
}
