/* Tars by pull and by push: the transcripts must be the same. The first byte chooses the size of the chunks and whether
 * contents are read, holes called back and passing over used. Names are cleaned on the way. */
#include "tests/tar_transcript.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compare(struct transcript *a, struct transcript *b)
{
	if (!str_eq(buf_view(&a->out), buf_view(&b->out))) {
		fprintf(stderr, "one:\n%.*s\nother:\n%.*s\n", STR_ARG(buf_view(&a->out)), STR_ARG(buf_view(&b->out)));
		abort();
	}
	buf_done(&b->out);
}

/* What is clean stays so, and has nothing in it that could lead out. */
static void clean(struct str path)
{
	static char once[TAR_PATH_MAX], twice[TAR_PATH_MAX];
	struct str a, b;
	if (!tar_clean_path(path, once, &a))
		return;
	if (str_starts(a, STR("/")) || str_ends(a, STR("/")) || str_contains(a, STR("//")) || str_starts(a, STR("../")))
		abort();
	if (a.len && (!tar_clean_path(a, twice, &b) || !str_eq(a, b)))
		abort();
}

/* A fuzzer cannot guess a sum: every block that says "ustar" gets its right one. (Those of old v7 keep theirs.) */
static void repair(uint8_t *p, size_t size)
{
	for (; size >= 512; p += 512, size -= 512) {
		if (memcmp(p + 257, "ustar", 5) != 0)
			continue;
		unsigned sum = 0;
		memset(p + 148, ' ', 8);
		for (size_t i = 0; i < 512; i++)
			sum += p[i];
		(void)snprintf((char *)p + 148, 8, "%06o", sum);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	uint8_t *copy = xmalloc(size - 1);
	memcpy(copy, data + 1, size - 1);
	repair(copy, size - 1);
	struct str bytes = { (const char *)copy, size - 1 };
	bool want = data[0] & 1, holes = data[0] & 2, pass = data[0] & 4;
	size_t chunk = data[0] & 8 ? 1 + (size_t)(data[0] >> 4) * 97 : SIZE_MAX;
	struct transcript first, t;
	struct err err = { 0 };
	clean(bytes);
	transcript_init(&first, want, 16 * KIB);
	transcript_pull(&first, bytes, SIZE_MAX, false, &err);
	transcript_init(&t, want, 16 * KIB);
	transcript_pull(&t, bytes, chunk, true, &err);
	compare(&first, &t);
	transcript_init(&t, want, 16 * KIB);
	transcript_push(&t, bytes, chunk, holes, pass, &err);
	compare(&first, &t);
	buf_done(&first.out);
	free(copy);
	return 0;
}
