/* The worker's half of mapped.h: what is in /proc/PID/maps and /proc/PID/mountinfo, and the frames in which it is said.
 * Everything here reads bytes that whoever runs in a container may have chosen. */
#ifndef PLIMSOLL_HOST_MAPPED_WORK_H
#define PLIMSOLL_HOST_MAPPED_WORK_H

#include "base/buf.h"
#include "base/map.h"
#include "base/reader.h"
#include "sandbox/worker.h"

/* The parent asks with MOUNTS and waits for MOUNT; PROCESS has no answer; END is answered by FILES (any number of
 * frames) and DONE. In no other moment does the worker send anything, so neither waits for a full pipe. */
enum mapped_frame {
	MAPPED_FRAME_MOUNTS = 1, /* mountinfo, as it is */
	MAPPED_FRAME_MOUNT,      /* mapped_mount_encode */
	MAPPED_FRAME_PROCESS,    /* str root link, str exe link (empty: none), then maps as it is */
	MAPPED_FRAME_END,
	MAPPED_FRAME_FILES, /* str path, as many as there are, sorted over all frames */
	MAPPED_FRAME_DONE,  /* varint deleted, u8 dropped */
};

/* The mount that a process has as its root. */
struct mapped_mount {
	bool found;
	bool fuse;         /* fuse-overlayfs: says nothing of its layers */
	struct str device; /* "8:1" */
	struct str root;   /* which folder of that file system, still escaped: for comparing only */
	struct str upper;  /* upperdir= of an overlay without the kernel's escapes, as it was given to mount(2); or empty */
};

/* The last mount at "/"; not found where there is none, or its line is broken. */
void mapped_mount_parse(struct arena *a, struct str mountinfo, struct mapped_mount *ret);
void mapped_mount_encode(const struct mapped_mount *m, struct buf *b);
/* Slices of what r reads; look at r->bad. */
void mapped_mount_decode(struct reader *r, struct mapped_mount *ret);
/* overlayfs takes a backslash before any byte of an option for that byte (kernels before 6.8); a copy without them. */
struct str mapped_unescape_upper(struct arena *a, struct str upper);

struct mapped_set {
	struct arena *arena;
	struct map paths; /* folded; value 1: deleted or replaced */
	bool dropped;
};

/* A path as the kernel gives it, below the root whose own path root is ("/" for none); anything else is passed over. */
void mapped_set_path(struct mapped_set *s, struct str root, struct str path);
void mapped_set_maps(struct mapped_set *s, struct str root, struct str maps);
/* Relative, without empty, "." and ".." components and NUL, not over MAPPED_PATH_MAX. */
bool mapped_path_clean(struct str path);

int mapped_run(struct worker_io *io, void *arg);

#endif
