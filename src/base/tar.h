/* Tar: old v7, ustar (POSIX.1-1988), pax (POSIX.1-2001: path, linkpath, size, mtime, uid, gid), GNU (long names and
 * links, base-256 numbers) and star's prefix; sparse files of all four kinds (old GNU 'S', pax GNU.sparse 0.0, 0.1
 * and 1.0). One header logic with two faces: tar_push takes chunks as they come and calls back (nothing is copied but
 * what lies across chunks), tar pulls from an input and lets the caller read. Nothing is ever written to disk.
 *
 * Where tars can be read in two ways, this reads them as the container engines do (their reader is Go's archive/tar),
 * so that no image shows the engine one file and us another:
 *   - a pax 'g' header changes nothing, and undoes what stood before it; of several 'x' headers before an entry the
 *     last alone counts; GNU long names win over pax;
 *   - links, folders, devices and fifos have no content, whatever their size field says;
 *   - a lone zero block followed by something else, a wrong checksum, a record that lies about its length, a negative
 *     size, or a sparse map that overlaps, descends, passes the end or does not match its data is ERR_FORMAT, with the
 *     offset;
 *   - after the two zero blocks nothing is an entry (tar_push_trailing tells of it);
 *   - an archive that just stops where a header, or the filling behind content, would be is complete
 *     (tar_unterminated); one that stops inside a header, between an extended header and its entry, or inside content
 *     is ERR_FORMAT.
 * Fields that decide nothing (mode, owner, time, device) are 0 where they are garbage.
 * Caps: TAR_PAX_SIZE_MAX for one extended header, long name or text map, TAR_SPARSE_PARTS_MAX (both ERR_LIMIT); an
 * entry whose path or link is over TAR_PATH_MAX is passed over and counted. Memory stays under about 8 MiB.
 *
 * Names are given as stored (they may be absolute, hold "..", NUL, escape sequences); tar_clean_path makes them fit for
 * use. */
#ifndef PLIMSOLL_BASE_TAR_H
#define PLIMSOLL_BASE_TAR_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/inflate.h"

#include <sys/types.h>

enum tar_type { TAR_FILE, TAR_HARDLINK, TAR_SYMLINK, TAR_CHAR, TAR_BLOCK, TAR_DIR, TAR_FIFO, TAR_OTHER };

struct tar_entry {
	enum tar_type type;
	struct str path; /* until the next tar_next, or the next on_entry */
	struct str link; /* target of a link */
	/* Of the content as a reader of the file sees it (sparse: with holes). Believe no more than that it is under 2^63:
	 * a sparse file of 2^62 bytes takes one block. */
	uint64_t size;
	uint64_t stored; /* bytes of content in the archive */
	uint64_t offset; /* of the content from the start of the archive (behind a map that stands there) */
	uint32_t mode;   /* permissions, setuid, setgid, sticky */
	uint32_t uid, gid;
	uint32_t dev_major, dev_minor;
	int64_t mtime;
	bool sparse;
};

/* --- pull --- */

/* Where the archive comes from. read as in struct source but with err; skip passes over bytes (a seek where it can) and
 * may be NULL, then they are read. A skip past the end is an error, there or at the next read. */
struct tar_input {
	ssize_t (*read)(void *ctx, void *p, size_t n, struct err *err);
	int (*skip)(void *ctx, uint64_t n, struct err *err);
	void *ctx;
};

/* A plain tar in a file (or a part of one), read through a small window: headers of small files lie close together.
 * Set `file`, leave the rest zero. */
struct tar_file {
	struct source_file file;
	uint64_t start; /* private: where the window lies, and how much of it is filled */
	size_t filled;
	char window[32 * 1024];
};

/* From an inflating stream, and from a plain tar in a file, where content that is passed over costs nothing. */
struct tar_input tar_input_of_inflate(struct inflate *s);
struct tar_input tar_input_of_file(struct tar_file *f);

struct tar;

struct tar *tar_open(struct tar_input in);
void tar_close(struct tar *t); /* NULL is fine */
/* 1 and the next entry, 0 at the end of the archive, negative on error (ERR_FORMAT: with the offset). Errors stay.
 * Content of the entry before that was not read is passed over. */
int tar_next(struct tar *t, struct tar_entry *ret, struct err *err);
/* The content of the current entry, holes as zeros. 0 at its end. Large buffers are read into directly. */
ssize_t tar_read(struct tar *t, void *p, size_t n, struct err *err);
uint64_t tar_offset(const struct tar *t); /* bytes of the archive consumed */
uint64_t tar_paths_too_long(const struct tar *t);
bool tar_unterminated(const struct tar *t); /* true until the two zero blocks were seen */

/* --- push --- */

enum { TAR_SKIP = 0, TAR_WANT = 1 };

/* All return an answer or a negative error code with err set, which ends the archive. on_entry is needed; the others
 * may be NULL where on_entry never answers TAR_WANT. For an entry that was wanted: on_data and on_hole in order of the
 * content, then on_end once, also for an empty one. None of them once on_data or on_hole has answered TAR_SKIP (the
 * rest of this entry is not wanted). */
struct tar_sink {
	int (*on_entry)(void *ctx, const struct tar_entry *e, struct err *err); /* TAR_WANT or TAR_SKIP */
	/* A piece of content, never empty. It points into the chunk that is being fed. TAR_WANT or TAR_SKIP. */
	int (*on_data)(void *ctx, struct str piece, struct err *err);
	/* n zeros (up to 2^63!). TAR_WANT or TAR_SKIP. NULL: they come through on_data in pieces of at most 64 KiB;
	 * whoever leaves it NULL must answer TAR_SKIP at a cap of its own, else a hole of 2^62 bytes keeps it for
	 * years. */
	int (*on_hole)(void *ctx, uint64_t n, struct err *err);
	int (*on_end)(void *ctx, struct err *err); /* 0 */
	void *ctx;
};

struct tar_push;

struct tar_push *tar_push_new(struct tar_sink sink);
void tar_push_free(struct tar_push *t); /* NULL is fine */
/* The next n bytes of the archive; chunks may be of any size. All of them are used, also those behind the archive's
 * end. 0 or a negative code; errors stay. */
int tar_push_feed(struct tar_push *t, const void *p, size_t n, struct err *err);
/* No more bytes: 0 if the archive may end here, else ERR_FORMAT. */
int tar_push_finish(struct tar_push *t, struct err *err);
/* So many of the coming bytes will not be looked at: tar_push_pass(n), n at most that, stands for feeding them. */
uint64_t tar_push_passable(const struct tar_push *t);
void tar_push_pass(struct tar_push *t, uint64_t n);
bool tar_push_ended(const struct tar_push *t); /* the two zero blocks were seen: nothing more can come */
/* Bytes behind the archive's end from the first one on that is not zero. */
uint64_t tar_push_trailing(const struct tar_push *t);
uint64_t tar_push_offset(const struct tar_push *t);
uint64_t tar_push_paths_too_long(const struct tar_push *t);

/* --- names --- */

/* "./a//b/" -> "a/b", "/a/./b/../c" -> "a/c", into out (TAR_PATH_MAX bytes): what an engine makes of the name below its
 * root, without looking at links. False for a ".." that would leave the root, for NUL bytes, for the empty name and for
 * one over TAR_PATH_MAX. The root itself ("/", "./", "a/..") gives the empty slice. */
bool tar_clean_path(struct str path, char *out, struct str *ret);

#endif
