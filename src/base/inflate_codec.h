/* Between inflate.c, which knows sources, members and what may follow them, and inflate_codec.c, which knows the
 * libraries. A codec inflates one member at a time and never reads a source. Private to base/. */
#ifndef PLIMSOLL_BASE_INFLATE_CODEC_H
#define PLIMSOLL_BASE_INFLATE_CODEC_H

#include "base/err.h"

#include <stdint.h>

/* What there is to read and the room to write; a codec moves both on. The 8 bytes before `in` belong to the window too:
 * a codec that read ahead (ISA-L holds up to 8 bytes in a register) puts what it did not use back there. */
struct codec_window {
	uint8_t *in;
	size_t in_len;
	uint8_t *out;
	size_t out_len;
};
#define CODEC_PUSH_BACK ((size_t)8)

enum { CODEC_MORE = 0, CODEC_MEMBER_END = 1 };

struct codec {
	const char *name;
	void *(*open)(void);
	/* Make ready for the next member. */
	int (*begin)(void *state, struct err *err);
	/* Go on as far as the window allows: CODEC_MORE, CODEC_MEMBER_END, or an error. */
	int (*run)(void *state, struct codec_window *w, struct err *err);
	/* Of raw deflate only: CRC-32 of the member's output. */
	uint32_t (*crc)(const void *state);
	void (*close)(void *state);
};

extern const struct codec codec_zlib; /* raw deflate */
extern const struct codec codec_zstd, codec_xz, codec_bzip2;
/* Raw deflate by ISA-L; NULL where the build has none. */
const struct codec *codec_isal(void);

#endif
