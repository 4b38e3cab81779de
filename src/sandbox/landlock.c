/* Landlock by system call: what a worker may do with paths, as a second wall behind seccomp, which sees no path.
 * The definitions are our own because Debian 12's headers end at ABI 2; numbers and meanings are those of the kernel's
 * Documentation/userspace-api/landlock.rst. Must never pass a right that the running kernel does not know: it refuses
 * the whole ruleset then. */
#include "base/base.h"
#include "sandbox/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
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
#define NET_BIND_TCP (UINT64_C(1) << 0)
#define NET_CONNECT_TCP (UINT64_C(1) << 1)
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

/* What resolvers and TLS libraries read, on the distributions that we know; never the folders where private keys lie
 * beside (/etc/ssl, /etc/pki). A link leads on to what it names when this is applied. */
static const char *const net_paths[] = {
	"/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/services",
	"/etc/protocols", "/run/systemd/resolve", "/run/NetworkManager/resolv.conf",
	"/etc/ssl/certs", "/etc/ssl/cert.pem", "/etc/ssl/ca-bundle.pem", "/etc/ssl/openssl.cnf",
	"/etc/pki/tls/certs", "/etc/pki/tls/cert.pem", "/etc/pki/tls/openssl.cnf", "/etc/pki/ca-trust", "/etc/ca-certificates",
	"/etc/crypto-policies", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates", "/usr/share/pki",
	"/usr/share/crypto-policies", "/var/lib/ca-certificates",
};

static int allow_fd(int ruleset, int fd, uint64_t access)
{
	struct path_beneath_attr rule = { .allowed_access = access, .parent_fd = fd };
	return (int)syscall(NR_LANDLOCK_ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0u);
}

/* What is not there needs no rule. */
static int allow_path(int ruleset, const char *path, struct err *err)
{
	struct stat st;
	int fd = path ? open(path, O_PATH | O_CLOEXEC) : -1;
	if (fd < 0)
		return 0;
	int rc = 0;
	if (fstat(fd, &st) == 0 && (S_ISDIR(st.st_mode) || S_ISREG(st.st_mode)) &&
	    allow_fd(ruleset, fd, FS_READ_FILE | (S_ISDIR(st.st_mode) ? FS_READ_DIR : 0)) < 0)
		rc = err_set(err, ERR_IO, "Landlock rule for %s: %m", path);
	(void)close(fd);
	return rc;
}

static int allow_reading(int ruleset, const struct worker_spec *spec, struct err *err)
{
	if (spec->kind == WORKER_TREE && allow_fd(ruleset, spec->root_fd, FS_READ_FILE | FS_READ_DIR) < 0)
		return err_set(err, ERR_IO, "Landlock rule for the folder: %m");
	int rc = 0;
	for (size_t i = 0; spec->kind == WORKER_NET && i < COUNT_OF(net_paths) && rc == 0; i++)
		rc = allow_path(ruleset, net_paths[i], err);
	/* OpenSSL's own variables for the user's authorities. */
	if (spec->kind == WORKER_NET && rc == 0)
		rc = allow_path(ruleset, getenv("SSL_CERT_FILE"), err);
	if (spec->kind == WORKER_NET && rc == 0)
		rc = allow_path(ruleset, getenv("SSL_CERT_DIR"), err);
	return rc;
}

int landlock_apply(const struct worker_spec *spec, struct err *err)
{
	int abi = landlock_abi();
	if (abi == 0)
		return 0;
	size_t row = (size_t)abi < COUNT_OF(abi_bits) ? (size_t)abi : COUNT_OF(abi_bits) - 1;
	struct ruleset_attr attr = {
		.handled_access_fs = BITS(abi_bits[row].fs),
		.handled_access_net = BITS(abi_bits[row].net) & (spec->kind == WORKER_NET ? NET_BIND_TCP : NET_BIND_TCP | NET_CONNECT_TCP),
		.scoped = BITS(abi_bits[row].scoped),
	};
	int ruleset = (int)syscall(NR_LANDLOCK_CREATE_RULESET, &attr, sizeof(attr), 0u);
	if (ruleset < 0)
		return err_set(err, ERR_IO, "Landlock ruleset (ABI %d): %m", abi);
	int rc = allow_reading(ruleset, spec, err);
	if (rc == 0 && syscall(NR_LANDLOCK_RESTRICT_SELF, ruleset, 0u) < 0) {
		/* Sixteen rulesets are one inside the other already: as good as a kernel without. */
		rc = errno == E2BIG ? 1 : err_set(err, ERR_IO, "Landlock: %m");
	}
	(void)close(ruleset);
	return rc < 0 ? rc : rc == 1 ? 0 : abi;
}
