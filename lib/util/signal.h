/* SPDX-License-Identifier: MIT */
#pragma once

/* "SIGQUIT", "quit", "3", "SIGRTMIN+3", "RTMAX-1". Return: its number, or -EINVAL. */
int lcx__parse_signal(const char *text);
