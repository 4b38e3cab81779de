/* The protocol of registries, as a client: manifests, blobs, tokens. In a net worker: all answers are hostile.
 * Specifications: OCI distribution-spec 1.1; Docker's token authentication (distribution docs, spec/auth/token.md, oauth2.md);
 * RFC 6750, 7617. */
#ifndef PLIMSOLL_NET_REGISTRY_H
#define PLIMSOLL_NET_REGISTRY_H

#include "net/credential.h"
#include "net/http.h"

#define REGISTRY_ENDPOINTS_MAX 16

/* One place to ask: a registry or a mirror of it. */
struct registry_endpoint {
	struct str host;      /* with its port */
	struct str prefix;    /* of paths: "/v2", or what hosts.toml puts in its place */
	struct str path;      /* the repository there */
	struct str name;      /* in words: "registry quay.io", "mirror 10.0.0.1:5000 of docker.io" */
	bool mirror;
	bool blobs_only;      /* may not say what a tag means */
	bool insecure;        /* https is not verified */
	bool plain_http;      /* http where there is no https */
	bool loopback;        /* http before https: nobody listens in between */
	bool only_http;       /* the address is an http one */
	const char *ca_file, *client_cert, *client_key;
	struct http_header headers[8]; /* that hosts.toml adds */
	size_t header_count;
	struct credential credential;
};

/* What an earlier client has learned, so that another worker need not ask again. Text of a worker: hostile. */
struct registry_state {
	size_t endpoint;          /* that answered */
	bool http;                /* it has no https */
	struct str authorization; /* that it took */
};

struct registry_client;

/* In prepare: loads libcurl, reads certificates. Endpoints must outlive the client. state may be NULL. */
int registry_open(const struct registry_endpoint *endpoints, size_t count, const struct registry_state *state,
                  struct registry_client **ret, struct err *err);
void registry_close(struct registry_client *c);
void registry_learned(const struct registry_client *c, struct registry_state *ret);

struct registry_document {
	struct str text;
	struct str digest; /* computed: sha256:HEX */
	bool is_index;     /* else a manifest or a blob */
};

/* A manifest or index by tag or digest. ERR_NOT_FOUND, ERR_ACCESS (401, 403), ERR_NET, ERR_DIGEST, ERR_LIMIT,
 * ERR_UNSUPPORTED (schema 1), ERR_FORMAT. */
int registry_manifest(struct registry_client *c, struct arena *a, struct str version, struct registry_document *ret,
                      struct err *err);
/* A document by its digest: a manifest where an index that was fetched says so, else a blob (a config). Checked. */
int registry_by_digest(struct registry_client *c, struct arena *a, struct str digest, size_t size_max,
                       struct registry_document *ret, struct err *err);
/* The bytes of a blob; their digest is for the taker to check. */
int registry_stream(struct registry_client *c, struct arena *a, struct str digest, const struct http_sink *sink, struct err *err);

/* What a token service answers (RFC 6749 5.1 and Docker's): false: no token in it. */
bool registry_token_of(struct arena *a, struct str answer, struct str *ret);
/* "CODE: message" of an error's body (distribution-spec, error codes), or nothing. */
struct str registry_error_words(struct arena *a, struct str body);

#endif
