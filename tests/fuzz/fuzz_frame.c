/* What a worker sends, as its parent reads it: the input is the stream. Read twice, under a small and the largest cap; no
 * frame may be larger than its cap, and the stream's end is always told. */
#include "base/base.h"
#include "sandbox/frame.h"

#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STREAM_SIZE_MAX ((size_t)65536) /* what a socket takes without a reader */

static void read_stream(const uint8_t *data, size_t size, size_t size_max)
{
	int ends[2];
	struct buf in = { 0 };
	struct frame f;
	struct err err;
	enum frame_end end = FRAME_END_NONE;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
		abort();
	if (size && write(ends[0], data, size) != (ssize_t)size)
		abort();
	(void)close(ends[0]);
	size_t sum = 0;
	int rc;
	while ((rc = frame_read(ends[1], &in, size_max, &f, &end, &err)) == 1) {
		sum += FRAME_HEADER_SIZE + f.payload.len;
		if (f.payload.len > size_max)
			abort();
	}
	if (sum > size || end == FRAME_END_NONE || (rc < 0) != (end == FRAME_END_BROKEN))
		abort();
	if (end == FRAME_END_CLEAN && sum != size)
		abort();
	buf_done(&in);
	(void)close(ends[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > STREAM_SIZE_MAX)
		size = STREAM_SIZE_MAX;
	read_stream(data, size, 16);
	read_stream(data, size, SIZE_MAX);
	return 0;
}
