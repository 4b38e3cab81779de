/* The document tree: the one form of facts, configuration and parsed JSON, YAML, TOML (DESIGN 2).
 * Nodes live in an arena and are never changed once a parser has returned them. Text slices point into the arena
 * or into the parsed input, which must live as long as the tree.
 * Shape: null, bool, int64, uint64, double, string, bytes, list, map. Map keys are strings, in source order,
 * unique (how a parser meets a repeated key is said there). */
#ifndef PLIMSOLL_BASE_VALUE_H
#define PLIMSOLL_BASE_VALUE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum value_kind {
	VALUE_NULL,
	VALUE_BOOL,
	VALUE_INT,  /* fits int64 */
	VALUE_UINT, /* over INT64_MAX */
	VALUE_DOUBLE,
	VALUE_STRING,
	VALUE_BYTES,
	VALUE_LIST,
	VALUE_MAP,
};

struct value;

struct value_pair {
	struct str key;
	struct value *value; /* never NULL */
};

struct value {
	enum value_kind kind;
	uint32_t line, column; /* 1-based place in the source, 0 where there is none */
	uint32_t cap;          /* private: room in items or pairs, 0 where a parser made them to measure */
	union {
		bool boolean;
		int64_t integer;
		uint64_t uinteger;
		double number;
		struct str string; /* STRING, BYTES */
		struct {
			struct value **items;
			size_t len;
		} list;
		struct {
			struct value_pair *pairs;
			size_t len;
		} map;
	};
};

/* Look-ups that accept NULL and the wrong kind and then give NULL, 0 or the empty slice, so that a path through
 * a document that may be anything reads in one line:
 *     struct str fixed = value_str(value_get(event, "fixed"));
 * value_get walks the map: of a map with thousands of keys, walk the pairs instead of asking for each. */
const struct value *value_get(const struct value *map, const char *key);
const struct value *value_get_str(const struct value *map, struct str key);
const struct value *value_at(const struct value *list, size_t index);
size_t value_len(const struct value *list_or_map);
bool value_is(const struct value *v, enum value_kind kind);
struct str value_str(const struct value *v);
bool value_bool(const struct value *v);
bool value_int(const struct value *v, int64_t *ret); /* false if not a whole number in range; 3.0 is 3 */
bool value_double(const struct value *v, double *ret); /* INT, UINT, DOUBLE */

/* Building. All allocate in the arena; strings are not copied. value_set looks through the whole map: for maps of a
 * few hundred keys, no more. */
struct value *value_new_null(struct arena *a);
struct value *value_new_bool(struct arena *a, bool v);
struct value *value_new_int(struct arena *a, int64_t v);
struct value *value_new_double(struct arena *a, double v);
struct value *value_new_str(struct arena *a, struct str v);
struct value *value_new_list(struct arena *a);
struct value *value_new_map(struct arena *a);
void value_add(struct arena *a, struct value *list, struct value *item);
void value_set(struct arena *a, struct value *map, struct str key, struct value *v); /* replaces */

#endif
