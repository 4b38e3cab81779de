/* Opening targets and putting images together: see image.h. */
#include "image/image.h"

#include "base/base.h"
#include "base/fs.h"
#include "image/fetch.h"
#include "image/frames.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* What is open while an image is read. */
struct opened {
	int fd;     /* archive, layout folder or standard input */
	bool folder;
	bool file;  /* a regular file: parts can be read by offset */
	struct stat st;
};

int image_take_error(struct str payload, struct err *err)
{
	struct reader r = reader_of(payload);
	uint64_t code = read_varint(&r);
	struct str text = read_str(&r);
	if (r.bad || code == 0 || code > 64)
		return err_set(err, ERR_WORKER, "an error that cannot be read");
	return err_set(err, -(int)code, "%.*s", STR_ARG(text));
}

static void close_p(const int *fd)
{
	if (*fd > 0)
		close(*fd);
}
#define FD_AUTO __attribute__((cleanup(close_p)))

static int open_target(const struct image_target *t, struct opened *ret, struct err *err)
{
	struct opened o = { .fd = STDIN_FILENO };
	if (t->source != IMAGE_STDIN) {
		o.fd = open(t->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		if (o.fd < 0)
			return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %m", t->path);
	}
	if (fstat(o.fd, &o.st) < 0)
		return err_set(err, ERR_IO, "%s: %m", t->path ? t->path : "standard input");
	o.folder = S_ISDIR(o.st.st_mode);
	o.file = S_ISREG(o.st.st_mode);
	/* Non-blocking only so that the open of a fifo without a writer says so instead of hanging. */
	if (t->source != IMAGE_STDIN && !o.folder && !o.file) {
		close(o.fd);
		return err_set(err, ERR_USAGE, "%s: neither a file nor a folder; pipe it into \"plimsoll image -\"", t->path);
	}
	if (o.folder && t->source != IMAGE_OCI_DIR) {
		close(o.fd);
		return err_set(err, ERR_USAGE, "%s is a folder; for a layout write oci:%s, for a root file system plimsoll fs %s",
		               t->path, t->path, t->path);
	}
	*ret = o;
	return 0;
}

/* --- which image ------------------------------------------------------------------------------------------------ */

/* Names that a layout folder may be asked for; a worker's word is not believed further. */
static bool layout_path_ok(struct str path)
{
	static const char *const roots[] = { "index.json", "manifest.json", "oci-layout" };
	for (size_t i = 0; i < COUNT_OF(roots); i++)
		if (str_eq(path, str_from(roots[i])))
			return true;
	if (!str_skip(&path, STR("blobs/sha256/")) || path.len != 64)
		return false;
	for (size_t i = 0; i < path.len; i++)
		if (!ascii_hex(path.ptr[i]))
			return false;
	return true;
}

static int read_layout_file(int folder, struct arena *a, struct str path, struct str *ret, struct err *err)
{
	int fd;
	if (!layout_path_ok(path))
		return err_set(err, ERR_FORMAT, "\"%.*s\" is no name of a layout", STR_ARG(path));
	int rc = tree_open(folder, path, false, &fd, err);
	if (rc < 0)
		return rc;
	rc = fs_read_fd(a, fd, MANIFEST_SIZE_MAX, ret, err);
	close(fd);
	return rc < 0 ? (err_wrap(err, "%.*s", STR_ARG(path)), rc) : 0;
}

static int answer_file(struct worker *w, int folder, struct str path, struct err *err)
{
	struct arena *ARENA_AUTO tmp = arena_new();
	struct buf BUF_AUTO b;
	struct str text = { 0 };
	struct err why = { 0 };
	int rc = read_layout_file(folder, tmp, path, &text, &why);
	buf_init(&b, MANIFEST_SIZE_MAX + 4096);
	buf_varint(&b, (uint64_t)-rc);
	buf_put(&b, rc < 0 ? str_from(why.text) : text);
	return worker_send(w, FRAME_FILE, buf_view(&b), err);
}

/* Frames until the description comes; then the places of layers (archives) or their facts (streams). */
struct resolution {
	struct arena *arena;
	const struct opened *opened;
	const struct image_options *options;
	struct image_desc desc;
	bool have_desc, stream;
	struct { bool found; uint64_t offset, size; } *places;
	struct layer_facts *facts; /* streams */
	struct str *why_not;
	size_t facts_taken;
	uint64_t stored;
};

static int take_desc(struct resolution *r, struct str payload, struct err *err)
{
	struct reader rd = reader_of(str_dup(r->arena, payload));
	r->stream = read_u8(&rd) == 1;
	image_desc_decode(r->arena, &rd, &r->desc);
	size_t n = r->desc.layer_count;
	r->places = arena_array(r->arena, n, sizeof(*r->places));
	r->facts = arena_array(r->arena, n, sizeof(*r->facts));
	r->why_not = arena_array(r->arena, n, sizeof(*r->why_not));
	for (size_t i = 0; r->opened->file && !r->stream && i < n; i++) {
		r->places[i].found = read_u8(&rd) == 1;
		r->places[i].offset = read_u64le(&rd);
		r->places[i].size = read_u64le(&rd);
		uint64_t end = (uint64_t)r->opened->st.st_size;
		if (r->places[i].offset > end || r->places[i].size > end - r->places[i].offset)
			rd.bad = true;
	}
	if (rd.bad || r->have_desc)
		return err_set(err, ERR_WORKER, "the image's description cannot be read");
	r->have_desc = true;
	return 0;
}

static int take_facts(struct resolution *r, struct str payload, struct err *err)
{
	struct reader rd = reader_of(str_dup(r->arena, payload));
	uint64_t index = read_varint(&rd);
	if (!r->have_desc || index != r->facts_taken || index >= r->desc.layer_count)
		return err_set(err, ERR_WORKER, "a layer out of turn");
	r->why_not[index] = read_str(&rd);
	layer_facts_decode(r->arena, &rd, &r->facts[index]);
	if (rd.bad)
		return err_set(err, ERR_WORKER, "a layer's facts cannot be read");
	r->facts_taken++;
	return 0;
}

static int resolve_frame(struct resolution *r, struct worker *w, const struct frame *f, struct err *err)
{
	struct reader rd = reader_of(f->payload);
	switch (f->type) {
	case FRAME_WANT_FILE:
		if (!r->opened->folder)
			break;
		return answer_file(w, r->opened->fd, f->payload, err);
	case FRAME_DESC:
		return take_desc(r, f->payload, err);
	case FRAME_FACTS:
		return take_facts(r, f->payload, err);
	case FRAME_PROGRESS:
		if (r->options->progress)
			r->options->progress(r->options->progress_ctx, read_varint(&rd), 0);
		return 0;
	case FRAME_ERROR:
		return image_take_error(f->payload, err);
	default:
		break;
	}
	return err_set(err, ERR_WORKER, "a frame out of turn");
}

static int resolve(struct resolution *r, const struct image_target *t, struct err *err)
{
	struct image_order order = {
		.fd = r->opened->folder ? -1 : r->opened->fd,
		.end = r->opened->file ? (uint64_t)r->opened->st.st_size : 0,
		.seekable = r->opened->file,
		.choice = { .reference = t->reference,
		            .platform = r->options->platform,
		            .prefer_oci = t->source == IMAGE_OCI_DIR || t->source == IMAGE_OCI_ARCHIVE },
		.collector = r->options->collector,
	};
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
	struct worker *w;
	struct frame f;
	unsigned frames = 0;
	int rc = worker_start(&spec, &w, err);
	if (rc < 0)
		return rc;
	while ((rc = worker_recv(w, FRAME_SIZE_MAX, &f, err)) > 0)
		if ((rc = resolve_frame(r, w, &f, err)) < 0 ||
		    (f.type == FRAME_WANT_FILE && ++frames > 4 * ARCHIVE_IMAGES_MAX &&
		     (rc = err_set(err, ERR_LIMIT, "the layout asks for too many files")) < 0))
			break;
	if (rc < 0) {
		worker_kill(w);
		return rc;
	}
	rc = worker_finish(w, err);
	if (rc == 0 && (!r->have_desc || (r->stream && r->facts_taken != r->desc.layer_count)))
		rc = err_set(err, ERR_WORKER, "the worker ended without an answer");
	return rc;
}

/* --- layers ----------------------------------------------------------------------------------------------------- */

static int check_stream_layer(const struct resolution *r, size_t i, struct err *err)
{
	const struct image_layer *l = &r->desc.layers[i];
	const struct layer_facts *f = &r->facts[i];
	struct sha256 claimed;
	char text[DIGEST_TEXT_LEN + 1];
	const struct sha256 *diff_id = f->plain ? &f->stored : &f->diff_id;
	if (l->unreadable.len)
		return 0;
	if (r->why_not[i].len)
		return err_set(err, ERR_FORMAT, "layer %zu of %zu: %.*s", i + 1, r->desc.layer_count, STR_ARG(r->why_not[i]));
	if (sha256_parse(l->digest, &claimed) && !sha256_eq(&claimed, &f->stored))
		return err_set(err, ERR_DIGEST, "layer %zu of %zu: its content has another digest than the manifest says: %.*s",
		               i + 1, r->desc.layer_count, STR_ARG(sha256_text(&f->stored, text)));
	if (!sha256_parse(l->diff_id, &claimed) || !sha256_eq(&claimed, diff_id))
		return err_set(err, ERR_DIGEST, "layer %zu of %zu: its tar has another digest than the config's diff ID: %.*s",
		               i + 1, r->desc.layer_count, STR_ARG(sha256_text(diff_id, text)));
	return 0;
}

static int open_blob(const struct resolution *r, size_t i, struct layer_job *j, struct err *err)
{
	const struct image_layer *l = &r->desc.layers[i];
	j->layer = l;
	j->index = i;
	clock_gettime(CLOCK_REALTIME, &j->opened);
	if (!r->opened->folder) {
		if (!r->places[i].found)
			return err_set(err, ERR_FORMAT, "layer %zu, %.*s, is not in the archive", i + 1, STR_ARG(l->path));
		j->fd = r->opened->fd;
		j->st = r->opened->st;
		j->at = r->places[i].offset;
		j->end = j->at + r->places[i].size;
		return 0;
	}
	if (!layout_path_ok(l->path))
		return err_set(err, ERR_FORMAT, "layer %zu has an impossible name", i + 1);
	int rc = tree_open(r->opened->fd, l->path, false, &j->fd, err);
	if (rc < 0)
		return err_wrap(err, "layer %zu", i + 1), rc;
	if (fstat(j->fd, &j->st) < 0)
		return err_set(err, ERR_IO, "layer %zu: %m", i + 1);
	j->end = (uint64_t)j->st.st_size;
	return 0;
}

/* Remember what was hashed now; parts of one archive go into one entry. */
static void remember(const struct fetch *f, bool folder)
{
	struct arena *ARENA_AUTO tmp = arena_new();
	VEC(struct verified_part) parts = { 0 };
	bool fresh = false;
	for (size_t i = 0; i < f->job_count; i++) {
		const struct layer_job *j = &f->jobs[i];
		struct stat now;
		fresh = fresh || j->verified_at == 0;
		*vec_push(tmp, &parts) = (struct verified_part){ j->at, j->end - j->at, j->digest };
		if (!folder && i + 1 < f->job_count)
			continue;
		if (fresh && fstat(j->fd, &now) == 0 && fetch_same_file(&now, &j->st))
			cache_verified_put(f->options->cache, &j->st, parts.ptr, parts.len, f->options->now);
		parts.len = 0;
		fresh = false;
	}
}

static void give_layers(const struct fetch *f, struct image *ret)
{
	bool all_known = f->job_count > 0;
	int64_t oldest = 0;
	for (size_t i = 0; i < f->job_count; i++) {
		const struct layer_job *j = &f->jobs[i];
		ret->layers[j->index] = j->facts;
		ret->layer_sizes[j->index] = j->end - j->at;
		all_known = all_known && j->verified_at;
		if (oldest == 0 || j->verified_at < oldest)
			oldest = j->verified_at;
	}
	ret->verified_at = all_known ? oldest : 0;
}

static int load_layers(const struct resolution *r, struct image *ret, struct err *err)
{
	struct fetch f = {
		.arena = r->arena,
		.options = r->options,
		.jobs = arena_array(r->arena, r->desc.layer_count, sizeof(struct layer_job)),
		.layer_count = r->desc.layer_count,
	};
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < r->desc.layer_count; i++) {
		if (r->desc.layers[i].unreadable.len)
			continue;
		struct layer_job *j = &f.jobs[f.job_count];
		j->fd = -1;
		rc = open_blob(r, i, j, err);
		f.job_count++;
		f.total += j->end - j->at;
	}
	if (rc == 0)
		rc = fetch_layers(&f, err);
	if (rc == 0) {
		remember(&f, r->opened->folder);
		give_layers(&f, ret);
	}
	for (size_t i = 0; r->opened->folder && i < f.job_count; i++)
		close_p(&f.jobs[i].fd);
	return rc;
}

int image_load(struct arena *a, const struct image_target *target, const struct image_options *o, struct image *ret,
               struct err *err)
{
	struct opened opened;
	struct image image = { 0 };
	int rc = open_target(target, &opened, err);
	if (rc < 0)
		return rc;
	struct resolution r = { .arena = a, .opened = &opened, .options = o };
	rc = resolve(&r, target, err);
	image.desc = r.desc;
	image.layers = arena_array(a, r.desc.layer_count, sizeof(*image.layers));
	image.layer_sizes = arena_array(a, r.desc.layer_count, sizeof(*image.layer_sizes));
	for (size_t i = 0; rc == 0 && r.stream && i < r.desc.layer_count; i++) {
		rc = check_stream_layer(&r, i, err);
		image.layers[i] = r.facts[i];
	}
	if (rc == 0 && !r.stream)
		rc = load_layers(&r, &image, err);
	close_p(&opened.fd);
	if (rc < 0)
		return err_wrap(err, "%s", target->path ? target->path : "standard input"), rc;
	*ret = image;
	return 0;
}

int image_reload_layer(struct arena *a, const struct image_target *target, const struct image_options *o,
                       const struct image *image, size_t layer, const struct layer_extra *extra,
                       struct layer_facts *ret, struct err *err)
{
	struct opened opened;
	if (target->source == IMAGE_STDIN)
		return err_set(err, ERR_UNSUPPORTED, "standard input cannot be read twice");
	int rc = open_target(target, &opened, err);
	if (rc < 0)
		return rc;
	struct resolution r = { .arena = a, .opened = &opened, .options = o };
	rc = resolve(&r, target, err);
	if (rc == 0 && r.stream)
		rc = err_set(err, ERR_UNSUPPORTED, "a compressed archive is not read twice");
	if (rc == 0 && (layer >= r.desc.layer_count || !str_eq(r.desc.layers[layer].diff_id, image->desc.layers[layer].diff_id)))
		rc = err_set(err, ERR_FORMAT, "the image changed while it was read");
	struct layer_job job = { .fd = -1 };
	struct fetch f = { .arena = a, .options = o, .extra = extra, .jobs = &job, .job_count = 1,
		           .layer_count = r.desc.layer_count };
	if (rc == 0)
		rc = open_blob(&r, layer, &job, err);
	if (rc == 0)
		rc = fetch_layers(&f, err);
	if (opened.folder)
		close_p(&job.fd);
	close_p(&opened.fd);
	if (rc == 0)
		*ret = job.facts;
	return rc;
}
