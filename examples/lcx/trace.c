/* SPDX-License-Identifier: MIT */

/* The path of a container's packets, as people read it; programs get it as the library tells it. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "document.h"
#include "memory.h"
#include "options.h"
#include "text.h"
#include "trace.h"

static struct json_object *member(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	(void)json_object_object_get_ex(object, key, &value);
	return value;
}

/* "" when there is no such member. */
static const char *words(struct json_object *object, const char *key)
{
	struct json_object *value = member(object, key);

	return value ? json_object_get_string(value) : "";
}

static int64_t number(struct json_object *object, const char *key)
{
	return json_object_get_int64(member(object, key));
}

static bool is_true(struct json_object *object, const char *key)
{
	return json_object_get_boolean(member(object, key));
}

/* Names of interfaces are chosen inside, and may be anything. */
static void print_words(const char *before, const char *text)
{
	if (text[0] == '\0')
		return;
	fputs(before, stdout);
	text_print_safe(stdout, text);
}

static void print_link(const char *what, struct json_object *link)
{
	struct json_object *addresses = member(link, "addresses");

	if (!link)
		return;
	printf("  %-14s", what);
	print_words("", words(link, "name"));
	if (!is_true(link, "present")) {
		puts(" is not there");
		return;
	}
	printf(" %s%s mtu %lld", is_true(link, "up") ? "up" : "DOWN",
	       is_true(link, "carrier") ? "" : " no-carrier", (long long)number(link, "mtu"));
	print_words(" ", words(link, "mac"));
	print_words(" master ", words(link, "master"));
	for (size_t i = 0; addresses && i < json_object_array_length(addresses); i++)
		print_words(" ", json_object_get_string(json_object_array_get_idx(addresses, i)));
	putchar('\n');
}

static void print_network(struct json_object *network)
{
	print_words("network ", words(network, "network"));
	print_words(" (", words(network, "driver"));
	puts(is_true(network, "internal") ? ", internal)" : ")");
	print_link("inside", member(network, "interface"));
	print_link("host's end", member(network, "hostInterface"));
	print_link("bridge", member(network, "bridge"));
	print_link("parent", member(network, "parent"));
}

static void print_route(struct json_object *route)
{
	print_words("  ", words(route, "destination"));
	print_words(" via ", words(route, "gateway"));
	print_words(" dev ", words(route, "interface"));
	putchar('\n');
}

static void print_port(struct json_object *port)
{
	bool is_ipv6 = strchr(words(port, "hostAddress"), ':');
	const char *open = is_ipv6 ? "[" : "", *close = is_ipv6 ? "]" : "";

	printf("  %s %s%s%s:%lld -> %s%s%s:%lld\n", words(port, "protocol"), open,
	       words(port, "hostAddress"), close, (long long)number(port, "hostPort"), open,
	       words(port, "address"), close, (long long)number(port, "port"));
}

static void print_rule(struct json_object *rule)
{
	printf("  %10lld packets %12lld bytes", (long long)number(rule, "packets"),
	       (long long)number(rule, "bytes"));
	print_words("  ", words(rule, "comment"));
	putchar('\n');
}

static void each(struct json_object *array, void (*print)(struct json_object *item))
{
	for (size_t i = 0; array && i < json_object_array_length(array); i++)
		print(json_object_array_get_idx(array, i));
}

static void print_chain(struct json_object *chain)
{
	printf("chain %s\n", words(chain, "name"));
	each(member(chain, "rules"), print_rule);
}

static bool has_items(struct json_object *array)
{
	return array && json_object_array_length(array) > 0;
}

static void print_trace(struct json_object *trace)
{
	struct json_object *host = member(trace, "host");

	each(member(trace, "networks"), print_network);
	puts("routes inside");
	each(member(trace, "routes"), print_route);
	if (has_items(member(trace, "published")))
		puts("published");
	each(member(trace, "published"), print_port);
	if (!has_items(member(trace, "chains")))
		puts("no table lcx");
	each(member(trace, "chains"), print_chain);
	printf("host (forwards IPv4: %s, IPv6: %s)\n", is_true(host, "forwarding4") ? "yes" : "NO",
	       is_true(host, "forwarding6") ? "yes" : "NO");
	each(member(host, "routes"), print_route);
}

static const struct grammar grammar = {
	.operands = "CONTAINER",
	.about = "Show the path of a container's packets: interfaces, routes, rules, what they "
		 "counted.",
	.min = 1,
	.max = 1,
	.takes_template = true,
};

static int show(struct app *app, const char *json)
{
	struct documents documents = {app, 0};
	struct json_object *trace;
	bool good = true;

	if (app->format) {
		documents_begin(&documents);
		good = documents_add(&documents, json);
		documents_end(&documents);
		return good ? EXIT_SUCCESS : EXIT_COMMAND_FAILED;
	}
	trace = json_tokener_parse(json);
	if (!trace)
		abort();
	print_trace(trace);
	json_object_put(trace);
	return EXIT_SUCCESS;
}

int network_trace(struct app *app, int argc, char **argv)
{
	CLEANUP(lcx_container_freep) struct lcx_container *container = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(lcx_string_freep) char *json = NULL;
	char values[1] = {0}; /* there are no options */
	enum options_result result = options_parse(app, &grammar, values, &argc, argv);

	if (result != OPTIONS_OK)
		return options_exit(result);
	if (!app_open(app))
		return EXIT_COMMAND_FAILED;
	if (lcx_container_open(app->ctx, argv[0], &container, &err) < 0 ||
	    lcx_container_trace(container, &json, &err) < 0) {
		app_report(app, &err);
		return EXIT_COMMAND_FAILED;
	}
	return show(app, json);
}
