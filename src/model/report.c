/* Names of the report's kinds: see report.h. */
#include "model/report.h"

#include "base/base.h"

static const char *const finding_kinds[] = { "vulnerability", "secret", "config", "file", "license", "malware",
	                                     "provenance" };
static const char *const target_kinds[] = { "image",     "fs",      "sbom",    "dockerfile", "compose", "kubernetes",
	                                    "engine",    "container", "network", "host",       "cluster" };

const char *finding_kind_name(enum finding_kind k)
{
	return (unsigned)k < COUNT_OF(finding_kinds) ? finding_kinds[k] : "config";
}

const char *target_kind_name(enum target_kind k)
{
	return (unsigned)k < COUNT_OF(target_kinds) ? target_kinds[k] : "fs";
}
