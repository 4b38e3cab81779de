/* The two faces of tar.h over tar_core.h: pull (the caller reads) and push (chunks come, callbacks go), and the
 * cleaning of names. No header is read here, so the two cannot differ in what they take an archive for. */
#include "base/tar.h"

#include "base/base.h"
#include "base/inflate.h"
#include "base/tar_core.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

/* Inputs that can only be read: large, for an inflating stream works best so. Inputs that skip: what lies between two
 * contents is rarely over 1 KiB, and what is read beyond it is wasted where a content is passed over. */
#define READ_SIZE (256 * KIB)
#define READ_SIZE_SKIPPING (16 * KIB)

/* --- pull --- */

struct tar {
	struct tar_core core;
	struct tar_input in;
	bool input_ended;
	struct str rest; /* unused part of buffer */
	size_t buffer_size;
	char *buffer;
};

struct tar *tar_open(struct tar_input in)
{
	struct tar *t = xcalloc(1, sizeof(*t));
	core_init(&t->core);
	t->in = in;
	t->buffer_size = in.skip ? READ_SIZE_SKIPPING : READ_SIZE;
	t->buffer = xmalloc(t->buffer_size);
	return t;
}

void tar_close(struct tar *t)
{
	if (!t)
		return;
	core_done(&t->core);
	free(t->buffer);
	free(t);
}

/* 1: bytes came; 0: the input has ended where an archive may; negative: it may not, or could not be read. */
static int refill(struct tar *t, struct err *err)
{
	ssize_t got = t->input_ended ? 0 : t->in.read(t->in.ctx, t->buffer, t->buffer_size, err);
	if (got < 0)
		return (int)got;
	t->input_ended = got == 0;
	t->rest = (struct str){ t->buffer, (size_t)got };
	return got ? 1 : core_finish(&t->core, err);
}

/* Pass over unread content that is not in the buffer yet, where the input can do so without reading. */
static int skip_content(struct tar *t, struct err *err)
{
	uint64_t n = core_passable(&t->core);
	if (!t->in.skip || n <= t->rest.len || t->core.state != CORE_CONTENT || t->core.left == 0)
		return 0;
	int r = t->in.skip(t->in.ctx, n - t->rest.len, err);
	if (r < 0)
		return r;
	core_pass(&t->core, n);
	t->rest = (struct str){ 0 };
	return 0;
}

int tar_next(struct tar *t, struct tar_entry *ret, struct err *err)
{
	for (;;) {
		int r = t->core.failed ? 0 : skip_content(t, err);
		if (r < 0)
			return r;
		switch (r = core_step(&t->core, &t->rest, err)) {
		case CORE_ENTRY:
			*ret = t->core.entry;
			return 1;
		case CORE_ENDED:
			return 0;
		case CORE_MORE:
			if ((r = refill(t, err)) <= 0)
				return r;
			break;
		default:
			return r;
		}
	}
}

/* Data of the current run, from the buffer or straight from the input. */
static ssize_t read_run(struct tar *t, const struct core_run *run, void *p, size_t n, struct err *err)
{
	if (t->rest.len == 0 && n < t->buffer_size) {
		int r = refill(t, err);
		if (r <= 0)
			return r;
	}
	if (t->rest.len) {
		n = n < t->rest.len ? n : t->rest.len;
		memcpy(p, t->rest.ptr, n);
		t->rest = str_sub(t->rest, n, t->rest.len);
	} else {
		ssize_t got = t->input_ended ? 0 : t->in.read(t->in.ctx, p, n, err);
		t->input_ended = got == 0;
		if (got <= 0)
			return got < 0 ? got : core_finish(&t->core, err);
		n = (size_t)got;
	}
	core_take(&t->core, run, n);
	return (ssize_t)n;
}

ssize_t tar_read(struct tar *t, void *p, size_t n, struct err *err)
{
	struct core_run run;
	if (t->core.failed)
		return core_finish(&t->core, err);
	if (t->core.state != CORE_CONTENT || !core_next_run(&t->core, &run))
		return 0;
	n = run.len < n ? (size_t)run.len : n;
	n = n < SSIZE_MAX ? n : SSIZE_MAX;
	if (!run.hole)
		return read_run(t, &run, p, n, err);
	memset(p, 0, n);
	core_take(&t->core, &run, n);
	return (ssize_t)n;
}

uint64_t tar_offset(const struct tar *t) { return t->core.offset; }
uint64_t tar_paths_too_long(const struct tar *t) { return t->core.paths_too_long; }
bool tar_unterminated(const struct tar *t) { return t->core.state != CORE_END; }

/* --- inputs --- */

static ssize_t input_inflate(void *ctx, void *p, size_t n, struct err *err) { return inflate_read(ctx, p, n, err); }

struct tar_input tar_input_of_inflate(struct inflate *s) { return (struct tar_input){ input_inflate, NULL, s }; }

static ssize_t file_fill(struct tar_file *w, struct err *err)
{
	struct source_file part = w->file;
	struct source src = source_of_file(&part);
	char before;
	ssize_t got = src.read(src.ctx, w->window, sizeof(w->window));
	if (got < 0)
		return err_set(err, ERR_IO, "read at %llu: %m", (unsigned long long)w->file.at);
	/* Behind a skip the file may have ended earlier: then the byte before is not there. */
	if (got == 0 && w->file.at && pread(w->file.fd, &before, 1, (off_t)(w->file.at - 1)) != 1)
		return err_set(err, ERR_FORMAT, "tar: the file ends before byte %llu", (unsigned long long)w->file.at);
	w->start = w->file.at;
	w->filled = (size_t)got;
	return got;
}

static ssize_t input_file(void *ctx, void *p, size_t n, struct err *err)
{
	struct tar_file *w = ctx;
	if (w->file.at < w->start || w->file.at >= w->start + w->filled) {
		ssize_t got = file_fill(w, err);
		if (got <= 0)
			return got;
	}
	size_t have = (size_t)(w->start + w->filled - w->file.at);
	n = n < have ? n : have;
	memcpy(p, w->window + (w->file.at - w->start), n);
	w->file.at += n;
	return (ssize_t)n;
}

static int skip_file(void *ctx, uint64_t n, struct err *err)
{
	struct source_file *f = &((struct tar_file *)ctx)->file;
	if (f->at > f->end || n > f->end - f->at)
		return err_set(err, ERR_FORMAT, "tar: the file ends inside content of %llu bytes",
			       (unsigned long long)n);
	f->at += n;
	return 0;
}

struct tar_input tar_input_of_file(struct tar_file *f) { return (struct tar_input){ input_file, skip_file, f }; }

/* --- push --- */

struct tar_push {
	struct tar_core core;
	struct tar_sink sink;
	bool wanted; /* content of the current entry goes to the sink */
};

struct tar_push *tar_push_new(struct tar_sink sink)
{
	struct tar_push *t = xcalloc(1, sizeof(*t));
	core_init(&t->core);
	t->sink = sink;
	return t;
}

void tar_push_free(struct tar_push *t)
{
	if (!t)
		return;
	core_done(&t->core);
	free(t);
}

static const char zeros[16 * 1024];

/* TAR_WANT or TAR_SKIP, or negative. */
static int give_hole(struct tar_push *t, const struct core_run *run, struct err *err)
{
	core_take(&t->core, run, run->len);
	if (t->sink.on_hole)
		return t->sink.on_hole(t->sink.ctx, run->len, err);
	int r = TAR_WANT;
	for (uint64_t left = run->len; left && r == TAR_WANT;) {
		size_t n = left < sizeof(zeros) ? (size_t)left : sizeof(zeros);
		r = t->sink.on_data(t->sink.ctx, (struct str){ zeros, n }, err);
		left -= n;
	}
	return r;
}

static int give_data(struct tar_push *t, const struct core_run *run, struct str *in, struct err *err)
{
	size_t n = run->len < in->len ? (size_t)run->len : in->len;
	struct str piece = str_sub(*in, 0, n);
	*in = str_sub(*in, n, in->len);
	core_take(&t->core, run, n);
	return t->sink.on_data(t->sink.ctx, piece, err);
}

/* As much of the current entry's content as there is. 0 or negative; `wanted` falls at its end. */
static int give_content(struct tar_push *t, struct str *in, struct err *err)
{
	struct core_run run;
	while (core_next_run(&t->core, &run)) {
		if (!run.hole && in->len == 0)
			return 0;
		int r = run.hole ? give_hole(t, &run, err) : give_data(t, &run, in, err);
		if (r < 0)
			return r;
		if (r == TAR_SKIP) {
			t->wanted = false;
			return 0;
		}
	}
	t->wanted = false;
	return t->sink.on_end ? t->sink.on_end(t->sink.ctx, err) : 0;
}

/* An error of the sink's stays like one of the archive's. */
static int sink_failed(struct tar_push *t, int code, struct err *err)
{
	t->core.failed = code;
	if (err)
		t->core.error = *err;
	return code;
}

int tar_push_feed(struct tar_push *t, const void *p, size_t n, struct err *err)
{
	struct str in = { p, n };
	struct err local = { 0 };
	err = err ? err : &local;
	for (;;) {
		int r = t->wanted && !t->core.failed ? give_content(t, &in, err) : 0;
		if (r < 0)
			return sink_failed(t, r, err);
		if (t->wanted && !t->core.failed)
			return 0; /* its content goes on in the next chunk */
		r = core_step(&t->core, &in, err);
		if (r != CORE_ENTRY)
			return r < 0 ? r : 0;
		r = t->sink.on_entry(t->sink.ctx, &t->core.entry, err);
		if (r < 0)
			return sink_failed(t, r, err);
		t->wanted = r == TAR_WANT;
	}
}

int tar_push_finish(struct tar_push *t, struct err *err) { return core_finish(&t->core, err); }

uint64_t tar_push_passable(const struct tar_push *t)
{
	return t->wanted || t->core.failed ? 0 : core_passable(&t->core);
}

void tar_push_pass(struct tar_push *t, uint64_t n)
{
	if (n <= tar_push_passable(t))
		core_pass(&t->core, n);
}

bool tar_push_ended(const struct tar_push *t) { return t->core.state == CORE_END; }
uint64_t tar_push_trailing(const struct tar_push *t) { return t->core.trailing; }
uint64_t tar_push_offset(const struct tar_push *t) { return t->core.offset; }
uint64_t tar_push_paths_too_long(const struct tar_push *t) { return t->core.paths_too_long; }

/* --- names --- */

/* Cuts the last component off what has been written; false where there is none. */
static bool go_up(const char *out, size_t *len)
{
	if (*len == 0)
		return false;
	ptrdiff_t slash = str_rfind((struct str){ out, *len }, '/');
	*len = slash < 0 ? 0 : (size_t)slash;
	return true;
}

static bool go_down(char *out, size_t *len, struct str part)
{
	if (part.len + 1 > TAR_PATH_MAX - *len)
		return false;
	if (*len)
		out[(*len)++] = '/';
	memcpy(out + *len, part.ptr, part.len);
	*len += part.len;
	return true;
}

bool tar_clean_path(struct str path, char *out, struct str *ret)
{
	size_t len = 0;
	if (path.len == 0 || path.len > TAR_PATH_MAX || str_find(path, 0) >= 0)
		return false;
	for (struct str part; str_cut(&path, '/', &part);) {
		if (part.len == 0 || str_eq(part, STR(".")))
			continue;
		if (!(str_eq(part, STR("..")) ? go_up(out, &len) : go_down(out, &len, part)))
			return false;
	}
	*ret = (struct str){ out, len };
	return true;
}
