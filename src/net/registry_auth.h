/* Getting leave to read from a registry; internal to net/. */
#ifndef PLIMSOLL_NET_REGISTRY_AUTH_H
#define PLIMSOLL_NET_REGISTRY_AUTH_H

#include "net/registry.h"

struct registry_way {
	const struct registry_endpoint *e;
	struct http *http;
	bool use_http, scheme_known;
	struct str authorization;
	struct str failed; /* why it was left */
};

/* After a 401: asks a token service, or takes the name and password, and sets w->authorization. ERR_ACCESS: nothing more
 * can be tried; the text says what was. */
int registry_authorize(struct registry_way *w, struct arena *a, const struct http_response *r, struct err *err);
/* "with the credentials of FILE" or "without credentials". */
struct str registry_credential_words(struct arena *a, const struct registry_endpoint *e);
struct str registry_escape(struct arena *a, struct str s);

#endif
