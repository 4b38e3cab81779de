/* Connecting: see dial.h. Nothing of the user's text becomes an option of ssh or a word for a remote shell: names were
 * checked by endpoint_parse, and "--" stands before the host. */
#include "net/dial.h"

#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

#define SSH_CONNECT_SECONDS "30"
#define SSH_END_MS_MAX 2000
#define SSH_ARGS_MAX 20

/* --- Unix sockets -------------------------------------------------------------------------------------------------- */

static int unix_error(const struct endpoint *e, struct err *err)
{
	struct str name = e->name;
	switch (errno) {
	case ENOENT:
	case ENOTDIR:
		return err_set(err, ERR_ABSENT, "there is no engine at %.*s: no such socket", STR_ARG(name));
	case ECONNREFUSED:
		return err_set(err, ERR_ABSENT, "the engine at %.*s is not running: nobody listens at its socket", STR_ARG(name));
	case EACCES:
	case EPERM:
		return err_set(err, ERR_ACCESS, "the engine's socket %.*s is not for this user: it wants root, or membership of the "
		                                "socket's group (docker)",
		               STR_ARG(name));
	case EAGAIN:
		return err_set(err, ERR_NET, "the engine at %.*s takes no connection (for %u seconds)", STR_ARG(name),
		               ENGINE_ANSWER_SECONDS);
	default:
		return err_set(err, ERR_NET, "the engine at %.*s: %m", STR_ARG(name));
	}
}

/* Whether a process of this user without capabilities can open it; only root has any. */
static bool own_socket(const char *path)
{
	struct stat st;
	return geteuid() != 0 || (stat(path, &st) == 0 && st.st_uid == 0);
}

static int dial_unix(const struct endpoint *e, struct dial *ret, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = ENGINE_ANSWER_SECONDS }, none = { 0 };
	size_t n = strlen(e->socket);
	if (n >= sizeof(address.sun_path))
		return err_set(err, ERR_USAGE, "%.*s is too long for a socket", STR_ARG(e->name));
	memcpy(address.sun_path, e->socket, n);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(err, ERR_IO, "socket: %m");
	/* The queue of an engine that hangs fills up, and then connect waits. */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		int rc = unix_error(e, err);
		(void)close(fd);
		return rc;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof(none));
	if (own_socket(e->socket))
		(void)close(fd);
	else
		ret->fd = fd;
	return 0;
}

/* --- ssh ----------------------------------------------------------------------------------------------------------- */

static void make_args(struct arena *a, const struct endpoint *e, const char *args[SSH_ARGS_MAX])
{
	static const char *const first[] = { "ssh", "-T", "-o", ("ConnectTimeout=" SSH_CONNECT_SECONDS) };
	size_t n = 0;
	for (size_t i = 0; i < COUNT_OF(first); i++)
		args[n++] = first[i];
	if (e->ssh_user) {
		args[n++] = "-l";
		args[n++] = e->ssh_user;
	}
	if (e->ssh_port) {
		args[n++] = "-p";
		args[n++] = e->ssh_port;
	}
	args[n++] = "--";
	args[n++] = e->ssh_host;
	args[n++] = "docker";
	if (e->socket) {
		args[n++] = "--host";
		args[n++] = arena_printf(a, "unix://%s", e->socket).ptr;
	}
	args[n++] = "system";
	args[n++] = "dial-stdio";
	args[n] = NULL;
}

static int spawn(const struct endpoint *e, int end, pid_t *ret)
{
	struct arena *ARENA_AUTO a = arena_new();
	const char *args[SSH_ARGS_MAX];
	char *argv[SSH_ARGS_MAX] = { 0 };
	posix_spawn_file_actions_t files;
	make_args(a, e, args);
	for (size_t i = 0; args[i]; i++)
		argv[i] = str_cstr(a, str_from(args[i]));
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, end, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, end, STDOUT_FILENO);
	int rc = posix_spawnp(ret, "ssh", &files, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	return rc;
}

static int dial_ssh(const struct endpoint *e, struct dial *ret, struct err *err)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return err_set(err, ERR_IO, "socketpair: %m");
	int rc = spawn(e, ends[1], &ret->ssh);
	(void)close(ends[1]);
	if (rc == 0) {
		ret->fd = ends[0];
		return 0;
	}
	(void)close(ends[0]);
	ret->ssh = 0;
	return err_set(err, rc == ENOENT ? ERR_ABSENT : ERR_IO, "ssh, which %.*s needs, cannot be started: %s", STR_ARG(e->name),
	               strerror(rc));
}

/* ssh ends when its standard input does, unless the other side hangs. */
static void end_ssh(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0u);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int rc = 0;
	if (fd >= 0) {
		do
			rc = poll(&p, 1, SSH_END_MS_MAX);
		while (rc < 0 && errno == EINTR);
		(void)close(fd);
	}
	if (rc == 0)
		(void)kill(pid, SIGTERM);
}

/* --- both ---------------------------------------------------------------------------------------------------------- */

int dial_open(const struct endpoint *e, struct dial *ret, struct err *err)
{
	struct dial d = { 0 };
	int rc = 0;
	if (e->kind == ENDPOINT_UNIX)
		rc = dial_unix(e, &d, err);
	else if (e->kind == ENDPOINT_SSH)
		rc = dial_ssh(e, &d, err);
	if (rc == 0)
		*ret = d;
	return rc;
}

void dial_hand_over(struct dial *d)
{
	if (d->fd > 0)
		(void)close(d->fd);
	d->fd = 0;
}

int dial_close(struct dial *d)
{
	int status = 0;
	pid_t got;
	dial_hand_over(d);
	if (d->ssh <= 0)
		return 0;
	end_ssh(d->ssh);
	do
		got = waitpid(d->ssh, &status, 0);
	while (got < 0 && errno == EINTR);
	d->ssh = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
