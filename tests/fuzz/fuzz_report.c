/* Reports of names that an attacker chose: the input's lines become package names, versions, ids and reasons. Whatever
 * they are, no format writes a control character or broken UTF-8, and JSON formats parse. */
#include "base/base.h"
#include "base/json.h"
#include "report/formats.h"
#include "report/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct str next_field(struct str *rest)
{
	struct str field = { 0 };
	if (!str_cut(rest, '\n', &field))
		return (struct str){ 0 };
	return str_sub(field, 0, 512);
}

static void fill(struct arena *a, struct report *r, struct str rest)
{
	struct target *t = vec_push(a, &r->targets);
	t->name = next_field(&rest);
	t->os.id = next_field(&rest);
	t->os.name = next_field(&rest);
	r->sandbox = next_field(&rest);
	r->summary.gate.asked = next_field(&rest);
	r->summary.gate.by = next_field(&rest);
	r->database.present = true;
	t->packages.ptr = arena_array(a, 16, sizeof(*t->packages.ptr));
	while (rest.len && t->packages.len < 16) {
		struct package *p = &t->packages.ptr[t->packages.len++];
		p->type = (enum package_type)(rest.len % PACKAGE_TYPE_COUNT);
		p->name = p->source_name = next_field(&rest);
		p->version = p->source_version = next_field(&rest);
		p->db_path = next_field(&rest);
		struct finding *f = vec_push(a, &t->findings);
		*f = (struct finding){ .id = next_field(&rest),
				       .title = next_field(&rest),
				       .fixed_version = next_field(&rest),
				       .package = p,
				       .cvss_score = -1,
				       .epss = -1,
				       .severity = (enum severity)(rest.len % SEVERITY_COUNT) };
		f->evidence = next_field(&rest);
		*vec_push(a, &f->references) = f->evidence;
		f->suppressed.by = next_field(&rest);
		f->suppressed.reason = f->title;
		struct upgrade *u = vec_push(a, &t->upgrades);
		*u = (struct upgrade){ .package = p->name, .from = p->version, .to = f->fixed_version, .removes = 1 };
		*vec_push(a, &u->binaries) = p->name;
		*vec_push(a, &t->not_assessed) = (struct not_assessed){ .what = f->title, .reason = f->id };
	}
}

static void check(struct str text, bool json)
{
	for (size_t i = 0, n; i < text.len; i += n) {
		uint32_t code = text_decode(str_sub(text, i, text.len), &n);
		if (code == UINT32_MAX || (code < 0x20 && code != '\n') || (code >= 0x7f && code < 0xa0))
			abort();
	}
	struct arena *ARENA_AUTO a = arena_new();
	struct value *v;
	if (json && json_parse(a, text, &v, NULL) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct report r = { 0 };
	if (size < 2)
		return 0;
	struct report_options o = {
		.list_all_pkgs = true, .show_suppressed = data[0] & 1, .verbose = data[0] & 2, .width = 60 + data[1]
	};
	o.template = STR("{{ range . }}{{ .Target | printf \"%q\" }}{{ range .Vulnerabilities }}{{ .PkgName | printf \"%q\" }}{{ .Title | escapeXML "
	                 "| printf \"%q\" }}{{ end }}{{ end }}");
	fill(a, &r, (struct str){ (const char *)data + 2, size - 2 });
	for (size_t i = 0; i < report_format_count; i++) {
		char *text = NULL;
		size_t len = 0;
		FILE *out = open_memstream(&text, &len);
		if (!out || report_formats[i].write(&r, &o, out, NULL) != 0)
			abort();
		fclose(out);
		const char *name = report_formats[i].name;
		bool json = !strstr("table junit csv markdown html template", name);
		check((struct str){ text, len }, json);
		free(text);
	}
	return 0;
}
