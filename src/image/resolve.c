/* The parent's side of finding out which image and which layers: starts the worker that reads manifests, hands it the
 * documents that it asks for, and takes its description as hostile. See session.h. */
#include "base/base.h"
#include "image/session.h"

#include <poll.h>
#include <unistd.h>

/* How long the worker at the other end of a broken pipe has to say why. */
#define FILLER_WORDS_MS 500

int image_take_error(struct str payload, struct err *err)
{
	struct reader r = reader_of(payload);
	uint64_t code = read_varint(&r);
	struct str text = read_str(&r);
	if (r.bad || code == 0 || code > 64)
		return err_set(err, ERR_WORKER, "an error that cannot be read");
	return err_set(err, -(int)code, "%.*s", STR_ARG(text));
}

static int answer_document(struct image_session *s, struct worker *w, struct str name, struct err *err)
{
	struct arena *ARENA_AUTO tmp = arena_new();
	struct buf BUF_AUTO b = { 0 };
	struct str text = { 0 };
	struct err why = { 0 };
	int rc = s->origin.read(s->origin.ctx, tmp, name, MANIFEST_SIZE_MAX, &text, &why);
	buf_init(&b, MANIFEST_SIZE_MAX + 4096);
	buf_varint(&b, (uint64_t)-rc);
	buf_put(&b, rc < 0 ? str_from(why.text) : text);
	return worker_send(w, FRAME_FILE, buf_view(&b), err);
}

static int take_desc(struct image_session *s, struct str payload, struct err *err)
{
	struct reader rd = reader_of(str_dup(s->arena, payload));
	s->stream = read_u8(&rd) == 1;
	image_desc_decode(s->arena, &rd, &s->desc);
	size_t n = s->desc.layer_count;
	s->places = arena_array(s->arena, n, sizeof(*s->places));
	s->facts = arena_array(s->arena, n, sizeof(*s->facts));
	s->why_not = arena_array(s->arena, n, sizeof(*s->why_not));
	for (size_t i = 0; s->file && !s->stream && i < n; i++) {
		struct archive_place *p = &s->places[i];
		p->found = read_u8(&rd) == 1;
		p->offset = read_u64le(&rd);
		p->size = read_u64le(&rd);
		uint64_t end = (uint64_t)s->st.st_size;
		if (p->offset > end || p->size > end - p->offset)
			rd.bad = true;
	}
	if (rd.bad || s->have_desc || (s->stream && s->has_origin && !s->origin.archive))
		return err_set(err, ERR_WORKER, "the image's description cannot be read");
	s->have_desc = true;
	return 0;
}

static int take_facts(struct image_session *s, struct str payload, struct err *err)
{
	struct reader rd = reader_of(str_dup(s->arena, payload));
	uint64_t index = read_varint(&rd);
	if (!s->have_desc || index != s->facts_taken || index >= s->desc.layer_count)
		return err_set(err, ERR_WORKER, "a layer out of turn");
	s->why_not[index] = read_str(&rd);
	layer_facts_decode(s->arena, &rd, &s->facts[index]);
	if (rd.bad)
		return err_set(err, ERR_WORKER, "a layer's facts cannot be read");
	s->facts_taken++;
	return 0;
}

static int take_frame(struct image_session *s, struct worker *w, const struct frame *f, struct err *err)
{
	struct reader rd = reader_of(f->payload);
	switch (f->type) {
	case FRAME_WANT_FILE:
		if (!s->has_origin || !s->origin.read)
			break;
		return answer_document(s, w, f->payload, err);
	case FRAME_DESC:
		return take_desc(s, f->payload, err);
	case FRAME_FACTS:
		return take_facts(s, f->payload, err);
	case FRAME_PROGRESS:
		if (s->options->progress)
			s->options->progress(s->options->progress_ctx, read_varint(&rd), 0);
		return 0;
	case FRAME_ERROR:
		return image_take_error(f->payload, err);
	default:
		break;
	}
	return err_set(err, ERR_WORKER, "a frame out of turn");
}

void filler_words(struct worker *filler, struct err *err)
{
	struct err why = { 0 };
	struct frame f;
	if (!filler)
		return;
	struct pollfd p = { .fd = worker_fd(filler), .events = POLLIN };
	while (poll(&p, 1, FILLER_WORDS_MS) > 0 && worker_recv(filler, FRAME_SIZE_MAX, &f, &why) > 0)
		if (f.type == FRAME_ERROR) {
			(void)image_take_error(f.payload, err);
			break;
		}
	worker_kill(filler);
}

/* The stream's worker must have ended well, or what came of it is not the whole. */
static int finish_filler(struct image_session *s, int rc, struct err *err)
{
	struct worker *filler = s->filler;
	struct frame f;
	s->filler = NULL;
	if (s->has_origin && s->fd >= 0) {
		close(s->fd);
		s->fd = -1;
	}
	if (!filler)
		return rc;
	if (rc < 0) {
		filler_words(filler, err);
		return err && err->code ? err->code : rc;
	}
	while ((rc = worker_recv(filler, FRAME_SIZE_MAX, &f, err)) > 0)
		if (f.type == FRAME_ERROR) {
			rc = image_take_error(f.payload, err);
			break;
		}
	if (rc < 0) {
		worker_kill(filler);
		return rc;
	}
	return worker_finish(filler, err);
}

static int start_resolver(struct image_session *s, const struct layer_extra *extra, struct worker **ret, struct err *err)
{
	bool documents = s->has_origin && !s->origin.archive;
	struct image_order order = {
		.fd = documents ? -1 : s->fd,
		.end = s->file ? (uint64_t)s->st.st_size : 0,
		.seekable = s->file,
		.choice = { .reference = s->has_origin && !s->target.path ? s->origin.reference : s->target.reference,
		            .platform = s->options->platform,
		            .prefer_oci = s->target.source == IMAGE_OCI_DIR || s->target.source == IMAGE_OCI_ARCHIVE },
		.resolve = documents ? s->origin.resolve : NULL,
		.collector = s->options->collector,
	};
	if (extra)
		order.extra = *extra;
	struct worker_spec spec = {
		.name = "manifest",
		.kind = WORKER_BYTES,
		.run = image_run_resolve,
		.arg = &order,
		.prepare = image_order_prepare,
		.thread = image_order_thread,
		.fds = { order.fd },
		.fd_count = order.fd >= 0 ? 1 : 0,
		.root_fd = -1,
		.input_size = order.end,
	};
	return worker_start(&spec, ret, err);
}

static int talk(struct image_session *s, struct worker *w, struct err *err)
{
	struct frame f;
	unsigned documents = 0;
	int rc;
	while ((rc = worker_recv(w, FRAME_SIZE_MAX, &f, err)) > 0) {
		rc = take_frame(s, w, &f, err);
		if (rc == 0 && f.type == FRAME_WANT_FILE && ++documents > 4 * ARCHIVE_IMAGES_MAX)
			rc = err_set(err, ERR_LIMIT, "the image asks for too many documents");
		if (rc < 0)
			break;
	}
	if (rc < 0) {
		worker_kill(w);
		return rc;
	}
	rc = worker_finish(w, err);
	if (rc == 0 && (!s->have_desc || (s->stream && s->facts_taken != s->desc.layer_count)))
		rc = err_set(err, ERR_WORKER, "the worker ended without an answer");
	return rc;
}

int session_resolve(struct image_session *s, const struct layer_extra *extra, struct err *err)
{
	struct worker *w;
	s->have_desc = false;
	s->facts_taken = 0;
	int rc = start_resolver(s, extra, &w, err);
	if (rc == 0)
		rc = talk(s, w, err);
	rc = finish_filler(s, rc, err);
	if (rc == 0 && s->has_origin && s->origin.complete)
		rc = s->origin.complete(s->origin.ctx, s->arena, &s->desc, err);
	if (rc == 0 && s->desc.layer_count > LAYER_COUNT_MAX)
		rc = err_set(err, ERR_LIMIT, "%zu layers, over LAYER_COUNT_MAX (%u)", s->desc.layer_count, LAYER_COUNT_MAX);
	return rc;
}

int session_check_stream_layer(const struct image_session *s, size_t i, struct err *err)
{
	const struct image_layer *l = &s->desc.layers[i];
	const struct layer_facts *f = &s->facts[i];
	struct sha256 claimed;
	char text[DIGEST_TEXT_LEN + 1];
	const struct sha256 *diff_id = f->plain ? &f->stored : &f->diff_id;
	if (l->unreadable.len)
		return 0;
	if (s->why_not[i].len)
		return err_set(err, ERR_FORMAT, "layer %zu of %zu: %.*s", i + 1, s->desc.layer_count, STR_ARG(s->why_not[i]));
	if (sha256_parse(l->digest, &claimed) && !sha256_eq(&claimed, &f->stored))
		return err_set(err, ERR_DIGEST, "layer %zu of %zu: its content has another digest than the manifest says: %.*s",
		               i + 1, s->desc.layer_count, STR_ARG(sha256_text(&f->stored, text)));
	if (!sha256_parse(l->diff_id, &claimed) || !sha256_eq(&claimed, diff_id))
		return err_set(err, ERR_DIGEST, "layer %zu of %zu: its tar has another digest than the config's diff ID: %.*s",
		               i + 1, s->desc.layer_count, STR_ARG(sha256_text(diff_id, text)));
	return 0;
}
