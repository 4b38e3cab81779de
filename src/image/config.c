/* An image's own words about itself: see config.h. Keeps no environment variable (secrets), believes no type, and caps
 * every list. */
#include "image/config.h"

#include "base/base.h"

static void take_strings(struct arena *a, const struct value *list, struct str_list *ret)
{
	for (size_t i = 0; i < value_len(list) && i < IMAGE_CONFIG_ITEMS_MAX; i++)
		if (value_is(value_at(list, i), VALUE_STRING))
			*vec_push(a, ret) = value_str(value_at(list, i));
}

/* Sets are written as maps with empty values: {"80/tcp": {}}. */
static void take_keys(struct arena *a, const struct value *map, struct str_list *ret)
{
	if (!value_is(map, VALUE_MAP))
		return;
	for (size_t i = 0; i < map->map.len && i < IMAGE_CONFIG_ITEMS_MAX; i++)
		*vec_push(a, ret) = map->map.pairs[i].key;
}

static void take_labels(struct arena *a, const struct value *map, struct str_list *ret)
{
	if (!value_is(map, VALUE_MAP))
		return;
	for (size_t i = 0; i < map->map.len && i < IMAGE_CONFIG_ITEMS_MAX; i++) {
		*vec_push(a, ret) = map->map.pairs[i].key;
		*vec_push(a, ret) = value_str(map->map.pairs[i].value);
	}
}

void image_config_take(struct arena *a, const struct value *config, struct image_config *ret)
{
	const struct value *history = value_get(config, "history"), *run = value_get(config, "config");
	ret->created = value_str(value_get(config, "created"));
	ret->author = value_str(value_get(config, "author"));
	for (size_t i = 0; i < value_len(history) && i < IMAGE_CONFIG_ITEMS_MAX; i++) {
		const struct value *step = value_at(history, i);
		*vec_push(a, &ret->history) = (struct image_step){
			.created = value_str(value_get(step, "created")),
			.created_by = value_str(value_get(step, "created_by")),
			.comment = value_str(value_get(step, "comment")),
			.empty_layer = value_bool(value_get(step, "empty_layer")),
		};
	}
	ret->user = value_str(value_get(run, "User"));
	ret->working_dir = value_str(value_get(run, "WorkingDir"));
	ret->stop_signal = value_str(value_get(run, "StopSignal"));
	take_strings(a, value_get(run, "Cmd"), &ret->cmd);
	take_strings(a, value_get(run, "Entrypoint"), &ret->entrypoint);
	take_keys(a, value_get(run, "ExposedPorts"), &ret->exposed_ports);
	take_keys(a, value_get(run, "Volumes"), &ret->volumes);
	take_labels(a, value_get(run, "Labels"), &ret->labels);
}

/* --- wire form --- */

#define TEXT_COUNT 6
static void texts_of(struct image_config *c, struct str *ret[TEXT_COUNT])
{
	struct str *all[TEXT_COUNT] = { &c->id, &c->created, &c->author, &c->user, &c->working_dir, &c->stop_signal };
	memcpy(ret, all, sizeof(all));
}

#define LIST_COUNT 7
static void lists_of(struct image_config *c, struct str_list *ret[LIST_COUNT])
{
	struct str_list *all[LIST_COUNT] = { &c->tags,   &c->digests, &c->cmd, &c->entrypoint, &c->exposed_ports,
		                             &c->volumes, &c->labels };
	memcpy(ret, all, sizeof(all));
}

void image_config_encode(struct buf *out, const struct image_config *c)
{
	struct image_config copy = *c;
	struct str *texts[TEXT_COUNT];
	struct str_list *lists[LIST_COUNT];
	texts_of(&copy, texts);
	lists_of(&copy, lists);
	for (size_t i = 0; i < TEXT_COUNT; i++)
		buf_str(out, *texts[i]);
	for (size_t i = 0; i < LIST_COUNT; i++) {
		buf_varint(out, lists[i]->len);
		for (size_t k = 0; k < lists[i]->len; k++)
			buf_str(out, lists[i]->ptr[k]);
	}
	buf_varint(out, c->history.len);
	for (size_t i = 0; i < c->history.len; i++) {
		buf_str(out, c->history.ptr[i].created);
		buf_str(out, c->history.ptr[i].created_by);
		buf_str(out, c->history.ptr[i].comment);
		buf_byte(out, c->history.ptr[i].empty_layer);
	}
}

static void decode_list(struct arena *a, struct reader *r, struct str_list *ret)
{
	size_t count = read_count(r, 1);
	if (count > 2 * IMAGE_CONFIG_ITEMS_MAX)
		r->bad = true;
	for (size_t i = 0; i < count && !r->bad; i++)
		*vec_push(a, ret) = read_str(r);
}

void image_config_decode(struct arena *a, struct reader *r, struct image_config *ret)
{
	struct str *texts[TEXT_COUNT];
	struct str_list *lists[LIST_COUNT];
	*ret = (struct image_config){ 0 };
	texts_of(ret, texts);
	lists_of(ret, lists);
	for (size_t i = 0; i < TEXT_COUNT; i++)
		*texts[i] = read_str(r);
	for (size_t i = 0; i < LIST_COUNT; i++)
		decode_list(a, r, lists[i]);
	size_t steps = read_count(r, 4);
	if (steps > IMAGE_CONFIG_ITEMS_MAX)
		r->bad = true;
	for (size_t i = 0; i < steps && !r->bad; i++) {
		struct image_step *s = vec_push(a, &ret->history);
		s->created = read_str(r);
		s->created_by = read_str(r);
		s->comment = read_str(r);
		s->empty_layer = read_u8(r) != 0;
	}
	if (r->bad || ret->labels.len % 2)
		*ret = (struct image_config){ .id = { 0 } };
}
