/* What is kept of a layer while it is read: see layer_build.h. Runs in workers. */
#include "image/layer_build.h"

#include "base/base.h"

void layer_build_init(struct layer_build *b, struct arena *a, const struct layer_collector *collector,
                      const struct layer_extra *extra, struct layer_facts *facts)
{
	*b = (struct layer_build){
		.arena = a,
		.collector = collector,
		.extra = extra,
		.facts = facts,
		.used_before = arena_used(a),
	};
	buf_init(&b->last_parent, TAR_PATH_MAX);
}

void layer_build_done(struct layer_build *b)
{
	buf_done(&b->last_parent);
	path_set_done(&b->paths);
}

static bool keep_room(struct layer_build *b, struct str path, struct str link)
{
	size_t used = arena_used(b->arena) - b->used_before;
	if (b->entries.len >= LAYER_ENTRIES_MAX || used + path.len + link.len > LAYER_NAMES_SIZE_MAX) {
		b->facts->dropped++;
		return false;
	}
	return true;
}

struct layer_entry *layer_build_keep(struct layer_build *b, enum layer_entry_kind kind, struct str path, struct str link)
{
	if (!keep_room(b, path, link))
		return NULL;
	struct layer_entry *e;
	path = str_dup(b->arena, path);
	if (kind <= ENTRY_HARDLINK) {
		uint64_t *at = map_put(b->arena, &b->nodes, path, NULL);
		if (*at == 0) {
			(void)vec_push(b->arena, &b->entries);
			*at = b->entries.len;
		}
		e = &b->entries.ptr[*at - 1];
	} else {
		e = vec_push(b->arena, &b->entries);
	}
	*e = (struct layer_entry){ .kind = kind, .path = path, .link = str_dup(b->arena, link) };
	return e;
}

/* Something else stands at this path now: the entry that was kept loses its path and is left out at the end. */
void layer_build_forget(struct layer_build *b, struct str path)
{
	uint64_t *at = map_get(&b->nodes, path);
	if (at && *at) {
		b->entries.ptr[*at - 1].path = (struct str){ 0 };
		*at = 0;
	}
}

void layer_build_parents(struct layer_build *b, struct str path)
{
	ptrdiff_t slash = str_rfind(path, '/');
	if (slash < 0)
		return;
	struct str parent = str_sub(path, 0, (size_t)slash);
	if (str_eq(parent, buf_view(&b->last_parent)))
		return;
	buf_clear(&b->last_parent);
	buf_put(&b->last_parent, parent);
	path_set_imply_parents(&b->paths, path);
}

/* ".wh..wh..opq" and ".wh.NAME"; true if the entry was such a mark. */
bool layer_build_mark(struct layer_build *b, struct str path)
{
	ptrdiff_t slash = str_rfind(path, '/');
	struct str folder = str_sub(path, 0, slash < 0 ? 0 : (size_t)slash);
	struct str name = str_sub(path, (size_t)(slash + 1), path.len);
	if (!str_skip(&name, STR(".wh.")))
		return false;
	if (str_eq(name, STR(".wh..opq"))) {
		(void)layer_build_keep(b, ENTRY_OPAQUE, folder, (struct str){ 0 });
	} else if (name.len && !str_starts(name, STR(".wh."))) {
		struct str gone = arena_printf(b->arena, "%.*s%s%.*s", STR_ARG(folder), folder.len ? "/" : "", STR_ARG(name));
		(void)layer_build_keep(b, ENTRY_WHITEOUT, gone, (struct str){ 0 });
	}
	return true;
}

bool layer_build_extra(const struct layer_build *b, struct str path)
{
	for (size_t i = 0; i < b->extra->count; i++)
		if (str_eq(b->extra->paths[i], path))
			return true;
	return false;
}

/* Keep the path, with what the collector says of its content (or, without content, of the reason why not). */
void layer_build_file(struct layer_build *b, struct str path, const struct content *content, const struct err *why)
{
	const struct layer_collector *c = b->collector;
	struct layer_entry *entry = layer_build_keep(b, ENTRY_FILE, path, (struct str){ 0 });
	if (!entry)
		return;
	struct buf BUF_AUTO payload = { 0 };
	buf_init(&payload, FRAME_PAYLOAD_MAX);
	if (content)
		c->collect(c->ctx, path, content, &payload);
	else
		c->refuse(c->ctx, path, why, &payload);
	entry->payload = str_dup(b->arena, buf_view(&payload));
}

static int compare_entries(const void *a, const void *b)
{
	const struct layer_entry *x = a, *y = b;
	int c = str_cmp(x->path, y->path);
	return c ? c : (int)x->kind - (int)y->kind;
}

void layer_build_finish(struct layer_build *b)
{
	struct layer_facts *f = b->facts;
	size_t kept = 0;
	for (size_t i = 0; i < b->entries.len; i++) {
		const struct layer_entry *e = &b->entries.ptr[i];
		if (e->path.len || e->kind == ENTRY_OPAQUE)
			b->entries.ptr[kept++] = *e;
	}
	if (kept)
		qsort(b->entries.ptr, kept, sizeof(*b->entries.ptr), compare_entries);
	f->entries = b->entries.ptr;
	f->entry_count = kept;
	f->dropped += b->paths.full;
	struct buf BUF_AUTO paths = { 0 };
	buf_init(&paths, (size_t)LAYER_ENTRIES_MAX * 8);
	path_set_encode(&b->paths, &paths);
	f->paths = str_dup(b->arena, buf_view(&paths));
}
