/* The shipped advisory file inside of the program, where the build was asked for it (option embed_database): a static
 * binary that is copied somewhere alone can then scan there. The linker maps it, nothing reads it before it is asked for.
 * It is the last of the places looked at and never newer than what it was built from, so a newer file always wins.
 * Must never be written to, nor be trusted more than a file: every offset is checked on use like any other's. */
#include "advisory/db_internal.h"
#include "base/base.h"
#include "config.h"

#if HAVE_EMBEDDED_DB
/* .incbin, for a megabyte as a C array takes the compiler seconds and hundreds of megabytes. The names are global and hidden:
 * a local one is reached through the table of offsets on arm64, where the linker then takes the section's start for it. */
__asm__(".section .rodata\n"
	".balign 16\n"
	".globl plimsoll_embedded_db, plimsoll_embedded_db_end\n"
	".hidden plimsoll_embedded_db, plimsoll_embedded_db_end\n"
	"plimsoll_embedded_db:\n"
	".incbin \"" EMBEDDED_DB_PATH "\"\n"
	"plimsoll_embedded_db_end:\n"
	".byte 0\n"
	".previous\n");
#define HIDDEN __attribute__((visibility("hidden")))
extern HIDDEN const char embedded_begin[] __asm__("plimsoll_embedded_db");
extern HIDDEN const char embedded_end[] __asm__("plimsoll_embedded_db_end");
#endif

int db_open_embedded(struct db **ret, struct err *err)
{
#if HAVE_EMBEDDED_DB
	if (db_open_memory((struct str){ embedded_begin, (size_t)(embedded_end - embedded_begin) }, ret, err) < 0)
		return err_wrap(err, DB_EMBEDDED_NAME);
	return 0;
#else
	(void)ret;
	return err_set(err, ERR_NOT_FOUND, "no database is built into this program");
#endif
}
