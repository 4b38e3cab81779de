/* Landlock by system call: what a worker may do with paths, as a second wall behind seccomp, which sees no path.
 * The definitions are our own because Debian 12's headers end at ABI 2; numbers and meanings are those of the kernel's
 * Documentation/userspace-api/landlock.rst. Must never pass a right that the running kernel does not know: it refuses
 * the whole ruleset then. */
#include "base/base.h"
#include "sandbox/confine.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The same on every architecture. */
#define NR_LANDLOCK_CREATE_RULESET 444
#define NR_LANDLOCK_ADD_RULE 445
#define NR_LANDLOCK_RESTRICT_SELF 446

#define CREATE_RULESET_VERSION 1u
#define RULE_PATH_BENEATH 1

#define FS_READ_FILE (UINT64_C(1) << 2)
#define FS_READ_DIR (UINT64_C(1) << 3)
#define BITS(n) ((UINT64_C(1) << (n)) - 1)

struct ruleset_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net; /* ABI 4 */
	uint64_t scoped;             /* ABI 6 */
};

struct path_beneath_attr {
	uint64_t allowed_access;
	int32_t parent_fd;
} __attribute__((packed));

/* What each ABI added, as the number of low bits that it knows: file-system rights (13 at first; renaming across folders;
 * truncation; ioctl on devices), TCP bind and connect, scopes (abstract Unix sockets, signals). */
static const struct {
	unsigned fs, net, scoped;
} abi_bits[] = {
	{ 0, 0, 0 }, { 13, 0, 0 }, { 14, 0, 0 }, { 15, 0, 0 }, { 15, 2, 0 }, { 16, 2, 0 }, { 16, 2, 2 },
};

static int abi_limit = -1;

void landlock_limit(int abi_max)
{
	abi_limit = abi_max;
	describe_forget();
}

int landlock_abi(void)
{
	/* ENOSYS: not built in; EOPNOTSUPP: off at boot; EPERM: an outer filter (old container engines). */
	long abi = syscall(NR_LANDLOCK_CREATE_RULESET, NULL, (size_t)0, CREATE_RULESET_VERSION);
	if (abi < 0)
		return 0;
	return abi_limit >= 0 && abi > abi_limit ? abi_limit : (int)abi;
}

static int allow_reading(int ruleset, int root_fd, struct err *err)
{
	struct path_beneath_attr rule = { .allowed_access = FS_READ_FILE | FS_READ_DIR, .parent_fd = root_fd };
	if (syscall(NR_LANDLOCK_ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0u) < 0)
		return err_set(err, ERR_IO, "Landlock rule for the folder: %m");
	return 0;
}

int landlock_apply(int root_fd, struct err *err)
{
	int abi = landlock_abi();
	if (abi == 0)
		return 0;
	size_t row = (size_t)abi < COUNT_OF(abi_bits) ? (size_t)abi : COUNT_OF(abi_bits) - 1;
	struct ruleset_attr attr = {
		.handled_access_fs = BITS(abi_bits[row].fs),
		.handled_access_net = BITS(abi_bits[row].net),
		.scoped = BITS(abi_bits[row].scoped),
	};
	int ruleset = (int)syscall(NR_LANDLOCK_CREATE_RULESET, &attr, sizeof(attr), 0u);
	if (ruleset < 0)
		return err_set(err, ERR_IO, "Landlock ruleset (ABI %d): %m", abi);
	int rc = root_fd < 0 ? 0 : allow_reading(ruleset, root_fd, err);
	if (rc == 0 && syscall(NR_LANDLOCK_RESTRICT_SELF, ruleset, 0u) < 0) {
		/* Sixteen rulesets are one inside the other already: as good as a kernel without. */
		rc = errno == E2BIG ? 1 : err_set(err, ERR_IO, "Landlock: %m");
	}
	(void)close(ruleset);
	return rc < 0 ? rc : rc == 1 ? 0 : abi;
}
