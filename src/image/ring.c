/* The ring: see ring.h. Nothing is parsed here. */
#include "image/ring.h"

#include "base/base.h"

#include <pthread.h>

struct ring_item {
	size_t size;
	enum ring_digest to;
};

struct ring {
	char *memory; /* RING_SLOTS buffers, touched only as far as they are used */
	struct ring_item items[RING_SLOTS];
	uint64_t pushed, taken; /* running counts; slot = count % RING_SLOTS */
	bool closed;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct hasher *hashers[2];
};

struct ring *ring_new(void)
{
	struct ring *r = xcalloc(1, sizeof(*r));
	r->memory = xmalloc(RING_SLOTS * RING_SLOT_SIZE);
	r->hashers[RING_INFLATED] = hasher_new();
	r->hashers[RING_STORED] = hasher_new();
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->changed, NULL);
	return r;
}

void ring_free(struct ring *r)
{
	if (!r)
		return;
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
	hasher_free(r->hashers[RING_INFLATED]);
	hasher_free(r->hashers[RING_STORED]);
	free(r->memory);
	free(r);
}

char *ring_slot(struct ring *r)
{
	pthread_mutex_lock(&r->lock);
	while (r->pushed - r->taken >= RING_SLOTS)
		pthread_cond_wait(&r->changed, &r->lock);
	char *slot = r->memory + (r->pushed % RING_SLOTS) * RING_SLOT_SIZE;
	pthread_mutex_unlock(&r->lock);
	return slot;
}

void ring_push(struct ring *r, size_t n, enum ring_digest to)
{
	pthread_mutex_lock(&r->lock);
	r->items[r->pushed % RING_SLOTS] = (struct ring_item){ .size = n, .to = to };
	r->pushed++;
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

static void wait_idle(struct ring *r)
{
	pthread_mutex_lock(&r->lock);
	while (r->pushed != r->taken)
		pthread_cond_wait(&r->changed, &r->lock);
	pthread_mutex_unlock(&r->lock);
}

void ring_add_now(struct ring *r, struct str bytes, enum ring_digest to)
{
	wait_idle(r);
	hasher_add(r->hashers[to], bytes.ptr, bytes.len);
}

struct sha256 ring_digest(struct ring *r, enum ring_digest which)
{
	wait_idle(r);
	return hasher_take(r->hashers[which]);
}

void ring_close(struct ring *r)
{
	pthread_mutex_lock(&r->lock);
	r->closed = true;
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

void ring_consume(void *arg)
{
	struct ring *r = arg;
	pthread_mutex_lock(&r->lock);
	for (;;) {
		while (r->pushed == r->taken && !r->closed)
			pthread_cond_wait(&r->changed, &r->lock);
		if (r->pushed == r->taken)
			break;
		struct ring_item item = r->items[r->taken % RING_SLOTS];
		const char *slot = r->memory + (r->taken % RING_SLOTS) * RING_SLOT_SIZE;
		pthread_mutex_unlock(&r->lock);
		hasher_add(r->hashers[item.to], slot, item.size);
		pthread_mutex_lock(&r->lock);
		r->taken++;
		pthread_cond_signal(&r->changed);
	}
	pthread_mutex_unlock(&r->lock);
}
