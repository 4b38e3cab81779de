/* AWS Security Finding Format (schema 2018-10-08) as a list of findings for BatchImportFindings, which takes 100 at a time.
 * Region and account are AWS_REGION and AWS_ACCOUNT_ID of the environment, as in the template that Trivy ships; the product
 * is the account's own default one. Lengths are those that the format allows. */
#include "report/markup.h"

#include "base/base.h"
#include "base/json.h"

struct aws {
	struct str region, account;
};

static void put_str(struct json_writer *w, const char *key, struct str s)
{
	json_key(w, key);
	json_str(w, s);
}

static struct str label(enum severity s)
{
	static const struct str words[SEVERITY_COUNT] = { STR_INIT("HIGH"),   STR_INIT("INFORMATIONAL"), STR_INIT("LOW"),
		                                          STR_INIT("MEDIUM"), STR_INIT("HIGH"),          STR_INIT("CRITICAL") };
	return (unsigned)s < SEVERITY_COUNT ? words[s] : words[0]; /* not rated counts as high, as at the gate */
}

static void put_remediation(struct json_writer *w, struct arena *a, const struct finding *f)
{
	struct str url = report_finding_url(a, f);
	struct str text = f->fix_text.len ? brief(a, f->fix_text, 500) : STR("No fixed version is known");
	json_key(w, "Remediation");
	json_begin_map(w);
	json_key(w, "Recommendation");
	json_begin_map(w);
	put_str(w, "Text", text);
	json_key_str(w, "Url", url.len <= 512 ? url : (struct str){ 0 });
	json_end_map(w);
	json_end_map(w);
}

static void put_resource(struct json_writer *w, struct arena *a, const struct aws *aws, const struct target *t,
                         const struct finding *f)
{
	bool image = t->kind == TARGET_IMAGE || t->kind == TARGET_CONTAINER;
	struct str name = brief(a, t->name, 500);
	json_key(w, "Resources");
	json_begin_list(w);
	json_begin_map(w);
	put_str(w, "Type", image ? STR("Container") : STR("Other"));
	put_str(w, "Id", name.len ? name : STR("unknown"));
	put_str(w, "Partition", STR("aws"));
	put_str(w, "Region", aws->region);
	json_key(w, "Details");
	json_begin_map(w);
	if (image) {
		json_key(w, "Container");
		json_begin_map(w);
		put_str(w, "ImageName", name);
		json_key_str(w, "ImageId", t->image.id);
		json_end_map(w);
	}
	json_key(w, "Other");
	json_begin_map(w);
	put_str(w, "CVE ID", brief(a, f->id, 1000));
	put_str(w, "PkgName", brief(a, finding_place(f), 1000));
	if (f->package)
		put_str(w, "Installed Package", brief(a, f->package->version, 1000));
	put_str(w, "Patched Package", brief(a, f->fixed_version, 1000));
	if (f->cvss_vector.len)
		put_str(w, "CVSS", brief(a, f->cvss_vector, 1000));
	json_end_map(w);
	json_end_map(w);
	json_end_map(w);
	json_end_list(w);
}

static void put_finding(struct json_writer *w, struct arena *a, const struct aws *aws, const struct report *r,
                        const struct target *t, const struct finding *f)
{
	struct str place = finding_place(f), when = arena_printf(a, "%.*sZ", STR_ARG(time_moved(a, r->started, 0)));
	const struct str parts[] = { t->name, f->id, place, f->package ? f->package->version : f->location.path,
		                     f->package ? f->package->arch : f->subject };
	struct str description = brief(a, f->evidence.len ? f->evidence : f->title, 1000);
	struct str title = brief(a, arena_printf(a, "%.*s: %.*s in %.*s", STR_ARG(f->id), STR_ARG(place), STR_ARG(t->name)), 250);
	json_begin_map(w);
	put_str(w, "SchemaVersion", STR("2018-10-08"));
	put_str(w, "Id", arena_printf(a, "plimsoll/%.*s", STR_ARG(hash_of(a, parts, COUNT_OF(parts)))));
	put_str(w, "ProductArn", arena_printf(a, "arn:aws:securityhub:%.*s:%.*s:product/%.*s/default", STR_ARG(aws->region),
	                                      STR_ARG(aws->account), STR_ARG(aws->account)));
	put_str(w, "GeneratorId", STR("Plimsoll"));
	put_str(w, "AwsAccountId", aws->account);
	json_key(w, "Types");
	json_begin_list(w);
	json_str(w, f->kind == FINDING_VULNERABILITY ? STR("Software and Configuration Checks/Vulnerabilities/CVE")
	                                             : STR("Software and Configuration Checks"));
	json_end_list(w);
	put_str(w, "CreatedAt", when);
	put_str(w, "UpdatedAt", when);
	json_key(w, "Severity");
	json_begin_map(w);
	put_str(w, "Label", label(f->severity));
	json_end_map(w);
	put_str(w, "Title", title);
	put_str(w, "Description", description.len ? description : STR("No more is known"));
	put_remediation(w, a, f);
	json_key(w, "ProductFields");
	json_begin_map(w);
	put_str(w, "Product Name", STR("Plimsoll"));
	json_end_map(w);
	put_resource(w, a, aws, t, f);
	put_str(w, "RecordState", STR("ACTIVE"));
	json_end_map(w);
}

int report_asff_write(const struct report *r, const struct report_options *o, FILE *out, struct err *err)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct aws aws = { str_from(getenv("AWS_REGION")), str_from(getenv("AWS_ACCOUNT_ID")) };
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
				put_finding(&w, scratch, &aws, r, &r->targets.ptr[i], refs.ptr[k]);
		}
	}
	json_end_list(&w);
	fputc('\n', out);
	return report_written(out, "asff", err);
}
