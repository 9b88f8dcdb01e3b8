/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "app.h"
#include "options.h"

static const struct grammar grammar = {
	.about = "Print the versions of the command and of the library, and what that was built "
		 "with.",
};

static const char *const features[] = {"image", "seccomp"};

static void print_json(void)
{
	printf("{\"Client\": \"%s\", \"Library\": \"%s\", \"Features\": [", LCX_VERSION,
	       lcx_version());
	for (size_t i = 0, n = 0; i < sizeof(features) / sizeof(*features); i++) {
		if (lcx_has_feature(features[i]))
			printf("%s\"%s\"", n++ ? ", " : "", features[i]);
	}
	puts("]}");
}

static void print_words(void)
{
	printf("lcx %s, liblcx %s\n", LCX_VERSION, lcx_version());
	for (size_t i = 0; i < sizeof(features) / sizeof(*features); i++)
		printf("  %s: %s\n", features[i], lcx_has_feature(features[i]) ? "yes" : "no");
}

int cmd_version(struct app *app, int argc, char **argv)
{
	enum options_result result = options_parse(app, &grammar, NULL, &argc, argv);

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (app->quiet)
		puts(lcx_version());
	else if (app_json(app))
		print_json();
	else
		print_words();
	return EXIT_SUCCESS;
}
