/* From target to findings: see scan.h. */
#include "scan/scan.h"

#include "base/base.h"
#include "config.h"
#include "image/merge.h"
#include "match/match.h"
#include "sandbox/worker.h"
#include "scan/collect.h"
#include "scan/in_use.h"
#include "scan/inventory.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

/* A second look may itself find links that lead on. */
#define SECOND_LOOKS_MAX 4

struct str scan_time(struct arena *a, int64_t t)
{
	char text[32];
	struct tm tm;
	time_t when = (time_t)t;
	if (!gmtime_r(&when, &tm) || strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return (struct str){ 0 };
	return str_dup(a, str_from(text));
}

struct str scan_date(struct arena *a, int64_t t)
{
	return str_sub(scan_time(a, t), 0, 10);
}

void scan_begin(struct arena *a, int64_t now, struct report *report)
{
	report->tool_version = STR(PLIMSOLL_VERSION);
	report->started = scan_time(a, now);
}

void scan_describe_db(struct arena *a, const struct db *db, const char *path, int64_t now, int64_t age_days_max,
                      struct report *report)
{
	struct db_info info;
	db_info(db, &info);
	report->database.present = true;
	report->database.path = str_dup(a, str_from(path));
	report->database.built = scan_time(a, info.built);
	report->database.age_days = (now - info.built) / 86400;
	report->database.stale = report->database.age_days > age_days_max;
	for (uint32_t i = 0; i < info.source_count; i++) {
		struct db_source s;
		if (!db_source(db, i, &s))
			break;
		*vec_push(a, &report->database.sources) = (struct report_source){
			.name = s.name,
			.updated = scan_date(a, s.updated),
			.advisories = s.advisories,
			.coverage = s.coverage,
			.licence = s.licence,
		};
	}
}

/* "debian:12", "debian/12" or "debian". */
static void override_distro(struct arena *a, struct str distro, struct target *t)
{
	struct str id = distro, version = { 0 };
	for (size_t i = 0; i < distro.len; i++)
		if (distro.ptr[i] == ':' || distro.ptr[i] == '/') {
			id = str_sub(distro, 0, i);
			version = str_sub(distro, i + 1, distro.len);
			break;
		}
	*vec_push(a, &t->notes) =
	        arena_printf(a, "--distro %.*s was used instead of what the target says (%.*s %.*s)", STR_ARG(distro),
	                     STR_ARG(t->os.id.len ? t->os.id : STR("nothing")), STR_ARG(t->os.version));
	t->os = (struct os){
		.id = str_lower(a, id),
		.version = version,
		.name = distro,
		.evidence = STR("--distro"),
	};
}

static void say_layer_trouble(struct arena *a, const struct layer_facts *f, size_t i, struct target *t)
{
	struct str what = arena_printf(a, "layer %zu", i + 1);
	if (f->refused)
		*vec_push(a, &t->not_assessed) = (struct not_assessed){
			what, STR("entries whose names are impossible (\"..\", NUL bytes, or longer than TAR_PATH_MAX)"), f->refused, 0
		};
	if (f->dropped)
		*vec_push(a, &t->not_assessed) = (struct not_assessed){
			what, STR("entries over LAYER_ENTRIES_MAX or LAYER_NAMES_SIZE_MAX"), f->dropped, 0
		};
	if (f->closed)
		*vec_push(a, &t->not_assessed) = (struct not_assessed){
			what, STR("folders and files that this user may not read"), f->closed, 0
		};
	if (f->redirected)
		*vec_push(a, &t->not_assessed) = (struct not_assessed){
			what, STR("folders and files that overlay took over from another path (redirect), which is not followed"),
			f->redirected, 0
		};
	if (f->trailing)
		*vec_push(a, &t->notes) =
		        arena_printf(a, "layer %zu: %ju bytes behind its compressed data", i + 1, (uintmax_t)f->trailing);
}

/* The inventory, and with what a second look at single layers brings the inventory again. */
struct look {
	struct arena *arena;
	struct image *image; /* NULL: a folder */
	struct inventory_options inventory_options;
};

static void give_up(const struct look *l, const struct inventory_wishes *w, const char *why, struct target *t)
{
	for (size_t i = 0; i < w->len; i++)
		*vec_push(l->arena, &t->not_assessed) = (struct not_assessed){
			.what = w->ptr[i].path,
			.reason = arena_printf(l->arena, "a link leads here, and %s", why),
		};
}

/* All wishes of one layer at once. */
static int look_again(const struct look *l, const struct inventory_wishes *w, struct layer_facts *layers, struct err *err)
{
	for (size_t layer = 0; layer < l->image->desc.layer_count; layer++) {
		VEC(struct str) paths = { 0 };
		for (size_t i = 0; i < w->len; i++)
			if (w->ptr[i].layer == layer)
				*vec_push(l->arena, &paths) = w->ptr[i].path;
		if (paths.len == 0)
			continue;
		struct layer_extra extra = { paths.ptr, paths.len };
		int rc = image_reload_layer(l->image, layer, &extra, &layers[layer], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static void take_inventory(const struct look *l, struct layer_facts *layers, size_t count, struct target *t)
{
	const struct layer_facts **seen = arena_array(l->arena, count, sizeof(*seen));
	struct merged merged = { seen, count };
	for (size_t i = 0; i < count; i++)
		seen[i] = &layers[i];
	for (unsigned i = 0;; i++) {
		struct inventory_wishes wishes;
		struct target draft = *t;
		struct err err = { 0 };
		inventory_take(l->arena, &merged, &l->inventory_options, &draft, &wishes);
		if (wishes.len == 0 || !l->image) {
			*t = draft;
			return;
		}
		if (i >= SECOND_LOOKS_MAX || look_again(l, &wishes, layers, &err) < 0) {
			*t = draft;
			give_up(l, &wishes, err.code ? err.text : "it leads on too often", t);
			return;
		}
	}
}

static void finish_target(struct arena *a, const struct scan_options *o, struct target *t, struct report *report)
{
	if (o->distro.len)
		override_distro(a, o->distro, t);
	if (o->db)
		match_target(a, o->db, o->now, t);
	*vec_push(a, &report->targets) = *t;
}

static struct image_options image_options_of(const struct scan_options *o)
{
	return (struct image_options){
		.platform = o->platform,
		.access = o->access,
		.cache = o->cache,
		.memo = o->memo,
		.collector = collect_collector(NULL),
		.collector_version = COLLECT_VERSION,
		.now = o->now,
		.progress = o->progress,
		.progress_ctx = o->progress_ctx,
	};
}

static void describe_layers(struct arena *a, const struct image *image, struct target *t)
{
	for (size_t i = 0; i < image->desc.layer_count; i++) {
		const struct image_layer *l = &image->desc.layers[i];
		*vec_push(a, &t->layers) = (struct layer){
			.diff_id = l->diff_id,
			.digest = l->digest,
			.size = image->layer_sizes[i],
			.created_by = l->created_by,
		};
		if (l->unreadable.len)
			*vec_push(a, &t->not_assessed) = (struct not_assessed){
				.what = arena_printf(a, "layer %zu", i + 1),
				.reason = l->unreadable,
			};
		say_layer_trouble(a, &image->layers[i], i, t);
	}
	if (image->verified_at)
		*vec_push(a, &t->notes) = arena_printf(a, "its digests were checked on %.*s, and it has not changed since",
		                                       STR_ARG(scan_time(a, image->verified_at)));
	if (image->desc.note.len)
		*vec_push(a, &t->notes) = image->desc.note;
	if (image->source.len)
		*vec_push(a, &t->notes) = arena_printf(a, "read from %.*s", STR_ARG(image->source));
	for (size_t i = 0; i < image->notes.len; i++)
		*vec_push(a, &t->notes) = image->notes.ptr[i];
	if (image->cached_count)
		*vec_push(a, &t->notes) = arena_printf(a, "%zu of %zu layers were in the cache and were not fetched",
		                                       image->cached_count, image->desc.layer_count);
}

/* What is collected depends on what runs at this moment: none of it is kept. */
static void ask_for_use(struct in_use *u, struct arena *a, const struct cache *no_cache, struct image_options *io)
{
	*u = (struct in_use){ .arena = a };
	io->collector = collect_collector(&u->wish);
	io->top_folder = in_use_look;
	io->top_folder_ctx = u;
	io->cache = no_cache;
	io->memo = NULL;
}

static int load_image(struct arena *tmp, const struct scan_options *o, const char *text, struct target *ret, struct err *err)
{
	struct cache *none = cache_open(NULL);
	struct image_options io = image_options_of(o);
	struct image_target image_target;
	struct image image;
	struct in_use use;
	if (o->in_use)
		ask_for_use(&use, tmp, none, &io);
	int rc = image_target_parse(tmp, text, &image_target, err);
	if (rc == 0)
		rc = image_load(tmp, &image_target, &io, &image, err);
	if (rc == 0) {
		*ret = (struct target){
			.kind = TARGET_IMAGE,
			.name = o->plain_names && image_target.reference.len && !image_target.path ? image_target.reference
			                                                                           : str_from(text),
			.digest = image.desc.digest,
			.platform = image.desc.platform,
			.image = image.desc.config,
		};
		describe_layers(tmp, &image, ret);
		struct look look = { .arena = tmp, .image = &image,
			             .inventory_options = { .owners = o->in_use && use.known, .skip = &o->skip } };
		take_inventory(&look, image.layers, image.desc.layer_count, ret);
		image_close(&image);
		if (o->in_use)
			in_use_describe(tmp, &use, ret);
	}
	cache_close(none);
	return rc;
}

/* What was read of an image is kept no longer than its inventory takes: a run over a hundred images must not hold them
 * all. */
int scan_image(struct arena *a, const struct scan_options *o, const char *text, struct report *report, struct err *err)
{
	struct arena *ARENA_AUTO tmp = arena_new();
	struct target t;
	int rc = load_image(tmp, o, text, &t, err);
	if (rc < 0)
		return rc;
	target_settle(a, &t);
	finish_target(a, o, &t, report);
	return 0;
}

static void look_at_processes(struct in_use *u, const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return; /* said by whoever reads the folder */
	in_use_look(u, fd);
	close(fd);
}

int scan_folder(struct arena *a, const struct scan_options *o, const char *path, struct report *report, struct err *err)
{
	struct image_options io = image_options_of(o);
	struct folder_paths paths = collect_paths(a, o->in_use);
	struct layer_facts facts;
	struct in_use use;
	if (o->in_use) {
		ask_for_use(&use, a, io.cache, &io);
		look_at_processes(&use, path);
	}
	int rc = image_load_folder(a, path, &io, &paths, &facts, err);
	if (rc < 0)
		return rc;
	struct target t = { .kind = TARGET_FS, .name = str_dup(a, str_from(path)) };
	struct look look = { .arena = a, .inventory_options = { .owners = o->in_use && use.known, .skip = &o->skip } };
	take_inventory(&look, &facts, 1, &t);
	if (o->in_use)
		in_use_describe(a, &use, &t);
	finish_target(a, o, &t, report);
	return 0;
}

void scan_finish(struct arena *a, const struct policy *policy, uint64_t duration_ms, struct report *report)
{
	int64_t now = (int64_t)time(NULL);
	report->duration_ms = duration_ms;
	/* Now, for the workers of this scan have found out. */
	report->sandbox = sandbox_describe();
	policy_apply(a, policy, scan_date(a, now), report);
	for (size_t i = 0; i < report->targets.len; i++)
		match_upgrades(a, &report->targets.ptr[i], &report->targets.ptr[i].upgrades);
}
