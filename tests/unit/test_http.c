/* The HTTP client in the place it is made for, a confined net worker, against a server that misbehaves as asked:
 * redirects and what goes with them, waiting, trying again, resuming, caps, stalls, Unix sockets, sockets that are there
 * already, names that do not resolve. TLS and proxies are tested with the whole program (e2e). */
#include "net/http.h"
#include "../support/http_peer.h"
#include "base/base.h"
#include "sandbox/confine.h"
#include "sandbox/worker.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#define BODY_SIZE ((size_t)300000)

/* Shared with the server's processes. */
static struct shared {
	volatile unsigned requests;
	volatile bool authorised; /* the other host got an Authorization */
	char last_range[64], last_if_range[64];
} *shared;
static struct http_peer peer, other;
static char body[BODY_SIZE];

/* --- the server --- */

static void note_request(struct str request)
{
	shared->requests++;
	(void)snprintf(shared->last_range, sizeof(shared->last_range), "%.*s", STR_ARG(http_peer_header(request, "range")));
	(void)snprintf(shared->last_if_range, sizeof(shared->last_if_range), "%.*s",
	               STR_ARG(http_peer_header(request, "if-range")));
}

static void send_bytes(int fd, size_t from, size_t to)
{
	while (from < to) {
		ssize_t n = write(fd, body + from, to - from);
		if (n <= 0)
			_exit(0);
		from += (size_t)n;
	}
}

static size_t asked_from(struct str request)
{
	struct str range = http_peer_header(request, "range");
	uint64_t from = 0;
	(void)str_skip(&range, STR("bytes="));
	(void)str_drop(&range, STR("-"));
	return str_to_u64(range, &from) ? (size_t)from : 0;
}

/* Breaks off after 100,000 bytes of each answer. */
static void breaking(int fd, struct str request, bool ranges, const char *etag)
{
	size_t from = ranges ? asked_from(request) : 0;
	size_t to = from + 100000 < BODY_SIZE ? from + 100000 : BODY_SIZE;
	if (!ranges && shared->requests >= 3)
		to = BODY_SIZE;
	if (from)
		http_peer_say(fd, "HTTP/1.1 206 Partial\r\nContent-Range: bytes %zu-%zu/%zu\r\n", from, BODY_SIZE - 1, BODY_SIZE);
	else
		http_peer_say(fd, "HTTP/1.1 200 OK\r\n");
	http_peer_say(fd, "%sContent-Length: %zu\r\n\r\n", etag, BODY_SIZE - from);
	send_bytes(fd, from, to);
}

static bool bad_ways(int fd, struct str q)
{
	if (http_peer_asks(q, "GET /stall")) {
		http_peer_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
		(void)sleep(20);
	} else if (http_peer_asks(q, "GET /slow-header")) {
		http_peer_say(fd, "HTTP/1.1 200 OK\r\n");
		for (int i = 0; i < 100; i++) {
			http_peer_say(fd, "X-%d: a\r\n", i);
			(void)usleep(200000);
		}
	} else if (http_peer_asks(q, "GET /endless-headers")) {
		http_peer_say(fd, "HTTP/1.1 200 OK\r\n");
		for (;;)
			http_peer_say(fd, "X-Header: %0500d\r\n", 1);
	} else if (http_peer_asks(q, "GET /endless-body")) {
		http_peer_say(fd, "HTTP/1.1 200 OK\r\n\r\n");
		for (;;)
			send_bytes(fd, 0, BODY_SIZE);
	} else if (http_peer_asks(q, "GET /endless-error")) {
		http_peer_say(fd, "HTTP/1.1 404 No\r\n\r\n");
		for (;;)
			send_bytes(fd, 0, BODY_SIZE);
	} else if (http_peer_asks(q, "GET /no-http")) {
		http_peer_say(fd, "SSH-2.0-OpenSSH_9.2p1\r\n");
	} else {
		http_peer_say(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone");
		return true;
	}
	return false;
}

static bool serve_redirects(int fd, struct str q)
{
	const char *close = "Content-Length: 0\r\nConnection: close\r\n\r\n";
	if (http_peer_asks(q, "GET /to-other") || http_peer_asks(q, "POST /to-other"))
		http_peer_say(fd, "HTTP/1.1 307 T\r\nLocation: http://127.0.0.1:%u/seen\r\n%s", other.port, close);
	else if (http_peer_asks(q, "GET /to-same"))
		http_peer_say(fd, "HTTP/1.1 302 T\r\nLocation: whoami#here\r\n%s", close);
	else if (http_peer_asks(q, "GET /round"))
		http_peer_say(fd, "HTTP/1.1 302 T\r\nLocation: /round\r\n%s", close);
	else if (http_peer_asks(q, "GET /to-file"))
		http_peer_say(fd, "HTTP/1.1 302 T\r\nLocation: file:///etc/passwd\r\n%s", close);
	else if (http_peer_asks(q, "GET /to-user"))
		http_peer_say(fd, "HTTP/1.1 302 T\r\nLocation: http://a:b@127.0.0.1:%u/seen\r\n%s", other.port, close);
	else
		return false;
	return true;
}

static bool serve(int fd, struct str q, void *ctx)
{
	(void)ctx;
	note_request(q);
	if (serve_redirects(fd, q))
		return false;
	if (http_peer_asks(q, "GET /whoami")) {
		struct str who = http_peer_header(q, "authorization");
		http_peer_say(fd, "HTTP/1.1 200 OK\r\nX-Odd: a\tb\r\nContent-Length: %zu\r\n\r\n%.*s", who.len, STR_ARG(who));
		return true;
	}
	if (http_peer_asks(q, "GET /busy")) {
		bool first = shared->requests == 1;
		http_peer_say(fd, first ? "HTTP/1.1 429 Slow\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"
		                        : "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
		return true;
	}
	if (http_peer_asks(q, "GET /busy-long")) {
		http_peer_say(fd, "HTTP/1.1 429 Slow\r\nRetry-After: 7200\r\nContent-Length: 5\r\n\r\nlater");
		return true;
	}
	if (http_peer_asks(q, "GET /failing")) {
		http_peer_say(fd, "HTTP/1.1 502 Bad\r\nContent-Length: 3\r\n\r\nbad");
		return true;
	}
	if (http_peer_asks(q, "GET /reset")) /* twice nothing at all */
		return shared->requests > 2 ? (http_peer_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), true) : false;
	if (http_peer_asks(q, "GET /breaking"))
		return breaking(fd, q, true, "ETag: \"one\"\r\n"), false;
	if (http_peer_asks(q, "GET /breaking-no-ranges"))
		return breaking(fd, q, false, ""), false;
	if (http_peer_asks(q, "GET /changing")) { /* the second time it is something else */
		http_peer_say(fd, "HTTP/1.1 200 OK\r\nETag: \"%u\"\r\nContent-Length: %zu\r\n\r\n", shared->requests, BODY_SIZE);
		return send_bytes(fd, 0, shared->requests == 1 ? 100000 : BODY_SIZE), false;
	}
	if (http_peer_asks(q, "GET /wrong-range")) {
		http_peer_say(fd, "HTTP/1.1 206 P\r\nContent-Range: bytes 0-9/10\r\nContent-Length: 10\r\n\r\n0123456789");
		return true;
	}
	return bad_ways(fd, q);
}

static bool serve_other(int fd, struct str q, void *ctx)
{
	(void)ctx;
	if (http_peer_header(q, "authorization").len)
		shared->authorised = true;
	http_peer_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother");
	return true;
}

/* --- the worker --- */

static struct order {
	struct http_options options;
	struct http_request request;
	bool stream, with_begin;
	size_t size_max;
	struct http *http;
	uint64_t sum_size;
	uint64_t sum;
	unsigned begins, status_at_begin;
} order;

struct outcome {
	int code;
	unsigned status, begins;
	uint64_t size, taken, sum;
	unsigned odd; /* length of the header x-odd */
	char text[256];
};

static bool take(void *ctx, struct str bytes)
{
	(void)ctx;
	for (size_t i = 0; i < bytes.len; i++)
		order.sum = order.sum * 31 + (unsigned char)bytes.ptr[i];
	order.sum_size += bytes.len;
	return true;
}

static bool begin(void *ctx, const struct http_response *r)
{
	(void)ctx;
	order.begins++;
	order.status_at_begin = r->status;
	return true;
}

static int prepare(void *arg, struct err *err)
{
	(void)arg;
	return http_open(&order.options, &order.http, err);
}

static int run(struct worker_io *io, void *arg)
{
	(void)arg;
	struct arena *ARENA_AUTO a = arena_new();
	struct http_response r = { 0 };
	struct err err = { 0 };
	struct http_sink sink = { .take = take, .begin = order.with_begin ? begin : NULL };
	struct outcome o = { 0 };
	o.code = order.stream ? http_stream(order.http, a, &order.request, &sink, &r, &err)
	                      : http_fetch(order.http, a, &order.request, order.size_max ? order.size_max : MIB, &r, &err);
	o.status = r.status;
	o.size = r.size;
	o.begins = order.begins;
	o.taken = order.sum_size;
	o.sum = order.sum;
	o.odd = (unsigned)http_header(&r, "x-odd").len;
	(void)snprintf(o.text, sizeof(o.text), "%.*s", o.code < 0 ? (int)sizeof(o.text) - 1 : str_len_int(str_sub(r.body, 0, 200)),
	               o.code < 0 ? err.text : r.body.ptr ? r.body.ptr : "");
	worker_io_send(io, 1, (struct str){ (const char *)&o, sizeof(o) });
	http_close(order.http);
	return 0;
}

static struct outcome ask(const char *path, bool stream)
{
	char url[128];
	struct err err = { 0 };
	struct worker *w = NULL;
	struct frame f;
	struct outcome o = { .code = -99 };
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", peer.port, path);
	if (!order.request.url)
		order.request.url = url;
	order.stream = stream;
	memset(shared, 0, sizeof(*shared));
	struct worker_spec spec = { .name = "net", .kind = WORKER_NET, .run = run, .prepare = prepare };
	spec.unix_sockets = order.options.unix_socket != NULL;
	if (order.options.connected_fd > 0) {
		spec.fds[0] = order.options.connected_fd;
		spec.fd_count = 1;
	}
	assert_int_equal(worker_start(&spec, &w, &err), 0);
	if (worker_recv(w, 4096, &f, &err) == 1 && f.payload.len == sizeof(o))
		memcpy(&o, f.payload.ptr, sizeof(o));
	if (worker_finish(w, &err) < 0)
		print_error("%s: %s\n", path, err.text);
	order = (struct order){ 0 };
	return o;
}

static bool says(const struct outcome *o, const char *what)
{
	bool is = str_contains(str_from(o->text), str_from(what));
	if (!is)
		print_error("it says \"%s\", not \"%s\"\n", o->text, what);
	return is;
}

static uint64_t whole_sum(void)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < BODY_SIZE; i++)
		sum = sum * 31 + (unsigned char)body[i];
	return sum;
}

/* --- tests --- */

static void answers_are_answers(void **state)
{
	(void)state;
	struct outcome o = ask("/none", false);
	assert_int_equal(o.code, 0);
	assert_int_equal(o.status, 404);
	assert_true(says(&o, "none"));
	order.request.authorization = STR("Bearer x");
	o = ask("/whoami", false);
	assert_int_equal(o.status, 200);
	assert_true(says(&o, "Bearer x"));
	assert_int_equal(o.odd, 3);
	order.request.authorization = STR("Bearer x\r\nX-Evil: 1");
	o = ask("/whoami", false);
	assert_int_equal(o.code, ERR_FORMAT);
	assert_int_equal(shared->requests, 0);
}

static void redirects(void **state)
{
	(void)state;
	order.request.authorization = STR("Basic secret");
	struct outcome o = ask("/to-other", false);
	assert_int_equal(o.status, 200);
	assert_true(says(&o, "other"));
	assert_false(shared->authorised);
	order.request.authorization = STR("Basic secret");
	o = ask("/to-same", false);
	assert_true(says(&o, "Basic secret"));
	order.request.authorization = STR("Basic secret");
	o = ask("/to-user", false);
	assert_int_equal(o.code, ERR_NET);
	o = ask("/round", false);
	assert_int_equal(o.code, ERR_NET);
	assert_true(says(&o, "HTTP_REDIRECTS_MAX"));
	assert_int_equal(shared->requests, HTTP_REDIRECTS_MAX + 1);
	o = ask("/to-file", false);
	assert_int_equal(o.code, ERR_NET);
	assert_true(says(&o, "no http address"));
	order.request.method = HTTP_POST;
	order.request.body = STR("refresh_token=secret");
	o = ask("/to-other", false);
	assert_int_equal(o.code, ERR_NET);
	assert_true(says(&o, "posted"));
}

static void waits_and_tries_again(void **state)
{
	(void)state;
	struct timespec before, after;
	(void)clock_gettime(CLOCK_MONOTONIC, &before);
	struct outcome o = ask("/busy", false);
	(void)clock_gettime(CLOCK_MONOTONIC, &after);
	assert_int_equal(o.status, 200);
	assert_int_equal(shared->requests, 2);
	assert_true(after.tv_sec - before.tv_sec >= 1);
	o = ask("/busy-long", false);
	assert_int_equal(o.status, 429);
	assert_int_equal(shared->requests, 1);
	order.options.tries = 3;
	o = ask("/failing", false);
	assert_int_equal(o.code, 0);
	assert_int_equal(o.status, 502);
	assert_int_equal(shared->requests, 3);
	o = ask("/reset", false);
	assert_int_equal(o.status, 200);
	assert_int_equal(shared->requests, 3);
}

static void resumes(void **state)
{
	(void)state;
	struct outcome o = ask("/breaking", true);
	assert_int_equal(o.code, 0);
	assert_int_equal(o.taken, BODY_SIZE);
	assert_int_equal(o.sum, whole_sum());
	assert_int_equal(o.size, BODY_SIZE);
	assert_int_equal(shared->requests, 3);
	assert_string_equal(shared->last_range, "bytes=200000-");
	assert_string_equal(shared->last_if_range, "\"one\"");
	order.request.immutable = true;
	o = ask("/breaking-no-ranges", true);
	assert_int_equal(o.code, 0);
	assert_int_equal(o.sum, whole_sum());
	assert_int_equal(o.taken, BODY_SIZE);
	assert_int_equal(shared->requests, 3);
	o = ask("/breaking-no-ranges", true);
	assert_int_equal(o.code, ERR_NET);
	assert_int_equal(o.taken, 100000);
	o = ask("/changing", true);
	assert_int_equal(o.code, ERR_NET);
	assert_true(says(&o, "changed"));
	assert_int_equal(o.taken, 100000);
	order.request.from = 5;
	o = ask("/wrong-range", true);
	assert_int_equal(o.code, ERR_NET);
	assert_int_equal(o.taken, 0);
}

/* What the caller has already: it is told whether the rest or the whole comes. */
static void begins_where_it_says(void **state)
{
	(void)state;
	order.request.from = 200000;
	order.with_begin = true;
	struct outcome o = ask("/breaking", true);
	assert_int_equal(o.code, 0);
	assert_int_equal(o.taken, 100000);
	assert_int_equal(o.begins, 1);
	order.request.from = 200000;
	order.with_begin = true;
	o = ask("/breaking-no-ranges", true);
	assert_int_equal(o.begins, 1);
	assert_int_equal(o.taken, 100000); /* and then it breaks, and cannot be resumed */
	assert_int_equal(o.code, ERR_NET);
	order.with_begin = true;
	o = ask("/none", true);
	assert_int_equal(o.begins, 0);
	assert_int_equal(o.taken, 0);
	assert_true(says(&o, "none"));
}

static void caps(void **state)
{
	(void)state;
	struct outcome o = ask("/endless-headers", false);
	assert_int_equal(o.code, ERR_LIMIT);
	assert_true(says(&o, "HTTP_HEADERS_SIZE_MAX"));
	order.size_max = 1000;
	o = ask("/endless-body", false);
	assert_int_equal(o.code, ERR_LIMIT);
	o = ask("/endless-error", false);
	assert_int_equal(o.code, 0);
	assert_int_equal(o.status, 404);
	o = ask("/no-http", false);
	assert_int_equal(o.code, ERR_NET);
	order.options.stall_seconds = 1;
	order.options.tries = 2;
	o = ask("/stall", true);
	assert_int_equal(o.code, ERR_NET);
	assert_true(says(&o, "time-out"));
	assert_int_equal(shared->requests, 2);
	order.options.stall_seconds = 1;
	order.options.tries = 1;
	o = ask("/slow-header", false);
	assert_int_equal(o.code, ERR_NET);
	assert_true(says(&o, "time-out"));
}

static void no_way_there(void **state)
{
	(void)state;
	order.request.url = "http://no-such-host.invalid/";
	struct outcome o = ask("", false);
	assert_int_equal(o.code, ERR_NET);
	assert_true(says(&o, "name"));
	order.request.url = "http://127.0.0.1:1/";
	o = ask("", false);
	assert_int_equal(o.code, ERR_NET);
	assert_true(says(&o, "no connection to 127.0.0.1:1"));
	order.request.url = "file:///etc/passwd";
	o = ask("", false);
	assert_int_equal(o.code, ERR_FORMAT);
	order.request.url = "http://user:pass@127.0.0.1/";
	o = ask("", false);
	assert_int_equal(o.code, ERR_FORMAT);
	char url[64];
	(void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/", peer.port);
	order.request.url = url;
	o = ask("", false);
	assert_int_equal(o.code, ERR_NET);
	assert_true(says(&o, "TLS"));
	order.options.ca_only = "/nonexistent/ca.pem";
	o = ask("/none", false);
	assert_int_equal(o.code, -99);
	/* By name, through the resolver and its thread. */
	(void)snprintf(url, sizeof(url), "http://localhost:%u/none", peer.port);
	order.request.url = url;
	o = ask("", false);
	assert_int_equal(o.status, 404);
}

static void unix_and_ready_sockets(void **state)
{
	(void)state;
	char path[64];
	(void)snprintf(path, sizeof(path), "/tmp/plimsoll-http-%d", (int)getpid());
	struct http_peer here;
	http_peer_start(&here, path, serve_other, NULL);
	order.options.unix_socket = path;
	order.request.url = "http://docker/v1.24/info";
	struct outcome o = ask("", false);
	assert_true(says(&o, "other"));
	http_peer_stop(&here);
	order.options.unix_socket = path;
	order.request.url = "http://docker/v1.24/info";
	o = ask("", false);
	assert_int_equal(o.code, ERR_NET);
	assert_true(says(&o, path) && says(&o, "No such file"));
	int ends[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		char room[4096];
		(void)close(ends[0]);
		(void)alarm(20);
		ssize_t n = read(ends[1], room, sizeof(room));
		_exit(n > 0 && serve_other(ends[1], (struct str){ room, (size_t)n }, NULL) ? 0 : 1);
	}
	order.options.connected_fd = ends[0];
	order.request.url = "http://docker.example/info";
	o = ask("", false);
	assert_true(says(&o, "other"));
	(void)close(ends[0]);
	(void)close(ends[1]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* The rest again with the rights of older kernels, and as it is without a sandbox. */
static void everywhere(void **state)
{
	static const int abis[] = { 0, 1, 2 };
	for (size_t i = 0; i < COUNT_OF(abis); i++) {
		landlock_limit(abis[i]);
		answers_are_answers(state);
		no_way_there(state);
		unix_and_ready_sockets(state);
	}
	landlock_limit(-1);
	sandbox_setup(false);
	answers_are_answers(state);
	no_way_there(state);
	sandbox_setup(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_answers), cmocka_unit_test(redirects),
		cmocka_unit_test(waits_and_tries_again), cmocka_unit_test(resumes),
		cmocka_unit_test(begins_where_it_says), cmocka_unit_test(caps),
		cmocka_unit_test(no_way_there), cmocka_unit_test(unix_and_ready_sockets),
		cmocka_unit_test(everywhere),
	};
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(shared != MAP_FAILED);
	for (size_t i = 0; i < BODY_SIZE; i++)
		body[i] = (char)('a' + (i * 7 + i / 251) % 26);
	http_peer_start(&other, NULL, serve_other, NULL);
	http_peer_start(&peer, NULL, serve, NULL);
	int rc = cmocka_run_group_tests(tests, NULL, NULL);
	http_peer_stop(&peer);
	http_peer_stop(&other);
	return rc;
}
