/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Columns for people. Nothing is cut off, not even in a narrow terminal: a name that is incomplete
 * is of no use.
 */

struct app;
struct columns;

/* NULL: it can't be had, which was told. */
struct columns *columns_new(const struct app *app);
void columns_free(struct columns *columns);

/* First all headings, then line by line; what is more than there are headings is left out. */
void columns_add_heading(struct columns *columns, const char *heading);
void columns_add_line(struct columns *columns);
void columns_add_cell(struct columns *columns, const char *text);

void columns_print(const struct columns *columns);
