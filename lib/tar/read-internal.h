/* SPDX-License-Identifier: MIT */
#pragma once

/* The parts of the reader: number.c, extended.c, sparse.c and header.c know formats, content.c what
 * was found, and read.c the order. */

#include "tar/tar.h"

enum { LCX__TAR_BLOCK = 512 };

struct lcx__tar_header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100],
		magic[8], user[32], group[32], major[8], minor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct lcx__tar_header) == LCX__TAR_BLOCK, "a tar header is one block");

/* ---- number.c ---- */

/* Octal digits between blanks and NULs, or GNU's base 256; -EBADMSG. The first may be negative. */
int lcx__tar_signed(const char *field, size_t size, int64_t *ret);
int lcx__tar_number(const char *field, size_t size, uint64_t *ret);

/* ---- sparse.c: where in a file its stored bytes belong ---- */

struct lcx__tar_segment {
	uint64_t offset, size;
};

struct lcx__tar_map {
	struct lcx__tar_segment *items;
	size_t n, size;
};

/* -EBADMSG if it is not behind the one before; -E2BIG, -ENOMEM */
int lcx__tar_map_add(struct lcx__tar_map *map, uint64_t offset, uint64_t size);
void lcx__tar_map_clear(struct lcx__tar_map *map);

/* Do the pieces lie within @real_size, and need @stored_size bytes? */
bool lcx__tar_map_fits(const struct lcx__tar_map *map, uint64_t real_size, uint64_t stored_size);

/* "OFFSET,SIZE,OFFSET,SIZE..." */
int lcx__tar_map_parse(struct lcx__tar_map *map, const char *text);

/* All of @size bytes; -EBADMSG in words at the end. */
struct lcx__tar_input {
	int (*read)(void *data, void *buffer, size_t size, struct lcx_error **err);
	void *data;
};

/* Of a header of GNU's own format and the blocks that continue it. */
int lcx__tar_map_read_gnu(struct lcx__tar_map *map, const struct lcx__tar_header *h,
			  const struct lcx__tar_input *input, uint64_t *ret_real_size,
			  struct lcx_error **err);

/* Decimal numbers in blocks in front of the content, of which there are @stored_size bytes. */
int lcx__tar_map_read_blocks(struct lcx__tar_map *map, const struct lcx__tar_input *input,
			     uint64_t *stored_size, struct lcx_error **err);

/* ---- extended.c: what pax and GNU say in front of an entry's header ---- */

struct lcx__tar_value {
	enum { VALUE_NONE, VALUE_SET, VALUE_DELETED } is; /* deleted: as the plain header has it */
	uint64_t number;
};

struct lcx__tar_extended {
	char *path, *link;
	char *sparse_path; /* the true name, where the other is one for readers that know nothing */
	struct lcx__tar_value size, uid, gid, dev_major, dev_minor, real_size, sparse_major,
		sparse_minor;
	bool has_mtime, deleted_mtime;
	struct timespec mtime;
	struct lcx__tar_xattr *xattrs;
	size_t n_xattrs;
	bool has_map;
	struct lcx__tar_map map;
	uint64_t map_offset; /* of a piece whose size is still to come */
	bool has_map_offset;

	/* The first record that can't be taken: told when the entry's name is known. */
	char trouble[160];
};

void lcx__tar_extended_clear(struct lcx__tar_extended *x);

/*
 * The records of one header, @size bytes with a NUL behind, which are changed. With @global
 * they are for all entries to come. -EBADMSG if they can't be told apart; -ENOMEM
 */
int lcx__tar_extended_parse(struct lcx__tar_extended *x, char *text, size_t size, bool global);

/* GNU's long names; as above. */
int lcx__tar_extended_path(struct lcx__tar_extended *x, const char *text, size_t size);
int lcx__tar_extended_link(struct lcx__tar_extended *x, const char *text, size_t size);

/* Attributes of @global that @x doesn't have itself. -ENOMEM */
int lcx__tar_extended_inherit(struct lcx__tar_extended *x, const struct lcx__tar_extended *global);

/* ---- the reader itself ---- */

struct lcx__tar_reader {
	struct lcx__source source;
	struct lcx__tar_entry entry;
	struct lcx__tar_extended extended, global;
	struct lcx__tar_map map;      /* of the content; a file without holes is one piece */
	size_t piece;                 /* that is read */
	uint64_t in_piece, flat;      /* read of it; of the whole, if it is read with its holes */
	uint64_t position, offset;    /* read so far; where the content begins */
	uint64_t left, padding;       /* of the content as it is stored */
	struct lcx__tar_input blocks; /* this reader, for maps */
	bool ended;
};

/* ---- header.c: what a header says of the entry ---- */

/* First what it is called, with which all that is wrong can be told. */
int lcx__tar_fill_names(struct lcx__tar_reader *t, const struct lcx__tar_header *h,
			struct lcx_error **err);

/* The rest, and where its content is. */
int lcx__tar_fill(struct lcx__tar_reader *t, const struct lcx__tar_header *h,
		  struct lcx_error **err);
