/* `db update`: feeds anew, from their publishers, from mirrors, or from a folder or file; what cannot be had anew keeps its
 * facts and its date, from the file that was fetched before or out of the old database. The new database is written beside
 * the old one, verified, and renamed over it: whenever this process ends, one of the two is there, whole. */
#ifndef PLIMSOLL_ADVISORY_UPDATE_H
#define PLIMSOLL_ADVISORY_UPDATE_H

#include "base/arena.h"
#include "base/err.h"

struct update_options {
	const char *cache;  /* its folder feeds/ keeps what is fetched; NULL only with `from` */
	const char *output; /* the database; its folder is made */
	const char *old;    /* to carry facts over from; NULL: none */
	const char *from;   /* a mirror's folder, an archive of one, one feed, or an advisory file; NULL: the network */
	const struct str *feeds; /* names; none: the standard ones; "all" */
	size_t feed_count;
	const struct str *mirrors; /* tried in order; "publisher": its own address. None: that alone */
	size_t mirror_count;
	const char *ca_file, *proxy;
	bool insecure;
	unsigned seconds_max; /* for fetching one file */
	bool force;           /* take a feed also where it is older than before, or much smaller */
	int64_t built;        /* 0: now */
	void (*progress)(void *ctx, const char *what, uint64_t done, uint64_t size); /* NULL: none */
	void *ctx;
};

enum update_state {
	UPDATE_NEW,
	UPDATE_UNCHANGED,
	UPDATE_KEPT, /* failed: its old facts and date are in the new database */
	UPDATE_LOST, /* failed, and nothing is known of it from before */
};

struct update_feed {
	struct str name;
	bool other; /* a file that the table of feeds does not have; name is its path */
	enum update_state state;
	int64_t date;        /* of its data in the new database; 0: none */
	uint64_t advisories; /* of its source there */
	uint64_t size;       /* bytes that were fetched or read */
	double seconds;      /* for fetching */
	struct err why;      /* where it failed */
};

struct update_result {
	struct update_feed *feeds; /* in the arena */
	size_t count, failed;
	size_t carried;  /* sources of the old database that no feed of this run speaks of */
	struct str note; /* "the old database is damaged: ..."; may be empty */
	bool installed;  /* an advisory file was taken as it is */
	uint64_t facts, vulns, size;
};

/* ERR_USAGE: no such feed. ERR_LIMIT: another update is running. ERR_NET, ERR_NOT_FOUND: nothing at all was to be had; the old database
 * stands, as with every error. The result's feeds are there also then. */
int db_update(const struct update_options *o, struct arena *a, struct update_result *ret, struct err *err);

#endif
