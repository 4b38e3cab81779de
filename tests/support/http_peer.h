/* A web server of the tests' own, as bad as asked for: a process on a loopback port that answers one connection after
 * the other by a function. Ends with the test. */
#ifndef PLIMSOLL_TESTS_HTTP_PEER_H
#define PLIMSOLL_TESTS_HTTP_PEER_H

#include "base/str.h"

#include <sys/types.h>

struct http_peer {
	pid_t pid;
	int listener;
	unsigned port;       /* 0: a Unix socket */
	char path[108];
};

/* One request (its head, and as much of a body as came with it); what it writes to fd is the answer, after which the
 * connection is closed, or kept for the next request where it returns true. */
typedef bool (*http_peer_answer)(int fd, struct str request, void *ctx);

/* path NULL: a port on 127.0.0.1. */
void http_peer_start(struct http_peer *p, const char *path, http_peer_answer answer, void *ctx);
void http_peer_stop(struct http_peer *p);
/* "GET /x" of a request; the value of a header, or the empty slice. */
bool http_peer_asks(struct str request, const char *what);
struct str http_peer_header(struct str request, const char *name);
void http_peer_say(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
