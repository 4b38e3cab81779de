/* Frames: see frame.h. The reading side trusts nothing of what it reads: the length is held against the caps before
 * anything is reserved, and memory grows with the bytes that have come, not with those that were promised.
 * Must never buffer ahead: the owner polls the descriptor, and what was read too early would not wake it. */
#include "sandbox/frame.h"
#include "base/base.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAME_COPY_MAX ((size_t)4096) /* up to this a frame is one system call, header and payload */
#define FRAME_READ_STEP (256 * KIB)

static int put_all(int fd, bool by_send, const char *p, size_t n)
{
	while (n) {
		ssize_t did = by_send ? send(fd, p, n, MSG_NOSIGNAL) : write(fd, p, n);
		if (did < 0 && errno == EINTR)
			continue;
		if (did < 0)
			return ERR_IO;
		p += did;
		n -= (size_t)did;
	}
	return 0;
}

static void put_u32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

int frame_write(int fd, bool by_send, uint32_t type, struct str payload)
{
	if (payload.len > FRAME_SIZE_MAX)
		return ERR_LIMIT;
	char head[FRAME_HEADER_SIZE + FRAME_COPY_MAX];
	put_u32((uint8_t *)head, type);
	put_u32((uint8_t *)head + 4, (uint32_t)payload.len);
	size_t with = payload.len <= FRAME_COPY_MAX ? payload.len : 0;
	if (with)
		memcpy(head + FRAME_HEADER_SIZE, payload.ptr, with);
	int rc = put_all(fd, by_send, head, FRAME_HEADER_SIZE + with);
	if (rc == 0 && !with)
		rc = put_all(fd, by_send, payload.ptr, payload.len);
	return rc;
}

/* Up to n bytes, fewer only at the end of the stream; negative with errno. A peer that died with unread bytes of ours
 * gives ECONNRESET once its own have been read: an end like any other. Where the socket has a time limit, it holds
 * within a frame (EAGAIN), not while one is waited for. */
static ssize_t get_all(int fd, bool within, char *p, size_t n)
{
	size_t got = 0;
	while (got < n) {
		ssize_t did = read(fd, p + got, n - got);
		if (did < 0 && (errno == EINTR || (errno == EAGAIN && !within && got == 0)))
			continue;
		if (did == 0 || (did < 0 && errno == ECONNRESET))
			break;
		if (did < 0)
			return -1;
		got += (size_t)did;
	}
	return (ssize_t)got;
}

static int read_failed(struct err *err)
{
	if (errno == EAGAIN)
		return err_set(err, ERR_IO, "a frame began and did not go on (WORKER_STALL_SECONDS_MAX)");
	return err_set(err, ERR_IO, "read from the other end: %m");
}

static int read_payload(int fd, struct buf *in, size_t length, enum frame_end *ret_end, struct err *err)
{
	while (in->len < length) {
		size_t want = length - in->len < FRAME_READ_STEP ? length - in->len : FRAME_READ_STEP;
		if (!buf_reserve(in, want))
			return err_set(err, ERR_LIMIT, "a frame of %zu bytes", length);
		ssize_t got = get_all(fd, true, in->ptr + in->len, want);
		if (got < 0)
			return read_failed(err);
		in->len += (size_t)got;
		if ((size_t)got < want) {
			*ret_end = FRAME_END_TORN;
			return 0;
		}
	}
	return 1;
}

int frame_read(int fd, struct buf *in, size_t size_max, struct frame *ret, enum frame_end *ret_end, struct err *err)
{
	char head[FRAME_HEADER_SIZE];
	ssize_t got = get_all(fd, false, head, sizeof(head));
	if (got < 0)
		return read_failed(err);
	if ((size_t)got < sizeof(head)) {
		*ret_end = got ? FRAME_END_TORN : FRAME_END_CLEAN;
		return 0;
	}
	struct reader r = reader_of((struct str){ head, sizeof(head) });
	uint32_t type = read_u32le(&r);
	size_t length = read_u32le(&r);
	size_t max = size_max < FRAME_SIZE_MAX ? size_max : FRAME_SIZE_MAX;
	if (length > max) {
		*ret_end = FRAME_END_BROKEN;
		return err_set(err, ERR_WORKER, "a frame of %zu bytes, where at most %zu are taken", length, max);
	}
	if (in->cap > FRAME_KEEP_MAX)
		buf_done(in);
	buf_clear(in);
	in->max = FRAME_SIZE_MAX;
	int rc = read_payload(fd, in, length, ret_end, err);
	if (rc == 1)
		*ret = (struct frame){ .type = type, .payload = buf_view(in) };
	return rc;
}
