/* Files that somebody asks about (those that running processes have mapped), for package databases to say which of their
 * packages own one. Asked while a database is read, so that nobody keeps the names of all files of all packages. */
#ifndef PLIMSOLL_PACKAGE_WISH_H
#define PLIMSOLL_PACKAGE_WISH_H

#include "base/map.h"

struct file_wish {
	struct map paths;
};

/* The one spelling of a path for comparing: without leading "/" and "./", and without "usr/" before bin, sbin, lib, lib32,
 * lib64 and libx32, for databases name files by where they were packed and processes by where they lie since /usr is
 * merged. A slice of its argument. */
struct str file_wish_fold(struct str path);

void file_wish_add(struct arena *a, struct file_wish *w, struct str path);
bool file_wished(const struct file_wish *w, struct str path);
/* folder and name as a database keeps them apart. */
bool file_wished_in(const struct file_wish *w, struct str folder, struct str name);

#endif
