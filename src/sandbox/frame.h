/* Frames on a stream socket: type and length (both u32, little-endian), then the payload. Internal to sandbox/. */
#ifndef PLIMSOLL_SANDBOX_FRAME_H
#define PLIMSOLL_SANDBOX_FRAME_H

#include "sandbox/worker.h"

#define FRAME_HEADER_SIZE 8

/* by_send: through send(2), so that a closed peer gives EPIPE and no signal (the parent); else through write(2), the
 * only one that a worker's filter lets through. 0, or ERR_LIMIT, or ERR_IO with errno set. */
int frame_write(int fd, bool by_send, uint32_t type, struct str payload);

enum frame_end { FRAME_END_NONE, FRAME_END_CLEAN, FRAME_END_TORN, FRAME_END_BROKEN };

/* 1: a frame, whose payload lies in *in; 0: the peer has closed, *ret_end says whether between frames or within one;
 * ERR_WORKER (with FRAME_END_BROKEN): a length over size_max or FRAME_SIZE_MAX; ERR_IO. */
int frame_read(int fd, struct buf *in, size_t size_max, struct frame *ret, enum frame_end *ret_end, struct err *err);

#endif
