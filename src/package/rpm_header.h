/* One rpm header as a rpm database stores it, and what the three forms of database (SQLite, ndb, Berkeley DB) share
 * on the way from a header to a package.
 *
 * The form, all numbers big-endian: count of index entries, size of the store; the entries, each of tag, type, offset
 * into the store and count; the store. The first entry is usually a region: its 16 bytes in the store say how many
 * entries the package was built and signed with. Entries behind those were added at installation, and rpm believes
 * them over entries of the same tag inside the region. */
#ifndef PLIMSOLL_PACKAGE_RPM_HEADER_H
#define PLIMSOLL_PACKAGE_RPM_HEADER_H

#include "package/formats.h"

/* What we ask of a header. Slices point into its bytes; empty where the header has no such tag. */
struct rpm_header {
	struct str name, version, release; /* never empty */
	struct str arch, vendor, module;
	struct str source_rpm; /* a file name: "bash-5.1.8-6.el9.src.rpm" */
	uint32_t epoch;        /* 0 where there is none: rpm compares the two as equal */
};

/* ERR_FORMAT for what rpm itself would not load or what has no name, version or release; ERR_LIMIT for more than
 * RPM_TAGS_MAX entries. */
int rpm_header_parse(struct str bytes, struct rpm_header *ret, struct err *err);

/* Whether the header's package owns a file that is asked about. What is wrong with its lists of files is passed over. */
bool rpm_header_owns(struct str bytes, const struct file_wish *wish);

/* The package of a header: see model/package.h for the shapes. Slices point into the arena or into the header. */
void rpm_header_package(struct arena *a, const struct rpm_header *h, struct package *ret);

/* The headers of one database on their way into the sink. In an honest database no two headers share bytes, so all
 * of them together are no longer than the file: that bounds the work that pointers to the same bytes can ask for. */
struct rpm_records {
	const struct content *content;
	uint64_t size; /* of the content, wherever it lies */
	struct str path;
	struct package_sink *sink;
	uint64_t bytes_left;
	size_t added;
	struct buf bytes; /* the header that is being read */
	struct arena *scratch;
};

void rpm_records_init(struct rpm_records *r, const struct content *c, struct str path, struct package_sink *sink);
void rpm_records_done(struct rpm_records *r);
#define RPM_RECORDS_AUTO __attribute__((cleanup(rpm_records_done)))

/* Room for the len bytes of header `number`. 1: they go to *ret; 0: too long, counted as a bad record, pass over it;
 * ERR_FORMAT: the headers claim more bytes than the file has. */
int rpm_records_room(struct rpm_records *r, int64_t number, uint64_t len, void **ret, struct err *err);
/* Add the header in that room. A bad one is a diagnostic; ERR_LIMIT from the sink is an error. */
int rpm_records_add(struct rpm_records *r, int64_t number, size_t len, struct err *err);
/* How a parser ends when it had to stop early with `code` in err: where packages were found before, the rest is a
 * diagnostic; a cap, or a file that gave nothing, stays an error. */
int rpm_records_stop(struct rpm_records *r, int code, struct err *err);

#endif
