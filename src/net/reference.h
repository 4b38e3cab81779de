/* Names of images: "nginx", "quay.io/org/app:1@sha256:...", "[::1]:5000/a". Docker's grammar (distribution/reference):
 * the first part is a host where it holds a '.' or ':' or is localhost; docker.io in all its
 * spellings is docker.io, and what has one part there lies in library/. Strict: what is no name is refused, for it becomes
 * part of a URL. */
#ifndef PLIMSOLL_NET_REFERENCE_H
#define PLIMSOLL_NET_REFERENCE_H

#include "base/arena.h"
#include "base/err.h"

struct reference {
	struct str host;   /* docker.io, quay.io, localhost:5000; lower case */
	struct str path;   /* library/nginx */
	struct str tag;    /* empty where there is a digest alone; "latest" where there is neither */
	struct str digest; /* sha256:HEX, or empty */
	bool short_name;   /* no host was written */
};

/* ERR_USAGE with words; ERR_UNSUPPORTED for a digest that is no sha256. Slices point into the arena. */
int reference_parse(struct arena *a, struct str text, struct reference *ret, struct err *err);
/* The whole name: "docker.io/library/nginx:latest". */
struct str reference_text(struct arena *a, const struct reference *r);
/* What a registry's API calls it: the digest, else the tag. */
struct str reference_version(const struct reference *r);
/* A host with its port, as URLs and configuration files have it. */
bool reference_host_valid(struct str host);
bool reference_path_valid(struct str path);
/* docker.io for index.docker.io and registry-1.docker.io; else lower case of the same. */
struct str reference_host_canonical(struct arena *a, struct str host);

#endif
