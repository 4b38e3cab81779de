/* Streams of bytes that inflate what they read: plain, gzip (ISA-L where it was found at build, else zlib; several
 * members; trailing zeros accepted, other trailing bytes are a diagnostic; reserved flags refused; a truncated
 * stream is an error), zstd (several frames, window up to 2^27), xz and bzip2 (for feeds). The form is recognised by
 * its magic, never by its name.
 * Pull interface: a source gives bytes as they are stored, the stream gives them inflated. */
#ifndef PLIMSOLL_BASE_INFLATE_H
#define PLIMSOLL_BASE_INFLATE_H

#include "base/err.h"

/* Where stored bytes come from. Returns the count, 0 at the end, -1 with errno. */
struct source {
	ssize_t (*read)(void *ctx, void *p, size_t n);
	void *ctx;
};

/* A part of a file by pread (descriptor stays the caller's). */
struct source_file {
	int fd;
	uint64_t at, end;
};
struct source source_of_file(struct source_file *f);
/* A slice in memory. */
struct source source_of_str(struct str *s);
/* A pipe or socket by read(2). */
struct source source_of_fd(int *fd);

enum inflate_form { INFLATE_PLAIN, INFLATE_GZIP, INFLATE_ZSTD, INFLATE_XZ, INFLATE_BZIP2 };

struct inflate;

struct inflate *inflate_open(struct source src, struct err *err); /* reads the first bytes; NULL with err set */
void inflate_close(struct inflate *s);
enum inflate_form inflate_form(const struct inflate *s);
/* Up to n bytes, 0 at the end, negative (ERR_FORMAT, ERR_IO) with err set. Short reads happen. */
ssize_t inflate_read(struct inflate *s, void *p, size_t n, struct err *err);
/* Stored bytes taken from the source so far (progress, ratio caps), and bytes after the last member that were
 * neither a member nor zeros. */
uint64_t inflate_stored(const struct inflate *s);
uint64_t inflate_trailing(const struct inflate *s);

#endif
