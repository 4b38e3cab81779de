/* Bump allocation in growing blocks: see arena.h. */
#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BLOCK_MIN (16u * 1024u)
#define ARENA_BLOCK_MAX (1024u * 1024u)

struct arena_block {
	struct arena_block *next;
	size_t size;
	size_t used;
	max_align_t data[];
};

struct arena {
	struct arena_block *top;
	size_t block_size;
	size_t used;
};

static _Noreturn void out_of_memory(void)
{
	static const char msg[] = "plimsoll: out of memory\n";
	fputs(msg, stderr);
	abort();
}

void *xmalloc(size_t size)
{
	void *p = malloc(size ? size : 1);
	if (!p)
		out_of_memory();
	return p;
}

void *xcalloc(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size ? size : 1);
	if (!p)
		out_of_memory();
	return p;
}

void *xrealloc(void *old, size_t size)
{
	void *p = realloc(old, size ? size : 1);
	if (!p)
		out_of_memory();
	return p;
}

struct arena *arena_new(void)
{
	struct arena *a = xcalloc(1, sizeof(*a));
	a->block_size = ARENA_BLOCK_MIN;
	return a;
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	for (struct arena_block *b = a->top, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	free(a);
}

void arena_free_p(struct arena **a)
{
	arena_free(*a);
	*a = NULL;
}

/* A block of its own for what is large, so that the current block goes on being filled. */
static void *alloc_block(struct arena *a, size_t size)
{
	bool own = size > a->block_size / 4;
	size_t data = own ? size : a->block_size;
	if (data > SIZE_MAX - sizeof(struct arena_block))
		out_of_memory();
	struct arena_block *b = xcalloc(1, sizeof(*b) + data);
	b->size = data;
	b->used = size;
	if (own && a->top) {
		b->next = a->top->next;
		a->top->next = b;
	} else {
		b->next = a->top;
		a->top = b;
	}
	if (!own && a->block_size < ARENA_BLOCK_MAX)
		a->block_size *= 2;
	return b->data;
}

void *arena_alloc(struct arena *a, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	if (size > SIZE_MAX - align)
		out_of_memory();
	size_t need = (size + align - 1) / align * align;
	a->used += need;
	struct arena_block *b = a->top;
	if (b && b->size - b->used >= need) {
		void *p = (char *)b->data + b->used;
		b->used += need;
		return p;
	}
	return alloc_block(a, need);
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
	size_t total;
	if (__builtin_mul_overflow(count, size, &total))
		out_of_memory();
	return arena_alloc(a, total);
}

void *arena_grow(struct arena *a, const void *old, size_t old_count, size_t new_count, size_t size)
{
	void *p = arena_array(a, new_count, size);
	if (old_count)
		memcpy(p, old, old_count * size);
	return p;
}

size_t arena_used(const struct arena *a)
{
	return a->used;
}

struct str arena_vprintf(struct arena *a, const char *format, va_list args)
{
	/* Most texts are short: formatted once, then copied. */
	char small[512];
	va_list again;
	va_copy(again, args);
	int n = vsnprintf(small, sizeof(small), format, args);
	if (n < 0)
		n = 0;
	char *p = arena_alloc(a, (size_t)n + 1);
	if ((size_t)n < sizeof(small))
		memcpy(p, small, (size_t)n + 1);
	else
		(void)vsnprintf(p, (size_t)n + 1, format, again);
	va_end(again);
	return (struct str){ p, (size_t)n };
}

struct str arena_printf(struct arena *a, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	struct str s = arena_vprintf(a, format, args);
	va_end(args);
	return s;
}
