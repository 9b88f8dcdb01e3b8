/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One blob on its way into a registry. What is there already isn't sent, what another repository
 * there has is mounted; the rest is sent in one piece or in chunks, and goes on where it stopped.
 */

#include "image/digest.h"
#include "image/registry.h"

struct lcx__upload_job {
	struct lcx__registry *registry; /* borrowed */
	struct lcx__digest digest;
	uint64_t size_bytes;
	int fd;                 /* borrowed; -1 if the blob isn't at hand */
	const char *mount_from; /* another repository of the registry that may have it, or NULL */
	uint64_t chunk_bytes;   /* what is larger is sent in such pieces; 0: nothing is */
};

enum lcx__upload_end {
	LCX__UPLOAD_RUNS,
	LCX__UPLOAD_SENT,
	LCX__UPLOAD_MOUNTED,
	LCX__UPLOAD_EXISTED,
};

struct lcx__upload;

int lcx__upload_new(const struct lcx__upload_job *job, struct lcx__upload **ret,
		    struct lcx_error **err);
struct lcx__upload *lcx__upload_free(struct lcx__upload *upload);

DEFINE_CLEANUP(struct lcx__upload *, lcx__upload_free)

/* 1: under way; 0: it is there; <0: failed, with words. The registry has been dispatched before. */
int lcx__upload_step(struct lcx__upload *upload, struct lcx_error **err);

/* When to take a step without being told to. */
int64_t lcx__upload_deadline_ns(const struct lcx__upload *upload);

enum lcx__upload_end lcx__upload_end(const struct lcx__upload *upload);
uint64_t lcx__upload_done_bytes(const struct lcx__upload *upload);
