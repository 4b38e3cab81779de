/* What the two faces of tar.h share: the state of one archive, moved on by whoever has its bytes. Private to base/.
 * core_step eats headers, extended headers, maps, filling and unread content up to the next entry; then the content is
 * taken run by run. Nothing here reads an input, calls back or copies content. */
#ifndef PLIMSOLL_BASE_TAR_CORE_H
#define PLIMSOLL_BASE_TAR_CORE_H

#include "base/tar.h"

#define TAR_BLOCK_SIZE ((size_t)512)

/* A part of a file that holds data. */
struct tar_part {
	uint64_t at, len;
};

struct tar_parts {
	struct tar_part *ptr;
	size_t len, cap;
};

/* False at TAR_SPARSE_PARTS_MAX. */
bool tar_parts_add(struct tar_parts *parts, uint64_t at, uint64_t len);

/* One header block, its fields read (tar_header.c). */
struct tar_header {
	char type;
	bool gnu;
	bool size_bad; /* negative, over 2^63 - 1, or no number */
	uint64_t size;
	uint32_t mode, uid, gid, dev_major, dev_minor;
	int64_t mtime;
	size_t path_len, link_len;
	char path[155 + 1 + 100]; /* prefix and name */
	char link[100];
};

bool tar_block_is_zero(const uint8_t *block);
bool tar_block_checksum_ok(const uint8_t *block);
void tar_header_parse(const uint8_t *block, struct tar_header *ret);
/* Octal, or base-256 where the first bit is set. False: no number, or not in 64 bits. */
bool tar_number(const uint8_t *p, size_t n, int64_t *ret);
/* Up to the first NUL. */
struct str tar_field(const uint8_t *p, size_t n);

/* Parts of an old GNU sparse header (4) or of its continuation (21), up to the first unused one. Adds to parts; 0,
 * ERR_FORMAT, ERR_LIMIT. */
int tar_sparse_block(const uint8_t *entries, size_t count, struct tar_parts *parts, struct err *err);

/* The records of one 'x' header that matter here (tar_pax.c). Slices point into the records. */
struct tar_pax {
	struct str path, link, size, mtime, uid, gid;
	struct str sparse_major, sparse_minor, sparse_name, sparse_size, sparse_realsize, sparse_count, sparse_map;
	struct tar_parts pairs; /* from the records of format 0.0, which come in pairs */
	bool half_pair;
	uint64_t pair_at;
};

enum tar_sparse_kind { TAR_SPARSE_NONE, TAR_SPARSE_0, TAR_SPARSE_1 };

void tar_pax_clear(struct tar_pax *p); /* keeps the memory of pairs */
int tar_pax_parse(struct tar_pax *p, struct str records, struct err *err);
enum tar_sparse_kind tar_pax_sparse_kind(const struct tar_pax *p);
/* The parts of formats 0.0 and 0.1. */
int tar_pax_sparse_parts(const struct tar_pax *p, struct tar_parts *parts, struct err *err);

/* The text map at the head of the content, format 1.0. 1: it goes on in the next block; 0: complete. */
struct tar_map {
	bool counted; /* the count of pairs has been read */
	bool half;    /* an offset waits for its length */
	uint64_t count, first, value;
	unsigned digits; /* of value, so far */
};
int tar_map_block(struct tar_map *m, const uint8_t *block, struct tar_parts *parts, struct err *err);

enum core_state { CORE_HEADER, CORE_META, CORE_SPARSE, CORE_MAP, CORE_CONTENT, CORE_PAD, CORE_END };

struct tar_core {
	enum core_state state;
	uint64_t offset; /* bytes consumed */
	uint8_t block[TAR_BLOCK_SIZE];
	size_t have; /* bytes of a block that lies across chunks */
	bool zero_seen;
	int failed; /* sticky: the code in `error` */
	struct err error;
	uint64_t paths_too_long;
	uint64_t trailing;
	/* headers in front of the entry */
	bool pending;     /* there are some */
	struct buf *meta; /* the one that is being collected, its bytes still to come in `left` */
	struct buf pax_text, long_path, long_link;
	struct tar_pax pax;
	/* the entry */
	struct tar_header header;
	struct tar_entry entry;
	struct tar_map map;
	uint64_t map_size;
	struct tar_parts parts;
	/* its content */
	uint64_t left; /* stored bytes still to come */
	size_t pad;    /* filling behind them */
	size_t part;
	uint64_t at; /* place in the file */
};

enum core_event { CORE_MORE, CORE_ENTRY, CORE_ENDED };

void core_init(struct tar_core *c);
void core_done(struct tar_core *c);
/* An event, or a negative code. Takes what it uses off the front of *in; after CORE_MORE and CORE_ENDED it is empty. */
int core_step(struct tar_core *c, struct str *in, struct err *err);
/* May the archive end here? */
int core_finish(struct tar_core *c, struct err *err);

/* The next run of the current entry's content: false at its end. A hole is not in the archive. */
struct core_run {
	bool hole;
	uint64_t len;
};
bool core_next_run(struct tar_core *c, struct core_run *ret);
/* n bytes of that run have been used. */
void core_take(struct tar_core *c, const struct core_run *run, uint64_t n);
/* Bytes ahead that are content, or filling if none is left; core_pass stands for stepping over them. */
uint64_t core_passable(const struct tar_core *c);
void core_pass(struct tar_core *c, uint64_t n);

#endif
