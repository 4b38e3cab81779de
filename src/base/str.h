/* A slice of bytes that somebody else owns: the one string type of the program.
 * Not terminated, may hold NUL; a zero slice {NULL, 0} is the empty string.
 * A slice lives as long as what it points into: an arena, a mapped file, a literal.
 * Nothing here allocates, except where an arena is asked for. */
#ifndef PLIMSOLL_BASE_STR_H
#define PLIMSOLL_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

struct str {
	const char *ptr;
	size_t len;
};

/* Of a string literal only. */
#define STR(lit) ((struct str){ "" lit, sizeof(lit) - 1 })
/* The same where a constant expression is needed (static tables). */
#define STR_INIT(lit) { "" lit, sizeof(lit) - 1 }
/* For printf("%.*s", STR_ARG(s)); what is printed is cut at INT_MAX. */
#define STR_ARG(s) str_len_int(s), (s).ptr ? (s).ptr : ""

int str_len_int(struct str s);

/* From a terminated string of our own (argv, getenv); NULL gives the empty slice. */
struct str str_from(const char *cstr);

bool str_eq(struct str a, struct str b);
bool str_eq_nocase(struct str a, struct str b); /* ASCII only, whatever the locale */
int str_cmp(struct str a, struct str b);        /* byte order, shorter first; <0, 0, >0 */
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
bool str_contains(struct str s, struct str needle);
/* Offset of the first/last byte c, or -1. */
ptrdiff_t str_find(struct str s, char c);
ptrdiff_t str_rfind(struct str s, char c);
/* Offset of the first needle, or -1; an empty needle is at 0. */
ptrdiff_t str_find_str(struct str s, struct str needle);

/* [from, to), both clamped to the slice. */
struct str str_sub(struct str s, size_t from, size_t to);
/* Without leading and trailing space, tab, CR, LF, VT, FF. */
struct str str_trim(struct str s);
/* If s starts (ends) with it, cut it off and return true. */
bool str_skip(struct str *s, struct str prefix);
bool str_drop(struct str *s, struct str suffix);

/* Take what stands before the first sep off the front of *rest into *ret_head; without a sep all of it.
 * False, touching nothing but *ret_head (made empty), once *rest has been used up.
 *     for (struct str line, rest = text; str_cut(&rest, '\n', &line);) ... */
bool str_cut(struct str *rest, char sep, struct str *ret_head);

/* Decimal digits only, whole slice, no sign, no overflow. False otherwise. */
bool str_to_u64(struct str s, uint64_t *ret);
/* Octal or hexadecimal the same way, base 8, 10 or 16. */
bool str_to_u64_base(struct str s, unsigned base, uint64_t *ret);

/* Lower case (ASCII) copy; a copy; a terminated copy for system calls. All in the arena. */
struct str str_lower(struct arena *a, struct str s);
struct str str_dup(struct arena *a, struct str s);
char *str_cstr(struct arena *a, struct str s);

/* Shell-like pattern over the whole slice: ? one byte, * any run without '/', ** any run at all,
 * [abc] [a-z] [!a], backslash quotes; a leading or inner "**" with its slash also stands for no folder.
 * Quadratic in the text at worst. */
bool str_glob(struct str pattern, struct str text);

/* 64-bit hash for tables of our own (not a secret, not stored in files that others can forge). */
uint64_t str_hash(struct str s);
/* The same in steps, for the hashes of all prefixes of a text in one pass: start, step a byte, finish (any time). */
#define STR_HASH_START ((uint64_t)0xcbf29ce484222325u)
static inline uint64_t str_hash_step(uint64_t h, char c) { return (h ^ (unsigned char)c) * 0x100000001b3u; }
static inline uint64_t str_hash_finish(uint64_t h)
{
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93u;
	return h ^ (h >> 32);
}

static inline bool ascii_digit(char c) { return c >= '0' && c <= '9'; }
static inline bool ascii_lower(char c) { return c >= 'a' && c <= 'z'; }
static inline bool ascii_upper(char c) { return c >= 'A' && c <= 'Z'; }
static inline bool ascii_alpha(char c) { return ascii_lower(c) || ascii_upper(c); }
static inline bool ascii_alnum(char c) { return ascii_alpha(c) || ascii_digit(c); }
static inline bool ascii_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
static inline bool ascii_hex(char c) { return ascii_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
static inline char ascii_tolower(char c) { return ascii_upper(c) ? (char)(c + 32) : c; }

#endif
