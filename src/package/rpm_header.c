/* Rpm headers: the index, the region, the seven tags that we ask for. See rpm_header.h for the form.
 * Only these tags are looked at: what is wrong elsewhere in a header does not hide its package. Never reads outside
 * the header, never allocates from a count that it states. */
#include "package/rpm_header.h"

#include "base/base.h"

enum {
	TYPE_INT32 = 4,
	TYPE_STRING = 6,
	TYPE_BIN = 7,
	TYPE_STRING_ARRAY = 8,
	TYPE_I18NSTRING = 9,
};

enum {
	TAG_HEADER_IMAGE = 61,
	TAG_HEADER_IMMUTABLE = 63,
	TAG_NAME = 1000,
	TAG_VERSION = 1001,
	TAG_RELEASE = 1002,
	TAG_EPOCH = 1003,
	TAG_VENDOR = 1011,
	TAG_ARCH = 1022,
	TAG_SOURCE_RPM = 1044,
	TAG_DIRINDEXES = 1116,
	TAG_BASENAMES = 1117,
	TAG_DIRNAMES = 1118,
	TAG_MODULARITY_LABEL = 5096,
};

#define ENTRY_SIZE 16u
#define REGION_SIZE 16u

struct entry {
	uint32_t tag, type, offset, count;
	bool set, added; /* added: stands behind the region */
};

enum field { NAME, VERSION, RELEASE, EPOCH, VENDOR, ARCH, SOURCE_RPM, MODULE, FIELD_COUNT };

static const struct {
	uint32_t tag;
	const char *name;
} fields[FIELD_COUNT] = {
	[NAME] = { TAG_NAME, "name" },
	[VERSION] = { TAG_VERSION, "version" },
	[RELEASE] = { TAG_RELEASE, "release" },
	[EPOCH] = { TAG_EPOCH, "epoch" },
	[VENDOR] = { TAG_VENDOR, "vendor" },
	[ARCH] = { TAG_ARCH, "arch" },
	[SOURCE_RPM] = { TAG_SOURCE_RPM, "source rpm" },
	[MODULE] = { TAG_MODULARITY_LABEL, "modularity label" },
};

struct parts {
	struct str index, store;
	uint32_t entries;
	uint32_t region_entries; /* == entries where there is no region */
};

static struct entry read_entry(struct reader *r)
{
	struct entry e = { .tag = read_u32be(r), .type = read_u32be(r) };
	e.offset = read_u32be(r);
	e.count = read_u32be(r);
	return e;
}

static int split(struct str bytes, struct parts *ret, struct err *err)
{
	struct reader r = reader_of(bytes);
	uint32_t entries = read_u32be(&r), size = read_u32be(&r);
	if (r.bad)
		return err_set(err, ERR_FORMAT, "a header of %zu bytes", bytes.len);
	if (entries > RPM_TAGS_MAX)
		return err_set(err, ERR_LIMIT, "a header of %u tags (RPM_TAGS_MAX)", entries);
	if (8 + (uint64_t)entries * ENTRY_SIZE + size != bytes.len)
		return err_set(err, ERR_FORMAT, "%u tags and %u bytes of data do not make %zu bytes", entries, size,
			       bytes.len);
	ret->index = read_bytes(&r, (size_t)entries * ENTRY_SIZE);
	ret->store = read_bytes(&r, size);
	ret->entries = entries;
	return 0;
}

/* The region's trailer in the store repeats its entry, with the negated size of its index for an offset. A region
 * without offset is an old database's: it has no trailer and spans all. */
static int read_region(struct parts *p, struct err *err)
{
	struct reader r = reader_of(p->index);
	struct entry first = read_entry(&r);
	p->region_entries = p->entries;
	if (r.bad || first.tag < TAG_HEADER_IMAGE || first.tag > TAG_HEADER_IMMUTABLE || first.offset == 0)
		return 0;
	struct reader s = reader_of(p->store);
	read_seek(&s, first.offset);
	struct entry last = read_entry(&s);
	uint32_t span = 0u - last.offset;
	if (s.bad || first.type != TYPE_BIN || first.count != REGION_SIZE || last.tag != first.tag ||
	    last.type != TYPE_BIN || last.count != REGION_SIZE || span % ENTRY_SIZE != 0 ||
	    span / ENTRY_SIZE > p->entries)
		return err_set(err, ERR_FORMAT, "a bad region");
	p->region_entries = span / ENTRY_SIZE;
	return 0;
}

static void find_fields(const struct parts *p, struct entry ret[FIELD_COUNT])
{
	struct reader r = reader_of(p->index);
	for (uint32_t i = 0; i < p->entries; i++) {
		struct entry e = read_entry(&r);
		e.set = true;
		e.added = i >= p->region_entries;
		for (size_t f = 0; f < FIELD_COUNT; f++)
			if (e.tag == fields[f].tag && (!ret[f].set || (e.added && !ret[f].added)))
				ret[f] = e;
	}
}

/* The first string of an entry: of a list of translations that is the one of the C locale. */
static int get_string(const struct parts *p, const struct entry *e, enum field f, struct str *ret, struct err *err)
{
	*ret = (struct str){ 0 };
	if (!e->set)
		return 0;
	if (e->type != TYPE_STRING && e->type != TYPE_STRING_ARRAY && e->type != TYPE_I18NSTRING)
		return err_set(err, ERR_FORMAT, "%s of type %u", fields[f].name, e->type);
	struct reader r = reader_of(p->store);
	read_seek(&r, e->offset);
	struct str s = read_cstr(&r);
	if (r.bad || e->count == 0)
		return err_set(err, ERR_FORMAT, "%s lies outside the header", fields[f].name);
	/* Keys that rpm imports as packages carry this word in place of a file name. */
	if (!str_eq(s, STR("(none)")))
		*ret = s;
	return 0;
}

static int get_epoch(const struct parts *p, const struct entry *e, uint32_t *ret, struct err *err)
{
	*ret = 0;
	if (!e->set)
		return 0;
	struct reader r = reader_of(p->store);
	read_seek(&r, e->offset);
	*ret = read_u32be(&r);
	if (r.bad || e->type != TYPE_INT32 || e->count == 0)
		return err_set(err, ERR_FORMAT, "an epoch of type %u that is no number", e->type);
	return 0;
}

int rpm_header_parse(struct str bytes, struct rpm_header *ret, struct err *err)
{
	struct parts p = { 0 };
	struct entry found[FIELD_COUNT] = { 0 };
	struct rpm_header h = { 0 };
	struct str *const strings[FIELD_COUNT] = {
		[NAME] = &h.name, [VERSION] = &h.version,       [RELEASE] = &h.release, [VENDOR] = &h.vendor,
		[ARCH] = &h.arch, [SOURCE_RPM] = &h.source_rpm, [MODULE] = &h.module,
	};
	int rc = split(bytes, &p, err);
	if (rc == 0)
		rc = read_region(&p, err);
	if (rc != 0)
		return rc;
	find_fields(&p, found);
	for (enum field f = 0; rc == 0 && f < FIELD_COUNT; f++)
		rc = strings[f] ? get_string(&p, &found[f], f, strings[f], err)
				: get_epoch(&p, &found[f], &h.epoch, err);
	if (rc != 0)
		return rc;
	for (enum field f = NAME; f <= RELEASE; f++)
		if (strings[f]->len == 0)
			return err_set(err, ERR_FORMAT, "no %s", fields[f].name);
	*ret = h;
	return 0;
}

/* The strings of an array one after the other; the store's end ends it. */
static struct reader strings_at(const struct parts *p, const struct entry *e)
{
	struct reader r = reader_of(p->store);
	read_seek(&r, e->offset);
	if (e->type != TYPE_STRING_ARRAY)
		r.bad = true;
	return r;
}

/* Where the strings of an array begin, NULL for what is no whole array; to be freed. A string takes a byte at least, so
 * the table is no larger than a few times the header. */
static uint32_t *starts_of(const struct parts *p, const struct entry *e)
{
	struct reader r = strings_at(p, e);
	if (r.bad || e->count > p->store.len)
		return NULL;
	uint32_t *starts = xcalloc(e->count ? e->count : 1, sizeof(*starts));
	for (uint32_t i = 0; i < e->count; i++) {
		starts[i] = (uint32_t)(p->store.len - reader_left(&r));
		(void)read_cstr(&r);
	}
	if (!r.bad)
		return starts;
	free(starts);
	return NULL;
}

/* A file's name is in one array, the number of its folder in a second, folders' names in a third. */
static bool owns_any(const struct parts *p, const struct entry *names, const struct entry *numbers,
                     const struct entry *folders, const struct file_wish *wish)
{
	struct reader name = strings_at(p, names), number = reader_of(p->store), folder = reader_of(p->store);
	uint32_t *starts = starts_of(p, folders);
	bool owns = false;
	read_seek(&number, numbers->offset);
	for (uint32_t i = 0; starts && !owns && numbers->type == TYPE_INT32 && i < names->count && i < numbers->count; i++) {
		struct str base = read_cstr(&name);
		uint32_t want = read_u32be(&number);
		if (name.bad || number.bad || want >= folders->count)
			break;
		read_seek(&folder, starts[want]);
		owns = file_wished_in(wish, read_cstr(&folder), base);
	}
	free(starts);
	return owns;
}

bool rpm_header_owns(struct str bytes, const struct file_wish *wish)
{
	struct parts p = { 0 };
	struct entry names = { 0 }, numbers = { 0 }, folders = { 0 };
	if (split(bytes, &p, NULL) != 0)
		return false;
	struct reader r = reader_of(p.index);
	for (uint32_t i = 0; i < p.entries; i++) {
		struct entry e = read_entry(&r);
		struct entry *to = e.tag == TAG_BASENAMES ? &names : e.tag == TAG_DIRINDEXES ? &numbers :
		                   e.tag == TAG_DIRNAMES ? &folders : NULL;
		if (to)
			*to = e;
	}
	return names.count && owns_any(&p, &names, &numbers, &folders, wish);
}

static struct str whole_version(struct arena *a, uint32_t epoch, struct str version_release)
{
	return epoch ? arena_printf(a, "%u:%.*s", epoch, STR_ARG(version_release)) : version_release;
}

/* "NAME-VERSION-RELEASE.src.rpm"; the name may have hyphens, the other two never. */
static bool split_source(struct str file, struct str *ret_name, struct str *ret_version)
{
	if (!str_drop(&file, STR(".src.rpm")) && !str_drop(&file, STR(".nosrc.rpm")))
		return false;
	ptrdiff_t release = str_rfind(file, '-');
	ptrdiff_t version = release > 0 ? str_rfind(str_sub(file, 0, (size_t)release), '-') : -1;
	if (version < 1 || release == version + 1 || (size_t)release + 1 == file.len)
		return false;
	*ret_name = str_sub(file, 0, (size_t)version);
	*ret_version = str_sub(file, (size_t)version + 1, file.len);
	return true;
}

void rpm_header_package(struct arena *a, const struct rpm_header *h, struct package *ret)
{
	struct str plain = arena_printf(a, "%.*s-%.*s", STR_ARG(h->version), STR_ARG(h->release));
	struct str source_name = h->name, source_version = plain;
	(void)split_source(h->source_rpm, &source_name, &source_version);
	*ret = (struct package){
		.type = PACKAGE_RPM,
		.name = h->name,
		.version = whole_version(a, h->epoch, plain),
		.arch = h->arch,
		.source_name = source_name,
		.source_version = whole_version(a, h->epoch, source_version),
		.vendor = h->vendor,
		.module = h->module,
	};
}

void rpm_records_init(struct rpm_records *r, const struct content *c, struct str path, struct package_sink *sink)
{
	uint64_t size = c->fd < 0 ? c->mem.len : c->size;
	*r = (struct rpm_records){ .content = c, .size = size, .path = path, .sink = sink, .bytes_left = size };
	buf_init(&r->bytes, RPM_HEADER_SIZE_MAX);
}

void rpm_records_done(struct rpm_records *r)
{
	buf_done(&r->bytes);
	arena_free(r->scratch);
}

int rpm_records_room(struct rpm_records *r, int64_t number, uint64_t len, void **ret, struct err *err)
{
	if (len > r->bytes_left)
		return err_set(err, ERR_FORMAT, "header %lld: headers claim more bytes than the file has",
			       (long long)number);
	r->bytes_left -= len;
	buf_clear(&r->bytes);
	if (!buf_reserve(&r->bytes, (size_t)len)) {
		package_sink_bad(r->sink, "header %lld: %llu bytes (RPM_HEADER_SIZE_MAX)", (long long)number,
				 (unsigned long long)len);
		return 0;
	}
	*ret = r->bytes.ptr;
	return 1;
}

/* Scratch for one header's version strings; the sink copies what it keeps. */
static void renew_scratch(struct rpm_records *r)
{
	if (r->scratch && arena_used(r->scratch) < 1 * MIB)
		return;
	arena_free(r->scratch);
	r->scratch = arena_new();
}

int rpm_records_add(struct rpm_records *r, int64_t number, size_t len, struct err *err)
{
	struct rpm_header h;
	struct package p;
	struct err why;
	if (rpm_header_parse((struct str){ r->bytes.ptr, len }, &h, &why) != 0) {
		package_sink_bad(r->sink, "header %lld: %s", (long long)number, why.text);
		return 0;
	}
	renew_scratch(r);
	rpm_header_package(r->scratch, &h, &p);
	p.db_path = r->path;
	if (r->sink->wish)
		p.use = rpm_header_owns((struct str){ r->bytes.ptr, len }, r->sink->wish) ? USE_YES : USE_NO;
	int rc = package_sink_add(r->sink, &p, err);
	if (rc == 0)
		r->added++;
	return rc;
}

int rpm_records_stop(struct rpm_records *r, int code, struct err *err)
{
	if (code == 0 || code == ERR_LIMIT || r->added == 0)
		return code;
	package_sink_bad(r->sink, "reading stopped: %s", err ? err->text : "unreadable");
	return 0;
}

int rpm_other_parse(const struct content *c, struct str path, struct package_sink *sink, struct err *err)
{
	(void)path, (void)sink;
	if (c->fd < 0 ? c->mem.len == 0 : c->size == 0)
		return err_set(err, ERR_FORMAT, "an empty file where a rpm database belongs");
	return err_set(err, ERR_FORMAT, "no rpm database in a form that is known (SQLite, ndb, Berkeley DB)");
}
