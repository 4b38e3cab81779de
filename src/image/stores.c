/* The table of stores, and the search: see stores.h. Opens nothing by itself. */
#include "image/stores.h"

#include "base/base.h"

const struct image_opener *const image_stores[] = { &store_docker, &store_podman, &store_containerd, &store_registry };
const size_t image_store_count = COUNT_OF(image_stores);

static bool search_goes_on(int rc)
{
	return rc == ERR_NOT_FOUND || rc == ERR_ABSENT || rc == ERR_ACCESS;
}

static int open_one(struct arena *a, const struct image_opener *s, const struct image_target *t,
                    const struct image_options *o, struct image_origin *ret, struct err *err)
{
	if (t->source != IMAGE_CONTAINER)
		return s->open(a, t->reference, o, ret, err);
	if (!s->open_container)
		return err_set(err, ERR_ABSENT, "it has no containers");
	return s->open_container(a, t->reference, o, ret, err);
}

/* What the stores before this one answered, where it matters: that an engine is there and may not be asked. */
static struct str add_words(struct arena *a, struct str words, const struct image_opener *s, const struct err *why)
{
	return arena_printf(a, "%.*s%s%s: %s", STR_ARG(words), words.len ? "; " : "", s->title, why->text);
}

int stores_open(struct arena *a, const struct image_target *t, const struct image_options *o, struct image_origin *ret,
                struct err *err)
{
	struct str words = { 0 };
	bool offline = o->access && o->access->offline;
	int worst = ERR_ABSENT;
	if (t->store)
		return open_one(a, t->store, t, o, ret, err);
	for (size_t i = 0; i < image_store_count; i++) {
		const struct image_opener *s = image_stores[i];
		struct err why = { 0 };
		int rc;
		if (t->source == IMAGE_CONTAINER && !s->open_container)
			continue;
		if (s->remote && offline)
			rc = err_set(&why, ERR_ABSENT, "not asked (--offline)");
		else
			rc = open_one(a, s, t, o, ret, &why);
		if (rc == 0)
			return 0;
		words = add_words(a, words, s, &why);
		if (!search_goes_on(rc))
			return err_set(err, rc, "%.*s", STR_ARG(words));
		worst = rc == ERR_ACCESS || worst == ERR_ACCESS ? ERR_ACCESS : rc == ERR_NOT_FOUND ? rc : worst;
	}
	return err_set(err, worst, "%s%.*s", t->source == IMAGE_CONTAINER ? "" : "no such file; ", STR_ARG(words));
}

static void take_names(struct arena *a, const struct image_opener *s, const struct str_list *names, struct str_list *ret)
{
	for (size_t i = 0; i < names->len; i++)
		*vec_push(a, ret) = arena_printf(a, "%s:%.*s", s->prefix, STR_ARG(names->ptr[i]));
}

int stores_list(struct arena *a, const struct image_options *o, struct str_list *ret, struct str_list *ret_notes,
                struct err *err)
{
	struct str words = { 0 };
	bool any = false;
	for (size_t i = 0; i < image_store_count; i++) {
		const struct image_opener *s = image_stores[i];
		struct str_list names = { 0 };
		struct err why = { 0 };
		if (!s->list || s->remote)
			continue;
		int rc = s->list(a, o, &names, &why);
		any = any || rc == 0;
		if (rc == 0) {
			take_names(a, s, &names, ret);
			continue;
		}
		if (rc != ERR_ABSENT)
			*vec_push(a, ret_notes) = arena_printf(a, "%s: %s", s->title, why.text);
		words = add_words(a, words, s, &why);
	}
	return any ? 0 : err_set(err, ERR_ABSENT, "no local images can be listed: %.*s", STR_ARG(words));
}
