/* How long opening the advisory file and finding a package in it take: bench_db FILE. Not installed, not a test. */
#include "advisory/db.h"
#include "base/base.h"

#include <time.h>

#define ROUNDS 200

static double now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Every package of every platform once, in the order of the file; returns facts read. */
static uint64_t walk(const struct db *db)
{
	struct db_info info;
	uint64_t facts = 0;
	db_info(db, &info);
	for (uint32_t i = 0; i < info.platform_count; i++) {
		struct db_platform p;
		if (!db_platform_at(db, i, &p))
			break;
		for (uint64_t k = 0; k < p.package_count; k++) {
			struct str name;
			struct db_iter it;
			struct db_fact fact;
			if (!db_package_at(db, &p, k, &name, &it) || db_lookup(db, &p, name, &it, NULL) < 0)
				continue;
			while (db_next(&it, &fact))
				facts++;
		}
	}
	return facts;
}

int main(int argc, char **argv)
{
	double times[ROUNDS];
	struct err err = { 0 };
	struct db *db = NULL;
	for (int i = 0; argc == 2 && i < ROUNDS; i++) {
		db_close(db);
		double start = now_ms();
		if (db_open(argv[1], &db, &err) < 0) {
			fprintf(stderr, "%s\n", err.text);
			return 1;
		}
		times[i] = now_ms() - start;
	}
	if (!db)
		return 2;
	qsort(times, ROUNDS, sizeof(times[0]), compare);
	double start = now_ms();
	uint64_t facts = walk(db);
	double walked = now_ms() - start;
	printf("open %.4f ms (median of %d); all %ju facts looked up in %.1f ms\n", times[ROUNDS / 2], ROUNDS, (uintmax_t)facts,
	       walked);
	db_close(db);
	return 0;
}
