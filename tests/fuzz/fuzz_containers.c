/* A store's JSON in the worker: which image, which container, which layers. The input is documents separated by NUL:
 * images.json, layers.json, containers.json, then an image's big data. "@N" in a document stands for the digest of
 * document N behind it ("%N": without "sha256:"), so that what the fuzzer changes stays consistent with the digests that
 * are checked. The first byte chooses the question. */
#include "base/base.h"
#include "base/hash.h"
#include "image/containers.h"

#define DOCUMENTS_MAX 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct documents {
	struct str text[DOCUMENTS_MAX];
	struct sha256 digest[DOCUMENTS_MAX];
	size_t count;
};

static struct str substitute(struct arena *a, const struct documents *d, size_t self, struct str text)
{
	struct buf BUF_AUTO out = { 0 };
	char digest[DIGEST_TEXT_LEN + 1];
	buf_init(&out, MIB);
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		size_t n = i + 1 < text.len && (c == '@' || c == '%') ? (size_t)(text.ptr[i + 1] - '0') : DOCUMENTS_MAX;
		if (n > self && n < d->count) {
			struct str s = sha256_text(&d->digest[n], digest);
			buf_put(&out, c == '@' ? s : str_sub(s, 7, s.len));
			i++;
		} else {
			buf_byte(&out, (uint8_t)c);
		}
	}
	return str_dup(a, buf_view(&out));
}

/* A second image, whose id is the digest of document 5, has document 4 for its manifest. */
static size_t big_data(const struct documents *d, struct arena *a, struct str id, struct str key)
{
	struct sha256 wanted;
	bool second = d->count > 5 && sha256_parse(arena_printf(a, "sha256:%.*s", STR_ARG(id)), &wanted) &&
	              sha256_eq(&wanted, &d->digest[5]);
	if (str_eq(key, STR("manifest")))
		return second ? 4 : 3;
	(void)str_skip(&key, STR("manifest-"));
	size_t at = d->count;
	if (sha256_parse(str_dup(a, key), &wanted))
		for (at = 3; at < d->count && !sha256_eq(&wanted, &d->digest[at]); at++)
			;
	return at;
}

/* Two stores: the documents' own, and one of the same driver that has nothing. */
static int read_document(void *ctx, struct arena *a, struct str name, size_t size_max, struct str *ret, struct err *err)
{
	static const char *const lists[] = { "0/images.json/0", "0/layers.json/0", "0/containers.json/0" };
	const struct documents *d = ctx;
	size_t at = d->count;
	struct str rest = name, id;
	if (str_eq(name, STR("stores"))) {
		*ret = STR("overlay\noverlay\n");
		return 0;
	}
	for (size_t i = 0; i < COUNT_OF(lists); i++)
		if (str_eq(name, str_from(lists[i])))
			at = i;
	if (str_skip(&rest, STR("0/data/")) && str_cut(&rest, '/', &id))
		at = big_data(d, a, id, rest);
	if (at >= d->count || d->text[at].len > size_max)
		return err_set(err, ERR_NOT_FOUND, "no such document");
	*ret = d->text[at];
	return 0;
}

static void check(struct arena *a, const struct containers_answer *w)
{
	struct containers_answer again;
	struct buf BUF_AUTO wire = { 0 };
	buf_init(&wire, 16 * MIB);
	containers_answer_encode(&wire, w);
	struct reader r = reader_of(buf_view(&wire));
	containers_answer_decode(a, &r, &again);
	if (r.bad || again.desc.layer_count != w->desc.layer_count || again.names.len != w->names.len)
		abort();
	/* What becomes a path has the shape of one. */
	for (size_t i = 0; i < w->desc.layer_count; i++) {
		struct str path = w->desc.layers[i].path;
		if (!str_skip(&path, STR("0/")) || !containers_is_id(path))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "a:1", "a", "web", "aaaa", "quay.io/b/a@sha256:", "" };
	struct arena *ARENA_AUTO a = arena_new();
	struct documents d = { 0 };
	struct str rest = { (const char *)data, size }, part;
	struct err err = { 0 };
	struct containers_answer answer;
	if (size == 0 || size > 65536 || hash_setup(&err) < 0)
		return 0;
	uint8_t how = data[0];
	rest = str_sub(rest, 1, rest.len);
	while (d.count < DOCUMENTS_MAX && str_cut(&rest, '\0', &part))
		d.text[d.count++] = part;
	for (size_t i = d.count; i-- > 0;) {
		d.text[i] = substitute(a, &d, i, d.text[i]);
		d.digest[i] = sha256_of(d.text[i]);
	}
	struct image_store store = { .read = read_document, .ctx = &d };
	struct containers_request q = { .ask = how % 3,
		                        .name = str_from(names[how / 3 % COUNT_OF(names)]),
		                        .platform = how & 0x80 ? STR("linux/arm64") : (struct str){ 0 } };
	if (str_ends(q.name, STR(":")) && d.count > 3) {
		char text[DIGEST_TEXT_LEN + 1];
		q.name = arena_printf(a, "quay.io/b/a@%.*s", STR_ARG(sha256_text(&d.digest[d.count - 1], text)));
	}
	if (containers_ask(a, &store, &q, &answer, &err) == 0)
		check(a, &answer);
	return 0;
}
