/* SHA-256 through OpenSSL: see hash.h.
 * The method is fetched once per process, for the first fetch opens OpenSSL's configuration. A digest that cannot be
 * computed ends the process: going on with a wrong one would name content by a lie. */
#include "base/hash.h"
#include "base/base.h"

#include <openssl/evp.h>
#include <pthread.h>

struct hasher {
	EVP_MD_CTX *ctx;
};

static EVP_MD *method;
static pthread_once_t method_once = PTHREAD_ONCE_INIT;

static void fetch_method(void)
{
	method = EVP_MD_fetch(NULL, "SHA256", NULL);
}

int hash_setup(struct err *err)
{
	(void)pthread_once(&method_once, fetch_method);
	return method ? 0 : err_set(err, ERR_UNSUPPORTED, "OpenSSL gives no SHA-256");
}

static _Noreturn void broken(void)
{
	fputs("plimsoll: OpenSSL cannot compute SHA-256\n", stderr);
	abort();
}

struct hasher *hasher_new(void)
{
	struct hasher *h = xcalloc(1, sizeof(*h));
	h->ctx = EVP_MD_CTX_new();
	if (hash_setup(NULL) != 0 || !h->ctx || EVP_DigestInit_ex2(h->ctx, method, NULL) != 1)
		broken();
	return h;
}

void hasher_free(struct hasher *h)
{
	if (!h)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

void hasher_add(struct hasher *h, const void *p, size_t n)
{
	if (n > 0 && EVP_DigestUpdate(h->ctx, p, n) != 1)
		broken();
}

struct sha256 hasher_take(struct hasher *h)
{
	struct sha256 d;
	unsigned len = 0;
	if (EVP_DigestFinal_ex(h->ctx, d.bytes, &len) != 1 || len != SHA256_SIZE ||
	    EVP_DigestInit_ex2(h->ctx, NULL, NULL) != 1)
		broken();
	return d;
}

struct sha256 sha256_of(struct str bytes)
{
	struct hasher *h = hasher_new();
	hasher_add(h, bytes.ptr, bytes.len);
	struct sha256 d = hasher_take(h);
	hasher_free(h);
	return d;
}

bool sha256_eq(const struct sha256 *a, const struct sha256 *b)
{
	return memcmp(a->bytes, b->bytes, SHA256_SIZE) == 0;
}

/* Lower case only: the OCI image specification (descriptor, "Registered algorithms") says [a-f0-9]{64}. */
static int hex_digit(char c)
{
	if (ascii_digit(c))
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool sha256_parse(struct str text, struct sha256 *ret)
{
	struct sha256 d;
	if (text.len != DIGEST_TEXT_LEN || !str_skip(&text, STR("sha256:")))
		return false;
	for (size_t i = 0; i < SHA256_SIZE; i++) {
		int high = hex_digit(text.ptr[2 * i]);
		int low = hex_digit(text.ptr[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		d.bytes[i] = (uint8_t)(high << 4 | low);
	}
	*ret = d;
	return true;
}

struct str sha256_text(const struct sha256 *d, char out[DIGEST_TEXT_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";
	char *p = out;
	memcpy(p, "sha256:", 7);
	p += 7;
	for (size_t i = 0; i < SHA256_SIZE; i++) {
		*p++ = digits[d->bytes[i] >> 4];
		*p++ = digits[d->bytes[i] & 15];
	}
	*p = '\0';
	return (struct str){ out, DIGEST_TEXT_LEN };
}
