/* From manifests to an image. The input is files separated by NUL: the first is index.json, the second manifest.json,
 * the rest are blobs. "@N" in a file stands for the digest of file N behind it, so that what the fuzzer changes stays
 * consistent with the digests that are checked. The first byte chooses the reference, the platform and the order. */
#include "base/base.h"
#include "base/hash.h"
#include "image/manifest.h"

#define FILES_MAX 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct files {
	struct str text[FILES_MAX];
	struct sha256 digest[FILES_MAX];
	size_t count;
};

/* Replaces "@N" by the digest of file N, which must come later. */
static struct str substitute(struct arena *a, const struct files *f, size_t self, struct str text)
{
	struct buf BUF_AUTO out = { 0 };
	char digest[DIGEST_TEXT_LEN + 1];
	buf_init(&out, MIB);
	for (size_t i = 0; i < text.len; i++) {
		size_t n = i + 1 < text.len && text.ptr[i] == '@' ? (size_t)(text.ptr[i + 1] - '0') : FILES_MAX;
		if (n > self && n < f->count) {
			buf_put(&out, sha256_text(&f->digest[n], digest));
			i++;
		} else {
			buf_byte(&out, (uint8_t)text.ptr[i]);
		}
	}
	return str_dup(a, buf_view(&out));
}

static int read_file(void *ctx, struct arena *a, struct str path, size_t size_max, struct str *ret, struct err *err)
{
	const struct files *f = ctx;
	struct sha256 wanted;
	size_t at = f->count;
	if (str_eq(path, STR("index.json")))
		at = 0;
	else if (str_eq(path, STR("manifest.json")))
		at = 1;
	else if (str_eq(path, STR("config.json")))
		at = 2;
	else if (str_skip(&path, STR("blobs/sha256/")) && sha256_parse(arena_printf(a, "sha256:%.*s", STR_ARG(path)), &wanted))
		for (at = 2; at < f->count && !sha256_eq(&wanted, &f->digest[at]); at++)
			;
	if (at >= f->count || f->text[at].len == 0 || f->text[at].len > size_max)
		return err_set(err, ERR_NOT_FOUND, "no such file");
	*ret = f->text[at];
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct files f = { 0 };
	struct str rest = { (const char *)data, size }, part;
	struct err err = { 0 };
	struct image_desc d, again;
	if (size == 0 || size > 65536 || hash_setup(&err) < 0)
		return 0;
	uint8_t how = data[0];
	rest = str_sub(rest, 1, rest.len);
	while (f.count < FILES_MAX && str_cut(&rest, '\0', &part))
		f.text[f.count++] = part;
	for (size_t i = f.count; i-- > 0;) {
		f.text[i] = substitute(a, &f, i, f.text[i]);
		f.digest[i] = sha256_of(f.text[i]);
	}
	struct image_store store = { .read = read_file, .ctx = &f };
	struct image_choice choice = {
		.reference = how & 1 ? STR("test:1") : (struct str){ 0 },
		.platform = how & 2 ? STR("linux/arm64") : (struct str){ 0 },
		.prefer_oci = how & 4,
	};
	if (image_resolve(a, &store, &choice, &d, &err) < 0)
		return 0;
	/* What a worker says of it is understood by the parent. */
	struct buf BUF_AUTO wire = { 0 };
	buf_init(&wire, 16 * MIB);
	image_desc_encode(&wire, &d);
	struct reader r = reader_of(buf_view(&wire));
	image_desc_decode(a, &r, &again);
	if (r.bad || again.layer_count != d.layer_count || !str_eq(again.digest, d.digest) ||
	    !str_eq(again.config.id, d.config.id) || again.config.history.len != d.config.history.len)
		abort();
	return 0;
}
