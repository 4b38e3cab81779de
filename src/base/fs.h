/* Files of this machine: whole reads under a cap, atomic replacement, and look-ups confined to a folder.
 * tree_* resolve a path inside a root folder as if that folder were /, following symbolic links by hand
 * (openat2's flags cannot be seen by seccomp, so a confined worker has no openat2): never outside, at most
 * SYMLINKS_MAX links, no device or fifo is ever opened. */
#ifndef PLIMSOLL_BASE_FS_H
#define PLIMSOLL_BASE_FS_H

#include "base/arena.h"
#include "base/err.h"

#include <sys/stat.h>

/* The whole file into the arena; ERR_NOT_FOUND, ERR_IO, ERR_LIMIT. fs_read takes whatever the user named, pipes too;
 * fs_read_fd reads from where the descriptor stands. */
int fs_read(struct arena *a, const char *path, size_t size_max, struct str *ret, struct err *err);
int fs_read_fd(struct arena *a, int fd, size_t size_max, struct str *ret, struct err *err);
/* Write beside and rename over, fsync before. mode as for open. On error the old file is untouched and nothing is left
 * beside it. */
int fs_replace(const char *path, struct str content, mode_t mode, struct err *err);
/* The same without fsync, for what may be lost or torn by a power cut (a cache whose entries are sealed): a disk takes
 * milliseconds to sync. */
int fs_replace_unsynced(const char *path, struct str content, mode_t mode, struct err *err);
/* Rename within a file system, so that it survives a power cut. */
int fs_rename(const char *from, const char *to, struct err *err);
int fs_make_dirs(const char *path, mode_t mode, struct err *err);
/* All n bytes at offset, or an error (short file: ERR_FORMAT). */
int fs_pread_all(int fd, void *p, size_t n, uint64_t offset, struct err *err);

/* Open for reading what `path` names inside root_fd: a regular file (or a folder with want_dir). ERR_NOT_FOUND where it
 * does not exist, ERR_FORMAT where it is no regular file or the links go round, ERR_IO with the reason (EACCES...).
 * The last component is followed if it is a link. Also holds while others rename folders inside the tree: a ".."
 * that does not lead back to where the walk came from is an error. System calls: openat (O_PATH, O_RDONLY), newfstatat,
 * readlinkat, close. */
int tree_open(int root_fd, struct str path, bool want_dir, int *ret_fd, struct err *err);

/* One spelling of a path (relative, clean) for comparing, where databases name files by where they were packed and
 * processes by where they lie since /usr is merged: without "usr/" before bin, sbin, lib, lib32, lib64 and libx32. A
 * slice of its argument. */
struct str path_fold_usr(struct str path);

#endif
