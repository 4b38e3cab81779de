/* The string pools of the advisory file: front-coded in blocks of DB_POOL_BLOCK. A string that somebody asks for is
 * decoded, block by block and once, into a shadow of the pool in memory, of which only the touched pages exist; the
 * slices given out point there and live as long as the pool.
 * Every length and offset is hostile: one that leads nowhere gives the empty slice and false. */
#ifndef PLIMSOLL_ADVISORY_DB_POOL_H
#define PLIMSOLL_ADVISORY_DB_POOL_H

#include "base/buf.h"
#include "base/err.h"

#include <pthread.h>

struct db_pool {
	struct str index, coded;
	uint32_t count, block_count;
	uint64_t text_size;
	char *shadow;
	_Atomic uint8_t *state; /* a block: 0 not decoded yet, 1 decoded, 2 broken */
	pthread_mutex_t *lock;
};

int db_pool_open(struct str section, struct db_pool *ret, struct err *err);
void db_pool_close(struct db_pool *p);
/* False for an index that does not exist or a block that is broken. */
bool db_pool_get(const struct db_pool *p, uint32_t index, struct str *ret);
/* In a sorted pool. False: not there (or broken). */
bool db_pool_find(const struct db_pool *p, struct str s, uint32_t *ret);

/* The writer: strings[order[0]], strings[order[1]], ... as a section. */
void db_pool_write(struct buf *out, const struct str *strings, const uint32_t *order, size_t count);

#endif
