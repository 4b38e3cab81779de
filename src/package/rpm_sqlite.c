/* rpmdb.sqlite (Fedora 33 on, RHEL 9, Mariner, Azure Linux): table Packages of hnum and blob, a header each.
 * The SQLite library reads hostile bytes here, so it gets the least that it can work with: one read-only file that
 * lies in `struct content`, no other file, no views, no virtual tables, no functions, no triggers, and a count of
 * steps after which it is stopped. It must never open anything: the worker that runs this may not.
 *
 * rpm leaves its database in WAL mode, which SQLite would only open with a -wal file beside it; two bytes of the
 * file's head say so, and the file shows it with them changed to "rollback journal". */
#include "package/formats.h"

#include "package/rpm_header.h"

#include <sqlite3.h>

#include "base/base.h"

#define MODE_OFFSET 18 /* write version, then read version: 1 rollback journal, 2 WAL */
#define MODE_END 20

struct file {
	sqlite3_file base; /* SQLite sees only this; first for its sake */
	const struct content *content;
	uint64_t size;
	uint64_t bytes_left; /* read budget: a walk in circles ends */
};

/* What the file system behind SQLite knows: the one file. */
struct origin {
	const struct content *content;
	uint64_t size;
};

struct guard {
	uint64_t steps_left;
	const char *cap; /* its name */
};

static int file_close(sqlite3_file *f)
{
	(void)f;
	return SQLITE_OK;
}

static int file_read(sqlite3_file *base, void *p, int n, sqlite3_int64 offset)
{
	struct file *f = (struct file *)base;
	uint64_t at = (uint64_t)offset, size = f->size;
	if (n < 0 || offset < 0)
		return SQLITE_IOERR_READ;
	size_t want = (size_t)n, have = at >= size ? 0 : want < size - at ? want : (size_t)(size - at);
	if (have > f->bytes_left)
		return SQLITE_IOERR_READ;
	f->bytes_left -= have;
	if (have && content_read(f->content, at, p, have, NULL) != 0)
		return SQLITE_IOERR_READ;
	uint8_t *bytes = p;
	for (uint64_t i = MODE_OFFSET; i < MODE_END; i++)
		if (i >= at && i - at < have && bytes[i - at] == 2)
			bytes[i - at] = 1;
	if (have == want)
		return SQLITE_OK;
	memset(bytes + have, 0, want - have);
	return SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 offset)
{
	(void)f, (void)p, (void)n, (void)offset;
	return SQLITE_READONLY;
}

static int file_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	(void)f, (void)size;
	return SQLITE_READONLY;
}

static int file_size(sqlite3_file *base, sqlite3_int64 *ret)
{
	*ret = (sqlite3_int64)((struct file *)base)->size;
	return SQLITE_OK;
}

static int file_flags(sqlite3_file *f, int flags)
{
	(void)f, (void)flags;
	return SQLITE_OK;
}

static int file_reserved(sqlite3_file *f, int *ret)
{
	(void)f;
	*ret = 0;
	return SQLITE_OK;
}

static int file_control(sqlite3_file *f, int op, void *arg)
{
	(void)f, (void)op, (void)arg;
	return SQLITE_NOTFOUND;
}

static int file_sector_size(sqlite3_file *f)
{
	(void)f;
	return 512;
}

/* No promises: SQLite asks for locks, which are always granted, and for a journal, which is never there. */
static int file_traits(sqlite3_file *f)
{
	(void)f;
	return 0;
}

static const sqlite3_io_methods file_methods = {
	.iVersion = 1,
	.xClose = file_close,
	.xRead = file_read,
	.xWrite = file_write,
	.xTruncate = file_truncate,
	.xSync = file_flags,
	.xFileSize = file_size,
	.xLock = file_flags,
	.xUnlock = file_flags,
	.xCheckReservedLock = file_reserved,
	.xFileControl = file_control,
	.xSectorSize = file_sector_size,
	.xDeviceCharacteristics = file_traits,
};

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *ret_flags)
{
	(void)name;
	struct file *f = (struct file *)base;
	f->base.pMethods = NULL;
	if (!(flags & SQLITE_OPEN_MAIN_DB))
		return SQLITE_CANTOPEN;
	f->base.pMethods = &file_methods;
	const struct origin *origin = vfs->pAppData;
	f->content = origin->content;
	f->size = origin->size;
	/* Each page once, and again where the cache of 2 MB was too small. */
	f->bytes_left = f->size * 2 + 4 * MIB;
	if (ret_flags)
		*ret_flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB;
	return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	(void)vfs, (void)name, (void)sync;
	return SQLITE_IOERR_DELETE;
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret)
{
	(void)vfs, (void)name, (void)flags;
	*ret = 0;
	return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
	(void)vfs;
	(void)snprintf(out, (size_t)size, "%s", name);
	return SQLITE_OK;
}

static int vfs_randomness(sqlite3_vfs *vfs, int n, char *out)
{
	(void)vfs;
	memset(out, 0, (size_t)n);
	return n;
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds)
{
	(void)vfs;
	return microseconds;
}

static int vfs_time(sqlite3_vfs *vfs, double *ret)
{
	(void)vfs;
	*ret = 0;
	return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *vfs, int n, char *out)
{
	(void)vfs, (void)n, (void)out;
	return 0;
}

/* Nothing but plain SELECTs on the two tables that we name. */
static int authorize(void *ctx, int action, const char *a, const char *b, const char *db, const char *trigger)
{
	(void)ctx, (void)b, (void)db;
	if (trigger)
		return SQLITE_DENY;
	if (action == SQLITE_SELECT)
		return SQLITE_OK;
	if (action == SQLITE_READ && a &&
	    (sqlite3_stricmp(a, "Packages") == 0 || sqlite3_stricmp(a, "sqlite_master") == 0))
		return SQLITE_OK;
	return SQLITE_DENY;
}

#define STEPS_PER_CALL 100

static int count_steps(void *ctx)
{
	struct guard *g = ctx;
	if (g->steps_left < STEPS_PER_CALL)
		return 1;
	g->steps_left -= STEPS_PER_CALL;
	return 0;
}

static void set_limits(sqlite3 *db)
{
	static const struct {
		int id, value;
	} limits[] = {
		{ SQLITE_LIMIT_LENGTH, (int)RPM_HEADER_SIZE_MAX + 4096 },
		{ SQLITE_LIMIT_SQL_LENGTH, (int)RPM_SQLITE_SQL_LEN_MAX },
		{ SQLITE_LIMIT_COLUMN, 64 },
		{ SQLITE_LIMIT_EXPR_DEPTH, 16 },
		{ SQLITE_LIMIT_COMPOUND_SELECT, 2 },
		{ SQLITE_LIMIT_VDBE_OP, 1000 },
		{ SQLITE_LIMIT_FUNCTION_ARG, 4 },
		{ SQLITE_LIMIT_ATTACHED, 0 },
		{ SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 64 },
		{ SQLITE_LIMIT_VARIABLE_NUMBER, 4 },
		{ SQLITE_LIMIT_TRIGGER_DEPTH, 1 },
		{ SQLITE_LIMIT_WORKER_THREADS, 0 },
	};
	for (size_t i = 0; i < COUNT_OF(limits); i++)
		(void)sqlite3_limit(db, limits[i].id, limits[i].value);
}

/* Whatever of these a library does not know it also does not have. */
static void confine(sqlite3 *db, struct guard *g)
{
	static const struct {
		int id, value;
	} switches[] = {
		{ SQLITE_DBCONFIG_DEFENSIVE, 1 },      { SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
		{ SQLITE_DBCONFIG_ENABLE_TRIGGER, 0 }, { SQLITE_DBCONFIG_ENABLE_VIEW, 0 },
		{ SQLITE_DBCONFIG_ENABLE_FKEY, 0 },    { SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
	};
	for (size_t i = 0; i < COUNT_OF(switches); i++)
		(void)sqlite3_db_config(db, switches[i].id, switches[i].value, NULL);
	set_limits(db);
	(void)sqlite3_drop_modules(db, NULL);
	(void)sqlite3_exec(db, "PRAGMA cell_size_check=1; PRAGMA mmap_size=0; PRAGMA temp_store=2;", NULL, NULL, NULL);
	(void)sqlite3_set_authorizer(db, authorize, NULL);
	sqlite3_progress_handler(db, STEPS_PER_CALL, count_steps, g);
}

static int fail(sqlite3 *db, const struct guard *g, struct err *err)
{
	int rc = sqlite3_errcode(db);
	if (rc == SQLITE_INTERRUPT || (rc != SQLITE_OK && g->steps_left < STEPS_PER_CALL))
		return err_set(err, ERR_LIMIT, "SQLite takes too many steps (%s)", g->cap);
	if (rc == SQLITE_NOMEM)
		return err_set(err, ERR_LIMIT, "SQLite takes too much memory (RPM_SQLITE_HEAP_MAX)");
	return err_set(err, ERR_FORMAT, "SQLite: %s", sqlite3_errmsg(db));
}

/* One header; *blob stays open from row to row. What is wrong with one row is a diagnostic. */
static int read_row(struct rpm_records *r, sqlite3 *db, sqlite3_blob **blob, sqlite3_int64 row, struct err *err)
{
	int rc =
	    *blob ? sqlite3_blob_reopen(*blob, row) : sqlite3_blob_open(db, "main", "Packages", "blob", row, 0, blob);
	void *p = NULL;
	int len = 0;
	if (rc == SQLITE_OK) {
		len = sqlite3_blob_bytes(*blob);
		int room = rpm_records_room(r, row, (uint64_t)len, &p, err);
		if (room <= 0)
			return room;
		rc = sqlite3_blob_read(*blob, p, len, 0);
	}
	if (rc == SQLITE_OK)
		return rpm_records_add(r, row, (size_t)len, err);
	package_sink_bad(r->sink, "header %lld: SQLite: %s", (long long)row, sqlite3_errmsg(db));
	(void)sqlite3_blob_close(*blob); /* after an error it can only be closed */
	*blob = NULL;
	return 0;
}

/* Row numbers come in ascending order from any tree that is one; a page that is reached twice breaks that. */
static int walk_rows(struct rpm_records *r, sqlite3 *db, sqlite3_stmt *rows, struct guard *g, struct err *err)
{
	sqlite3_blob *blob = NULL;
	sqlite3_int64 last = INT64_MIN;
	size_t count = 0;
	int rc = 0, step = SQLITE_DONE;
	while (rc == 0 && (step = sqlite3_step(rows)) == SQLITE_ROW) {
		sqlite3_int64 row = sqlite3_column_int64(rows, 0);
		if (row <= last && count > 0)
			rc = err_set(err, ERR_FORMAT, "row %lld stands behind row %lld", (long long)row,
				     (long long)last);
		else if (++count > PACKAGES_MAX)
			rc = err_set(err, ERR_LIMIT, "more than %u rows (PACKAGES_MAX)", PACKAGES_MAX);
		else
			rc = read_row(r, db, &blob, row, err);
		last = row;
	}
	if (rc == 0 && step != SQLITE_DONE)
		rc = fail(db, g, err);
	(void)sqlite3_blob_close(blob);
	return rc;
}

static int read_table(struct rpm_records *r, sqlite3 *db, struct guard *g, struct err *err)
{
	sqlite3_stmt *s = NULL;
	int rc =
	    sqlite3_prepare_v2(db, "SELECT 1 FROM sqlite_master WHERE type='table' AND name='Packages'", -1, &s, NULL);
	int step = rc == SQLITE_OK ? sqlite3_step(s) : SQLITE_ERROR;
	(void)sqlite3_finalize(s);
	if (rc == SQLITE_OK && step == SQLITE_DONE)
		return err_set(err, ERR_FORMAT, "no table Packages");
	if (step != SQLITE_ROW)
		return fail(db, g, err);
	*g = (struct guard){ RPM_SQLITE_STEPS_MAX, "RPM_SQLITE_STEPS_MAX" };
	if (sqlite3_prepare_v2(db, "SELECT rowid FROM Packages NOT INDEXED", -1, &s, NULL) != SQLITE_OK)
		return fail(db, g, err);
	rc = walk_rows(r, db, s, g, err);
	(void)sqlite3_finalize(s);
	return rc;
}

static int open_and_read(struct rpm_records *r, sqlite3_vfs *vfs, struct err *err)
{
	sqlite3 *db = NULL;
	struct guard g = { RPM_SQLITE_SCHEMA_STEPS_MAX, "RPM_SQLITE_SCHEMA_STEPS_MAX" };
	int rc = sqlite3_vfs_register(vfs, 0);
	if (rc == SQLITE_OK)
		rc = sqlite3_open_v2("rpmdb", &db,
				     SQLITE_OPEN_READONLY | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_NOMUTEX, vfs->zName);
	if (rc == SQLITE_OK) {
		confine(db, &g);
		rc = read_table(r, db, &g, err);
	} else {
		rc = err_set(err, ERR_FORMAT, "SQLite: %s", sqlite3_errstr(rc));
	}
	(void)sqlite3_close(db);
	(void)sqlite3_vfs_unregister(vfs);
	return rc;
}

int rpm_sqlite_parse(const struct content *c, struct str path, struct package_sink *sink, struct err *err)
{
	char name[48];
	struct err why;
	struct rpm_records RPM_RECORDS_AUTO r;
	/* A name of its own: parses may run side by side. */
	(void)snprintf(name, sizeof(name), "plimsoll-rpm-%p", (const void *)&r);
	rpm_records_init(&r, c, path, sink);
	struct origin origin = { c, r.size };
	sqlite3_vfs vfs = {
		.iVersion = 1,
		.szOsFile = (int)sizeof(struct file),
		.mxPathname = 64,
		.zName = name,
		.pAppData = &origin,
		.xOpen = vfs_open,
		.xDelete = vfs_delete,
		.xAccess = vfs_access,
		.xFullPathname = vfs_full_path,
		.xRandomness = vfs_randomness,
		.xSleep = vfs_sleep,
		.xCurrentTime = vfs_time,
		.xGetLastError = vfs_last_error,
	};
	sqlite3_int64 heap_max = sqlite3_hard_heap_limit64((sqlite3_int64)RPM_SQLITE_HEAP_MAX);
	int rc = open_and_read(&r, &vfs, &why);
	(void)sqlite3_hard_heap_limit64(heap_max);
	rc = rpm_records_stop(&r, rc, &why);
	return rc ? err_set(err, rc, "%s", why.text) : 0;
}

bool rpm_sqlite_sniff(struct str path, struct str head)
{
	(void)path;
	return str_starts(head, (struct str){ "SQLite format 3", 16 });
}
