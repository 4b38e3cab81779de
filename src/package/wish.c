/* Asking databases who owns a file: see wish.h. */
#include "package/wish.h"

#include "base/base.h"

struct str file_wish_fold(struct str path)
{
	static const char *const merged[] = { "bin/", "sbin/", "lib/", "lib32/", "lib64/", "libx32/" };
	while (str_skip(&path, STR("/")) || str_skip(&path, STR("./")))
		;
	struct str rest = path;
	if (!str_skip(&rest, STR("usr/")))
		return path;
	for (size_t i = 0; i < COUNT_OF(merged); i++)
		if (str_starts(rest, str_from(merged[i])))
			return rest;
	return path;
}

void file_wish_add(struct arena *a, struct file_wish *w, struct str path)
{
	(void)map_put(a, &w->paths, str_dup(a, file_wish_fold(path)), NULL);
}

bool file_wished(const struct file_wish *w, struct str path)
{
	return map_get(&w->paths, file_wish_fold(path)) != NULL;
}

bool file_wished_in(const struct file_wish *w, struct str folder, struct str name)
{
	char path[TAR_PATH_MAX];
	while (str_drop(&folder, STR("/")))
		;
	if (folder.len + 1 + name.len > sizeof(path))
		return false;
	if (folder.len)
		memcpy(path, folder.ptr, folder.len);
	path[folder.len] = '/';
	if (name.len)
		memcpy(path + folder.len + 1, name.ptr, name.len);
	return file_wished(w, (struct str){ path, folder.len + 1 + name.len });
}
