/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "runtime.h"

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
	if (rt->log && message)
		write_log(rt, LEVEL_ERROR, message);
	fprintf(stderr, "lcx-runtime: %s\n", message ? message : "out of memory");
	return 1;
}

/* What was read of a description and left without effect. */
void report_warnings(const struct runtime *rt, const struct lcx_spec *spec)
{
	for (size_t i = 0; i < lcx_spec_n_warnings(spec); i++)
		if (rt->log)
			write_log(rt, LEVEL_WARNING, lcx_spec_warning(spec, i));
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
