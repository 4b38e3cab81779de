/* One rpm header: a real one, what wins where a tag stands twice, and what is refused. */
#include "package/rpm_header.h"

#include "../support/rpm_check.h"

#include "base/base.h"

/* A header out of entries and a store, its region by hand. */
struct draft {
	struct buf index, store;
	uint32_t entries;
};

static void put_be(struct buf *b, uint32_t v)
{
	const uint8_t bytes[] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v };
	buf_put_mem(b, bytes, sizeof(bytes));
}

static void entry(struct draft *d, uint32_t tag, uint32_t type, uint32_t offset, uint32_t count)
{
	put_be(&d->index, tag);
	put_be(&d->index, type);
	put_be(&d->index, offset);
	put_be(&d->index, count);
	d->entries++;
}

static void text(struct draft *d, uint32_t tag, const char *s)
{
	entry(d, tag, 6, (uint32_t)d->store.len, 1);
	buf_put_mem(&d->store, s, strlen(s) + 1);
}

static struct draft begin(void)
{
	struct draft d = { 0 };
	buf_init(&d.index, 1 * MIB);
	buf_init(&d.store, 1 * MIB);
	return d;
}

static struct draft plain(void)
{
	struct draft d = begin();
	text(&d, 1000, "n");
	text(&d, 1001, "1");
	text(&d, 1002, "2");
	return d;
}

static struct str end(struct arena *a, struct draft *d)
{
	struct buf BUF_AUTO out = { 0 };
	buf_init(&out, 2 * MIB);
	put_be(&out, d->entries);
	put_be(&out, (uint32_t)d->store.len);
	buf_put(&out, buf_view(&d->index));
	buf_put(&out, buf_view(&d->store));
	buf_done(&d->index);
	buf_done(&d->store);
	return str_dup(a, buf_view(&out));
}

/* An exact copy on the heap, so that the sanitizer sees the first byte that is read behind it. */
static int parse(struct str bytes, struct rpm_header *ret, struct err *err)
{
	char *copy = xmalloc(bytes.len);
	if (bytes.len)
		memcpy(copy, bytes.ptr, bytes.len);
	struct rpm_header h;
	int rc = rpm_header_parse((struct str){ copy, bytes.len }, &h, err);
	free(copy);
	if (rc == 0)
		rc = rpm_header_parse(bytes, ret, err);
	return rc;
}

static void refuse(struct arena *a, struct draft *d, int code, const char *why)
{
	struct rpm_header h;
	struct err err = { 0 };
	int rc = parse(end(a, d), &h, &err);
	if (rc != code || !str_contains(str_from(err.text), str_from(why)))
		fail_msg("%d %s, not %s", rc, err.text, why);
}

static void a_real_header(void **state)
{
	struct arena *a = *state;
	struct rpm_header h;
	struct err err;
	struct package p;
	if (parse(rpm_inventory(a, "rpm-header/package.header"), &h, &err) != 0)
		fail_msg("%s", err.text);
	rpm_header_package(a, &h, &p);
	assert_true(str_eq(p.name, STR("crypto-policies")));
	assert_true(str_eq(p.version, STR("20210213-1.git5c710c0.fc34")));
	assert_true(str_eq(p.arch, STR("noarch")));
	assert_true(str_eq(p.source_name, STR("crypto-policies")));
	assert_true(str_eq(p.source_version, p.version));
	assert_true(str_eq(p.vendor, STR("Fedora Project")));
	assert_int_equal(p.module.len, 0);
}

static void sources(void **state)
{
	struct arena *a = *state;
	static const struct {
		const char *file, *name, *version;
	} cases[] = {
		{ "bash-5.1.8-6.el9.src.rpm", "bash", "7:5.1.8-6.el9" },
		{ "a-b-c-1-2.nosrc.rpm", "a-b-c", "7:1-2" },
		{ "bash-5.1.8-6.el9.x86_64.rpm", "n", "7:1-2" },
		{ "bash-5.1.8.src.rpm", "n", "7:1-2" },
		{ "-1-2.src.rpm", "n", "7:1-2" },
		{ "a--2.src.rpm", "n", "7:1-2" },
		{ "a-1-.src.rpm", "n", "7:1-2" },
		{ ".src.rpm", "n", "7:1-2" },
		{ "--.src.rpm", "n", "7:1-2" },
		{ "(none)", "n", "7:1-2" },
		{ "", "n", "7:1-2" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct rpm_header h = { .name = STR("n"), .version = STR("1"), .release = STR("2"), .epoch = 7 };
		struct package p;
		h.source_rpm = str_from(cases[i].file);
		rpm_header_package(a, &h, &p);
		assert_true(str_eq(p.version, STR("7:1-2")));
		if (!str_eq(p.source_name, str_from(cases[i].name)) ||
		    !str_eq(p.source_version, str_from(cases[i].version)))
			fail_msg("%s: %.*s %.*s", cases[i].file, STR_ARG(p.source_name), STR_ARG(p.source_version));
	}
}

/* An old database's header without any region. */
static void no_region(void **state)
{
	struct rpm_header h;
	struct draft d = plain();
	assert_int_equal(parse(end(*state, &d), &h, NULL), 0);
	assert_true(str_eq(h.name, STR("n")) && str_eq(h.version, STR("1")) && str_eq(h.release, STR("2")));
	assert_int_equal(h.epoch, 0);
}

/* Neither a word for "none" nor an empty string is a vendor. */
static void no_vendor(void **state)
{
	struct rpm_header h;
	struct draft d = plain();
	text(&d, 1011, "(none)");
	text(&d, 1022, "");
	assert_int_equal(parse(end(*state, &d), &h, NULL), 0);
	assert_int_equal(h.vendor.len, 0);
	assert_int_equal(h.arch.len, 0);
}

/* A region without an offset has no trailer: the store begins with a name. */
static void region_without_trailer(void **state)
{
	struct rpm_header h;
	struct draft d = begin();
	entry(&d, 63, 7, 0, 16);
	text(&d, 1000, "n");
	text(&d, 1001, "1");
	text(&d, 1002, "2");
	assert_int_equal(parse(end(*state, &d), &h, NULL), 0);
	assert_true(str_eq(h.name, STR("n")));
}

static struct draft with_region(uint32_t tag, uint32_t span, uint32_t trailer_tag)
{
	struct draft d = begin();
	entry(&d, tag, 7, 16, 16); /* the trailer at 16, behind the strings */
	text(&d, 1000, "in");
	text(&d, 1001, "1");
	text(&d, 1002, "2");
	while (d.store.len < 16)
		buf_byte(&d.store, 0);
	put_be(&d.store, trailer_tag);
	put_be(&d.store, 7);
	put_be(&d.store, 0u - span);
	put_be(&d.store, 16);
	text(&d, 1000, "added");
	return d;
}

static void what_was_added_wins_over_the_region(void **state)
{
	struct rpm_header h;
	struct draft d = with_region(63, 64, 63);
	assert_int_equal(parse(end(*state, &d), &h, NULL), 0);
	assert_true(str_eq(h.name, STR("added")));
	/* The same entry inside the region: the first one. */
	d = with_region(63, 80, 63);
	assert_int_equal(parse(end(*state, &d), &h, NULL), 0);
	assert_true(str_eq(h.name, STR("in")));
}

static void regions_that_rpm_would_refuse(void **state)
{
	struct draft d = with_region(63, 64, 62);
	refuse(*state, &d, ERR_FORMAT, "region");
	d = with_region(63, 65, 63);
	refuse(*state, &d, ERR_FORMAT, "region");
	d = with_region(63, 96, 63);
	refuse(*state, &d, ERR_FORMAT, "region");
	d = with_region(63, 0x80000000u, 63);
	refuse(*state, &d, ERR_FORMAT, "region");
	d = plain();
	struct draft e = begin();
	entry(&e, 63, 7, 0x7ffffff0, 16);
	buf_put(&e.index, buf_view(&d.index));
	buf_put(&e.store, buf_view(&d.store));
	e.entries += d.entries;
	buf_done(&d.index);
	buf_done(&d.store);
	refuse(*state, &e, ERR_FORMAT, "region");
}

static void entries_that_lie(void **state)
{
	static const struct {
		uint32_t tag, type, offset, count;
		const char *why;
	} cases[] = {
		{ 1022, 6, 6, 1, "arch lies outside" },
		{ 1022, 6, 0xffffffff, 1, "arch lies outside" },
		{ 1022, 6, 0x80000000, 1, "arch lies outside" },
		{ 1022, 6, 0, 0, "arch lies outside" },
		{ 1022, 4, 0, 1, "arch of type 4" },
		{ 1003, 4, 4, 1, "epoch" },
		{ 1003, 4, 0xfffffffe, 1, "epoch" },
		{ 1003, 3, 0, 1, "epoch" },
		{ 1003, 4, 0, 0, "epoch" },
		{ 5096, 0xffffffff, 0, 1, "modularity label of type" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct draft d = plain();
		entry(&d, cases[i].tag, cases[i].type, cases[i].offset, cases[i].count);
		refuse(*state, &d, ERR_FORMAT, cases[i].why);
	}
	/* Counts are not believed: the first string of two thousand million is there. */
	struct draft d = plain();
	struct rpm_header h;
	entry(&d, 1011, 8, 0, 0x80000000u);
	assert_int_equal(parse(end(*state, &d), &h, NULL), 0);
	assert_true(str_eq(h.vendor, STR("n")));
	/* A last string without an end. */
	d = plain();
	entry(&d, 1022, 6, (uint32_t)d.store.len, 1);
	buf_put(&d.store, STR("noarch"));
	refuse(*state, &d, ERR_FORMAT, "arch lies outside");
}

static void what_has_no_name(void **state)
{
	struct draft d = begin();
	text(&d, 1001, "1");
	text(&d, 1002, "1");
	refuse(*state, &d, ERR_FORMAT, "no name");
	d = begin();
	text(&d, 1000, "a");
	text(&d, 1001, "");
	text(&d, 1002, "1");
	refuse(*state, &d, ERR_FORMAT, "no version");
	d = begin();
	refuse(*state, &d, ERR_FORMAT, "no name");
}

static void sizes_that_lie(void **state)
{
	struct arena *a = *state;
	struct rpm_header h;
	struct err err;
	struct draft d = plain();
	struct str whole = end(a, &d);
	for (size_t n = 0; n < whole.len; n++)
		assert_int_equal(parse(str_sub(whole, 0, n), &h, &err), ERR_FORMAT);

	struct str more = (struct str){ arena_alloc(a, whole.len + 1), whole.len + 1 };
	assert_int_equal(parse(more, &h, &err), ERR_FORMAT);
	static const uint8_t huge[][8] = {
		{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
		{ 0x80, 0, 0, 0, 0, 0, 0, 0 },
		{ 0x10, 0, 0, 0, 0, 0, 0, 0 },
	};
	for (size_t i = 0; i < COUNT_OF(huge); i++)
		assert_int_equal(parse((struct str){ (const char *)huge[i], 8 }, &h, &err), ERR_LIMIT);
	/* A store of 4 GiB - 8 and nothing of it. */
	static const uint8_t store[8] = { 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xf8 };
	assert_int_equal(parse((struct str){ (const char *)store, 8 }, &h, &err), ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RPM_TEST(a_real_header),
		RPM_TEST(sources),
		RPM_TEST(no_region),
		RPM_TEST(no_vendor),
		RPM_TEST(region_without_trailer),
		RPM_TEST(what_was_added_wins_over_the_region),
		RPM_TEST(regions_that_rpm_would_refuse),
		RPM_TEST(entries_that_lie),
		RPM_TEST(what_has_no_name),
		RPM_TEST(sizes_that_lie),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
