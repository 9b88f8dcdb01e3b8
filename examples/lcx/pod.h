/* SPDX-License-Identifier: MIT */
#pragma once

#include "app.h"

/* Of a container that is about to run in it. One that is no pod is for its creation to refuse. */
int pod_be_started(struct app *app, const char *name, struct lcx_error **err);
