/* Which files the processes of a container or of this host have mapped at this moment: /proc/PID/maps, and the program
 * itself (/proc/PID/exe). A fact about a moment: what was mapped before and is not now, what an interpreter only reads
 * (.py, .js, .jar opened and closed), and what a process has not come to yet is not seen.
 *
 * The parent lists /proc, opens and reads files there as bytes; a bytes worker parses them, for names in them are chosen
 * by whoever runs in the container. The worker's answers are read as hostile. Specification: proc_pid_maps(5),
 * proc_pid_mountinfo(5). */
#ifndef PLIMSOLL_HOST_MAPPED_H
#define PLIMSOLL_HOST_MAPPED_H

#include "base/arena.h"
#include "base/err.h"
#include "base/vec.h"

struct mapped_files {
	struct str *paths; /* as seen from inside of the root, relative, clean, folded (base/fs.h), sorted, no repeats */
	size_t count;
	size_t processes;  /* that were looked at */
	size_t closed;     /* that belong to the root and whose maps this user may not read */
	size_t deleted;    /* mapped files that have been deleted or replaced since (an upgrade without a restart) */
	bool dropped;      /* more files than MAPPED_FILES_MAX: the rest is missing */
};

/* Processes belong to root_fd (an O_RDONLY folder) where their root is that folder (host, vfs), or an overlay whose
 * upperdir it is (a container's own layer). ERR_NOT_FOUND: no process has that root (a container that does not run);
 * ERR_ACCESS: there are some, and none may be read; ERR_UNSUPPORTED: none was found, but there are containers whose layer
 * cannot be told from outside (fuse-overlayfs); ERR_ABSENT: no /proc. This process itself is left out: what a scanner
 * has mapped is not in use for it. */
int mapped_files_load(struct arena *a, int root_fd, struct mapped_files *ret, struct err *err);

#endif
