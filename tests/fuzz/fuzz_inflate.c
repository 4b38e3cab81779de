/* Streams of every form. The first byte chooses the size of what the source gives and of what is asked for. Gzip is
 * read by both engines: where both take it, they must give the same bytes. (One may refuse what the other takes:
 * incomplete codes.) */
#include "base/base.h"
#include "base/inflate.h"

#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a small input may inflate to here; more costs time and finds nothing. */
#define OUT_MAX (4 * MIB)

struct steps {
	struct str rest;
	size_t step;
};

static ssize_t steps_read(void *ctx, void *p, size_t n)
{
	struct steps *s = ctx;
	n = n < s->step ? n : s->step;
	n = n < s->rest.len ? n : s->rest.len;
	if (n)
		memcpy(p, s->rest.ptr, n);
	s->rest = str_sub(s->rest, n, s->rest.len);
	return (ssize_t)n;
}

struct outcome {
	uint32_t crc;
	uint64_t bytes, trailing;
	bool ok;
	enum inflate_form form;
};

static struct outcome run(struct str bytes, enum inflate_engine engine, size_t step, size_t n)
{
	static uint8_t out[64 * 1024];
	struct outcome o = { 0 };
	struct steps steps = { bytes, step };
	struct err err = { 0 };
	struct inflate *s = inflate_open_engine((struct source){ steps_read, &steps }, engine, &err);
	if (!s) {
		if (err.code >= 0 || !err.text[0])
			abort();
		return o;
	}
	ssize_t got = 1;
	while (o.bytes < OUT_MAX && (got = inflate_read(s, out, n, &err)) > 0) {
		if ((size_t)got > n)
			abort();
		o.crc = (uint32_t)crc32(o.crc, out, (unsigned)got);
		o.bytes += (uint64_t)got;
	}
	if (got < 0 && (err.code != got || !err.text[0]))
		abort();
	if (got == 0 && inflate_stored(s) != bytes.len)
		abort();
	o.ok = got == 0;
	o.trailing = inflate_trailing(s);
	o.form = inflate_form(s);
	inflate_close(s);
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct str bytes = { (const char *)data + 1, size - 1 };
	size_t step = data[0] & 1 ? 1 + (size_t)(data[0] >> 4) : SIZE_MAX;
	size_t n = data[0] & 2 ? 1 + (size_t)(data[0] >> 2) : 64 * KIB;
	struct outcome first = run(bytes, INFLATE_ENGINE_ZLIB, SIZE_MAX, 64 * KIB);
	struct outcome other = run(bytes, INFLATE_ENGINE_BEST, step, n);
	if (!first.ok || !other.ok)
		return 0;
	if (first.crc != other.crc || first.bytes != other.bytes || first.trailing != other.trailing ||
	    first.form != other.form)
		abort();
	return 0;
}
