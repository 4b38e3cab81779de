/* A sink that fills a builder in the same process: for tests and for feeds that nobody else wrote. */
#include "advisory/build.h"
#include "advisory/feed/feed.h"

#include "base/base.h"

static uint32_t add_source(void *ctx, const struct db_source *s) { return db_builder_source(ctx, s); }

static void add_platform(void *ctx, const struct db_platform *p, uint32_t source)
{
	db_builder_platform(ctx, p, source);
}

static void add_package(void *ctx, struct str platform, struct str package)
{
	db_builder_package(ctx, platform, package);
}

static void add_fact(void *ctx, struct str platform, struct str package, const struct db_fact *f)
{
	db_builder_fact(ctx, platform, package, f);
}

static void add_vuln(void *ctx, uint32_t source, struct str id, const struct db_vuln *v)
{
	db_builder_vuln(ctx, source, id, v);
}

struct feed_sink feed_sink_builder(struct db_builder *b)
{
	return (struct feed_sink){
		.source = add_source,
		.platform = add_platform,
		.package = add_package,
		.fact = add_fact,
		.vuln = add_vuln,
		.ctx = b,
	};
}
