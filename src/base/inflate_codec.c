/* The libraries behind inflate.h: zlib and ISA-L (raw deflate), zstd, liblzma, bzip2. Each inflates one member from one
 * window to another. None may say CODEC_MEMBER_END before the member is complete and its output is out: their "OK" only
 * means that they want more, and inflate.c decides what the lack of it means. */
#include "base/inflate_codec.h"

#include "base/base.h"
#include "config.h"

#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>
#if HAVE_ISAL
#include <isa-l/igzip_lib.h>
#endif

/* Libraries that count in unsigned int get at most so much at once. */
static unsigned at_most(size_t n) { return n > GIB ? (unsigned)GIB : (unsigned)n; }

static int no_memory(struct err *err) { return err_set(err, ERR_LIMIT, "out of memory"); }

/* --- zlib --- */

struct zlib_state {
	z_stream z;
	uint32_t crc;
	bool ready;
};

static void *zlib_open(void) { return xcalloc(1, sizeof(struct zlib_state)); }

static int zlib_begin(void *state, struct err *err)
{
	struct zlib_state *s = state;
	s->crc = 0;
	int r = s->ready ? inflateReset(&s->z) : inflateInit2(&s->z, -MAX_WBITS);
	if (r != Z_OK)
		return no_memory(err);
	s->ready = true;
	return 0;
}

static int zlib_run(void *state, struct codec_window *w, struct err *err)
{
	struct zlib_state *s = state;
	unsigned in = at_most(w->in_len), out = at_most(w->out_len);
	s->z.next_in = w->in;
	s->z.avail_in = in;
	s->z.next_out = w->out;
	s->z.avail_out = out;
	int r = inflate(&s->z, Z_NO_FLUSH);
	s->crc = (uint32_t)crc32(s->crc, w->out, out - s->z.avail_out);
	w->in += in - s->z.avail_in;
	w->in_len -= in - s->z.avail_in;
	w->out += out - s->z.avail_out;
	w->out_len -= out - s->z.avail_out;
	switch (r) {
	case Z_OK:
	case Z_BUF_ERROR:
		return CODEC_MORE;
	case Z_STREAM_END:
		return CODEC_MEMBER_END;
	case Z_MEM_ERROR:
		return no_memory(err);
	default:
		return err_set(err, ERR_FORMAT, "bad deflate data");
	}
}

static uint32_t zlib_crc(const void *state) { return ((const struct zlib_state *)state)->crc; }

static void zlib_close(void *state)
{
	struct zlib_state *s = state;
	if (s->ready)
		(void)inflateEnd(&s->z);
	free(s);
}

const struct codec codec_zlib = { "gzip", zlib_open, zlib_begin, zlib_run, zlib_crc, zlib_close };

/* --- ISA-L --- */

#if HAVE_ISAL

static void *isal_open(void) { return xcalloc(1, sizeof(struct inflate_state)); }

static int isal_begin(void *state, struct err *err)
{
	(void)err;
	struct inflate_state *s = state;
	isal_inflate_init(s);
	s->crc_flag = ISAL_GZIP_NO_HDR; /* raw deflate, CRC-32 kept; wrapper and verification are inflate.c's */
	return 0;
}

/* At the end of a member ISA-L holds up to 8 whole bytes of what follows, maybe from the window before. */
static void isal_put_back(struct inflate_state *s, struct codec_window *w)
{
	int bits = s->read_in_length > 0 ? s->read_in_length : 0;
	uint64_t held = s->read_in >> (bits % 8);
	size_t n = (size_t)(bits / 8) < CODEC_PUSH_BACK ? (size_t)(bits / 8) : CODEC_PUSH_BACK;
	w->in -= n;
	w->in_len += n;
	for (size_t i = 0; i < n; i++)
		w->in[i] = (uint8_t)(held >> (8 * i));
	s->read_in_length = 0;
}

static int isal_run(void *state, struct codec_window *w, struct err *err)
{
	struct inflate_state *s = state;
	unsigned in = at_most(w->in_len), out = at_most(w->out_len);
	s->next_in = w->in;
	s->avail_in = in;
	s->next_out = w->out;
	s->avail_out = out;
	int r = isal_inflate(s);
	w->in += in - s->avail_in;
	w->in_len -= in - s->avail_in;
	w->out += out - s->avail_out;
	w->out_len -= out - s->avail_out;
	if (r != ISAL_DECOMP_OK)
		return err_set(err, ERR_FORMAT, "bad deflate data");
	/* 0 is also what a stream that just stops gives: only this state is the end. */
	if (s->block_state != ISAL_BLOCK_FINISH)
		return CODEC_MORE;
	isal_put_back(s, w);
	return CODEC_MEMBER_END;
}

static uint32_t isal_crc(const void *state) { return ((const struct inflate_state *)state)->crc; }

static const struct codec isal = { "gzip", isal_open, isal_begin, isal_run, isal_crc, free };

const struct codec *codec_isal(void) { return &isal; }

#else

const struct codec *codec_isal(void) { return NULL; }

#endif

/* --- zstd --- */

static void *zstd_open(void) { return ZSTD_createDCtx(); }

static int zstd_error(size_t code, struct err *err)
{
	switch (ZSTD_getErrorCode(code)) {
	case ZSTD_error_frameParameter_windowTooLarge:
		return err_set(err, ERR_LIMIT, "window over ZSTD_WINDOW_LOG_MAX (2^%d)", ZSTD_WINDOW_LOG_MAX);
	case ZSTD_error_memory_allocation:
		return no_memory(err);
	case ZSTD_error_dictionary_wrong:
		return err_set(err, ERR_UNSUPPORTED, "needs a dictionary");
	default:
		return err_set(err, ERR_FORMAT, "%s", ZSTD_getErrorName(code));
	}
}

static int zstd_begin(void *state, struct err *err)
{
	if (!state)
		return no_memory(err);
	size_t r = ZSTD_DCtx_reset(state, ZSTD_reset_session_and_parameters);
	if (!ZSTD_isError(r))
		r = ZSTD_DCtx_setParameter(state, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX);
	return ZSTD_isError(r) ? zstd_error(r, err) : 0;
}

static int zstd_run(void *state, struct codec_window *w, struct err *err)
{
	ZSTD_inBuffer in = { w->in, w->in_len, 0 };
	ZSTD_outBuffer out = { w->out, w->out_len, 0 };
	size_t r = ZSTD_decompressStream(state, &out, &in);
	w->in += in.pos;
	w->in_len -= in.pos;
	w->out += out.pos;
	w->out_len -= out.pos;
	if (ZSTD_isError(r))
		return zstd_error(r, err);
	return r == 0 ? CODEC_MEMBER_END : CODEC_MORE;
}

static void zstd_close(void *state) { (void)ZSTD_freeDCtx(state); }

const struct codec codec_zstd = { "zstd", zstd_open, zstd_begin, zstd_run, NULL, zstd_close };

/* --- xz --- */

static void *xz_open(void)
{
	lzma_stream *z = xcalloc(1, sizeof(*z));
	*z = (lzma_stream)LZMA_STREAM_INIT;
	return z;
}

static int xz_error(lzma_ret code, struct err *err)
{
	switch (code) {
	case LZMA_MEM_ERROR:
		return no_memory(err);
	case LZMA_MEMLIMIT_ERROR:
		return err_set(err, ERR_LIMIT, "memory over XZ_MEMORY_MAX");
	case LZMA_UNSUPPORTED_CHECK:
		return err_set(err, ERR_UNSUPPORTED, "unknown kind of check");
	case LZMA_OPTIONS_ERROR:
		return err_set(err, ERR_UNSUPPORTED, "unknown filter or flags");
	default:
		return err_set(err, ERR_FORMAT, "bad data");
	}
}

static int xz_begin(void *state, struct err *err)
{
	lzma_ret r = lzma_stream_decoder(state, XZ_MEMORY_MAX, LZMA_TELL_UNSUPPORTED_CHECK);
	return r == LZMA_OK ? 0 : xz_error(r, err);
}

static int xz_run(void *state, struct codec_window *w, struct err *err)
{
	lzma_stream *z = state;
	z->next_in = w->in;
	z->avail_in = w->in_len;
	z->next_out = w->out;
	z->avail_out = w->out_len;
	lzma_ret r = lzma_code(z, LZMA_RUN);
	w->in += w->in_len - z->avail_in;
	w->in_len = z->avail_in;
	w->out += w->out_len - z->avail_out;
	w->out_len = z->avail_out;
	if (r == LZMA_OK || r == LZMA_BUF_ERROR)
		return CODEC_MORE;
	return r == LZMA_STREAM_END ? CODEC_MEMBER_END : xz_error(r, err);
}

static void xz_close(void *state)
{
	lzma_end(state);
	free(state);
}

const struct codec codec_xz = { "xz", xz_open, xz_begin, xz_run, NULL, xz_close };

/* --- bzip2 --- */

struct bzip2_state {
	bz_stream z;
	bool ready;
};

static void *bzip2_open(void) { return xcalloc(1, sizeof(struct bzip2_state)); }

static int bzip2_begin(void *state, struct err *err)
{
	struct bzip2_state *s = state;
	if (s->ready)
		(void)BZ2_bzDecompressEnd(&s->z);
	s->z = (bz_stream){ 0 };
	s->ready = BZ2_bzDecompressInit(&s->z, 0, 0) == BZ_OK;
	return s->ready ? 0 : no_memory(err);
}

static int bzip2_run(void *state, struct codec_window *w, struct err *err)
{
	struct bzip2_state *s = state;
	unsigned in = at_most(w->in_len), out = at_most(w->out_len);
	s->z.next_in = (char *)w->in;
	s->z.avail_in = in;
	s->z.next_out = (char *)w->out;
	s->z.avail_out = out;
	int r = BZ2_bzDecompress(&s->z);
	w->in += in - s->z.avail_in;
	w->in_len -= in - s->z.avail_in;
	w->out += out - s->z.avail_out;
	w->out_len -= out - s->z.avail_out;
	switch (r) {
	case BZ_OK:
		return CODEC_MORE;
	case BZ_STREAM_END:
		return CODEC_MEMBER_END;
	case BZ_MEM_ERROR:
		return no_memory(err);
	default:
		return err_set(err, ERR_FORMAT, "bad data");
	}
}

static void bzip2_close(void *state)
{
	struct bzip2_state *s = state;
	if (s->ready)
		(void)BZ2_bzDecompressEnd(&s->z);
	free(s);
}

const struct codec codec_bzip2 = { "bzip2", bzip2_open, bzip2_begin, bzip2_run, NULL, bzip2_close };
