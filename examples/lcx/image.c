/* SPDX-License-Identifier: MIT */
/* `lcx image`: what there is for images, under Docker's newer names. */

#include "app.h"

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

static const struct command_group group = {"image", commands,
					   "no command; 'lcx image --help' lists them"};

int cmd_image(struct app *app, int argc, char **argv)
{
	return app_group(app, &group, argc, argv);
}
