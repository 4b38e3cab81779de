/* An installed package, as the database of its distribution says. A fact: no opinion in it. */
#ifndef PLIMSOLL_MODEL_PACKAGE_H
#define PLIMSOLL_MODEL_PACKAGE_H

#include "base/buf.h"
#include "base/reader.h"
#include "base/vec.h"

enum package_type { PACKAGE_DEB, PACKAGE_OPKG, PACKAGE_APK, PACKAGE_RPM };
#define PACKAGE_TYPE_COUNT 4

/* Whether a running process has one of its files mapped (--in-use). */
enum package_use { USE_UNKNOWN, USE_NO, USE_YES };

struct package {
	enum package_type type;
	enum package_use use;
	struct str name;
	struct str version;        /* whole: "1:2.3-4" for deb, "2.3-r4" for apk, "[epoch:]version-release" for rpm, the
	                              epoch only where the database states one other than 0 */
	struct str arch;           /* may be empty */
	struct str source_name;    /* never empty: the binary name where the database states no source.
	                              deb: Source; apk: origin; rpm: name of SOURCERPM */
	struct str source_version; /* never empty, with epoch as above. rpm: version-release of SOURCERPM, which has no
	                              epoch, so the binary's epoch is used */
	struct str vendor;         /* deb: Maintainer; rpm: Vendor; apk: maintainer; may be empty */
	struct str module;         /* rpm: MODULARITYLABEL "name:stream:version:context"; may be empty */
	struct str db_path;        /* where the database stands in the image, without a leading slash */
	struct str layer;          /* diff ID, set when layers are merged; empty for folders */
};

struct package_list {
	struct package *ptr;
	size_t len, cap;
};

const char *package_type_name(enum package_type t); /* "deb", "opkg", "apk", "rpm" */

/* The wire and cache form of a package (all fields). Decoding sets r->bad on anything wrong; slices point into the
 * reader's bytes. */
void package_encode(struct buf *out, const struct package *p);
void package_decode(struct reader *r, struct package *ret);

/* name, version, arch, then source: the order in which reports list packages. */
int package_cmp(const struct package *a, const struct package *b);

/* Package URL (purl-spec): pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=debian-12&upstream=glibc%402.36-9
 * (upstream only where source differs from binary). os_id is the distribution's ID of os-release ("debian"),
 * os_version its VERSION_ID; both may be empty. rpm: epoch is a qualifier, name keeps its case. */
struct str package_purl(struct arena *a, const struct package *p, struct str os_id, struct str os_version);

#endif
