/* Overlay semantics over sorted layers: see merge.h. */
#include "image/merge.h"

#include "base/base.h"
#include "base/tar.h"

/* What one path is in layers [*floor, top): looks from the top down to *floor. Moves *floor up to the lowest layer
 * whose content below this path is still seen. */
static enum merged_kind look(const struct merged *m, struct str path, size_t top, size_t *floor,
                             const struct layer_entry **ret_entry, size_t *ret_layer)
{
	enum merged_kind kind = MERGED_NONE;
	for (size_t i = top; i > *floor; i--) {
		const struct layer_facts *f = m->layers[i - 1];
		const struct layer_entry *node = layer_node(f, path);
		enum path_kind known = node ? PATH_OTHER : path_set_find(f->paths, path);
		if (known == PATH_OTHER) {
			if (kind == MERGED_FOLDER) {
				/* A folder above took the place of something else: nothing below that is seen. */
				*floor = i;
				return kind;
			}
			*ret_entry = node;
			*ret_layer = i - 1;
			return node ? MERGED_FILE : MERGED_UNKEPT;
		}
		if (known == PATH_FOLDER && kind == MERGED_NONE) {
			kind = MERGED_FOLDER;
			*ret_layer = i - 1;
		}
		if (layer_find(f, path, ENTRY_WHITEOUT) || layer_find(f, path, ENTRY_OPAQUE)) {
			*floor = i - 1;
			return kind;
		}
	}
	return kind;
}

/* A walk from the root along a path that grows by what links say. */
struct walk {
	struct arena *arena;
	const struct merged *m;
	struct str todo;  /* components still to go */
	struct buf done;  /* real path so far */
	size_t floor;
	size_t root_floor; /* the root itself may be opaque */
	size_t top;
	unsigned links;
};

static void restart(struct walk *w)
{
	buf_clear(&w->done);
	w->floor = w->root_floor;
}

static size_t opaque_root(const struct merged *m)
{
	for (size_t i = m->layer_count; i > 0; i--)
		if (layer_find(m->layers[i - 1], (struct str){ 0 }, ENTRY_OPAQUE))
			return i - 1;
	return 0;
}

static void step_up(struct walk *w)
{
	ptrdiff_t slash = str_rfind(buf_view(&w->done), '/');
	struct str parent = str_dup(w->arena, str_sub(buf_view(&w->done), 0, slash < 0 ? 0 : (size_t)slash));
	/* What is seen below the parent must be found out again from the root. */
	w->todo = arena_printf(w->arena, "%.*s/%.*s", STR_ARG(parent), STR_ARG(w->todo));
	restart(w);
}

/* Goes on at the link's target instead. False: too many. */
static bool follow(struct walk *w, const struct layer_entry *link, size_t parent_len)
{
	if (++w->links > SYMLINKS_MAX)
		return false;
	struct str parent = str_dup(w->arena, str_sub(buf_view(&w->done), 0, parent_len));
	if (str_starts(link->link, STR("/")))
		parent = (struct str){ 0 };
	w->todo = arena_printf(w->arena, "%.*s/%.*s/%.*s", STR_ARG(parent), STR_ARG(link->link), STR_ARG(w->todo));
	restart(w);
	return w->todo.len <= LINK_PATH_MAX;
}

/* A hard link is the file that its target was in the layers up to its own. */
static void resolve_hardlink(struct arena *a, const struct merged *m, size_t layer, struct str target, unsigned links,
                             struct merged_node *ret)
{
	for (; links <= SYMLINKS_MAX; links++) {
		size_t floor = 0;
		const struct layer_entry *entry = NULL;
		enum merged_kind kind = look(m, target, layer + 1, &floor, &entry, &layer);
		*ret = (struct merged_node){ .kind = kind, .entry = entry, .layer = layer, .path = target };
		if (kind != MERGED_FILE || entry->kind == ENTRY_FILE)
			return;
		if (entry->kind != ENTRY_HARDLINK)
			break;
		target = entry->link;
	}
	*ret = (struct merged_node){ .kind = MERGED_LOOP, .path = str_dup(a, target) };
}

static bool walk_component(struct walk *w, struct str name, struct merged_node *ret)
{
	size_t parent_len = w->done.len;
	if (name.len == 0 || str_eq(name, STR(".")))
		return true;
	if (str_eq(name, STR(".."))) {
		step_up(w);
		return ++w->links <= SYMLINKS_MAX || (ret->kind = MERGED_LOOP, false);
	}
	if (w->done.len)
		buf_put(&w->done, STR("/"));
	buf_put(&w->done, name);
	const struct layer_entry *entry = NULL;
	size_t layer = 0;
	enum merged_kind kind = look(w->m, buf_view(&w->done), w->top, &w->floor, &entry, &layer);
	*ret = (struct merged_node){ .kind = kind, .entry = entry, .layer = layer };
	if (w->done.overflow) {
		ret->kind = MERGED_NONE;
		return false;
	}
	if (kind == MERGED_FILE && entry->kind == ENTRY_SYMLINK) {
		/* The root itself, should the target be nothing but slashes. */
		ret->kind = follow(w, entry, parent_len) ? MERGED_FOLDER : MERGED_LOOP;
		return ret->kind != MERGED_LOOP;
	}
	if (kind == MERGED_FOLDER)
		return true;
	struct str left = str_trim(w->todo);
	while (str_skip(&left, STR("/")))
		;
	if (left.len && kind != MERGED_NONE)
		ret->kind = MERGED_NONE; /* something that is no folder stands in the way */
	return false;
}

void merged_find(struct arena *a, const struct merged *m, struct str path, struct merged_node *ret)
{
	struct walk w = { .arena = a, .m = m, .todo = path, .top = m->layer_count, .root_floor = opaque_root(m) };
	struct str name;
	buf_init(&w.done, TAR_PATH_MAX);
	restart(&w);
	*ret = (struct merged_node){ .kind = MERGED_FOLDER };
	while (str_cut(&w.todo, '/', &name) && walk_component(&w, name, ret))
		;
	ret->path = str_dup(a, buf_view(&w.done));
	buf_done(&w.done);
	if (ret->kind == MERGED_FILE && ret->entry->kind == ENTRY_HARDLINK)
		resolve_hardlink(a, m, ret->layer, ret->entry->link, w.links, ret);
}

static int compare_names(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

void merged_list(struct arena *a, const struct merged *m, struct str folder, struct merged_names *ret)
{
	struct merged_node node;
	*ret = (struct merged_names){ 0 };
	merged_find(a, m, folder, &node);
	if (node.kind != MERGED_FOLDER)
		return;
	struct str prefix = arena_printf(a, "%.*s%s", STR_ARG(node.path), node.path.len ? "/" : "");
	for (size_t i = 0; i < m->layer_count; i++) {
		const struct layer_facts *f = m->layers[i];
		for (size_t k = layer_first_at(f, prefix); k < f->entry_count; k++) {
			struct str rest = f->entries[k].path;
			if (!str_skip(&rest, prefix))
				break;
			bool node_kind = f->entries[k].kind <= ENTRY_HARDLINK;
			if (node_kind && rest.len && str_find(rest, '/') < 0)
				*vec_push(a, ret) = rest;
		}
	}
	size_t kept = 0;
	if (ret->len)
		qsort(ret->ptr, ret->len, sizeof(*ret->ptr), compare_names);
	for (size_t i = 0; i < ret->len; i++)
		if (kept == 0 || !str_eq(ret->ptr[kept - 1], ret->ptr[i]))
			ret->ptr[kept++] = ret->ptr[i];
	ret->len = kept;
}
