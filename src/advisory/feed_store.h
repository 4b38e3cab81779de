/* Feeds as they were fetched, in the folder feeds/ of the cache: for each file of a feed the one that the database was last
 * made from (NAME.feed), and one that is being fetched or has been fetched and was not yet taken (NAME.part). Both have the
 * same form: a page of our own words (address, validators, date, size, digest), then the bytes as they came, so that one
 * rename changes all of it at once. Anybody may delete them at any time.
 * The names are made from the table of feeds, never from what a server or an archive says. One process at a time has the
 * folder (flock on it, which ends with the process); readers of databases do not care. */
#ifndef PLIMSOLL_ADVISORY_FEED_STORE_H
#define PLIMSOLL_ADVISORY_FEED_STORE_H

#include "advisory/feed_sources.h"
#include "base/err.h"
#include "base/hash.h"

#define FEED_STORE_HEAD 4096u

struct feed_store;

/* Makes the folder (0700) and takes it. ERR_IO: it cannot be used; ERR_LIMIT: another update has it. */
int feed_store_open(const char *cache, struct feed_store **ret, struct err *err);
void feed_store_close(struct feed_store *s); /* NULL is fine */

enum feed_state {
	FEED_KEPT, /* NAME.feed */
	FEED_PART, /* NAME.part */
	FEED_NEXT, /* NAME.next: asked for, and nothing has come yet; never outlives a run */
};

struct feed_entry {
	bool there;    /* and sound: a page that makes sense, and, where it is complete, size and digest as it says */
	bool complete;
	uint64_t size; /* of the bytes that are there */
	struct str url, etag, modified;
	int64_t date;  /* of the data: Last-Modified, else when it came */
	struct sha256 digest; /* where it is complete */
};
/* What stands in the store; in the arena. An entry that is not sound is removed. */
void feed_store_look(struct feed_store *s, struct arena *a, struct str key, enum feed_state state, struct feed_entry *ret);
/* "osv/Go" and "all.zip" -> "osv-Go.all.zip" */
struct str feed_store_key(struct arena *a, const struct feed_row *row, const struct feed_row_file *f);
const char *feed_store_path(struct feed_store *s, struct arena *a, struct str key, enum feed_state state);

/* For reading and writing: the part, at its end, or with `fresh` an empty NAME.next, behind the place of the page. Locked as
 * long as anybody has the descriptor, so that no dying process of an earlier run writes into it. */
int feed_store_write(struct feed_store *s, struct str key, bool fresh, int *ret_fd, struct err *err);
/* NAME.next becomes the part, in place of what that was. */
int feed_store_begin(struct feed_store *s, struct str key, struct err *err);
/* The page in front of a part. With complete, size and digest of the bytes are taken from the file, which is synced. */
int feed_store_note(int fd, const struct feed_entry *e, struct err *err);
/* The part becomes what is kept. */
int feed_store_keep(struct feed_store *s, struct str key, struct err *err);
void feed_store_drop(struct feed_store *s, struct str key, enum feed_state state);
/* A nameless file in the store, for bytes that need a place for this run. */
int feed_store_scratch(struct feed_store *s, int *ret_fd, struct err *err);

#endif
