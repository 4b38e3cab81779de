/* See http_peer.h. Must never outlive its test: it dies with its parent. */
#include "http_peer.h"
#include "base/base.h"

#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static struct str read_request(int fd, char *room, size_t size)
{
	size_t n = 0;
	while (n < size) {
		ssize_t got = read(fd, room + n, size - n);
		if (got <= 0)
			break;
		n += (size_t)got;
		if (room[0] == 0x16) /* who speaks TLS to us gets an answer, too */
			break;
		if (str_find_str((struct str){ room, n }, STR("\r\n\r\n")) >= 0)
			break;
	}
	return (struct str){ room, n };
}

static _Noreturn void serve(const struct http_peer *p, http_peer_answer answer, void *ctx)
{
	static char room[65536];
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int fd = accept(p->listener, NULL, NULL);
		if (fd < 0)
			_exit(0);
		/* One process a connection, so that a kept one holds up nobody. */
		if (fork() == 0) {
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			(void)alarm(100);
			for (;;) {
				struct str request = read_request(fd, room, sizeof(room));
				if (request.len == 0 || !answer(fd, request, ctx))
					_exit(0);
			}
		}
		(void)close(fd);
	}
}

void http_peer_start(struct http_peer *p, const char *path, http_peer_answer answer, void *ctx)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_un named = { .sun_family = AF_UNIX };
	socklen_t size = sizeof(at);
	*p = (struct http_peer){ .listener = socket(path ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	(void)snprintf(p->path, sizeof(p->path), "%s", path ? path : "");
	(void)snprintf(named.sun_path, sizeof(named.sun_path), "%s", p->path);
	int rc = path ? bind(p->listener, (const struct sockaddr *)&named, sizeof(named))
	              : bind(p->listener, (const struct sockaddr *)&at, sizeof(at));
	if (rc < 0 || listen(p->listener, 100) < 0) {
		perror("a server for the tests");
		exit(1);
	}
	if (!path && getsockname(p->listener, (struct sockaddr *)&at, &size) == 0)
		p->port = ntohs(at.sin_port);
	p->pid = fork();
	if (p->pid == 0)
		serve(p, answer, ctx);
}

void http_peer_stop(struct http_peer *p)
{
	(void)kill(p->pid, SIGKILL);
	(void)waitpid(p->pid, NULL, 0);
	(void)close(p->listener);
	if (p->path[0])
		(void)unlink(p->path);
}

bool http_peer_asks(struct str request, const char *what)
{
	struct str w = str_from(what);
	return str_starts(request, w) && request.len > w.len && (request.ptr[w.len] == ' ' || request.ptr[w.len] == '?');
}

struct str http_peer_header(struct str request, const char *name)
{
	for (struct str line; str_cut(&request, '\n', &line);) {
		struct str head;
		if (str_find(line, ':') > 0 && str_cut(&line, ':', &head) && str_eq_nocase(head, str_from(name)))
			return str_trim(line);
	}
	return (struct str){ 0 };
}

void http_peer_say(int fd, const char *format, ...)
{
	struct buf BUF_AUTO b = { 0 };
	va_list args;
	buf_init(&b, 16 * MIB);
	va_start(args, format);
	(void)buf_vprintf(&b, format, args);
	va_end(args);
	for (size_t at = 0; at < b.len;) {
		ssize_t n = write(fd, b.ptr + at, b.len - at);
		if (n <= 0)
			_exit(0);
		at += (size_t)n;
	}
}
