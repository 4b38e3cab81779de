/* Workers: processes in which hostile bytes are parsed (DESIGN 3). The parent forks while it has one thread; the
 * child keeps only the descriptors named in the spec, confines itself in the order that DESIGN 3 gives, then runs.
 * Parent and child speak in frames (type, length, payload) over a socket pair; the parent treats every frame as
 * hostile: its length is capped (FRAME_SIZE_MAX and the receiver's own maximum), its content read by base/reader.
 *
 * A worker that dies, is killed by a limit or by seccomp, or breaks the protocol gives ERR_WORKER with words for the
 * report ("worker \"layer\" was killed by SIGSYS (a forbidden system call)").
 *
 * Two kinds. WORKER_BYTES opens nothing: read, pread, write, seek and fstat on what it was given, memory (also a memfd of
 * its own, which grows by write), time, random bytes, futex and exit is all it has; open(2) gives EACCES. WORKER_TREE
 * may also open for reading, list, stat and read attributes below one folder; it has no memfd. Neither may create,
 * write, truncate, change mode, owner or attributes, make sockets, start threads or processes, signal, or map memory as
 * executable (a JIT must have compiled in prepare). What is forbidden and no library does by itself kills the worker.
 *
 * A sanitizer's report from a worker has addresses instead of names; with sandbox_setup(false) it has names. */
#ifndef PLIMSOLL_SANDBOX_WORKER_H
#define PLIMSOLL_SANDBOX_WORKER_H

#include "base/buf.h"
#include "base/err.h"

#include <sys/types.h>

/* WORKER_NET talks to engines, registries and servers of feeds (net/http.h): it may make and connect sockets, resolve
 * names, start threads (the resolver's), and open for reading what resolvers and TLS read (the list is in landlock.c;
 * without Landlock: anything); it may not bind, listen, write to any file but descriptors that it was given, map code,
 * execute, signal or trace, and has no capability. What else it needs it reads in prepare (http_open does). Its
 * wall-clock time is not limited. */
enum worker_kind { WORKER_BYTES, WORKER_TREE, WORKER_NET };

#define WORKER_FDS_MAX 16

struct worker;    /* parent's end */
struct worker_io; /* child's end */

struct frame {
	uint32_t type;
	struct str payload; /* until the next receive on the same end */
};

struct worker_spec {
	const char *name; /* in messages: "layer", "manifest", "feed" */
	enum worker_kind kind;
	/* In the child, confined. Returns the exit code (0..99). arg is the parent's memory as it was at the fork. */
	int (*run)(struct worker_io *io, void *arg);
	void *arg;
	/* Optional helper thread of the child: started before seccomp, held at a barrier until the filter is on, then runs
	 * thread(arg) beside run. The child ends when run returns. */
	void (*thread)(void *arg);
	/* Optional: in the child before confinement and before threads: load libraries, prepare tables. It must not touch the
	 * input, and must not leave a thread behind. Digests (base/hash.h) are ready without it. */
	int (*prepare)(void *arg, struct err *err);
	/* Descriptors that stay open, same numbers; no folders. All others are closed; 0, 1 and 2 are /dev/null unless they
	 * are named here. A name that is writable can be written: give those for reading. */
	int fds[WORKER_FDS_MAX];
	size_t fd_count;
	/* WORKER_TREE: the folder; it is also kept open. As root the worker chroots into it, and the descriptor is a read-only
	 * copy of the mount in which devices cannot be opened. */
	int root_fd;
	/* WORKER_NET: may also connect to Unix sockets. Whoever may talk to an engine's is root: only for engines. */
	bool unix_sockets;
	uint64_t input_size; /* for RLIMIT_CPU; 0: unknown */
	size_t memory_max;   /* RLIMIT_DATA above what the parent has; 0: WORKER_MEMORY_DEFAULT. Memfds do not count. */
};

/* Once at start of the program, before any worker. enabled false: --no-sandbox (still a process of its own, with its
 * limits and without other descriptors). */
void sandbox_setup(bool enabled);
/* "full", or what is missing, "; "-separated ("no Landlock (kernel)", "Landlock ABI 1: truncation left to seccomp",
 * "no seccomp (kernel)", "no chroot: ..."), or "off (--no-sandbox)". What a worker of this run found; before any has
 * ended, one is started for it. The slice is good until the next call. */
struct str sandbox_describe(void);

/* Refuses (ERR_WORKER) a process with more than one thread and a spec that is wrong; what fails in the child, prepare
 * included, is learned from worker_finish. The spec is not needed after. */
int worker_start(const struct worker_spec *spec, struct worker **ret, struct err *err);
/* The descriptor to poll for frames. */
int worker_fd(const struct worker *w);
/* Blocks while the worker does not read: never send much to one that may be sending much. ERR_WORKER: it has gone. */
int worker_send(struct worker *w, uint32_t type, struct str payload, struct err *err);
/* Wait for the next frame. 1: a frame; 0: the worker closed its end (finish it to learn why, also where that was within
 * a frame); ERR_WORKER: it broke the protocol (finish kills it then). After poll says readable it blocks for
 * WORKER_STALL_SECONDS_MAX at most; before that, for as long as the worker takes. */
int worker_recv(struct worker *w, size_t size_max, struct frame *ret, struct err *err);
/* No more frames for it, drop what it still sends, wait for its end and free it. 0 if it exited with code 0; else
 * ERR_WORKER and words. NULL is fine. */
int worker_finish(struct worker *w, struct err *err);
/* Kill it and free it, without words. NULL is fine. */
void worker_kill(struct worker *w);

/* In the child. A failed send ends the child: the parent has gone. */
void worker_io_send(struct worker_io *io, uint32_t type, struct str payload);
/* 1, 0 at the end, negative on error. */
int worker_io_recv(struct worker_io *io, size_t size_max, struct frame *ret, struct err *err);
/* Whether the tree worker can see trusted.overlay.* attributes (CAP_SYS_ADMIN), tested at its start. */
bool worker_io_sees_trusted(const struct worker_io *io);

#endif
