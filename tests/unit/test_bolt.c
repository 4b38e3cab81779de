/* bbolt files: those that bbolt itself wrote (the fuzz corpus), and pages made here that lie: cut short, going round,
 * overlapping, with counts and places out of range, wrong checksums; and a file that changes while it is read. */
#include "base/bolt.h"
#include "base/base.h"
#include "base/fs.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>
#include <cmocka.h>

/* --- reading whole files --- */

struct walk {
	struct bolt *bolt;
	struct buf *out;
	const struct bolt_bucket *in;
};

/* Set for files that were changed: a walk may then meet keys that a search, which trusts the branches, does not. */
static bool damaged;


static int print(void *ctx, struct str key, struct str value, const struct bolt_bucket *bucket, struct err *err)
{
	struct walk *w = ctx;
	struct str found;
	struct bolt_bucket entered;
	(void)buf_printf(w->out, "%.*s%s", STR_ARG(key), bucket ? "/" : "=");
	if (!bucket) {
		int rc = bolt_find(w->bolt, w->in, key, &found, err);
		assert_true(damaged || (rc == 1 && str_eq(found, value)));
		assert_int_equal(bolt_enter(w->bolt, w->in, key, &entered, err), 0);
		(void)buf_printf(w->out, "%zu ", value.len);
		return 0;
	}
	int rc = bolt_enter(w->bolt, w->in, key, &entered, err);
	assert_true(damaged || (rc == 1 && entered.root == bucket->root));
	struct walk inner = { w->bolt, w->out, bucket };
	return bolt_each(w->bolt, bucket, print, &inner, err);
}

static int print_all(struct bolt *b, void *ctx, struct err *err)
{
	struct bolt_bucket root = bolt_root(b);
	struct walk w = { b, ctx, &root };
	buf_clear(ctx);
	return bolt_each(b, &root, print, &w, err);
}

static struct str text_of(struct arena *a, struct str file, int *ret_rc, struct err *err)
{
	struct content c = content_of(file);
	struct buf BUF_AUTO out = { 0 };
	struct err own = { 0 };
	buf_init(&out, 4 * MIB);
	*ret_rc = bolt_read(&c, print_all, &out, err ? err : &own);
	return str_dup(a, buf_view(&out));
}

static struct str seed(struct arena *a, const char *name)
{
	struct err err = { 0 };
	struct str text;
	const char *source = getenv("PLIMSOLL_SOURCE");
	struct str path = arena_printf(a, "%s/tests/fuzz/corpus/bolt/%s", source ? source : ".", name);
	if (fs_read(a, str_cstr(a, path), MIB, &text, &err) < 0)
		fail_msg("%s", err.text);
	return str_dup(a, text);
}

static void real_files(void **state)
{
	static const struct { const char *name, *contains; } cases[] = {
		{ "empty", "" },
		{ "page4096", "v1/k=1 " },
		{ "overflow", "v1/inline/k=1 large=3000 small=1 " },
		{ "branches", "key-0267-with-some-length-so-that-pages-fill=2 " },
		{ "meta", "k8s.io/containers/box/createdat=15 image=28 " },
		{ "snapshots", "k8s.io/3/box/id=2 kind=1 parent=80 " },
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct arena *ARENA_AUTO a = arena_new();
		struct err err = { 0 };
		int rc;
		struct str text = text_of(a, seed(a, cases[i].name), &rc, &err);
		if (rc < 0 || !str_contains(text, str_from(cases[i].contains)))
			fail_msg("%s: %d %s: %.*s", cases[i].name, rc, err.text, STR_ARG(text));
	}
}

static int look_up(struct bolt *b, void *ctx, struct err *err)
{
	struct bolt_bucket root = bolt_root(b), v1, none;
	struct str value;
	(void)ctx;
	assert_int_equal(bolt_enter(b, &root, STR("v1"), &v1, err), 1);
	assert_int_equal(bolt_find(b, &root, STR("v1"), &value, err), 0);
	assert_int_equal(bolt_enter(b, &root, STR("v2"), &none, err), 0);
	for (unsigned i = 0; i < 90; i++) {
		char key[64];
		(void)snprintf(key, sizeof(key), "key-%04u-with-some-length-so-that-pages-fill", i * 3);
		assert_int_equal(bolt_find(b, &v1, str_from(key), &value, err), 1);
		(void)snprintf(key, sizeof(key), "key-%04u-with-some-length-so-that-pages-fill", i * 3 + 1);
		assert_int_equal(bolt_find(b, &v1, str_from(key), &value, err), 0);
	}
	assert_int_equal(bolt_find(b, &v1, STR("a"), &value, err), 0);
	assert_int_equal(bolt_find(b, &v1, STR(""), &value, err), 0);
	assert_int_equal(bolt_find(b, &v1, STR("z"), &value, err), 0);
	return 0;
}

static void look_ups(void **state)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct content c = content_of(seed(a, "branches"));
	struct err err = { 0 };
	(void)state;
	assert_int_equal(bolt_read(&c, look_up, NULL, &err), 0);
}

/* Every length: an error, or, where what is cut off is in no page of the state, the same text. */
static void cut_short(void **state)
{
	static const char *const names[] = { "branches", "overflow", "snapshots" };
	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct arena *ARENA_AUTO a = arena_new();
		struct str whole = seed(a, names[i]);
		int rc;
		struct str text = text_of(a, whole, &rc, NULL);
		size_t errors = 0;
		for (size_t len = 0; len < whole.len; len += len < 300 ? 1 : 61) {
			struct arena *ARENA_AUTO tmp = arena_new();
			char *exact = xmalloc(len);
			memcpy(exact, whole.ptr, len);
			struct str part = text_of(tmp, (struct str){ exact, len }, &rc, NULL);
			assert_true(rc < 0 || str_eq(part, text));
			errors += rc < 0;
			free(exact);
		}
		assert_true(errors > 100);
	}
}

/* Every byte once inverted: never past the input (the sanitizer looks), never endless. */
static void every_byte(void **state)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct str whole = seed(a, "overflow");
	char *copy = xmalloc(whole.len);
	int rc;
	(void)state;
	damaged = true;
	for (size_t i = 0; i < whole.len; i++) {
		struct arena *ARENA_AUTO tmp = arena_new();
		memcpy(copy, whole.ptr, whole.len);
		copy[i] = (char)~copy[i];
		(void)text_of(tmp, (struct str){ copy, whole.len }, &rc, NULL);
	}
	damaged = false;
	free(copy);
}

/* --- pages made here --- */

#define PAGE ((size_t)1024)
#define PAGES 12

struct file {
	uint8_t bytes[PAGE * PAGES];
};

static void put(struct file *f, size_t at, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		f->bytes[at + i] = (uint8_t)(v >> (8 * i));
}

static void seal(struct file *f, size_t page)
{
	uint64_t h = 0xcbf29ce484222325u;
	for (size_t i = 0; i < 56; i++)
		h = (h ^ f->bytes[page * PAGE + 16 + i]) * 0x100000001b3u;
	put(f, page * PAGE + 72, h, 8);
}

static void put_meta(struct file *f, size_t page, uint64_t root, uint64_t transaction)
{
	size_t at = page * PAGE + 16;
	put(f, at, 0xED0CDAED, 4);
	put(f, at + 4, 2, 4);
	put(f, at + 8, PAGE, 4);
	put(f, at + 16, root, 8);
	put(f, at + 40, PAGES, 8);
	put(f, at + 48, transaction, 8);
	seal(f, page);
}

static void put_page(struct file *f, size_t page, unsigned flags, unsigned count, unsigned overflow)
{
	put(f, page * PAGE, page, 8);
	put(f, page * PAGE + 8, flags, 2);
	put(f, page * PAGE + 10, count, 2);
	put(f, page * PAGE + 12, overflow, 4);
}

static void put_branch_item(struct file *f, size_t page, unsigned index, char key, uint64_t child)
{
	size_t at = page * PAGE + 16 + index * 16u, key_at = page * PAGE + 512 + index;
	put(f, at, key_at - at, 4);
	put(f, at + 4, 1, 4);
	put(f, at + 8, child, 8);
	f->bytes[key_at] = (uint8_t)key;
}

static void put_leaf_item(struct file *f, size_t page, unsigned index, char key, unsigned value_size)
{
	size_t at = page * PAGE + 16 + index * 16u, key_at = page * PAGE + 512 + index * 8u;
	put(f, at, 0, 4);
	put(f, at + 4, key_at - at, 4);
	put(f, at + 8, 1, 4);
	put(f, at + 12, value_size, 4);
	f->bytes[key_at] = (uint8_t)key;
}

/* Root 3: a branch to the leaves 4 (a, b) and 5 (c). */
static void put_sound(struct file *f)
{
	memset(f, 0, sizeof(*f));
	put_meta(f, 0, 3, 4);
	put_meta(f, 1, 4, 3); /* an older state: the leaf 4 alone */
	put_page(f, 3, 1, 2, 0);
	put_branch_item(f, 3, 0, 'a', 4);
	put_branch_item(f, 3, 1, 'c', 5);
	put_page(f, 4, 2, 2, 0);
	put_leaf_item(f, 4, 0, 'a', 1);
	put_leaf_item(f, 4, 1, 'b', 2);
	put_page(f, 5, 2, 1, 0);
	put_leaf_item(f, 5, 0, 'c', 3);
}

static void gives(const struct file *f, int want_rc, const char *want)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct err err = { 0 };
	int rc;
	struct str text = text_of(a, (struct str){ (const char *)f->bytes, sizeof(f->bytes) }, &rc, &err);
	if (rc != want_rc || (rc == 0 ? !str_eq(text, str_from(want)) : !str_contains(str_from(err.text), str_from(want))))
		fail_msg("%d %s %.*s, not %d %s", rc, err.text, STR_ARG(text), want_rc, want);
}

static void metas(void **state)
{
	struct file *f = xmalloc(sizeof(*f));
	(void)state;
	put_sound(f);
	gives(f, 0, "a=1 b=2 c=3 ");
	f->bytes[16 + 48] ^= 1; /* the newer one's checksum is wrong: the older counts */
	gives(f, 0, "a=1 b=2 ");
	f->bytes[PAGE + 16 + 48] ^= 1;
	gives(f, ERR_FORMAT, "checksum");
	put_sound(f);
	put_meta(f, 1, 4, 5); /* the second is the newer one */
	gives(f, 0, "a=1 b=2 ");
	put_sound(f);
	memset(f->bytes, 0, PAGE); /* the first has gone, and with it the page size */
	gives(f, 0, "a=1 b=2 ");
	memset(f->bytes, 0, 2 * PAGE);
	gives(f, ERR_FORMAT, "not a bbolt file");
	put(f, 16, 0xEDDA0CED, 4);
	gives(f, ERR_UNSUPPORTED, "big-endian");
	static const unsigned sizes[] = { 0, 1, 512, 1000, 3072, 131072, 0xffffffff };
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		put_sound(f);
		memset(f->bytes + PAGE, 0, PAGE);
		put(f, 16 + 8, sizes[i], 4);
		seal(f, 0);
		gives(f, ERR_UNSUPPORTED, "pages of");
	}
	put_sound(f);
	memset(f->bytes + PAGE, 0, PAGE);
	put(f, 16 + 4, 3, 4);
	seal(f, 0);
	gives(f, ERR_UNSUPPORTED, "version 3");
	free(f);
}

static void lying_pages(void **state)
{
	struct file *f = xmalloc(sizeof(*f));
	(void)state;
	put_sound(f);
	put(f, 5 * PAGE, 7, 8);
	gives(f, ERR_FORMAT, "says that it is page 7");
	put_sound(f);
	put(f, 5 * PAGE + 8, 0x10, 2);
	gives(f, ERR_FORMAT, "another kind");
	put_sound(f);
	put_branch_item(f, 3, 1, 'c', 3); /* to itself */
	gives(f, ERR_FORMAT, "out of order");
	put_branch_item(f, 3, 0, 'a', 3);
	gives(f, ERR_FORMAT, "deeper");
	put_sound(f);
	put_branch_item(f, 3, 1, 'c', 4); /* the same leaf again */
	gives(f, ERR_FORMAT, "out of order");
	static const uint64_t nowhere[] = { 0, 1, PAGES, PAGES + 1, UINT64_MAX, UINT64_MAX / PAGE + 2 };
	for (size_t i = 0; i < COUNT_OF(nowhere); i++) {
		put_sound(f);
		put_branch_item(f, 3, 1, 'c', nowhere[i]);
		gives(f, ERR_FORMAT, "there is no page");
	}
	put_sound(f);
	put_page(f, 5, 2, 1, PAGES - 5); /* one page more than there are */
	gives(f, ERR_FORMAT, "reaches past");
	put_page(f, 5, 2, 1, 0xffffffff);
	gives(f, ERR_FORMAT, "reaches past");
	put_sound(f);
	put_page(f, 4, 2, 2, 1); /* over page 5, which is a leaf of its own: room that nothing uses */
	gives(f, 0, "a=1 b=2 c=3 ");
	put_sound(f);
	put_page(f, 5, 2, 0, 0);
	gives(f, ERR_FORMAT, "empty page");
	put_page(f, 3, 1, 0, 0);
	gives(f, ERR_FORMAT, "empty page");
	free(f);
}

/* What the meta page says that the file has is not what it has. */
static void claims_of_size(void **state)
{
	struct file *f = xmalloc(sizeof(*f));
	(void)state;
	put_sound(f);
	put(f, 16 + 40, UINT64_MAX, 8);
	seal(f, 0);
	gives(f, 0, "a=1 b=2 c=3 ");
	put_branch_item(f, 3, 1, 'c', PAGES);
	gives(f, ERR_FORMAT, "past the end");
	put_branch_item(f, 3, 1, 'c', 5);
	put_page(f, 5, 2, 1, 16000); /* below BOLT_PAGE_SIZE_MAX, above the file */
	gives(f, ERR_FORMAT, "past the end");
	put_page(f, 5, 2, 1, 1000000);
	gives(f, ERR_LIMIT, "BOLT_PAGE_SIZE_MAX");
	free(f);
}

static void lying_items(void **state)
{
	struct file *f = xmalloc(sizeof(*f));
	size_t first = 4 * PAGE + 16;
	(void)state;
	put_sound(f);
	put_page(f, 4, 2, 0xffff, 0);
	gives(f, ERR_FORMAT, "outside");
	put_sound(f);
	put(f, first + 4, PAGE, 4); /* the key's place */
	gives(f, ERR_FORMAT, "outside");
	put(f, first + 4, 0xffffffff, 4);
	gives(f, ERR_FORMAT, "outside");
	put(f, first + 4, 0, 4); /* the item itself as its key */
	gives(f, ERR_FORMAT, "outside");
	put_sound(f);
	put(f, first + 8, 0xfffffff0, 4); /* the key's size */
	gives(f, ERR_FORMAT, "outside");
	put_sound(f);
	put(f, first + 12, PAGE, 4); /* the value's */
	gives(f, ERR_FORMAT, "outside");
	put_sound(f);
	put(f, first, 2, 4); /* a flag that nobody knows */
	gives(f, ERR_FORMAT, "outside");
	put_sound(f);
	put(f, first, 1, 4); /* a bucket whose head is a byte long */
	gives(f, ERR_FORMAT, "without a head");
	put_sound(f);
	put_leaf_item(f, 4, 1, 'a', 2);
	gives(f, ERR_FORMAT, "out of order");
	free(f);
}

/* Buckets that have each other as their parents' pages: a walk of a walk has no end but the count of steps. */
static int descend(void *ctx, struct str key, struct str value, const struct bolt_bucket *bucket, struct err *err)
{
	(void)key;
	(void)value;
	return bucket ? bolt_each(ctx, bucket, descend, ctx, err) : 0;
}

static int count_steps(void *ctx, struct str key, struct str value, const struct bolt_bucket *bucket, struct err *err)
{
	struct walk *w = ctx;
	(void)key;
	(void)value;
	return bucket ? bolt_each(w->bolt, bucket, descend, w->bolt, err) : 0;
}

static int ask_steps(struct bolt *b, void *ctx, struct err *err)
{
	struct bolt_bucket root = bolt_root(b);
	struct walk w = { b, NULL, NULL };
	int rc = 0;
	(void)ctx;
	for (unsigned i = 0; rc == 0 && i < 2 * BOLT_STEPS_MAX; i++)
		rc = bolt_each(b, &root, count_steps, &w, err);
	return rc;
}

static void too_many_steps(void **state)
{
	struct file *f = xmalloc(sizeof(*f));
	struct err err = { 0 };
	(void)state;
	put_sound(f);
	struct content c = content_of((struct str){ (const char *)f->bytes, sizeof(f->bytes) });
	assert_int_equal(bolt_read(&c, ask_steps, NULL, &err), ERR_LIMIT);
	assert_true(str_contains(str_from(err.text), STR("BOLT_STEPS_MAX")));
	free(f);
}

/* --- a file that changes --- */

struct writer {
	struct file *file;
	int fd;
	unsigned runs, changes; /* the first so many runs see a commit happen */
	int answer;
};

static int change_under(struct bolt *b, void *ctx, struct err *err)
{
	struct writer *w = ctx;
	struct bolt_bucket root = bolt_root(b);
	(void)root;
	if (w->runs++ < w->changes) {
		put_meta(w->file, w->runs % 2, 3, 100 + w->runs);
		assert_int_equal(pwrite(w->fd, w->file->bytes, 2 * PAGE, 0), 2 * PAGE);
		return err_set(err, ERR_FORMAT, "what was read of a state that is no more");
	}
	return w->answer ? err_set(err, w->answer, "the answer") : 0;
}

static int run_writer(struct writer *w, struct err *err)
{
	struct file *f = xmalloc(sizeof(*f));
	char path[] = "/tmp/plimsoll-bolt-XXXXXX";
	w->fd = mkstemp(path);
	assert_true(w->fd >= 0);
	(void)unlink(path);
	put_sound(f);
	assert_int_equal(pwrite(w->fd, f->bytes, sizeof(f->bytes), 0), sizeof(f->bytes));
	w->file = f;
	struct content c = { .fd = w->fd };
	int rc = bolt_read(&c, change_under, w, err);
	close(w->fd);
	free(f);
	return rc;
}

static void changing_file(void **state)
{
	struct err err = { 0 };
	struct writer still = { 0 }, thrice = { .changes = 3 }, wrong = { .changes = 2, .answer = ERR_NOT_FOUND };
	struct writer always = { .changes = UINT32_MAX };
	(void)state;
	assert_int_equal(run_writer(&still, &err), 0);
	assert_int_equal(still.runs, 1);
	assert_int_equal(run_writer(&thrice, &err), 0);
	assert_int_equal(thrice.runs, 4);
	assert_int_equal(run_writer(&wrong, &err), ERR_NOT_FOUND);
	assert_int_equal(wrong.runs, 3);
	assert_int_equal(run_writer(&always, &err), ERR_LIMIT);
	assert_int_equal(always.runs, BOLT_TRIES_MAX);
	assert_true(str_contains(str_from(err.text), STR("BOLT_TRIES_MAX")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_files),     cmocka_unit_test(look_ups),    cmocka_unit_test(cut_short),
		cmocka_unit_test(every_byte),     cmocka_unit_test(metas),       cmocka_unit_test(lying_pages),
		cmocka_unit_test(claims_of_size), cmocka_unit_test(lying_items), cmocka_unit_test(too_many_steps),
		cmocka_unit_test(changing_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
