/* Questions to containerd's bolt files: see containerd.h. Runs in a bytes worker on files whose texts (image names, labels
 * of containers) strangers have chosen; walks them through base/bolt alone, keeps copies, sends what fits the question. */
#include "image/containerd.h"

#include "base/base.h"
#include "base/bolt.h"

#define ID_PREFIX_MIN 6u
#define DIGEST_PREFIX_MIN 12u

enum { KIND_COMMITTED = 3 };

const struct containerd_snapshotter containerd_snapshotters[SNAPSHOTTER_COUNT] = {
	[SNAPSHOTTER_OVERLAYFS] = { "overlayfs", "io.containerd.snapshotter.v1.overlayfs/metadata.db",
	                            "io.containerd.snapshotter.v1.overlayfs/snapshots/", "/fs", FOLDER_OVERLAY },
	[SNAPSHOTTER_NATIVE] = { "native", "io.containerd.snapshotter.v1.native/metadata.db",
	                         "io.containerd.snapshotter.v1.native/snapshots/", "", FOLDER_WHOLE },
};

/* What is found out about one snapshot, in all snapshotters. */
struct trace {
	struct containerd_snapshot is;
	struct str names[SNAPSHOTTER_COUNT]; /* in the snapshotter's own database */
};

struct query {
	struct arena *arena; /* for what outlives one run */
	const struct containerd_question *question;
	struct bolt *bolt;
	struct str space; /* the namespace that is being walked */
	const struct bolt_bucket *space_bucket;
	VEC(struct containerd_image) images;
	VEC(struct containerd_container) containers;
	VEC(struct str) created; /* of the containers */
	VEC(struct trace) traces;
	struct buf spaces;
	bool by_parents; /* traces are a container's, top first */
	int which;       /* snapshotter, while its database is read */
};

/* --- names ------------------------------------------------------------------------------------------------------ */

static bool all_hex(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_hex(s.ptr[i]))
			return false;
	return true;
}

/* "repo:tag@sha256:...", "repo:tag" -> "repo". */
static struct str repository(struct str reference)
{
	ptrdiff_t at = str_find(reference, '@');
	if (at >= 0)
		reference = str_sub(reference, 0, (size_t)at);
	ptrdiff_t colon = str_rfind(reference, ':'), slash = str_rfind(reference, '/');
	return colon > slash ? str_sub(reference, 0, (size_t)colon) : reference;
}

/* Without a tag of its own a short name would be taken for a tag. */
static bool same_name(struct arena *a, struct str wanted, struct str name)
{
	if (str_find(wanted, '/') < 0 && str_find(wanted, ':') < 0)
		wanted = arena_printf(a, "%.*s:latest", STR_ARG(wanted));
	return image_reference_matches(a, wanted, name);
}

enum containerd_fit containerd_image_fit(struct arena *a, struct str wanted, struct str name, struct str digest)
{
	struct str hex = wanted, name_hex = name;
	ptrdiff_t at = str_find(wanted, '@');
	if (wanted.len == 0 || str_eq(wanted, name))
		return FIT_NAME;
	bool marked = str_skip(&hex, STR("sha256:"));
	if (hex.len >= DIGEST_PREFIX_MIN && hex.len <= 64 && all_hex(hex)) {
		enum containerd_fit fit = hex.len == 64 ? FIT_DIGEST : FIT_PREFIX;
		(void)str_skip(&digest, STR("sha256:"));
		/* The CRI plugin keeps an image also under its config's digest, which is its id there. */
		if (str_starts(digest, hex) || (str_skip(&name_hex, STR("sha256:")) && str_starts(name_hex, hex)))
			return fit;
	}
	if (marked)
		return FIT_NONE;
	if (at >= 0)
		return str_eq(str_sub(wanted, (size_t)at + 1, wanted.len), digest) &&
		                       same_name(a, repository(wanted), repository(name))
		               ? FIT_DIGEST
		               : FIT_NONE;
	return same_name(a, wanted, name) ? FIT_SHORT_NAME : FIT_NONE;
}

/* --- images ----------------------------------------------------------------------------------------------------- */

static int read_target(struct query *q, const struct bolt_bucket *image, struct str *ret_digest, struct str *ret_media,
                       struct err *err)
{
	struct bolt_bucket target;
	int rc = bolt_enter(q->bolt, image, STR("target"), &target, err);
	if (rc <= 0 || (rc = bolt_find(q->bolt, &target, STR("digest"), ret_digest, err)) <= 0)
		return rc;
	rc = bolt_find(q->bolt, &target, STR("mediatype"), ret_media, err);
	return rc < 0 ? rc : 1;
}

static int visit_image(void *ctx, struct str name, struct str value, const struct bolt_bucket *bucket, struct err *err)
{
	struct query *q = ctx;
	struct str digest = { 0 }, media = { 0 };
	(void)value;
	if (!bucket)
		return 0;
	int rc = read_target(q, bucket, &digest, &media, err);
	if (rc <= 0)
		return rc;
	enum containerd_fit fit = containerd_image_fit(bolt_arena(q->bolt), q->question->wanted, name, digest);
	if (fit == FIT_NONE)
		return 0;
	if (q->images.len >= CONTAINERD_RECORDS_MAX)
		return err_set(err, ERR_LIMIT, "more images than CONTAINERD_RECORDS_MAX (%u)", CONTAINERD_RECORDS_MAX);
	*vec_push(q->arena, &q->images) = (struct containerd_image){
		.space = q->space,
		.name = str_dup(q->arena, name),
		.digest = str_dup(q->arena, digest),
		.media = str_dup(q->arena, media),
		.fit = fit,
	};
	return 0;
}

/* --- containers ------------------------------------------------------------------------------------------------- */

static int read_text(struct query *q, const struct bolt_bucket *in, struct str key, struct str *ret, struct err *err)
{
	struct str text = { 0 };
	int rc = bolt_find(q->bolt, in, key, &text, err);
	*ret = str_dup(q->arena, text);
	return rc < 0 ? rc : 0;
}

struct labels {
	struct str nerdctl, name, pod, space;
};

static int read_labels(struct query *q, const struct bolt_bucket *container, struct labels *ret, struct err *err)
{
	struct bolt_bucket labels;
	*ret = (struct labels){ 0 };
	int rc = bolt_enter(q->bolt, container, STR("labels"), &labels, err);
	if (rc <= 0)
		return rc;
	if ((rc = read_text(q, &labels, STR("nerdctl/name"), &ret->nerdctl, err)) < 0 ||
	    (rc = read_text(q, &labels, STR("io.kubernetes.container.name"), &ret->name, err)) < 0 ||
	    (rc = read_text(q, &labels, STR("io.kubernetes.pod.name"), &ret->pod, err)) < 0)
		return rc;
	return read_text(q, &labels, STR("io.kubernetes.pod.namespace"), &ret->space, err);
}

static enum containerd_fit container_fit(struct query *q, struct str id, const struct labels *l)
{
	struct str wanted = q->question->wanted;
	struct arena *a = bolt_arena(q->bolt);
	if (wanted.len == 0 || str_eq(wanted, id) || str_eq(wanted, l->nerdctl))
		return FIT_NAME;
	if (l->name.len && (str_eq(wanted, arena_printf(a, "%.*s/%.*s", STR_ARG(l->pod), STR_ARG(l->name))) ||
	                    str_eq(wanted, arena_printf(a, "%.*s/%.*s/%.*s", STR_ARG(l->space), STR_ARG(l->pod), STR_ARG(l->name)))))
		return FIT_NAME;
	if (str_eq(wanted, l->name))
		return FIT_SHORT_NAME;
	return wanted.len >= ID_PREFIX_MIN && str_starts(id, wanted) ? FIT_PREFIX : FIT_NONE;
}

/* A pod's container that was started again: the newest record is the one that is meant. Times are Go's binary form, a
 * version and big-endian numbers, and sort as bytes. */
static bool replaces_older(struct query *q, const struct containerd_container *c, struct str created)
{
	for (size_t i = 0; c->title.len && i < q->containers.len; i++) {
		struct containerd_container *other = &q->containers.ptr[i];
		if (!str_eq(other->space, c->space) || !str_eq(other->title, c->title) || other->fit != c->fit)
			continue;
		if (str_cmp(q->created.ptr[i], created) < 0) {
			*other = *c;
			q->created.ptr[i] = created;
		}
		return true;
	}
	return false;
}

static int visit_container(void *ctx, struct str id, struct str value, const struct bolt_bucket *bucket, struct err *err)
{
	struct query *q = ctx;
	struct labels l;
	struct str created;
	(void)value;
	if (!bucket)
		return 0;
	int rc = read_labels(q, bucket, &l, err);
	if (rc < 0)
		return rc;
	struct containerd_container c = { .space = q->space, .id = str_dup(q->arena, id), .fit = container_fit(q, id, &l) };
	if (c.fit == FIT_NONE)
		return 0;
	if (q->containers.len >= CONTAINERD_RECORDS_MAX)
		return err_set(err, ERR_LIMIT, "more containers than CONTAINERD_RECORDS_MAX (%u)", CONTAINERD_RECORDS_MAX);
	if (l.name.len)
		c.title = arena_printf(q->arena, "%.*s/%.*s/%.*s", STR_ARG(l.space), STR_ARG(l.pod), STR_ARG(l.name));
	if ((rc = read_text(q, bucket, STR("createdat"), &created, err)) < 0)
		return rc;
	/* An id names one record; only names can be a restarted container's. */
	if (!str_eq(q->question->wanted, id) && c.fit != FIT_PREFIX && replaces_older(q, &c, created))
		return 0;
	*vec_push(q->arena, &q->containers) = c;
	*vec_push(q->arena, &q->created) = created;
	return 0;
}

/* --- snapshots -------------------------------------------------------------------------------------------------- */

static int snapshotter_index(struct str name)
{
	for (int i = 0; i < SNAPSHOTTER_COUNT; i++)
		if (str_eq(name, str_from(containerd_snapshotters[i].name)))
			return i;
	return -1;
}

static int visit_snapshotter(void *ctx, struct str name, struct str value, const struct bolt_bucket *bucket,
                             struct err *err)
{
	struct query *q = ctx;
	int which = snapshotter_index(name), rc = 0;
	(void)value;
	for (size_t i = 0; bucket && rc >= 0 && i < q->traces.len; i++) {
		struct trace *t = &q->traces.ptr[i];
		struct bolt_bucket snapshot;
		rc = bolt_enter(q->bolt, bucket, t->is.key, &snapshot, err);
		if (rc > 0 && which >= 0)
			rc = read_text(q, &snapshot, STR("name"), &t->names[which], err);
		else if (rc > 0)
			t->is.elsewhere = str_dup(q->arena, name);
	}
	return rc < 0 ? rc : 0;
}

/* The names that the keys have in the snapshotters' own databases. */
static int trace_keys(struct query *q, struct err *err)
{
	struct bolt_bucket snapshots;
	q->traces.len = 0;
	for (size_t i = 0; i < q->question->key_count; i++)
		*vec_push(q->arena, &q->traces) = (struct trace){ .is.key = q->question->keys[i].key };
	int rc = bolt_enter(q->bolt, q->space_bucket, STR("snapshots"), &snapshots, err);
	return rc <= 0 ? rc : bolt_each(q->bolt, &snapshots, visit_snapshotter, q, err);
}

/* A container's snapshot and all below it, as meta.db tells of parents. */
static int trace_chain(struct query *q, const struct bolt_bucket *space, const struct containerd_container *c,
                       struct err *err)
{
	const struct str way[] = { STR("snapshots"), c->snapshotter };
	struct bolt_bucket snapshots, snapshot;
	int which = snapshotter_index(c->snapshotter);
	struct str key;
	int rc = bolt_enter_path(q->bolt, space, way, COUNT_OF(way), &snapshots, err);
	if (rc <= 0)
		return rc;
	for (key = c->chain[0].key; key.len;) {
		struct trace t = { .is.key = key };
		if (q->traces.len > LAYER_COUNT_MAX)
			return err_set(err, ERR_LIMIT, "snapshots lie on more than LAYER_COUNT_MAX (%u) others", LAYER_COUNT_MAX);
		if ((rc = bolt_enter(q->bolt, &snapshots, key, &snapshot, err)) <= 0)
			return rc;
		if (which < 0)
			t.is.elsewhere = c->snapshotter;
		else if ((rc = read_text(q, &snapshot, STR("name"), &t.names[which], err)) < 0)
			return rc;
		*vec_push(q->arena, &q->traces) = t;
		if ((rc = read_text(q, &snapshot, STR("parent"), &key, err)) < 0)
			return rc;
	}
	return 0;
}

/* --- walking meta.db -------------------------------------------------------------------------------------------- */

static int visit_space(void *ctx, struct str name, struct str value, const struct bolt_bucket *bucket, struct err *err)
{
	struct query *q = ctx;
	struct bolt_bucket list;
	(void)value;
	if (!bucket || (q->question->space.len && !str_eq(q->question->space, name)))
		return 0;
	(void)buf_printf(&q->spaces, "%s%.*s", q->spaces.len ? ", " : "", STR_ARG(name));
	q->space = str_dup(q->arena, name);
	q->space_bucket = bucket;
	if (q->question->ask == ASK_SNAPSHOTS)
		return trace_keys(q, err);
	bool images = q->question->ask == ASK_IMAGES;
	int rc = bolt_enter(q->bolt, bucket, images ? STR("images") : STR("containers"), &list, err);
	return rc <= 0 ? rc : bolt_each(q->bolt, &list, images ? visit_image : visit_container, q, err);
}

/* The best of what was found; several may be as good. */
static size_t best_container(const struct query *q, bool *ret_single)
{
	size_t best = 0, equals = 0;
	for (size_t i = 0; i < q->containers.len; i++) {
		if (q->containers.ptr[i].fit < q->containers.ptr[best].fit)
			best = i, equals = 0;
		equals += q->containers.ptr[i].fit == q->containers.ptr[best].fit;
	}
	*ret_single = equals == 1;
	return best;
}

static int complete_container(struct query *q, const struct bolt_bucket *v1, struct containerd_container *c,
                              struct err *err)
{
	const struct str record[] = { c->space, STR("containers"), c->id };
	const struct str image_way[] = { c->space, STR("images") };
	struct bolt_bucket bucket, space;
	struct str key, digest = { 0 }, media = { 0 };
	int rc = bolt_enter_path(q->bolt, v1, record, COUNT_OF(record), &bucket, err);
	if (rc <= 0 || (rc = read_text(q, &bucket, STR("image"), &c->image, err)) < 0 ||
	    (rc = read_text(q, &bucket, STR("snapshotter"), &c->snapshotter, err)) < 0 ||
	    (rc = read_text(q, &bucket, STR("snapshotKey"), &key, err)) < 0)
		return rc;
	c->chain = arena_array(q->arena, 1, sizeof(*c->chain));
	c->chain[0].key = key;
	rc = bolt_enter_path(q->bolt, v1, image_way, COUNT_OF(image_way), &bucket, err);
	if (rc > 0)
		rc = bolt_enter(q->bolt, &bucket, c->image, &bucket, err);
	if (rc > 0)
		rc = read_target(q, &bucket, &digest, &media, err);
	if (rc < 0)
		return rc;
	c->digest = str_dup(q->arena, digest);
	c->media = str_dup(q->arena, media);
	rc = bolt_enter(q->bolt, v1, c->space, &space, err);
	return rc <= 0 ? rc : trace_chain(q, &space, c, err);
}

static int ask_meta(struct bolt *b, void *ctx, struct err *err)
{
	struct query *q = ctx;
	struct bolt_bucket root = bolt_root(b), v1;
	bool single;
	q->bolt = b;
	q->images.len = q->containers.len = q->created.len = q->traces.len = 0;
	buf_clear(&q->spaces);
	int rc = bolt_enter(b, &root, STR("v1"), &v1, err);
	if (rc <= 0) /* a daemon that has just been set up */
		return rc;
	if ((rc = bolt_each(b, &v1, visit_space, q, err)) < 0 || q->question->ask != ASK_CONTAINERS)
		return rc;
	size_t best = best_container(q, &single);
	return single ? complete_container(q, &v1, &q->containers.ptr[best], err) : 0;
}

/* --- a snapshotter's database ----------------------------------------------------------------------------------- */

static bool read_number(struct str s, uint64_t *ret)
{
	struct reader r = reader_of(s);
	*ret = read_varint(&r);
	return !r.bad;
}

static int find_number(struct query *q, const struct bolt_bucket *snapshots, size_t index, struct err *err)
{
	struct trace *t = &q->traces.ptr[index];
	struct str name = t->names[q->which], id = { 0 }, kind = { 0 }, parent = { 0 }, below = { 0 };
	struct bolt_bucket snapshot;
	if (name.len == 0)
		return 0;
	int rc = bolt_enter(q->bolt, snapshots, name, &snapshot, err);
	if (rc <= 0 || (rc = bolt_find(q->bolt, &snapshot, STR("id"), &id, err)) < 0 ||
	    (rc = bolt_find(q->bolt, &snapshot, STR("kind"), &kind, err)) < 0 ||
	    (rc = bolt_find(q->bolt, &snapshot, STR("parent"), &parent, err)) < 0)
		return rc;
	/* Keys come from the lowest layer up, a container's chain from its top down. */
	if (q->by_parents && index + 1 < q->traces.len)
		below = q->traces.ptr[index + 1].names[q->which];
	else if (!q->by_parents && index > 0)
		below = q->traces.ptr[index - 1].names[q->which];
	bool own = q->by_parents && index == 0;
	t->is.found[q->which] = read_number(id, &t->is.number[q->which]) && str_eq(parent, below) && kind.len == 1 &&
	                        (own || kind.ptr[0] == KIND_COMMITTED);
	return 0;
}

static int ask_snapshotter(struct bolt *b, void *ctx, struct err *err)
{
	struct query *q = ctx;
	const struct str way[] = { STR("v1"), STR("snapshots") };
	struct bolt_bucket root = bolt_root(b), snapshots;
	q->bolt = b;
	for (size_t i = 0; i < q->traces.len; i++)
		q->traces.ptr[i].is.found[q->which] = false;
	int rc = bolt_enter_path(b, &root, way, COUNT_OF(way), &snapshots, err);
	for (size_t i = 0; rc > 0 && i < q->traces.len; i++)
		if ((rc = find_number(q, &snapshots, i, err)) >= 0)
			rc = 1;
	return rc < 0 ? rc : 0;
}

/* --- the answer ------------------------------------------------------------------------------------------------- */

static void put_snapshots(struct buf *out, const struct query *q)
{
	buf_varint(out, q->traces.len);
	for (size_t i = 0; i < q->traces.len; i++) {
		const struct containerd_snapshot *s = &q->traces.ptr[i].is;
		buf_str(out, s->key);
		for (int w = 0; w < SNAPSHOTTER_COUNT; w++) {
			buf_byte(out, s->found[w]);
			buf_varint(out, s->found[w] ? s->number[w] : 0);
		}
		buf_str(out, s->elsewhere);
	}
}

static void put_answer(struct buf *out, const struct query *q)
{
	buf_str(out, buf_view(&q->spaces));
	buf_varint(out, q->images.len);
	for (size_t i = 0; i < q->images.len; i++) {
		const struct containerd_image *m = &q->images.ptr[i];
		buf_byte(out, (uint8_t)m->fit);
		buf_str(out, m->space);
		buf_str(out, m->name);
		buf_str(out, m->digest);
		buf_str(out, m->media);
	}
	buf_varint(out, q->containers.len);
	for (size_t i = 0; i < q->containers.len; i++) {
		const struct containerd_container *c = &q->containers.ptr[i];
		buf_byte(out, (uint8_t)c->fit);
		buf_str(out, c->space);
		buf_str(out, c->id);
		buf_str(out, c->title);
		buf_str(out, c->image);
		buf_str(out, c->snapshotter);
		buf_str(out, c->digest);
		buf_str(out, c->media);
	}
	put_snapshots(out, q);
}

int containerd_answer(struct arena *a, const struct containerd_question *question, struct buf *out, struct err *err)
{
	struct query q = { .arena = a, .question = question, .by_parents = question->ask == ASK_CONTAINERS };
	buf_init(&q.spaces, 64 * KIB);
	int rc = bolt_read(&question->meta, ask_meta, &q, err);
	if (rc < 0)
		(void)err_wrap(err, "meta.db");
	for (q.which = 0; rc >= 0 && q.which < SNAPSHOTTER_COUNT; q.which++)
		if (q.traces.len && question->have[q.which] &&
		    (rc = bolt_read(&question->snapshots[q.which], ask_snapshotter, &q, err)) < 0)
			(void)err_wrap(err, "metadata.db of %s", containerd_snapshotters[q.which].name);
	if (rc >= 0)
		put_answer(out, &q);
	buf_done(&q.spaces);
	return rc < 0 ? rc : 0;
}
