/* What people see on standard error while the program works: warnings, and a progress line for anything that takes over half a
 * second (only on a terminal, never in colour-less pipes; cleared before anything else is printed). */
#ifndef PLIMSOLL_BASE_LOG_H
#define PLIMSOLL_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_QUIET, LOG_NORMAL, LOG_VERBOSE };

void log_setup(enum log_level level);
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));    /* not with -q */
void log_verbose(const char *format, ...) __attribute__((format(printf, 1, 2))); /* only with -v */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));   /* always: "plimsoll: ..." */

/* Progress of the one job that runs: done of total bytes (total 0: unknown). Cheap: draws at most ten times a second
 * and not in the first half second. */
void progress_set(const char *what, uint64_t done, uint64_t total);
void progress_end(void);

#endif
