/* What the parts of `db update` share: update.c leads, update_from.c finds files without a network, update_build.c makes the
 * database of what was found. Private to them. */
#ifndef PLIMSOLL_ADVISORY_UPDATE_INTERNAL_H
#define PLIMSOLL_ADVISORY_UPDATE_INTERNAL_H

#include "advisory/db.h"
#include "advisory/feed_fetch.h"
#include "advisory/import.h"
#include "advisory/update.h"

enum item_standing {
	ITEM_OPEN,    /* its files are there, and have not been read */
	ITEM_MISSING, /* was not to be had here, and nobody asked for it by name */
	ITEM_FAILED,
	ITEM_KEPT,    /* failed; taken from the files of an earlier run */
	ITEM_TAKEN,
};

/* One feed of this run. */
struct update_item {
	const struct feed_row *row; /* NULL: one that the table does not have (a file found in a folder) */
	struct update_feed out;
	enum item_standing standing;
	bool partial;         /* only some of its files were there: the rest stays as it was */
	struct {
		struct import_file *ptr;
		size_t len, cap;
	} files;
	/* of the fetch, per file of the row */
	struct fetch_job *jobs;
	size_t job_count;
};

struct update {
	const struct update_options *o;
	struct arena *a;
	struct feed_store *store; /* NULL: none is needed */
	struct {
		struct update_item *ptr;
		size_t len, cap;
	} items;
	struct db *old; /* NULL: none, or damaged */
	struct db_builder *b;
	int64_t built;
	int *scratch; /* descriptors to be closed */
	size_t scratch_count;
};

/* --- update_from.c --- */

/* Fills the items' files from o->from. *ret_installed: it is an advisory file, and nothing was filled. */
int update_from(struct update *u, bool *ret_installed, struct err *err);
struct update_item *update_add_item(struct update *u, const struct feed_row *row, struct str name);

/* --- update_build.c --- */

/* Imports what the items have, decides about each, and carries the rest over. *ret_carried counts sources of the old
 * database that no feed of this run speaks of. */
int update_build(struct update *u, size_t *ret_carried, struct err *err);
/* Path is replaced by what `write` puts beside it, once that has been verified. */
int update_install(struct update *u, struct update_result *ret, struct err *err);
int update_install_file(struct update *u, const char *file, struct update_result *ret, struct err *err);

#endif
