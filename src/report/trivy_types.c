/* Go's types of Trivy's results (0.76), as templates see them: every field that a template may ask for, also those that
 * Plimsoll leaves empty. A field that is missing here is an error in a template, so the lists are whole. */
#include "report/trivy.h"

#include "base/base.h"

#define S(field) { .name = (field), .kind = TV_STRING }
#define I(field) { .name = (field), .kind = TV_INT }
#define B(field) { .name = (field), .kind = TV_BOOL }
#define F(field) { .name = (field), .kind = TV_FLOAT }
#define STRINGS(field) { .name = (field), .kind = TV_LIST, .item = TV_STRING }
#define LIST(field, of) { .name = (field), .kind = TV_LIST, .item = TV_STRUCT, .type = &(of) }
#define STRUCT(field, of) { .name = (field), .kind = TV_STRUCT, .type = &(of) }
#define POINTER(field, of) { .name = (field), .kind = TV_STRUCT, .type = &(of), .pointer = true }
#define EMBEDDED(field, of) { .name = (field), .kind = TV_STRUCT, .type = &(of), .embedded = true }
#define ANY(field) { .name = (field), .kind = TV_NONE }
#define TYPE(id, go, fields) static const struct tv_type id = { go, fields, COUNT_OF(fields) }

static const struct tv_field layer_fields[] = { S("Size"), S("Digest"), S("DiffID"), S("CreatedBy") };
TYPE(layer, "types.Layer", layer_fields);

static const struct tv_field identifier_fields[] = { S("UID"), S("PURL"), S("BOMRef") };
TYPE(identifier, "types.PkgIdentifier", identifier_fields);

static const struct tv_field source_fields[] = { S("ID"), S("Name"), S("URL"), S("BaseID") };
TYPE(source, "types.DataSource", source_fields);

static const struct tv_field cvss_fields[] = { S("V2Vector"), S("V3Vector"), S("V40Vector"), F("V2Score"), F("V3Score"), F("V40Score") };
TYPE(cvss, "types.CVSS", cvss_fields);

static const struct tv_field vulnerability_fields[] = {
	S("Title"), S("Description"), S("Severity"), STRINGS("CweIDs"),
	{ .name = "VendorSeverity", .kind = TV_MAP, .item = TV_INT },
	{ .name = "CVSS", .kind = TV_MAP, .item = TV_STRUCT, .type = &cvss },
	STRINGS("References"), ANY("PublishedDate"), ANY("LastModifiedDate"), ANY("Custom"),
};
TYPE(vulnerability, "types.Vulnerability", vulnerability_fields);

static const struct tv_field detected_fields[] = {
	S("VulnerabilityID"), STRINGS("VendorIDs"), S("PkgID"), S("PkgName"), S("PkgPath"), STRUCT("PkgIdentifier", identifier),
	S("InstalledVersion"), S("FixedVersion"), S("Status"), STRUCT("Layer", layer), S("SeveritySource"), S("PrimaryURL"),
	POINTER("DataSource", source), S("Fingerprint"), ANY("Custom"), EMBEDDED("Vulnerability", vulnerability),
};
TYPE(detected, "types.DetectedVulnerability", detected_fields);

static const struct tv_field location_fields[] = { I("StartLine"), I("EndLine") };
TYPE(location, "types.Location", location_fields);

static const struct tv_field repository_fields[] = { S("Class") };
TYPE(repository, "types.PackageRepository", repository_fields);

static const struct tv_field package_fields[] = {
	S("ID"), S("Name"), STRUCT("Identifier", identifier), S("Version"), S("Release"), I("Epoch"), S("Arch"), B("Dev"),
	S("SrcName"), S("SrcVersion"), S("SrcRelease"), I("SrcEpoch"), STRINGS("Licenses"), S("Maintainer"),
	S("Modularitylabel"), ANY("BuildInfo"), STRUCT("Repository", repository), B("Indirect"), S("Relationship"),
	STRINGS("DependsOn"), STRUCT("Layer", layer), S("FilePath"), S("Digest"), LIST("Locations", location),
	STRINGS("InstalledFiles"), S("AnalyzedBy"),
};
TYPE(package, "types.Package", package_fields);

static const struct tv_field line_fields[] = {
	I("Number"), S("Content"), B("IsCause"), S("Annotation"), B("Truncated"), S("Highlighted"), B("FirstCause"), B("LastCause"),
};
TYPE(line, "types.Line", line_fields);

static const struct tv_field code_fields[] = { LIST("Lines", line) };
TYPE(code, "types.Code", code_fields);

static const struct tv_field cause_fields[] = {
	S("Resource"), S("Provider"), S("Service"), I("StartLine"), I("EndLine"), STRUCT("Code", code),
	ANY("Occurrences"), ANY("RenderedCause"),
};
TYPE(cause, "types.CauseMetadata", cause_fields);

/* Older templates call the cause IacMetadata. */
static const struct tv_field misconfiguration_fields[] = {
	S("Type"), S("ID"), S("AVDID"), S("Title"), S("Description"), S("Message"), S("Namespace"), S("Query"), S("Resolution"),
	S("Severity"), S("PrimaryURL"), STRINGS("References"), S("Status"), STRUCT("Layer", layer), STRUCT("CauseMetadata", cause),
	STRINGS("Traces"),
	{ .name = "IacMetadata", .key = "CauseMetadata", .kind = TV_STRUCT, .type = &cause },
};
TYPE(misconfiguration, "types.DetectedMisconfiguration", misconfiguration_fields);

static const struct tv_field misconf_summary_fields[] = { I("Successes"), I("Failures"), I("Exceptions") };
TYPE(misconf_summary, "types.MisconfSummary", misconf_summary_fields);

static const struct tv_field secret_fields[] = {
	S("RuleID"), S("Category"), S("Severity"), S("Title"), I("StartLine"), I("EndLine"), STRUCT("Code", code), S("Match"),
	STRUCT("Layer", layer), I("Offset"), B("Deleted"),
};
TYPE(secret, "types.DetectedSecret", secret_fields);

static const struct tv_field license_fields[] = {
	S("Severity"), S("Category"), S("PkgName"), S("FilePath"), S("Name"), S("Text"), F("Confidence"), S("Link"),
};
TYPE(license, "types.DetectedLicense", license_fields);

static const struct tv_field custom_fields[] = { S("Type"), S("FilePath"), STRUCT("Layer", layer), ANY("Data") };
TYPE(custom, "types.CustomResource", custom_fields);

static const struct tv_field modified_fields[] = { S("Type"), S("Status"), S("Statement"), S("Source"), ANY("Finding") };
TYPE(modified, "types.ModifiedFinding", modified_fields);

static const struct tv_field result_fields[] = {
	S("Target"), S("Class"), S("Type"), LIST("Packages", package), LIST("Vulnerabilities", detected),
	POINTER("MisconfSummary", misconf_summary), LIST("Misconfigurations", misconfiguration), LIST("Secrets", secret),
	LIST("Licenses", license), LIST("CustomResources", custom),
	{ .name = "ModifiedFindings", .key = "ExperimentalModifiedFindings", .kind = TV_LIST, .item = TV_STRUCT, .type = &modified },
};
TYPE(result, "types.Result", result_fields);

const struct tv_field trivy_results_shape = LIST("Results", result);
