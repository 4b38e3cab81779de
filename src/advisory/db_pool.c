/* Front-coded string pools: see db_pool.h and doc/advisory-file.md, "Pools".
 * A block is decoded into a place of its own in the shadow, whose bounds come from the block index; never a byte
 * outside of it is written, whatever the coded bytes say. */
#include "advisory/db_pool.h"

#include "advisory/db_format.h"
#include "base/base.h"

#include <stdatomic.h>
#include <sys/mman.h>

/* Of the block index, whose size db_pool_open has checked; what lies behind it reads as 0. */
static uint32_t load_u32(struct str s, uint64_t at)
{
	if (at > s.len || s.len - at < 4)
		return 0;
	const uint8_t *p = (const uint8_t *)s.ptr + at;
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

int db_pool_open(struct str section, struct db_pool *ret, struct err *err)
{
	struct reader r = reader_of(section);
	struct db_pool p = { .count = read_u32le(&r), .block_count = read_u32le(&r), .text_size = read_u64le(&r) };
	uint64_t blocks = ((uint64_t)p.count + DB_POOL_BLOCK - 1) / DB_POOL_BLOCK;
	if (r.bad || p.block_count != blocks || blocks > reader_left(&r) / DB_POOL_ENTRY)
		return err_set(err, ERR_FORMAT, "string pool: its block index does not fit");
	p.index = read_bytes(&r, (size_t)p.block_count * DB_POOL_ENTRY);
	p.coded = read_bytes(&r, reader_left(&r));
	/* Front coding shrinks; a pool that claims to grow by more than this is a bomb. */
	if (p.text_size > DB_TEXT_SIZE_MAX)
		return err_set(err, ERR_LIMIT, "string pool: over DB_TEXT_SIZE_MAX");
	if (p.text_size > 0) {
		p.shadow = mmap(NULL, (size_t)p.text_size, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (p.shadow == MAP_FAILED)
			return err_set(err, ERR_IO, "string pool: %m");
	}
	p.state = xcalloc(p.block_count, 1);
	p.lock = xmalloc(sizeof(*p.lock));
	pthread_mutex_init(p.lock, NULL);
	*ret = p;
	return 0;
}

void db_pool_close(struct db_pool *p)
{
	if (p->shadow)
		munmap(p->shadow, (size_t)p->text_size);
	if (p->lock)
		pthread_mutex_destroy(p->lock);
	free(p->lock);
	free(p->state);
	*p = (struct db_pool){ 0 };
}

/* The coded bytes of a block, and its place in the shadow. */
static bool block_bounds(const struct db_pool *p, uint32_t block, struct str *ret_coded, uint64_t *ret_from,
			 uint64_t *ret_to)
{
	bool last = block + 1 == p->block_count;
	uint64_t at = (uint64_t)block * DB_POOL_ENTRY;
	uint64_t from = load_u32(p->index, at), text = load_u32(p->index, at + 4);
	uint64_t to = last ? p->coded.len : load_u32(p->index, at + DB_POOL_ENTRY);
	uint64_t text_to = last ? p->text_size : load_u32(p->index, at + DB_POOL_ENTRY + 4);
	if (from > to || to > p->coded.len || text > text_to || text_to > p->text_size)
		return false;
	*ret_coded = str_sub(p->coded, (size_t)from, (size_t)to);
	*ret_from = text;
	*ret_to = text_to;
	return true;
}

static uint32_t block_strings(const struct db_pool *p, uint32_t block)
{
	uint32_t left = p->count - block * DB_POOL_BLOCK;
	return left < DB_POOL_BLOCK ? left : DB_POOL_BLOCK;
}

static bool decode(const struct db_pool *p, uint32_t block)
{
	struct str coded;
	uint64_t at, end;
	if (!block_bounds(p, block, &coded, &at, &end))
		return false;
	struct reader r = reader_of(coded);
	uint64_t before = 0, before_len = 0;
	for (uint32_t i = 0; i < block_strings(p, block); i++) {
		uint64_t shared = read_varint(&r);
		struct str rest = read_str(&r);
		uint64_t len = shared + rest.len;
		if (r.bad || shared > before_len || len > UINT16_MAX || end - at < DB_POOL_LENGTH + len)
			return false;
		p->shadow[at] = (char)(len & 0xff);
		p->shadow[at + 1] = (char)(len >> 8);
		if (shared)
			memcpy(p->shadow + at + DB_POOL_LENGTH, p->shadow + before, (size_t)shared);
		if (rest.len)
			memcpy(p->shadow + at + DB_POOL_LENGTH + shared, rest.ptr, rest.len);
		before = at + DB_POOL_LENGTH;
		before_len = len;
		at = before + len;
	}
	return at == end && reader_left(&r) == 0;
}

/* Decoded once; who comes second waits or finds it done. */
static bool ensure(const struct db_pool *p, uint32_t block)
{
	uint8_t state = atomic_load_explicit(&p->state[block], memory_order_acquire);
	if (state == 0) {
		pthread_mutex_lock(p->lock);
		state = atomic_load_explicit(&p->state[block], memory_order_acquire);
		if (state == 0) {
			state = decode(p, block) ? 1 : 2;
			atomic_store_explicit(&p->state[block], state, memory_order_release);
		}
		pthread_mutex_unlock(p->lock);
	}
	return state == 1;
}

/* The shadow is not to be believed either: blocks of a hostile file may overlap there. */
static bool string_at(const struct db_pool *p, uint32_t block, uint32_t index, struct str *ret)
{
	uint64_t at = load_u32(p->index, (uint64_t)block * DB_POOL_ENTRY + 4);
	for (uint32_t i = 0;; i++) {
		if (at > p->text_size || p->text_size - at < DB_POOL_LENGTH)
			return false;
		uint64_t len = (uint8_t)p->shadow[at] | (uint64_t)(uint8_t)p->shadow[at + 1] << 8;
		at += DB_POOL_LENGTH;
		if (len > p->text_size - at)
			return false;
		if (i == index) {
			*ret = (struct str){ p->shadow + at, (size_t)len };
			return true;
		}
		at += len;
	}
}

bool db_pool_get(const struct db_pool *p, uint32_t index, struct str *ret)
{
	*ret = (struct str){ 0 };
	if (index >= p->count)
		return false;
	uint32_t block = index / DB_POOL_BLOCK;
	return ensure(p, block) && string_at(p, block, index % DB_POOL_BLOCK, ret);
}

/* The first string of a block stands whole in the coded bytes. */
static struct str block_first(const struct db_pool *p, uint32_t block)
{
	struct reader r = reader_of(p->coded);
	read_seek(&r, load_u32(p->index, (uint64_t)block * DB_POOL_ENTRY));
	(void)read_varint(&r);
	return read_str(&r);
}

bool db_pool_find(const struct db_pool *p, struct str s, uint32_t *ret)
{
	uint32_t lo = 0, hi = p->block_count;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (str_cmp(block_first(p, mid), s) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == 0 || !ensure(p, lo - 1))
		return false;
	for (uint32_t i = 0; i < block_strings(p, lo - 1); i++) {
		struct str got;
		if (string_at(p, lo - 1, i, &got) && str_eq(got, s)) {
			*ret = (lo - 1) * DB_POOL_BLOCK + i;
			return true;
		}
	}
	return false;
}

static size_t shared_prefix(struct str a, struct str b)
{
	size_t n = 0;
	while (n < a.len && n < b.len && a.ptr[n] == b.ptr[n])
		n++;
	return n;
}

void db_pool_write(struct buf *out, const struct str *strings, const uint32_t *order, size_t count)
{
	struct buf BUF_AUTO index = { 0 }, BUF_AUTO coded = { 0 };
	buf_init(&index, out->max);
	buf_init(&coded, out->max);
	uint64_t text = 0;
	struct str before = { 0 };
	for (size_t i = 0; i < count; i++) {
		struct str s = strings[order[i]];
		if (i % DB_POOL_BLOCK == 0) {
			buf_u32(&index, (uint32_t)coded.len);
			buf_u32(&index, (uint32_t)text);
			before = (struct str){ 0 };
		}
		size_t shared = shared_prefix(before, s);
		buf_varint(&coded, shared);
		buf_str(&coded, str_sub(s, shared, s.len));
		text += DB_POOL_LENGTH + s.len;
		before = s;
	}
	buf_u32(out, (uint32_t)count);
	buf_u32(out, (uint32_t)((count + DB_POOL_BLOCK - 1) / DB_POOL_BLOCK));
	buf_u64(out, text);
	buf_put(out, buf_view(&index));
	buf_put(out, buf_view(&coded));
	out->overflow |= index.overflow | coded.overflow | (text > DB_TEXT_SIZE_MAX);
}
