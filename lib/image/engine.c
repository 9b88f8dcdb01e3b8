/* SPDX-License-Identifier: MIT */
#include "image/engine.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

enum { STEP_BYTES = 2 << 20, BUFFER = 256 << 10 };

struct lcx__engine {
	struct lcx__engine_job job;
	struct lcx__extract_rights rights;
	struct lcx__decoder *decoder;
	struct lcx__hash *hash;
	struct lcx__extractor *extractor;
	struct lcx__extract_source source; /* of decoded bytes */
	unsigned char *buffer;             /* for them, unless they are read ahead */
	/* Perhaps another thread's, which reads ahead: so is the decoder, and the sum a third
	 * one's. */
	_Atomic uint64_t consumed, produced;
	bool extracted; /* what follows the archive's end only counts for the digest */
};

/* Headers and padding come on top of what the files themselves may have. */
static uint64_t produced_max(const struct lcx__engine *u)
{
	return u->job.limits.total_bytes + u->job.limits.entries * 2048;
}

static ssize_t read_decoded(void *data, void *buffer, size_t size, struct lcx_error **err)
{
	struct lcx__engine *u = data;
	ssize_t n = lcx__decoder_read(u->decoder, buffer, size, err);
	uint64_t consumed = lcx__decoder_consumed(u->decoder), produced;

	u->consumed = consumed;
	if (n <= 0)
		return n;
	u->produced += (uint64_t)n;
	produced = u->produced;
	if (produced > produced_max(u) || (produced > u->job.limits.ratio_from_bytes &&
					   produced / u->job.limits.ratio > consumed))
		return lcx__fail(err, EBADMSG,
				 "%ju bytes grew to %ju, which looks like a decompression bomb",
				 (uintmax_t)consumed, (uintmax_t)produced);
	return n;
}

static int hash_decoded(void *data, const void *bytes, size_t length, struct lcx_error **err)
{
	struct lcx__engine *u = data;

	return lcx__hash_update(u->hash, bytes, length) < 0 ? lcx__fail(err, EIO, "hash the layer")
							    : 0;
}

static ssize_t next_decoded(void *data, const unsigned char **ret, struct lcx_error **err)
{
	struct lcx__engine *u = data;
	ssize_t n = read_decoded(u, u->buffer, BUFFER, err);
	int r = n > 0 ? hash_decoded(u, u->buffer, (size_t)n, err) : 0;

	*ret = u->buffer;
	return r < 0 ? r : n;
}

/* The decoder and the sum must be there: other threads may begin with them at once. */
static int set_source(struct lcx__engine *u, struct lcx_error **err)
{
	const struct lcx__source decoded = {.read = read_decoded, .data = u};
	const struct lcx__byte_sink hash = {hash_decoded, u};
	const struct lcx__read_ahead *ahead = &u->job.ahead;

	u->source = (struct lcx__extract_source){next_decoded, u};
	if (ahead->begin) {
		ahead->begin(ahead->source.data, &decoded, &hash);
		u->source = ahead->source;
		return 0;
	}
	u->buffer = malloc(BUFFER);
	return u->buffer ? 0 : lcx__fail_nomem(err);
}

int lcx__engine_new(const struct lcx__engine_job *job, struct lcx__engine **ret,
		    struct lcx_error **err)
{
	CLEANUP(lcx__engine_freep) struct lcx__engine *u = calloc(1, sizeof(*u));
	const struct lcx__decode_options options = {job->gate, job->limits.window_bytes};
	int r;

	if (!u)
		return lcx__fail_nomem(err);
	u->job = *job;
	r = lcx__extract_rights_probe(job->root_fd, &u->rights, err);
	u->rights.enclosed = job->enclosed;
	if (r == 0)
		r = lcx__decoder_new(job->input_fd, &options, &u->decoder, err);
	if (r == 0)
		r = lcx__hash_new(&job->diff_id, &u->hash, err);
	if (r < 0)
		return r;
	r = set_source(u, err);
	if (r < 0)
		return r;
	r = lcx__extractor_new(job->root_fd, &u->source, &job->limits, &u->rights, &u->extractor,
			       err);
	if (r < 0 && job->ahead.begin)
		(void)TAKE_PTR(u); /* the other threads have it */
	if (r < 0)
		return r;
	*ret = TAKE_PTR(u);
	return 0;
}

struct lcx__engine *lcx__engine_free(struct lcx__engine *u)
{
	if (u) {
		(void)lcx__extractor_free(u->extractor);
		(void)lcx__decoder_free(u->decoder);
		(void)lcx__hash_free(u->hash);
		free(u->buffer);
		free(u);
	}
	return NULL;
}

const struct lcx__strbuf *lcx__engine_implied(const struct lcx__engine *u)
{
	return lcx__extractor_implied(u->extractor);
}

/* Padding behind the end of the archive. 0 at the end. */
static int drain(struct lcx__engine *u, struct lcx_error **err)
{
	const unsigned char *bytes;
	ssize_t n = 1;

	for (size_t done = 0; n > 0 && done < STEP_BYTES; done += (size_t)n) {
		n = u->source.next(u->source.data, &bytes, err);
		if (n < 0)
			return (int)n;
	}
	return n > 0;
}

static int check_diff_id(struct lcx__engine *u, struct lcx_error **err)
{
	const struct lcx__read_ahead *ahead = &u->job.ahead;
	struct lcx__digest found;
	int r = ahead->end ? ahead->end(ahead->source.data, err) : 0;

	if (r < 0)
		return r;
	if (lcx__hash_finish(u->hash, &found) < 0)
		return lcx__fail(err, EIO, "hash the layer");
	if (!lcx__digest_equal(&found, &u->job.diff_id))
		return lcx__fail(err, EBADMSG, "its content is %s, not %s as the image says",
				 found.text, u->job.diff_id.text);
	return 0;
}

/* Before the file system is full for everybody else. */
static int check_space(const struct lcx__engine *u, struct lcx_error **err)
{
	struct statvfs fs;

	if (u->job.limits.free_bytes == 0)
		return 0;
	if (fstatvfs(u->job.root_fd, &fs) < 0)
		return lcx__fail_sys(err, errno, "look at the free space");
	/* A file system without a size of its own counts no blocks. */
	if (fs.f_blocks > 0 && (uint64_t)fs.f_bavail * fs.f_frsize < u->job.limits.free_bytes)
		return lcx__fail(err, ENOSPC,
				 "less than %ju bytes are left on the file system; make room, or "
				 "lower the limit",
				 (uintmax_t)u->job.limits.free_bytes);
	return 0;
}

int lcx__engine_step(struct lcx__engine *u, struct lcx__unpack_progress *ret_progress,
		     struct lcx_error **err)
{
	int r = check_space(u, err);

	if (r < 0)
		return r;
	if (!u->extracted) {
		r = lcx__extractor_step(u->extractor, STEP_BYTES, err);
		u->extracted = r == 0;
		r = r == 0 ? 1 : r;
	} else {
		r = drain(u, err);
		if (r == 0)
			r = check_diff_id(u, err);
	}
	ret_progress->consumed_bytes = u->consumed;
	ret_progress->produced_bytes = u->produced;
	ret_progress->userxattr = u->rights.userxattr;
	return r;
}
