/* What is asked of an engine's API (Docker's, and Podman's that speaks like it). Runs in a net worker: answers are hostile.
 * Few facts leave it, each a short text.
 *
 * Every request names the version that the engine itself says it speaks (/_ping's Api-Version, else /version), from 1.24
 * on: an engine that refuses old versions is content, and what is read here has not changed since. No request changes
 * anything. Reference: Docker Engine API 1.24 to 1.51. */
#ifndef PLIMSOLL_NET_ENGINE_H
#define PLIMSOLL_NET_ENGINE_H

#include "base/buf.h"
#include "base/reader.h"
#include "model/report.h"
#include "net/endpoint.h"
#include "net/http.h"

enum engine_fact {
	ENGINE_API,       /* "1.41" */
	ENGINE_SERVER,    /* "Docker 20.10.24", "libpod"; may be empty */
	ENGINE_ID,        /* of the image or container: 64 digits */
	ENGINE_IMAGE,     /* of a container: 64 digits */
	ENGINE_NAME,      /* a container's name; an image's first tag; may be empty */
	ENGINE_DRIVER,    /* "overlay2" */
	ENGINE_UPPER,     /* UpperDir of its graph driver; may be empty */
	ENGINE_ROOT,      /* DockerRootDir, where it was asked for */
	ENGINE_FACTS
};

struct engine_facts {
	struct str fact[ENGINE_FACTS];
	struct str_list images; /* references */
};

void engine_facts_encode(struct buf *out, const struct engine_facts *f);
void engine_facts_decode(struct arena *a, struct reader *r, struct engine_facts *ret);

struct engine;

/* In prepare. connected_fd: a connected socket, or 0: by the endpoint's address. e and fd live as long as the engine. */
int engine_open(struct arena *a, const struct endpoint *e, int connected_fd, unsigned stall_seconds, struct engine **ret,
                struct err *err);
void engine_close(struct engine *g);

/* The first request, before any other. ERR_UNSUPPORTED: too old, or no engine at all. */
int engine_negotiate(struct engine *g, struct engine_facts *f, struct err *err);
/* ERR_NOT_FOUND: the engine has none of that name; ERR_ACCESS: it refuses. reference is familiar (docker_familiar) or an id. */
int engine_image(struct engine *g, struct str reference, struct engine_facts *f, struct err *err);
int engine_container(struct engine *g, struct str name, struct engine_facts *f, struct err *err);
int engine_root(struct engine *g, struct engine_facts *f, struct err *err);
/* All names, and the ids of images without one. */
int engine_images(struct engine *g, struct engine_facts *f, struct err *err);
/* The image as a docker-archive. platform: "linux/arm64", passed on where the engine knows the question. */
int engine_save(struct engine *g, struct str reference, struct str platform, const struct http_sink *sink, struct err *err);

/* Parsers of single answers, for the above and for tests. */
int engine_parse_image(struct arena *a, struct str json, struct engine_facts *f, struct err *err);
int engine_parse_container(struct arena *a, struct str json, struct engine_facts *f, struct err *err);
int engine_parse_info(struct arena *a, struct str json, struct engine_facts *f, struct err *err);
int engine_parse_version(struct arena *a, struct str json, struct engine_facts *f, struct err *err);
int engine_parse_images(struct arena *a, struct str json, struct engine_facts *f, struct err *err);
/* "1.24" to "1.99" of decimal numbers; *ret_minor. */
bool engine_version_ok(struct str version, uint64_t *ret_minor);

#endif
