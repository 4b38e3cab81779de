/* Naming images: see target.h. Looks whether paths exist, opens nothing. */
#include "image/target.h"

#include "base/base.h"

#include <sys/stat.h>

static const struct {
	struct str prefix;
	bool file; /* read by this version */
	enum image_source source;
} prefixes[] = {
	{ STR_INIT("oci:"), true, IMAGE_OCI_DIR },
	{ STR_INIT("oci-archive:"), true, IMAGE_OCI_ARCHIVE },
	{ STR_INIT("docker-archive:"), true, IMAGE_DOCKER_ARCHIVE },
	{ STR_INIT("docker:"), false, 0 },
	{ STR_INIT("podman:"), false, 0 },
	{ STR_INIT("containerd:"), false, 0 },
	{ STR_INIT("registry:"), false, 0 },
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

static int unsupported(const char *text, struct err *err)
{
	return err_set(err, ERR_UNSUPPORTED,
	               "%s: this version reads files: docker-archive:FILE, oci-archive:FILE, oci:DIR, - (standard input), "
	               "or a path; save the image first (docker save, podman save, skopeo copy)",
	               text);
}

int image_target_parse(struct arena *a, const char *text, struct image_target *ret, struct err *err)
{
	struct str rest = str_from(text);
	struct image_target target = { .source = IMAGE_ARCHIVE };
	bool folder = false;

	if (rest.len == 0)
		return err_set(err, ERR_USAGE, "an image target is empty");
	if (str_eq(rest, STR("-"))) {
		*ret = (struct image_target){ .source = IMAGE_STDIN };
		return 0;
	}
	/* A file that is called "docker:x" is named as "./docker:x". */
	for (size_t i = 0; i < COUNT_OF(prefixes); i++) {
		if (!str_skip(&rest, prefixes[i].prefix))
			continue;
		if (!prefixes[i].file)
			return unsupported(text, err);
		target.source = prefixes[i].source;
		if (rest.len == 0)
			return err_set(err, ERR_USAGE, "%s: no path after the prefix", text);
		if (!split_path(a, rest, &target, &folder))
			return err_set(err, ERR_NOT_FOUND, "%s: no such file or folder", text);
		*ret = target;
		return 0;
	}
	if (!split_path(a, rest, &target, &folder)) {
		if (rest.ptr[0] == '/' || rest.ptr[0] == '.')
			return err_set(err, ERR_NOT_FOUND, "%s: no such file or folder", text);
		return unsupported(text, err);
	}
	if (folder)
		target.source = IMAGE_OCI_DIR;
	*ret = target;
	return 0;
}
