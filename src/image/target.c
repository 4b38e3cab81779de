/* Naming images: see target.h. Looks whether paths exist, opens nothing. */
#include "image/target.h"

#include "base/base.h"
#include "image/origin.h"

#include <sys/stat.h>

static const struct {
	struct str prefix;
	enum image_source source;
} file_prefixes[] = {
	{ STR_INIT("oci:"), IMAGE_OCI_DIR },
	{ STR_INIT("oci-archive:"), IMAGE_OCI_ARCHIVE },
	{ STR_INIT("docker-archive:"), IMAGE_DOCKER_ARCHIVE },
};

static bool exists(const char *path, bool *ret_folder)
{
	struct stat st;
	if (stat(path, &st) < 0)
		return false;
	*ret_folder = S_ISDIR(st.st_mode);
	return true;
}

/* The longest reading in which a path exists: the whole text, else what stands before one of its ':' or '@', from the
 * left, for a reference may hold colons of its own ("save.tar:nginx:1.25"). */
static bool split_path(struct arena *a, struct str text, struct image_target *ret, bool *ret_folder)
{
	ret->path = str_cstr(a, text);
	ret->reference = (struct str){ 0 };
	if (exists(ret->path, ret_folder))
		return true;
	for (size_t i = 1; i < text.len; i++) {
		if (text.ptr[i] != ':' && text.ptr[i] != '@')
			continue;
		const char *path = str_cstr(a, str_sub(text, 0, i));
		if (exists(path, ret_folder)) {
			ret->path = path;
			ret->reference = str_dup(a, str_sub(text, i + 1, text.len));
			return true;
		}
	}
	return false;
}

static int parse_file(struct arena *a, struct str rest, enum image_source source, struct image_target *t, struct err *err)
{
	bool folder;
	t->source = source;
	if (rest.len == 0)
		return err_set(err, ERR_USAGE, "%s: no path after the prefix", t->name);
	if (!split_path(a, rest, t, &folder))
		return err_set(err, ERR_NOT_FOUND, "%s: no such file or folder", t->name);
	return 0;
}

static int parse_reference(struct arena *a, struct str rest, enum image_source source, struct image_target *t,
                           struct err *err)
{
	t->source = source;
	t->reference = str_dup(a, rest);
	return rest.len ? 0 : err_set(err, ERR_USAGE, "%s: no name after the prefix", t->name);
}

/* A file that is called "docker:x" is named as "./docker:x". */
static int parse_prefixed(struct arena *a, struct str rest, bool *ret_known, struct image_target *t, struct err *err)
{
	*ret_known = true;
	for (size_t i = 0; i < COUNT_OF(file_prefixes); i++)
		if (str_skip(&rest, file_prefixes[i].prefix))
			return parse_file(a, rest, file_prefixes[i].source, t, err);
	if (str_skip(&rest, STR("reference:")))
		return parse_reference(a, rest, IMAGE_REFERENCE, t, err);
	if (str_skip(&rest, STR("container:")))
		return parse_reference(a, rest, IMAGE_CONTAINER, t, err);
	for (size_t i = 0; i < image_store_count; i++) {
		struct str name = rest;
		if (!str_skip(&name, str_from(image_stores[i]->prefix)) || !str_skip(&name, STR(":")))
			continue;
		t->store = image_stores[i];
		return parse_reference(a, name, IMAGE_STORE, t, err);
	}
	*ret_known = false;
	return 0;
}

int image_target_parse(struct arena *a, const char *text, struct image_target *ret, struct err *err)
{
	struct str rest = str_from(text);
	struct image_target target = { .name = str_cstr(a, rest), .source = IMAGE_ARCHIVE };
	bool folder = false, known = true;
	int rc = 0;
	if (rest.len == 0)
		return err_set(err, ERR_USAGE, "an image target is empty");
	if (str_eq(rest, STR("-"))) {
		target.name = "standard input";
		target.source = IMAGE_STDIN;
	} else {
		rc = parse_prefixed(a, rest, &known, &target, err);
	}
	if (rc == 0 && !known && !split_path(a, rest, &target, &folder)) {
		if (rest.ptr[0] == '/' || rest.ptr[0] == '.')
			return err_set(err, ERR_NOT_FOUND, "%s: no such file or folder", text);
		target.path = NULL;
		rc = parse_reference(a, rest, IMAGE_REFERENCE, &target, err);
	}
	if (folder)
		target.source = IMAGE_OCI_DIR;
	if (rc == 0)
		*ret = target;
	return rc;
}
