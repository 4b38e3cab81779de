/* Where an engine listens: what the user says (--host, DOCKER_HOST, contexts) or where it usually does. Reads the user's
 * own configuration (~/.docker, which DOCKER_CONFIG moves) and environment; asks nobody, opens no connection.
 *
 * Order, as Docker's client has it: --host, DOCKER_HOST, DOCKER_CONTEXT, currentContext of config.json, else the usual
 * sockets: /var/run/docker.sock, then those of a rootless engine ($XDG_RUNTIME_DIR/docker.sock) and of Docker Desktop
 * (~/.docker/run/docker.sock), the first that is there.
 * Contexts: ~/.docker/contexts/meta/ID/meta.json and contexts/tls/ID/docker/{ca,cert,key}.pem, ID being the SHA-256 of the
 * name. DOCKER_TLS_VERIFY (not empty) and DOCKER_CERT_PATH (else ~/.docker) are for tcp of --host and DOCKER_HOST. */
#ifndef PLIMSOLL_NET_ENDPOINT_H
#define PLIMSOLL_NET_ENDPOINT_H

#include "base/arena.h"
#include "base/err.h"

enum endpoint_kind { ENDPOINT_UNIX, ENDPOINT_TCP, ENDPOINT_SSH };

struct endpoint {
	enum endpoint_kind kind;
	bool chosen;           /* the user named it; false: where engines usually listen */
	struct str name;       /* for people: "unix:///var/run/docker.sock" */
	struct str said_by;    /* "--host", "DOCKER_HOST", "context work"; empty where not chosen */
	const char *base_url;  /* what paths of the API are put behind: "http://docker", "https://host:2376/prefix" */
	const char *socket;    /* UNIX: path. SSH: the engine's socket on the other machine, NULL: its default */
	const char *ca, *cert, *key; /* https: PEM files, each may be NULL */
	bool insecure;         /* https without verification */
	const char *ssh_host, *ssh_user, *ssh_port; /* SSH: the latter may be NULL */
};

/* One endpoint's text: unix://PATH, /PATH, tcp://HOST[:PORT][/PREFIX], http://, https://, ssh://[USER@]HOST[:PORT][/SOCKET],
 * HOST:PORT. ERR_USAGE; ERR_UNSUPPORTED (npipe, fd). tls: tcp means https. */
int endpoint_parse(struct arena *a, struct str text, bool tls, struct endpoint *ret, struct err *err);

/* The endpoint of a context from its meta.json. ERR_FORMAT, ERR_USAGE. */
struct endpoint_context {
	struct str host;
	bool skip_verify;
};
int endpoint_context_parse(struct arena *a, struct str meta, struct endpoint_context *ret, struct err *err);

/* host: --host, NULL where it was not given. ERR_USAGE where what the user says cannot be meant. */
int endpoint_find(struct arena *a, const char *host, struct endpoint *ret, struct err *err);

bool endpoint_remote(const struct endpoint *e); /* what --offline refuses */

#endif
