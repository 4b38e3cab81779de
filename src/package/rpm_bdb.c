/* Packages as a Berkeley DB hash file (rpm 4 up to RHEL 8, CentOS, Amazon Linux 2, SLES 12), hash versions 8 to 10, in
 * either byte order. Key: a 4-byte number; number 0 is rpm's counter; value: a header.
 *
 * Page 0 is the hash meta page: buckets 0..max, and spares[], by which a bucket's number gives its first page (bucket +
 * spares[bits of the bucket's number]). A bucket is a chain of pages. A hash page has 26 bytes of head, then the
 * offsets of its items, which lie from the page's end downwards and so end where the one before begins; they
 * alternate key, value. An item's first byte says inline (1) or, for all but tiny headers, off page (3): the first of
 * a chain of overflow pages and the length of the whole.
 * No page belongs to two chains, so each is read once: that ends every circle. */
#include "package/formats.h"

#include "package/rpm_header.h"

#include "base/base.h"

#define HASH_MAGIC 0x00061561u
#define BTREE_MAGIC 0x00053162u
#define QUEUE_MAGIC 0x00042253u
#define HEAP_MAGIC 0x00074582u
#define MAGIC_OFFSET 12

#define VERSION_MIN 8u
#define VERSION_MAX 10u
#define META_SIZE 512u /* the least page size, so there is as much */
#define SPARES 32u
#define PAGE_HEAD_SIZE 26u
#define PAGE_SIZE_MIN 512u
#define PAGE_SIZE_MAX 65536u
#define OFF_PAGE_SIZE 12u
#define META_CHECKSUM 0x01u

enum { PAGE_HASH_UNSORTED = 2, PAGE_OVERFLOW = 7, PAGE_META = 8, PAGE_HASH = 13 };
enum { ITEM_INLINE = 1, ITEM_OFF_PAGE = 3 };

struct bdb {
	struct rpm_records *records;
	const struct content *content;
	bool big; /* byte order of the file */
	uint32_t page_size;
	uint32_t pages; /* those that the file has */
	uint32_t bucket_max;
	uint32_t spares[SPARES];
	uint8_t *page; /* the hash page that is being read: page_size bytes */
	uint8_t *seen; /* a bit a page */
};

struct page_head {
	uint32_t number, next;
	uint16_t entries, free_offset;
	uint8_t type;
};

static uint32_t get_u32(const struct bdb *db, struct reader *r) { return db->big ? read_u32be(r) : read_u32le(r); }
static uint16_t get_u16(const struct bdb *db, struct reader *r) { return db->big ? read_u16be(r) : read_u16le(r); }

static struct page_head parse_head(const struct bdb *db, const uint8_t bytes[PAGE_HEAD_SIZE])
{
	struct reader r = reader_of((struct str){ (const char *)bytes, PAGE_HEAD_SIZE });
	struct page_head h = { 0 };
	read_skip(&r, 8); /* log position */
	h.number = get_u32(db, &r);
	read_skip(&r, 4); /* previous page */
	h.next = get_u32(db, &r);
	h.entries = get_u16(db, &r);
	h.free_offset = get_u16(db, &r);
	read_skip(&r, 1); /* level */
	h.type = read_u8(&r);
	return h;
}

/* Read the first n bytes of a page that nobody has asked for before. */
static int read_page(struct bdb *db, uint32_t number, uint8_t *p, size_t n, struct page_head *ret, struct err *err)
{
	if (number == 0 || number >= db->pages)
		return err_set(err, ERR_FORMAT, "page %u lies outside the file", number);
	uint8_t bit = (uint8_t)(1u << (number % 8));
	if (db->seen[number / 8] & bit)
		return err_set(err, ERR_FORMAT, "page %u is in two places", number);
	db->seen[number / 8] |= bit;
	int rc = content_read(db->content, (uint64_t)number * db->page_size, p, n, err);
	if (rc == 0)
		*ret = parse_head(db, p);
	return rc;
}

/* The whole of an item that lies on overflow pages. */
static int read_overflow(struct bdb *db, uint32_t number, uint8_t *p, uint32_t len, struct err *err)
{
	while (len > 0) {
		uint8_t bytes[PAGE_HEAD_SIZE];
		struct page_head h = { 0 };
		int rc = read_page(db, number, bytes, sizeof(bytes), &h, err);
		if (rc != 0)
			return rc;
		/* On these pages the field for the free offset holds the count of bytes. */
		uint32_t n = h.free_offset;
		if (h.number != number || h.type != PAGE_OVERFLOW || n == 0 || n > len ||
		    n > db->page_size - PAGE_HEAD_SIZE)
			return err_set(err, ERR_FORMAT, "page %u is no overflow page of that header", number);
		rc = content_read(db->content, (uint64_t)number * db->page_size + PAGE_HEAD_SIZE, p, n, err);
		if (rc != 0)
			return rc;
		p += n;
		len -= n;
		number = h.next;
	}
	return 0;
}

/* A value: one header into the sink. number is its key. */
static int read_value(struct bdb *db, uint32_t number, struct str item, struct err *err)
{
	struct reader r = reader_of(item);
	struct err why;
	void *p;
	uint8_t kind = read_u8(&r);
	uint32_t page = 0, len = (uint32_t)reader_left(&r);
	if (kind == ITEM_OFF_PAGE && item.len == OFF_PAGE_SIZE) {
		read_skip(&r, 3);
		page = get_u32(db, &r);
		len = get_u32(db, &r);
	} else if (kind != ITEM_INLINE) {
		package_sink_bad(db->records->sink, "header %u: an item of kind %u", number, kind);
		return 0;
	}
	int room = rpm_records_room(db->records, number, len, &p, err);
	if (room <= 0)
		return room;
	if (kind == ITEM_INLINE) {
		struct str bytes = read_bytes(&r, len);
		if (len)
			memcpy(p, bytes.ptr, len);
	} else if (read_overflow(db, page, p, len, &why) != 0) {
		package_sink_bad(db->records->sink, "header %u: %s", number, why.text);
		return 0;
	}
	return rpm_records_add(db->records, number, len, err);
}

/* rpm's numbers are in the byte order of the machine that wrote the file, like the file itself. */
static bool read_key(const struct bdb *db, struct str item, uint32_t *ret)
{
	struct reader r = reader_of(item);
	uint8_t kind = read_u8(&r);
	*ret = get_u32(db, &r);
	return !r.bad && kind == ITEM_INLINE && reader_left(&r) == 0;
}

/* Items i and i + 1 of the page: false where they do not lie between the offsets and the item before. */
static bool read_pair(const struct bdb *db, const struct page_head *h, uint32_t i, struct str *ret_key,
		      struct str *ret_value)
{
	struct reader r = reader_of((struct str){ (const char *)db->page, db->page_size });
	uint32_t end = db->page_size, low = PAGE_HEAD_SIZE + 2u * h->entries;
	if (i > 0) {
		read_seek(&r, PAGE_HEAD_SIZE + 2u * (i - 1));
		end = get_u16(db, &r);
	} else {
		read_seek(&r, PAGE_HEAD_SIZE);
	}
	uint32_t key = get_u16(db, &r), value = get_u16(db, &r);
	if (r.bad || value < low || value >= key || key >= end || end > db->page_size)
		return false;
	*ret_key = (struct str){ (const char *)db->page + key, end - key };
	*ret_value = (struct str){ (const char *)db->page + value, key - value };
	return true;
}

static int read_hash_page(struct bdb *db, const struct page_head *h, struct err *err)
{
	int rc = 0;
	for (uint32_t i = 0; rc == 0 && i + 1 < h->entries; i += 2) {
		struct str key, value;
		uint32_t number;
		if (!read_pair(db, h, i, &key, &value))
			package_sink_bad(db->records->sink, "page %u, item %u: bad offsets", h->number, i);
		else if (!read_key(db, key, &number))
			package_sink_bad(db->records->sink, "page %u, item %u: no package number", h->number, i);
		else if (number != 0)
			rc = read_value(db, number, value, err);
	}
	return rc;
}

static uint32_t bits_of(uint32_t v) { return v ? 32u - (uint32_t)__builtin_clz(v) : 0; }

/* A broken chain ends its bucket with a diagnostic; the other buckets are still read. */
static int read_bucket(struct bdb *db, uint32_t bucket, struct err *err)
{
	uint32_t number = bucket + db->spares[bits_of(bucket)];
	do {
		struct page_head h = { 0 };
		struct err why = { 0 };
		int rc = read_page(db, number, db->page, db->page_size, &h, &why);
		if (rc == 0 && (h.number != number || (h.type != PAGE_HASH && h.type != PAGE_HASH_UNSORTED)))
			rc = err_set(&why, ERR_FORMAT, "page %u is no hash page (type %u)", number, h.type);
		if (rc != 0) {
			package_sink_bad(db->records->sink, "bucket %u: %s", bucket, why.text);
			return 0;
		}
		rc = read_hash_page(db, &h, err);
		if (rc != 0)
			return rc;
		number = h.next;
	} while (number != 0);
	return 0;
}

static int check_magic(struct bdb *db, struct str meta, struct err *err)
{
	static const struct {
		uint32_t magic;
		const char *name;
	} others[] = { { BTREE_MAGIC, "btree" }, { QUEUE_MAGIC, "queue" }, { HEAP_MAGIC, "heap" } };
	struct reader r = reader_of(meta);
	read_seek(&r, MAGIC_OFFSET);
	uint32_t magic = read_u32le(&r), swapped = __builtin_bswap32(magic);
	db->big = swapped == HASH_MAGIC;
	if (magic == HASH_MAGIC || db->big)
		return 0;
	for (size_t i = 0; i < COUNT_OF(others); i++)
		if (magic == others[i].magic || swapped == others[i].magic)
			return err_set(err, ERR_UNSUPPORTED, "a Berkeley DB %s, where rpm keeps its packages in a hash",
				       others[i].name);
	return err_set(err, ERR_FORMAT, "not a Berkeley DB file");
}

static int read_meta(struct bdb *db, struct err *err)
{
	uint8_t bytes[META_SIZE];
	int rc = content_read(db->content, 0, bytes, sizeof(bytes), err);
	struct str meta = { (const char *)bytes, sizeof(bytes) };
	if (rc == 0)
		rc = check_magic(db, meta, err);
	if (rc != 0)
		return rc;
	struct reader r = reader_of(meta);
	read_seek(&r, MAGIC_OFFSET + 4);
	uint32_t version = get_u32(db, &r);
	db->page_size = get_u32(db, &r);
	uint8_t cipher = read_u8(&r), type = read_u8(&r), flags = read_u8(&r);
	read_seek(&r, 72);
	db->bucket_max = get_u32(db, &r);
	read_seek(&r, 96);
	for (size_t i = 0; i < SPARES; i++)
		db->spares[i] = get_u32(db, &r);
	if (version < VERSION_MIN || version > VERSION_MAX)
		return err_set(err, ERR_UNSUPPORTED, "Berkeley DB hash version %u", version);
	if (cipher != 0)
		return err_set(err, ERR_UNSUPPORTED, "an encrypted Berkeley DB");
	if (flags & META_CHECKSUM)
		return err_set(err, ERR_UNSUPPORTED, "a Berkeley DB with page checksums, which rpm does not write");
	if (type != PAGE_META || db->page_size < PAGE_SIZE_MIN || db->page_size > PAGE_SIZE_MAX ||
	    (db->page_size & (db->page_size - 1)) != 0)
		return err_set(err, ERR_FORMAT, "a bad meta page (type %u, page size %u)", type, db->page_size);
	uint64_t pages = db->records->size / db->page_size;
	db->pages = pages > UINT32_MAX ? UINT32_MAX : (uint32_t)pages;
	if (db->bucket_max >= db->pages)
		return err_set(err, ERR_FORMAT, "%u buckets in %u pages", db->bucket_max, db->pages);
	return 0;
}

static int read_buckets(struct bdb *db, struct err *err)
{
	int rc = read_meta(db, err);
	if (rc != 0)
		return rc;
	db->page = xmalloc(db->page_size);
	db->seen = xcalloc(db->pages / 8 + 1, 1);
	for (uint32_t bucket = 0; rc == 0 && bucket <= db->bucket_max; bucket++)
		rc = read_bucket(db, bucket, err);
	free(db->page);
	free(db->seen);
	return rc;
}

int rpm_bdb_parse(const struct content *c, struct str path, struct package_sink *sink, struct err *err)
{
	struct err why;
	struct rpm_records RPM_RECORDS_AUTO r;
	rpm_records_init(&r, c, path, sink);
	struct bdb db = { .records = &r, .content = c };
	int rc = rpm_records_stop(&r, read_buckets(&db, &why), &why);
	return rc ? err_set(err, rc, "%s", why.text) : 0;
}

/* Any kind of Berkeley DB: a btree where rpm's hash should be is refused by name. */
bool rpm_bdb_sniff(struct str path, struct str head)
{
	(void)path;
	struct reader r = reader_of(head);
	read_seek(&r, MAGIC_OFFSET);
	uint32_t magic = read_u32le(&r), swapped = __builtin_bswap32(magic);
	const uint32_t known[] = { HASH_MAGIC, BTREE_MAGIC, QUEUE_MAGIC, HEAP_MAGIC };
	for (size_t i = 0; !r.bad && i < COUNT_OF(known); i++)
		if (magic == known[i] || swapped == known[i])
			return true;
	return false;
}
