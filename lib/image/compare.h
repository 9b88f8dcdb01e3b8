/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Is one tree the copy of another, in all that a layer's archive says: names, types,
 * modes, owners, times, devices, link targets, names of one file, extended attributes
 * and bytes? *@ret is NULL if it is, else the first difference in words, which the
 * caller frees. What of @have_fd can't be read is a difference, too. Return: 0 or a
 * negative errno.
 */
int lcx__tree_compare(int want_fd, int have_fd, char **ret);
