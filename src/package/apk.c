/* apk's installed database (apk-tools 2 and 3 write the same text): records parted by an empty line, each line a
 * letter, a colon and a value. Of a record's lines only the first are about the package; those after the first F: (a
 * folder) name its files, by the hundred, and their letters mean other things. Never takes two packages of one name
 * for one. */
#include "package/formats.h"

#include "base/base.h"

struct record {
	struct str name, version, arch, origin, maintainer;
	bool any;
	bool files; /* past the first F: */
	bool used;  /* owns a file that is asked about */
	struct str folder;
};

static int end_record(struct record *r, struct str path, struct package_sink *sink, struct err *err)
{
	struct record done = *r;
	*r = (struct record){ 0 };
	if (!done.any)
		return 0;
	struct package p = {
		.type = PACKAGE_APK,
		.use = !sink->wish ? USE_UNKNOWN : done.used ? USE_YES : USE_NO,
		.name = done.name,
		.version = done.version,
		.arch = done.arch,
		.source_name = done.origin,
		.vendor = str_sub(done.maintainer, 0, PACKAGE_FIELD_MAX),
		.db_path = path,
	};
	return package_sink_add(sink, &p, err);
}

static void take_field(struct record *r, char letter, struct str value)
{
	switch (letter) {
	case 'P':
		r->name = value;
		break;
	case 'V':
		r->version = value;
		break;
	case 'A':
		r->arch = value;
		break;
	case 'o':
		r->origin = value;
		break;
	case 'm':
		r->maintainer = value;
		break;
	case 'F':
		r->files = true;
		break;
	default:
		break;
	}
}

/* F: a folder, R: a file in it. */
static void take_owned(struct record *r, char letter, struct str value, const struct file_wish *wish)
{
	if (letter == 'F')
		r->folder = value;
	else if (letter == 'R' && r->files && !r->used)
		r->used = file_wished_in(wish, r->folder, value);
}

/* A checksum (C:) or a second name after the file list: the empty line before it was lost. */
static bool begins_another(const struct record *r, char letter)
{
	return (letter == 'P' && r->name.ptr) || (letter == 'C' && r->files);
}

static int take_line(struct record *r, struct str line, struct str path, struct package_sink *sink, struct err *err)
{
	int rc = 0;
	if (line.len == 0)
		return end_record(r, path, sink, err);
	if (line.len < 2 || line.ptr[1] != ':') {
		r->any = true;
		return 0;
	}
	if (begins_another(r, line.ptr[0]))
		rc = end_record(r, path, sink, err);
	r->any = true;
	if (sink->wish)
		take_owned(r, line.ptr[0], str_sub(line, 2, line.len), sink->wish);
	if (!r->files)
		take_field(r, line.ptr[0], str_trim(str_sub(line, 2, line.len)));
	return rc;
}

int apk_parse(const struct content *c, struct str path, struct package_sink *sink, struct err *err)
{
	struct str text;
	int rc = content_text(c, sink->arena, APK_INSTALLED_SIZE_MAX, "APK_INSTALLED_SIZE_MAX", &text, err);
	if (rc != 0)
		return rc;
	struct record r = { 0 };
	for (struct str line, rest = text; str_cut(&rest, '\n', &line);) {
		(void)str_drop(&line, STR("\r"));
		rc = take_line(&r, line, path, sink, err);
		if (rc != 0)
			return rc;
	}
	return end_record(&r, path, sink, err);
}
