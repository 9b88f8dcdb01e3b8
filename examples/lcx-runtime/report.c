/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "runtime.h"

static void write_json_text(FILE *to, const char *text)
{
	fputc('"', to);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fprintf(to, "\\%c", *text);
		else if ((unsigned char)*text < 0x20)
			fprintf(to, "\\u%04x", (unsigned char)*text);
		else
			fputc(*text, to);
	}
	fputc('"', to);
}

/* A line for each error, in the form that an engine asked for: it reads the last one. */
static void write_log(const struct runtime *rt, const char *level, const char *message)
{
	int fd = open(rt->log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);
	FILE *log = fd < 0 ? NULL : fdopen(fd, "a");
	bool json = rt->log_format && strcmp(rt->log_format, "json") == 0;
	time_t now = time(NULL);
	char date[40] = "";
	struct tm tm;

	if (!log) {
		fprintf(stderr, "lcx-runtime: log '%s': %s\n", rt->log_path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return;
	}
	if (gmtime_r(&now, &tm))
		(void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &tm);
	fprintf(log, json ? "{\"level\":\"%s\",\"msg\":" : "level=%s msg=", level);
	write_json_text(log, message);
	fprintf(log, json ? ",\"time\":\"%s\"}\n" : " time=\"%s\"\n", date);
	(void)fclose(log);
}

int report(const struct runtime *rt, const char *format, ...)
{
	CLEANUP(freep) char *message = NULL;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&message, format, args);
	va_end(args);
	if (n < 0)
		message = NULL;
	if (rt->log_path && message)
		write_log(rt, "error", message);
	fprintf(stderr, "lcx-runtime: %s\n", message ? message : "out of memory");
	return 1;
}

/* What was read of a description and left without effect. */
void report_warnings(const struct runtime *rt, const struct lcx_spec *spec)
{
	for (size_t i = 0; i < lcx_spec_n_warnings(spec); i++)
		if (rt->log_path)
			write_log(rt, "warning", lcx_spec_warning(spec, i));
		else
			fprintf(stderr, "lcx-runtime: warning: %s\n", lcx_spec_warning(spec, i));
}

/* By these words engines know that the fault is the user's. */
static const struct {
	int code;
	const char *words;
} of_programs[] = {
	{ENOENT, ": executable file not found in $PATH: no such file or directory"},
	{ENOTDIR, ": not a directory: no such file or directory"},
	{EACCES, ": permission denied"},
	{ENOEXEC, ": exec format error"},
};

int report_error(const struct runtime *rt, const struct lcx_error *err)
{
	const char *words = "";

	for (size_t i = 0; i < sizeof(of_programs) / sizeof(*of_programs); i++)
		if (strcmp(lcx_error_stage(err), "exec") == 0 &&
		    lcx_error_code(err) == of_programs[i].code)
			words = of_programs[i].words;
	return report(rt, "%s%s", lcx_error_message(err), words);
}
