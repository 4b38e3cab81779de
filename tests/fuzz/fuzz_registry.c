/* What registries, token services, helpers and users' files may say; the first byte chooses the reader. A name that is taken
 * must read back as itself, for it becomes part of a URL. */
#include "base/base.h"
#include "net/challenge.h"
#include "net/credential.h"
#include "net/reference.h"
#include "net/registry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void a_reference(struct arena *a, struct str text)
{
	struct reference r, again;
	if (reference_parse(a, text, &r, NULL) < 0)
		return;
	struct str whole = reference_text(a, &r);
	if (reference_parse(a, whole, &again, NULL) < 0 || !str_eq(whole, reference_text(a, &again)))
		abort();
	for (size_t i = 0; i < whole.len; i++)
		if ((unsigned char)whole.ptr[i] <= ' ' || strchr("?#%\\", whole.ptr[i]))
			abort();
}

static void a_challenge(struct arena *a, struct str text)
{
	struct challenge c[CHALLENGES_MAX];
	size_t n = challenge_parse(a, text, c, CHALLENGES_MAX);
	if (n > CHALLENGES_MAX)
		abort();
	for (size_t i = 0; i < n; i++)
		if (c[i].scheme.len == 0 || c[i].realm.len > text.len)
			abort();
}

static void a_credential(struct arena *a, struct str text)
{
	struct credential c;
	struct str helper;
	bool found = credential_in_file(a, text, STR("docker.io"), STR("library/nginx"), &c, &helper);
	if (found && (c.kind == CREDENTIAL_NONE) != (helper.len > 0))
		abort();
	(void)credential_of_helper(a, text, &c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str text = { (const char *)data, size }, token;
	char kind = size ? text.ptr[0] : 'r';
	text = str_sub(text, 1, text.len);
	switch (kind) {
	case 'r': a_reference(a, text); break;
	case 'w': a_challenge(a, text); break;
	case 'c': a_credential(a, text); break;
	default:
		if (registry_token_of(a, text, &token) && token.len == 0)
			abort();
		if (registry_error_words(a, text).len == 0)
			abort();
	}
	arena_free(a);
	return 0;
}
