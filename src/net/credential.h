/* Who to be at a registry: Docker's config.json, Podman's auth.json, and the helpers that they name (docker-credential-NAME).
 * The parent's side: these are the user's own files, and a helper is a program, which no worker may run.
 *
 * Of several files the first with something for the registry counts: $REGISTRY_AUTH_FILE, $DOCKER_CONFIG/config.json,
 * $XDG_RUNTIME_DIR/containers/auth.json, ~/.config/containers/auth.json, ~/.docker/config.json. In a file: credHelpers for
 * the host, the auths key with the longest path that the image lies under, credsStore. */
#ifndef PLIMSOLL_NET_CREDENTIAL_H
#define PLIMSOLL_NET_CREDENTIAL_H

#include "base/arena.h"
#include "base/err.h"

enum credential_kind {
	CREDENTIAL_NONE,
	CREDENTIAL_PASSWORD, /* username and secret */
	CREDENTIAL_IDENTITY, /* secret is an OAuth2 refresh token */
	CREDENTIAL_BEARER,   /* secret is what the registry itself takes */
};

struct credential {
	enum credential_kind kind;
	struct str username, secret;
	struct str origin;  /* where it is from, in words: "~/.docker/config.json" in full; never the secret */
	struct str trouble; /* what could not be asked, in words: "docker-credential-pass: ..."; may be empty */
};

/* Of a file's text. A helper is named where it must be asked (ret->kind is NONE then). False: nothing for this
 * registry. ERR_FORMAT through ret->trouble: the file cannot be read. */
bool credential_in_file(struct arena *a, struct str text, struct str host, struct str path, struct credential *ret,
                        struct str *ret_helper);
/* Looks through files and helpers. host and path as in struct reference. */
void credential_find(struct arena *a, struct str host, struct str path, struct credential *ret);
/* What a helper printed. False: it has nothing. */
bool credential_of_helper(struct arena *a, struct str output, struct credential *ret);
/* "Basic ..." of a name and password. */
struct str credential_basic(struct arena *a, struct str username, struct str secret);

#endif
