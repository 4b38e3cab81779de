/* Errors: a function that can fail returns 0 or a negative code from here and words its reason in *err, to which
 * each level on the way up adds what it knows (path, layer, offset). Outputs are set only on success.
 * Modules return; only commands print. */
#ifndef PLIMSOLL_BASE_ERR_H
#define PLIMSOLL_BASE_ERR_H

#include "base/str.h"

enum {
	ERR_OK = 0,
	ERR_USAGE = -1,       /* wrong flags or configuration (exit 2) */
	ERR_IO = -2,          /* the system said no: open, read, write, fork */
	ERR_FORMAT = -3,      /* the bytes are not what they should be */
	ERR_LIMIT = -4,       /* a cap of limits.h was reached */
	ERR_UNSUPPORTED = -5, /* known, but not read by this version */
	ERR_NOT_FOUND = -6,
	ERR_DIGEST = -7,      /* content does not match the digest that names it */
	ERR_WORKER = -8,      /* a worker died or broke the protocol */
	ERR_ABSENT = -9,      /* nothing of that kind on this machine (no engine, no store) */
	ERR_ACCESS = -10,     /* it is there, and may not be read by this user */
	ERR_NET = -11,        /* no answer over the network, or none that can be used */
	ERR_LAST = ERR_NET,
};

struct err {
	int code;
	char text[768]; /* terminated, one line, control characters replaced */
};

/* Set the error; returns code, so that `return err_set(err, ERR_IO, "open %s: %m", path);` reads well.
 * err may be NULL. %m works: errno is kept. */
int err_set(struct err *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Put "context: " in front of what is there; returns the code that is there. */
int err_wrap(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#if defined(__clang_analyzer__) && !defined(PLIMSOLL_ERR_IMPLEMENTATION)
/* An analyzer sees one file at a time: that these give a negative code is told here. */
#define err_set(err, code, ...) ((void)(err_set)(err, code, __VA_ARGS__), (code))
#define err_wrap(...) ((void)(err_wrap)(__VA_ARGS__), ERR_IO)
#endif

#endif
