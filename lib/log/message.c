/* SPDX-License-Identifier: MIT */
#include "log/writer-internal.h"

/*
 * journald's native protocol: "KEY=text\n", or for any bytes "KEY\n", their number as 64 bits with
 * the lowest byte first, the bytes, "\n". What is the same for all lines of a container, the
 * context, is sent from where it stands.
 *
 * syslog, RFC 5424: "<PRIORITY>1 TIME HOST APP PROCID MSGID [STRUCTURED DATA] TEXT". The context is
 * "HOST APP PROCID ". The sequence number in the data (7.3.1) lets a receiver see what was lost; a
 * line that is longer than a message may be goes in parts, whose MSGID says so.
 */

enum {
	SEVERITY_ERROR = 3,
	SEVERITY_INFO = 6,
	MICROSECONDS_LENGTH = 26, /* "2026-01-31T23:59:59.000001": RFC 5424 has no more digits */
	SYSLOG_MESSAGE_MAX = 8192,
	LAST_SEQUENCE = 2147483647,
};

static void add(struct lcx__log_writer *w, const char *text, size_t length)
{
	if (length > 0)
		__builtin_memcpy(w->buffer + w->used, text, length);
	w->used += (uint32_t)length;
}

#define ADD_LITERAL(w, text) add(w, text, sizeof(text) - 1)

static void add_number(struct lcx__log_writer *w, uint64_t number)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	add(w, digits + at, sizeof(digits) - at);
}

static uint32_t severity(const struct lcx__log_queued *line)
{
	return line->stream == LCX_LOG_STREAM_STDERR ? SEVERITY_ERROR : SEVERITY_INFO;
}

uint32_t lcx__log_spell_journald(struct lcx__log_writer *w, const struct lcx__log_queued *line,
				 const uint8_t *text)
{
	uint64_t length = line->length;

	w->used = 0;
	ADD_LITERAL(w, "PRIORITY=");
	add_number(w, severity(line));
	ADD_LITERAL(w, "\nSYSLOG_TIMESTAMP=");
	lcx__log_clock_set(&w->clock, line->second, line->ns);
	add(w, w->clock.text, LCX__LOG_TIME_LENGTH);
	if (!line->ended)
		ADD_LITERAL(w, "\nCONTAINER_PARTIAL_MESSAGE=true");
	ADD_LITERAL(w, "\nMESSAGE\n");
	for (int i = 0; i < 8; i++, length >>= 8)
		w->buffer[w->used++] = (char)(length & 0xff);
	add(w, (const char *)text, line->length);
	ADD_LITERAL(w, "\n");
	return line->length;
}

/* As much as fits, without cutting a character in two. */
static uint32_t piece_of(const struct lcx__log_writer *w, const uint8_t *text, uint32_t length)
{
	uint32_t room = w->used < SYSLOG_MESSAGE_MAX - 64 ? SYSLOG_MESSAGE_MAX - w->used : 64;

	return length <= room ? length : room - (uint32_t)lcx__log_unfinished_utf8(text, room);
}

/* The head, with the MSGID of a whole line: a part puts "-part" behind it. */
static void add_head(struct lcx__log_writer *w, const struct lcx__log_queued *line)
{
	w->used = LCX__LOG_FRAME_MAX; /* room for the length of a frame */
	ADD_LITERAL(w, "<");
	add_number(w, w->config.facility * 8 + severity(line));
	ADD_LITERAL(w, ">1 ");
	lcx__log_clock_set(&w->clock, line->second, line->ns);
	add(w, w->clock.text, MICROSECONDS_LENGTH);
	ADD_LITERAL(w, "Z ");
	add(w, w->context, w->config.context_length);
	if (line->stream == LCX_LOG_STREAM_STDERR)
		ADD_LITERAL(w, "stderr");
	else
		ADD_LITERAL(w, "stdout");
}

static void add_sequence(struct lcx__log_writer *w)
{
	w->sequence = w->sequence % LAST_SEQUENCE + 1;
	ADD_LITERAL(w, " [meta sequenceId=\"");
	add_number(w, w->sequence);
	ADD_LITERAL(w, "\"] ");
}

uint32_t lcx__log_spell_syslog(struct lcx__log_writer *w, const struct lcx__log_queued *line,
			       const uint8_t *text)
{
	enum { TAIL = sizeof("-part [meta sequenceId=\"2147483647\"] ") };
	uint32_t left = line->length - line->sent, piece;

	add_head(w, line);
	w->used += TAIL;
	piece = piece_of(w, text + line->sent, left);
	w->used -= TAIL;
	if (piece < left || !line->ended)
		ADD_LITERAL(w, "-part");
	add_sequence(w);
	add(w, (const char *)text + line->sent, piece);
	return piece;
}
