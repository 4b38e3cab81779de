/* `db build`: every feed is imported in a worker (import.c), and what it says is read into the builder in the order of the
 * files. So a feed that fails adds nothing, and the result depends on the files alone. */
#include "advisory/build.h"

#include "advisory/builder.h"
#include "advisory/feed_files.h"
#include "advisory/import.h"
#include "base/base.h"
#include "base/hash.h"

#include <time.h>

struct build {
	const struct db_build_options *o;
	struct arena *a;
	struct import_file *files;
	size_t count;
	struct db_builder *b;
	size_t taken;
};

static void say(const struct build *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(const struct build *b, const char *format, ...)
{
	if (!b->o->log)
		return;
	va_list args;
	va_start(args, format);
	struct str line = arena_vprintf(b->a, format, args);
	va_end(args);
	b->o->log(b->o->log_ctx, line.ptr);
}

static void take(void *ctx, size_t index)
{
	struct build *b = ctx;
	struct import_file *f = &b->files[index];
	size_t before = b->b->fact_count;
	if (f->rc == 0)
		f->rc = import_take(f, b->b, &f->err);
	import_drop(f);
	if (f->rc != 0) {
		say(b, "%.*s: left out: %s", STR_ARG(f->path), f->err.text);
		return;
	}
	b->taken++;
	say(b, "%.*s: %.*s, %llu records (%llu left out, %llu malformed), %zu facts", STR_ARG(f->path),
	    STR_ARG(f->feed), (unsigned long long)f->records, (unsigned long long)f->left_out,
	    (unsigned long long)f->skipped, b->b->fact_count - before);
}

int64_t db_build_time(int64_t given)
{
	uint64_t epoch;
	struct str text = str_from(getenv("SOURCE_DATE_EPOCH"));
	if (given != 0)
		return given;
	return text.len && str_to_u64(text, &epoch) && epoch < INT64_MAX ? (int64_t)epoch : (int64_t)time(NULL);
}

static void prepare(struct build *b, const struct feed_files *files)
{
	b->count = files->len;
	b->files = arena_array(b->a, files->len, sizeof(*b->files));
	for (size_t i = 0; i < files->len; i++) {
		const struct feed_file *f = &files->ptr[i];
		b->files[i] = (struct import_file){
			.path = f->path,
			.file = arena_printf(b->a, "%s/%.*s", b->o->feeds, STR_ARG(f->path)).ptr,
			.licence = f->licence,
			.attribution = f->attribution,
			.updated = f->updated,
			.latest = db_build_time(b->o->built),
		};
	}
}

int db_build_feeds(const struct db_build_options *o, struct err *err)
{
	struct arena *a ARENA_AUTO = arena_new();
	struct feed_files files;
	int rc = hash_setup(err);
	rc = rc            ? rc
	     : o->manifest ? feed_files_of_manifest(a, o->manifest, &files, err)
			   : feed_files_below(a, o->feeds, &files, err);
	if (rc != 0)
		return rc;
	struct build b = { .o = o, .a = a, .b = db_builder_new() };
	prepare(&b, &files);
	imports_run(a, b.files, b.count, take, &b);
	if (b.taken == 0)
		rc = err_set(err, ERR_NOT_FOUND, "%s: no feed that this version reads", o->feeds);
	else if (o->manifest && b.taken < b.count)
		rc = err_set(err, ERR_FORMAT, "%s: %zu of its %zu feeds could not be read", o->manifest,
			     b.count - b.taken, b.count);
	else
		rc = db_builder_write(b.b, db_build_time(o->built), o->output, err);
	db_builder_free(b.b);
	return rc;
}
