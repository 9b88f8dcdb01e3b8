/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The tables by which a description is read, written and released. A new property
 * is a new member in spec.h or resources.h and a new row in one of these.
 */

#include "spec/spec.h"
#include "util/json.h"

extern const struct lcx__json_field lcx__spec_fields[];      /* struct lcx_spec */
extern const struct lcx__json_field lcx__process_fields[];   /* struct lcx__spec_process */
extern const struct lcx__json_field lcx__resources_fields[]; /* struct lcx__resources */
