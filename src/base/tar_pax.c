/* The text inside pax archives: extended header records ("LENGTH key=value\n") and the sparse maps of GNU's formats
 * 0.0, 0.1 and 1.0. A record must be exactly as long as it says, and numbers are digits only: what lies about itself is
 * an error, never a guess. */
#include "base/tar_core.h"

#include "base/base.h"

void tar_pax_clear(struct tar_pax *p)
{
	struct tar_parts keep = p->pairs;
	keep.len = 0;
	*p = (struct tar_pax){ .pairs = keep };
}

static bool number(struct str s, uint64_t *ret) { return str_to_u64(s, ret) && *ret <= INT64_MAX; }

static int bad_map(struct err *err, const char *what) { return err_set(err, ERR_FORMAT, "sparse map: %s", what); }

static int add_part(struct tar_parts *parts, uint64_t at, uint64_t len, struct err *err)
{
	if (tar_parts_add(parts, at, len))
		return 0;
	return err_set(err, ERR_LIMIT, "sparse file of over TAR_SPARSE_PARTS_MAX parts");
}

/* Format 0.0: GNU.sparse.offset and GNU.sparse.numbytes take turns. */
static int pair_record(struct tar_pax *p, bool is_length, struct str value, struct err *err)
{
	uint64_t v;
	if (is_length != p->half_pair || !number(value, &v))
		return bad_map(err, "offset and numbytes do not pair");
	p->half_pair = !is_length;
	if (is_length)
		return add_part(&p->pairs, p->pair_at, v, err);
	p->pair_at = v;
	return 0;
}

static int keep_record(struct tar_pax *p, struct str key, struct str value, struct err *err)
{
	const struct {
		struct str key;
		struct str *value;
	} known[] = {
		{ STR_INIT("path"), &p->path },
		{ STR_INIT("linkpath"), &p->link },
		{ STR_INIT("size"), &p->size },
		{ STR_INIT("mtime"), &p->mtime },
		{ STR_INIT("uid"), &p->uid },
		{ STR_INIT("gid"), &p->gid },
		{ STR_INIT("GNU.sparse.major"), &p->sparse_major },
		{ STR_INIT("GNU.sparse.minor"), &p->sparse_minor },
		{ STR_INIT("GNU.sparse.name"), &p->sparse_name },
		{ STR_INIT("GNU.sparse.size"), &p->sparse_size },
		{ STR_INIT("GNU.sparse.realsize"), &p->sparse_realsize },
		{ STR_INIT("GNU.sparse.numblocks"), &p->sparse_count },
		{ STR_INIT("GNU.sparse.map"), &p->sparse_map },
	};
	if (str_eq(key, STR("GNU.sparse.offset")))
		return pair_record(p, false, value, err);
	if (str_eq(key, STR("GNU.sparse.numbytes")))
		return pair_record(p, true, value, err);
	for (size_t i = 0; i < COUNT_OF(known); i++)
		if (str_eq(key, known[i].key))
			*known[i].value = value;
	return 0;
}

/* The first record off the front of *rest. */
static bool next_record(struct str *rest, struct str *ret_key, struct str *ret_value)
{
	uint64_t n;
	ptrdiff_t space = str_find(str_sub(*rest, 0, 20), ' ');
	if (space < 0 || !str_to_u64(str_sub(*rest, 0, (size_t)space), &n) || n > rest->len || n < (size_t)space + 2)
		return false;
	struct str record = str_sub(*rest, (size_t)space + 1, (size_t)n);
	if (!str_drop(&record, STR("\n")))
		return false;
	ptrdiff_t equals = str_find(record, '=');
	if (equals < 1)
		return false;
	*ret_key = str_sub(record, 0, (size_t)equals);
	*ret_value = str_sub(record, (size_t)equals + 1, record.len);
	*rest = str_sub(*rest, (size_t)n, rest->len);
	return true;
}

int tar_pax_parse(struct tar_pax *p, struct str records, struct err *err)
{
	while (records.len) {
		struct str key, value;
		if (!next_record(&records, &key, &value))
			return err_set(err, ERR_FORMAT, "bad pax record, %zu bytes before the end of its header",
				       records.len);
		int r = keep_record(p, key, value, err);
		if (r < 0)
			return r;
	}
	return p->half_pair ? bad_map(err, "offset and numbytes do not pair") : 0;
}

/* An unknown version makes no sparse file: so the engines' reader. */
enum tar_sparse_kind tar_pax_sparse_kind(const struct tar_pax *p)
{
	if (str_eq(p->sparse_major, STR("0")) &&
	    (str_eq(p->sparse_minor, STR("0")) || str_eq(p->sparse_minor, STR("1"))))
		return TAR_SPARSE_0;
	if (str_eq(p->sparse_major, STR("1")) && str_eq(p->sparse_minor, STR("0")))
		return TAR_SPARSE_1;
	if (p->sparse_major.len || p->sparse_minor.len)
		return TAR_SPARSE_NONE;
	return p->sparse_map.len || p->pairs.len ? TAR_SPARSE_0 : TAR_SPARSE_NONE;
}

/* Format 0.1: "offset,length,offset,length". */
static int list_parts(struct str list, struct tar_parts *parts, struct err *err)
{
	struct str word;
	uint64_t at, len;
	while (list.len) {
		if (!str_cut(&list, ',', &word) || !number(word, &at) || !str_cut(&list, ',', &word) ||
		    !number(word, &len))
			return bad_map(err, "bad number");
		int r = add_part(parts, at, len, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int tar_pax_sparse_parts(const struct tar_pax *p, struct tar_parts *parts, struct err *err)
{
	uint64_t count;
	int r = 0;
	if (!number(p->sparse_count, &count))
		return bad_map(err, "no count");
	if (p->pairs.len) {
		for (size_t i = 0; i < p->pairs.len && r == 0; i++)
			r = add_part(parts, p->pairs.ptr[i].at, p->pairs.ptr[i].len, err);
	} else {
		r = list_parts(p->sparse_map, parts, err);
	}
	if (r == 0 && parts->len != count)
		r = bad_map(err, "the count is not that of its parts");
	return r;
}

/* --- format 1.0 --- */

static int map_number(struct tar_map *m, struct tar_parts *parts, struct err *err)
{
	uint64_t v = m->value;
	if (!m->digits)
		return bad_map(err, "no number");
	m->value = 0;
	m->digits = 0;
	if (!m->counted) {
		m->counted = true;
		m->count = v;
		return 0;
	}
	m->half = !m->half;
	if (!m->half)
		return add_part(parts, m->first, v, err);
	m->first = v;
	return 0;
}

static bool map_complete(const struct tar_map *m, const struct tar_parts *parts)
{
	return m->counted && !m->half && !m->digits && parts->len == m->count;
}

int tar_map_block(struct tar_map *m, const uint8_t *block, struct tar_parts *parts, struct err *err)
{
	for (size_t i = 0; i < TAR_BLOCK_SIZE && !map_complete(m, parts); i++) {
		char c = (char)block[i];
		if (c == '\n') {
			int r = map_number(m, parts, err);
			if (r < 0)
				return r;
			continue;
		}
		if (!ascii_digit(c) || m->value > (INT64_MAX - 9) / 10)
			return bad_map(err, "bad number");
		m->value = m->value * 10 + (uint64_t)(c - '0');
		m->digits++;
	}
	return map_complete(m, parts) ? 0 : 1;
}
