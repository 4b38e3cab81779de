/* Files that somebody asks about (those that running processes have mapped), for package databases to say which of their
 * packages own one. Asked while a database is read, so that nobody keeps the names of all files of all packages. */
#ifndef PLIMSOLL_PACKAGE_WISH_H
#define PLIMSOLL_PACKAGE_WISH_H

#include "base/map.h"

struct file_wish {
	struct map paths;
};

/* Paths are compared without leading "/" and "./", and folded (path_fold_usr of base/fs.h). */
void file_wish_add(struct arena *a, struct file_wish *w, struct str path);
bool file_wished(const struct file_wish *w, struct str path);
/* folder and name as a database keeps them apart. */
bool file_wished_in(const struct file_wish *w, struct str folder, struct str name);

#endif
