/* SPDX-License-Identifier: MIT */
/*
 * A ring of buffers and two counting semaphores. What the thread works with (the decoder,
 * the sum) is its own until it has handed on the end; then it never runs again, but stays:
 * how a thread ends would be more system calls to allow.
 */
#include "image/helper/ahead.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

enum {
	N_SLOTS = 4,
	SLOT_BYTES = 256 << 10,
	STACK_BYTES = 512 << 10,
};

struct slot {
	ssize_t n; /* as struct lcx__extract_source has it */
	struct lcx_error *err;
	unsigned char data[SLOT_BYTES];
};

struct ahead {
	struct lcx__source source;
	sem_t running, begun, empty, full;
	struct slot *slots;
	size_t taken; /* slots, by the reader */
	bool lent;    /* the one at hand */
};

static void wait_for(sem_t *sem)
{
	while (sem_wait(sem) < 0 && errno == EINTR)
		;
}

__attribute__((__noreturn__)) static void *run(void *data)
{
	struct ahead *a = data;
	ssize_t n = 1;

	(void)sem_post(&a->running);
	wait_for(&a->begun);
	for (size_t i = 0; n > 0; i++) {
		struct slot *slot = &a->slots[i % N_SLOTS];

		wait_for(&a->empty);
		n = a->source.read(a->source.data, slot->data, SLOT_BYTES, &slot->err);
		slot->n = n;
		(void)sem_post(&a->full);
	}
	for (;;)
		wait_for(&a->begun); /* which nobody posts again */
}

static void begin(void *data, const struct lcx__source *source)
{
	struct ahead *a = data;

	a->source = *source;
	(void)sem_post(&a->begun);
}

/*
 * A slot is lent until the next one is asked for. The end, or a failure, stays at hand: whoever
 * asks again gets it again.
 */
static ssize_t next_slot(void *data, const unsigned char **ret, struct lcx_error **err)
{
	struct ahead *a = data;
	struct slot *slot = &a->slots[a->taken % N_SLOTS];

	if (a->lent && slot->n > 0) {
		a->lent = false;
		slot = &a->slots[++a->taken % N_SLOTS];
		(void)sem_post(&a->empty);
	}
	if (!a->lent)
		wait_for(&a->full);
	a->lent = true;
	if (slot->err)
		*err = TAKE_PTR(slot->err);
	*ret = slot->data;
	return slot->n;
}

static int start_thread(struct ahead *a)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int r;

	if (sem_init(&a->running, 0, 0) < 0 || sem_init(&a->begun, 0, 0) < 0 ||
	    sem_init(&a->empty, 0, N_SLOTS) < 0 || sem_init(&a->full, 0, 0) < 0)
		return -errno;
	/* One heap for both: a second one would be 64 MiB of addresses. */
	(void)mallopt(M_ARENA_MAX, 1);
	r = pthread_attr_init(&attributes);
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

int lcx__ahead_start(struct lcx__read_ahead *ret, struct lcx_error **err)
{
	struct ahead *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		return lcx__fail_nomem(err);
	a->slots = calloc(N_SLOTS, sizeof(*a->slots));
	r = a->slots ? start_thread(a) : -ENOMEM;
	if (r < 0)
		return lcx__fail_sys(err, -r, "start a thread to decompress");
	*ret = (struct lcx__read_ahead){begin, {next_slot, a}};
	return 0;
}
