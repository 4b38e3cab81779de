/* Packages.db (SUSE's "ndb"), all numbers little-endian. A head of 32 bytes ("RpmP", version 0, generation, count of
 * slot pages, next number), then the slot pages of 4,096 bytes, the first one around the head: slots of 16 bytes
 * ("Slot", package number, first block, count of blocks), unused ones without a block. A block has 16 bytes; a blob
 * is "BlbS", package number, generation, length, the header, padding to its last block's end and a tail there:
 * Adler-32, length, "BlbE".
 * The checksum is not looked at, as rpm itself does not when it lists packages: a flipped bit there must not hide
 * one. Never follows a slot outside the file or into the slot pages. */
#include "package/formats.h"

#include "package/rpm_header.h"

#include "base/base.h"

#define DB_MAGIC 0x506d7052u   /* "RpmP" */
#define SLOT_MAGIC 0x746f6c53u /* "Slot" */
#define HEAD_MAGIC 0x53626c42u /* "BlbS" */
#define TAIL_MAGIC 0x45626c42u /* "BlbE" */

#define PAGE_SIZE 4096u
#define BLOCK_SIZE 16u
#define DB_HEAD_SIZE 32u
#define BLOB_HEAD_SIZE 16u
#define BLOB_TAIL_SIZE 12u

struct slot {
	uint32_t magic, number, block, blocks;
};

static int read_blob(struct rpm_records *r, const struct slot *s, struct err *err)
{
	const struct content *c = r->content;
	uint8_t head[BLOB_HEAD_SIZE], tail[BLOB_TAIL_SIZE];
	uint64_t start = (uint64_t)s->block * BLOCK_SIZE, size = (uint64_t)s->blocks * BLOCK_SIZE;
	void *p;
	struct err why;
	if (size < BLOB_HEAD_SIZE + BLOB_TAIL_SIZE || start + size > r->size) {
		package_sink_bad(r->sink, "header %u: its blocks lie outside the file", s->number);
		return 0;
	}
	if (content_read(c, start, head, sizeof(head), &why) != 0 ||
	    content_read(c, start + size - sizeof(tail), tail, sizeof(tail), &why) != 0) {
		package_sink_bad(r->sink, "header %u: %s", s->number, why.text);
		return 0;
	}
	struct reader h = reader_of((struct str){ (const char *)head, sizeof(head) });
	struct reader t = reader_of((struct str){ (const char *)tail, sizeof(tail) });
	uint32_t magic = read_u32le(&h), number = read_u32le(&h);
	read_skip(&h, 4);
	uint32_t len = read_u32le(&h);
	read_skip(&t, 4);
	uint32_t tail_len = read_u32le(&t), tail_magic = read_u32le(&t);
	uint64_t whole = (uint64_t)BLOB_HEAD_SIZE + len + BLOB_TAIL_SIZE;
	if (magic != HEAD_MAGIC || number != s->number || tail_magic != TAIL_MAGIC || tail_len != len ||
	    (whole + BLOCK_SIZE - 1) / BLOCK_SIZE != s->blocks) {
		package_sink_bad(r->sink, "header %u: its slot points to no blob of that number", s->number);
		return 0;
	}
	int room = rpm_records_room(r, number, len, &p, err);
	if (room <= 0)
		return room;
	if (content_read(c, start + BLOB_HEAD_SIZE, p, len, err) != 0)
		return ERR_FORMAT;
	return rpm_records_add(r, number, len, err);
}

static int read_slot_page(struct rpm_records *r, uint32_t page, uint32_t pages, struct err *err)
{
	uint8_t bytes[PAGE_SIZE];
	int rc = content_read(r->content, (uint64_t)page * PAGE_SIZE, bytes, sizeof(bytes), err);
	struct reader p = reader_of((struct str){ (const char *)bytes, sizeof(bytes) });
	if (page == 0)
		read_skip(&p, DB_HEAD_SIZE);
	while (rc == 0 && reader_left(&p) > 0) {
		struct slot s = { .magic = read_u32le(&p), .number = read_u32le(&p) };
		s.block = read_u32le(&p);
		s.blocks = read_u32le(&p);
		if (s.magic != SLOT_MAGIC)
			return err_set(err, ERR_FORMAT, "slot page %u holds something else", page);
		if (s.block == 0)
			continue;
		if (s.number == 0 || s.block < pages * (PAGE_SIZE / BLOCK_SIZE))
			package_sink_bad(r->sink, "header %u: a bad slot", s.number);
		else
			rc = read_blob(r, &s, err);
	}
	return rc;
}

static int read_slots(struct rpm_records *r, struct err *err)
{
	uint8_t head[DB_HEAD_SIZE];
	int rc = content_read(r->content, 0, head, sizeof(head), err);
	if (rc != 0)
		return rc;
	struct reader h = reader_of((struct str){ (const char *)head, sizeof(head) });
	uint32_t magic = read_u32le(&h), version = read_u32le(&h);
	read_skip(&h, 4);
	uint32_t pages = read_u32le(&h);
	if (magic != DB_MAGIC)
		return err_set(err, ERR_FORMAT, "not a ndb database");
	if (version != 0)
		return err_set(err, ERR_UNSUPPORTED, "ndb version %u", version);
	if (pages == 0)
		return err_set(err, ERR_FORMAT, "no slot pages");
	if (pages > RPM_NDB_SLOT_PAGES_MAX)
		return err_set(err, ERR_LIMIT, "%u slot pages (RPM_NDB_SLOT_PAGES_MAX)", pages);
	for (uint32_t page = 0; rc == 0 && page < pages; page++)
		rc = read_slot_page(r, page, pages, err);
	return rc;
}

int rpm_ndb_parse(const struct content *c, struct str path, struct package_sink *sink, struct err *err)
{
	struct err why;
	struct rpm_records RPM_RECORDS_AUTO r;
	rpm_records_init(&r, c, path, sink);
	int rc = rpm_records_stop(&r, read_slots(&r, &why), &why);
	return rc ? err_set(err, rc, "%s", why.text) : 0;
}

bool rpm_ndb_sniff(struct str path, struct str head)
{
	(void)path;
	return str_starts(head, STR("RpmP"));
}
