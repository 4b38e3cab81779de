/* Runs a credential helper: see helper.h. The only place of this room that starts another program. */
#include "net/helper.h"
#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static bool name_valid(struct str name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!ascii_alnum(name.ptr[i]) && name.ptr[i] != '-' && name.ptr[i] != '_' && name.ptr[i] != '.')
			return false;
	return name.len > 0 && name.len < 100;
}

static void close_ends(const int ends[2])
{
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static int spawn(struct arena *a, struct str name, int in, int out, pid_t *ret)
{
	char *program = str_cstr(a, arena_printf(a, "docker-credential-%.*s", STR_ARG(name)));
	char get[] = "get";
	char *const argv[] = { program, get, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_adddup2(&actions, in, 0);
	(void)posix_spawn_file_actions_adddup2(&actions, out, 1);
	(void)posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	int rc = posix_spawnp(ret, program, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

/* Until it closes its output, is too long or takes too long. */
static bool read_output(int fd, struct buf *b)
{
	time_t end = time(NULL) + HELPER_SECONDS_MAX;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	while (buf_reserve(b, 4096) && time(NULL) <= end) {
		int rc = poll(&p, 1, 1000);
		if (rc == 0 || (rc < 0 && errno == EINTR))
			continue;
		ssize_t n = read(fd, b->ptr + b->len, 4096);
		if (n == 0)
			return true;
		if (n < 0)
			return false;
		b->len += (size_t)n;
	}
	return false;
}

/* The server's name is shorter than any pipe. */
static void write_server(int fd, struct str server)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
	(void)sigaction(SIGPIPE, &ignore, &before);
	(void)!write(fd, server.ptr, server.len);
	(void)sigaction(SIGPIPE, &before, NULL);
}

static int talk(struct arena *a, struct str name, struct str server, struct buf *out, int *ret_status, struct err *err)
{
	int in[2], back[2];
	pid_t pid;
	if (pipe2(in, O_CLOEXEC) < 0)
		return err_set(err, ERR_IO, "pipe: %m");
	if (pipe2(back, O_CLOEXEC) < 0) {
		close_ends(in);
		return err_set(err, ERR_IO, "pipe: %m");
	}
	int rc = spawn(a, name, in[0], back[1], &pid);
	if (rc) {
		close_ends(in);
		close_ends(back);
		return err_set(err, rc == ENOENT ? ERR_ABSENT : ERR_IO, "it cannot be started: %s", strerror(rc));
	}
	(void)close(in[0]);
	(void)close(back[1]);
	write_server(in[1], server);
	(void)close(in[1]);
	bool whole = read_output(back[0], out);
	(void)close(back[0]);
	if (!whole)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
		;
	return whole ? 0 : err_set(err, ERR_IO, "it says too much, or nothing in %u seconds", HELPER_SECONDS_MAX);
}

int helper_get(struct arena *a, struct str name, struct str server, struct str *ret, struct err *err)
{
	struct buf BUF_AUTO out = { 0 };
	int status = 0;
	buf_init(&out, HELPER_OUTPUT_SIZE_MAX);
	if (!name_valid(name))
		return err_set(err, ERR_USAGE, "this is no name of a credential helper");
	int rc = talk(a, name, server, &out, &status, err);
	if (rc < 0)
		return rc;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return err_set(err, ERR_NOT_FOUND, "it has nothing for %.*s", STR_ARG(server));
	*ret = str_dup(a, buf_view(&out));
	return 0;
}
