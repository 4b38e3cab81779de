/* Streams of bytes that inflate what they read: plain, gzip (ISA-L where it was found at build, else zlib), zstd
 * (several frames, skippable frames, window up to 2^27), xz and bzip2 (several streams; for feeds). The form is
 * recognised by its magic, never by its name.
 * Pull interface: a source gives bytes as they are stored, the stream gives them inflated, straight into the caller's
 * buffer. ISA-L copies up to 64 KiB of history in each call, so ask for 64 KiB to 1 MiB at once: 256 KiB was the
 * cheapest where it was measured, by 1 to 5 %, for it stays in the second-level cache.
 *
 * Format rules, the same whatever does the work (RFC 1952, RFC 8878, the xz file format):
 *   - several members (frames, streams) follow each other and are read as one;
 *   - zeros after the last member are accepted; anything else there is no error but counted (inflate_trailing). The
 *     source is read to its end either way, so that a source which hashes what it gives has seen every stored byte;
 *   - a stream that ends inside a member, even inside its magic, is ERR_FORMAT: never a short success. (An empty
 *     source is an empty plain stream.)
 *   - gzip: reserved header flags are refused; the header's own CRC, the CRC-32 and the length are verified;
 *   - zstd: a window over ZSTD_WINDOW_LOG_MAX is ERR_LIMIT; checksums are verified where the frame has them;
 *   - xz: memory over XZ_MEMORY_MAX is ERR_LIMIT, a check that cannot be verified is ERR_UNSUPPORTED.
 * Several streams may run in several threads; one stream belongs to one thread. No system calls besides the source's
 * own and memory. */
#ifndef PLIMSOLL_BASE_INFLATE_H
#define PLIMSOLL_BASE_INFLATE_H

#include "base/err.h"

#include <stdint.h>
#include <sys/types.h>

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
/* A slice in memory; it is cut as it is read. */
struct source source_of_str(struct str *s);
/* A pipe or socket by read(2). */
struct source source_of_fd(int *fd);

enum inflate_form { INFLATE_PLAIN, INFLATE_GZIP, INFLATE_ZSTD, INFLATE_XZ, INFLATE_BZIP2 };

struct inflate;

struct inflate *inflate_open(struct source src, struct err *err); /* reads the first bytes; NULL with err set */
void inflate_close(struct inflate *s);                            /* NULL is fine */
enum inflate_form inflate_form(const struct inflate *s);
/* Up to n bytes (n > 0), 0 at the end, negative (ERR_FORMAT, ERR_IO, ERR_LIMIT, ERR_UNSUPPORTED) with err set.
 * Inflating forms fill the buffer unless the end or an error comes first; plain ones give what one read of the source
 * gave. What was inflated before an error is given first; the error then stays. */
ssize_t inflate_read(struct inflate *s, void *p, size_t n, struct err *err);
/* Stored bytes taken from the source so far (progress, ratio caps), and bytes after the last member from the first one
 * on that is neither a member nor zero (known once inflate_read has returned 0). */
uint64_t inflate_stored(const struct inflate *s);
uint64_t inflate_trailing(const struct inflate *s);

/* For tests and measurements: gzip by one named engine. ERR_UNSUPPORTED where the build has no ISA-L. */
enum inflate_engine { INFLATE_ENGINE_BEST, INFLATE_ENGINE_ZLIB, INFLATE_ENGINE_ISAL };
struct inflate *inflate_open_engine(struct source src, enum inflate_engine engine, struct err *err);

#endif
