/* Names of severities and states: see severity.h. */
#include "model/severity.h"

#include "base/base.h"

static const char *const severity_names[SEVERITY_COUNT] = { "unknown", "info", "low", "medium", "high", "critical" };
static const char *const status_names[STATUS_COUNT] = {
	"", "affected", "not_affected", "will_not_fix", "fix_deferred", "end_of_life", "under_investigation",
};

const char *severity_name(enum severity s)
{
	return (unsigned)s < SEVERITY_COUNT ? severity_names[s] : "unknown";
}

bool severity_parse(struct str name, enum severity *ret)
{
	for (unsigned i = 0; i < SEVERITY_COUNT; i++)
		if (str_eq_nocase(name, str_from(severity_names[i]))) {
			*ret = (enum severity)i;
			return true;
		}
	return false;
}

const char *status_name(enum fix_status s)
{
	return (unsigned)s < STATUS_COUNT ? status_names[s] : "";
}

bool status_parse(struct str name, enum fix_status *ret)
{
	for (unsigned i = 1; i < STATUS_COUNT; i++)
		if (str_eq_nocase(name, str_from(status_names[i]))) {
			*ret = (enum fix_status)i;
			return true;
		}
	return false;
}

enum severity severity_of_cvss(double score)
{
	if (score >= 9.0)
		return SEVERITY_CRITICAL;
	if (score >= 7.0)
		return SEVERITY_HIGH;
	if (score >= 4.0)
		return SEVERITY_MEDIUM;
	return score > 0 ? SEVERITY_LOW : SEVERITY_INFO;
}
