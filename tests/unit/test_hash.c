/* SHA-256: the known answers of FIPS 180-4, pieces, digest texts. */
#include "base/hash.h"
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void assert_digest(const struct sha256 *d, const char *want)
{
	char text[DIGEST_TEXT_LEN + 1];
	struct str s = sha256_text(d, text);
	assert_int_equal(s.len, DIGEST_TEXT_LEN);
	assert_string_equal(text, want);
}

static void known_answers(void **state)
{
	(void)state;
	struct sha256 d = sha256_of((struct str){ 0 });
	assert_digest(&d, "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	d = sha256_of(STR("abc"));
	assert_digest(&d, "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	d = sha256_of(STR("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"));
	assert_digest(&d, "sha256:248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void a_hasher_takes_pieces_and_starts_again(void **state)
{
	(void)state;
	char block[997];
	struct hasher *h = hasher_new();
	memset(block, 'a', sizeof(block));
	for (int round = 0; round < 2; round++) {
		for (size_t left = 1000000; left > 0;) {
			size_t n = left < sizeof(block) ? left : sizeof(block);
			hasher_add(h, block, n);
			left -= n;
		}
		hasher_add(h, NULL, 0);
		struct sha256 d = hasher_take(h);
		assert_digest(&d, "sha256:cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	}
	hasher_free(h);
	hasher_free(NULL);
}

static void only_exact_digests_are_read(void **state)
{
	(void)state;
	static const char good[] = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
	struct sha256 d, abc = sha256_of(STR("abc")), other = sha256_of(STR("abd"));
	assert_true(sha256_parse(str_from(good), &d));
	assert_true(sha256_eq(&d, &abc) && !sha256_eq(&d, &other));
	for (size_t i = 0; i < DIGEST_TEXT_LEN; i++) {
		char bad[DIGEST_TEXT_LEN + 1];
		memcpy(bad, good, sizeof(bad));
		bad[i] = 'G';
		assert_false(sha256_parse(str_from(bad), &d));
		assert_false(sha256_parse((struct str){ good, i }, &d));
	}
	assert_false(sha256_parse(STR("sha256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"), &d));
	assert_false(
	        sha256_parse(STR("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad "), &d));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_answers),
		cmocka_unit_test(a_hasher_takes_pieces_and_starts_again),
		cmocka_unit_test(only_exact_digests_are_read),
	};
	if (hash_setup(NULL) != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
