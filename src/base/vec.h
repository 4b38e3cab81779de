/* Growing arrays in an arena, typed by use:
 *     VEC(struct package) pkgs = {0};
 *     *vec_push(arena, &pkgs) = p;
 *     for (size_t i = 0; i < pkgs.len; i++) use(&pkgs.ptr[i]);
 * Old memory stays in the arena when a vector grows, so a vector costs at most twice its size. */
#ifndef PLIMSOLL_BASE_VEC_H
#define PLIMSOLL_BASE_VEC_H

#include "base/arena.h"

#define VEC(type)                                                                                                      \
	struct {                                                                                                       \
		type *ptr;                                                                                             \
		size_t len, cap;                                                                                       \
	}

/* Pointer to a new zeroed last element. */
#define vec_push(a, v)                                                                                                 \
	((v)->len == (v)->cap                                                                                          \
	         ? ((v)->ptr = arena_grow((a), (v)->ptr, (v)->len, (v)->cap ? (v)->cap * 2 : 8, sizeof(*(v)->ptr)),    \
	            (v)->cap = (v)->cap ? (v)->cap * 2 : 8)                                                            \
	         : 0,                                                                                                  \
	 &(v)->ptr[(v)->len++])

#endif
