/* Asking databases who owns a file: see wish.h. */
#include "package/wish.h"

#include "base/base.h"
#include "base/fs.h"

static struct str fold(struct str path)
{
	while (str_skip(&path, STR("/")) || str_skip(&path, STR("./")))
		;
	return path_fold_usr(path);
}

void file_wish_add(struct arena *a, struct file_wish *w, struct str path)
{
	(void)map_put(a, &w->paths, str_dup(a, fold(path)), NULL);
}

bool file_wished(const struct file_wish *w, struct str path)
{
	return map_get(&w->paths, fold(path)) != NULL;
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
