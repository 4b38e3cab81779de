/* `db update`, the way through it: see update.h. Which feeds, from where, in which order; the work is done elsewhere. */
#include "advisory/update.h"

#include "advisory/build.h"
#include "advisory/update_internal.h"
#include "base/base.h"
#include "base/hash.h"

#include <unistd.h>

struct update_item *update_add_item(struct update *u, const struct feed_row *row, struct str name)
{
	struct update_item *item = vec_push(u->a, &u->items);
	*item = (struct update_item){ .row = row, .out = { .name = row ? str_from(row->name) : name, .other = !row } };
	return item;
}

static int choose_feeds(struct update *u, struct err *err)
{
	bool all = false;
	for (size_t i = 0; i < u->o->feed_count; i++)
		all = all || str_eq(u->o->feeds[i], STR("all"));
	/* From a folder every feed is taken that is there: whoever filled it has chosen. */
	bool wide = all || (u->o->from && u->o->feed_count == 0);
	for (size_t i = 0; i < feed_row_count; i++)
		if (wide || (u->o->feed_count == 0 && feed_rows[i].standard))
			(void)update_add_item(u, &feed_rows[i], (struct str){ 0 });
	for (size_t i = 0; !all && i < u->o->feed_count; i++) {
		const struct feed_row *row = feed_row_find(u->o->feeds[i]);
		bool twice = false;
		if (!row)
			return err_set(err, ERR_USAGE, "there is no feed \"%.*s\"; \"plimsoll db update --list\" names them",
				       STR_ARG(u->o->feeds[i]));
		for (size_t j = 0; j < u->items.len; j++)
			twice = twice || u->items.ptr[j].row == row;
		if (!twice)
			(void)update_add_item(u, row, (struct str){ 0 });
	}
	return 0;
}

/* --- from the network --- */

static void add_addresses(struct update *u, struct fetch_job *j)
{
	struct str url;
	for (size_t i = 0; i < u->o->mirror_count && j->url_count < FEED_ADDRESSES_MAX; i++)
		if (!str_eq(u->o->mirrors[i], STR("publisher")))
			j->urls[j->url_count++] = feed_row_mirror_url(u->a, u->o->mirrors[i], j->row, &j->file);
		else
			for (size_t k = 0; j->url_count < FEED_ADDRESSES_MAX &&
					   (url = feed_row_url(u->a, j->row, &j->file, k)).len;
			     k++)
				j->urls[j->url_count++] = url;
	for (size_t k = 0; u->o->mirror_count == 0 && j->url_count < FEED_ADDRESSES_MAX &&
			   (url = feed_row_url(u->a, j->row, &j->file, k)).len;
	     k++)
		j->urls[j->url_count++] = url;
}

static size_t make_jobs(struct update *u, struct fetch_job **ret)
{
	size_t count = 0, n = 0;
	for (size_t i = 0; i < u->items.len; i++)
		count += feed_row_files(u->items.ptr[i].row);
	struct fetch_job *jobs = arena_array(u->a, count + 1, sizeof(*jobs));
	for (size_t i = 0; i < u->items.len; i++) {
		struct update_item *item = &u->items.ptr[i];
		item->jobs = &jobs[n];
		item->job_count = feed_row_files(item->row);
		for (size_t j = 0; j < item->job_count; j++, n++) {
			jobs[n] = (struct fetch_job){ .row = item->row };
			(void)feed_row_file(item->row, j, &jobs[n].file);
			jobs[n].key = feed_store_key(u->a, item->row, &jobs[n].file);
			add_addresses(u, &jobs[n]);
		}
	}
	*ret = jobs;
	return count;
}

static void add_stored(struct update *u, struct update_item *item, const struct fetch_job *j)
{
	struct feed_entry e;
	enum feed_state state = j->result == FETCH_NEW ? FEED_PART : FEED_KEPT;
	feed_store_look(u->store, u->a, j->key, state, &e);
	*vec_push(u->a, &item->files) = (struct import_file){
		.path = feed_row_path(u->a, item->row, &j->file),
		.file = feed_store_path(u->store, u->a, j->key, state),
		.fd = -1,
		.at = FEED_STORE_HEAD,
		.updated = e.date,
		.latest = u->built,
	};
}

/* A feed of several files is whole, or it failed: half of it would make believe that the other half is clean. */
static void take_jobs(struct update *u, struct update_item *item)
{
	item->out.state = UPDATE_UNCHANGED;
	for (size_t i = 0; i < item->job_count; i++) {
		const struct fetch_job *j = &item->jobs[i];
		item->out.size += j->received;
		item->out.seconds += j->seconds;
		if (j->result == FETCH_NEW)
			item->out.state = UPDATE_NEW;
		if (j->result == FETCH_FAILED && item->standing == ITEM_OPEN) {
			item->standing = ITEM_FAILED;
			(void)err_set(&item->out.why, j->err.code ? j->err.code : ERR_NET, "%s%.*s%s%s", "",
				      item->job_count > 1 ? str_len_int(j->file.name) : 0, j->file.name.ptr,
				      item->job_count > 1 ? ": " : "", j->err.text);
		}
	}
	for (size_t i = 0; item->standing == ITEM_OPEN && i < item->job_count; i++)
		if (item->jobs[i].result != FETCH_ABSENT)
			add_stored(u, item, &item->jobs[i]);
	if (item->standing == ITEM_OPEN && item->files.len == 0) {
		item->standing = ITEM_FAILED;
		(void)err_set(&item->out.why, ERR_NOT_FOUND, "none of its files is there");
	}
}

static void tell_fetch(void *ctx, uint64_t done, uint64_t size)
{
	const struct update *u = ctx;
	if (u->o->progress)
		u->o->progress(u->o->ctx, "fetching feeds", done, size);
}

static void from_network(struct update *u)
{
	struct fetch_job *jobs;
	size_t count = make_jobs(u, &jobs);
	struct fetch_options fetch = {
		.ca_file = u->o->ca_file,
		.proxy = u->o->proxy,
		.insecure = u->o->insecure,
		.seconds_max = u->o->seconds_max ? u->o->seconds_max : FEED_SECONDS_MAX,
		.progress = tell_fetch,
		.ctx = u,
	};
	for (size_t i = 0; i < count; i++)
		if (jobs[i].url_count == 0) {
			(void)err_set(&jobs[i].err, ERR_UNSUPPORTED, "has no address of its own: %s",
				      jobs[i].row->why_not ? jobs[i].row->why_not : "from a mirror or a folder");
			jobs[i].ended = true;
		}
	feeds_fetch(u->store, u->a, jobs, count, &fetch);
	for (size_t i = 0; i < u->items.len; i++)
		take_jobs(u, &u->items.ptr[i]);
}

/* --- afterwards --- */

/* The new database is in its place: what it was made from is what is kept from now on. */
static void settle_store(struct update *u)
{
	struct err err = { 0 };
	struct feed_row_file f;
	for (size_t i = 0; u->store && i < u->items.len; i++) {
		const struct update_item *item = &u->items.ptr[i];
		bool taken = item->standing == ITEM_TAKEN;
		for (size_t j = 0; taken && j < item->job_count; j++)
			if (item->jobs[j].result == FETCH_NEW)
				(void)feed_store_keep(u->store, item->jobs[j].key, &err);
		/* What came from elsewhere is newer than what was fetched once. */
		for (size_t j = 0; taken && u->o->from && item->row && feed_row_file(item->row, j, &f); j++) {
			feed_store_drop(u->store, feed_store_key(u->a, item->row, &f), FEED_KEPT);
			feed_store_drop(u->store, feed_store_key(u->a, item->row, &f), FEED_PART);
		}
	}
}

/* A whole file that no importer takes would be asked for with its conditions for ever. */
static void drop_refused(struct update *u)
{
	for (size_t i = 0; u->store && i < u->items.len; i++) {
		const struct update_item *item = &u->items.ptr[i];
		for (size_t j = 0; item->standing != ITEM_TAKEN && item->files.len > 0 && j < item->job_count; j++)
			if (item->jobs[j].result == FETCH_NEW)
				feed_store_drop(u->store, item->jobs[j].key, FEED_PART);
	}
}

static void take_results(struct update *u, struct update_result *ret)
{
	ret->feeds = arena_array(u->a, u->items.len + 1, sizeof(*ret->feeds));
	for (size_t i = 0; i < u->items.len; i++) {
		const struct update_item *item = &u->items.ptr[i];
		if (item->standing == ITEM_MISSING)
			continue;
		ret->failed += item->standing == ITEM_FAILED || item->standing == ITEM_KEPT;
		ret->feeds[ret->count++] = item->out;
	}
}

static int open_old(struct update *u, struct update_result *ret)
{
	struct err err = { 0 };
	if (!u->o->old)
		return 0;
	int rc = db_open(u->o->old, &u->old, &err);
	if (rc == 0 && db_verify(u->old, &err) == 0)
		return 0;
	db_close(u->old);
	u->old = NULL;
	if (rc != ERR_NOT_FOUND)
		ret->note = arena_printf(u->a, "nothing is carried over from the old database: %s", err.text);
	return 0;
}

static int run(struct update *u, struct update_result *ret, struct err *err)
{
	bool installed = false;
	int rc = choose_feeds(u, err);
	rc = rc ? rc : hash_setup(err);
	if (rc != 0)
		return rc;
	struct err why = { 0 };
	rc = u->o->cache ? feed_store_open(u->o->cache, &u->store, &why) : 0;
	if (rc != 0 && (!u->o->from || rc == ERR_LIMIT))
		return err_set(err, rc, "%s", why.text);
	if (!u->o->from && !u->store)
		return err_set(err, ERR_IO, "there is no cache folder to keep feeds in: name one with --cache-dir");
	(void)open_old(u, ret);
	if (u->o->from)
		rc = update_from(u, &installed, err);
	else
		from_network(u);
	if (rc == 0 && installed)
		return update_install_file(u, u->o->from, ret, err);
	rc = rc ? rc : update_build(u, &ret->carried, err);
	rc = rc ? rc : update_install(u, ret, err);
	if (rc == 0)
		settle_store(u);
	drop_refused(u);
	return rc;
}

int db_update(const struct update_options *o, struct arena *a, struct update_result *ret, struct err *err)
{
	struct update u = { .o = o, .a = a, .built = db_build_time(o->built) };
	*ret = (struct update_result){ 0 };
	int rc = run(&u, ret, err);
	take_results(&u, ret);
	for (size_t i = 0; i < u.scratch_count; i++)
		(void)close(u.scratch[i]);
	db_builder_free(u.b);
	db_close(u.old);
	feed_store_close(u.store);
	return rc;
}
