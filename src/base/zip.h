/* Zip archives in memory or mapped (PKWARE APPNOTE 6.3): central directory only, stored and deflated members
 * (libdeflate), zip64, bytes in front (self-executing jars). Names are bytes, never paths that are written anywhere.
 * Caps: ZIP_MEMBERS_MAX, ZIP_MEMBER_SIZE_MAX (inflated). CRC-32 is checked. Encrypted, split and otherwise compressed
 * members give ERR_UNSUPPORTED. Members that share their bytes (the overlapping bombs) are an error, so that all
 * members together inflate to at most 1,032 times the archive. */
#ifndef PLIMSOLL_BASE_ZIP_H
#define PLIMSOLL_BASE_ZIP_H

#include "base/buf.h"
#include "base/err.h"

struct zip_member {
	struct str name;
	uint64_t size;            /* inflated, as stated */
	uint64_t compressed_size;
	uint64_t header_offset;
	uint32_t crc;
	uint16_t method;
	uint16_t flags;
};

struct zip {
	struct str bytes;
	uint64_t directory_at; /* next central header */
	uint64_t left;         /* members not yet given */
	/* private */
	void *inflater;
	uint64_t directory_end;
	uint64_t shift;       /* bytes in front of the archive: to be added to every offset in it */
	uint64_t space_left;  /* bytes before the directory that no member has claimed */
	uint64_t given;
	bool split;
};

int zip_open(struct str bytes, struct zip *ret, struct err *err);
void zip_close(struct zip *z);
/* 1 and the next member (folders too: their names end in '/'), 0 at the end, negative on error: the walk is over. */
int zip_next(struct zip *z, struct zip_member *ret, struct err *err);
/* The member's content, appended to out (whose maximum also holds). On error its content is as it was, and
 * other members can still be read. */
int zip_read(struct zip *z, const struct zip_member *m, struct buf *out, struct err *err);

#endif
