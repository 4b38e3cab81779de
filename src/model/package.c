/* Packages: order, wire form, package URL. See package.h. */
#include "model/package.h"

#include "base/base.h"

static const char *const type_names[PACKAGE_TYPE_COUNT] = { "deb", "opkg", "apk", "rpm" };

const char *package_type_name(enum package_type t)
{
	return (unsigned)t < PACKAGE_TYPE_COUNT ? type_names[t] : "deb";
}

/* Every slice of a package, in wire order. */
#define FIELD_COUNT 9
static void fields_of(struct package *p, struct str *ret[FIELD_COUNT])
{
	struct str *all[FIELD_COUNT] = { &p->name,   &p->version, &p->arch,    &p->source_name, &p->source_version,
		                         &p->vendor, &p->module,  &p->db_path, &p->layer };
	memcpy(ret, all, sizeof(all));
}

void package_encode(struct buf *out, const struct package *p)
{
	struct package copy = *p;
	struct str *field[FIELD_COUNT];
	fields_of(&copy, field);
	buf_byte(out, (uint8_t)p->type);
	buf_byte(out, (uint8_t)p->use);
	for (size_t i = 0; i < FIELD_COUNT; i++)
		buf_str(out, *field[i]);
}

void package_decode(struct reader *r, struct package *ret)
{
	struct str *field[FIELD_COUNT];
	*ret = (struct package){ 0 };
	fields_of(ret, field);
	uint8_t type = read_u8(r);
	uint8_t use = read_u8(r);
	if (type >= PACKAGE_TYPE_COUNT || use > USE_YES)
		r->bad = true;
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		*field[i] = read_str(r);
		if (field[i]->len > PACKAGE_FIELD_MAX)
			r->bad = true;
	}
	if (r->bad) {
		*ret = (struct package){ 0 };
		return;
	}
	ret->type = (enum package_type)type;
	ret->use = (enum package_use)use;
}

int package_cmp(const struct package *a, const struct package *b)
{
	struct package ca = *a, cb = *b;
	struct str *fa[FIELD_COUNT], *fb[FIELD_COUNT];
	fields_of(&ca, fa);
	fields_of(&cb, fb);
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		int c = str_cmp(*fa[i], *fb[i]);
		if (c != 0)
			return c;
	}
	return (int)a->type - (int)b->type;
}

/* Percent-encoding of purl-spec: letters, digits, ".-_~" and ":" stay. */
static void put_encoded(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		if (ascii_alnum(c) || c == '.' || c == '-' || c == '_' || c == '~')
			buf_byte(out, (uint8_t)c);
		else
			buf_printf(out, "%%%02X", (unsigned)(unsigned char)c);
	}
}

static void put_qualifier(struct buf *out, char *sep, const char *key, struct str value, struct str value2)
{
	if (value.len == 0)
		return;
	buf_printf(out, "%c%s=", *sep, key);
	put_encoded(out, value);
	if (value2.len) {
		buf_put(out, STR("-"));
		put_encoded(out, value2);
	}
	*sep = '&';
}

struct str package_purl(struct arena *a, const struct package *p, struct str os_id, struct str os_version)
{
	struct buf BUF_AUTO out = { 0 };
	buf_init(&out, 8 * PACKAGE_FIELD_MAX * 3);
	struct str version = p->version;
	struct str epoch = { 0 };
	if (p->type == PACKAGE_RPM && str_find(version, ':') >= 0)
		(void)str_cut(&version, ':', &epoch);
	buf_printf(&out, "pkg:%s/", type_names[p->type]);
	if (os_id.len) {
		put_encoded(&out, str_lower(a, os_id));
		buf_put(&out, STR("/"));
	}
	put_encoded(&out, p->type == PACKAGE_RPM ? p->name : str_lower(a, p->name));
	buf_put(&out, STR("@"));
	put_encoded(&out, version);
	char sep = '?';
	put_qualifier(&out, &sep, "arch", p->arch, (struct str){ 0 });
	put_qualifier(&out, &sep, "distro", os_id, os_version);
	put_qualifier(&out, &sep, "epoch", epoch, (struct str){ 0 });
	if (!str_eq(p->source_name, p->name) || !str_eq(p->source_version, p->version)) {
		struct str source = arena_printf(a, "%.*s@%.*s", STR_ARG(p->source_name), STR_ARG(p->source_version));
		put_qualifier(&out, &sep, "upstream", source, (struct str){ 0 });
	}
	return str_dup(a, buf_view(&out));
}
