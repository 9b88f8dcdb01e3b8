/* SPDX-License-Identifier: MIT */
#pragma once

/* The terminal that the command runs in: its size, and raw mode with its restoration. */

#include <stdbool.h>
#include <stdint.h>

struct terminal_size {
	uint16_t rows, columns;
};

/* Of whichever of standard input, output and error is a terminal; 24 x 80 if none is. */
struct terminal_size terminal_size(void);

/*
 * Hand every key to whoever reads standard input, unchanged. Done again after the
 * command was stopped and continued. The state before is restored by terminal_restore(), and on
 * each other way out that a program can see: exit(3), and the signals that crash it.
 */
bool terminal_set_raw(void);
void terminal_restore(void);

/* Read a line from the terminal. Return: NULL without one; the caller frees it. */
char *terminal_ask(const char *prompt);

/* Read a line from the terminal without showing it. Return: NULL without one; the caller frees it.
 */
char *terminal_ask_secret(const char *prompt);
