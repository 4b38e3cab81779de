/* HTTP/1.1 and 2 for what the program asks of engines, registries and feeds: a blocking client on libcurl, which is loaded
 * when the first client is opened and not before. To be used in a net worker (sandbox/worker.h): headers and bodies
 * come from strangers. There, http_open belongs into `prepare`: it loads libraries and reads the files named in the
 * options, neither of which a confined worker may. Not thread-safe.
 *
 * Redirects are followed here and not by the library: at most HTTP_REDIRECTS_MAX, never from https to http, and what
 * authorises a request is never sent to another scheme, host or port. 429 and 503 are waited for as Retry-After says
 * (at most HTTP_RETRY_AFTER_SECONDS_MAX), other 5xx, resets and stalls are tried again with growing pauses; a body that
 * breaks off is resumed with Range (and If-Range where there is an ETag or a date) from where it broke. What cannot be
 * resumed in a stream is an error: bytes are never given twice.
 * Specifications: RFC 9110, 9111 (conditional requests), 9112; OCI distribution-spec 1.1. */
#ifndef PLIMSOLL_NET_HTTP_H
#define PLIMSOLL_NET_HTTP_H

#include "base/arena.h"
#include "base/err.h"

#include <stdint.h>

struct http;

/* Strings must outlive the client. All may be NULL. */
struct http_options {
	const char *unix_socket; /* path: requests go there, whatever host the URL names (worker_spec.unix_sockets) */
	int connected_fd;        /* > 0: a connected socket (ssh) that carries the requests; one connection only; closed by
	                            the client */
	const char *ca_file;     /* PEM; in addition to the system's */
	const char *ca_only;     /* PEM; instead of the system's (an engine's own authority) */
	const char *client_cert, *client_key; /* PEM */
	const char *proxy;       /* NULL: HTTPS_PROXY, HTTP_PROXY, NO_PROXY of the environment, in either case; "": none.
	                            Never for loopback */
	bool insecure;           /* https without verification */
	unsigned stall_seconds;  /* less than HTTP_STALL_SIZE_MIN in so long is a break; 0: HTTP_STALL_SECONDS */
	unsigned tries;          /* 0: HTTP_TRIES */
};

struct http_header {
	struct str name, value;
};

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST };

struct http_request {
	enum http_method method;
	const char *url; /* http or https; no user and password in it */
	const struct http_header *headers; /* none that authorises */
	size_t header_count;
	struct str authorization; /* value of that header; empty: none */
	struct str body;          /* POST */
	uint64_t from;            /* first byte wanted */
	unsigned tries;           /* 0: the client's */
	bool immutable;           /* the URL names bytes that never change (a blob by its digest, which is checked): what a server
	                             without Range sends again from its start is passed over and not an error */
};

struct http_response {
	unsigned status;
	const char *url;              /* after redirects */
	struct http_header *headers;  /* of the last response; names lower-cased, values without control characters */
	size_t header_count;
	struct str body;              /* http_fetch */
	uint64_t size;                /* whole length of the thing, 0: not told */
};

/* ERR_ABSENT: no libcurl; ERR_IO, ERR_NOT_FOUND, ERR_LIMIT: files of the options. */
int http_open(const struct http_options *o, struct http **ret, struct err *err);
void http_close(struct http *h); /* NULL is fine */

/* The body in the arena, ERR_LIMIT over size_max. Any status is an answer, not an error (401, 404, 304 ...): bodies of
 * errors are given too. ERR_NET: no answer could be had; the text says which of name, connection, TLS, time-out it was. */
int http_fetch(struct http *h, struct arena *a, const struct http_request *r, size_t size_max, struct http_response *ret,
               struct err *err);
/* A body that is taken as it comes. Only bytes of a 2xx answer reach the sink; of others the first HTTP_ERROR_BODY_MAX
 * bytes are in ret->body. A sink that returns false ends it with ERR_IO. */
struct http_sink {
	bool (*take)(void *ctx, struct str bytes);
	void *ctx;
	/* Once, before the first byte of a 2xx answer (also one without any). Where `from` was asked for, status 200 means that
	 * the whole thing comes; without this call that is an error (unless immutable). May be NULL. */
	bool (*begin)(void *ctx, const struct http_response *r);
	/* About ten times a second; size 0: not known. May be NULL. */
	void (*progress)(void *ctx, uint64_t done, uint64_t size);
};
int http_stream(struct http *h, struct arena *a, const struct http_request *r, const struct http_sink *sink,
                struct http_response *ret, struct err *err);

/* The value of a header, or an empty slice. name in lower case. */
struct str http_header(const struct http_response *r, const char *name);

#endif
