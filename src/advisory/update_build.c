/* The database of an update: see update_internal.h. A feed is taken whole or not at all: what its files say is read into a
 * builder of its own first, and judged there by what was known of it before. */
#include "advisory/update_internal.h"

#include "advisory/builder.h"
#include "advisory/carry.h"
#include "base/base.h"
#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#define SECONDS_A_DAY 86400

struct tally {
	bool there;
	int64_t date;
	uint64_t said; /* facts and mentions */
};

static struct tally tally_of_builder(const struct db_builder *b, struct str source)
{
	struct tally t = { 0 };
	for (uint32_t i = 0; i < b->sources.len; i++) {
		if (!str_eq(b->strings.ptr[b->sources.ptr[i].name], source))
			continue;
		t = (struct tally){ .there = true, .date = b->sources.ptr[i].updated };
		for (size_t j = 0; j < b->fact_count; j++)
			t.said += b->shapes.ptr[b->facts[j].shape].source == i;
		for (size_t j = 0; j < b->mentions.len; j++)
			t.said += b->mentions.ptr[j].source == i;
	}
	return t;
}

/* Of a source that speaks of vulnerabilities alone the file has advisories and no facts. */
static struct tally tally_of_db(const struct db *db, struct str source)
{
	struct db_source s;
	for (uint32_t i = 0; db && db_source(db, i, &s); i++)
		if (str_eq(s.name, source))
			return (struct tally){ true, s.updated, s.facts > s.advisories ? s.facts : s.advisories };
	return (struct tally){ 0 };
}

static struct str date_text(struct arena *a, int64_t t)
{
	struct tm tm;
	time_t when = (time_t)t;
	return gmtime_r(&when, &tm) ? arena_printf(a, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday)
				    : STR("?");
}

/* --- judging one feed --- */

static int read_files(const struct update_item *item, struct db_builder *b, struct err *err)
{
	for (size_t i = 0; i < item->files.len; i++) {
		const struct import_file *f = &item->files.ptr[i];
		int rc = f->rc;
		if (rc != 0)
			(void)err_set(err, rc, "%s", f->err.text);
		else if (item->row && !str_eq(f->feed, str_from(item->row->form)))
			rc = err_set(err, ERR_FORMAT, "has the form %.*s instead of %s", STR_ARG(f->feed), item->row->form);
		else if (f->records == 0)
			rc = err_set(err, ERR_FORMAT, "nothing in it that could be read");
		else
			rc = import_take(f, b, err);
		if (rc != 0)
			return item->files.len > 1 ? err_wrap(err, "%.*s", STR_ARG(f->path)) : rc;
	}
	return 0;
}

static int judge(const struct update *u, const struct update_item *item, const struct db_builder *b, struct err *err)
{
	if (!item->row || u->o->force || item->partial)
		return 0;
	struct str source = str_from(item->row->source);
	struct tally new = tally_of_builder(b, source), old = tally_of_db(u->old, source);
	if (!new.there)
		return err_set(err, ERR_FORMAT, "says nothing of what it is there for");
	if (old.there && old.said >= FEED_SHRINK_FROM && new.said < old.said / FEED_SHRINK_MAX)
		return err_set(err, ERR_FORMAT, "says %llu things where it said %llu before: not believed (--force)",
			       (unsigned long long)new.said, (unsigned long long)old.said);
	if (old.there && new.date < old.date - (int64_t)FEED_OLDER_DAYS_MAX * SECONDS_A_DAY)
		return err_set(err, ERR_FORMAT, "is of %.*s, older than what is here (%.*s; --force)",
			       STR_ARG(date_text(u->a, new.date)), STR_ARG(date_text(u->a, old.date)));
	return 0;
}

/* Into the database, or with words out of it. */
static int take_item(struct update *u, struct update_item *item, struct err *err)
{
	struct db_builder *alone = db_builder_new();
	int rc = read_files(item, alone, err);
	rc = rc ? rc : judge(u, item, alone, err);
	db_builder_free(alone);
	for (size_t i = 0; rc == 0 && i < item->files.len; i++)
		rc = import_take(&item->files.ptr[i], u->b, err);
	for (size_t i = 0; i < item->files.len; i++)
		import_drop(&item->files.ptr[i]);
	return rc;
}

/* --- importing --- */

struct import_all {
	struct update *u;
	struct import_file *files; /* of all items, in their order */
	size_t item, first, count;
};

/* The files of an item stand together: with its last one it is judged. */
static void ended(void *ctx, size_t index)
{
	struct import_all *all = ctx;
	struct update *u = all->u;
	struct update_item *item = &u->items.ptr[all->item];
	while (item->standing != ITEM_OPEN || item->files.len == 0)
		item = &u->items.ptr[++all->item];
	if (u->o->progress)
		u->o->progress(u->o->ctx, "reading feeds", index + 1, all->count);
	if (index + 1 < all->first + item->files.len)
		return;
	memcpy(item->files.ptr, all->files + all->first, item->files.len * sizeof(*item->files.ptr));
	all->first += item->files.len;
	all->item++;
	item->standing = take_item(u, item, &item->out.why) == 0 ? ITEM_TAKEN : ITEM_FAILED;
}

static void import_items(struct update *u)
{
	struct import_all all = { .u = u };
	for (size_t i = 0; i < u->items.len; i++)
		if (u->items.ptr[i].standing == ITEM_OPEN)
			all.count += u->items.ptr[i].files.len;
	all.files = arena_array(u->a, all.count + 1, sizeof(*all.files));
	size_t n = 0;
	for (size_t i = 0; i < u->items.len; i++) {
		const struct update_item *item = &u->items.ptr[i];
		if (item->standing != ITEM_OPEN)
			continue;
		for (size_t j = 0; j < item->files.len; j++)
			all.files[n++] = item->files.ptr[j];
	}
	imports_run(u->a, all.files, all.count, ended, &all);
}

/* --- what failed --- */

/* The files that the database was last made from, where all of them are there. */
static bool kept_files(struct update *u, const struct update_item *failed, struct update_item *ret)
{
	struct feed_row_file f;
	*ret = (struct update_item){ .row = failed->row };
	for (size_t i = 0; u->store && feed_row_file(failed->row, i, &f); i++) {
		struct feed_entry e;
		struct str key = feed_store_key(u->a, failed->row, &f);
		feed_store_look(u->store, u->a, key, FEED_KEPT, &e);
		if (!e.there && f.optional)
			continue;
		if (!e.there)
			return false;
		*vec_push(u->a, &ret->files) = (struct import_file){
			.path = feed_row_path(u->a, failed->row, &f),
			.file = feed_store_path(u->store, u->a, key, FEED_KEPT),
			.fd = -1,
			.at = FEED_STORE_HEAD,
			.updated = e.date,
			.latest = u->built,
		};
	}
	return ret->files.len > 0;
}

static void nothing_ends(void *ctx, size_t index)
{
	(void)ctx;
	(void)index;
}

/* From the kept files, unless the old database knows more. False: the old database is all there is. */
static bool take_kept(struct update *u, struct update_item *failed)
{
	struct update_item kept;
	struct err err = { 0 };
	if (!failed->row || u->o->from || !kept_files(u, failed, &kept))
		return false;
	imports_run(u->a, kept.files.ptr, kept.files.len, nothing_ends, NULL);
	struct db_builder *alone = db_builder_new();
	struct str source = str_from(failed->row->source);
	bool good = read_files(&kept, alone, &err) == 0 &&
		    tally_of_builder(alone, source).date >= tally_of_db(u->old, source).date;
	db_builder_free(alone);
	for (size_t i = 0; good && i < kept.files.len; i++)
		good = import_take(&kept.files.ptr[i], u->b, &err) == 0;
	for (size_t i = 0; i < kept.files.len; i++)
		import_drop(&kept.files.ptr[i]);
	return good;
}

/* --- what is carried --- */

static bool in_words(const char *words, struct str s)
{
	struct str rest = str_from(words), word;
	while (str_cut(&rest, ' ', &word))
		if (str_eq(word, s))
			return true;
	return false;
}

/* A source may also be spoken of by another feed in passing (an OSV record of several ecosystems): that makes its own feed
 * no less missing. */
static enum carry carry_of(const struct update *u, struct str source, bool *ret_ours)
{
	bool good = false, failed = false, partial = false;
	*ret_ours = false;
	for (size_t i = 0; i < u->items.len; i++) {
		const struct update_item *item = &u->items.ptr[i];
		if (!item->row)
			continue;
		bool mine = str_eq(source, str_from(item->row->source));
		bool taken = item->standing == ITEM_TAKEN || item->standing == ITEM_KEPT;
		if (taken && in_words(item->row->replaces, source))
			return CARRY_NOT;
		*ret_ours = *ret_ours || (mine && item->standing != ITEM_MISSING);
		good = good || (mine && taken);
		partial = partial || (mine && taken && item->partial);
		failed = failed || (mine && item->standing == ITEM_FAILED);
	}
	if (failed)
		return CARRY_ALL;
	if (good)
		return partial ? CARRY_REST : CARRY_NOT;
	/* Not of this run: the owner's facts stand, unless a file without an owner has spoken of it. */
	bool owned = false;
	for (size_t i = 0; i < feed_row_count; i++)
		owned = owned || str_eq(source, str_from(feed_rows[i].source));
	return owned || !tally_of_builder(u->b, source).there ? CARRY_ALL : CARRY_NOT;
}

static int carry_rest(struct update *u, size_t *ret_carried, struct err *err)
{
	struct db_info info;
	struct db_source s;
	*ret_carried = 0;
	if (!u->old)
		return 0;
	db_info(u->old, &info);
	enum carry *want = arena_array(u->a, info.source_count + 1, sizeof(*want));
	for (uint32_t i = 0; db_source(u->old, i, &s); i++) {
		bool ours;
		want[i] = carry_of(u, s.name, &ours);
		*ret_carried += want[i] != CARRY_NOT && !ours;
	}
	return db_carry(u->old, want, u->b, err);
}

/* The table knows more of a licence than the importer does. */
static void name_source(struct db_builder *b, const struct feed_row *row)
{
	for (size_t i = 0; i < b->sources.len; i++) {
		struct build_source *s = &b->sources.ptr[i];
		if (!str_eq(b->strings.ptr[s->name], str_from(row->source)))
			continue;
		s->licence = builder_string(b, str_from(row->licence));
		s->attribution = builder_string(b, str_from(row->attribution));
	}
}

/* What failed is taken from the files of an earlier run, or will be carried. Returns how many were taken anew. */
static size_t settle(struct update *u, const struct err **ret_first)
{
	size_t taken = 0;
	for (size_t i = 0; i < u->items.len; i++) {
		struct update_item *item = &u->items.ptr[i];
		taken += item->standing == ITEM_TAKEN;
		if (item->standing != ITEM_FAILED)
			continue;
		if (!*ret_first)
			*ret_first = &item->out.why;
		if (take_kept(u, item))
			item->standing = ITEM_KEPT;
		bool known = item->standing == ITEM_KEPT ||
			     (item->row && tally_of_db(u->old, str_from(item->row->source)).there);
		item->out.state = known ? UPDATE_KEPT : UPDATE_LOST;
	}
	return taken;
}

int update_build(struct update *u, size_t *ret_carried, struct err *err)
{
	const struct err *first = NULL;
	u->b = db_builder_new();
	import_items(u);
	if (settle(u, &first) == 0)
		return err_set(err, first ? first->code : ERR_NOT_FOUND, "nothing could be had anew%s: %s",
			       u->old ? ", the old database stands" : "", first ? first->text : "no feed is here");
	int rc = carry_rest(u, ret_carried, err);
	for (size_t i = 0; rc == 0 && i < u->items.len; i++) {
		const struct update_item *item = &u->items.ptr[i];
		if (item->row && (item->standing == ITEM_TAKEN || item->standing == ITEM_KEPT))
			name_source(u->b, item->row);
	}
	return rc;
}

/* --- the file --- */

/* "NAME.PID-N.new" beside the database, of a process that is no more. */
static bool is_leftover(struct str name, struct str base)
{
	struct str pid;
	uint64_t n;
	if (!str_skip(&name, base) || !str_skip(&name, STR(".")) || !str_ends(name, STR(".new")) || !str_cut(&name, '-', &pid))
		return false;
	return str_to_u64(pid, &n) && n > 0 && n <= INT32_MAX && kill((pid_t)n, 0) != 0 && errno == ESRCH;
}

static void remove_leftovers(const char *path)
{
	struct arena *a ARENA_AUTO = arena_new();
	struct str whole = str_from(path);
	ptrdiff_t slash = str_rfind(whole, '/');
	const char *folder = slash < 0 ? "." : str_cstr(a, str_sub(whole, 0, (size_t)slash + 1));
	DIR *d = opendir(folder);
	for (struct dirent *e; d && (e = readdir(d));)
		if (is_leftover(str_from(e->d_name), str_sub(whole, (size_t)(slash + 1), whole.len)))
			(void)unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
}

static int prepare_place(struct update *u, const char **ret_beside, struct err *err)
{
	struct str whole = str_from(u->o->output);
	ptrdiff_t slash = str_rfind(whole, '/');
	int rc = slash > 0 ? fs_make_dirs(str_cstr(u->a, str_sub(whole, 0, (size_t)slash)), 0755, err) : 0;
	if (rc != 0)
		return rc;
	remove_leftovers(u->o->output);
	*ret_beside = arena_printf(u->a, "%s.%ld-0.new", u->o->output, (long)getpid()).ptr;
	return 0;
}

/* What stands beside is whole and sound, or it never comes into its place. */
static int verify_and_rename(struct update *u, const char *beside, struct update_result *ret, struct err *err)
{
	struct db *db = NULL;
	struct db_info info;
	int rc = db_open(beside, &db, err);
	if (rc == 0)
		rc = db_verify(db, err);
	if (rc == 0) {
		db_info(db, &info);
		ret->facts = info.fact_count;
		ret->vulns = info.vuln_count;
		ret->size = info.size;
		for (size_t i = 0; i < u->items.len; i++) {
			struct update_item *item = &u->items.ptr[i];
			struct db_source s;
			for (uint32_t j = 0; item->row && db_source(db, j, &s); j++) {
				if (!str_eq(s.name, str_from(item->row->source)))
					continue;
				item->out.date = s.updated;
				item->out.advisories = s.advisories;
			}
		}
	}
	db_close(db);
	rc = rc ? rc : fs_rename(beside, u->o->output, err);
	if (rc != 0)
		(void)unlink(beside);
	return rc;
}

int update_install(struct update *u, struct update_result *ret, struct err *err)
{
	const char *beside;
	int rc = prepare_place(u, &beside, err);
	rc = rc ? rc : db_builder_write(u->b, u->built, beside, err);
	return rc ? rc : verify_and_rename(u, beside, ret, err);
}

static int check_age(const struct update *u, const struct db *new, struct err *err)
{
	struct db_info was, is;
	db_info(new, &is);
	if (!u->old || u->o->force)
		return 0;
	db_info(u->old, &was);
	return is.built >= was.built ? 0
				     : err_set(err, ERR_UNSUPPORTED, "built on %.*s, older than what is here (%.*s; --force)",
					       STR_ARG(date_text(u->a, is.built)), STR_ARG(date_text(u->a, was.built)));
}

int update_install_file(struct update *u, const char *file, struct update_result *ret, struct err *err)
{
	const char *beside;
	struct db *db;
	struct str bytes;
	int rc = db_open(file, &db, err);
	if (rc != 0)
		return rc;
	rc = db_verify(db, err);
	rc = rc ? rc : check_age(u, db, err);
	db_close(db);
	if (rc != 0)
		return err_wrap(err, "%s", file);
	rc = fs_read(u->a, file, DB_SIZE_MAX, &bytes, err);
	rc = rc ? rc : prepare_place(u, &beside, err);
	rc = rc ? rc : fs_replace(beside, bytes, 0644, err);
	ret->installed = true;
	return rc ? rc : verify_and_rename(u, beside, ret, err);
}
