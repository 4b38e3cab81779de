/* How a worker shuts itself in: internal to sandbox/ and its tests. worker.c forks and calls confine_self in the child;
 * the order of the steps is in confine.c, the list of system calls in seccomp.c. */
#ifndef PLIMSOLL_SANDBOX_CONFINE_H
#define PLIMSOLL_SANDBOX_CONFINE_H

#include "sandbox/worker.h"

#include <linux/filter.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* What the confinement came to. Written by the child before it has seen a hostile byte. */
struct confine_facts {
	bool ready;       /* the rest is filled */
	bool sandboxed;   /* false: --no-sandbox */
	bool tree;        /* of a tree worker: chrooted and sees_trusted say something */
	bool seccomp;
	int landlock_abi; /* rights in force; 0: none */
	bool chrooted;
	bool sees_trusted;
};

struct filter {
	struct sock_filter *code;
	unsigned short len; /* 0: not built */
};

struct confine_job {
	const struct worker_spec *spec;
	int socket_fd;
	pid_t parent;
	bool enabled;
	const struct filter *filter;
};

/* All steps, in the child; on return the helper thread (if any) waits to be released. 0, or why it could not be done,
 * upon which the worker must not run. */
int confine_self(const struct confine_job *job, struct confine_facts *ret, struct err *err);
void confine_release(const struct worker_spec *spec);
/* CPU seconds that an input of this size gets; 0: size unknown. */
unsigned confine_cpu_seconds(uint64_t input_size);

/* The filter of a spec's kind, made once in the parent and kept. */
int filter_get(const struct worker_spec *spec, const struct filter **ret, struct err *err);
/* In the child: put it on every thread. 1: on; 0: this kernel has no such filters; negative: error. */
int filter_apply(const struct filter *f, struct err *err);

/* The highest Landlock ABI that this kernel has, as far as landlock_limit lets it be used; 0: none. */
int landlock_abi(void);
/* Allow reading below the folder of a tree worker, of what a net worker's libraries read, of nothing at all for a bytes
 * worker; no bind on TCP, and connect only for a net worker. Returns the ABI in force, 0 where there is none, negative
 * on error. */
int landlock_apply(const struct worker_spec *spec, struct err *err);

/* Knob of the tests: behave as a kernel with at most this ABI does; 0: as one without Landlock; negative: no limit. */
void landlock_limit(int abi_max);
/* Forget what sandbox_describe has learned. */
void describe_forget(void);
/* A worker has reported: remember it for sandbox_describe. */
void describe_learn(const struct confine_facts *facts);
bool sandbox_enabled(void);

#endif
