/* Streams that inflate: see inflate.h. This file knows sources, magics, the gzip wrapper, and the way from one member
 * to the next; the libraries sit behind inflate_codec.h. One loop serves every form, so that what counts as truncated
 * or as trailing cannot differ between them. It must never take "no more input" for "the end": only a codec that says
 * so ends a member. */
#include "base/inflate.h"

#include "base/base.h"
#include "base/inflate_codec.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>
#include <zlib.h>

/* Stored bytes are read in pieces of this size: larger ones leave the second-level cache, smaller ones cost ISA-L a
 * call. */
#define INPUT_SIZE (256 * KIB)

struct inflate {
	struct source src;
	enum inflate_form form;
	const struct codec *codec; /* NULL for plain */
	void *state;
	bool in_member;
	bool source_ended;
	bool done;
	int failed; /* sticky: the code in `error` */
	struct err error;
	uint64_t stored;
	uint64_t trailing;
	uint64_t member_out;
	uint32_t header_crc;
	size_t at, len; /* unread part of input; what is read comes in behind the room for putting back */
	uint8_t *input; /* CODEC_PUSH_BACK + INPUT_SIZE bytes */
};

/* --- sources --- */

static ssize_t read_file(void *ctx, void *p, size_t n)
{
	struct source_file *f = ctx;
	if (f->at >= f->end)
		return 0;
	if (n > f->end - f->at)
		n = (size_t)(f->end - f->at);
	ssize_t got;
	do
		got = pread(f->fd, p, n, (off_t)f->at);
	while (got < 0 && errno == EINTR);
	if (got > 0)
		f->at += (uint64_t)got;
	return got;
}

static ssize_t read_slice(void *ctx, void *p, size_t n)
{
	struct str *s = ctx;
	if (n > s->len)
		n = s->len;
	if (n)
		memcpy(p, s->ptr, n);
	*s = str_sub(*s, n, s->len);
	return (ssize_t)n;
}

static ssize_t read_pipe(void *ctx, void *p, size_t n)
{
	const int *fd = ctx;
	ssize_t got;
	do
		got = read(*fd, p, n);
	while (got < 0 && errno == EINTR);
	return got;
}

struct source source_of_file(struct source_file *f) { return (struct source){ read_file, f }; }
struct source source_of_str(struct str *s) { return (struct source){ read_slice, s }; }
struct source source_of_fd(int *fd) { return (struct source){ read_pipe, fd }; }

/* --- input --- */

static size_t left(const struct inflate *s) { return s->len - s->at; }

/* At least n unread bytes in the input, or all that the source still has. */
static int ensure(struct inflate *s, size_t n, struct err *err)
{
	if (left(s) >= n || s->source_ended)
		return 0;
	memmove(s->input + CODEC_PUSH_BACK, s->input + s->at, left(s));
	s->len = CODEC_PUSH_BACK + left(s);
	s->at = CODEC_PUSH_BACK;
	while (left(s) < n && !s->source_ended) {
		ssize_t got = s->src.read(s->src.ctx, s->input + s->len, CODEC_PUSH_BACK + INPUT_SIZE - s->len);
		if (got < 0)
			return err_set(err, ERR_IO, "read after %llu bytes: %m", (unsigned long long)s->stored);
		s->source_ended = got == 0;
		s->len += (size_t)got;
		s->stored += (uint64_t)got;
	}
	return 0;
}

static int truncated(const struct inflate *s, struct err *err)
{
	return err_set(err, ERR_FORMAT, "%s: ends inside a member after %llu bytes", s->codec->name,
		       (unsigned long long)s->stored);
}

/* --- magics --- */

struct magic {
	enum inflate_form form;
	size_t len;
	size_t enough; /* bytes that decide if the source has no more: a magic cut short is a truncated member */
	uint8_t bytes[10];
	uint8_t mask[10]; /* bits that may differ */
};

/* Each `enough` ends behind the first byte that no text has; bzip2's magic is all text up to its block. */
static const struct magic magics[] = {
	{ INFLATE_GZIP, 2, 1, { 0x1f, 0x8b }, { 0 } },
	{ INFLATE_ZSTD, 4, 2, { 0x28, 0xb5, 0x2f, 0xfd }, { 0 } },
	{ INFLATE_ZSTD, 4, 4, { 0x50, 0x2a, 0x4d, 0x18 }, { 0x0f } }, /* skippable frame */
	{ INFLATE_XZ, 6, 1, { 0xfd, '7', 'z', 'X', 'Z', 0 }, { 0 } },
	/* "BZh", level 1-9 (checked by the library), then a block or the end of the stream */
	{ INFLATE_BZIP2, 10, 4, { 'B', 'Z', 'h', '0', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59 }, { 0, 0, 0, 0x0f } },
	{ INFLATE_BZIP2, 10, 4, { 'B', 'Z', 'h', '0', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90 }, { 0, 0, 0, 0x0f } },
};
#define MAGIC_LEN_MAX ((size_t)10)

static bool magic_matches(const struct magic *m, const uint8_t *p, size_t n)
{
	if (n < m->enough)
		return false;
	for (size_t i = 0; i < m->len && i < n; i++)
		if ((p[i] ^ m->bytes[i]) & ~m->mask[i])
			return false;
	return true;
}

static enum inflate_form sniff(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < COUNT_OF(magics); i++)
		if (magic_matches(&magics[i], p, n))
			return magics[i].form;
	return INFLATE_PLAIN;
}

/* --- gzip's wrapper (RFC 1952, 2.3) --- */

enum { GZIP_HCRC = 2, GZIP_EXTRA = 4, GZIP_NAME = 8, GZIP_COMMENT = 16, GZIP_RESERVED = 0xe0 };

static int header_byte(struct inflate *s, uint8_t *ret, struct err *err)
{
	int r = left(s) ? 0 : ensure(s, 1, err);
	if (r < 0)
		return r;
	if (!left(s))
		return truncated(s, err);
	*ret = s->input[s->at++];
	s->header_crc = (uint32_t)crc32(s->header_crc, ret, 1);
	return 0;
}

static int little_endian(struct inflate *s, size_t n, uint32_t *ret, struct err *err)
{
	uint32_t v = 0;
	for (size_t i = 0; i < n; i++) {
		uint8_t b;
		int r = header_byte(s, &b, err);
		if (r < 0)
			return r;
		v |= (uint32_t)b << (8 * i);
	}
	*ret = v;
	return 0;
}

static int skip_cstr(struct inflate *s, struct err *err)
{
	uint8_t b = 1;
	int r = 0;
	while (b && r == 0)
		r = header_byte(s, &b, err);
	return r;
}

static int skip_extra(struct inflate *s, struct err *err)
{
	uint32_t n;
	uint8_t b;
	int r = little_endian(s, 2, &n, err);
	while (r == 0 && n--)
		r = header_byte(s, &b, err);
	return r;
}

static int gzip_header(struct inflate *s, struct err *err)
{
	uint32_t magic, method, flags, unused, crc;
	int r;
	s->header_crc = 0;
	if ((r = little_endian(s, 2, &magic, err)) < 0 || (r = little_endian(s, 1, &method, err)) < 0 ||
	    (r = little_endian(s, 1, &flags, err)) < 0)
		return r;
	if (method != 8)
		return err_set(err, ERR_FORMAT, "gzip: unknown compression method %u", method);
	if (flags & GZIP_RESERVED)
		return err_set(err, ERR_FORMAT, "gzip: reserved header flags 0x%02x", flags);
	/* mtime; extra flags and operating system */
	if ((r = little_endian(s, 4, &unused, err)) < 0 || (r = little_endian(s, 2, &unused, err)) < 0)
		return r;
	if ((flags & GZIP_EXTRA) && (r = skip_extra(s, err)) < 0)
		return r;
	if ((flags & GZIP_NAME) && (r = skip_cstr(s, err)) < 0)
		return r;
	if ((flags & GZIP_COMMENT) && (r = skip_cstr(s, err)) < 0)
		return r;
	if (!(flags & GZIP_HCRC))
		return 0;
	uint32_t want = s->header_crc & 0xffff;
	if ((r = little_endian(s, 2, &crc, err)) < 0)
		return r;
	return crc == want ? 0 : err_set(err, ERR_FORMAT, "gzip: wrong checksum of the header");
}

static int gzip_trailer(struct inflate *s, struct err *err)
{
	uint32_t crc, size;
	int r;
	if ((r = little_endian(s, 4, &crc, err)) < 0 || (r = little_endian(s, 4, &size, err)) < 0)
		return r;
	if (crc != s->codec->crc(s->state))
		return err_set(err, ERR_FORMAT, "gzip: wrong CRC-32 of the content");
	if (size != (uint32_t)s->member_out)
		return err_set(err, ERR_FORMAT, "gzip: the content's length is not the stated one");
	return 0;
}

/* --- members --- */

static int skip_zeros(struct inflate *s, struct err *err)
{
	for (;;) {
		int r = left(s) ? 0 : ensure(s, 1, err);
		if (r < 0 || !left(s))
			return r;
		while (left(s) && s->input[s->at] == 0)
			s->at++;
		if (left(s))
			return 0;
	}
}

/* Everything that is still to come is no member: counted, and read so that the source has been read to its end. */
static int count_trailing(struct inflate *s, struct err *err)
{
	int r = 0;
	do {
		s->trailing += left(s);
		s->at = s->len;
		r = ensure(s, 1, err);
	} while (r == 0 && left(s));
	return r;
}

static int begin_member(struct inflate *s, struct err *err)
{
	int r = s->codec->begin(s->state, err);
	if (r < 0)
		return r;
	s->member_out = 0;
	s->in_member = true;
	return s->form == INFLATE_GZIP ? gzip_header(s, err) : 0;
}

static bool at_member(struct inflate *s) { return sniff(s->input + s->at, left(s)) == s->form; }

/* After a member: begin the next one, or find the end and set done. Only xz has padding between streams: a gzip member
 * behind zeros is read by nobody (gzip and pigz pass over it, Go refuses it), so here it is trailing. */
static int next_member(struct inflate *s, struct err *err)
{
	int r = ensure(s, MAGIC_LEN_MAX, err);
	if (r < 0)
		return r;
	if (left(s) && at_member(s))
		return begin_member(s, err);
	if ((r = skip_zeros(s, err)) < 0 || (r = ensure(s, MAGIC_LEN_MAX, err)) < 0)
		return r;
	if (left(s) && s->form == INFLATE_XZ && at_member(s))
		return begin_member(s, err);
	if ((r = count_trailing(s, err)) < 0)
		return r;
	s->done = true;
	return 0;
}

static int end_member(struct inflate *s, struct err *err)
{
	s->in_member = false;
	return s->form == INFLATE_GZIP ? gzip_trailer(s, err) : 0;
}

/* One step inside a member: run the codec over what there is, read more when it has used all. *ret_made grows. */
static int inflate_step(struct inflate *s, uint8_t *out, size_t n, size_t *ret_made, struct err *err)
{
	struct codec_window w = { s->input + s->at, left(s), out + *ret_made, n - *ret_made };
	int r = s->codec->run(s->state, &w, err);
	size_t made = (size_t)(w.out - out) - *ret_made;
	bool moved = made || w.in != s->input + s->at;
	s->at = (size_t)(w.in - s->input);
	*ret_made += made;
	s->member_out += made;
	if (r < 0)
		return err_wrap(err, "%s: near stored byte %llu", s->codec->name,
				(unsigned long long)(s->stored - left(s)));
	if (r == CODEC_MEMBER_END)
		return end_member(s, err);
	if (*ret_made == n || moved)
		return 0;
	if (left(s))
		return err_set(err, ERR_FORMAT, "%s: makes no progress", s->codec->name);
	if ((r = ensure(s, 1, err)) < 0)
		return r;
	return left(s) ? 0 : truncated(s, err);
}

static int inflate_fill(struct inflate *s, uint8_t *out, size_t n, size_t *ret_made, struct err *err)
{
	int r = 0;
	while (r == 0 && *ret_made < n && !s->done)
		r = s->in_member ? inflate_step(s, out, n, ret_made, err) : next_member(s, err);
	return r;
}

/* --- interface --- */

static ssize_t plain_read(struct inflate *s, void *p, size_t n, struct err *err)
{
	if (left(s)) {
		n = n < left(s) ? n : left(s);
		memcpy(p, s->input + s->at, n);
		s->at += n;
		return (ssize_t)n;
	}
	if (s->source_ended)
		return 0;
	ssize_t got = s->src.read(s->src.ctx, p, n);
	if (got < 0)
		return err_set(err, ERR_IO, "read after %llu bytes: %m", (unsigned long long)s->stored);
	s->source_ended = got == 0;
	s->stored += (uint64_t)got;
	return got;
}

ssize_t inflate_read(struct inflate *s, void *p, size_t n, struct err *err)
{
	if (n > SSIZE_MAX)
		n = SSIZE_MAX;
	if (s->failed)
		return err_set(err, s->failed, "%s", s->error.text);
	if (s->form == INFLATE_PLAIN)
		return plain_read(s, p, n, err);
	size_t made = 0;
	int r = inflate_fill(s, p, n, &made, &s->error);
	if (r < 0)
		s->failed = r;
	return made || r == 0 ? (ssize_t)made : err_set(err, r, "%s", s->error.text);
}

static const struct codec *codec_of(enum inflate_form form, enum inflate_engine engine)
{
	const struct codec *isal = codec_isal();
	switch (form) {
	case INFLATE_GZIP:
		return engine == INFLATE_ENGINE_ISAL || (engine == INFLATE_ENGINE_BEST && isal) ? isal : &codec_zlib;
	case INFLATE_ZSTD:
		return &codec_zstd;
	case INFLATE_XZ:
		return &codec_xz;
	case INFLATE_BZIP2:
		return &codec_bzip2;
	case INFLATE_PLAIN:
		break;
	}
	return NULL;
}

struct inflate *inflate_open_engine(struct source src, enum inflate_engine engine, struct err *err)
{
	if (engine == INFLATE_ENGINE_ISAL && !codec_isal()) {
		(void)err_set(err, ERR_UNSUPPORTED, "this build has no ISA-L");
		return NULL;
	}
	struct inflate *s = xcalloc(1, sizeof(*s));
	s->src = src;
	s->input = xmalloc(CODEC_PUSH_BACK + INPUT_SIZE);
	int r = ensure(s, MAGIC_LEN_MAX, err);
	if (r == 0) {
		s->form = sniff(s->input + s->at, left(s));
		s->codec = codec_of(s->form, engine);
	}
	if (s->codec) {
		s->state = s->codec->open();
		r = begin_member(s, err);
	}
	if (r < 0) {
		inflate_close(s);
		return NULL;
	}
	return s;
}

struct inflate *inflate_open(struct source src, struct err *err)
{
	return inflate_open_engine(src, INFLATE_ENGINE_BEST, err);
}

void inflate_close(struct inflate *s)
{
	if (!s)
		return;
	if (s->codec && s->state)
		s->codec->close(s->state);
	free(s->input);
	free(s);
}

enum inflate_form inflate_form(const struct inflate *s) { return s->form; }
uint64_t inflate_stored(const struct inflate *s) { return s->stored; }
uint64_t inflate_trailing(const struct inflate *s) { return s->trailing; }
