/* SPDX-License-Identifier: MIT */
/* `lcx image`: what there is for images, under Docker's newer names. */
#include <stdio.h>
#include <string.h>

#include "app.h"
#include "memory.h"
#include "options.h"

static const struct command commands[] = {
	{"ls", cmd_images, "list images"},
	{"pull", cmd_pull, "fetch an image from a registry"},
	{"inspect", cmd_image_inspect, "print everything about images"},
	{"rm", cmd_rmi, "remove images"},
	{"verify", cmd_image_verify, "check images, and repair them"},
	{"import", cmd_import, "take an image out of an OCI layout or another archive"},
	{"load", cmd_load, "take all images out of an archive"},
	{"save", cmd_save, "write images as an archive"},
	{"tag", cmd_tag, "give an image one more name"},
	{"history", cmd_history, "print how an image was made"},
	{0},
};

static int print_help(void)
{
	puts("Usage: lcx image COMMAND\n\nCommands:");
	for (const struct command *c = commands; c->name; c++)
		printf("  %-10s %s\n", c->name, c->help);
	puts("\n'lcx image COMMAND --help' tells more.");
	return EXIT_SUCCESS;
}

int cmd_image(struct app *app, int argc, char **argv)
{
	CLEANUP(freep) char *full_name = NULL;
	const struct command *command;
	int code;

	if (argc == 0)
		return options_usage_error(app, "no command; 'lcx image --help' lists them");
	if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0)
		return print_help();
	command = app_find_command(app, commands, argv[0]);
	if (!command)
		return EXIT_LIBRARY_FAILED;
	full_name = xprintf("image %s", command->name);
	app->command = full_name;
	code = command->run(app, argc - 1, argv + 1);
	app->command = "image";
	return code;
}
