/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "app.h"
#include "memory.h"
#include "options.h"

static const struct option_row rows[] = {{0}};

static const struct grammar grammar = {
	.operands = "CONTAINER [PORT[/PROTOCOL]]",
	.about = "Print where the published ports of a running container can be reached.",
	.rows = rows,
	.min = 1,
	.max = 2,
};

/* "0.0.0.0:8080->80/tcp" is printed as "80/tcp -> 0.0.0.0:8080", or the latter only. */
static bool print_port(char *published, const char *wanted)
{
	char *port = strstr(published, "->"), *host = published;

	if (!port)
		return false;
	*port = '\0';
	port += 2;
	if (!wanted)
		printf("%s -> %s\n", port, host);
	else if (strcmp(port, wanted) == 0)
		puts(host);
	else
		return false;
	return true;
}

int cmd_port(struct app *app, int argc, char **argv)
{
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(freep) char *ports = NULL;
	CLEANUP(freep) char *wanted = NULL;
	char values[1] = {0}; /* there are no options */
	enum options_result result = options_parse(app, &grammar, values, &argc, argv);
	bool found = false;
	char *rest, *one;

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (!app_open(app))
		return EXIT_COMMAND_FAILED;
	if (lcx_container_open(app->ctx, argv[0], &c, &err) < 0) {
		app_report(app, &err);
		return EXIT_COMMAND_FAILED;
	}
	if (argc == 2)
		wanted = xprintf(strchr(argv[1], '/') ? "%s" : "%s/tcp", argv[1]);
	ports = xprintf("%s", lcx_container_ports(c));
	for (rest = ports; (one = strsep(&rest, ","));) /* ", " between them */
		found |= print_port(one + strspn(one, " "), wanted);
	if (wanted && !found)
		app_error(app, "port '%s' of container '%s' is not published", wanted, argv[0]);
	return wanted && !found ? EXIT_COMMAND_FAILED : EXIT_SUCCESS;
}
