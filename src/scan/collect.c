/* Deciding by name, parsing by table: see collect.h. A file is wanted by the last part of its name, wherever it lies,
 * because a link may lead to it from its canonical place; whether it counts is found out when layers are merged. */
#include "scan/collect.h"

#include "base/base.h"

enum payload_kind { PAYLOAD_PACKAGES = 1, PAYLOAD_TEXT, PAYLOAD_ERROR, PAYLOAD_OWNER };

/* SQLite's write-ahead log: its content is not applied, but its presence is a fact. */
static const struct str wal_name = STR_INIT("rpmdb.sqlite-wal");

static struct str base_name(struct str path)
{
	return str_sub(path, (size_t)(str_rfind(path, '/') + 1), path.len);
}

static struct str parent_name(struct str path)
{
	ptrdiff_t slash = str_rfind(path, '/');
	return base_name(str_sub(path, 0, slash < 0 ? 0 : (size_t)slash));
}

/* How well a canonical place fits a path: 2 the place itself, 1 by the last part of its name, 0 not. */
static int fits(const char *place, struct str path)
{
	struct str canonical = str_from(place);
	if (str_drop(&canonical, STR("/*"))) {
		ptrdiff_t slash = str_rfind(path, '/');
		if (slash >= 0 && str_eq(str_sub(path, 0, (size_t)slash), canonical))
			return 2;
		return str_eq(parent_name(path), base_name(canonical)) ? 1 : 0;
	}
	if (str_eq(path, canonical))
		return 2;
	return str_eq(base_name(path), base_name(canonical)) ? 1 : 0;
}

/* The row that fits path best and, where head is given, its content; NULL for none. */
static const struct package_format *format_of(struct str path, const struct str *head)
{
	const struct package_format *best = NULL;
	int best_fit = 0;
	for (size_t i = 0; i < package_format_count; i++) {
		const struct package_format *f = &package_formats[i];
		for (size_t k = 0; f->paths[k]; k++) {
			int fit = fits(f->paths[k], path);
			if (fit > best_fit && (!head || !f->sniff || f->sniff(path, *head))) {
				best = f;
				best_fit = fit;
			}
		}
	}
	return best;
}

/* A file that a link led to and whose own name says nothing: by what it begins with. */
static const struct package_format *format_by_content(struct str head)
{
	static const struct {
		struct str begin;
		enum package_type type;
	} texts[] = { { STR_INIT("Package:"), PACKAGE_DEB }, { STR_INIT("C:Q"), PACKAGE_APK }, { STR_INIT("P:"), PACKAGE_APK } };
	for (size_t i = 0; i < package_format_count; i++) {
		const struct package_format *f = &package_formats[i];
		if (f->type == PACKAGE_RPM && f->sniff && f->sniff(str_from(f->paths[0]), head))
			return f;
		for (size_t k = 0; k < COUNT_OF(texts); k++)
			if (f->type == texts[k].type && str_starts(head, texts[k].begin))
				return f;
	}
	return NULL;
}

static bool is_os_file(struct str path)
{
	for (size_t i = 0; os_files[i]; i++)
		if (fits(os_files[i], path))
			return true;
	return false;
}

/* Nearly every file of a layer is not wanted: its name's first letter and length say so without a look at the tables.
 * A set bit means "perhaps". */
struct name_filter {
	uint64_t lengths[256];
};

static void filter_add(struct name_filter *f, struct str name)
{
	if (name.len)
		f->lengths[(unsigned char)name.ptr[0]] |= (uint64_t)1 << (name.len < 63 ? name.len : 63);
}

static bool filter_has(const struct name_filter *f, struct str name)
{
	return name.len && f->lengths[(unsigned char)name.ptr[0]] >> (name.len < 63 ? name.len : 63) & 1;
}

static struct name_filter file_names, folder_names;

static void add_place(const char *place)
{
	struct str path = str_from(place);
	if (str_drop(&path, STR("/*")))
		filter_add(&folder_names, base_name(path));
	else
		filter_add(&file_names, base_name(path));
}

static void fill_filters(void)
{
	filter_add(&file_names, wal_name);
	for (size_t i = 0; i < package_format_count; i++)
		for (size_t k = 0; package_formats[i].paths[k]; k++)
			add_place(package_formats[i].paths[k]);
	for (size_t i = 0; os_files[i]; i++)
		add_place(os_files[i]);
}

/* One of dpkg's lists of a package's files, by its name: in links' targets, too, for all of a folder is moved. */
static bool is_file_list(struct str path)
{
	return (str_ends(path, STR(".list")) && str_eq(parent_name(path), STR("info"))) ||
	       (str_ends(path, STR(".md5sums")) && str_eq(parent_name(path), STR("status.d")));
}

static bool may_be_wanted(struct str path)
{
	return filter_has(&file_names, base_name(path)) || filter_has(&folder_names, parent_name(path));
}

static enum layer_want want(void *ctx, struct str path, uint64_t size, struct err *why)
{
	if (ctx && is_file_list(path)) {
		if (size <= FILE_LIST_SIZE_MAX)
			return WANT_YES;
		err_set(why, ERR_LIMIT, "%ju bytes, over FILE_LIST_SIZE_MAX", (uintmax_t)size);
		return WANT_REFUSED;
	}
	if (!may_be_wanted(path))
		return WANT_NO;
	if (str_eq(base_name(path), wal_name)) {
		if (size == 0)
			return WANT_NO;
		err_set(why, ERR_UNSUPPORTED, "the write-ahead log beside the database holds changes, which are not applied");
		return WANT_REFUSED;
	}
	if (is_os_file(path)) {
		if (size <= OS_RELEASE_SIZE_MAX)
			return WANT_YES;
		err_set(why, ERR_LIMIT, "%ju bytes, over OS_RELEASE_SIZE_MAX", (uintmax_t)size);
		return WANT_REFUSED;
	}
	const struct package_format *f = format_of(path, NULL);
	if (!f)
		return WANT_NO;
	if (size > f->size_max) {
		err_set(why, ERR_LIMIT, "%ju bytes, over %s", (uintmax_t)size, f->size_max_name);
		return WANT_REFUSED;
	}
	return WANT_YES;
}

static bool sniff(void *ctx, struct str path, struct str head)
{
	return (ctx && is_file_list(path)) || is_os_file(path) || format_of(path, &head) != NULL;
}

static void put_error(const struct err *why, struct buf *payload)
{
	buf_clear(payload);
	buf_byte(payload, PAYLOAD_ERROR);
	buf_str(payload, str_from(why->text));
}

static void put_packages(const struct package_format *f, const struct package_sink *sink, struct buf *payload)
{
	struct err err = { 0 };
	buf_byte(payload, PAYLOAD_PACKAGES);
	buf_str(payload, str_from(f->name));
	buf_varint(payload, sink->bad_records);
	buf_varint(payload, sink->diagnostic_count);
	for (size_t i = 0; i < sink->diagnostic_count; i++)
		buf_str(payload, sink->diagnostics[i]);
	buf_varint(payload, sink->list.len);
	for (size_t i = 0; i < sink->list.len; i++)
		package_encode(payload, &sink->list.ptr[i]);
	if (payload->overflow) {
		err_set(&err, ERR_LIMIT, "its package list passes FRAME_PAYLOAD_MAX");
		put_error(&err, payload);
	}
}

static void refuse(void *ctx, struct str path, const struct err *why, struct buf *payload)
{
	(void)ctx;
	(void)path;
	put_error(why, payload);
}

static void collect_text(const struct content *c, struct buf *payload)
{
	struct err err = { 0 };
	char *text = xmalloc(OS_RELEASE_SIZE_MAX);
	size_t n = c->size < OS_RELEASE_SIZE_MAX ? (size_t)c->size : OS_RELEASE_SIZE_MAX;
	if (content_read(c, 0, text, n, &err) < 0) {
		put_error(&err, payload);
	} else {
		buf_byte(payload, PAYLOAD_TEXT);
		buf_str(payload, (struct str){ text, n });
	}
	free(text);
}

/* A line of a .list is a path; of .md5sums it is a digest, two spaces and a path. */
static void collect_owner(const struct file_wish *wish, struct str path, const struct content *c, struct buf *payload)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct err err = { 0 };
	struct str text, line;
	bool sums = str_ends(path, STR(".md5sums")), owns = false;
	if (content_text(c, a, FILE_LIST_SIZE_MAX, "FILE_LIST_SIZE_MAX", &text, &err) < 0) {
		put_error(&err, payload);
		return;
	}
	while (!owns && str_cut(&text, '\n', &line)) {
		if (sums)
			line = line.len > 34 ? str_sub(line, 34, line.len) : (struct str){ 0 };
		owns = line.len && file_wished(wish, line);
	}
	buf_byte(payload, PAYLOAD_OWNER);
	buf_byte(payload, owns);
}

static void collect(void *ctx, struct str path, const struct content *c, struct buf *payload)
{
	const struct file_wish *wish = ctx;
	char head_bytes[64];
	struct err err = { 0 };
	size_t n = c->size < sizeof(head_bytes) ? (size_t)c->size : sizeof(head_bytes);
	if (content_read(c, 0, head_bytes, n, &err) < 0) {
		put_error(&err, payload);
		return;
	}
	if (wish && is_file_list(path)) {
		collect_owner(wish, path, c, payload);
		return;
	}
	struct str head = { head_bytes, n };
	const struct package_format *f = format_of(path, &head);
	if (!f)
		f = format_by_content(head);
	if (!f || is_os_file(path)) {
		collect_text(c, payload);
		return;
	}
	struct arena *ARENA_AUTO a = arena_new();
	struct package_sink sink = { .arena = a, .wish = wish };
	if (f->parse(c, path, &sink, &err) < 0)
		put_error(&err, payload);
	else
		put_packages(f, &sink, payload);
}

struct layer_collector collect_collector(const struct file_wish *wish)
{
	fill_filters();
	return (struct layer_collector){ .want = want, .sniff = sniff, .collect = collect, .refuse = refuse,
		                         .ctx = (void *)(uintptr_t)wish };
}

struct folder_paths collect_paths(struct arena *a, bool owners)
{
	VEC(const char *) all = { 0 };
	for (size_t i = 0; i < package_format_count; i++)
		for (size_t k = 0; package_formats[i].paths[k]; k++) {
			const char *path = package_formats[i].paths[k];
			*vec_push(a, &all) = path;
			struct str text = str_from(path);
			if (str_drop(&text, STR("rpmdb.sqlite")))
				*vec_push(a, &all) = arena_printf(a, "%.*s%.*s", STR_ARG(text), STR_ARG(wal_name)).ptr;
		}
	for (size_t i = 0; os_files[i]; i++)
		*vec_push(a, &all) = os_files[i];
	if (owners)
		*vec_push(a, &all) = COLLECT_LISTS "/*";
	return (struct folder_paths){ all.ptr, all.len };
}

/* --- reading back -------------------------------------------------------------------------------------------------- */

static void take_packages(struct arena *a, struct reader *r, struct collected *ret)
{
	ret->kind = COLLECTED_PACKAGES;
	ret->format = read_str(r);
	ret->bad_records = read_varint(r);
	ret->diagnostic_count = read_count(r, 1);
	if (ret->diagnostic_count > DIAGNOSTICS_WORDED_MAX)
		r->bad = true;
	for (size_t i = 0; !r->bad && i < ret->diagnostic_count; i++)
		ret->diagnostics[i] = read_str(r);
	ret->package_count = read_count(r, 10);
	if (ret->package_count > PACKAGES_MAX)
		r->bad = true;
	if (r->bad)
		return;
	ret->packages = arena_array(a, ret->package_count, sizeof(*ret->packages));
	for (size_t i = 0; !r->bad && i < ret->package_count; i++)
		package_decode(r, &ret->packages[i]);
}

bool collect_decode(struct arena *a, struct str payload, struct collected *ret)
{
	struct reader r = reader_of(payload);
	*ret = (struct collected){ 0 };
	switch (read_u8(&r)) {
	case PAYLOAD_PACKAGES:
		take_packages(a, &r, ret);
		break;
	case PAYLOAD_TEXT:
		ret->kind = COLLECTED_TEXT;
		ret->text = read_str(&r);
		break;
	case PAYLOAD_ERROR:
		ret->kind = COLLECTED_ERROR;
		ret->text = read_str(&r);
		break;
	case PAYLOAD_OWNER:
		ret->kind = COLLECTED_OWNER;
		ret->owns = read_u8(&r) == 1;
		break;
	default:
		return false;
	}
	return !r.bad && reader_left(&r) == 0;
}
