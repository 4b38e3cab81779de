/* What the parts of the HTTP client share; internal to net/. http.c decides what is sent, again and where to;
 * http_try.c sends one request and takes one answer; http_url.c knows URLs. */
#ifndef PLIMSOLL_NET_HTTP_INTERNAL_H
#define PLIMSOLL_NET_HTTP_INTERNAL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/vec.h"
#include "net/curl_lib.h"
#include "net/http.h"

#include <time.h>

struct http {
	struct http_options o;
	CURL *easy;
	struct arena *arena;
	struct http_pem {
		struct str text;               /* empty: the library's, none */
		char path[32];                 /* of a memfd that holds it, for a TLS library that takes files alone */
	} authorities, cert, key;
	bool no_system;                    /* authorities are all there are */
	bool fd_used;
	int stand_in;                      /* until the connected socket takes its number; -1: none */
	struct curl_slist *connect_to;
};

/* One request and what came of it. */
struct http_try {
	struct http *h;
	struct arena *a;
	const struct http_request *r;
	enum http_method method; /* a redirect may make a GET of a POST */
	const char *url;
	bool authorised;         /* the request's authorization goes to this URL */
	uint64_t from;           /* Range; 0: none */
	struct str if_range;
	/* Where a body of a 2xx answer goes: one of them. */
	const struct http_sink *sink;
	struct buf *body;
	struct buf *error_body;  /* that of another answer */
	bool begun;              /* the sink's begin was called */
	uint64_t given;          /* bytes given to the sink by this try */
	uint64_t skip;           /* bytes yet to be passed over */
	uint64_t known_size;     /* from an earlier try; 0: not */
	/* The answer. */
	unsigned status;
	VEC(struct http_header) headers;
	size_t headers_size;
	uint64_t size;
	long retry_after;        /* seconds, 0: not told */
	/* Why it was ended from here. */
	enum { HTTP_GOES_ON, HTTP_ENOUGH, HTTP_SINK_ENDS, HTTP_TOO_LARGE, HTTP_HEADERS_TOO_LARGE, HTTP_STALLED, HTTP_TOO_LONG,
	       HTTP_CHANGED } end;
	struct timespec started, mark, told;
	uint64_t marked;         /* bytes since the mark */
};

enum http_outcome { HTTP_ANSWER, HTTP_BROKEN, HTTP_FAILED };

/* Sends it. ANSWER: whole (t->status); BROKEN: worth another try; FAILED: not. Words for the last two. */
enum http_outcome http_try(struct http_try *t, struct err *err);

/* What a location says, seen from base; false: it is no http or https URL, has a user in it, or is too long. */
bool http_url_resolve(struct arena *a, const char *base, struct str location, const char **ret);
bool http_url_valid(const char *url);
bool http_url_same_origin(const char *one, const char *other);
bool http_url_is_https(const char *url);
/* localhost and addresses of this machine. */
bool http_url_is_loopback(const char *url);
/* Without what may be secret in it: the query. */
struct str http_url_words(struct arena *a, const char *url);
struct str http_url_host(struct arena *a, const char *url);

#endif
