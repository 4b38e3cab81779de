/* What a tar holds, as text, by each of the reader's faces: one line an entry, one more for its content, one for the
 * end. Every way of reading must give the same text. Shared by the unit test and the fuzz target. */
#ifndef PLIMSOLL_TESTS_TAR_TRANSCRIPT_H
#define PLIMSOLL_TESTS_TAR_TRANSCRIPT_H

#include "base/base.h"
#include "base/tar.h"

#include <zlib.h>

struct transcript {
	struct buf out;
	bool want;         /* read contents */
	uint64_t size_max; /* of one content that is read */
	uint64_t left;     /* until that */
	uint32_t crc;
};

static void transcript_init(struct transcript *t, bool want, uint64_t size_max)
{
	*t = (struct transcript){ .want = want, .size_max = size_max };
	buf_init(&t->out, 256 * MIB);
}

static void transcript_name(struct transcript *t, struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		if (c > ' ' && c < 0x7f && c != '\\')
			buf_byte(&t->out, c);
		else
			buf_printf(&t->out, "\\%03o", c);
	}
}

static void transcript_entry(struct transcript *t, const struct tar_entry *e)
{
	bool device = e->type == TAR_CHAR || e->type == TAR_BLOCK;
	buf_printf(&t->out, "%c %llu %o %u %u %lld ", "fhlcbdpo"[e->type], (unsigned long long)e -> size, e -> mode,
		   e -> uid, e -> gid, (long long)e -> mtime);
	if (device)
		buf_printf(&t->out, "%u,%u ", e->dev_major, e->dev_minor);
	/* The slash that tells of a folder is not part of a name in every witness. */
	struct str path = e->path;
	while (e->type == TAR_DIR && path.len > 1 && str_ends(path, STR("/")))
		path.len--;
	transcript_name(t, path);
	if (e->type == TAR_HARDLINK || e->type == TAR_SYMLINK) {
		buf_put(&t->out, STR(" -> "));
		transcript_name(t, e->link);
	}
	buf_byte(&t->out, '\n');
	t->left = t->size_max;
	t->crc = 0;
}

static bool transcript_wants(const struct transcript *t, const struct tar_entry *e)
{
	return t->want && e->type == TAR_FILE;
}

static void transcript_content(struct transcript *t) { buf_printf(&t->out, "  %08x\n", t->crc); }

static void transcript_end(struct transcript *t, int code, bool unterminated, uint64_t too_long)
{
	buf_printf(&t->out, "end %d%s", code, unterminated && code == 0 ? " unterminated" : "");
	if (too_long)
		buf_printf(&t->out, " too long %llu", (unsigned long long)too_long);
	buf_byte(&t->out, '\n');
}

/* --- push --- */

static int transcript_on_entry(void *ctx, const struct tar_entry *e, struct err *err)
{
	(void)err;
	transcript_entry(ctx, e);
	return transcript_wants(ctx, e) ? TAR_WANT : TAR_SKIP;
}

static int transcript_took(struct transcript *t, uint64_t n)
{
	t->left -= n;
	if (t->left)
		return TAR_WANT;
	transcript_content(t);
	return TAR_SKIP;
}

static int transcript_on_data(void *ctx, struct str piece, struct err *err)
{
	(void)err;
	struct transcript *t = ctx;
	size_t n = piece.len < t->left ? piece.len : (size_t)t->left;
	t->crc = (uint32_t)crc32(t->crc, (const Bytef *)piece.ptr, (unsigned)n);
	return transcript_took(t, n);
}

static int transcript_on_hole(void *ctx, uint64_t n, struct err *err)
{
	(void)err;
	static const Bytef zeros[4096];
	struct transcript *t = ctx;
	n = n < t->left ? n : t->left;
	for (uint64_t left = n; left;) {
		unsigned part = left < sizeof(zeros) ? (unsigned)left : (unsigned)sizeof(zeros);
		t->crc = (uint32_t)crc32(t->crc, zeros, part);
		left -= part;
	}
	return transcript_took(t, n);
}

static int transcript_on_end(void *ctx, struct err *err)
{
	(void)err;
	transcript_content(ctx);
	return 0;
}

/* chunk: bytes fed at once; holes: by on_hole, else as zeros; pass: what may be passed over is. */
static void transcript_push(struct transcript *t, struct str tar, size_t chunk, bool holes, bool pass, struct err *err)
{
	struct tar_push *p = tar_push_new((struct tar_sink){ transcript_on_entry, transcript_on_data,
							     holes ? transcript_on_hole : NULL, transcript_on_end, t });
	int r = 0;
	for (size_t at = 0; at < tar.len && r == 0;) {
		uint64_t passable = pass ? tar_push_passable(p) : 0;
		size_t left = tar.len - at, n = chunk < left ? chunk : left;
		if (passable) {
			n = passable < left ? (size_t)passable : left;
			tar_push_pass(p, n);
		} else {
			/* A copy of its own, so that a slice kept too long is seen. */
			char *copy = xmalloc(n);
			memcpy(copy, tar.ptr + at, n);
			r = tar_push_feed(p, copy, n, err);
			free(copy);
		}
		at += n;
	}
	r = r == 0 ? tar_push_finish(p, err) : r;
	transcript_end(t, r, !tar_push_ended(p), tar_push_paths_too_long(p));
	tar_push_free(p);
}

/* --- pull --- */

struct transcript_input {
	struct str rest;
	size_t chunk;
};

static ssize_t transcript_read(void *ctx, void *p, size_t n, struct err *err)
{
	(void)err;
	struct transcript_input *in = ctx;
	n = n < in->chunk ? n : in->chunk;
	n = n < in->rest.len ? n : in->rest.len;
	if (n)
		memcpy(p, in->rest.ptr, n);
	in->rest = str_sub(in->rest, n, in->rest.len);
	return (ssize_t)n;
}

static int transcript_skip(void *ctx, uint64_t n, struct err *err)
{
	struct transcript_input *in = ctx;
	if (n > in->rest.len)
		return err_set(err, ERR_FORMAT, "the input ends inside what is skipped");
	in->rest = str_sub(in->rest, (size_t)n, in->rest.len);
	return 0;
}

static int transcript_pull_content(struct transcript *t, struct tar *tar, struct err *err)
{
	uint8_t block[3000];
	ssize_t n;
	while ((n = tar_read(tar, block, t->left < sizeof(block) ? (size_t)t->left : sizeof(block), err)) > 0) {
		t->crc = (uint32_t)crc32(t->crc, block, (unsigned)n);
		t->left -= (uint64_t)n;
		if (t->left == 0)
			break;
	}
	if (n >= 0)
		transcript_content(t);
	return n < 0 ? (int)n : 0;
}

static void transcript_pull_input(struct transcript *t, struct tar_input in, struct err *err)
{
	struct tar *tar = tar_open(in);
	struct tar_entry e;
	int r;
	while ((r = tar_next(tar, &e, err)) == 1) {
		transcript_entry(t, &e);
		r = transcript_wants(t, &e) ? transcript_pull_content(t, tar, err) : 0;
		if (r < 0)
			break;
	}
	transcript_end(t, r, tar_unterminated(tar), tar_paths_too_long(tar));
	tar_close(tar);
}

static void transcript_pull(struct transcript *t, struct str bytes, size_t chunk, bool skip, struct err *err)
{
	struct transcript_input in = { bytes, chunk };
	transcript_pull_input(t, (struct tar_input){ transcript_read, skip ? transcript_skip : NULL, &in }, err);
}

#endif
