/* Memory for one job (a scan, a request, a worker): allocate freely, free all at once.
 * Allocation never fails: out of memory ends the process, for sizes that come from input were capped before,
 * and what parses hostile bytes is a worker that its parent outlives. Memory is zeroed.
 * Not for use by several threads at once. */
#ifndef PLIMSOLL_BASE_ARENA_H
#define PLIMSOLL_BASE_ARENA_H

#include "base/str.h"

#include <stdarg.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *a); /* NULL is fine */
void arena_free_p(struct arena **a);
#define ARENA_AUTO __attribute__((cleanup(arena_free_p)))

/* size bytes, zeroed, aligned for anything. size 0 gives a valid pointer. */
void *arena_alloc(struct arena *a, size_t size);
/* count * size with a check of overflow (which aborts). */
void *arena_array(struct arena *a, size_t count, size_t size);
/* Grow an array: copies old_count elements; the old memory stays in the arena. */
void *arena_grow(struct arena *a, const void *old, size_t old_count, size_t new_count, size_t size);
#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))

/* Bytes handed out so far (for caps). */
size_t arena_used(const struct arena *a);

struct str arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct str arena_vprintf(struct arena *a, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

/* For the few things that outlive a job: malloc, realloc that abort instead of failing. */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t size);

#endif
