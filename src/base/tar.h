/* Tar headers: ustar, GNU (long names and links, sparse), pax (path, linkpath, size, GNU.sparse.*), old v7; base-256
 * numbers; checksums. The reader is fed by pulls, gives one entry at a time, and lets the caller read or pass over
 * the content. Nothing is ever written to disk.
 * Names are given as stored; tar_clean_path makes them relative without "." and "//", and refuses "..". */
#ifndef PLIMSOLL_BASE_TAR_H
#define PLIMSOLL_BASE_TAR_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum tar_type { TAR_FILE, TAR_HARDLINK, TAR_SYMLINK, TAR_CHAR, TAR_BLOCK, TAR_DIR, TAR_FIFO, TAR_OTHER };

struct tar_entry {
	enum tar_type type;
	struct str path;   /* until the next tar_next */
	struct str link;   /* target of a link */
	uint64_t size;     /* of the content as a reader of the file sees it (sparse: with holes) */
	uint64_t stored;   /* bytes in the archive */
	uint64_t offset;   /* of the content from the start of the archive */
	uint32_t mode;
	uint32_t uid, gid;
	uint32_t dev_major, dev_minor;
	int64_t mtime;
	bool sparse;
};

/* Where the archive comes from. read as in struct source but with err; skip passes over bytes (a seek where it can). */
struct tar_input {
	ssize_t (*read)(void *ctx, void *p, size_t n, struct err *err);
	int (*skip)(void *ctx, uint64_t n, struct err *err);
	void *ctx;
};

struct tar;

struct tar *tar_open(struct tar_input in);
void tar_close(struct tar *t);
/* 1 and the next entry, 0 at the end of the archive, negative on error (ERR_FORMAT: with the offset).
 * Content of the entry before that was not read is passed over. Entries whose path is over TAR_PATH_MAX are
 * passed over and counted. An archive that ends without its two zero blocks at a header's place is accepted (so do
 * Docker and GNU tar) and tar_unterminated is true. */
int tar_next(struct tar *t, struct tar_entry *ret, struct err *err);
/* The content of the current entry, holes as zeros. 0 at its end. */
ssize_t tar_read(struct tar *t, void *p, size_t n, struct err *err);
uint64_t tar_offset(const struct tar *t);       /* bytes of the archive consumed */
uint64_t tar_paths_too_long(const struct tar *t);
bool tar_unterminated(const struct tar *t);

/* "./a//b/" -> "a/b", into out (TAR_PATH_MAX bytes). False for "..", for an empty result other than the root
 * (which gives the empty slice), for NUL bytes. */
bool tar_clean_path(struct str path, char *out, struct str *ret);

#endif
