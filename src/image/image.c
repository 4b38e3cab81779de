/* Opening targets and putting images together: see image.h. */
#include "image/image.h"

#include "base/base.h"
#include "image/fetch.h"
#include "image/session.h"
#include "image/stores.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* --- what is open ------------------------------------------------------------------------------------------------- */

static int open_file(struct image_session *s, struct err *err)
{
	const struct image_target *t = &s->target;
	s->fd = STDIN_FILENO;
	if (t->source == IMAGE_STDIN && isatty(STDIN_FILENO))
		return err_set(err, ERR_USAGE, "standard input is a terminal; pipe an archive into it: docker save app | plimsoll image -");
	if (t->source != IMAGE_STDIN) {
		/* Non-blocking only so that the open of a fifo without a writer says so instead of hanging. */
		s->fd = open(t->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		if (s->fd < 0)
			return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : errno == EACCES ? ERR_ACCESS : ERR_IO, "%m");
	}
	if (fstat(s->fd, &s->st) < 0)
		return err_set(err, ERR_IO, "%m");
	s->file = S_ISREG(s->st.st_mode);
	if (S_ISDIR(s->st.st_mode)) {
		if (t->source != IMAGE_OCI_DIR)
			return err_set(err, ERR_USAGE,
			               "this is a folder; for a layout write oci:%s, for a root file system plimsoll fs %s",
			               t->path, t->path);
		layout_origin(s->arena, s->fd, str_from(t->path), &s->origin);
		s->has_origin = true;
		s->fd = -1;
		return 0;
	}
	if (t->source == IMAGE_OCI_DIR)
		return err_set(err, ERR_USAGE, "this is no folder; for an archive of a layout write oci-archive:%s", t->path);
	if (t->source != IMAGE_STDIN && !s->file)
		return err_set(err, ERR_USAGE, "neither a file nor a folder; pipe it into \"plimsoll image -\"");
	return 0;
}

static int open_target(struct image_session *s, struct err *err)
{
	int rc = 0;
	if (s->target.path || s->target.source == IMAGE_STDIN)
		return open_file(s, err);
	rc = stores_open(s->arena, &s->target, s->options, &s->origin, err);
	s->has_origin = rc == 0;
	if (rc == 0 && s->origin.archive)
		rc = s->origin.archive(s->origin.ctx, &s->fd, &s->filler, err);
	return rc;
}

static void session_close(struct image_session *s)
{
	if (s->fd > 0)
		close(s->fd);
	worker_kill(s->filler);
	if (s->has_origin && s->origin.close)
		s->origin.close(s->origin.ctx);
	s->fd = -1;
	s->filler = NULL;
	s->has_origin = false;
}

/* --- layers ----------------------------------------------------------------------------------------------------- */

static int place_of(struct image_session *s, size_t i, struct layer_place *ret, struct err *err)
{
	if (s->has_origin)
		return s->origin.place(s->origin.ctx, s->arena, &s->desc, i, ret, err);
	if (!s->places[i].found)
		return err_set(err, ERR_FORMAT, "%.*s is not in the archive", STR_ARG(s->desc.layers[i].path));
	*ret = (struct layer_place){
		.kind = PLACE_PART,
		.fd = s->fd,
		.at = s->places[i].offset,
		.end = s->places[i].offset + s->places[i].size,
	};
	return 0;
}

static int job_init(struct image_session *s, size_t i, struct layer_job *j, struct err *err)
{
	*j = (struct layer_job){ .layer = &s->desc.layers[i], .index = i };
	j->place.fd = -1;
	clock_gettime(CLOCK_REALTIME, &j->opened);
	int rc = place_of(s, i, &j->place, err);
	if (rc == 0 && j->place.kind == PLACE_PART && fstat(j->place.fd, &j->st) < 0)
		rc = err_set(err, ERR_IO, "%m");
	return rc < 0 ? (err_wrap(err, "layer %zu of %zu", i + 1, s->desc.layer_count), rc) : 0;
}

static void jobs_close(const struct image_session *s, const struct fetch *f)
{
	for (size_t i = 0; s->has_origin && i < f->job_count; i++)
		if (f->jobs[i].place.kind != PLACE_STREAM && f->jobs[i].place.fd >= 0)
			close(f->jobs[i].place.fd);
}

/* Remember what was hashed now; parts of one archive go into one entry. */
static void remember(const struct fetch *f, bool one_file)
{
	struct arena *ARENA_AUTO tmp = arena_new();
	VEC(struct verified_part) parts = { 0 };
	bool fresh = false;
	for (size_t i = 0; i < f->job_count; i++) {
		const struct layer_job *j = &f->jobs[i];
		struct stat now;
		if (j->place.kind != PLACE_PART)
			continue;
		fresh = fresh || j->verified_at == 0;
		*vec_push(tmp, &parts) = (struct verified_part){ j->place.at, j->place.end - j->place.at, j->digest };
		if (one_file && i + 1 < f->job_count)
			continue;
		if (fresh && fstat(j->place.fd, &now) == 0 && fetch_same_file(&now, &j->st))
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
		ret->layer_sizes[j->index] = fetch_size(j);
		ret->cached_count += j->place.kind == PLACE_STREAM && j->from_cache;
		all_known = all_known && j->verified_at;
		if (oldest == 0 || j->verified_at < oldest)
			oldest = j->verified_at;
	}
	ret->verified_at = all_known ? oldest : 0;
}

static int check_settled(const struct image_session *s, struct err *err)
{
	return s->has_origin && s->origin.settled ? s->origin.settled(s->origin.ctx, err) : 0;
}

static int load_layers(struct image_session *s, struct image *ret, struct err *err)
{
	struct fetch f = {
		.arena = s->arena,
		.options = s->options,
		.session = s,
		.jobs = arena_array(s->arena, s->desc.layer_count, sizeof(struct layer_job)),
	};
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < s->desc.layer_count; i++) {
		if (s->desc.layers[i].unreadable.len)
			continue;
		struct layer_job *j = &f.jobs[f.job_count++];
		rc = job_init(s, i, j, err);
		f.total += fetch_size(j);
	}
	const struct layer_place *top = f.job_count ? &f.jobs[f.job_count - 1].place : NULL;
	if (rc == 0 && s->options->top_folder && top && top->kind == PLACE_FOLDER)
		s->options->top_folder(s->options->top_folder_ctx, top->fd);
	if (rc == 0)
		rc = fetch_layers(&f, err);
	if (rc == 0)
		rc = check_settled(s, err);
	if (rc == 0) {
		remember(&f, !s->has_origin);
		give_layers(&f, ret);
	}
	jobs_close(s, &f);
	return rc;
}

static int load_stream(struct image_session *s, struct image *ret, struct err *err)
{
	for (size_t i = 0; i < s->desc.layer_count; i++) {
		int rc = session_check_stream_layer(s, i, err);
		if (rc < 0)
			return rc;
		ret->layers[i] = s->facts[i];
	}
	return 0;
}

int image_load(struct arena *a, const struct image_target *target, const struct image_options *o, struct image *ret,
               struct err *err)
{
	struct image_session *s = ARENA_NEW(a, struct image_session);
	struct image image = { .session = s };
	*s = (struct image_session){ .arena = a, .options = o, .target = *target, .fd = -1 };
	int rc = open_target(s, err);
	if (rc == 0)
		rc = session_resolve(s, NULL, err);
	if (rc == 0) {
		image.desc = s->desc;
		image.layers = arena_array(a, s->desc.layer_count, sizeof(*image.layers));
		image.layer_sizes = arena_array(a, s->desc.layer_count, sizeof(*image.layer_sizes));
		rc = s->stream ? load_stream(s, &image, err) : load_layers(s, &image, err);
	}
	if (rc < 0) {
		session_close(s);
		return err_wrap(err, "%s", target->path ? target->path : target->name), rc;
	}
	if (s->has_origin && !s->target.path) {
		image.source = s->origin.source;
		image.notes = s->origin.notes;
	}
	*ret = image;
	return 0;
}

void image_close(struct image *image)
{
	if (image->session)
		session_close(image->session);
	image->session = NULL;
}

/* A stream that can be had again (an engine's) is read whole once more. */
static int reload_stream(struct image_session *s, size_t layer, const struct layer_extra *extra, struct layer_facts *ret,
                         struct err *err)
{
	if (!s->has_origin || !s->origin.archive)
		return err_set(err, ERR_UNSUPPORTED, "%s cannot be read twice",
		               s->target.source == IMAGE_STDIN ? "standard input" : "a compressed archive");
	struct image_desc before = s->desc;
	int rc = s->origin.archive(s->origin.ctx, &s->fd, &s->filler, err);
	if (rc == 0)
		rc = session_resolve(s, extra, err);
	if (rc == 0 && (layer >= s->desc.layer_count || !str_eq(s->desc.layers[layer].diff_id, before.layers[layer].diff_id)))
		rc = err_set(err, ERR_FORMAT, "the image changed while it was read");
	if (rc == 0)
		rc = session_check_stream_layer(s, layer, err);
	if (rc == 0)
		*ret = s->facts[layer];
	return rc;
}

int image_reload_layer(struct image *image, size_t layer, const struct layer_extra *extra, struct layer_facts *ret,
                       struct err *err)
{
	struct image_session *s = image->session;
	struct layer_job job;
	if (s->stream)
		return reload_stream(s, layer, extra, ret, err);
	struct fetch f = { .arena = s->arena, .options = s->options, .session = s, .extra = extra, .jobs = &job, .job_count = 1 };
	int rc = job_init(s, layer, &job, err);
	if (rc == 0)
		rc = fetch_layers(&f, err);
	jobs_close(s, &f);
	if (rc == 0)
		rc = check_settled(s, err);
	if (rc == 0)
		*ret = job.facts;
	return rc;
}
