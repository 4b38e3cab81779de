/* Credential helpers: docker-credential-NAME get, the server on its standard input, JSON on its output. The parent's side. */
#ifndef PLIMSOLL_NET_HELPER_H
#define PLIMSOLL_NET_HELPER_H

#include "base/arena.h"
#include "base/err.h"

/* Found in PATH; at most HELPER_OUTPUT_SIZE_MAX and HELPER_SECONDS_MAX. ERR_USAGE: an impossible name; ERR_ABSENT: no such
 * program; ERR_NOT_FOUND: it says that it has nothing; ERR_IO. What it printed is in no error, for it may be a secret. */
int helper_get(struct arena *a, struct str name, struct str server, struct str *ret, struct err *err);

#endif
