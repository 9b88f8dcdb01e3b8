/* SPDX-License-Identifier: MIT */

/*
 * lib/log on its own: keep what a command says, and show it again.
 *
 *     log [-c] [-s BYTES] [-k FILES] DIRECTORY NAME COMMAND [ARGUMENT]...
 *     log -r [-n LINES] [-f SECONDS] DIRECTORY NAME
 *
 * The first form writes the command's stdout and stderr to DIRECTORY/NAME, in Docker's json-file
 * format (-c: in the CRI's), rotated at BYTES, in FILES files. The second one writes to
 * its own stdout and stderr what stands there: all of it or the last LINES lines, and with -f
 * what comes, until nothing has come for SECONDS.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lcx/log.h>

extern char **environ;

static struct {
	enum lcx_log_format format;
	uint64_t max_size, lines;
	uint32_t max_files;
	int read, tail, follow_ms;
} options = {.format = LCX_LOG_FORMAT_JSON_FILE, .max_files = 1};

/* Take what has come until both streams have ended; flush when nothing waits any more. */
static int copy(struct lcx_log *log, struct pollfd streams[2], struct lcx_error **err)
{
	static char buffer[64 * 1024];
	int open_streams = 2, r = 0;

	while (open_streams > 0 && r == 0) {
		int ready = poll(streams, 2, 0);

		if (ready == 0) {
			r = lcx_log_flush(log, err);
			ready = poll(streams, 2, -1);
		}
		for (int i = 0; i < 2 && ready > 0 && r == 0; i++) {
			ssize_t n;

			if (streams[i].fd < 0 || !streams[i].revents)
				continue;
			n = read(streams[i].fd, buffer, sizeof(buffer));
			if (n > 0) {
				r = lcx_log_write(log, LCX_LOG_STREAM_STDOUT + i, buffer, (size_t)n,
						  err);
				continue;
			}
			r = lcx_log_end(log, LCX_LOG_STREAM_STDOUT + i, err);
			streams[i].fd = -1; /* poll() ignores it now */
			open_streams--;
		}
	}
	return r;
}

static int start(char **command, struct pollfd streams[2], pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	int out[2], errors[2], r;

	if (pipe2(out, O_CLOEXEC) < 0 || pipe2(errors, O_CLOEXEC) < 0)
		return errno;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, out[1], 1);
	posix_spawn_file_actions_adddup2(&actions, errors[1], 2);
	r = posix_spawnp(pid, command[0], &actions, NULL, command, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(out[1]);
	close(errors[1]);
	streams[0] = (struct pollfd){.fd = out[0], .events = POLLIN};
	streams[1] = (struct pollfd){.fd = errors[0], .events = POLLIN};
	return r;
}

static int capture(int dir_fd, const char *name, char **command, struct lcx_error **err)
{
	struct lcx_log *log = NULL;
	struct pollfd streams[2];
	int status = 0, r;
	pid_t pid;

	r = lcx_log_new(&log, err);
	if (r == 0)
		r = lcx_log_set_format(log, options.format, err);
	if (r == 0)
		r = lcx_log_set_rotation(log, options.max_size, options.max_files, err);
	if (r == 0)
		r = lcx_log_open(log, dir_fd, name, err);
	if (r == 0) {
		r = start(command, streams, &pid);
		if (r > 0) {
			fprintf(stderr, "log: start '%s': %s\n", command[0], strerror(r));
			lcx_log_free(log);
			return 127;
		}
		r = copy(log, streams, err);
		(void)waitpid(pid, &status, 0);
		if (lcx_log_dropped_lines(log) > 0)
			fprintf(stderr, "log: %llu lines were lost\n",
				(unsigned long long)lcx_log_dropped_lines(log));
	}
	lcx_log_free(log);
	if (r < 0)
		return r;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int show(int dir_fd, const char *name, struct lcx_error **err)
{
	struct lcx_log_reader *reader = NULL;
	int r = lcx_log_reader_open(dir_fd, name, &reader, err);

	if (r == 0 && options.tail)
		r = lcx_log_reader_set_tail(reader, options.lines, err);
	if (r == 0 && options.follow_ms)
		r = lcx_log_reader_set_follow(reader, err);
	while (r >= 0) {
		r = lcx_log_reader_next(reader, err);
		if (r > 0) {
			(void)fwrite(lcx_log_reader_text(reader), 1, lcx_log_reader_length(reader),
				     lcx_log_reader_stream(reader) == LCX_LOG_STREAM_STDERR
					     ? stderr
					     : stdout);
		} else if (r == 0) {
			fflush(stdout);
			if (!options.follow_ms)
				break;
			r = lcx_log_reader_wait(reader, options.follow_ms, err);
			if (r == 0)
				break;
		}
	}
	if (r == 0 && lcx_log_reader_skipped(reader) > 0)
		fprintf(stderr, "log: %llu damaged lines were skipped\n",
			(unsigned long long)lcx_log_reader_skipped(reader));
	lcx_log_reader_free(reader);
	return r;
}

static int usage(void)
{
	fputs("usage: log [-c] [-s BYTES] [-k FILES] DIRECTORY NAME COMMAND [ARGUMENT]...\n"
	      "       log -r [-n LINES] [-f SECONDS] DIRECTORY NAME\n",
	      stderr);
	return 2;
}

int main(int argc, char **argv)
{
	struct lcx_error *err = NULL;
	int option, dir_fd, r;

	while ((option = getopt(argc, argv, "+crs:k:n:f:")) != -1) {
		if (option == 'c')
			options.format = LCX_LOG_FORMAT_CRI;
		else if (option == 's')
			options.max_size = strtoull(optarg, NULL, 10);
		else if (option == 'k')
			options.max_files = (uint32_t)strtoul(optarg, NULL, 10);
		else if (option == 'r')
			options.read = 1;
		else if (option == 'f')
			options.follow_ms = atoi(optarg) * 1000;
		else if (option == 'n')
			options.lines = strtoull(optarg, NULL, 10), options.tail = 1;
		else
			return usage();
	}
	argv += optind;
	argc -= optind;
	if (options.read ? argc != 2 : argc < 3)
		return usage();
	dir_fd = open(argv[0], O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0) {
		fprintf(stderr, "log: open '%s': %s\n", argv[0], strerror(errno));
		return 1;
	}
	r = options.read ? show(dir_fd, argv[1], &err) : capture(dir_fd, argv[1], argv + 2, &err);
	if (r < 0)
		fprintf(stderr, "log: %s\n", lcx_error_message(err));
	lcx_error_free(err);
	close(dir_fd);
	return r < 0 ? 1 : r;
}
