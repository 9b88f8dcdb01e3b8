/* SPDX-License-Identifier: MIT */
#include "progress.h"

#include <string.h>
#include <unistd.h>

#include "memory.h"
#include "terminal.h"
#include "text.h"

enum {
	LONGEST_BAR = 50,
	REDRAW_NS = 100 * 1000 * 1000, /* ten times a second is smooth enough */
};

static const char *const state_names[] = {
	[LCX_PULL_WAITING] = "Waiting",
	[LCX_PULL_DOWNLOADING] = "Downloading",
	[LCX_PULL_UNPACKING] = "Extracting",
	[LCX_PULL_DONE] = "Pull complete",
};

static const char *state_name(enum lcx_pull_state state)
{
	size_t i = (size_t)state;

	return i < sizeof(state_names) / sizeof(*state_names) ? state_names[i] : "Working";
}

void progress_begin(struct progress *progress, FILE *out)
{
	const char *term = getenv("TERM");

	*progress = (struct progress){
		.out = out,
		.in_place = isatty(fileno(out)) && term && strcmp(term, "dumb") != 0,
	};
}

static void draw_bar(FILE *out, uint64_t done, uint64_t total, size_t width)
{
	size_t filled = total ? (size_t)((double)done / (double)total * (double)width) : 0;

	if (filled > width)
		filled = width;
	fputc('[', out);
	for (size_t i = 0; i < width; i++)
		fputc(i < filled ? '=' : i == filled ? '>' : ' ', out);
	fputc(']', out);
}

/* "a1b2c3d4e5f6: Downloading [=====>     ]  12.3MB/45.6MB", as wide as the terminal allows. */
static void draw_line(FILE *out, const char *title, enum lcx_pull_state state, uint64_t done,
		      uint64_t total, size_t columns)
{
	enum { AROUND_BAR = 50, LEAST_BAR = 10 };
	bool moving = state == LCX_PULL_DOWNLOADING || state == LCX_PULL_UNPACKING;
	size_t bar = columns > AROUND_BAR ? columns - AROUND_BAR : 0;
	char have[TEXT_SIZE], all[TEXT_SIZE], line[128];

	text_decimal_size((double)done, have);
	text_decimal_size((double)total, all);
	(void)snprintf(line, sizeof(line), "%s: %-11s", title, state_name(state));
	if (!moving || bar < LEAST_BAR) {
		fprintf(out, "\r\033[K%.*s\n", (int)(columns > 1 ? columns - 1 : 1), line);
		return;
	}
	fprintf(out, "\r\033[K%s ", line);
	draw_bar(out, done, total, bar < LONGEST_BAR ? bar : LONGEST_BAR);
	fprintf(out, " %s/%s\n", have, all);
}

static void draw_layers(struct progress *progress, const struct lcx_pull *pull, size_t columns)
{
	size_t n = lcx_pull_layer_count(pull);

	for (size_t i = 0; i < n; i++) {
		char id[80];

		text_short_id(lcx_pull_layer_digest(pull, i), false, id);
		draw_line(progress->out, id, lcx_pull_layer_state(pull, i),
			  lcx_pull_layer_done_bytes(pull, i), lcx_pull_layer_total_bytes(pull, i),
			  columns);
	}
	progress->n_drawn = n;
}

/* Whether a layer is in that state. */
static bool any_in(const struct lcx_pull *pull, enum lcx_pull_state state)
{
	for (size_t i = 0; i < lcx_pull_layer_count(pull); i++) {
		if (lcx_pull_layer_state(pull, i) == state)
			return true;
	}
	return false;
}

/* How much of a layer has been through @phase: all of it, if it is further than that. */
static uint64_t done_in(const struct lcx_pull *pull, size_t layer, enum lcx_pull_state phase)
{
	enum lcx_pull_state state = lcx_pull_layer_state(pull, layer);

	if (state == phase)
		return lcx_pull_layer_done_bytes(pull, layer);
	return state > phase ? lcx_pull_layer_total_bytes(pull, layer) : 0;
}

/* More layers than the terminal has lines cannot be drawn in place: one line stands for all. */
static void draw_sum(struct progress *progress, const struct lcx_pull *pull, size_t columns)
{
	bool downloading = any_in(pull, LCX_PULL_DOWNLOADING) || any_in(pull, LCX_PULL_WAITING);
	enum lcx_pull_state phase = downloading ? LCX_PULL_DOWNLOADING : LCX_PULL_UNPACKING;
	size_t n = lcx_pull_layer_count(pull), n_done = 0;
	uint64_t done = 0, total = 0;
	char title[TEXT_SIZE];

	for (size_t i = 0; i < n; i++) {
		n_done += lcx_pull_layer_state(pull, i) == LCX_PULL_DONE;
		total += lcx_pull_layer_total_bytes(pull, i);
		done += done_in(pull, i, phase);
	}
	(void)snprintf(title, sizeof(title), "%zu of %zu layers", n_done, n);
	draw_line(progress->out, title, n_done == n ? LCX_PULL_DONE : phase, done, total, columns);
	progress->n_drawn = 1;
}

static void draw(struct progress *progress, const struct lcx_pull *pull)
{
	struct terminal_size size = terminal_size();

	if (progress->n_drawn)
		fprintf(progress->out, "\033[%zuA", progress->n_drawn);
	if (lcx_pull_layer_count(pull) < size.rows)
		draw_layers(progress, pull, size.columns);
	else
		draw_sum(progress, pull, size.columns);
	fflush(progress->out);
	progress->drawn_ns = text_now_ns();
}

static void tell_changes(struct progress *progress, const struct lcx_pull *pull)
{
	size_t n = lcx_pull_layer_count(pull);

	if (progress->n_states < n) {
		progress->states = xrealloc(progress->states, n, sizeof(*progress->states));
		for (; progress->n_states < n; progress->n_states++)
			progress->states[progress->n_states] = LCX_PULL_WAITING;
	}
	for (size_t i = 0; i < n; i++) {
		enum lcx_pull_state state = lcx_pull_layer_state(pull, i);
		char id[80];

		if (state == progress->states[i])
			continue;
		progress->states[i] = state;
		text_short_id(lcx_pull_layer_digest(pull, i), false, id);
		fprintf(progress->out, "%s: %s\n", id, state_name(state));
	}
	fflush(progress->out);
}

void progress_update(struct progress *progress, const struct lcx_pull *pull)
{
	if (!progress->in_place)
		tell_changes(progress, pull);
	else if (lcx_pull_layer_count(pull) > 0 && text_now_ns() - progress->drawn_ns >= REDRAW_NS)
		draw(progress, pull);
}

void progress_end(struct progress *progress, const struct lcx_pull *pull)
{
	if (!progress->in_place)
		tell_changes(progress, pull);
	else if (lcx_pull_layer_count(pull) > 0)
		draw(progress, pull);
	free(progress->states);
	progress->states = NULL;
}
