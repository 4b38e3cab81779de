/* Workers: processes in which hostile bytes are parsed (DESIGN 3). The parent forks while it has one thread; the
 * child keeps only the descriptors named in the spec, confines itself in the order that DESIGN 3 gives, then runs.
 * Parent and child speak in frames (type, length, payload) over a socket pair; the parent treats every frame as
 * hostile: its length is capped (FRAME_SIZE_MAX and the receiver's own maximum), its content read by base/reader.
 *
 * A worker that dies, is killed by a limit or by seccomp, or breaks the protocol gives ERR_WORKER with words for the
 * report ("worker \"layer\" was killed by SIGSYS (a forbidden system call)").
 *
 * Two kinds. WORKER_BYTES opens nothing: read, pread, write, memory, time, futex and exit is all it has. WORKER_TREE
 * may also open for reading below one folder. Neither may create, write, truncate, change mode, owner or attributes,
 * make sockets, fork or exec. */
#ifndef PLIMSOLL_SANDBOX_WORKER_H
#define PLIMSOLL_SANDBOX_WORKER_H

#include "base/buf.h"
#include "base/err.h"

#include <sys/types.h>

enum worker_kind { WORKER_BYTES, WORKER_TREE };

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
	/* Optional: in the child before confinement and before threads: load libraries, prepare tables. */
	int (*prepare)(void *arg, struct err *err);
	int fds[WORKER_FDS_MAX]; /* descriptors that stay open, same numbers */
	size_t fd_count;
	int root_fd;         /* WORKER_TREE: the folder; it is also kept open. As root the worker chroots into it. */
	uint64_t input_size; /* for RLIMIT_CPU; 0: unknown */
	size_t memory_max;   /* RLIMIT_DATA; 0: a default of 512 MiB */
};

/* Once at start of the program, before any worker. enabled false: --no-sandbox (still a process of its own). */
void sandbox_setup(bool enabled);
/* "full", or what is missing, "; "-separated ("no Landlock (kernel)", "Landlock ABI 1: truncation not covered"),
 * or "off (--no-sandbox)". What this machine gives, tried in a child once and remembered. */
struct str sandbox_describe(void);

int worker_start(const struct worker_spec *spec, struct worker **ret, struct err *err);
/* The descriptor to poll for frames. */
int worker_fd(const struct worker *w);
int worker_send(struct worker *w, uint32_t type, struct str payload, struct err *err);
/* Wait for the next frame. 1: a frame; 0: the worker closed its end (finish it to learn why); negative: error. */
int worker_recv(struct worker *w, size_t size_max, struct frame *ret, struct err *err);
/* Wait for its end and free it. 0 if it exited with code 0; else ERR_WORKER and words. NULL is fine. */
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
