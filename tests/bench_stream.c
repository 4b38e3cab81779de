/* Measures the way that every layer takes: inflate FILE into 1 MiB buffers and walk the tar in them (push, or pull with
 * -l), nothing wanted. Prints counts, so that two runs can be compared. Not a test: build it with
 * `ninja tests/bench_stream`.
 *     bench_stream [-z zlib] [-i: inflate only] [-l: pull] [-b BUFFER_KIB] FILE */
#include "base/base.h"
#include "base/inflate.h"
#include "base/tar.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct counts {
	uint64_t entries, bytes;
};

static int count_entry(void *ctx, const struct tar_entry *e, struct err *err)
{
	(void)err;
	struct counts *c = ctx;
	c->entries++;
	c->bytes += e->size;
	return TAR_SKIP;
}

static int run_push(struct inflate *s, size_t size, bool walk, struct counts *ret, struct err *err)
{
	struct tar_push *t = tar_push_new((struct tar_sink){ .on_entry = count_entry, .ctx = ret });
	char *p = xmalloc(size);
	ssize_t n;
	int r = 0;
	while (r == 0 && (n = inflate_read(s, p, size, err)) != 0)
		r = n < 0 ? (int)n : walk ? tar_push_feed(t, p, (size_t)n, err) : 0;
	if (r == 0 && walk)
		r = tar_push_finish(t, err);
	free(p);
	tar_push_free(t);
	return r;
}

static int run_pull(struct tar_input in, struct counts *ret, struct err *err)
{
	struct tar *t = tar_open(in);
	struct tar_entry e;
	int r;
	while ((r = tar_next(t, &e, err)) == 1)
		(void)count_entry(ret, &e, err);
	tar_close(t);
	return r;
}

int main(int argc, char **argv)
{
	enum inflate_engine engine = INFLATE_ENGINE_BEST;
	bool walk = true, pull = false;
	size_t size = MIB;
	for (int o; (o = getopt(argc, argv, "zilb:")) != -1;) {
		uint64_t kib = 0;
		if (o == 'z')
			engine = INFLATE_ENGINE_ZLIB;
		else if (o == 'i')
			walk = false;
		else if (o == 'l')
			pull = true;
		else if (o == 'b' && str_to_u64(str_from(optarg), &kib) && kib)
			size = (size_t)kib * KIB;
		else
			return 2;
	}
	struct err err = { 0 };
	struct stat st;
	int fd = optind < argc ? open(argv[optind], O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0 || fstat(fd, &st) < 0) {
		fprintf(stderr, "cannot open the file\n");
		return 2;
	}
	struct source_file f = { fd, 0, (uint64_t)st.st_size };
	struct inflate *s = inflate_open_engine(source_of_file(&f), engine, &err);
	struct counts counts = { 0 };
	int r = s ? 0 : err.code;
	if (s && pull && inflate_form(s) == INFLATE_PLAIN) {
		struct tar_file file = { .file = { fd, 0, (uint64_t)st.st_size } };
		r = run_pull(tar_input_of_file(&file), &counts, &err);
	} else if (s) {
		r = pull ? run_pull(tar_input_of_inflate(s), &counts, &err) : run_push(s, size, walk, &counts, &err);
	}
	inflate_close(s);
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	printf("%llu entries, %llu bytes, peak %ld KiB%s%s\n", (unsigned long long)counts.entries,
	       (unsigned long long)counts.bytes, u.ru_maxrss, r < 0 ? ": " : "", r < 0 ? err.text : "");
	return r < 0;
}
