/* SPDX-License-Identifier: MIT */
#include "util/error.h"

#include <stdbool.h>
#include <string.h>

/*
 * An error is one allocation with its text at the end. When even that fails,
 * the static object below stands in: it is never freed and never written.
 */
struct lcx_error {
	int code;
	const char *stage;
	const char *message;
	char text[];
};

static struct lcx_error out_of_memory = {
	.code = ENOMEM,
	.stage = "",
	.message = "out of memory",
};

static struct lcx_error *error_alloc(int code, const char *stage, size_t length)
{
	struct lcx_error *err = malloc(sizeof(*err) + length + 1);

	if (!err)
		return &out_of_memory;
	err->code = code;
	err->stage = stage;
	err->message = err->text;
	err->text[0] = '\0';
	return err;
}

/* The newest call that cannot be done without is mount_setattr(2). */
#define OLD_KERNEL                                                                                 \
	"the kernel does not have this call, or an outer container's filter hides it; liblcx "     \
	"needs "                                                                                   \
	"Linux 5.12"

/* strerror() is neither thread-safe nor free of locale locks; both forms of strerror_r() are. */
static const char *describe_errno(int code, char *buffer, size_t size)
{
	if (code == ENOSYS)
		return OLD_KERNEL;
#if defined(__GLIBC__)
	return strerror_r(code, buffer, size);
#else
	return strerror_r(code, buffer, size) == 0 ? buffer : "unknown error";
#endif
}

static void describe(struct lcx_error **err, int code, bool with_errno, const char *format,
		     va_list args) LCX_PRINTF(4, 0);

static void describe(struct lcx_error **err, int code, bool with_errno, const char *format,
		     va_list args)
{
	char system_text[128];
	const char *suffix = "";
	struct lcx_error *e;
	va_list again;
	int length;

	if (!err || *err)
		return;
	if (with_errno)
		suffix = describe_errno(code, system_text, sizeof(system_text));

	va_copy(again, args);
	length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (length < 0)
		length = 0;

	e = error_alloc(code, "", (size_t)length + 2 + strlen(suffix));
	if (e != &out_of_memory) {
		(void)vsnprintf(e->text, (size_t)length + 1, format, args);
		if (with_errno) {
			strcat(e->text, ": ");
			strcat(e->text, suffix);
		}
	}
	*err = e;
}

int lcx__fail(struct lcx_error **err, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	describe(err, code, false, format, args);
	va_end(args);
	return -code;
}

int lcx__fail_sys(struct lcx_error **err, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	describe(err, code, true, format, args);
	va_end(args);
	return -code;
}

int lcx__fail_nomem(struct lcx_error **err)
{
	if (err && !*err)
		*err = &out_of_memory;
	return -ENOMEM;
}

int lcx__fail_prefix(struct lcx_error **err, int result, const char *format, ...)
{
	struct lcx_error *old, *e;
	va_list args, again;
	int length;

	if (!err || !*err)
		return result;
	old = *err;

	va_start(args, format);
	va_copy(again, args);
	length = vsnprintf(NULL, 0, format, again);
	va_end(again);

	e = length < 0
		    ? &out_of_memory
		    : error_alloc(old->code, old->stage, (size_t)length + 2 + strlen(old->message));
	/* Without memory the unprefixed text, which names the cause, is the better one. */
	if (e != &out_of_memory) {
		(void)vsnprintf(e->text, (size_t)length + 1, format, args);
		strcat(e->text, ": ");
		strcat(e->text, old->message);
		lcx_error_free(old);
		*err = e;
	}
	va_end(args);
	return result;
}

int lcx__fail_stage(struct lcx_error **err, int result, const char *stage)
{
	if (err && *err && *err != &out_of_memory && (*err)->stage[0] == '\0')
		(*err)->stage = stage;
	return result;
}

LCX_PUBLIC const char *lcx_error_message(const struct lcx_error *err)
{
	return err ? err->message : "";
}

LCX_PUBLIC int32_t lcx_error_code(const struct lcx_error *err)
{
	return err ? err->code : 0;
}

LCX_PUBLIC const char *lcx_error_stage(const struct lcx_error *err)
{
	return err ? err->stage : "";
}

LCX_PUBLIC struct lcx_error *lcx_error_free(struct lcx_error *err)
{
	if (err != &out_of_memory)
		free(err);
	return NULL;
}
