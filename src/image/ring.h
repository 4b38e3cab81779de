/* A ring of buffers between the thread that inflates and the thread that hashes: inflating never waits for a digest
 * unless the ring is full. One producer, one consumer. Each filled buffer goes to one of two running digests: of the
 * bytes as stored (only where nobody else hashes them) and of the bytes as inflated. */
#ifndef PLIMSOLL_IMAGE_RING_H
#define PLIMSOLL_IMAGE_RING_H

#include "base/hash.h"

#define RING_SLOT_SIZE ((size_t)256 * 1024)
#define RING_SLOTS 8

enum ring_digest { RING_INFLATED, RING_STORED };

struct ring;

struct ring *ring_new(void);
void ring_free(struct ring *r);

/* Producer: a free buffer of RING_SLOT_SIZE bytes (waits for one). */
char *ring_slot(struct ring *r);
/* Producer: the buffer just given holds n bytes for that digest; it may go on being read, until RING_SLOTS - 1 more
 * buffers have been asked for. */
void ring_push(struct ring *r, size_t n, enum ring_digest to);
/* Producer: hash these bytes here and now, behind what was pushed before (for the rare stretch that has no buffer). */
void ring_add_now(struct ring *r, struct str bytes, enum ring_digest to);
/* Producer: wait until all is hashed, take one digest and start it afresh. */
struct sha256 ring_digest(struct ring *r, enum ring_digest which);
/* Producer: no more; the consumer's thread ends. */
void ring_close(struct ring *r);

/* The consumer's thread; arg is the ring. */
void ring_consume(void *arg);

#endif
