/* SPDX-License-Identifier: MIT */
#include "container/event.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "container/container-internal.h"
#include "util/fs.h"
#include "util/json.h"

DEFINE_CLEANUP(struct lcx_log_reader *, lcx_log_reader_free)

enum { MAX_FILE_SIZE = 4 << 20, LINE_MAX_SIZE = 8 * 1024 };

/* ---- the record --------------------------------------------------------- */

struct record {
	char *type, *id, *name, *image, *detail;
	struct lcx__opt_i64 exit_code;
};

static const struct lcx__json_field fields[] = {
	{"type", AS_STRING(struct record, type)},
	{"id", AS_STRING(struct record, id)},
	{"name", AS_STRING(struct record, name)},
	{"image", AS_STRING(struct record, image)},
	{"detail", AS_STRING(struct record, detail)},
	{"exitCode", AS_I64(struct record, exit_code), .min = LCX_EXIT_UNKNOWN, .max = 255},
	{0},
};

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

static char *spell(const struct lcx_container *c, const char *type, const char *detail,
		   const int32_t *status)
{
	struct record record = {
		.type = (char *)(uintptr_t)type,
		.id = c->d.id,
		.name = c->d.name && c->d.name[0] ? c->d.name : NULL,
		.image = c->d.image,
		.detail = (char *)(uintptr_t)detail,
	};
	CLEANUP(lcx__json_putp) struct json_object *json = NULL;
	const char *text;

	if (status)
		record.exit_code = (struct lcx__opt_i64)LCX__OPT(*status);
	json = lcx__json_write(fields, &record, NULL);
	text = json ? json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN) : NULL;
	return text ? strdup(text) : NULL;
}

char *lcx__event_text(const struct lcx_container *c, const char *type, const char *detail)
{
	return spell(c, type, detail, NULL);
}

char *lcx__event_exit_head(const struct lcx_container *c)
{
	const int32_t mark = 0;
	char *text = spell(c, "exited", NULL, &mark), *number = text ? strrchr(text, '0') : NULL;

	/* The last property: {...,"exitCode":0} */
	if (!number || strcmp(number, "0}") != 0) {
		free(text);
		return NULL;
	}
	*number = '\0';
	return text;
}

char *lcx__event_detail_head(const struct lcx_container *c, const char *type)
{
	static const char end[] = "@\"}";
	char *text = spell(c, type, "@", NULL);
	size_t length = text ? strlen(text) : 0;

	/* The last property: {...,"detail":"@"} */
	if (length < sizeof(end) - 1 || strcmp(text + length - (sizeof(end) - 1), end) != 0) {
		free(text);
		return NULL;
	}
	text[length - (sizeof(end) - 1)] = '\0';
	return text;
}

/* ---- writing ------------------------------------------------------------ */

int lcx__event_dir(const struct lcx_ctx *ctx)
{
	return lcx__make_dirs(ctx->run_fd, LCX__EVENT_DIR, 0700);
}

/* Return: the lock, held until it is closed, or a negative errno. */
static int lock(int dir_fd, int how)
{
	CLEANUP(closep)
	int fd = openat(dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r = fd < 0 ? -errno : lcx__lock(fd, how);

	return r < 0 ? r : TAKE_FD(fd);
}

static void rotate(int dir_fd)
{
	CLEANUP(closep) int lock_fd = lock(dir_fd, LOCK_EX);
	struct stat st;

	/* Somebody else may have done it while we waited. */
	if (lock_fd >= 0 && fstatat(dir_fd, "log", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_size >= MAX_FILE_SIZE)
		(void)renameat(dir_fd, "log", dir_fd, "log.1");
}

static int open_log(int dir_fd)
{
	return openat(dir_fd, "log", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static bool append(int dir_fd, const char *line, size_t length)
{
	CLEANUP(closep) int lock_fd = lock(dir_fd, LOCK_SH);
	CLEANUP(closep) int fd = lock_fd < 0 ? -1 : open_log(dir_fd);
	struct stat st;

	if (fd < 0 || write(fd, line, length) != (ssize_t)length)
		return false;
	return fstat(fd, &st) == 0 && st.st_size >= MAX_FILE_SIZE;
}

static void emit(const struct lcx_container *c, const char *text)
{
	CLEANUP(closep) int dir_fd = text ? lcx__event_dir(c->ctx) : -1;
	char line[LINE_MAX_SIZE + LCX__LOG_LINE_OVERHEAD];
	int64_t now = lcx__now_ns();
	struct lcx__log_clock clock;
	size_t length;

	if (dir_fd < 0 || strlen(text) > LINE_MAX_SIZE)
		return;
	lcx__log_clock_init(&clock);
	lcx__log_clock_set(&clock, now / 1000000000, (uint32_t)(now % 1000000000));
	length = lcx__log_format_cri(line, (const uint8_t *)text, strlen(text), true,
				     LCX_LOG_STREAM_STDOUT, clock.text);
	if (append(dir_fd, line, length))
		rotate(dir_fd);
}

void lcx__event_emit(const struct lcx_container *c, const char *type, const char *detail)
{
	CLEANUP(freep) char *text = spell(c, type, detail, NULL);

	emit(c, text);
}

void lcx__event_emit_exit(const struct lcx_container *c, int32_t status)
{
	CLEANUP(freep) char *text = spell(c, "exited", NULL, &status);

	emit(c, text);
}

/* ---- reading ------------------------------------------------------------ */

int lcx__event_reader(const struct lcx_ctx *ctx, int64_t since_ns, struct lcx_log_reader **ret,
		      struct lcx_error **err)
{
	CLEANUP(lcx_log_reader_freep) struct lcx_log_reader *reader = NULL;
	CLEANUP(closep) int dir_fd = lcx__event_dir(ctx), fd = -1;
	int r;

	fd = dir_fd < 0 ? dir_fd : open_log(dir_fd);
	if (fd < 0)
		return lcx__fail_sys(err, dir_fd < 0 ? -dir_fd : errno, "open the events");
	r = lcx_log_reader_open(dir_fd, "log", &reader, err);
	if (r == 0 && since_ns != INT64_MIN)
		r = lcx_log_reader_set_since(reader, since_ns, err);
	else if (r == 0)
		r = lcx_log_reader_set_since(reader, lcx__now_ns(), err);
	if (r == 0)
		r = lcx_log_reader_set_follow(reader, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(reader);
	return 0;
}

int lcx__event_parse(const struct lcx_log_reader *reader, struct lcx_event *ret)
{
	CLEANUP(lcx__json_putp) struct json_object *json = NULL;
	struct record record = {0};
	int r;

	r = lcx__json_parse(lcx_log_reader_text(reader), lcx_log_reader_length(reader),
			    LINE_MAX_SIZE + 1, &json, NULL);
	if (r == 0)
		r = lcx__json_read(fields, json, &record, NULL, NULL);
	if (r == 0 && (!record.type || !record.id))
		r = -EBADMSG;
	if (r < 0) {
		lcx__json_release(fields, &record);
		return r == -ENOMEM ? r : -EBADMSG;
	}
	*ret = (struct lcx_event){
		.type = record.type,
		.id = record.id,
		.name = record.name,
		.image = record.image,
		.detail = record.detail,
		.time_ns = lcx_log_reader_time_ns(reader),
		.exit_status =
			record.exit_code.set ? (int32_t)record.exit_code.value : LCX_EXIT_UNKNOWN,
	};
	return 0;
}

void lcx__event_clear(struct lcx_event *event)
{
	free(event->type);
	free(event->id);
	free(event->name);
	free(event->image);
	free(event->detail);
	*event = (struct lcx_event){.exit_status = LCX_EXIT_UNKNOWN};
}

LCX_PUBLIC const char *lcx_event_type(const struct lcx_event *event)
{
	return or_empty(event->type);
}

LCX_PUBLIC const char *lcx_event_container_id(const struct lcx_event *event)
{
	return or_empty(event->id);
}

LCX_PUBLIC const char *lcx_event_container_name(const struct lcx_event *event)
{
	return or_empty(event->name);
}

LCX_PUBLIC const char *lcx_event_image(const struct lcx_event *event)
{
	return or_empty(event->image);
}

LCX_PUBLIC const char *lcx_event_detail(const struct lcx_event *event)
{
	return or_empty(event->detail);
}

LCX_PUBLIC int64_t lcx_event_time_ns(const struct lcx_event *event)
{
	return event->time_ns;
}

LCX_PUBLIC int32_t lcx_event_exit_status(const struct lcx_event *event)
{
	return event->exit_status;
}
