/* SPDX-License-Identifier: MIT */

/*
 * lcx-runtime - the command line of an OCI runtime, as container engines call it, over liblcx. The
 * tables of commands and options are all there is to it; what a container is, the library knows.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime.h"

const struct command commands[] = {
	{"create", cmd_create, create_options, "CONTAINER", 1, 1,
	 "make a container, up to the execution of its program"},
	{"start", cmd_start, NULL, "CONTAINER", 1, 1, "execute the program of one that was made"},
	{"run", cmd_run, run_options, "CONTAINER", 1, 1, "make a container and start it"},
	{"state", cmd_state, NULL, "CONTAINER", 1, 1, "print its state as JSON"},
	{"list", cmd_list, list_options, "", 0, 0, "print all containers of this root"},
	{"kill", cmd_kill, kill_options, "CONTAINER [SIGNAL]", 1, 2, "send it a signal: SIGTERM"},
	{"delete", cmd_delete, delete_options, "CONTAINER", 1, 1, "remove what is left of it"},
	{"exec", cmd_exec, exec_options, "CONTAINER [PROGRAM [ARGUMENT...]]", 1, -1,
	 "execute one more process in it"},
	{"pause", cmd_pause, NULL, "CONTAINER", 1, 1, "stop all of its processes where they are"},
	{"resume", cmd_resume, NULL, "CONTAINER", 1, 1, "let them go on"},
	{"update", cmd_update, update_options, "CONTAINER", 1, 1, "change its limits"},
	{"ps", cmd_ps, ps_options, "CONTAINER [OPTION...]", 1, -1, "print its processes"},
	{"events", cmd_events, events_options, "CONTAINER", 1, 1,
	 "print what it uses, again and again, until it ends"},
	{"features", cmd_features, NULL, "", 0, 0, "print what this runtime can do, as JSON"},
	{"spec", cmd_spec, spec_options, "", 0, 0, "write a config.json to start from"},
	{"checkpoint", cmd_checkpoint, checkpoint_options, "CONTAINER", 1, 1,
	 "write its processes to disk, by criu"},
	{"restore", cmd_restore, restore_options, "CONTAINER", 1, 1,
	 "make a container of what was written"},
	{0},
};

static const struct option main_options[] = {
	{'\0', "root", OPTION_TEXT, offsetof(struct runtime, root),
	 "where containers are kept; default: /run/lcx-runtime"},
	{'\0', "log", OPTION_TEXT, offsetof(struct runtime, log),
	 "where errors go, as well as to standard error: a file, file:PATH, journald:NAME or "
	 "syslog:NAME"},
	{'\0', "log-format", OPTION_TEXT, offsetof(struct runtime, log_format), "text or json"},
	{'\0', "debug", OPTION_FLAG, offsetof(struct runtime, debug), NULL},
	{'\0', "systemd-cgroup", OPTION_FLAG, offsetof(struct runtime, systemd_cgroup),
	 "have systemd make the cgroups, as scopes"},
	{'\0', "cgroup-manager", OPTION_TEXT, offsetof(struct runtime, cgroup_manager),
	 "cgroupfs, systemd, or disabled: no cgroup at all"},
	{'\0', "rootless", OPTION_TEXT, offsetof(struct runtime, rootless), NULL},
	{'\0', "criu", OPTION_TEXT, offsetof(struct runtime, criu),
	 "the path of criu; default: where it is installed"},
	{'h', "help", OPTION_FLAG, offsetof(struct runtime, help), "print this"},
	{'?', "help", OPTION_FLAG, offsetof(struct runtime, help), ""},
	{'\0', "usage", OPTION_FLAG, offsetof(struct runtime, usage), "print all options, shortly"},
	{'v', "version", OPTION_FLAG, offsetof(struct runtime, version), "print the version"},
	{'V', "version", OPTION_FLAG, offsetof(struct runtime, version), ""},
	{0},
};

static int print_help(const struct command *command)
{
	if (command) {
		printf("Usage: lcx-runtime %s [OPTION...] %s\n\n%s.\n", command->name,
		       command->operands, command->help);
		options_print(command->options);
		return 0;
	}
	puts("Usage: lcx-runtime [OPTION...] COMMAND [OPTION...] CONTAINER\n\n"
	     "Run containers for an engine, as OCI bundles describe them.\n\nCommands:");
	for (const struct command *c = commands; c->name; c++)
		printf("  %-10s %s\n", c->name, c->help);
	puts("\nOptions:");
	options_print(main_options);
	puts("\n'lcx-runtime COMMAND --help' tells more; so does lcx-runtime(8).");
	return 0;
}

static int print_version(void)
{
	printf("lcx-runtime version %s\nspec: 1.3.0\n", lcx_version());
	return 0;
}

static int check_main_options(const struct runtime *rt)
{
	if (rt->log_format && strcmp(rt->log_format, "json") != 0 &&
	    strcmp(rt->log_format, "text") != 0)
		return report(rt, "--log-format: '%s' is neither text nor json", rt->log_format);
	return rt->log ? check_log(rt) : 0;
}

static bool is_one_of(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(word, *words) == 0)
			return true;
	return false;
}

/* Whether help was asked for, wherever options of @command stand. Return: whether it was printed. */
static bool print_wanted(const struct command *command, int argc, char **argv)
{
	static const char *const help[] = {"--help", "-help", "-h", "-?", NULL};

	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (command->max < 0 && argv[i][0] != '-')
			break;
		if (is_one_of(argv[i], help))
			return print_help(command), true;
		if (strcmp(argv[i], "--usage") == 0) {
			options_print_usage(command->name, command->options, command->operands);
			return true;
		}
	}
	return false;
}

static int call(struct runtime *rt, const struct command *command, void *values, int argc,
		char **argv)
{
	if (argc < command->min || (command->max >= 0 && argc > command->max))
		return report(rt, "%s: takes %s", command->name,
			      command->operands[0] ? command->operands : "no operand");
	return command->run(rt, values, argc, argv);
}

/* NULL: there is none of that name, which was reported. */
static const struct command *find_command(const struct runtime *rt, const char *name)
{
	for (const struct command *command = commands; command->name; command++)
		if (strcmp(command->name, name) == 0)
			return command;
	report(rt, "no command '%s'; see --help", name);
	return NULL;
}

/* "help", as runc has it, and "help COMMAND". */
static int help(const struct runtime *rt, int argc, char **argv)
{
	const struct command *command = argc > 1 ? find_command(rt, argv[1]) : NULL;

	return argc > 1 && !command ? 1 : print_help(command);
}

static int dispatch(struct runtime *rt, int argc, char **argv)
{
	_Alignas(max_align_t) char values[VALUES_SIZE] = {0};
	const struct command *command;
	int code = 1;

	if (strcmp(argv[0], "help") == 0)
		return help(rt, argc, argv);
	command = find_command(rt, argv[0]);
	if (!command)
		return 1;
	argc--, argv++;
	if (print_wanted(command, argc, argv))
		return 0;
	/* What follows "any number" of operands may be options of another program. */
	argc = options_parse(rt, command->options, command->max < 0, values, argc, argv);
	if (argc >= 0)
		code = call(rt, command, values, argc, argv);
	options_free(command->options, values);
	return code;
}

/*
 * Who is started without one of them would open something of its own in its place, which would be
 * handed on to the container as its input or output.
 */
static int open_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			return -1;
	return 0;
}

int main(int argc, char **argv)
{
	struct runtime rt = {0};
	int code;

	if (open_standard_descriptors() < 0)
		return 1;
	argc--, argv++;
	argc = options_parse(&rt, main_options, true, &rt, argc, argv);
	if (argc < 0 || (!rt.version && !rt.help && !rt.usage && check_main_options(&rt) != 0))
		return 1;
	if (rt.help)
		return print_help(NULL);
	if (rt.usage)
		return options_print_usage("", main_options, "COMMAND [OPTION...] CONTAINER"), 0;
	if (rt.version)
		return print_version();
	if (argc == 0)
		return print_help(NULL), 1;
	code = dispatch(&rt, argc, argv);
	lcx_ctx_free(rt.ctx);
	free(rt.root_path);
	if (fflush(stdout) != 0 && code == 0)
		code = report(&rt, "standard output: %s", strerror(errno));
	return code;
}
