/* Documents out of a feed's file, whatever they are packed in: see feed.h. What a file is says its content, never its
 * name (a name helps only with a tar that has no magic). Nothing is written anywhere. */
#include "advisory/feed/feed.h"

#include "base/base.h"
#include "base/inflate.h"
#include "base/json.h"
#include "base/tar.h"
#include "base/zip.h"

#define PEEK_SIZE 512u
#define READ_STEP (256 * KIB)

enum packing { PACKED_ZIP, PACKED_TAR, PACKED_NOT };

struct state {
	enum packing packing;
	struct zip zip;
	struct str rest; /* stored bytes that the source has not given yet */
	struct inflate *stream;
	char peek[PEEK_SIZE];
	size_t peek_len, peek_at;
	struct tar *tar;
	struct buf text;
	struct buf inner;    /* a zip out of the stream */
	struct arena *arena; /* of the current document */
	bool given;          /* the single document of a file that is no archive */
};

static ssize_t read_peeked(void *ctx, void *p, size_t n, struct err *err)
{
	struct state *s = ctx;
	size_t left = s->peek_len - s->peek_at;
	if (left == 0)
		return inflate_read(s->stream, p, n, err);
	if (n > left)
		n = left;
	memcpy(p, s->peek + s->peek_at, n);
	s->peek_at += n;
	return (ssize_t)n;
}

static int fill_peek(struct state *s, struct err *err)
{
	while (s->peek_len < PEEK_SIZE) {
		ssize_t n = inflate_read(s->stream, s->peek + s->peek_len, PEEK_SIZE - s->peek_len, err);
		if (n < 0)
			return (int)n;
		if (n == 0)
			break;
		s->peek_len += (size_t)n;
	}
	return 0;
}

/* Everything that read gives until its end. */
static int read_all(struct state *s, ssize_t (*read)(struct state *, void *, size_t, struct err *), struct err *err)
{
	for (;;) {
		if (!buf_reserve(&s->text, READ_STEP))
			return err_set(err, ERR_LIMIT, "over FEED_DOC_SIZE_MAX");
		ssize_t n = read(s, s->text.ptr + s->text.len, READ_STEP, err);
		if (n <= 0)
			return (int)n;
		s->text.len += (size_t)n;
	}
}

static ssize_t read_member(struct state *s, void *p, size_t n, struct err *err) { return tar_read(s->tar, p, n, err); }

static ssize_t read_stream(struct state *s, void *p, size_t n, struct err *err) { return read_peeked(s, p, n, err); }

static int open_inner_zip(struct state *s, struct err *err)
{
	int rc = read_all(s, read_stream, err);
	s->inner = s->text;
	buf_init(&s->text, FEED_DOC_SIZE_MAX);
	s->packing = PACKED_NOT;
	rc = rc ? rc : zip_open(buf_view(&s->inner), &s->zip, err);
	if (rc == 0)
		s->packing = PACKED_ZIP;
	return rc;
}

static int open_stream(struct feed_input *in, struct state *s, struct err *err)
{
	s->rest = in->bytes;
	s->stream = inflate_open(source_of_str(&s->rest), err);
	if (!s->stream)
		return err && err->code ? err->code : ERR_FORMAT;
	int rc = fill_peek(s, err);
	if (rc != 0)
		return rc;
	/* A zip that a server packed once more. */
	if (str_starts((struct str){ s->peek, s->peek_len }, STR("PK\3\4")))
		return open_inner_zip(s, err);
	struct str magic = str_sub((struct str){ s->peek, s->peek_len }, 257, 262);
	s->packing = str_eq(magic, STR("ustar")) || str_contains(in->path, STR(".tar")) ? PACKED_TAR : PACKED_NOT;
	if (s->packing == PACKED_TAR)
		s->tar = tar_open((struct tar_input){ .read = read_peeked, .ctx = s });
	return 0;
}

static int open_input(struct feed_input *in, struct err *err)
{
	struct state *s = xcalloc(1, sizeof(*s));
	in->state = s;
	buf_init(&s->text, FEED_DOC_SIZE_MAX);
	if (!str_starts(in->bytes, STR("PK\3\4")) && !str_starts(in->bytes, STR("PK\5\6")))
		return open_stream(in, s, err);
	s->packing = PACKED_ZIP;
	int rc = zip_open(in->bytes, &s->zip, err);
	if (rc != 0)
		s->packing = PACKED_NOT;
	return rc;
}

void feed_done(struct feed_input *in)
{
	struct state *s = in->state;
	if (!s)
		return;
	if (s->packing == PACKED_ZIP)
		zip_close(&s->zip);
	tar_close(s->tar);
	if (s->stream)
		inflate_close(s->stream);
	buf_done(&s->text);
	buf_done(&s->inner);
	arena_free(s->arena);
	free(s);
	in->state = NULL;
}

void feed_rewind(struct feed_input *in) { feed_done(in); }

static int next_zip(struct state *s, bool (*want)(struct str name), struct feed_doc *ret, struct err *err)
{
	struct zip_member m;
	int rc;
	while ((rc = zip_next(&s->zip, &m, err)) > 0) {
		if (str_ends(m.name, STR("/")) || (want && !want(m.name)))
			continue;
		rc = zip_read(&s->zip, &m, &s->text, err);
		if (rc != 0)
			return err_wrap(err, "%.*s", STR_ARG(m.name));
		ret->name = str_dup(s->arena, m.name);
		return 1;
	}
	return rc;
}

static int next_tar(struct state *s, bool (*want)(struct str name), struct feed_doc *ret, struct err *err)
{
	struct tar_entry e;
	int rc;
	while ((rc = tar_next(s->tar, &e, err)) > 0) {
		if (e.type != TAR_FILE || (want && !want(e.path)))
			continue;
		ret->name = str_dup(s->arena, e.path);
		ret->mtime = e.mtime;
		rc = read_all(s, read_member, err);
		return rc ? err_wrap(err, "%.*s", STR_ARG(ret->name)) : 1;
	}
	return rc;
}

static int next_single(struct feed_input *in, struct state *s, bool (*want)(struct str name), struct feed_doc *ret,
		       struct err *err)
{
	static const struct str packings[] = { STR_INIT(".gz"), STR_INIT(".xz"), STR_INIT(".bz2"), STR_INIT(".zst") };
	struct str name = in->path;
	for (size_t i = 0; i < COUNT_OF(packings); i++)
		(void)str_drop(&name, packings[i]);
	if (s->given || (want && !want(name)))
		return 0;
	s->given = true;
	ret->name = name;
	int rc = read_all(s, read_stream, err);
	return rc ? rc : 1;
}

int feed_next(struct feed_input *in, bool (*want)(struct str name), struct feed_doc *ret, struct err *err)
{
	if (!in->state) {
		int rc = open_input(in, err);
		if (rc != 0)
			return rc;
	}
	struct state *s = in->state;
	arena_free(s->arena);
	s->arena = arena_new();
	buf_clear(&s->text);
	*ret = (struct feed_doc){ .arena = s->arena };
	int rc = s->packing == PACKED_ZIP   ? next_zip(s, want, ret, err)
		 : s->packing == PACKED_TAR ? next_tar(s, want, ret, err)
					    : next_single(in, s, want, ret, err);
	ret->text = buf_view(&s->text);
	return rc;
}

const struct value *feed_json(const struct feed_doc *doc)
{
	struct value *v;
	struct err err;
	struct str text = doc->text;
	(void)str_skip(&text, STR("\xef\xbb\xbf"));
	return json_parse(doc->arena, text, &v, &err) == 0 ? v : NULL;
}
