/* CycloneDX 1.6 JSON: every package of every target as a component, always (an SBOM that leaves some out is none), and
 * the findings as vulnerabilities. What was ignored is there with its analysis; what was not assessed makes the
 * composition incomplete and is named in the metadata. One document for all targets: with one target that is the
 * subject of the document, with several each is a component that depends on its packages.
 * Must never give two things one bom-ref. The serial number follows from what was scanned and when, so that the same
 * report always gives the same bytes. */
#include "report/cyclonedx.h"

#include "base/base.h"
#include "base/hash.h"
#include "report/formats.h"
#include "report/text.h"

void cdx_str(struct json_writer *w, const char *key, struct str s)
{
	json_key(w, key);
	json_str(w, s);
}

void cdx_property(struct json_writer *w, const char *name, struct str value)
{
	if (value.len == 0)
		return;
	json_begin_map(w);
	cdx_str(w, "name", str_from(name));
	cdx_str(w, "value", value);
	json_end_map(w);
}

struct str cdx_unique_ref(struct cdx *c, struct str wanted)
{
	bool fresh;
	uint64_t *last = map_put(c->arena, &c->refs, wanted, &fresh);
	if (fresh) {
		*last = 1;
		return wanted;
	}
	struct str ref;
	uint64_t n = *last;
	do {
		ref = arena_printf(c->arena, "%.*s#%llu", STR_ARG(wanted), (unsigned long long)++n);
		(void)map_put(c->arena, &c->refs, ref, &fresh);
	} while (!fresh);
	*map_get(&c->refs, wanted) = n;
	return ref;
}

struct str cdx_ref_of(const struct cdx_target *ct, const struct package *p)
{
	size_t low = 0, high = ct->target->packages.len;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (package_cmp(ct->packages[mid], p) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	bool found = low < ct->target->packages.len && package_cmp(ct->packages[low], p) == 0;
	return found ? ct->refs[low] : (struct str){ 0 };
}

static void make_refs(struct cdx *c)
{
	const struct report *r = c->report;
	c->targets = arena_array(c->arena, r->targets.len, sizeof(*c->targets));
	for (size_t i = 0; i < r->targets.len; i++) {
		const struct target *t = &r->targets.ptr[i];
		struct cdx_target *ct = &c->targets[i];
		ct->target = t;
		ct->ref =
		    cdx_unique_ref(c, arena_printf(c->arena, "%s:%.*s", target_kind_name(t->kind),
						   STR_ARG(text_clean(c->arena, t->digest.len ? t->digest : t->name))));
		if (t->os.id.len)
			ct->os_ref = cdx_unique_ref(c, arena_printf(c->arena, "os:%.*s@%.*s",
								    STR_ARG(text_clean(c->arena, t->os.id)),
								    STR_ARG(text_clean(c->arena, t->os.version))));
		ct->packages = order_packages(c->arena, t);
		ct->refs = arena_array(c->arena, t->packages.len, sizeof(*ct->refs));
		for (size_t k = 0; k < t->packages.len; k++)
			ct->refs[k] =
			    cdx_unique_ref(c, package_purl(c->arena, ct->packages[k], t->os.id, t->os.version));
	}
}

static void put_target_component(struct cdx *c, const struct cdx_target *ct)
{
	struct json_writer *w = c->w;
	const struct target *t = ct->target;
	json_begin_map(w);
	cdx_str(w, "type",
		t->kind == TARGET_IMAGE || t->kind == TARGET_CONTAINER ? STR("container") : STR("operating-system"));
	cdx_str(w, "bom-ref", ct->ref);
	cdx_str(w, "name", t->name);
	json_key_str(w, "version", t->digest);
	json_key(w, "properties");
	json_begin_list(w);
	cdx_property(w, "plimsoll:kind", str_from(target_kind_name(t->kind)));
	cdx_property(w, "plimsoll:platform", t->platform);
	for (size_t i = 0; i < t->layers.len; i++)
		cdx_property(w, "plimsoll:layer:diff_id", t->layers.ptr[i].diff_id);
	for (size_t i = 0; i < t->not_assessed.len; i++) {
		const struct not_assessed *n = &t->not_assessed.ptr[i];
		struct str reason = report_reason(c->arena, n);
		cdx_property(w, "plimsoll:not_assessed",
			     arena_printf(c->arena, "%.*s: %.*s", STR_ARG(text_clean(c->arena, n->what)),
					  STR_ARG(text_clean(c->arena, reason))));
	}
	json_end_list(w);
	json_end_map(w);
}

/* A version 8 UUID (RFC 9562, 5.8): 122 bits of a SHA-256 over what was scanned and when. */
static struct str serial_number(struct cdx *c)
{
	const struct report *r = c->report;
	struct hasher *h = hasher_new();
	const struct str parts[] = { r->tool_version, r->started, r->database.built };
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		hasher_add(h, parts[i].ptr, parts[i].len);
		hasher_add(h, "", 1);
	}
	for (size_t i = 0; i < r->targets.len; i++) {
		const struct target *t = &r->targets.ptr[i];
		hasher_add(h, t->name.ptr, t->name.len);
		hasher_add(h, "", 1);
		hasher_add(h, t->digest.ptr, t->digest.len);
		hasher_add(h, "", 1);
	}
	struct sha256 digest = hasher_take(h);
	hasher_free(h);
	digest.bytes[6] = (uint8_t)(0x80 | (digest.bytes[6] & 0x0f));
	digest.bytes[8] = (uint8_t)(0x80 | (digest.bytes[8] & 0x3f));
	char text[DIGEST_TEXT_LEN + 1];
	const char *hex = sha256_text(&digest, text).ptr + 7;
	return arena_printf(c->arena, "urn:uuid:%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

static void put_metadata(struct cdx *c)
{
	struct json_writer *w = c->w;
	const struct report *r = c->report;
	json_key(w, "metadata");
	json_begin_map(w);
	json_key_str(w, "timestamp", r->started);
	json_key(w, "tools");
	json_begin_map(w);
	json_key(w, "components");
	json_begin_list(w);
	json_begin_map(w);
	cdx_str(w, "type", STR("application"));
	cdx_str(w, "name", STR("plimsoll"));
	cdx_str(w, "version", r->tool_version);
	json_end_map(w);
	json_end_list(w);
	json_end_map(w);
	if (r->targets.len == 1) {
		json_key(w, "component");
		put_target_component(c, &c->targets[0]);
	}
	json_key(w, "properties");
	json_begin_list(w);
	cdx_property(w, "plimsoll:sandbox", r->sandbox);
	if (r->database.present)
		cdx_property(w, "plimsoll:database:built", r->database.built);
	json_end_list(w);
	json_end_map(w);
}

static void put_os_component(struct cdx *c, const struct cdx_target *ct)
{
	struct json_writer *w = c->w;
	const struct os *os = &ct->target->os;
	if (ct->os_ref.len == 0)
		return;
	json_begin_map(w);
	cdx_str(w, "type", STR("operating-system"));
	cdx_str(w, "bom-ref", ct->os_ref);
	cdx_str(w, "name", os->id);
	json_key_str(w, "version", os->version);
	json_key_str(w, "description", os->name);
	json_end_map(w);
}

static void put_package_component(struct cdx *c, const struct cdx_target *ct, size_t index)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct json_writer *w = c->w;
	const struct package *p = ct->packages[index];
	const struct os *os = &ct->target->os;
	json_begin_map(w);
	cdx_str(w, "type", STR("library"));
	cdx_str(w, "bom-ref", ct->refs[index]);
	if (p->vendor.len) {
		json_key(w, "supplier");
		json_begin_map(w);
		cdx_str(w, "name", p->vendor);
		json_end_map(w);
	}
	cdx_str(w, "name", p->name);
	cdx_str(w, "version", p->version);
	cdx_str(w, "purl", package_purl(a, p, os->id, os->version));
	json_key(w, "properties");
	json_begin_list(w);
	cdx_property(w, "plimsoll:type", str_from(package_type_name(p->type)));
	cdx_property(w, "plimsoll:arch", p->arch);
	cdx_property(w, "plimsoll:source:name", p->source_name);
	cdx_property(w, "plimsoll:source:version", p->source_version);
	cdx_property(w, "plimsoll:module", p->module);
	cdx_property(w, "plimsoll:path", p->db_path);
	cdx_property(w, "plimsoll:layer", p->layer);
	json_end_list(w);
	json_end_map(w);
}

static void put_components(struct cdx *c)
{
	struct json_writer *w = c->w;
	json_key(w, "components");
	json_begin_list(w);
	for (size_t i = 0; i < c->report->targets.len; i++) {
		const struct cdx_target *ct = &c->targets[i];
		if (c->report->targets.len > 1)
			put_target_component(c, ct);
		put_os_component(c, ct);
		for (size_t k = 0; k < ct->target->packages.len; k++)
			put_package_component(c, ct, k);
	}
	json_end_list(w);
}

/* What each target holds. What a package depends on is not known, so nothing is said of it. */
static void put_dependencies(struct cdx *c)
{
	struct json_writer *w = c->w;
	json_key(w, "dependencies");
	json_begin_list(w);
	for (size_t i = 0; i < c->report->targets.len; i++) {
		const struct cdx_target *ct = &c->targets[i];
		json_begin_map(w);
		cdx_str(w, "ref", ct->ref);
		json_key(w, "dependsOn");
		json_begin_list(w);
		if (ct->os_ref.len)
			json_str(w, ct->os_ref);
		for (size_t k = 0; k < ct->target->packages.len; k++)
			json_str(w, ct->refs[k]);
		json_end_list(w);
		json_end_map(w);
	}
	json_end_list(w);
}

static void put_compositions(struct cdx *c)
{
	struct json_writer *w = c->w;
	json_key(w, "compositions");
	json_begin_list(w);
	for (size_t i = 0; i < c->report->targets.len; i++) {
		const struct cdx_target *ct = &c->targets[i];
		json_begin_map(w);
		cdx_str(w, "aggregate", ct->target->not_assessed.len ? STR("incomplete") : STR("unknown"));
		json_key(w, "assemblies");
		json_begin_list(w);
		json_str(w, ct->ref);
		json_end_list(w);
		json_end_map(w);
	}
	json_end_list(w);
}

int report_cyclonedx_write(const struct report *r, const struct report_options *o, FILE *out, struct err *err)
{
	(void)o;
	struct arena *ARENA_AUTO a = arena_new();
	struct json_writer w;
	struct cdx c = { .w = &w, .arena = a, .report = r };
	make_refs(&c);
	json_writer_init(&w, out, 2);
	json_begin_map(&w);
	cdx_str(&w, "$schema", STR("http://cyclonedx.org/schema/bom-1.6.schema.json"));
	cdx_str(&w, "bomFormat", STR("CycloneDX"));
	cdx_str(&w, "specVersion", STR("1.6"));
	cdx_str(&w, "serialNumber", serial_number(&c));
	json_key(&w, "version");
	json_int(&w, 1);
	put_metadata(&c);
	put_components(&c);
	put_dependencies(&c);
	put_compositions(&c);
	cdx_put_vulnerabilities(&c);
	json_end_map(&w);
	fputc('\n', out);
	return report_written(out, "cyclonedx", err);
}
