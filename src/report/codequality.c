/* GitLab's code quality report (a list of Code Climate issues): what merge requests show beside the code. The path is the
 * target, as a relative one: an image has no file in the repository. */
#include "report/markup.h"

#include "base/base.h"
#include "base/json.h"
#include "report/sarif.h"

static void put_str(struct json_writer *w, const char *key, struct str s)
{
	json_key(w, key);
	json_str(w, s);
}

/* What nobody has rated is not harmless. */
static struct str severity_word(enum severity s)
{
	static const struct str words[SEVERITY_COUNT] = { STR_INIT("major"), STR_INIT("info"),  STR_INIT("info"),
		                                          STR_INIT("minor"), STR_INIT("major"), STR_INIT("critical") };
	return (unsigned)s < SEVERITY_COUNT ? words[s] : words[0];
}

static void put_issue(struct json_writer *w, struct arena *a, const struct target *t, const struct finding *f)
{
	const struct package *p = f->package;
	struct str place = finding_place(f), version = p ? p->version : (struct str){ 0 };
	const struct str parts[] = { t->name, f->id, place, version, p ? p->arch : f->location.path };
	struct str text = arena_printf(a, "%.*s - %.*s%s%.*s - %.*s", STR_ARG(f->id), STR_ARG(place), version.len ? " " : "",
	                               STR_ARG(version), STR_ARG(f->title));
	json_begin_map(w);
	put_str(w, "type", STR("issue"));
	put_str(w, "check_name", f->kind == FINDING_VULNERABILITY ? STR("container_scanning") : str_from(finding_kind_name(f->kind)));
	put_str(w, "description", brief(a, text, 2000));
	json_key(w, "categories");
	json_begin_list(w);
	json_str(w, STR("Security"));
	json_end_list(w);
	put_str(w, "severity", severity_word(f->severity));
	put_str(w, "fingerprint", hash_of(a, parts, COUNT_OF(parts)));
	json_key(w, "location");
	json_begin_map(w);
	put_str(w, "path", sarif_relative_uri(a, f->location.path.len ? f->location.path : t->name, STR("target")));
	json_key(w, "lines");
	json_begin_map(w);
	json_key(w, "begin");
	json_int(w, f->location.line ? f->location.line : 1);
	json_end_map(w);
	json_end_map(w);
	json_end_map(w);
}

int report_codequality_write(const struct report *r, const struct report_options *o, FILE *out, struct err *err)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct json_writer w;
	(void)o;
	json_writer_init(&w, out, 2);
	json_begin_list(&w);
	for (size_t i = 0; i < r->targets.len; i++) {
		struct finding_refs refs;
		order_findings(a, &r->targets.ptr[i], &refs);
		for (size_t k = 0; k < refs.len; k++) {
			struct arena *ARENA_AUTO scratch = arena_new();
			if (finding_is_shown(refs.ptr[k]))
				put_issue(&w, scratch, &r->targets.ptr[i], refs.ptr[k]);
		}
	}
	json_end_list(&w);
	fputc('\n', out);
	return report_written(out, "gitlab-codequality", err);
}
