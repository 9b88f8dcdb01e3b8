/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What every command of `lcx` is given, and how each of them ends. The command is a program
 * like any other that uses liblcx: it includes the public headers and nothing else.
 */

#include <stdbool.h>
#include <stdint.h>

#include <lcx/lcx.h>

/* Docker's: what a script tells apart. 128 + n is a program ended by signal n. */
enum {
	EXIT_COMMAND_FAILED = 1,   /* some of what was asked for could not be done */
	EXIT_LIBRARY_FAILED = 125, /* wrong usage; or run, exec failed before the program began */
	EXIT_NOT_EXECUTABLE = 126, /* the program is there, but the kernel cannot execute it */
	EXIT_NOT_FOUND = 127,      /* the program is not in the container */
	EXIT_STATUS_UNKNOWN = 255, /* nobody can tell how the program ended; certainly not 0 */
};

struct app {
	const char *command; /* "run", "network create"; "" in front of one */
	const char *root_dir, *run_dir, *registries, *subids;
	const char *format;
	bool quiet, debug;
	struct lcx_ctx *ctx;
};

/* One row of a table of commands; the words after the command's name are argv[0...argc - 1]. */
struct command {
	const char *name;
	int (*run)(struct app *app, int argc, char **argv);
	const char *help;
};

int cmd_attach(struct app *app, int argc, char **argv);
int cmd_checkpoint(struct app *app, int argc, char **argv);
int cmd_commit(struct app *app, int argc, char **argv);
int cmd_cp(struct app *app, int argc, char **argv);
int cmd_create(struct app *app, int argc, char **argv);
int cmd_diff(struct app *app, int argc, char **argv);
int cmd_events(struct app *app, int argc, char **argv);
int cmd_exec(struct app *app, int argc, char **argv);
int cmd_export(struct app *app, int argc, char **argv);
int cmd_gc(struct app *app, int argc, char **argv);
int cmd_history(struct app *app, int argc, char **argv);
int cmd_image(struct app *app, int argc, char **argv);
int cmd_image_inspect(struct app *app, int argc, char **argv);
int cmd_image_verify(struct app *app, int argc, char **argv);
int cmd_images(struct app *app, int argc, char **argv);
int cmd_import(struct app *app, int argc, char **argv);
int cmd_inspect(struct app *app, int argc, char **argv);
int cmd_kill(struct app *app, int argc, char **argv);
int cmd_load(struct app *app, int argc, char **argv);
int cmd_logs(struct app *app, int argc, char **argv);
int cmd_network(struct app *app, int argc, char **argv);
int cmd_ps(struct app *app, int argc, char **argv);
int cmd_pull(struct app *app, int argc, char **argv);
int cmd_login(struct app *app, int argc, char **argv);
int cmd_logout(struct app *app, int argc, char **argv);
int cmd_push(struct app *app, int argc, char **argv);
int cmd_rm(struct app *app, int argc, char **argv);
int cmd_rmi(struct app *app, int argc, char **argv);
int cmd_run(struct app *app, int argc, char **argv);
int cmd_supervise(struct app *app, int argc, char **argv);
int cmd_start(struct app *app, int argc, char **argv);
int cmd_save(struct app *app, int argc, char **argv);
int cmd_stats(struct app *app, int argc, char **argv);
int cmd_stop(struct app *app, int argc, char **argv);
int cmd_tag(struct app *app, int argc, char **argv);
int cmd_pause(struct app *app, int argc, char **argv);
int cmd_pod(struct app *app, int argc, char **argv);
int cmd_port(struct app *app, int argc, char **argv);
int cmd_mount(struct app *app, int argc, char **argv);
int cmd_unmount(struct app *app, int argc, char **argv);
int cmd_rename(struct app *app, int argc, char **argv);
int cmd_restart(struct app *app, int argc, char **argv);
int cmd_restore(struct app *app, int argc, char **argv);
int cmd_top(struct app *app, int argc, char **argv);
int cmd_unpause(struct app *app, int argc, char **argv);
int cmd_update(struct app *app, int argc, char **argv);
int cmd_wait(struct app *app, int argc, char **argv);
int cmd_version(struct app *app, int argc, char **argv);
int cmd_volume(struct app *app, int argc, char **argv);

/* Find @name in @table, which ends with an empty row; a wrong name is reported with the nearest. */
const struct command *app_find_command(struct app *app, const struct command *table,
				       const char *name);

/* The commands of one noun, "lcx volume ls"; @none is said where none is named. */
struct command_group {
	const char *name;
	const struct command *commands;
	const char *none;
};

int app_group(struct app *app, const struct command_group *group, int argc, char **argv);

/* Open the context; what goes wrong is reported. */
bool app_open(struct app *app);

/* options_parse(), and app_open(). Where it is false, the command ends with *@code. */
struct grammar;
bool app_begin(struct app *app, const struct grammar *grammar, void *values, int *argc, char **argv,
	       int *code);

/* Have somebody carry out restart policies, if @container has one: supervise.c. */
void app_supervise(struct app *app, const struct lcx_container *container);

/* Whether the listing is wanted as JSON. */
bool app_json(const struct app *app);

/*
 * "lcx: run: MESSAGE" on standard error. Control characters, which a registry or a file name may
 * contain, are not passed on to the terminal.
 */
void app_error(const struct app *app, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));

/* The library's words; releases *@err. With --debug also the step and the errno. */
void app_report(const struct app *app, struct lcx_error **err);

/* The exit code for a failure to execute a program, as the library reports it. */
int app_exec_failure(const struct lcx_error *err);

/*
 * Do the same to several things, named on the command line: goes on after a failure, prints the
 * name of each one that is done. Return: the exit code.
 */
typedef int app_each_fn(struct app *app, const char *name, void *data, struct lcx_error **err);
int app_each(struct app *app, int argc, char **argv, app_each_fn *fn, void *data);

/* The same for a container that is opened first. */
typedef int app_container_fn(struct lcx_container *container, void *data, struct lcx_error **err);
int app_each_container(struct app *app, int argc, char **argv, app_container_fn *fn, void *data);

/* For one container, of the root directory that is opened first; prints nothing when it is done. */
int app_one_container(struct app *app, const char *name, app_container_fn *fn, void *data);
