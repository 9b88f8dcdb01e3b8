/* SPDX-License-Identifier: MIT */
#pragma once

/* The library's own way to start the program that compresses a log: gzip/main.c. */

#include "log/writer.h"

struct lcx__log_starter {
	int pidfd; /* of the program at work; -1 */
	struct lcx__log_packer packer;
};

/* Whether there is such a program, and such files can be read: zlib comes with the images. */
bool lcx__log_can_compress(void);

/* @starter must stay where it is as long as the writer is open. */
void lcx__log_starter_init(struct lcx__log_starter *starter);

/* The program in a memfd, for a monitor; a negative errno. */
int lcx__log_packer_memfd(void);
