/* Package databases and the distribution as the merged tree shows them: see inventory.h. Judges nothing. */
#include "scan/inventory.h"

#include "base/base.h"
#include "scan/collect.h"

/* One database file, at one state of the image. */
struct database {
	const struct package_format *format; /* row whose place led here */
	struct str place;                    /* canonical path */
	const struct layer_entry *entry;
	size_t layer;
};

struct databases {
	struct database *ptr;
	size_t len, cap;
};

/* Entries are looked at in many states but decoded once. */
struct decoded {
	const struct layer_entry *entry; /* its bytes are the key */
	bool ok;
	unsigned listed; /* the look around in which it was listed last */
	struct collected collected;
};

struct taking {
	struct arena *arena;
	const struct merged *merged;
	const struct inventory_options *options;
	struct target *target;
	struct inventory_wishes *wishes;
	struct map decoded; /* entry -> struct decoded */
	unsigned look;      /* counts find_databases */
};

static void not_assessed(struct taking *t, struct str what, struct str reason)
{
	for (size_t i = 0; i < t->target->not_assessed.len; i++)
		if (str_eq(t->target->not_assessed.ptr[i].what, what) && str_eq(t->target->not_assessed.ptr[i].reason, reason))
			return;
	*vec_push(t->arena, &t->target->not_assessed) = (struct not_assessed){ .what = what, .reason = reason };
}

/* There may be as many as a layer has names (status.d): found by a table. */
static struct decoded *decoded_of(struct taking *t, const struct layer_entry *entry)
{
	const struct str asked = { (const char *)&entry, sizeof(entry) };
	const uint64_t *at = map_get(&t->decoded, asked);
	if (at)
		return (struct decoded *)(uintptr_t)*at;
	struct decoded *d = ARENA_NEW(t->arena, struct decoded);
	d->entry = entry;
	d->ok = collect_decode(t->arena, entry->payload, &d->collected);
	const struct str key = { (const char *)&d->entry, sizeof(d->entry) };
	*map_put(t->arena, &t->decoded, key, NULL) = (uintptr_t)d;
	return d;
}

static const struct collected *decode(struct taking *t, const struct layer_entry *entry)
{
	const struct decoded *d = decoded_of(t, entry);
	return d->ok ? &d->collected : NULL;
}

static bool skipped(const struct taking *t, struct str path)
{
	for (size_t i = 0; t->options->skip && i < t->options->skip->len; i++)
		if (str_glob(t->options->skip->ptr[i], path))
			return true;
	return false;
}

static void add_wish(struct taking *t, const struct merged_node *node)
{
	for (size_t i = 0; i < t->wishes->len; i++)
		if (t->wishes->ptr[i].layer == node->layer && str_eq(t->wishes->ptr[i].path, node->path))
			return;
	*vec_push(t->arena, t->wishes) = (struct inventory_wish){ node->layer, node->path };
}

/* The file at a canonical place, if a database of that row is there in this state. */
static void look_at(struct taking *t, const struct merged *m, const struct package_format *format, struct str place,
                    struct databases *out)
{
	struct merged_node node;
	bool now = m->layer_count == t->merged->layer_count;
	if (skipped(t, place))
		return;
	merged_find(t->arena, m, place, &node);
	if (node.kind == MERGED_LOOP && now)
		not_assessed(t, place, STR("its symbolic links go round"));
	if (node.kind == MERGED_UNKEPT && now)
		add_wish(t, &node);
	if (node.kind != MERGED_FILE || node.entry->kind != ENTRY_FILE)
		return;
	struct decoded *d = decoded_of(t, node.entry);
	const struct collected *c = d->ok ? &d->collected : NULL;
	if (d->listed == t->look)
		return;
	/* A place that several rows share belongs to the one that read the file; "status" of opkg reads like dpkg's. */
	if (c && c->kind == COLLECTED_PACKAGES && format->sniff && !str_eq(c->format, str_from(format->name)))
		return;
	if (c && (c->kind == COLLECTED_TEXT || c->kind == COLLECTED_OWNER))
		return;
	d->listed = t->look;
	*vec_push(t->arena, out) = (struct database){ format, place, node.entry, node.layer };
}

static void find_databases(struct taking *t, const struct merged *m, struct databases *ret)
{
	*ret = (struct databases){ 0 };
	t->look++;
	for (size_t i = 0; i < package_format_count; i++) {
		const struct package_format *f = &package_formats[i];
		for (size_t k = 0; f->paths[k]; k++) {
			struct str place = str_from(f->paths[k]);
			if (!str_drop(&place, STR("/*"))) {
				look_at(t, m, f, place, ret);
				continue;
			}
			struct merged_names names;
			merged_list(t->arena, m, place, &names);
			for (size_t n = 0; n < names.len; n++)
				look_at(t, m, f, arena_printf(t->arena, "%.*s/%.*s", STR_ARG(place), STR_ARG(names.ptr[n])), ret);
		}
	}
}

/* rpm uses one database; what an upgrade left beside it lists what was installed once. The table's order decides. */
static void keep_one_rpm(struct taking *t, struct databases *all, bool now)
{
	const struct database *first = NULL;
	size_t kept = 0;
	for (size_t i = 0; i < all->len; i++) {
		struct database *d = &all->ptr[i];
		const struct collected *c = decode(t, d->entry);
		bool rpm = d->format->type == PACKAGE_RPM && c && c->kind == COLLECTED_PACKAGES;
		if (rpm && first && c->package_count) {
			if (now)
				not_assessed(t, d->place,
				             arena_printf(t->arena, "another rpm database, %.*s, is the one in use",
				                          STR_ARG(first->place)));
			continue;
		}
		all->ptr[kept++] = *d;
		if (rpm && c->package_count)
			first = &all->ptr[kept - 1];
	}
	all->len = kept;
}

static void take_packages(struct taking *t, const struct database *d, const struct collected *c)
{
	for (size_t i = 0; i < c->package_count; i++) {
		struct package p = c->packages[i];
		p.type = d->format->type;
		p.db_path = d->place;
		*vec_push(t->arena, &t->target->packages) = p;
	}
}

static void say_bad_records(struct taking *t, const struct database *d, const struct collected *c)
{
	if (c->bad_records == 0)
		return;
	struct str first = c->diagnostic_count ? c->diagnostics[0] : STR("malformed");
	*vec_push(t->arena, &t->target->not_assessed) = (struct not_assessed){
		.what = d->place,
		.reason = arena_printf(t->arena, "records that cannot be read, the first: %.*s", STR_ARG(first)),
		.count = c->bad_records,
		.of = c->bad_records + c->package_count,
	};
}

/* A write-ahead log that is not empty, beside a rpm database. */
static void look_for_wal(struct taking *t, const struct database *d)
{
	struct merged_node node;
	if (!str_ends(d->place, STR("rpmdb.sqlite")))
		return;
	struct str wal = arena_printf(t->arena, "%.*s-wal", STR_ARG(d->place));
	merged_find(t->arena, t->merged, wal, &node);
	const struct collected *c = node.kind == MERGED_FILE && node.entry->kind == ENTRY_FILE ? decode(t, node.entry) : NULL;
	if (c && c->kind == COLLECTED_ERROR)
		not_assessed(t, wal, c->text);
}

static void take_databases(struct taking *t, struct databases *ret)
{
	find_databases(t, t->merged, ret);
	keep_one_rpm(t, ret, true);
	for (size_t i = 0; i < ret->len; i++) {
		const struct database *d = &ret->ptr[i];
		const struct collected *c = decode(t, d->entry);
		if (!c) {
			not_assessed(t, d->place, STR("what the worker said of it cannot be read"));
		} else if (c->kind == COLLECTED_ERROR) {
			not_assessed(t, d->place, c->text);
		} else {
			take_packages(t, d, c);
			say_bad_records(t, d, c);
			look_for_wal(t, d);
		}
	}
	if (ret->len == 0)
		not_assessed(t, STR("packages"), STR("no package database was found here"));
}

/* --- in use ---------------------------------------------------------------------------------------------------------- */

/* "libc6:amd64.list" is libc6's of that architecture, "bash.list" bash's. */
static void mark_owner(struct taking *t, struct str file, struct map *owners)
{
	if (str_drop(&file, STR(".list")) || str_drop(&file, STR(".md5sums")))
		(void)map_put(t->arena, owners, str_dup(t->arena, file), NULL);
}

static void find_owners(struct taking *t, const char *folder, struct map *owners, uint64_t *ret_lists)
{
	struct merged_names names;
	merged_list(t->arena, t->merged, str_from(folder), &names);
	for (size_t i = 0; i < names.len; i++) {
		struct merged_node node;
		merged_find(t->arena, t->merged, arena_printf(t->arena, "%s/%.*s", folder, STR_ARG(names.ptr[i])), &node);
		const struct collected *c = node.kind == MERGED_FILE && node.entry->kind == ENTRY_FILE ? decode(t, node.entry) : NULL;
		if (!c || c->kind != COLLECTED_OWNER)
			continue;
		++*ret_lists;
		if (c->owns)
			mark_owner(t, names.ptr[i], owners);
	}
}

/* apk and rpm know their packages' files in the same file; dpkg keeps them apart. */
static void mark_used(struct taking *t)
{
	struct map owners = { 0 };
	uint64_t lists = 0;
	struct package_list *all = &t->target->packages;
	find_owners(t, COLLECT_LISTS, &owners, &lists);
	find_owners(t, COLLECT_SUMS, &owners, &lists);
	for (size_t i = 0; lists && i < all->len; i++) {
		struct package *p = &all->ptr[i];
		if (p->type != PACKAGE_DEB)
			continue;
		struct str full = arena_printf(t->arena, "%.*s:%.*s", STR_ARG(p->name), STR_ARG(p->arch));
		p->use = map_get(&owners, p->name) || map_get(&owners, full) ? USE_YES : USE_NO;
	}
}

/* --- which layer ----------------------------------------------------------------------------------------------------- */

static struct str package_key(struct arena *a, const struct package *p)
{
	return arena_printf(a, "%d %.*s\n%.*s\n%.*s", (int)p->type, STR_ARG(p->name), STR_ARG(p->version), STR_ARG(p->arch));
}

static bool same_databases(const struct databases *a, const struct databases *b)
{
	if (a->len != b->len)
		return false;
	for (size_t i = 0; i < a->len; i++)
		if (a->ptr[i].entry != b->ptr[i].entry || !str_eq(a->ptr[i].place, b->ptr[i].place))
			return false;
	return true;
}

static void present_in(struct taking *t, const struct databases *d, struct map *ret)
{
	for (size_t i = 0; i < d->len; i++) {
		const struct collected *c = decode(t, d->ptr[i].entry);
		for (size_t k = 0; c && c->kind == COLLECTED_PACKAGES && k < c->package_count; k++) {
			struct package p = c->packages[k];
			p.type = d->ptr[i].format->type;
			(void)map_put(t->arena, ret, package_key(t->arena, &p), NULL);
		}
	}
}

/* Down from the top: a package belongs to the layer above the first state in which it is missing. */
static void attribute(struct taking *t, const struct databases *top)
{
	struct package_list *all = &t->target->packages;
	struct databases seen = *top;
	size_t *layer = arena_array(t->arena, all->len, sizeof(*layer));
	struct str *keys = arena_array(t->arena, all->len, sizeof(*keys));
	bool *found = arena_array(t->arena, all->len, sizeof(*found));
	size_t open = all->len;
	for (size_t i = 0; i < all->len; i++)
		keys[i] = package_key(t->arena, &all->ptr[i]);
	for (size_t state = t->merged->layer_count; state-- > 0 && open;) {
		struct merged below = { t->merged->layers, state };
		struct databases here = { 0 };
		struct map present = { 0 };
		find_databases(t, &below, &here);
		keep_one_rpm(t, &here, false);
		if (state && same_databases(&here, &seen))
			continue;
		present_in(t, &here, &present);
		for (size_t i = 0; i < all->len; i++)
			if (!found[i] && !map_get(&present, keys[i])) {
				found[i] = true;
				layer[i] = state;
				open--;
			}
		seen = here;
	}
	for (size_t i = 0; i < all->len; i++)
		all->ptr[i].layer = t->target->layers.ptr[layer[i]].diff_id;
}

/* --- the distribution ---------------------------------------------------------------------------------------------- */

static bool get_os_file(void *ctx, const char *path, struct str *ret)
{
	struct taking *t = ctx;
	struct merged_node node;
	if (skipped(t, str_from(path)))
		return false;
	merged_find(t->arena, t->merged, str_from(path), &node);
	if (node.kind == MERGED_UNKEPT)
		add_wish(t, &node);
	if (node.kind != MERGED_FILE || node.entry->kind != ENTRY_FILE)
		return false;
	const struct collected *c = decode(t, node.entry);
	if (c && c->kind == COLLECTED_ERROR)
		not_assessed(t, str_from(path), c->text);
	if (!c || c->kind != COLLECTED_TEXT)
		return false;
	*ret = c->text;
	return true;
}

static int compare_packages(const void *a, const void *b)
{
	return package_cmp(a, b);
}

void inventory_take(struct arena *a, const struct merged *m, const struct inventory_options *o, struct target *target,
                    struct inventory_wishes *ret_wishes)
{
	struct databases top;
	struct taking t = { .arena = a, .merged = m, .options = o, .target = target, .wishes = ret_wishes };
	*ret_wishes = (struct inventory_wishes){ 0 };
	os_detect(a, get_os_file, &t, &target->os);
	take_databases(&t, &top);
	if (target->layers.len == m->layer_count && m->layer_count)
		attribute(&t, &top);
	if (o->owners)
		mark_used(&t);
	if (target->packages.len)
		qsort(target->packages.ptr, target->packages.len, sizeof(*target->packages.ptr), compare_packages);
}
