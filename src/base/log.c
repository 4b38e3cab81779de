/* Warnings and the progress line on standard error: see log.h.
 * Text may quote names from an image: control characters never reach the terminal. Nothing here writes to standard
 * output, and nothing is drawn where standard error is no terminal. */
#include "base/log.h"
#include "base/base.h"

#include <pthread.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define FIRST_DRAW_MS 500u
#define REDRAW_MS 100u
#define COLUMNS_DEFAULT 80u
#define LINE_MAX_BYTES 512u

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static enum log_level level = LOG_NORMAL;

static struct {
	bool running, drawn;
	int terminal; /* 0 not asked yet, 1 yes, -1 no */
	uint64_t started_ms, drawn_ms;
} progress;

void log_setup(enum log_level l)
{
	level = l;
	progress.terminal = 0;
}

static uint64_t now_ms(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* C0 and DEL become '?', and so do the bytes that would make a C1 control in UTF-8. */
static void clean(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p; p++) {
		if (*p < 0x20 || *p == 0x7f)
			*p = '?';
		else if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
			p[0] = p[1] = '?';
	}
}

static void clear_line(void)
{
	if (progress.drawn)
		(void)fputs("\r\x1b[K", stderr);
	progress.drawn = false;
}

static __attribute__((format(printf, 2, 0))) void say(const char *lead, const char *format, va_list args)
{
	char text[2048];
	(void)vsnprintf(text, sizeof(text), format, args);
	clean(text);
	(void)pthread_mutex_lock(&lock);
	clear_line();
	(void)fprintf(stderr, "plimsoll: %s%s\n", lead, text);
	(void)fflush(stderr);
	(void)pthread_mutex_unlock(&lock);
}

void log_warn(const char *format, ...)
{
	va_list args;
	if (level == LOG_QUIET)
		return;
	va_start(args, format);
	say("warning: ", format, args);
	va_end(args);
}

void log_verbose(const char *format, ...)
{
	va_list args;
	if (level != LOG_VERBOSE)
		return;
	va_start(args, format);
	say("", format, args);
	va_end(args);
}

void log_error(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say("", format, args);
	va_end(args);
}

static bool on_terminal(void)
{
	if (progress.terminal == 0) {
		const char *term = getenv("TERM");
		bool can_clear = term && *term && strcmp(term, "dumb") != 0;
		progress.terminal = can_clear && isatty(STDERR_FILENO) ? 1 : -1;
	}
	return progress.terminal > 0;
}

static size_t columns(void)
{
	struct winsize size;
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return COLUMNS_DEFAULT;
	return size.ws_col;
}

/* Cuts so that the line does not wrap (a wrapped line cannot be cleared); bytes count as columns, which errs on the
 * short side, and no character is cut in two. */
static void fit(char *text, size_t width)
{
	size_t len = strlen(text);
	if (len <= width)
		return;
	while (width > 0 && ((unsigned char)text[width] & 0xc0) == 0x80)
		width--;
	text[width] = '\0';
}

static void draw(const char *what, uint64_t done, uint64_t total)
{
	char text[LINE_MAX_BYTES];
	double done_mb = (double)done / 1e6, total_mb = (double)total / 1e6;
	if (total > 0) {
		unsigned percent = done >= total ? 100 : (unsigned)(100.0 * (double)done / (double)total);
		(void)snprintf(text, sizeof(text), "%3u%%  %.1f of %.1f MB  %s", percent, done_mb, total_mb, what);
	} else {
		(void)snprintf(text, sizeof(text), "%.1f MB  %s", done_mb, what);
	}
	clean(text);
	size_t width = columns();
	fit(text, width > 1 ? width - 1 : 1);
	(void)fprintf(stderr, "\r\x1b[K%s", text);
	(void)fflush(stderr);
	progress.drawn = true;
}

void progress_set(const char *what, uint64_t done, uint64_t total)
{
	if (level == LOG_QUIET)
		return;
	(void)pthread_mutex_lock(&lock);
	uint64_t now = now_ms();
	if (!progress.running) {
		progress.running = true;
		progress.started_ms = now;
		progress.drawn_ms = 0;
	}
	if (now - progress.started_ms >= FIRST_DRAW_MS && now - progress.drawn_ms >= REDRAW_MS && on_terminal()) {
		progress.drawn_ms = now;
		draw(what, done, total);
	}
	(void)pthread_mutex_unlock(&lock);
}

void progress_end(void)
{
	(void)pthread_mutex_lock(&lock);
	clear_line();
	(void)fflush(stderr);
	progress.running = false;
	(void)pthread_mutex_unlock(&lock);
}
