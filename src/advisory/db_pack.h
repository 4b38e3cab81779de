/* Between sorting (db_pack.c) and writing (db_write.c) the advisory file: every fact in its final place, every string
 * with its number in the pools that hold it. */
#ifndef PLIMSOLL_ADVISORY_DB_PACK_H
#define PLIMSOLL_ADVISORY_DB_PACK_H

#include "advisory/builder.h"
#include "advisory/db_format.h"

struct pack_pool {
	uint32_t *number; /* of a string: its number in the pool, UINT32_MAX where it has none */
	uint32_t *order;  /* the other way round */
	size_t count;
};

struct pack {
	const struct db_builder *b;
	struct arena *a;
	uint32_t *rank;   /* of a string among all strings, in byte order */
	uint32_t *sorted; /* the other way round */
	struct pack_pool pool[DB_POOL_COUNT];
	uint32_t *source_number, *source_order;
	uint32_t *platform_of_string; /* number of the platform that has this name, UINT32_MAX: none */
	uint32_t *platform_order;
	uint32_t *package_number, *package_order;
	uint32_t *shape_group, *shape_number, *shape_order;
	size_t shape_count;
	uint32_t *fact_order;
	size_t fact_count; /* without repetitions */
	uint32_t *vuln_order;
	uint64_t *source_facts, *source_advisories;
};

/* Everything in order; b gains the platforms that facts name and nobody declared. */
void pack_sort(struct pack *p, struct db_builder *b, struct arena *a);

static inline struct pack_pool *pack_pool_of(struct pack *p, enum db_section s) { return &p->pool[s - DB_POOL_FIRST]; }

#endif
