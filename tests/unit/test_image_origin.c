/* An image whose layers come over pipes: a made-up origin hands out documents and streams, well and badly. What is held
 * to: bytes count only where they have the manifest's digest, the words of the worker at the far end come before those of
 * readers whose pipe broke, and a layer that the cache has is not asked for. */
#include "image/image.h"

#include "base/base.h"
#include "base/fs.h"
#include "image/frames.h"
#include "image/origin.h"
#include "image/stores.h"
#include "sandbox/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define FILLER_ERROR "the server went away"

enum fault { GOOD, TRUNCATED, TRUNCATED_SILENT, OTHER_BYTES, ENDLESS, GARBAGE };

struct fake {
	struct str blob;         /* the layer */
	char digest[DIGEST_TEXT_LEN + 1], diff_id[DIGEST_TEXT_LEN + 1];
	struct str config, manifest;
	struct str index;
	char config_digest[DIGEST_TEXT_LEN + 1], manifest_digest[DIGEST_TEXT_LEN + 1];
	enum fault fault;
	unsigned streams;
};

struct filler_order {
	int out;
	const struct fake *fake;
};

static struct arena *arena;

static struct str digest_text(struct str bytes, char text[DIGEST_TEXT_LEN + 1])
{
	struct sha256 d = sha256_of(bytes);
	return sha256_text(&d, text);
}

static bool put_all(int fd, struct str bytes)
{
	while (bytes.len) {
		ssize_t n = write(fd, bytes.ptr, bytes.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes = str_sub(bytes, (size_t)n, bytes.len);
	}
	return true;
}

static int fill(struct worker_io *io, void *arg)
{
	struct filler_order *o = arg;
	struct err err;
	struct str blob = o->fake->blob;
	char *other = xmalloc(blob.len);
	switch (o->fake->fault) {
	case TRUNCATED:
	case TRUNCATED_SILENT:
		put_all(o->out, str_sub(blob, 0, blob.len / 2));
		if (o->fake->fault == TRUNCATED) {
			err_set(&err, ERR_NET, FILLER_ERROR);
			image_send_error(io, &err);
		}
		break;
	case OTHER_BYTES:
		memcpy(other, blob.ptr, blob.len);
		other[600] = 1; /* in the first file */
		put_all(o->out, (struct str){ other, blob.len });
		break;
	case ENDLESS:
		while (put_all(o->out, blob))
			;
		break;
	case GARBAGE:
	case GOOD:
		put_all(o->out, blob);
		break;
	}
	free(other);
	return 0;
}

static int fake_stream(void *ctx, const struct image_desc *d, size_t layer, int *ret_fd, struct worker **ret_worker,
                       struct err *err)
{
	struct fake *f = ctx;
	int p[2];
	(void)d;
	assert_int_equal(layer, 0);
	f->streams++;
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	struct filler_order order = { p[1], f };
	struct worker_spec spec = { .name = "fake", .kind = WORKER_BYTES, .run = fill, .arg = &order, .fds = { p[1] },
		                    .fd_count = 1, .root_fd = -1 };
	int rc = worker_start(&spec, ret_worker, err);
	close(p[1]);
	*ret_fd = p[0];
	return rc;
}

static int fake_read(void *ctx, struct arena *a, struct str name, size_t size_max, struct str *ret, struct err *err)
{
	struct fake *f = ctx;
	(void)a;
	(void)size_max;
	if (str_eq(name, STR("index.json")))
		*ret = f->index;
	else if (str_eq(str_sub(name, 13, name.len), str_from(f->manifest_digest + 7)))
		*ret = f->manifest;
	else if (str_eq(str_sub(name, 13, name.len), str_from(f->config_digest + 7)))
		*ret = f->config;
	else
		return err_set(err, ERR_NOT_FOUND, "no such document");
	return 0;
}

static int fake_place(void *ctx, struct arena *a, const struct image_desc *d, size_t layer, struct layer_place *ret,
                      struct err *err)
{
	const struct fake *f = ctx;
	(void)a;
	(void)d;
	(void)layer;
	(void)err;
	*ret = (struct layer_place){ .kind = PLACE_STREAM, .fd = -1, .size = f->blob.len };
	return 0;
}

static struct fake *current;

static int fake_open(struct arena *a, struct str reference, const struct image_options *o, struct image_origin *ret,
                     struct err *err)
{
	(void)a;
	(void)o;
	(void)err;
	assert_true(str_eq(reference, STR("thing")));
	*ret = (struct image_origin){ .source = STR("a made-up place"), .ctx = current, .read = fake_read, .place = fake_place,
		                      .stream = fake_stream };
	return 0;
}

static const struct image_opener fake_store = { .prefix = "fake", .title = "Fake", .open = fake_open };

static enum layer_want want_it(void *ctx, struct str path, uint64_t size, struct err *why)
{
	(void)ctx;
	(void)size;
	(void)why;
	return str_eq(path, STR("wanted")) ? WANT_YES : WANT_NO;
}

static bool sniff_it(void *ctx, struct str path, struct str head)
{
	(void)ctx;
	(void)path;
	(void)head;
	return true;
}

static void collect_it(void *ctx, struct str path, const struct content *c, struct buf *payload)
{
	(void)ctx;
	(void)path;
	buf_varint(payload, c->size);
}

static void refuse_it(void *ctx, struct str path, const struct err *why, struct buf *payload)
{
	(void)ctx;
	(void)path;
	(void)why;
	buf_byte(payload, 0);
}

/* ustar: name, mode, size, checksum, type. */
static void put_file(struct buf *tar, const char *name, struct str content)
{
	char head[512] = { 0 };
	unsigned sum = 0;
	(void)snprintf(head, 100, "%s", name);
	memcpy(head + 100, "0000644", 8);
	memcpy(head + 108, "0000000", 8);
	memcpy(head + 116, "0000000", 8);
	(void)snprintf(head + 124, 12, "%011zo", content.len);
	memcpy(head + 136, "00000000000", 12);
	memset(head + 148, ' ', 8);
	head[156] = '0';
	memcpy(head + 257, "ustar", 6);
	memcpy(head + 263, "00", 2);
	for (size_t i = 0; i < sizeof(head); i++)
		sum += (unsigned char)head[i];
	(void)snprintf(head + 148, 7, "%06o", sum);
	buf_put(tar, (struct str){ head, sizeof(head) });
	buf_put(tar, content);
	while (tar->len % 512)
		buf_byte(tar, 0);
}

static struct fake make(enum fault fault)
{
	struct fake f = { .fault = fault };
	struct buf tar;
	buf_init(&tar, 64 * MIB);
	for (unsigned i = 0; i < 40; i++) {
		char *big = xcalloc(1, 100000);
		memset(big, (int)('a' + i % 26), 100000);
		char name[32];
		(void)snprintf(name, sizeof(name), "file-%u", i);
		put_file(&tar, i == 20 ? "wanted" : name, (struct str){ big, 100000 });
		free(big);
	}
	for (unsigned i = 0; i < 1024; i++)
		buf_byte(&tar, 0);
	f.blob = str_dup(arena, buf_view(&tar));
	buf_done(&tar);
	if (fault == GARBAGE)
		f.blob = STR("this is no tar at all, but it has the digest that the manifest says");
	digest_text(f.blob, f.digest);
	memcpy(f.diff_id, f.digest, sizeof(f.diff_id));
	f.config = arena_printf(arena, "{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"%s\"]}}",
	                        f.diff_id);
	digest_text(f.config, f.config_digest);
	f.manifest = arena_printf(arena,
	                          "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
	                          "\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"%s\",\"size\":%zu},"
	                          "\"layers\":[{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"%s\",\"size\":%zu}]}",
	                          f.config_digest, f.config.len, f.digest, f.blob.len);
	digest_text(f.manifest, f.manifest_digest);
	f.index = arena_printf(arena,
	                       "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
	                       "\"digest\":\"%s\",\"size\":%zu}]}",
	                       f.manifest_digest, f.manifest.len);
	return f;
}

static int load(struct fake *f, const struct cache *cache, struct image_memo *memo, struct image *ret, struct err *err)
{
	struct image_target t = { .source = IMAGE_STORE, .name = "fake:thing", .reference = STR("thing"), .store = &fake_store };
	struct cache *none = cache_open(NULL);
	struct image_options o = { .cache = cache ? cache : none, .memo = memo,
		                   .collector = { want_it, sniff_it, collect_it, refuse_it, NULL } };
	current = f;
	*err = (struct err){ 0 };
	int rc = image_load(arena, &t, &o, ret, err);
	cache_close(none);
	return rc;
}

static void good(void **state)
{
	(void)state;
	struct fake f = make(GOOD);
	struct image image;
	struct err err;
	if (load(&f, NULL, NULL, &image, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(image.desc.layer_count, 1);
	assert_non_null(layer_find(&image.layers[0], STR("wanted"), ENTRY_FILE));
	assert_true(str_eq(image.source, STR("a made-up place")));
	image_close(&image);
}

static void faults(void **state)
{
	static const struct {
		enum fault fault;
		int code;
		const char *words;
	} cases[] = {
		{ TRUNCATED, ERR_NET, FILLER_ERROR },
		{ TRUNCATED_SILENT, 0, "layer 1 of 1" },
		{ OTHER_BYTES, ERR_DIGEST, "another digest" },
		{ ENDLESS, 0, "layer 1 of 1" },
		{ GARBAGE, ERR_FORMAT, "layer 1 of 1" },
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		for (unsigned again = 0; again < 5; again++) {
			struct fake f = make(cases[i].fault);
			struct image image;
			struct err err;
			int rc = load(&f, NULL, NULL, &image, &err);
			assert_true(rc < 0);
			if (cases[i].code)
				assert_int_equal(rc, cases[i].code);
			assert_int_equal(err.code, rc);
			if (!strstr(err.text, cases[i].words))
				fail_msg("case %zu: %s", i, err.text);
		}
}

static void what_is_known_is_not_fetched(void **state)
{
	(void)state;
	char dir[] = "/tmp/plimsoll-origin-XXXXXX";
	assert_non_null(mkdtemp(dir));
	struct cache *cache = cache_open(dir);
	struct image_memo *memo = image_memo_new();
	struct fake bad = make(OTHER_BYTES), f = make(GOOD);
	struct image image;
	struct err err;
	assert_int_equal(load(&bad, cache, memo, &image, &err), ERR_DIGEST);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(load(&f, cache, NULL, &image, &err), 0);
		assert_int_equal(image.cached_count, i);
		assert_non_null(layer_find(&image.layers[0], STR("wanted"), ENTRY_FILE));
		image_close(&image);
	}
	assert_int_equal(f.streams, 1);
	/* Without a cache, this run's own memory. */
	struct fake g = make(GOOD);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(load(&g, NULL, memo, &image, &err), 0);
		image_close(&image);
	}
	assert_int_equal(g.streams, 1);
	image_memo_free(memo);
	cache_close(cache);
	assert_int_equal(system(str_cstr(arena, arena_printf(arena, "rm -rf %s", dir))), 0);
}

static int setup(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(good, setup, teardown),
		cmocka_unit_test_setup_teardown(faults, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_known_is_not_fetched, setup, teardown),
	};
	sandbox_setup(true);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
