/* The frames between a feed's worker and the builder: see wire.h. One record after another, each a kind and numbers. */
#include "advisory/wire.h"

#include "base/base.h"

enum { KIND_STRING = 1, KIND_SOURCE, KIND_PLATFORM, KIND_PACKAGE, KIND_FACT, KIND_VULN };

#define WIRE_FLUSH_SIZE (256 * KIB)

/* --- the worker's end --- */

void wire_writer_init(struct wire_writer *w, void (*send)(void *ctx, struct str payload), void *ctx)
{
	*w = (struct wire_writer){ .send = send, .ctx = ctx, .arena = arena_new() };
	buf_init(&w->out, FRAME_SIZE_MAX);
}

void wire_writer_flush(struct wire_writer *w)
{
	if (w->out.len > 0)
		w->send(w->ctx, buf_view(&w->out));
	buf_clear(&w->out);
}

void wire_writer_done(struct wire_writer *w)
{
	buf_done(&w->out);
	arena_free(w->arena);
	w->arena = NULL;
}

static uint64_t string(struct wire_writer *w, struct str s)
{
	s = str_sub(s, 0, DB_STRING_MAX);
	const uint64_t *old = map_get(&w->strings, s);
	if (old)
		return *old;
	uint64_t number = w->strings.len;
	*map_put(w->arena, &w->strings, str_dup(w->arena, s), NULL) = number;
	buf_byte(&w->out, KIND_STRING);
	buf_str(&w->out, s);
	return number;
}

static void flush_if_full(struct wire_writer *w)
{
	if (w->out.len >= WIRE_FLUSH_SIZE)
		wire_writer_flush(w);
}

/* Strings are said before the record that uses them begins. */
static void numbers(struct wire_writer *w, uint8_t kind, const struct str *s, size_t count)
{
	uint64_t n[12];
	for (size_t i = 0; i < count && i < COUNT_OF(n); i++)
		n[i] = string(w, s[i]);
	buf_byte(&w->out, kind);
	for (size_t i = 0; i < count && i < COUNT_OF(n); i++)
		buf_varint(&w->out, n[i]);
}

static uint32_t say_source(void *ctx, const struct db_source *s)
{
	struct wire_writer *w = ctx;
	const struct str text[] = { s->name, s->licence, s->attribution, s->coverage };
	uint64_t name = string(w, arena_printf(w->arena, "\1%.*s", STR_ARG(s->name)));
	numbers(w, KIND_SOURCE, text, COUNT_OF(text));
	buf_u64(&w->out, (uint64_t)s->updated);
	/* The number that the parent gives, too: how many names came before. It is kept under a key that no other
	 * string has. */
	buf_varint(&w->out, name);
	flush_if_full(w);
	return (uint32_t)name;
}

static void say_platform(void *ctx, const struct db_platform *p, uint32_t source)
{
	struct wire_writer *w = ctx;
	const struct str text[] = { p->name, p->coverage };
	numbers(w, KIND_PLATFORM, text, COUNT_OF(text));
	buf_byte(&w->out, (uint8_t)((p->complete ? 1 : 0) | (p->unfixed ? 2 : 0)));
	buf_varint(&w->out, source);
	flush_if_full(w);
}

static void say_package(void *ctx, struct str platform, struct str package)
{
	struct wire_writer *w = ctx;
	const struct str text[] = { platform, package };
	numbers(w, KIND_PACKAGE, text, COUNT_OF(text));
	flush_if_full(w);
}

static void say_fact(void *ctx, struct str platform, struct str package, const struct db_fact *f)
{
	struct wire_writer *w = ctx;
	const struct str text[] = { platform, package, f->id,   f->advisory, f->introduced,
				    f->fixed, f->last, f->arch, f->module };
	numbers(w, KIND_FACT, text, COUNT_OF(text));
	buf_varint(&w->out, f->source);
	buf_byte(&w->out, (uint8_t)f->range);
	buf_byte(&w->out, (uint8_t)f->status);
	buf_byte(&w->out, (uint8_t)f->severity);
	buf_byte(&w->out, f->unreleased);
	flush_if_full(w);
}

/* Scores and probabilities as whole numbers, 0 for none. */
static uint64_t scaled(double v, double unit) { return v < 0 ? 0 : (uint64_t)(v * unit + 0.5) + 1; }

static void say_vuln(void *ctx, uint32_t source, struct str id, const struct db_vuln *v)
{
	struct wire_writer *w = ctx;
	const struct str text[] = { id, v->severity_source, v->cvss_vector };
	numbers(w, KIND_VULN, text, COUNT_OF(text));
	buf_varint(&w->out, source);
	buf_byte(&w->out, (uint8_t)v->severity);
	buf_byte(&w->out, v->kev);
	buf_varint(&w->out, scaled(v->cvss_score, 10));
	buf_varint(&w->out, scaled(v->epss, 1e9));
	buf_u64(&w->out, (uint64_t)v->kev_added);
	buf_u64(&w->out, (uint64_t)v->published);
	buf_varint(&w->out, v->cwe_count);
	for (uint32_t i = 0; i < v->cwe_count; i++)
		buf_varint(&w->out, v->cwes[i]);
	flush_if_full(w);
}

struct feed_sink wire_sink(struct wire_writer *w)
{
	return (struct feed_sink){
		.source = say_source,
		.platform = say_platform,
		.package = say_package,
		.fact = say_fact,
		.vuln = say_vuln,
		.ctx = w,
	};
}

/* --- the parent's end --- */

void wire_reader_init(struct wire_reader *r, struct db_builder *b)
{
	*r = (struct wire_reader){ .b = b, .arena = arena_new() };
}

void wire_reader_done(struct wire_reader *r)
{
	arena_free(r->arena);
	r->arena = NULL;
}

static uint32_t known(struct wire_reader *w, struct reader *r)
{
	uint64_t n = read_varint(r);
	if (n >= w->strings.len) {
		r->bad = true;
		return 0;
	}
	return w->strings.ptr[n];
}

static struct str known_str(struct wire_reader *w, struct reader *r)
{
	uint32_t n = known(w, r);
	return w->b->strings.ptr[n];
}

/* A worker's number of a source: that of the string that it made for it. */
static uint32_t known_source(struct wire_reader *w, struct reader *r)
{
	uint64_t n = read_varint(r);
	if (n >= w->sources.len || w->sources.ptr[n] == UINT32_MAX) {
		r->bad = true;
		return 0;
	}
	return w->sources.ptr[n];
}

static void take_string(struct wire_reader *w, struct reader *r)
{
	struct str s = read_str(r);
	if (s.len > DB_STRING_MAX || w->strings.len >= FEED_STRINGS_MAX)
		r->bad = true;
	if (!r->bad)
		*vec_push(w->arena, &w->strings) = builder_string(w->b, s);
}

static void take_source(struct wire_reader *w, struct reader *r)
{
	struct db_source s = { 0 };
	s.name = known_str(w, r);
	s.licence = known_str(w, r);
	s.attribution = known_str(w, r);
	s.coverage = known_str(w, r);
	s.updated = (int64_t)read_u64le(r);
	uint64_t number = read_varint(r);
	if (r->bad || number >= w->strings.len || s.name.len == 0 || w->b->sources.len >= DB_SOURCES_MAX) {
		r->bad = true;
		return;
	}
	while (w->sources.len <= number)
		*vec_push(w->arena, &w->sources) = UINT32_MAX;
	w->sources.ptr[number] = db_builder_source(w->b, &s);
}

static void take_platform(struct wire_reader *w, struct reader *r)
{
	struct db_platform p = { 0 };
	p.name = known_str(w, r);
	p.coverage = known_str(w, r);
	uint8_t flags = read_u8(r);
	uint32_t source = known_source(w, r);
	p.complete = flags & 1;
	p.unfixed = flags & 2;
	if (p.name.len == 0 || w->b->platforms.len >= DB_PLATFORMS_MAX)
		r->bad = true;
	if (!r->bad)
		db_builder_platform(w->b, &p, source);
}

static void take_package(struct wire_reader *w, struct reader *r)
{
	uint32_t platform = known(w, r);
	uint32_t package = known(w, r);
	if (platform == 0 || package == 0)
		r->bad = true;
	if (!r->bad)
		(void)builder_package(w->b, platform, package);
}

static void take_fact(struct wire_reader *w, struct reader *r)
{
	struct builder_fact f = { 0 };
	f.platform = known(w, r);
	f.package = known(w, r);
	f.id = known(w, r);
	f.advisory = known(w, r);
	f.introduced = known(w, r);
	f.fixed = known(w, r);
	f.last = known(w, r);
	f.arch = known(w, r);
	f.module = known(w, r);
	f.source = known_source(w, r);
	f.range = read_u8(r);
	f.status = read_u8(r);
	f.severity = read_u8(r);
	f.unreleased = read_u8(r) != 0;
	if (!r->bad)
		builder_add(w->b, &f);
}

static void take_vuln(struct wire_reader *w, struct reader *r)
{
	struct str id = known_str(w, r);
	struct db_vuln v = { 0 };
	v.severity_source = known_str(w, r);
	v.cvss_vector = known_str(w, r);
	uint32_t source = known_source(w, r);
	uint8_t severity = read_u8(r);
	v.kev = read_u8(r) != 0;
	uint64_t score = read_varint(r);
	uint64_t epss = read_varint(r);
	v.kev_added = (int64_t)read_u64le(r);
	v.published = (int64_t)read_u64le(r);
	size_t count = read_count(r, 1);
	if (severity >= SEVERITY_COUNT || count > COUNT_OF(v.cwes) || score > 101 || epss > 1000000001u)
		r->bad = true;
	for (size_t i = 0; !r->bad && i < count; i++)
		v.cwes[v.cwe_count++] = (uint32_t)read_varint(r);
	v.severity = r->bad ? SEVERITY_UNKNOWN : (enum severity)severity;
	v.cvss_score = score ? (double)(score - 1) / 10 : -1;
	v.epss = epss ? (double)(epss - 1) / 1e9 : -1;
	if (!r->bad)
		db_builder_vuln(w->b, source, id, &v);
}

int wire_read(struct wire_reader *w, struct str payload, struct err *err)
{
	struct reader r = reader_of(payload);
	while (!r.bad && reader_left(&r) > 0) {
		switch (read_u8(&r)) {
		case KIND_STRING:
			take_string(w, &r);
			break;
		case KIND_SOURCE:
			take_source(w, &r);
			break;
		case KIND_PLATFORM:
			take_platform(w, &r);
			break;
		case KIND_PACKAGE:
			take_package(w, &r);
			break;
		case KIND_FACT:
			take_fact(w, &r);
			break;
		case KIND_VULN:
			take_vuln(w, &r);
			break;
		default:
			r.bad = true;
		}
	}
	return r.bad ? err_set(err, ERR_FORMAT, "a record of the worker that makes no sense, at byte %zu", r.at) : 0;
}
