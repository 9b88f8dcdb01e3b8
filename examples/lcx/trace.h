/* SPDX-License-Identifier: MIT */
#pragma once

#include "app.h"

/* A command of the group "network". */
int network_trace(struct app *app, int argc, char **argv);
