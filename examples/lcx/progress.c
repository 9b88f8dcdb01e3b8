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

void progress_begin(struct progress *progress, const struct progress_job *job, FILE *out)
{
	const char *term = getenv("TERM");

	*progress = (struct progress){
		.out = out,
		.in_place = isatty(fileno(out)) && term && strcmp(term, "dumb") != 0,
		.job = *job,
	};
}

/* ---- the job ------------------------------------------------------------- */

static size_t count(const struct progress *progress)
{
	return progress->job.count(progress->job.data);
}

static size_t state_of(const struct progress *progress, size_t layer)
{
	return progress->job.state(progress->job.data, layer);
}

static uint64_t total_of(const struct progress *progress, size_t layer)
{
	return progress->job.total(progress->job.data, layer);
}

/* A newer library may know more states than this command. */
static struct progress_state describe(const struct progress *progress, size_t state)
{
	static const struct progress_state unknown = {"Working", true, false};

	return state < progress->job.n_states ? progress->job.states[state] : unknown;
}

/* How much of a layer has been through @phase: all of it, if it is further than that. */
static uint64_t done_in(const struct progress *progress, size_t layer, size_t phase)
{
	size_t state = state_of(progress, layer);

	if (state == phase)
		return progress->job.done(progress->job.data, layer);
	return state > phase ? total_of(progress, layer) : 0;
}

/* The first phase in which bytes move and which not all layers have behind them. */
static size_t phase_of(const struct progress *progress)
{
	size_t earliest = SIZE_MAX, phase;

	for (size_t i = 0; i < count(progress); i++) {
		size_t state = state_of(progress, i);

		if (state < earliest)
			earliest = state;
	}
	for (phase = earliest; phase < progress->job.n_states; phase++)
		if (describe(progress, phase).moving)
			return phase;
	return earliest;
}

/* ---- on a terminal ------------------------------------------------------- */

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
static void draw_line(const struct progress *progress, const char *title, size_t state,
		      uint64_t done, uint64_t total, size_t columns)
{
	enum { AROUND_BAR = 50, LEAST_BAR = 10 };
	const struct progress_state what = describe(progress, state);
	size_t bar = columns > AROUND_BAR ? columns - AROUND_BAR : 0;
	char have[TEXT_SIZE], all[TEXT_SIZE], line[128];

	text_decimal_size((double)done, have);
	text_decimal_size((double)total, all);
	(void)snprintf(line, sizeof(line), "%s: %-11s", title, what.name);
	if (!what.moving || bar < LEAST_BAR) {
		fprintf(progress->out, "\r\033[K%.*s\n", (int)(columns > 1 ? columns - 1 : 1),
			line);
		return;
	}
	fprintf(progress->out, "\r\033[K%s ", line);
	draw_bar(progress->out, done, total, bar < LONGEST_BAR ? bar : LONGEST_BAR);
	fprintf(progress->out, " %s/%s\n", have, all);
}

static void title_of(const struct progress *progress, size_t layer, char id[static 80])
{
	text_short_id(progress->job.digest(progress->job.data, layer), false, id);
}

static void draw_layers(struct progress *progress, size_t columns)
{
	size_t n = count(progress);

	for (size_t i = 0; i < n; i++) {
		size_t state = state_of(progress, i);
		char id[80];

		title_of(progress, i, id);
		draw_line(progress, id, state, done_in(progress, i, state), total_of(progress, i),
			  columns);
	}
	progress->n_drawn = n;
}

/* More layers than the terminal has lines cannot be drawn in place: one line stands for all. */
static void draw_sum(struct progress *progress, size_t columns)
{
	size_t n = count(progress), n_done = 0, phase = phase_of(progress);
	uint64_t done = 0, total = 0;
	char title[TEXT_SIZE];

	for (size_t i = 0; i < n; i++) {
		n_done += describe(progress, state_of(progress, i)).ended;
		total += total_of(progress, i);
		done += done_in(progress, i, phase);
	}
	(void)snprintf(title, sizeof(title), "%zu of %zu layers", n_done, n);
	draw_line(progress, title, phase, done, total, columns);
	progress->n_drawn = 1;
}

static void draw(struct progress *progress)
{
	struct terminal_size size = terminal_size();

	if (progress->n_drawn)
		fprintf(progress->out, "\033[%zuA", progress->n_drawn);
	if (count(progress) < size.rows)
		draw_layers(progress, size.columns);
	else
		draw_sum(progress, size.columns);
	fflush(progress->out);
	progress->drawn_ns = text_now_ns();
}

/* ---- elsewhere ----------------------------------------------------------- */

static void tell_changes(struct progress *progress)
{
	size_t n = count(progress);

	if (progress->n_states < n) {
		progress->states = xrealloc(progress->states, n, sizeof(*progress->states));
		for (; progress->n_states < n; progress->n_states++)
			progress->states[progress->n_states] = 0;
	}
	for (size_t i = 0; i < n; i++) {
		size_t state = state_of(progress, i);
		char id[80];

		if (state == progress->states[i])
			continue;
		progress->states[i] = state;
		title_of(progress, i, id);
		fprintf(progress->out, "%s: %s\n", id, describe(progress, state).name);
	}
	fflush(progress->out);
}

void progress_update(struct progress *progress)
{
	if (!progress->in_place)
		tell_changes(progress);
	else if (count(progress) > 0 && text_now_ns() - progress->drawn_ns >= REDRAW_NS)
		draw(progress);
}

void progress_end(struct progress *progress)
{
	if (!progress->in_place)
		tell_changes(progress);
	else if (count(progress) > 0)
		draw(progress);
	free(progress->states);
	progress->states = NULL;
}
