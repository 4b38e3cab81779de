/* Where every package parser puts what it found: checks a package, copies it into the arena, and counts what is no
 * package. Text that repeats from one package to the next (architecture, vendor, source) is kept once. */
#include "package/formats.h"

#include "base/base.h"

#include <stdarg.h>

void package_sink_bad(struct package_sink *s, const char *format, ...)
{
	s->bad_records++;
	if (s->diagnostic_count == DIAGNOSTICS_WORDED_MAX)
		return;
	char text[256];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n < 0)
		return;
	size_t len = (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			text[i] = '?';
	s->diagnostics[s->diagnostic_count++] = str_dup(s->arena, (struct str){ text, len });
}

static bool printable(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f)
			return false;
	return true;
}

/* What is wrong with a package, or NULL. */
static const char *fault(const struct package *p)
{
	const struct str all[] = { p->name,   p->version, p->arch,    p->source_name, p->source_version,
		                   p->vendor, p->module,  p->db_path, p->layer };
	for (size_t i = 0; i < COUNT_OF(all); i++)
		if (all[i].len > PACKAGE_FIELD_MAX)
			return "a field is longer than PACKAGE_FIELD_MAX";
	if (p->name.len == 0)
		return "no name";
	if (p->version.len == 0)
		return "no version";
	for (size_t i = 0; i < 5; i++)
		if (!printable(all[i]))
			return "control characters";
	return NULL;
}

/* A copy of s, or `old` (which is in the arena already) where that says the same. */
static struct str keep(struct package_sink *s, struct str text, struct str old)
{
	if (str_eq(text, old))
		return old;
	return str_dup(s->arena, text);
}

int package_sink_add(struct package_sink *s, const struct package *p, struct err *err)
{
	const char *wrong = fault(p);
	if (wrong) {
		struct str name = str_sub(p->name, 0, 64), version = str_sub(p->version, 0, 64);
		package_sink_bad(s, "package \"%.*s\" \"%.*s\": %s", STR_ARG(name), STR_ARG(version), wrong);
		return 0;
	}
	if (s->list.len >= PACKAGES_MAX)
		return err_set(err, ERR_LIMIT, "more than PACKAGES_MAX packages");
	struct package last = s->list.len ? s->list.ptr[s->list.len - 1] : (struct package){ 0 };
	struct package *q = vec_push(s->arena, &s->list);
	q->type = p->type;
	q->use = p->use;
	q->name = str_dup(s->arena, p->name);
	q->version = keep(s, p->version, last.version);
	q->arch = keep(s, p->arch, last.arch);
	q->source_name = p->source_name.len ? keep(s, p->source_name, last.source_name) : q->name;
	q->source_version = p->source_version.len ? keep(s, p->source_version, q->version) : q->version;
	q->vendor = keep(s, p->vendor, last.vendor);
	q->module = keep(s, p->module, last.module);
	q->db_path = keep(s, p->db_path, last.db_path);
	q->layer = keep(s, p->layer, last.layer);
	return 0;
}
