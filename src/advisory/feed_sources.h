/* Where feeds come from: one row for each feed that `db update` knows, with what its publisher says of it. The addresses
 * are facts of their publishers; a mirror, and a folder that is given instead, lays the same files out as NAME/FILE.
 * A row promises nothing about an address: what comes from there is recognised by its content (feeds.c). */
#ifndef PLIMSOLL_ADVISORY_FEED_SOURCES_H
#define PLIMSOLL_ADVISORY_FEED_SOURCES_H

#include "base/arena.h"

#include <stdint.h>

struct feed_row {
	const char *name;     /* of --feed, and the folder of a mirror */
	const char *form;     /* row of feeds.c that must take it */
	const char *packing;  /* for people: how it is packed, and what is inside */
	const char *source;   /* name in the database of what it mainly says */
	const char *replaces; /* names of sources that say the same, but less; space-separated; may be NULL */
	const char *licence, *attribution; /* as the publisher states them; "none stated" */
	bool standard;        /* taken where no feed is named */
	const char *why_not;  /* where it is not: the reason, for people */
	const char *cadence;  /* how often it is published */
	const char *size;     /* to be downloaded, about */
	uint64_t size_max;    /* of one file, as stored */
	/* Space-separated; each ends in '/', and a file's name is put behind it. NULL: only from a mirror or a folder. */
	const char *bases;
	/* Space-separated files: names in a mirror's folder. "?NAME": may be missing at the publisher (a release that is not out
	 * yet). "NAME=PATH": stands at PATH behind the base, which may be empty. */
	const char *files;
};

extern const struct feed_row feed_rows[];
extern const size_t feed_row_count;

const struct feed_row *feed_row_find(struct str name);

struct feed_row_file {
	struct str name; /* in a mirror's folder */
	struct str at;   /* behind the publisher's base */
	bool optional;
};
/* File i of a row; false: there are no more. */
bool feed_row_file(const struct feed_row *row, size_t i, struct feed_row_file *ret);
size_t feed_row_files(const struct feed_row *row);
/* NAME/FILE: its place below a mirror, and the path that it is recognised by. */
struct str feed_row_path(struct arena *a, const struct feed_row *row, const struct feed_row_file *f);
/* The publisher's address i of a file; empty: there are no more. */
struct str feed_row_url(struct arena *a, const struct feed_row *row, const struct feed_row_file *f, size_t i);
/* Its address at a mirror: PREFIX/NAME/FILE. */
struct str feed_row_mirror_url(struct arena *a, struct str prefix, const struct feed_row *row,
                               const struct feed_row_file *f);
/* The row and file whose NAME/FILE `path` is or ends in (behind a '/'), or NULL. */
const struct feed_row *feed_row_of_path(struct str path, size_t *ret_file);

#endif
