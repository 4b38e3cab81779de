/* The format trivy-json. One package and one finding at a time: a large report takes no more memory than a small one.
 * Decides nothing: see trivy_doc.c for what stands where. */
#include "report/trivy.h"

#include "base/base.h"
#include "base/json.h"

static void put_value(struct json_writer *w, const struct value *v);

static void put_pairs(struct json_writer *w, const struct value *map)
{
	for (size_t i = 0; i < map->map.len; i++) {
		json_key_text(w, map->map.pairs[i].key);
		put_value(w, map->map.pairs[i].value);
	}
}

/* Documents of trivy_doc.c: a few levels deep. */
static void put_value(struct json_writer *w, const struct value *v)
{
	int64_t whole = 0;
	switch (v->kind) {
	case VALUE_BOOL:
		json_bool(w, v->boolean);
		break;
	case VALUE_INT:
		(void)value_int(v, &whole);
		json_int(w, whole);
		break;
	case VALUE_DOUBLE:
		json_double(w, v->number, 1);
		break;
	case VALUE_STRING:
		json_str(w, v->string);
		break;
	case VALUE_LIST:
		json_begin_list(w);
		for (size_t i = 0; i < v->list.len; i++)
			put_value(w, v->list.items[i]);
		json_end_list(w);
		break;
	case VALUE_MAP:
		json_begin_map(w);
		put_pairs(w, v);
		json_end_map(w);
		break;
	default:
		json_null(w);
	}
}

typedef struct value *(*maker)(struct arena *a, const struct trivy_result *r, const struct finding *f);

static void put_findings(struct json_writer *w, const struct trivy_result *r, const char *key,
                         const struct finding_refs *refs, maker make)
{
	if (refs->len == 0)
		return;
	json_key(w, key);
	json_begin_list(w);
	for (size_t i = 0; i < refs->len; i++) {
		struct arena *ARENA_AUTO a = arena_new();
		put_value(w, make(a, r, refs->ptr[i]));
	}
	json_end_list(w);
}

static void put_result(struct arena *a, struct json_writer *w, const struct trivy_result *r)
{
	json_begin_map(w);
	put_pairs(w, trivy_result_head(a, r));
	if (r->package_count) {
		json_key(w, "Packages");
		json_begin_list(w);
		for (size_t i = 0; i < r->package_count; i++) {
			struct arena *ARENA_AUTO scratch = arena_new();
			put_value(w, trivy_package(scratch, r->target, r->packages[i]));
		}
		json_end_list(w);
	}
	put_findings(w, r, trivy_findings_key(r->class), &r->findings, trivy_finding);
	put_findings(w, r, "ExperimentalModifiedFindings", &r->suppressed, trivy_suppressed);
	json_end_map(w);
}

int report_trivy_json_write(const struct report *r, const struct report_options *o, FILE *out, struct err *err)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct trivy_result_list results;
	struct json_writer w;
	trivy_results(a, r, o, &results);
	json_writer_init(&w, out, 2);
	json_begin_map(&w);
	put_pairs(&w, trivy_head(a, r));
	json_key(&w, "Results");
	json_begin_list(&w);
	for (size_t i = 0; i < results.len; i++)
		put_result(a, &w, &results.ptr[i]);
	json_end_list(&w);
	json_end_map(&w);
	fputc('\n', out);
	return report_written(out, "trivy-json", err);
}
