/* What reaches standard error: levels, control characters, and a progress line on terminals only. */
#include "base/log.h"
#include "base/base.h"

#include <fcntl.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static char output[65536];

/* Runs `what` in a child whose standard error is a pipe or a terminal of 40 columns; what it wrote is in `output`. */
static void collect(void (*what)(void), bool terminal)
{
	int ends[2];
	struct winsize size = { .ws_row = 24, .ws_col = 40 };
	if (terminal)
		assert_int_equal(openpty(&ends[0], &ends[1], NULL, NULL, &size), 0);
	else
		assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		(void)dup2(ends[1], STDERR_FILENO);
		what();
		_exit(0);
	}
	(void)close(ends[1]);
	size_t len = 0;
	for (;;) {
		ssize_t n = read(ends[0], output + len, sizeof(output) - 1 - len);
		if (n <= 0) /* a terminal whose other side is closed gives EIO */
			break;
		len += (size_t)n;
	}
	output[len] = '\0';
	(void)close(ends[0]);
	int status = -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void say_all(void)
{
	log_warn("warned %d", 1);
	log_verbose("talk\x1b[31m\n\xc2\x9b" "end");
	log_error("%s", "failed");
}

static void quiet(void) { log_setup(LOG_QUIET), say_all(); }
static void verbose(void) { log_setup(LOG_VERBOSE), say_all(); }

static void levels(void **state)
{
	(void)state;
	collect(say_all, false);
	assert_string_equal(output, "plimsoll: warning: warned 1\nplimsoll: failed\n");
	collect(quiet, false);
	assert_string_equal(output, "plimsoll: failed\n");
	collect(verbose, false);
	assert_string_equal(output, "plimsoll: warning: warned 1\nplimsoll: talk?[31m???end\nplimsoll: failed\n");
}

static void work(void)
{
	for (uint64_t i = 0; i <= 90; i++) {
		progress_set("a layer whose name is\x1b[31m far too long for the line", i * 1000000, i < 80 ? 100000000 : 0);
		(void)usleep(10000);
	}
	log_warn("in between");
	progress_end();
}

static void quick(void)
{
	for (uint64_t i = 0; i < 1000; i++)
		progress_set("quick", i, 1000);
	progress_end();
}

static void quiet_work(void)
{
	log_setup(LOG_QUIET);
	work();
}

static unsigned count_of(const char *what)
{
	unsigned n = 0;
	for (const char *p = output; (p = strstr(p, what)); p += strlen(what))
		n++;
	return n;
}

static void progress_on_a_terminal(void **state)
{
	(void)state;
	(void)setenv("TERM", "xterm", 1);
	collect(work, true);
	unsigned draws = count_of("\r\x1b[K");
	assert_in_range(draws, 2, 7); /* of 0.9 seconds the first half is silent, then ten a second, then it is cleared */
	assert_non_null(strstr(output, "%  "));
	assert_non_null(strstr(output, " MB  a layer"));
	assert_non_null(strstr(output, "\r\x1b[Kplimsoll: warning: in between\r\n"));
	assert_null(strstr(output, "\x1b[31m"));
	for (const char *line = output; (line = strstr(line, "\x1b[K")); line += 3)
		assert_true(strcspn(line + 3, "\r\n") < 40);
}

static void no_progress_elsewhere(void **state)
{
	(void)state;
	(void)setenv("TERM", "xterm", 1);
	collect(work, false);
	assert_string_equal(output, "plimsoll: warning: in between\n");
	collect(quick, true);
	assert_string_equal(output, "");
	collect(quiet_work, true);
	assert_string_equal(output, "");
	(void)setenv("TERM", "dumb", 1);
	collect(work, true);
	assert_string_equal(output, "plimsoll: warning: in between\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels),
		cmocka_unit_test(progress_on_a_terminal),
		cmocka_unit_test(no_progress_elsewhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
