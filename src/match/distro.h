/* The distributions that the matcher can speak about: one row each, and the few rules in which they differ. */
#ifndef PLIMSOLL_MATCH_DISTRO_H
#define PLIMSOLL_MATCH_DISTRO_H

#include "base/arena.h"
#include "model/os.h"
#include "model/package.h"

/* Names under which the advisory file may hold one release, best first. */
#define DISTRO_PLATFORMS_MAX 4

struct distro_platforms {
	struct str name[DISTRO_PLATFORMS_MAX];
	size_t len;
	size_t own; /* the first `own` are this distribution's; the others are a relative's, and so never complete */
};

struct distro {
	struct str id;          /* os-release's ID */
	struct str name;        /* for people */
	struct str vendor;      /* severity_source where the advisory itself rates */
	struct str scheme;      /* version/versions.h */
	enum package_type type; /* packages of any other type are not assessed */
	bool by_source;         /* advisories name source packages, and speak of the source's version */
	bool modules;           /* rpm module streams */
	bool unfixed;           /* the vendor also publishes vulnerabilities that have no fix */
	struct str tracker;     /* page of a vulnerability: the id follows */
	void (*platforms)(struct arena *a, const struct os *os, struct distro_platforms *ret);
};

/* NULL where no source of advisories is read for it. */
const struct distro *distro_find(const struct os *os);

/* The name that advisories are asked for and the version that they speak about. For a kernel's signed image, which
 * Debian and Ubuntu build from a second source package, that is the kernel's own source. */
struct distro_subject {
	struct str name;
	struct str version;
};
struct distro_subject distro_subject(const struct distro *d, const struct package *p);

/* Who built a package, where it was not the distribution: "NodeSource"; empty: the distribution itself, as far as the
 * package's own fields say. vendors_known: some package of this target states a vendor (rpm), so one that does not
 * is of unknown origin. */
struct str distro_origin(const struct distro *d, const struct package *p, bool vendors_known);

/* gpg-pubkey: keys that rpm keeps in its database in the form of packages. */
bool distro_is_package(const struct package *p);

#endif
