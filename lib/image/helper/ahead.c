/* SPDX-License-Identifier: MIT */
/*
 * A ring of buffers. One thread fills them (the decoder), two look at each: the caller's, which
 * extracts, and another that makes the sum. Which of the three has most to do differs from one part
 * of an archive to the next, so none does another's work, and the kernel spreads them over the
 * processors.
 *
 * Each reader has two counting semaphores, and a buffer is filled again when both have returned it.
 * What a thread works with (the decoder, the sum) is its own until it has handed on the end; then
 * it never runs again, but stays: how a thread ends would be more system calls to allow.
 */
#include "image/helper/ahead.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

enum {
	N_SLOTS = 16,
	SLOT_BYTES = 256 << 10,
	STACK_BYTES = 512 << 10,
};

struct slot {
	ssize_t n; /* as struct lcx__extract_source has it */
	struct lcx_error *err;
	unsigned char data[SLOT_BYTES];
};

struct reader {
	sem_t empty, full;
	size_t taken; /* slots */
	bool lent;    /* the one at hand */
};

struct ahead {
	struct lcx__source source;
	struct lcx__byte_sink sum;
	sem_t running, begun, summed, never;
	struct slot *slots;
	struct reader extracts, sums;
	int sum_result;
	struct lcx_error *sum_err;
};

static void wait_for(sem_t *sem)
{
	while (sem_wait(sem) < 0 && errno == EINTR)
		;
}

__attribute__((__noreturn__)) static void rest(struct ahead *a)
{
	for (;;)
		wait_for(&a->never);
}

__attribute__((__noreturn__)) static void *fill(void *data)
{
	struct ahead *a = data;
	ssize_t n = 1;

	(void)sem_post(&a->running);
	wait_for(&a->begun);
	for (size_t i = 0; n > 0; i++) {
		struct slot *slot = &a->slots[i % N_SLOTS];

		wait_for(&a->extracts.empty);
		wait_for(&a->sums.empty);
		n = a->source.read(a->source.data, slot->data, SLOT_BYTES, &slot->err);
		slot->n = n;
		(void)sem_post(&a->extracts.full);
		(void)sem_post(&a->sums.full);
	}
	rest(a);
}

/* A slot is lent until the next one is asked for. The end, or a failure, stays at hand. */
static struct slot *next_slot(struct ahead *a, struct reader *reader)
{
	struct slot *slot = &a->slots[reader->taken % N_SLOTS];

	if (reader->lent && slot->n > 0) {
		reader->lent = false;
		slot = &a->slots[++reader->taken % N_SLOTS];
		(void)sem_post(&reader->empty);
	}
	if (!reader->lent)
		wait_for(&reader->full);
	reader->lent = true;
	return slot;
}

/* What was wrong with the bytes is told where they are extracted. */
__attribute__((__noreturn__)) static void *sum(void *data)
{
	struct ahead *a = data;
	const struct slot *slot;

	(void)sem_post(&a->running);
	wait_for(&a->begun);
	while ((slot = next_slot(a, &a->sums))->n > 0)
		if (a->sum_result == 0)
			a->sum_result =
				a->sum.write(a->sum.data, slot->data, (size_t)slot->n, &a->sum_err);
	(void)sem_post(&a->summed);
	rest(a);
}

static void begin(void *data, const struct lcx__source *source,
		  const struct lcx__byte_sink *sum_sink)
{
	struct ahead *a = data;

	a->source = *source;
	a->sum = *sum_sink;
	(void)sem_post(&a->begun);
	(void)sem_post(&a->begun);
}

static ssize_t next(void *data, const unsigned char **ret, struct lcx_error **err)
{
	struct ahead *a = data;
	struct slot *slot = next_slot(a, &a->extracts);

	if (slot->err)
		*err = TAKE_PTR(slot->err);
	*ret = slot->data;
	return slot->n;
}

static int end(void *data, struct lcx_error **err)
{
	struct ahead *a = data;

	wait_for(&a->summed);
	if (a->sum_err)
		*err = TAKE_PTR(a->sum_err);
	return a->sum_result;
}

static int start_thread(struct ahead *a, void *(*run)(void *data))
{
	pthread_attr_t attributes;
	pthread_t thread;
	int r = pthread_attr_init(&attributes);

	if (r == 0)
		r = pthread_attr_setstacksize(&attributes, STACK_BYTES);
	if (r == 0)
		r = pthread_create(&thread, &attributes, run, a);
	if (r != 0)
		return -r;
	/* Only then it has made all the system calls with which a thread begins. */
	wait_for(&a->running);
	return 0;
}

static int start_threads(struct ahead *a)
{
	int r;

	if (sem_init(&a->running, 0, 0) < 0 || sem_init(&a->begun, 0, 0) < 0 ||
	    sem_init(&a->summed, 0, 0) < 0 || sem_init(&a->never, 0, 0) < 0 ||
	    sem_init(&a->extracts.empty, 0, N_SLOTS) < 0 || sem_init(&a->extracts.full, 0, 0) < 0 ||
	    sem_init(&a->sums.empty, 0, N_SLOTS) < 0 || sem_init(&a->sums.full, 0, 0) < 0)
		return -errno;
	/* One heap for all: each other one would be 64 MiB of addresses. */
	(void)mallopt(M_ARENA_MAX, 1);
	r = start_thread(a, fill);
	return r < 0 ? r : start_thread(a, sum);
}

int lcx__ahead_start(struct lcx__read_ahead *ret, struct lcx_error **err)
{
	struct ahead *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		return lcx__fail_nomem(err);
	a->slots = calloc(N_SLOTS, sizeof(*a->slots));
	r = a->slots ? start_threads(a) : -ENOMEM;
	if (r < 0)
		return lcx__fail_sys(err, -r, "start the threads that decompress and hash");
	*ret = (struct lcx__read_ahead){begin, end, {next, a}};
	return 0;
}
