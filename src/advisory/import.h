/* Importers over files: each is recognised and read in a bytes worker of its own, two at a time, and what it says is kept
 * as frames until somebody takes them into a builder or drops them. The parent maps files and parses nothing of them.
 * A feed may lie inside of a file: from a page's boundary to its end. */
#ifndef PLIMSOLL_ADVISORY_IMPORT_H
#define PLIMSOLL_ADVISORY_IMPORT_H

#include "advisory/build.h"
#include "base/buf.h"

struct worker;

struct import_file {
	struct str path;  /* recognition goes by it and by the content */
	const char *file; /* on this machine; NULL: fd */
	int fd;           /* stays the caller's */
	uint64_t at;      /* where the feed begins; a multiple of the page size */
	struct str licence, attribution; /* empty: the importer's own words */
	int64_t updated;                 /* date for data that has none of its own; 0: the file's own time */
	int64_t latest;                  /* as feed_input.latest */
	/* what became of it */
	int rc; /* 0, or as err says */
	struct err err;
	struct str feed; /* name of the row of feeds.c that took it */
	uint64_t records, left_out, skipped;
	/* private */
	struct str map, bytes;
	int64_t mtime;
	struct worker *worker;
	struct buf frames; /* u32 length and payload, one after another */
	bool done;
};

/* All of them. `ended` is called for each in its order (not in the order in which they end), and must take or drop it. */
void imports_run(struct arena *a, struct import_file *files, size_t count, void (*ended)(void *ctx, size_t index),
                 void *ctx);
/* What it said, into a builder; may be done again. ERR_FORMAT where the worker's words make no sense: what stood before
 * them has been taken. */
int import_take(const struct import_file *f, struct db_builder *b, struct err *err);
void import_drop(struct import_file *f);

#endif
