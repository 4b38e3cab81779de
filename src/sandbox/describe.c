/* What the report says about the sandbox: what workers of this run found on this machine or, before any has run, what
 * one that is started for it finds. Must never say "full" of what was not tried. */
#include "base/base.h"
#include "sandbox/confine.h"

#include <fcntl.h>
#include <unistd.h>

/* From this ABI on Landlock covers every way to change a file's content; what later ones add (TCP, ioctl on devices,
 * signals) has no system call in a worker. */
#define LANDLOCK_ABI_TRUNCATE 3

static struct confine_facts known;

void describe_forget(void)
{
	known = (struct confine_facts){ 0 };
}

void describe_learn(const struct confine_facts *facts)
{
	if (facts->ready && (facts->tree || !known.ready))
		known = *facts;
}

static int probe_run(struct worker_io *io, void *arg)
{
	(void)io;
	(void)arg;
	return 0;
}

static int probe(struct err *err)
{
	struct worker_spec spec = { .name = "probe", .kind = WORKER_TREE, .run = probe_run, .input_size = 1 };
	spec.root_fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (spec.root_fd < 0)
		return err_set(err, ERR_IO, "open /: %m");
	struct worker *w = NULL;
	int rc = worker_start(&spec, &w, err);
	if (rc == 0)
		rc = worker_finish(w, err);
	(void)close(spec.root_fd);
	return rc;
}

/* Without Landlock it matters whether a tree worker has a chroot, which a bytes worker cannot tell. */
static bool enough_is_known(void)
{
	return known.ready && (known.tree || known.landlock_abi > 0);
}

static void say(struct buf *b, const char *what)
{
	(void)buf_printf(b, "%s%s", b->len ? "; " : "", what);
}

static void words(struct buf *b)
{
	if (SANITIZED)
		say(b, "sanitizer build: no memory limit, more system calls");
	if (!known.seccomp)
		say(b, "no seccomp (kernel)");
	if (known.landlock_abi == 0)
		say(b, "no Landlock (kernel)");
	else if (known.landlock_abi < LANDLOCK_ABI_TRUNCATE)
		(void)buf_printf(b, "%sLandlock ABI %d: truncation left to seccomp", b->len ? "; " : "", known.landlock_abi);
	if (known.landlock_abi == 0 && !known.chrooted)
		say(b, "no chroot: readers of folders can read outside them");
	if (b->len == 0)
		say(b, "full");
}

struct str sandbox_describe(void)
{
	static struct buf text;
	struct err err = { 0 };
	buf_done(&text);
	buf_init(&text, 2048);
	if (!sandbox_enabled())
		say(&text, "off (--no-sandbox)");
	else if (!enough_is_known() && probe(&err) < 0)
		(void)buf_printf(&text, "unknown: %s", err.text);
	else
		words(&text);
	return buf_view(&text);
}
