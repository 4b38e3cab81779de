/* A bbolt file: walked whole, asked for each of its keys, and asked what containerd's store asks of its two kinds. The meta
 * pages' checksums are made right first, or nothing behind them would ever be reached. */
#include "base/base.h"
#include "base/bolt.h"
#include "image/containerd.h"

#define DEPTH_MAX 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct place {
	struct bolt *bolt;
	const struct bolt_bucket *in;
	unsigned depth;
};

static int visit(void *ctx, struct str key, struct str value, const struct bolt_bucket *bucket, struct err *err)
{
	const struct place *p = ctx;
	struct bolt_bucket again;
	struct str found;
	struct err ignored = { 0 };
	/* A broken tree may hold a key twice, or where a search does not come by: only bytes are looked at. */
	int rc = bucket ? bolt_enter(p->bolt, p->in, key, &again, &ignored) : bolt_find(p->bolt, p->in, key, &found, &ignored);
	if (rc == 1 && !bucket)
		(void)(str_hash(found) ^ str_hash(value));
	if (!bucket || p->depth > DEPTH_MAX)
		return 0;
	struct place inner = { p->bolt, bucket, p->depth + 1 };
	return bolt_each(p->bolt, bucket, visit, &inner, err);
}

static int ask(struct bolt *b, void *ctx, struct err *err)
{
	struct bolt_bucket root = bolt_root(b);
	struct place p = { b, &root, 0 };
	(void)ctx;
	return bolt_each(b, &root, visit, &p, err);
}

static void fix_meta(uint8_t *data, size_t size, size_t at)
{
	uint64_t h = 0xcbf29ce484222325u;
	if (at > size || size - at < 80)
		return;
	for (size_t i = 0; i < 56; i++)
		h = (h ^ data[at + 16 + i]) * 0x100000001b3u;
	for (size_t i = 0; i < 8; i++)
		data[at + 72 + i] = (uint8_t)(h >> (8 * i));
}

static void ask_store(const struct content *c, enum containerd_ask what)
{
	static const char *const chains[] = { "sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb", "box" };
	struct arena *ARENA_AUTO a = arena_new();
	struct containerd_snapshot keys[COUNT_OF(chains)] = { 0 };
	struct buf BUF_AUTO out = { 0 };
	struct err err = { 0 };
	for (size_t i = 0; i < COUNT_OF(chains); i++)
		keys[i].key = str_from(chains[i]);
	struct containerd_question q = {
		.ask = what, .meta = *c, .snapshots = { *c, *c }, .have = { true, true }, .keys = keys, .key_count = COUNT_OF(keys),
	};
	q.wanted = what == ASK_CONTAINERS ? STR("box") : (struct str){ 0 };
	q.space = what == ASK_IMAGES ? (struct str){ 0 } : STR("default");
	buf_init(&out, 8 * MIB);
	(void)containerd_answer(a, &q, &out, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = xmalloc(size);
	struct err err = { 0 };
	if (size)
		memcpy(copy, data, size);
	fix_meta(copy, size, 0);
	fix_meta(copy, size, 1024);
	struct content c = content_of((struct str){ (const char *)copy, size });
	(void)bolt_read(&c, ask, NULL, &err);
	ask_store(&c, ASK_IMAGES);
	ask_store(&c, ASK_CONTAINERS);
	ask_store(&c, ASK_SNAPSHOTS);
	free(copy);
	return 0;
}
