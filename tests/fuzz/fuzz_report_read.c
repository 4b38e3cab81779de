/* Stored reports that anybody wrote: read or refused, and what was read can be judged and rendered. */
#include "base/base.h"
#include "base/json.h"
#include "match/match.h"
#include "policy/policy.h"
#include "report/formats.h"
#include "report/read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct value *v;
	struct report r;
	struct policy policy;
	struct report_options o = { .list_all_pkgs = true, .show_suppressed = true, .template = STR("{{ len . }}") };
	if (size > 65536 || json_parse(a, (struct str){ (const char *)data, size }, &v, NULL) < 0 || report_read(a, v, &r, NULL) < 0)
		return 0;
	policy_init(&policy);
	policy_apply(a, &policy, STR("2026-11-24"), &r);
	for (size_t i = 0; i < r.targets.len; i++)
		match_upgrades(a, &r.targets.ptr[i], &r.targets.ptr[i].upgrades);
	for (size_t i = 0; i < report_format_count; i++) {
		FILE *out = fopen("/dev/null", "w");
		if (!out)
			return 0;
		if (report_formats[i].write(&r, &o, out, NULL) != 0)
			abort();
		fclose(out);
	}
	return 0;
}
