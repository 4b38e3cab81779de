/* Fetching feeds into the store: each file in a net worker of its own, a few at a time. What is there is asked for with
 * conditions (ETag, Last-Modified), what broke off in an earlier run is resumed if the server says that it is still the same,
 * and addresses are tried in order. Specifications: RFC 9110 13 (conditions), 14 (ranges). */
#ifndef PLIMSOLL_ADVISORY_FEED_FETCH_H
#define PLIMSOLL_ADVISORY_FEED_FETCH_H

#include "advisory/feed_store.h"
#include "base/limits.h"

enum fetch_result {
	FETCH_FAILED,    /* err */
	FETCH_NEW,       /* the store's part is it, whole */
	FETCH_UNCHANGED, /* the store's kept file is it */
	FETCH_ABSENT,    /* optional, and the server has no such file */
};

struct fetch_job {
	const struct feed_row *row;
	struct feed_row_file file;
	struct str key;
	struct str urls[FEED_ADDRESSES_MAX];
	size_t url_count;
	/* what became of it */
	enum fetch_result result;
	struct err err;
	uint64_t received; /* bytes over the network */
	double seconds;
	/* private */
	size_t url, tries;
	uint64_t done, size;
	bool ended;
};

struct fetch_options {
	const char *ca_file, *proxy;
	bool insecure;
	unsigned seconds_max; /* of one file */
	/* Bytes of all jobs so far, and of how many as far as that is known. May be NULL. */
	void (*progress)(void *ctx, uint64_t done, uint64_t size);
	void *ctx;
};

/* All of them; what happens to one is in it. */
void feeds_fetch(struct feed_store *s, struct arena *a, struct fetch_job *jobs, size_t count,
                 const struct fetch_options *o);

/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7); 0 for anything else. */
int64_t feed_http_date(struct str s);

#endif
