/* Zip archives in memory or mapped: central directory only, stored and deflated members (libdeflate), zip64.
 * Names are bytes, never paths that are written anywhere. Caps: ZIP_MEMBERS_MAX, ZIP_MEMBER_SIZE_MAX (inflated).
 * CRC-32 is checked. Encrypted, split and otherwise compressed members give ERR_UNSUPPORTED. */
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
};

int zip_open(struct str bytes, struct zip *ret, struct err *err);
void zip_close(struct zip *z);
/* 1 and the next member, 0 at the end, negative on error. */
int zip_next(struct zip *z, struct zip_member *ret, struct err *err);
/* The member's content, appended to out (whose maximum also holds). */
int zip_read(struct zip *z, const struct zip_member *m, struct buf *out, struct err *err);

#endif
