/* SPDX-License-Identifier: MIT */
#include "template-internal.h"

#include <string.h>

#include "memory.h"

/*
 * One pass over the text. Nothing is kept of it but the place: what {{if}} leaves out is passed
 * over with `skip` set, and {{range}} goes back to its start for each element. The first failure
 * ends everything.
 */

enum { DEEPEST = 32 };

bool template_is(const char *text)
{
	return strstr(text, "{{") != NULL;
}

static void call_clear(struct template_call *call)
{
	for (int i = 0; i < call->n; i++)
		json_object_put(call->arguments[i]);
	call->n = 0;
}

/* ---- expressions ---------------------------------------------------------- */

static template_value parse_pipe(struct template_run *r);

static void skip_blanks(struct template_run *r)
{
	while (*r->at == ' ' || *r->at == '\t' || *r->at == '\n')
		r->at++;
}

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

static size_t name_length(const char *at)
{
	size_t n = 0;

	while (is_name(at[n]))
		n++;
	return n;
}

/* ".", ".A.B" of @v, which is taken over. */
static template_value parse_fields(struct template_run *r, template_value v)
{
	while (*r->at == '.' && !r->error) {
		size_t n = name_length(r->at + 1);
		CLEANUP(freep) char *name = xprintf("%.*s", (int)n, r->at + 1);

		r->at += 1 + n;
		if (n > 0) {
			template_value inner = template_member(r, v, name);

			json_object_put(v);
			v = inner;
		}
	}
	return v;
}

static template_value parse_string(struct template_run *r)
{
	char quote = *r->at++, *text = xrealloc(NULL, strlen(r->at) + 1, 1);
	size_t n = 0;
	template_value v;

	while (*r->at && *r->at != quote) {
		char c = *r->at++;

		if (c == '\\' && quote == '"' && *r->at) {
			c = *r->at++;
			c = c == 'n' ? '\n' : c == 't' ? '\t' : c;
		}
		text[n++] = c;
	}
	if (!*r->at)
		template_fail(r, "a text has no end");
	else
		r->at++;
	v = json_object_new_string_len(text, (int)n);
	free(text);
	return v;
}

static bool at_end_of_command(const struct template_run *r)
{
	return *r->at == '\0' || *r->at == '|' || *r->at == ')' || strncmp(r->at, "}}", 2) == 0 ||
	       strncmp(r->at, "-}}", 3) == 0;
}

static template_value parse_operand(struct template_run *r)
{
	template_value v = NULL;
	char *end;

	switch (*r->at) {
	case '.':
		return parse_fields(r, json_object_get(r->dot));
	case '$':
		r->at++;
		return parse_fields(r, json_object_get(r->root));
	case '"':
	case '`':
		return parse_string(r);
	case '(':
		r->at++;
		v = parse_pipe(r);
		if (*r->at != ')')
			template_fail(r, "a parenthesis has no end");
		else
			r->at++;
		return parse_fields(r, v);
	default:
		break;
	}
	if ((*r->at >= '0' && *r->at <= '9') || (*r->at == '-' && r->at[1] != '}')) {
		v = json_object_new_int64(strtoll(r->at, &end, 10));
		r->at = end;
		return v;
	}
	if (strncmp(r->at, "true", 4) == 0 && !is_name(r->at[4])) {
		r->at += 4;
		return json_object_new_boolean(1);
	}
	if (strncmp(r->at, "false", 5) == 0 && !is_name(r->at[5])) {
		r->at += 5;
		return json_object_new_boolean(0);
	}
	if (is_name(*r->at))
		template_fail(r, "there is no function '%.*s'", (int)name_length(r->at), r->at);
	else
		template_fail(r, "'%.1s' has no meaning here", r->at);
	return NULL;
}

static void parse_arguments(struct template_run *r, struct template_call *call)
{
	for (skip_blanks(r); !at_end_of_command(r) && !r->error; skip_blanks(r)) {
		if (call->n >= TEMPLATE_ARGUMENTS - 1) {
			template_fail(r, "too many arguments");
			return;
		}
		call->arguments[call->n] = parse_operand(r);
		call->n++;
	}
}

static template_value run_function(struct template_run *r, const struct template_function *f,
				   struct template_call *call)
{
	if (r->error)
		return NULL;
	if (call->n < f->min || call->n > f->max) {
		template_fail(r, "function '%s' takes another number of arguments", f->name);
		return NULL;
	}
	return r->skip ? NULL : f->run(r, call);
}

/* A function or an operand with its arguments; @piped, which is taken over, is the last of them. */
static template_value parse_command(struct template_run *r, template_value piped, bool has_piped)
{
	CLEANUP(call_clear) struct template_call call = {.n = 0};
	const struct template_function *f;
	size_t n;

	skip_blanks(r);
	n = name_length(r->at);
	f = template_find_function(r->at, n);
	if (f) {
		r->at += n;
	} else {
		call.arguments[0] = parse_operand(r);
		call.n = 1;
	}
	parse_arguments(r, &call);
	if (has_piped)
		call.arguments[call.n++] = piped;
	if (f)
		return run_function(r, f, &call);
	/* {{.Label "key"}}: a method of Docker's, an element of ours. */
	return r->skip || r->error ? NULL : template_index(r, &call);
}

static template_value parse_pipe(struct template_run *r)
{
	template_value v = NULL;

	if (++r->depth > DEEPEST)
		template_fail(r, "it is nested too deeply");
	v = r->error ? NULL : parse_command(r, NULL, false);
	while (*r->at == '|' && !r->error) {
		r->at++;
		v = parse_command(r, v, true);
	}
	r->depth--;
	return v;
}

/* ---- actions -------------------------------------------------------------- */

enum end { END_OF_TEXT, END_OF_BLOCK, END_AT_ELSE };

static enum end run_text(struct template_run *r);

/* The braces that end an action, and the blanks that "-}}" takes with it. */
static void close_action(struct template_run *r)
{
	bool trim;

	skip_blanks(r);
	trim = strncmp(r->at, "-}}", 3) == 0;
	if (!trim && strncmp(r->at, "}}", 2) != 0) {
		template_fail(r, *r->at ? "'%.8s' has no meaning here" : "'{{' has no '}}'", r->at);
		return;
	}
	r->at += trim ? 3 : 2;
	if (trim)
		skip_blanks(r);
}

static bool take_word(struct template_run *r, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(r->at, word, n) != 0 || is_name(r->at[n]))
		return false;
	r->at += n;
	return true;
}

/* A block, printed or passed over. */
static enum end run_block(struct template_run *r, bool wanted)
{
	enum end end;

	if (++r->depth > DEEPEST)
		template_fail(r, "it is nested too deeply");
	r->skip += !wanted;
	end = r->error ? END_OF_BLOCK : run_text(r);
	r->skip -= !wanted;
	r->depth--;
	if (end == END_OF_TEXT)
		template_fail(r, "a block has no {{end}}");
	return end;
}

static void run_else(struct template_run *r, enum end end, bool wanted)
{
	if (end == END_AT_ELSE && run_block(r, wanted) == END_AT_ELSE)
		template_fail(r, "a block has two {{else}}");
}

static void run_if(struct template_run *r)
{
	template_value v = parse_pipe(r);
	bool yes = template_is_true(v);
	enum end end;

	json_object_put(v);
	close_action(r);
	end = run_block(r, yes);
	run_else(r, end, !yes);
}

static enum end run_element(struct template_run *r, const char *start, struct json_object *element)
{
	struct json_object *outer = r->dot;
	enum end end;

	r->at = start;
	r->dot = element;
	end = run_block(r, true);
	r->dot = outer;
	return end;
}

static void run_range(struct template_run *r)
{
	template_value v = parse_pipe(r);
	enum end end = END_OF_BLOCK;
	bool any = template_is_true(v) && !r->skip;
	const char *start;

	close_action(r);
	start = r->at;
	if (!any) {
		end = run_block(r, false);
	} else if (json_object_get_type(v) == json_type_array) {
		for (size_t i = 0; i < json_object_array_length(v) && !r->error; i++)
			end = run_element(r, start, json_object_array_get_idx(v, i));
	} else if (json_object_get_type(v) == json_type_object) {
		json_object_object_foreach (v, key, member) {
			(void)key;
			if (!r->error)
				end = run_element(r, start, member);
		}
	} else {
		template_fail(r, "only lists and objects have elements to range over");
	}
	run_else(r, end, !any);
	json_object_put(v);
}

/* Return: what ended the text around this action, or END_OF_TEXT if it goes on. */
static enum end run_action(struct template_run *r)
{
	skip_blanks(r);
	if (take_word(r, "end")) {
		close_action(r);
		return END_OF_BLOCK;
	}
	if (take_word(r, "else")) {
		close_action(r);
		return END_AT_ELSE;
	}
	if (take_word(r, "if")) {
		run_if(r);
	} else if (take_word(r, "range")) {
		run_range(r);
	} else {
		template_value v = parse_pipe(r);

		close_action(r);
		if (!r->skip && !r->error)
			template_print_value(r->out, v);
		json_object_put(v);
	}
	return END_OF_TEXT;
}

/* Plain text up to an action; what "{{-" takes with it is left out. */
static void run_plain(struct template_run *r)
{
	const char *brace = strstr(r->at, "{{");
	const char *end = brace ? brace : r->at + strlen(r->at);
	const char *next = end;

	if (brace && brace[2] == '-' && (brace[3] == ' ' || brace[3] == '\t'))
		while (end > r->at && strchr(" \t\n", end[-1]))
			end--;
	for (; r->at < end && !r->skip; r->at++) {
		bool is_escape = r->at[0] == '\\' && (r->at[1] == 't' || r->at[1] == 'n');

		fputc(!is_escape ? *r->at : r->at[1] == 't' ? '\t' : '\n', r->out);
		r->at += is_escape;
	}
	r->at = next;
}

static enum end run_text(struct template_run *r)
{
	while (!r->error) {
		enum end end;

		run_plain(r);
		if (*r->at == '\0')
			return END_OF_TEXT;
		r->at += 2;
		if (r->at[0] == '-' && (r->at[1] == ' ' || r->at[1] == '\t'))
			r->at++;
		end = run_action(r);
		if (end != END_OF_TEXT)
			return end;
	}
	return END_OF_BLOCK;
}

char *template_print(FILE *out, const char *text, struct json_object *data)
{
	struct template_run r = {.out = out, .at = text, .root = data, .dot = data};
	enum end end = run_text(&r);

	if (!r.error && end != END_OF_TEXT)
		template_fail(&r, "{{%s}} without a block", end == END_OF_BLOCK ? "end" : "else");
	return r.error;
}
