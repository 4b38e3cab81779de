/* The files of registry_hosts.h, read and looked up in; internal to net/. */
#ifndef PLIMSOLL_NET_REGISTRY_FILES_H
#define PLIMSOLL_NET_REGISTRY_FILES_H

#include "base/value.h"
#include "base/vec.h"
#include "net/registry_hosts.h"

struct registry_file {
	struct str path;
	const struct value *root;
};

struct registry_files {
	VEC(struct registry_file) conf; /* registries.conf and its .d, the later ones win */
	struct registry_file daemon;    /* root NULL: none */
	struct registry_file hosts;     /* hosts.toml of this host */
};

/* What is not there is left out; what cannot be read is an error. host: for hosts.toml. */
int registry_files_read(struct arena *a, const struct registry_rules *rules, struct str host, struct registry_files *ret,
                        struct err *err);
/* The alias of a short name without tag ("nginx"), or nothing. */
struct str registry_alias(const struct registry_files *f, struct str name, struct str *ret_path);
/* The [[registry]] whose prefix covers host/path best, or NULL. *ret_rest: what follows the prefix. */
const struct value *registry_entry(const struct registry_files *f, struct str name, struct str *ret_rest, struct str *ret_path);
bool registry_prefix_covers(struct str prefix, struct str name, struct str *ret_rest);
/* Certificates of a host's folder; of several authorities the first that is there. */
void registry_certificates(struct arena *a, const struct registry_rules *rules, struct registry_endpoint *e);

#endif
