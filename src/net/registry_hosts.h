/* Where an image is asked for: the registry of its name, or what the files of this machine put in its place: mirrors,
 * other locations, authorities, blocks. The parent's side; the files are the machine's own.
 *
 * Read are, for a host: registries.conf version 2 with its .d folder and short-name aliases (containers-registries.conf(5);
 * $CONTAINERS_REGISTRIES_CONF, else the user's, else the system's), containerd's certs.d/HOST/hosts.toml, daemon.json's
 * registry-mirrors and insecure-registries, and the folders certs.d/HOST[:PORT] of Docker and Podman with *.crt
 * and NAME.cert, NAME.key. */
#ifndef PLIMSOLL_NET_REGISTRY_HOSTS_H
#define PLIMSOLL_NET_REGISTRY_HOSTS_H

#include "net/reference.h"
#include "net/registry.h"

struct registry_rules {
	const char *etc;  /* "/etc" */
	const char *home; /* the user's folder; may be NULL */
	bool insecure;    /* --insecure */
	const char *ca_file; /* --cacert; may be NULL */
};

struct registry_plan {
	struct reference reference; /* with a short name's alias in its place */
	struct registry_endpoint *endpoints;
	size_t count;
	struct str said; /* which file had a say: "mirrors of /etc/containers/registries.conf"; may be empty */
};

/* For this machine and user. */
struct registry_rules registry_rules_here(void);
/* ERR_ACCESS: blocked; ERR_USAGE, ERR_FORMAT: the name, a file. Credentials are left to the caller. */
int registry_plan(struct arena *a, struct str name, const struct registry_rules *rules, struct registry_plan *ret, struct err *err);

#endif
