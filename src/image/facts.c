/* The wire form of a layer's facts, and look-ups in it: see layer.h. */
#include "image/layer.h"

#include "base/base.h"

static void put_digest(struct buf *out, const struct sha256 *d)
{
	buf_put_mem(out, d->bytes, SHA256_SIZE);
}

static struct sha256 take_digest(struct reader *r)
{
	struct sha256 d = { 0 };
	struct str bytes = read_bytes(r, SHA256_SIZE);
	if (bytes.len)
		memcpy(d.bytes, bytes.ptr, SHA256_SIZE);
	return d;
}

void layer_facts_encode(const struct layer_facts *f, struct buf *out)
{
	buf_varint(out, LAYER_VERSION);
	buf_byte(out, (uint8_t)((f->plain ? 1 : 0) | (f->has_stored ? 2 : 0)));
	put_digest(out, &f->diff_id);
	put_digest(out, &f->stored);
	buf_varint(out, f->size);
	buf_varint(out, f->trailing);
	buf_varint(out, f->refused);
	buf_varint(out, f->dropped);
	buf_varint(out, f->closed);
	buf_varint(out, f->redirected);
	buf_varint(out, f->entry_count);
	for (size_t i = 0; i < f->entry_count; i++) {
		const struct layer_entry *e = &f->entries[i];
		buf_byte(out, (uint8_t)e->kind);
		buf_str(out, e->path);
		buf_str(out, e->link);
		buf_str(out, e->payload);
	}
	buf_str(out, f->paths);
}

static void take_entry(struct reader *r, const struct layer_entry *before, struct layer_entry *ret)
{
	uint8_t kind = read_u8(r);
	if (kind >= ENTRY_KIND_COUNT)
		r->bad = true;
	*ret = (struct layer_entry){ .kind = kind < ENTRY_KIND_COUNT ? (enum layer_entry_kind)kind : ENTRY_FILE };
	ret->path = read_str(r);
	ret->link = read_str(r);
	ret->payload = read_str(r);
	/* Look-ups trust the order. */
	if (before && str_cmp(before->path, ret->path) > 0)
		r->bad = true;
}

void layer_facts_decode(struct arena *a, struct reader *r, struct layer_facts *ret)
{
	struct layer_facts f = { 0 };
	if (read_varint(r) != LAYER_VERSION)
		r->bad = true;
	uint8_t flags = read_u8(r);
	f.plain = flags & 1;
	f.has_stored = flags & 2;
	f.diff_id = take_digest(r);
	f.stored = take_digest(r);
	f.size = read_varint(r);
	f.trailing = read_varint(r);
	f.refused = read_varint(r);
	f.dropped = read_varint(r);
	f.closed = read_varint(r);
	f.redirected = read_varint(r);
	f.entry_count = read_count(r, 4);
	if (f.entry_count > LAYER_ENTRIES_MAX)
		r->bad = true;
	*ret = (struct layer_facts){ 0 };
	if (r->bad)
		return;
	f.entries = arena_array(a, f.entry_count, sizeof(*f.entries));
	for (size_t i = 0; i < f.entry_count && !r->bad; i++)
		take_entry(r, i ? &f.entries[i - 1] : NULL, &f.entries[i]);
	f.paths = read_str(r);
	if (!path_set_valid(f.paths))
		r->bad = true;
	if (!r->bad)
		*ret = f;
}

size_t layer_first_at(const struct layer_facts *f, struct str path)
{
	size_t lo = 0, hi = f->entry_count;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (str_cmp(f->entries[mid].path, path) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct layer_entry *layer_find(const struct layer_facts *f, struct str path, enum layer_entry_kind kind)
{
	for (size_t i = layer_first_at(f, path); i < f->entry_count && str_eq(f->entries[i].path, path); i++)
		if (f->entries[i].kind == kind)
			return &f->entries[i];
	return NULL;
}

const struct layer_entry *layer_node(const struct layer_facts *f, struct str path)
{
	for (size_t i = layer_first_at(f, path); i < f->entry_count && str_eq(f->entries[i].path, path); i++)
		if (f->entries[i].kind <= ENTRY_HARDLINK)
			return &f->entries[i];
	return NULL;
}
