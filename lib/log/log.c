/* SPDX-License-Identifier: MIT */
#include "lcx/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "log/packer.h"
#include "log/writer.h"
#include "util/cleanup.h"
#include "util/error.h"
#include "util/fs.h"

/* The writer of writer.c with words and an owner. */
struct lcx_log {
	int dir_fd;
	enum lcx_log_format format;
	uint64_t max_size;
	uint64_t max_age_ns;
	uint32_t max_files;
	bool compress;
	struct lcx__log_starter starter;
	struct lcx__log_writer writer;
};

static bool is_open(const struct lcx_log *log)
{
	return log->writer.is_open;
}

LCX_PUBLIC int lcx_log_new(struct lcx_log **ret, struct lcx_error **err)
{
	struct lcx_log *log = malloc(sizeof(*log));

	if (!log)
		return lcx__fail_nomem(err);
	log->dir_fd = -1;
	log->format = LCX_LOG_FORMAT_JSON_FILE;
	log->max_size = 0;
	log->max_age_ns = 0;
	log->max_files = 1;
	log->compress = false;
	lcx__log_writer_init(&log->writer);
	*ret = log;
	return 0;
}

LCX_PUBLIC int lcx_log_set_format(struct lcx_log *log, enum lcx_log_format format,
				  struct lcx_error **err)
{
	if (is_open(log))
		return lcx__fail(err, EBUSY, "log '%s' is open: set its format before",
				 log->writer.config.name);
	if (format != LCX_LOG_FORMAT_JSON_FILE && format != LCX_LOG_FORMAT_CRI)
		return lcx__fail(err, EINVAL, "there is no log format %d", (int)format);
	log->format = format;
	return 0;
}

LCX_PUBLIC int lcx_log_set_rotation(struct lcx_log *log, uint64_t max_size_bytes,
				    uint32_t max_files, struct lcx_error **err)
{
	if (is_open(log))
		return lcx__fail(err, EBUSY, "log '%s' is open: set its rotation before",
				 log->writer.config.name);
	if (max_files < 1 || max_files > LCX__LOG_MAX_FILES)
		return lcx__fail(err, EINVAL, "a log can have 1 to %d files, not %u",
				 LCX__LOG_MAX_FILES, max_files);
	log->max_size = max_size_bytes;
	log->max_files = max_files;
	return 0;
}

LCX_PUBLIC int lcx_log_set_max_age(struct lcx_log *log, uint64_t max_age_ms, struct lcx_error **err)
{
	if (is_open(log))
		return lcx__fail(err, EBUSY, "log '%s' is open: set its rotation before",
				 log->writer.config.name);
	if (max_age_ms > INT64_MAX / 1000000)
		return lcx__fail(err, EINVAL, "no file of a log becomes %llu ms old",
				 (unsigned long long)max_age_ms);
	log->max_age_ns = max_age_ms * 1000000;
	return 0;
}

LCX_PUBLIC int lcx_log_set_compression(struct lcx_log *log, int32_t compress,
				       struct lcx_error **err)
{
	if (is_open(log))
		return lcx__fail(err, EBUSY, "log '%s' is open: choose its compression before",
				 log->writer.config.name);
	if (compress && !lcx__log_can_compress())
		return lcx__fail(err, EOPNOTSUPP, "this library was built without zlib");
	log->compress = compress != 0;
	return 0;
}

LCX_PUBLIC int lcx_log_open(struct lcx_log *log, int dir_fd, const char *name,
			    struct lcx_error **err)
{
	struct lcx__log_config config = {
		.driver = LCX__LOG_TO_FILE,
		.format = (uint32_t)log->format,
		.max_files = log->max_files,
		.max_size_bytes = log->max_size,
		.max_age_ns = log->max_age_ns,
		.flags = log->compress ? LCX__LOG_COMPRESS : 0,
	};
	CLEANUP(closep) int fd = -1;
	int r;

	if (is_open(log))
		return lcx__fail(err, EBUSY, "log '%s' is open already", log->writer.config.name);
	fd = lcx__open_dir(dir_fd, ".");
	if (fd < 0)
		return lcx__fail_sys(err, -fd, "open the directory of log '%s'", name);
	lcx__log_starter_init(&log->starter);
	log->writer.packing.packer = &log->starter.packer;
	r = snprintf(config.name, sizeof(config.name), "%s", name) < (int)sizeof(config.name)
		    ? lcx__log_writer_open(&log->writer, fd, &config, NULL)
		    : -EINVAL;
	if (r == -EINVAL)
		return lcx__fail(err, EINVAL,
				 "'%s' cannot be a log: it must name a regular file, or none yet, "
				 "in at most %d bytes",
				 name, LCX__LOG_NAME_SIZE - 1);
	if (r < 0)
		return lcx__fail_sys(err, -r, "open log '%s'", name);
	closep(&log->dir_fd);
	log->dir_fd = TAKE_FD(fd);
	return 0;
}

LCX_PUBLIC int lcx_log_open_callback(struct lcx_log *log, lcx_log_fn fn, void *data,
				     struct lcx_error **err)
{
	static const struct lcx__log_config config = {.driver = LCX__LOG_TO_CALLBACK};

	if (is_open(log))
		return lcx__fail(err, EBUSY, "the log is open already");
	if (!fn)
		return lcx__fail(err, EINVAL, "a log needs a function to call");
	(void)lcx__log_writer_open(&log->writer, -1, &config, NULL);
	log->writer.callback = fn;
	log->writer.callback_data = data;
	return 0;
}

static int describe(const struct lcx_log *log, int r, const char *step, struct lcx_error **err)
{
	if (r == -EBADF && !is_open(log))
		return lcx__fail(err, EBADF, "%s a log that is not open", step);
	if (r < 0)
		return lcx__fail_sys(err, -r, "%s log '%s'", step, log->writer.config.name);
	return 0;
}

LCX_PUBLIC int lcx_log_write(struct lcx_log *log, enum lcx_log_stream stream, const void *data,
			     size_t length, struct lcx_error **err)
{
	int r = lcx__log_write(&log->writer, stream, data, length);

	if (r == -EINVAL)
		return lcx__fail(err, EINVAL, "there is no log stream %d", (int)stream);
	return describe(log, r, "write", err);
}

LCX_PUBLIC int lcx_log_flush(struct lcx_log *log, struct lcx_error **err)
{
	return describe(log, lcx__log_flush(&log->writer), "flush", err);
}

LCX_PUBLIC int lcx_log_fd(const struct lcx_log *log)
{
	return is_open(log) ? lcx__log_pack_fd(&log->writer) : -1;
}

LCX_PUBLIC int lcx_log_end(struct lcx_log *log, enum lcx_log_stream stream, struct lcx_error **err)
{
	int r = lcx__log_end(&log->writer, stream);

	if (r == -EINVAL)
		return lcx__fail(err, EINVAL, "there is no log stream %d", (int)stream);
	return describe(log, r, "end", err);
}

LCX_PUBLIC int lcx_log_reopen(struct lcx_log *log, struct lcx_error **err)
{
	return describe(log, lcx__log_reopen(&log->writer), "reopen", err);
}

LCX_PUBLIC uint64_t lcx_log_dropped_lines(const struct lcx_log *log)
{
	return log->writer.dropped_lines;
}

LCX_PUBLIC uint64_t lcx_log_dropped_bytes(const struct lcx_log *log)
{
	return log->writer.dropped_bytes;
}

LCX_PUBLIC uint64_t lcx_log_rotations(const struct lcx_log *log)
{
	return log->writer.rotations;
}

LCX_PUBLIC uint64_t lcx_log_compressed(const struct lcx_log *log)
{
	return log->writer.packing.packed;
}

LCX_PUBLIC struct lcx_log *lcx_log_free(struct lcx_log *log)
{
	if (log) {
		(void)lcx__log_writer_close(&log->writer);
		closep(&log->dir_fd);
		free(log);
	}
	return NULL;
}
