/* dpkg's status file, the one-package files of status.d (distroless, Bazel) and opkg's status, which is the same form:
 * stanzas of "Field: value" parted by empty lines, continuation lines begin with a blank (deb822(5)).
 *
 * What is installed is what has files on disk: the third word of Status. So a package on hold, or one that is to be
 * removed but is still there, is installed; one of which only its configuration is left is not. dpkg refuses a whole
 * file for one bad line; we must not, and pass over the record. */
#include "package/formats.h"

#include "base/base.h"

struct record {
	struct str name, version, arch, source, status, maintainer;
	bool any;
};

/* The fields that are kept, by name in any case. */
static struct str *field_of(struct record *r, struct str name)
{
	switch (name.len) {
	case 6:
		if (str_eq_nocase(name, STR("Status")))
			return &r->status;
		return str_eq_nocase(name, STR("Source")) ? &r->source : NULL;
	case 7:
		if (str_eq_nocase(name, STR("Package")))
			return &r->name;
		return str_eq_nocase(name, STR("Version")) ? &r->version : NULL;
	case 10:
		return str_eq_nocase(name, STR("Maintainer")) ? &r->maintainer : NULL;
	case 12:
		return str_eq_nocase(name, STR("Architecture")) ? &r->arch : NULL;
	default:
		return NULL;
	}
}

enum state { STATE_ON_DISK, STATE_NOT_THERE, STATE_UNKNOWN };

static struct str last_word(struct str s)
{
	s = str_trim(s);
	for (size_t i = s.len; i > 0; i--)
		if (ascii_space(s.ptr[i - 1]))
			return str_sub(s, i, s.len);
	return s;
}

static enum state state_of(struct str status)
{
	static const struct {
		struct str word;
		enum state state;
	} states[] = {
		{ STR_INIT("installed"), STATE_ON_DISK },
		{ STR_INIT("unpacked"), STATE_ON_DISK },
		{ STR_INIT("half-configured"), STATE_ON_DISK },
		{ STR_INIT("half-installed"), STATE_ON_DISK },
		{ STR_INIT("triggers-awaited"), STATE_ON_DISK },
		{ STR_INIT("triggers-pending"), STATE_ON_DISK },
		{ STR_INIT("post-inst-failed"), STATE_ON_DISK }, /* opkg, and dpkg before 1.1 */
		{ STR_INIT("removal-failed"), STATE_ON_DISK },
		{ STR_INIT("config-files"), STATE_NOT_THERE },
		{ STR_INIT("not-installed"), STATE_NOT_THERE },
	};
	struct str word = last_word(status);
	for (size_t i = 0; i < COUNT_OF(states); i++)
		if (str_eq_nocase(word, states[i].word))
			return states[i].state;
	return STATE_UNKNOWN;
}

/* "name" or "name (version)". */
static void split_source(struct str source, struct package *p)
{
	ptrdiff_t open = str_find(source, '(');
	if (open < 0) {
		p->source_name = source;
		return;
	}
	p->source_name = str_trim(str_sub(source, 0, (size_t)open));
	struct str version = str_sub(source, (size_t)open + 1, source.len);
	ptrdiff_t close = str_find(version, ')');
	if (close >= 0)
		p->source_version = str_trim(str_sub(version, 0, (size_t)close));
}

struct parse {
	enum package_type type;
	struct str path;
	bool status_optional; /* status.d: what lies there is installed unless it says otherwise */
	struct package_sink *sink;
};

static int end_record(const struct parse *ctx, struct record *r, struct err *err)
{
	struct record done = *r;
	*r = (struct record){ 0 };
	if (!done.any)
		return 0;
	struct str name = str_sub(done.name, 0, 64);
	if (done.status.len || !ctx->status_optional) {
		enum state state = state_of(done.status);
		if (state == STATE_NOT_THERE)
			return 0;
		if (state == STATE_UNKNOWN) {
			struct str status = str_sub(done.status, 0, 64);
			package_sink_bad(ctx->sink, "package \"%.*s\": no state that is known in Status \"%.*s\"",
			                 STR_ARG(name), STR_ARG(status));
			return 0;
		}
	}
	struct package p = {
		.type = ctx->type,
		.name = done.name,
		.version = done.version,
		.arch = done.arch,
		.vendor = str_sub(done.maintainer, 0, PACKAGE_FIELD_MAX),
		.db_path = ctx->path,
	};
	split_source(done.source, &p);
	return package_sink_add(ctx->sink, &p, err);
}

/* A line that begins a field. A second Package in one stanza (dpkg calls that an error) begins a record of its own,
 * lest a lost empty line hides a package. */
static int take_field(const struct parse *ctx, struct record *r, struct str line, struct err *err)
{
	int rc = 0;
	ptrdiff_t colon = str_find(line, ':');
	if (colon < 0) {
		r->any = true;
		return 0;
	}
	struct str name = str_trim(str_sub(line, 0, (size_t)colon));
	struct str *field = field_of(r, name);
	if (field == &r->name && r->name.ptr)
		rc = end_record(ctx, r, err);
	r->any = true;
	if (field)
		*field = str_trim(str_sub(line, (size_t)colon + 1, line.len));
	return rc;
}

static int parse(const struct parse *ctx, struct str text, struct err *err)
{
	struct record r = { 0 };
	for (struct str line, rest = text; str_cut(&rest, '\n', &line);) {
		int rc = 0;
		(void)str_drop(&line, STR("\r"));
		if (line.len == 0)
			rc = end_record(ctx, &r, err);
		else if (line.ptr[0] != ' ' && line.ptr[0] != '\t')
			rc = take_field(ctx, &r, line, err);
		if (rc != 0)
			return rc;
	}
	return end_record(ctx, &r, err);
}

static int parse_content(const struct content *c, struct parse *ctx, struct err *err)
{
	struct str text;
	int rc = content_text(c, ctx->sink->arena, DPKG_STATUS_SIZE_MAX, "DPKG_STATUS_SIZE_MAX", &text, err);
	return rc ? rc : parse(ctx, text, err);
}

int dpkg_parse(const struct content *c, struct str path, struct package_sink *sink, struct err *err)
{
	struct parse ctx = {
		.type = PACKAGE_DEB,
		.path = path,
		.status_optional = str_contains(path, STR("status.d/")),
		.sink = sink,
	};
	return parse_content(c, &ctx, err);
}

int opkg_parse(const struct content *c, struct str path, struct package_sink *sink, struct err *err)
{
	struct parse ctx = { .type = PACKAGE_OPKG, .path = path, .sink = sink };
	return parse_content(c, &ctx, err);
}

bool dpkg_sniff(struct str path, struct str head)
{
	if (str_ends(path, STR(".md5sums")))
		return false;
	while (head.len && ascii_space(head.ptr[0]))
		head = str_sub(head, 1, head.len);
	size_t n = 0;
	while (n < head.len && (ascii_alnum(head.ptr[n]) || head.ptr[n] == '-' || head.ptr[n] == '_'))
		n++;
	return n > 0 && n < head.len && head.ptr[n] == ':';
}
