/* Reading bbolt files: see bolt.h. Every page is checked against what the meta page says of the file before a byte of it
 * is used: its number, its kind, the room of its items, the order of its keys. Loads a page once, keeps it until the
 * question is answered, and never writes, locks or maps: a file that is cut under a mapping kills its reader. */
#include "base/bolt.h"

#include "base/base.h"

#include <sys/stat.h>
#include <time.h>

#define META_MAGIC 0xED0CDAEDu
#define META_VERSION 2u
#define META_SIZE 64u /* with its checksum, which is over what stands before it */
#define META_TRIES 3u /* two commits during one look may spoil both */

#define PAGE_HEAD_SIZE 16u
#define ITEM_SIZE 16u
#define PAGE_SIZE_LEAST 1024u
#define PAGE_SIZE_MOST 65536u
#define BUCKET_HEAD_SIZE 16u

enum { PAGE_BRANCH = 1, PAGE_LEAF = 2 };
enum { ITEM_BUCKET = 1 };

struct meta {
	uint32_t page_size;
	uint64_t root;
	uint64_t end; /* pages from here on are not in use */
	uint64_t transaction;
	uint64_t checksum;
};

struct bolt {
	struct arena *arena;
	struct content content;
	struct meta meta;
	struct map pages; /* number, 8 bytes -> pointer to struct page */
	size_t loaded;
	size_t steps;
};

struct page {
	struct str bytes; /* with its head and its overflow */
	bool leaf;
	uint16_t count;
};

struct item {
	struct str key;
	uint64_t child; /* branch */
	bool bucket;    /* leaf */
	struct str value;
};

struct arena *bolt_arena(struct bolt *b)
{
	return b->arena;
}

struct bolt_bucket bolt_root(const struct bolt *b)
{
	return (struct bolt_bucket){ .root = b->meta.root };
}

/* --- which state ------------------------------------------------------------------------------------------------ */

static uint64_t fnv64a(const uint8_t *p, size_t n)
{
	uint64_t h = 0xcbf29ce484222325u;
	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001b3u;
	return h;
}

static bool page_size_ok(uint32_t size)
{
	return size >= PAGE_SIZE_LEAST && size <= PAGE_SIZE_MOST && (size & (size - 1)) == 0;
}

static int read_meta(const struct content *c, uint64_t page_at, struct meta *ret, struct err *err)
{
	uint8_t bytes[META_SIZE];
	struct meta m;
	int rc = content_read(c, page_at + PAGE_HEAD_SIZE, bytes, sizeof(bytes), err);
	if (rc < 0)
		return rc;
	struct reader r = reader_of((struct str){ (const char *)bytes, sizeof(bytes) });
	uint32_t magic = read_u32le(&r), version = read_u32le(&r);
	m.page_size = read_u32le(&r);
	read_skip(&r, 4); /* flags: none are known */
	m.root = read_u64le(&r);
	read_skip(&r, 8 + 8); /* the root's sequence, the list of free pages */
	m.end = read_u64le(&r);
	m.transaction = read_u64le(&r);
	m.checksum = read_u64le(&r);
	if (magic == __builtin_bswap32(META_MAGIC))
		return err_set(err, ERR_UNSUPPORTED, "a bbolt file of a big-endian machine");
	if (magic != META_MAGIC)
		return err_set(err, ERR_FORMAT, "not a bbolt file");
	if (version != META_VERSION)
		return err_set(err, ERR_UNSUPPORTED, "bbolt format version %u", version);
	if (fnv64a(bytes, META_SIZE - 8) != m.checksum)
		return err_set(err, ERR_FORMAT, "the meta page's checksum is wrong");
	if (!page_size_ok(m.page_size))
		return err_set(err, ERR_UNSUPPORTED, "bbolt pages of %u bytes", m.page_size);
	*ret = m;
	return 0;
}

/* The second meta page lies one page on; where the first is broken, its page size has to be guessed. */
static bool find_second(const struct content *c, uint32_t page_size, struct meta *ret)
{
	struct err ignored = { 0 };
	for (uint32_t size = PAGE_SIZE_LEAST; size <= PAGE_SIZE_MOST; size *= 2)
		if ((page_size == 0 || page_size == size) && read_meta(c, size, ret, &ignored) == 0 && ret->page_size == size)
			return true;
	return false;
}

static int newest_meta_once(const struct content *c, struct meta *ret, struct err *err)
{
	struct meta first, second;
	bool have_first = read_meta(c, 0, &first, err) == 0;
	bool have_second = find_second(c, have_first ? first.page_size : 0, &second);
	if (!have_first && !have_second)
		return err ? err->code : ERR_FORMAT;
	*ret = have_second && (!have_first || second.transaction > first.transaction) ? second : first;
	return 0;
}

static int newest_meta(const struct content *c, struct meta *ret, struct err *err)
{
	struct err why = { 0 };
	int rc = ERR_FORMAT;
	for (unsigned i = 0; rc < 0 && i < META_TRIES; i++)
		rc = newest_meta_once(c, ret, &why);
	return rc < 0 ? err_set(err, rc, "%s", why.text) : 0;
}

static int measure(struct content *c, struct err *err)
{
	struct stat st;
	if (c->fd < 0) {
		c->size = c->mem.len;
		return 0;
	}
	if (fstat(c->fd, &st) < 0)
		return err_set(err, ERR_IO, "%m");
	c->size = (uint64_t)st.st_size;
	return 0;
}

static bool too_long(const struct timespec *start)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec - start->tv_sec > BOLT_SECONDS_MAX;
}

/* One run. *ret_changed: what it gave does not count. */
static int read_once(const struct content *c, int (*ask)(struct bolt *b, void *ctx, struct err *err), void *ctx,
                     bool *ret_changed, struct err *err)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct bolt b = { .arena = a, .content = *c };
	struct meta after;
	struct err ignored = { 0 };
	*ret_changed = false;
	int rc = measure(&b.content, err);
	if (rc < 0 || (rc = newest_meta(&b.content, &b.meta, err)) < 0)
		return rc;
	rc = ask(&b, ctx, err);
	/* One commit later, the next transaction may already be writing over pages that this state had. */
	*ret_changed = newest_meta(&b.content, &after, &ignored) < 0 || after.transaction != b.meta.transaction ||
	               after.checksum != b.meta.checksum;
	return rc;
}

int bolt_read(const struct content *c, int (*ask)(struct bolt *b, void *ctx, struct err *err), void *ctx, struct err *err)
{
	struct timespec start;
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (unsigned tries = 0; tries < BOLT_TRIES_MAX && !too_long(&start); tries++) {
		struct err why = { 0 };
		bool changed;
		int rc = read_once(c, ask, ctx, &changed, &why);
		if (changed)
			continue;
		return rc < 0 ? err_set(err, rc, "%s", why.text) : rc;
	}
	return err_set(err, ERR_LIMIT, "the file changed each time while it was read (BOLT_TRIES_MAX)");
}

/* --- pages ------------------------------------------------------------------------------------------------------ */

static int step(struct bolt *b, struct err *err)
{
	if (++b->steps > BOLT_STEPS_MAX)
		return err_set(err, ERR_LIMIT, "more keys than BOLT_STEPS_MAX (%u)", BOLT_STEPS_MAX);
	return 0;
}

static int check_head(struct page *p, uint64_t number, uint32_t *ret_overflow, struct err *err)
{
	struct reader r = reader_of(p->bytes);
	uint64_t id = read_u64le(&r);
	uint16_t flags = read_u16le(&r);
	p->count = read_u16le(&r);
	*ret_overflow = read_u32le(&r);
	p->leaf = flags == PAGE_LEAF;
	if (r.bad || id != number)
		return err_set(err, ERR_FORMAT, "page %ju says that it is page %ju", (uintmax_t)number, (uintmax_t)id);
	if (flags != PAGE_LEAF && flags != PAGE_BRANCH)
		return err_set(err, ERR_FORMAT, "page %ju is of another kind (flags %#x)", (uintmax_t)number, flags);
	return 0;
}

static int load_page(struct bolt *b, uint64_t number, struct page *p, struct err *err)
{
	size_t size = b->meta.page_size;
	uint32_t overflow;
	char *bytes = arena_alloc(b->arena, size);
	p->bytes = (struct str){ bytes, size };
	int rc = content_read(&b->content, number * size, bytes, size, err);
	if (rc < 0 || (rc = check_head(p, number, &overflow, err)) < 0)
		return rc;
	if (overflow >= b->meta.end - number)
		return err_set(err, ERR_FORMAT, "page %ju reaches past the last page in use", (uintmax_t)number);
	if (overflow > BOLT_PAGE_SIZE_MAX / size)
		return err_set(err, ERR_LIMIT, "page %ju is larger than BOLT_PAGE_SIZE_MAX", (uintmax_t)number);
	size_t whole = ((size_t)overflow + 1) * size;
	b->loaded += whole;
	if (b->loaded > BOLT_LOAD_SIZE_MAX)
		return err_set(err, ERR_LIMIT, "more pages than BOLT_LOAD_SIZE_MAX allows");
	if (overflow) {
		/* Its end first: an overflow that the file does not have is not worth its memory. */
		char last;
		if ((rc = content_read(&b->content, number * size + whole - 1, &last, 1, err)) < 0)
			return rc;
		bytes = arena_alloc(b->arena, whole);
		p->bytes = (struct str){ bytes, whole };
		rc = content_read(&b->content, number * size, bytes, whole, err);
		if (rc == 0)
			rc = check_head(p, number, &overflow, err);
	}
	return rc;
}

static int get_page(struct bolt *b, uint64_t number, struct page **ret, struct err *err)
{
	if (number < 2 || number >= b->meta.end || number > INT64_MAX / PAGE_SIZE_MOST)
		return err_set(err, ERR_FORMAT, "there is no page %ju", (uintmax_t)number);
	struct str key = str_dup(b->arena, (struct str){ (const char *)&number, sizeof(number) });
	uint64_t *known = map_get(&b->pages, key);
	if (!known) {
		struct page *p = ARENA_NEW(b->arena, struct page);
		int rc = load_page(b, number, p, err);
		if (rc < 0)
			return rc;
		known = map_put(b->arena, &b->pages, key, NULL);
		*known = (uintptr_t)p;
	}
	*ret = (struct page *)(uintptr_t)*known;
	return 0;
}

static int open_inline(struct str bytes, struct page *ret, struct err *err)
{
	struct page p = { .bytes = bytes };
	uint32_t overflow;
	int rc = check_head(&p, 0, &overflow, err);
	if (rc == 0 && (!p.leaf || overflow))
		rc = err_set(err, ERR_FORMAT, "a bucket within its parent's page is no leaf");
	if (rc < 0)
		return rc;
	*ret = p;
	return 0;
}

/* Where an item's key and value are counted from is the item itself. */
static int get_item(const struct page *p, size_t index, struct item *ret, struct err *err)
{
	size_t at = PAGE_HEAD_SIZE + index * ITEM_SIZE;
	struct reader r = reader_of(p->bytes);
	read_seek(&r, at);
	uint32_t flags = p->leaf ? read_u32le(&r) : 0;
	uint32_t pos = read_u32le(&r), key_size = read_u32le(&r), value_size = p->leaf ? read_u32le(&r) : 0;
	*ret = (struct item){ .child = p->leaf ? 0 : read_u64le(&r), .bucket = flags == ITEM_BUCKET };
	read_seek(&r, at);
	read_skip(&r, pos);
	ret->key = read_bytes(&r, key_size);
	ret->value = read_bytes(&r, value_size);
	if (r.bad || index >= p->count || flags > ITEM_BUCKET ||
	    pos < (p->count - index) * ITEM_SIZE) /* within the list of items */
		return err_set(err, ERR_FORMAT, "an item lies outside of its page");
	if (key_size > BOLT_KEY_SIZE_MAX)
		return err_set(err, ERR_LIMIT, "a key of %u bytes (BOLT_KEY_SIZE_MAX)", key_size);
	return 0;
}

static int bucket_of(struct str value, struct bolt_bucket *ret, struct err *err)
{
	struct reader r = reader_of(value);
	uint64_t root = read_u64le(&r);
	read_skip(&r, 8); /* sequence */
	if (r.bad)
		return err_set(err, ERR_FORMAT, "a bucket without a head");
	*ret = (struct bolt_bucket){ .root = root };
	if (root == 0)
		ret->page = read_bytes(&r, reader_left(&r));
	return 0;
}

static int open_bucket(struct bolt *b, const struct bolt_bucket *in, struct page *inlined, struct page **ret,
                       struct err *err)
{
	if (in->root)
		return get_page(b, in->root, ret, err);
	*ret = inlined;
	return open_inline(in->page, inlined, err);
}

/* --- questions -------------------------------------------------------------------------------------------------- */

/* The first item whose key is not below `key`; whether it is that key. */
static int search_page(struct bolt *b, const struct page *p, struct str key, size_t *ret_index, bool *ret_exact,
                       struct err *err)
{
	size_t low = 0, high = p->count;
	struct item it;
	*ret_exact = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int rc = get_item(p, middle, &it, err);
		if (rc < 0 || (rc = step(b, err)) < 0)
			return rc;
		int order = str_cmp(it.key, key);
		*ret_exact = *ret_exact || order == 0;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_index = low;
	return 0;
}

static int find_item(struct bolt *b, const struct bolt_bucket *in, struct str key, struct item *ret, struct err *err)
{
	struct page inlined, *p;
	int rc = open_bucket(b, in, &inlined, &p, err);
	for (unsigned depth = 0; rc == 0; depth++) {
		size_t index;
		bool exact;
		if (depth > BOLT_DEPTH_MAX)
			return err_set(err, ERR_FORMAT, "pages lie deeper than BOLT_DEPTH_MAX (%u)", BOLT_DEPTH_MAX);
		if ((rc = search_page(b, p, key, &index, &exact, err)) < 0)
			return rc;
		if (p->leaf) {
			if (!exact)
				return 0;
			rc = get_item(p, index, ret, err);
			if (rc == 0 && !str_eq(ret->key, key))
				rc = err_set(err, ERR_FORMAT, "keys are out of order");
			return rc < 0 ? rc : 1;
		}
		if (p->count == 0)
			return err_set(err, ERR_FORMAT, "a branch without children");
		/* A child holds what is not below its key: one before the next, and the first holds all that is below. */
		if (!exact && index > 0)
			index--;
		if ((rc = get_item(p, index, ret, err)) < 0)
			return rc;
		rc = get_page(b, ret->child, &p, err);
	}
	return rc;
}

int bolt_find(struct bolt *b, const struct bolt_bucket *in, struct str key, struct str *ret_value, struct err *err)
{
	struct item it;
	int rc = find_item(b, in, key, &it, err);
	if (rc <= 0 || it.bucket)
		return rc < 0 ? rc : 0;
	*ret_value = it.value;
	return 1;
}

int bolt_enter(struct bolt *b, const struct bolt_bucket *in, struct str key, struct bolt_bucket *ret, struct err *err)
{
	struct item it;
	int rc = find_item(b, in, key, &it, err);
	if (rc <= 0 || !it.bucket)
		return rc < 0 ? rc : 0;
	rc = bucket_of(it.value, ret, err);
	return rc < 0 ? rc : 1;
}

int bolt_enter_path(struct bolt *b, const struct bolt_bucket *in, const struct str *keys, size_t count,
                    struct bolt_bucket *ret, struct err *err)
{
	struct bolt_bucket at = *in;
	for (size_t i = 0; i < count; i++) {
		int rc = bolt_enter(b, &at, keys[i], &at, err);
		if (rc <= 0)
			return rc;
	}
	*ret = at;
	return 1;
}

struct walk {
	struct bolt *bolt;
	bolt_visit *visit;
	void *ctx;
	struct str last; /* keys must rise through the whole bucket, so no page is met twice */
	bool any;
};

static int visit_item(struct walk *w, const struct item *it, struct err *err)
{
	struct bolt_bucket bucket;
	if (w->any && str_cmp(w->last, it->key) >= 0)
		return err_set(err, ERR_FORMAT, "keys are out of order");
	w->last = it->key;
	w->any = true;
	int rc = it->bucket ? bucket_of(it->value, &bucket, err) : 0;
	return rc < 0 ? rc : w->visit(w->ctx, it->key, it->value, it->bucket ? &bucket : NULL, err);
}

static int walk_page(struct walk *w, const struct page *p, unsigned depth, struct err *err)
{
	int rc = 0;
	if (depth > BOLT_DEPTH_MAX)
		return err_set(err, ERR_FORMAT, "pages lie deeper than BOLT_DEPTH_MAX (%u)", BOLT_DEPTH_MAX);
	/* Only a bucket's first page may be empty: elsewhere that would let pages be met again and again. */
	if (p->count == 0 && (depth > 0 || !p->leaf))
		return err_set(err, ERR_FORMAT, "an empty page within a bucket");
	for (size_t i = 0; rc == 0 && i < p->count; i++) {
		struct item it;
		struct page *child;
		if ((rc = get_item(p, i, &it, err)) < 0 || (rc = step(w->bolt, err)) < 0)
			return rc;
		if (p->leaf)
			rc = visit_item(w, &it, err);
		else if ((rc = get_page(w->bolt, it.child, &child, err)) == 0)
			rc = walk_page(w, child, depth + 1, err);
	}
	return rc;
}

int bolt_each(struct bolt *b, const struct bolt_bucket *in, bolt_visit *visit, void *ctx, struct err *err)
{
	struct walk w = { .bolt = b, .visit = visit, .ctx = ctx };
	struct page inlined, *p;
	int rc = open_bucket(b, in, &inlined, &p, err);
	return rc < 0 ? rc : walk_page(&w, p, 0, err);
}
