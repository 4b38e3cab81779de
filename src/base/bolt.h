/* bbolt files (containerd's metadata, by etcd's key-value library): one file of pages, a B+tree of buckets that hold keys
 * and further buckets. Read only, in bounded steps, and without the lock that the file's owner holds for as long as it
 * runs: nothing waits here, and nobody is made to wait.
 *
 * A state of the file is read, not the file: a writer never changes a page of the newest state, it writes others and then
 * one of the two meta pages. What a transaction has freed the next one may take again. So what was read holds if the newest
 * meta page after reading is the one from before; else bolt_read starts again with the newer state.
 *
 * Form: go.etcd.io/bbolt, format version 2, numbers in the order of the machine that wrote the file; only little-endian
 * ones are read. */
#ifndef PLIMSOLL_BASE_BOLT_H
#define PLIMSOLL_BASE_BOLT_H

#include "base/content.h"

struct bolt; /* one state of one file, while it is read */

struct bolt_bucket {
	uint64_t root;     /* page, or 0: */
	struct str page;   /* the page itself, within its parent's value (a small bucket) */
};

/* Ask one state of the file. `ask` may run several times: it must forget what an earlier run has found. What it is given
 * lives until it returns. Its errors count only if the file did not change meanwhile.
 * c->size is not believed where c has a descriptor. ERR_FORMAT, ERR_UNSUPPORTED, ERR_LIMIT (also: it changed under
 * BOLT_TRIES_MAX runs), ERR_IO, and what ask returns. */
int bolt_read(const struct content *c, int (*ask)(struct bolt *b, void *ctx, struct err *err), void *ctx, struct err *err);

/* Memory that lives until ask returns. */
struct arena *bolt_arena(struct bolt *b);
struct bolt_bucket bolt_root(const struct bolt *b);

/* 1: it is there; 0: it is not (or is of the other kind); negative: error. */
int bolt_find(struct bolt *b, const struct bolt_bucket *in, struct str key, struct str *ret_value, struct err *err);
int bolt_enter(struct bolt *b, const struct bolt_bucket *in, struct str key, struct bolt_bucket *ret, struct err *err);
/* bolt_enter for each of several keys. */
int bolt_enter_path(struct bolt *b, const struct bolt_bucket *in, const struct str *keys, size_t count,
                    struct bolt_bucket *ret, struct err *err);

/* Every key of a bucket in order. bucket is NULL for a plain value. A result other than 0 ends the walk and is returned. */
typedef int bolt_visit(void *ctx, struct str key, struct str value, const struct bolt_bucket *bucket, struct err *err);
int bolt_each(struct bolt *b, const struct bolt_bucket *in, bolt_visit *visit, void *ctx, struct err *err);

#endif
