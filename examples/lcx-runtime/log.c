/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "runtime.h"

/*
 * Where errors are written to, as well as to standard error: --log BACKEND:NAME, as crun has it, or
 * a path. What is written may be anything that a config.json, an image or an argument says: each
 * backend's own syntax keeps it where it belongs, in one line or one field.
 *
 * Nothing stays open from one message to the next: a descriptor would be in the way of those that
 * are handed on to a container, by their numbers.
 */

enum { MESSAGE_LIMIT = 32 << 10 }; /* what fits in any datagram */

#define DEFAULT_NAME "lcx-runtime"

static const struct {
	const char *word;
	int priority; /* of syslog(3) */
} levels[] = {
	[LEVEL_ERROR] = {"error", 3},
	[LEVEL_WARNING] = {"warning", 4},
};

/* Return: an open descriptor, or a negative errno. */
typedef int open_fn(const char *name);
typedef int write_fn(int fd, const struct runtime *rt, const char *name, enum level level,
		     const char *message);

/* ---- a file: lines, of JSON or of NAME=VALUE, of which an engine reads the last ---- */

/* How many bytes of @text are one character of UTF-8; 0: it begins none. */
static size_t character_length(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t n = at[0] < 0x80 ? 1 : at[0] < 0xc2 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3
						       : at[0] < 0xf5   ? 4
									: 0;

	for (size_t i = 1; i < n; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	/* Too long a form, half of a pair, beyond the last. */
	if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
	    (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
		return 0;
	return n;
}

static void write_json_text(FILE *to, const char *text)
{
	size_t n;

	fputc('"', to);
	for (; *text; text += n ? n : 1) {
		n = character_length(text);
		if (n == 0)
			fputs("\\ufffd", to);
		else if (*text == '"' || *text == '\\')
			fprintf(to, "\\%c", *text);
		else if ((unsigned char)*text < 0x20 || *text == 0x7f)
			fprintf(to, "\\u%04x", (unsigned char)*text);
		else
			fwrite(text, 1, n, to);
	}
	fputc('"', to);
}

static int open_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);

	return fd < 0 ? -errno : fd;
}

static int write_line(int fd, const struct runtime *rt, const char *name, enum level level,
		      const char *message)
{
	int copy = dup(fd);
	FILE *log = copy < 0 ? NULL : fdopen(copy, "a");
	bool json = rt->log_format && strcmp(rt->log_format, "json") == 0;
	time_t now = time(NULL);
	char date[40] = "";
	struct tm tm;

	(void)name;
	if (!log) {
		closep(&copy);
		return -ENOMEM;
	}
	if (gmtime_r(&now, &tm))
		(void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (json)
		fprintf(log, "{\"level\":\"%s\",\"msg\":", levels[level].word);
	else
		fprintf(log, "time=\"%s\" level=%s msg=", date, levels[level].word);
	write_json_text(log, message);
	if (json)
		fprintf(log, ",\"time\":\"%s\"}", date);
	fputc('\n', log);
	return fclose(log) == 0 ? 0 : -errno;
}

/* ---- sockets of daemons, of which a stuck one holds nobody up: what it doesn't take is lost ---- */

static int open_socket(const char *path, int type)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), code;

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	code = errno;
	closep(&fd);
	return -code;
}

static int send_all(int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t n = send(fd, text, length, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return -errno;
		text += n > 0 ? n : 0;
		length -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/*
 * systemd.journal-fields(7), by the journal's native protocol: a value with its length before it
 * may have any bytes, and begins no field.
 */
static int open_journal(const char *name)
{
	(void)name;
	return open_socket("/run/systemd/journal/socket", SOCK_DGRAM);
}

static void write_field(FILE *to, const char *name, const char *value)
{
	size_t length = strnlen(value, MESSAGE_LIMIT);

	fprintf(to, "%s\n", name);
	for (int i = 0; i < 64; i += 8)
		fputc((int)((uint64_t)length >> i & 0xff), to);
	fwrite(value, 1, length, to);
	fputc('\n', to);
}

static int write_journal(int fd, const struct runtime *rt, const char *name, enum level level,
			 const char *message)
{
	CLEANUP(freep) char *text = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&text, &length);

	(void)rt;
	if (!to)
		return -ENOMEM;
	fprintf(to, "PRIORITY=%d\n", levels[level].priority);
	write_field(to, "SYSLOG_IDENTIFIER", *name ? name : DEFAULT_NAME);
	write_field(to, "MESSAGE", message);
	return fclose(to) == 0 ? send_all(fd, text, length) : -ENOMEM;
}

/* syslog(3)'s line; a stream has them apart by NUL. What is no text is written as "#012". */
static int open_syslog(const char *name)
{
	int fd = open_socket("/dev/log", SOCK_DGRAM);

	(void)name;
	return fd == -EPROTOTYPE ? open_socket("/dev/log", SOCK_STREAM) : fd;
}

static void write_plain(FILE *to, const char *text, const char *without)
{
	for (size_t i = 0; text[i] && i < MESSAGE_LIMIT; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f || strchr(without, text[i]))
			fprintf(to, "#%03o", (unsigned char)text[i]);
		else
			fputc(text[i], to);
}

static int write_syslog(int fd, const struct runtime *rt, const char *name, enum level level,
			const char *message)
{
	enum { FACILITY_USER = 1 << 3 };
	socklen_t size = sizeof(int);
	int type = SOCK_DGRAM;
	CLEANUP(freep) char *text = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&text, &length);
	time_t now = time(NULL);
	char date[32] = "";
	struct tm tm;

	(void)rt;
	if (!to)
		return -ENOMEM;
	if (localtime_r(&now, &tm))
		(void)strftime(date, sizeof(date), "%b %e %H:%M:%S", &tm);
	fprintf(to, "<%d>%s ", FACILITY_USER | levels[level].priority, date);
	write_plain(to, *name ? name : DEFAULT_NAME, " :[");
	fprintf(to, "[%d]: ", (int)getpid());
	write_plain(to, message, "");
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM)
		fputc('\0', to);
	return fclose(to) == 0 ? send_all(fd, text, length) : -ENOMEM;
}

/* ---- which ---- */

static const struct backend {
	const char *prefix;
	open_fn *open;
	write_fn *write;
} backends[] = {
	{"file:", open_file, write_line},
	{"journald:", open_journal, write_journal},
	{"syslog:", open_syslog, write_syslog},
	{"", open_file, write_line},
};

static const struct backend *find_backend(const char *log)
{
	const struct backend *backend = backends;

	while (strncmp(log, backend->prefix, strlen(backend->prefix)) != 0)
		backend++;
	return backend;
}

static int fail(const struct runtime *rt, int code)
{
	fprintf(stderr, "lcx-runtime: log '%s': %s\n", rt->log, strerror(code));
	return 1;
}

int check_log(const struct runtime *rt)
{
	const struct backend *backend = find_backend(rt->log);
	CLEANUP(closep) int fd = backend->open(rt->log + strlen(backend->prefix));

	/* Somebody is there, and busy. */
	return fd < 0 && fd != -EAGAIN ? fail(rt, -fd) : 0;
}

void write_log(const struct runtime *rt, enum level level, const char *message)
{
	const struct backend *backend = find_backend(rt->log);
	const char *name = rt->log + strlen(backend->prefix);
	CLEANUP(closep) int fd = backend->open(name);
	int r = fd < 0 ? fd : backend->write(fd, rt, name, level, message);

	if (r < 0)
		(void)fail(rt, -r);
}
