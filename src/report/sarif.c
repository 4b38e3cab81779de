/* SARIF 2.1.0 as GitHub code scanning takes it: one run per target (set apart by automationDetails), one result per
 * finding, at the package database that names the package. GitHub refuses a run of more than 25,000 results, so the
 * least urgent are left out and a notification says so. What was not assessed is a notification too.
 * Must never name a rule twice in a run, an absolute path, or a line below 1. */
#include "report/sarif.h"

#include "base/base.h"
#include "base/hash.h"
#include "report/formats.h"
#include "report/text.h"

#define URI_BASE "ROOT"

struct run {
	struct json_writer *w;
	struct arena *arena;   /* lives as long as the run is written */
	struct arena *scratch; /* of one result: there may be 25,000 */
	const struct report *report;
	const struct target *target;
	struct finding_refs results;
	size_t left_out;
	bool any_suppressed;
	struct sarif_rule_list rules;
	struct map fingerprints; /* fingerprint -> how many results had it before */
};

static void put_str(struct json_writer *w, const char *key, struct str s)
{
	json_key(w, key);
	json_str(w, s);
}

static void put_message(struct run *run, const char *key, struct str text)
{
	json_key(run->w, key);
	json_begin_map(run->w);
	put_str(run->w, "text", text);
	json_end_map(run->w);
}

static int urgent_first_cmp(const void *pa, const void *pb)
{
	const struct finding *a = *(const struct finding *const *)pa, *b = *(const struct finding *const *)pb;
	int c = finding_is_suppressed(a) - finding_is_suppressed(b);
	if (c == 0)
		c = finding_urgency_cmp(a, b);
	return c ? c : finding_identity_cmp(a, b);
}

static int identity_cmp(const void *pa, const void *pb)
{
	return finding_identity_cmp(*(const struct finding *const *)pa, *(const struct finding *const *)pb);
}

static void choose_results(struct run *run)
{
	order_findings(run->arena, run->target, &run->results);
	struct finding_refs *refs = &run->results;
	if (refs->len > SARIF_RESULTS_MAX) {
		qsort(refs->ptr, refs->len, sizeof(*refs->ptr), urgent_first_cmp);
		run->left_out = refs->len - SARIF_RESULTS_MAX;
		refs->len = SARIF_RESULTS_MAX;
		qsort(refs->ptr, refs->len, sizeof(*refs->ptr), identity_cmp);
	}
	for (size_t i = 0; i < refs->len; i++)
		run->any_suppressed |= finding_is_suppressed(refs->ptr[i]);
	sarif_rules_collect(run->arena, refs, &run->rules);
}

static void put_driver(struct run *run)
{
	struct json_writer *w = run->w;
	json_key(w, "tool");
	json_begin_map(w);
	json_key(w, "driver");
	json_begin_map(w);
	put_str(w, "name", STR("plimsoll"));
	put_str(w, "version", run->report->tool_version);
	json_key(w, "rules");
	json_begin_list(w);
	for (size_t i = 0; i < run->rules.len; i++) {
		struct arena *ARENA_AUTO scratch = arena_new();
		sarif_rule_write(scratch, w, &run->rules.ptr[i]);
	}
	json_end_list(w);
	json_end_map(w);
	json_end_map(w);
}

static void put_notification(struct run *run, const char *id, struct str text)
{
	struct json_writer *w = run->w;
	json_begin_map(w);
	json_key(w, "descriptor");
	json_begin_map(w);
	put_str(w, "id", str_from(id));
	json_end_map(w);
	put_str(w, "level", STR("warning"));
	put_message(run, "message", text);
	json_end_map(w);
}

static void put_invocation(struct run *run)
{
	struct json_writer *w = run->w;
	struct arena *a = run->arena;
	json_key(w, "invocations");
	json_begin_list(w);
	json_begin_map(w);
	json_key(w, "executionSuccessful");
	json_bool(w, true);
	json_key_str(w, "startTimeUtc", run->report->started);
	json_key(w, "toolExecutionNotifications");
	json_begin_list(w);
	for (size_t i = 0; i < run->target->not_assessed.len; i++) {
		const struct not_assessed *n = &run->target->not_assessed.ptr[i];
		struct str reason = sarif_message(a, report_reason(a, n));
		put_notification(
		    run, "not-assessed",
		    arena_printf(a, "Not assessed: %.*s: %.*s.", STR_ARG(sarif_message(a, n->what)), STR_ARG(reason)));
	}
	if (run->left_out)
		put_notification(run, "results-left-out",
				 arena_printf(a, "%.*s left out, the least urgent ones: GitHub takes %u results a run.",
					      STR_ARG(text_counted(a, run->left_out, "result was", "results were")),
					      SARIF_RESULTS_MAX));
	json_end_list(w);
	json_end_map(w);
	json_end_list(w);
}

static void put_bases(struct run *run)
{
	struct json_writer *w = run->w;
	json_key(w, "originalUriBaseIds");
	json_begin_map(w);
	json_key(w, URI_BASE);
	json_begin_map(w);
	put_message(run, "description",
		    arena_printf(run->arena, "The root of %s %.*s.", target_kind_name(run->target->kind),
				 STR_ARG(sarif_message(run->arena, run->target->name))));
	json_end_map(w);
	json_end_map(w);
}

static struct str result_text(struct arena *a, const struct finding *f)
{
	struct str title = sarif_message(a, f->title);
	struct str evidence = sarif_message(a, f->evidence);
	const char *gap = evidence.len ? " " : "";
	if (!f->package)
		return arena_printf(a, "%.*s.%s%.*s", STR_ARG(title), gap, STR_ARG(evidence));
	struct str fix = f->fixed_version.len
			     ? arena_printf(a, "Fixed in %.*s.", STR_ARG(sarif_message(a, f->fixed_version)))
			     : STR("No fix is known.");
	return arena_printf(a, "%.*s %.*s: %.*s (%s). %.*s%s%.*s", STR_ARG(sarif_message(a, f->package->name)),
			    STR_ARG(sarif_message(a, f->package->version)), STR_ARG(sarif_message(a, f->id)),
			    f->severity == SEVERITY_UNKNOWN ? "unrated" : severity_name(f->severity), STR_ARG(fix), gap,
			    STR_ARG(evidence));
}

static void put_location(struct run *run, const struct finding *f)
{
	struct json_writer *w = run->w;
	struct arena *a = run->scratch;
	struct str path = f->location.path.len ? f->location.path
			  : f->package         ? f->package->db_path
					       : (struct str){ 0 };
	struct str image = sarif_relative_uri(a, run->target->name, STR("target"));
	json_key(w, "locations");
	json_begin_list(w);
	json_begin_map(w);
	json_key(w, "physicalLocation");
	json_begin_map(w);
	json_key(w, "artifactLocation");
	json_begin_map(w);
	put_str(w, "uri", sarif_relative_uri(a, path, image));
	put_str(w, "uriBaseId", STR(URI_BASE));
	json_end_map(w);
	json_key(w, "region");
	json_begin_map(w);
	json_key(w, "startLine");
	json_int(w, f->location.line ? f->location.line : 1);
	if (f->location.column) {
		json_key(w, "startColumn");
		json_int(w, f->location.column);
	}
	json_end_map(w);
	json_end_map(w);
	json_end_map(w);
	json_end_list(w);
}

static void hash_part(struct hasher *h, struct str s)
{
	hasher_add(h, s.ptr, s.len);
	hasher_add(h, "", 1);
}

/* The same finding in tomorrow's build is the same alert, so the version is no part of it. GitHub's own form: a hash
 * and the number of this result among those that share it. */
static void put_fingerprint(struct run *run, const struct finding *f)
{
	struct hasher *h = hasher_new();
	hash_part(h, f->id);
	if (f->package) {
		hash_part(h, str_from(package_type_name(f->package->type)));
		hash_part(h, f->package->name);
		hash_part(h, f->package->arch);
		hash_part(h, f->package->db_path);
	}
	hash_part(h, f->location.path);
	hash_part(h, f->subject);
	struct sha256 digest = hasher_take(h);
	hasher_free(h);
	char text[DIGEST_TEXT_LEN + 1];
	struct str hex = str_dup(run->arena, str_sub(sha256_text(&digest, text), 7, 7 + 16));
	uint64_t *count = map_put(run->arena, &run->fingerprints, hex, NULL);
	*count += 1;
	json_key(run->w, "partialFingerprints");
	json_begin_map(run->w);
	put_str(run->w, "primaryLocationLineHash",
		arena_printf(run->scratch, "%.*s:%llu", STR_ARG(hex), (unsigned long long)*count));
	json_end_map(run->w);
}

/* In one run all results have a list of suppressions or none has (SARIF 3.27.23). */
static void put_suppressions(struct run *run, const struct finding *f)
{
	struct json_writer *w = run->w;
	struct arena *a = run->scratch;
	if (!run->any_suppressed)
		return;
	json_key(w, "suppressions");
	json_begin_list(w);
	if (finding_is_suppressed(f)) {
		struct str until = text_clean(a, f->suppressed.until);
		json_begin_map(w);
		put_str(w, "kind", STR("external"));
		put_str(w, "status", STR("accepted"));
		put_str(w, "justification",
			arena_printf(a, "%.*s (%.*s%s%.*s)", STR_ARG(text_clean(a, f->suppressed.reason)),
				     STR_ARG(text_clean(a, f->suppressed.by)), until.len ? ", until " : "",
				     STR_ARG(until)));
		json_end_map(w);
	}
	json_end_list(w);
}

static void put_result(struct run *run, const struct finding *f)
{
	struct arena *ARENA_AUTO scratch = arena_new();
	struct json_writer *w = run->w;
	run->scratch = scratch;
	const uint64_t *index = map_get(&run->rules.by_id, f->id);
	json_begin_map(w);
	put_str(w, "ruleId", f->id);
	json_key(w, "ruleIndex");
	json_int(w, index ? (int64_t)*index : -1);
	put_str(w, "level", str_from(sarif_level(f->severity)));
	put_message(run, "message", result_text(scratch, f));
	put_location(run, f);
	put_fingerprint(run, f);
	put_suppressions(run, f);
	if (f->package) {
		json_key(w, "properties");
		json_begin_map(w);
		put_str(w, "purl", package_purl(scratch, f->package, run->target->os.id, run->target->os.version));
		json_key_str(w, "fixedVersion", f->fixed_version);
		json_key_str(w, "layer", f->package->layer);
		json_end_map(w);
	}
	json_end_map(w);
}

/* Results of two targets with one id would overwrite each other on GitHub. */
static struct str automation_id(struct run *run, struct map *ids)
{
	struct arena *a = run->arena;
	struct str id = arena_printf(a, "plimsoll/%s/%.*s/", target_kind_name(run->target->kind),
				     STR_ARG(sarif_relative_uri(a, run->target->name, STR("target"))));
	uint64_t *count = map_put(a, ids, id, NULL);
	*count += 1;
	return *count == 1 ? id : arena_printf(a, "%.*s%llu/", STR_ARG(id), (unsigned long long)*count);
}

static void put_run(struct run *run, struct map *ids)
{
	struct json_writer *w = run->w;
	choose_results(run);
	json_begin_map(w);
	put_driver(run);
	json_key(w, "automationDetails");
	json_begin_map(w);
	put_str(w, "id", automation_id(run, ids));
	json_end_map(w);
	put_invocation(run);
	put_bases(run);
	put_str(w, "columnKind", STR("unicodeCodePoints"));
	json_key(w, "results");
	json_begin_list(w);
	for (size_t i = 0; i < run->results.len; i++)
		put_result(run, run->results.ptr[i]);
	json_end_list(w);
	json_end_map(w);
}

int report_sarif_write(const struct report *r, const struct report_options *o, FILE *out, struct err *err)
{
	(void)o;
	struct arena *ARENA_AUTO a = arena_new();
	struct map ids = { 0 };
	struct json_writer w;
	json_writer_init(&w, out, 2);
	json_begin_map(&w);
	put_str(&w, "$schema", STR("https://json.schemastore.org/sarif-2.1.0.json"));
	put_str(&w, "version", STR("2.1.0"));
	json_key(&w, "runs");
	json_begin_list(&w);
	for (size_t i = 0; i < r->targets.len; i++) {
		struct run run = { .w = &w, .arena = a, .report = r, .target = &r->targets.ptr[i] };
		put_run(&run, &ids);
	}
	json_end_list(&w);
	json_end_map(&w);
	fputc('\n', out);
	return report_written(out, "sarif", err);
}
