/* Templates that anybody wrote, over a small report: whatever they are, they end, within their caps. Lists of a million items
 * and loops over them are left to the unit test: a fuzzer would find nothing else. */
#include "base/base.h"
#include "base/json.h"
#include "report/trivy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char document[] = "[{\"Target\":\"a (debian 12)\",\"Type\":\"debian\",\"Vulnerabilities\":[{\"VulnerabilityID\":\"CVE-1\","
                               "\"Title\":\"t <&> \\u00e9\",\"CVSS\":{\"nvd\":{\"V3Score\":9.8}},\"References\":[\"https://a\"]}]}]";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct str text = { (const char *)data, size };
	struct template_env env = { .app_version = STR("1"), .terminal = size & 1 };
	struct template *t;
	struct value *v;
	if (size > 4096 || str_contains(text, STR("until")) || str_contains(text, STR("repeat")) || str_contains(text, STR("range 1")) ||
	    template_parse(a, text, &t, NULL) < 0 || json_parse(a, str_from(document), &v, NULL) < 0)
		return 0;
	FILE *out = fopen("/dev/null", "w");
	if (!out)
		return 0;
	(void)template_run(a, t, template_value(a, v, &trivy_results_shape), &env, out, NULL);
	fclose(out);
	return 0;
}
