/* SPDX-License-Identifier: MIT */
#pragma once

/* How a monitor starts the program that compresses its container's log. */

#include "log/writer.h"

struct packer {
	int program_fd, pid;
	struct lcx__log_packer packer;
};

void packer_init(struct packer *packer, int program_fd);
