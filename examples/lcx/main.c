/* SPDX-License-Identifier: MIT */

/*
 * lcx - Docker's words over liblcx. Each command is a file of its own and a screenful; what they
 * share is here (the tables of commands), in options.c, table.c, text.c, progress.c, terminal.c and
 * session.c.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "options.h"

static const struct command commands[] = {
	{"pull", cmd_pull, "fetch an image from a registry"},
	{"push", cmd_push, "send an image to a registry"},
	{"login", cmd_login, "have a registry's password kept, if it is right"},
	{"logout", cmd_logout, "forget a registry's password"},
	{"images", cmd_images, "list images"},
	{"image", cmd_image, "the same and more, by their newer names"},
	{"import", cmd_import, "take an image out of an OCI layout or another archive"},
	{"load", cmd_load, "take all images out of an archive"},
	{"save", cmd_save, "write images as an archive"},
	{"tag", cmd_tag, "give an image one more name"},
	{"history", cmd_history, "print how an image was made"},
	{"rmi", cmd_rmi, "remove images"},
	{"run", cmd_run, "run a program in a new container"},
	{"create", cmd_create, "make a container, to be started later"},
	{"start", cmd_start, "start containers again, or for the first time"},
	{"attach", cmd_attach, "connect to a running container"},
	{"console", cmd_attach, "the same for one that has a terminal"},
	{"exec", cmd_exec, "run a program in a running container"},
	{"ps", cmd_ps, "list containers"},
	{"ls", cmd_ps, "the same"},
	{"logs", cmd_logs, "print what a container has written"},
	{"stop", cmd_stop, "end containers, gently first"},
	{"restart", cmd_restart, "stop containers and start them again"},
	{"kill", cmd_kill, "send a signal to containers"},
	{"cp", cmd_cp, "copy files out of a container or into it"},
	{"diff", cmd_diff, "print what a container has changed"},
	{"commit", cmd_commit, "make an image out of a container's changes"},
	{"export", cmd_export, "write a container's files as a tar archive"},
	{"wait", cmd_wait, "wait for the end of containers, print their exit codes"},
	{"pause", cmd_pause, "stop all processes of containers where they are"},
	{"unpause", cmd_unpause, "let them go on"},
	{"checkpoint", cmd_checkpoint, "write their memory to disk, and end them"},
	{"restore", cmd_restore, "let them go on from there"},
	{"mount", cmd_mount, "show a directory to a running container"},
	{"unmount", cmd_unmount, "take it away again"},
	{"rename", cmd_rename, "give a container another name"},
	{"update", cmd_update, "change the limits of containers"},
	{"rm", cmd_rm, "remove containers"},
	{"inspect", cmd_inspect, "print everything about containers or images"},
	{"port", cmd_port, "show where published ports can be reached"},
	{"top", cmd_top, "list the processes of a container"},
	{"stats", cmd_stats, "show what containers use"},
	{"events", cmd_events, "print what happens to containers"},
	{"supervise", cmd_supervise, "start containers again as their restart policies say"},
	{"network", cmd_network, "list, create, inspect and remove networks"},
	{"pod", cmd_pod, "list, create, start, stop and remove pods"},
	{"volume", cmd_volume, "list, create, inspect and remove volumes"},
	{"net", cmd_network, "the same"},
	{"version", cmd_version, "print the version of command and library"},
	{"gc", cmd_gc, "take down what has no living owner"},
	{0},
};

struct main_options {
	bool version;
};

static const struct option_row main_rows[] = {
	{'v', "version", OPTION_FLAG, offsetof(struct main_options, version), NULL,
	 "print the version"},
	{0},
};

static void print_help(void)
{
	puts("Usage: lcx [OPTION...] COMMAND [ARGUMENT...]\n\n"
	     "Run containers, without a daemon. Example: lcx run -it debian bash\n\n"
	     "Commands:");
	for (const struct command *c = commands; c->name; c++)
		printf("  %-10s %s\n", c->name, c->help);
	puts("\nOptions of every command:");
	options_print_rows(options_global);
	puts("\n'lcx COMMAND --help' tells more; so does lcx(1).");
}

/*
 * Who is started without one of them would open something of its own in its place, which would be
 * handed on to the container as its input or output.
 */
static int open_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			return -1;
	return 0;
}

int main(int argc, char **argv)
{
	static const struct grammar grammar = {
		.operands = "COMMAND [ARGUMENT...]",
		.rows = main_rows,
		.max = -1,
		.stop_at_operand = true,
		.takes_template = true, /* the command may */
		.print_help = print_help,
	};
	struct main_options values = {0};
	struct app app = {.command = ""};
	enum options_result result;
	const struct command *command;
	int code;

	if (open_standard_descriptors() < 0)
		return EXIT_LIBRARY_FAILED;
	argc--;
	argv++;
	result = options_parse(&app, &grammar, &values, &argc, argv);
	if (result != OPTIONS_OK)
		return options_exit(result);
	if (values.version)
		return cmd_version(&app, 0, argv);
	if (argc == 0 || strcmp(argv[0], "help") == 0) {
		print_help();
		return EXIT_SUCCESS;
	}
	command = app_find_command(&app, commands, argv[0]);
	if (!command)
		return EXIT_LIBRARY_FAILED;

	app.command = command->name;
	code = command->run(&app, argc - 1, argv + 1);
	lcx_ctx_free(app.ctx);
	/* A full disk under a redirected listing must not look like success. */
	if (fflush(stdout) != 0 && code == EXIT_SUCCESS) {
		app_error(&app, "standard output: %s", strerror(errno));
		code = EXIT_COMMAND_FAILED;
	}
	return code;
}
