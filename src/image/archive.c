/* Outer tars: see archive.h. */
#include "image/archive.h"

#include "base/base.h"
#include "base/fs.h"

#include <errno.h>
#include <unistd.h>

/* A new member under its cleaned name; the last of several with one name counts, as when unpacking. NULL: the name is
 * impossible and nothing can refer to it. */
static int add_member(struct archive *ar, const struct tar_entry *e, struct archive_member **ret, struct err *err)
{
	char clean[TAR_PATH_MAX], target[TAR_PATH_MAX];
	struct str path, link = e->link;
	*ret = NULL;
	if (e->type != TAR_FILE && e->type != TAR_SYMLINK && e->type != TAR_HARDLINK)
		return 0;
	if (!tar_clean_path(e->path, clean, &path) || path.len == 0)
		return 0;
	if (e->type == TAR_HARDLINK && !tar_clean_path(e->link, target, &link))
		return 0;
	if (ar->members.len >= ARCHIVE_MEMBERS_MAX)
		return err_set(err, ERR_LIMIT, "the archive has more than ARCHIVE_MEMBERS_MAX (%u) members", ARCHIVE_MEMBERS_MAX);
	struct archive_member *m = vec_push(ar->arena, &ar->members);
	*m = (struct archive_member){
		.type = e->type,
		.link = str_dup(ar->arena, link),
		.offset = e->offset,
		.size = e->size,
	};
	*map_put(ar->arena, &ar->names, str_dup(ar->arena, path), NULL) = ar->members.len - 1;
	*ret = m;
	return 0;
}

int archive_index(struct arena *a, int fd, uint64_t size, struct archive *ret, struct err *err)
{
	struct archive ar = { .arena = a, .fd = fd };
	struct tar_file *file = arena_alloc(a, sizeof(*file));
	file->file = (struct source_file){ .fd = fd, .end = size };
	struct tar *t = tar_open(tar_input_of_file(file));
	struct tar_entry e;
	int rc;
	while ((rc = tar_next(t, &e, err)) > 0) {
		struct archive_member *m;
		if ((rc = add_member(&ar, &e, &m, err)) < 0)
			break;
		if (e.type == TAR_FILE && (e.offset > size || e.stored > size - e.offset)) {
			rc = err_set(err, ERR_FORMAT, "the archive ends inside \"%.*s\": truncated at %ju bytes", STR_ARG(e.path),
			             (uintmax_t)size);
			break;
		}
	}
	if (rc == 0 && ar.members.len == 0)
		rc = err_set(err, ERR_FORMAT, "this is no archive of an image: no tar member in it");
	tar_close(t);
	if (rc == 0)
		*ret = ar;
	return rc;
}

/* --- streams -------------------------------------------------------------------------------------------------- */

/* The content of the current member as a source: first what was looked at already, then the rest. */
struct member_source {
	struct tar *tar;
	struct str head;
	struct err err;
	int failed;
};

static ssize_t member_read(void *ctx, void *p, size_t n)
{
	struct member_source *s = ctx;
	if (s->head.len) {
		size_t k = n < s->head.len ? n : s->head.len;
		memcpy(p, s->head.ptr, k);
		s->head = str_sub(s->head, k, s->head.len);
		return (ssize_t)k;
	}
	ssize_t got = tar_read(s->tar, p, n, &s->err);
	if (got < 0) {
		s->failed = (int)got;
		errno = EIO;
		return -1;
	}
	return got;
}

static bool looks_like_json(struct str head)
{
	struct str t = str_trim(head);
	return t.len && (t.ptr[0] == '{' || t.ptr[0] == '[') && (head.len < 262 || memchr(head.ptr, 0, head.len) == NULL);
}

static int take_json(struct archive *ar, struct archive_member *m, struct member_source *src, struct err *err)
{
	struct buf BUF_AUTO text = { 0 };
	buf_init(&text, MANIFEST_SIZE_MAX);
	ar->json_size += m->size;
	if (ar->json_size > ARCHIVE_JSON_SIZE_MAX)
		return err_set(err, ERR_LIMIT, "the archive's JSON members pass ARCHIVE_JSON_SIZE_MAX");
	for (;;) {
		if (!buf_reserve(&text, m->size - text.len + 1))
			return err_set(err, ERR_FORMAT, "a member is longer than its header says");
		ssize_t got = member_read(src, text.ptr + text.len, m->size - text.len + 1);
		if (got < 0)
			return err_set(err, src->failed, "%s", src->err.text);
		if (got == 0)
			break;
		text.len += (size_t)got;
	}
	m->text = str_dup(ar->arena, buf_view(&text));
	return 0;
}

/* Any other member may be a layer; if it is none, that matters only should the manifest name it. */
static int take_layer(struct archive *ar, struct archive_member *m, struct member_source *src,
                      const struct layer_input *recipe, struct err *err)
{
	struct layer_input in = *recipe;
	struct err why = { 0 };
	struct layer_facts facts;
	in.source = (struct source){ .read = member_read, .ctx = src };
	in.file = NULL;
	in.hash_stored = true;
	int rc = layer_read(ar->arena, &in, &facts, &why);
	if (src->failed)
		return err_set(err, src->failed, "%s", src->err.text);
	if (rc < 0) {
		m->why_not = str_dup(ar->arena, str_from(why.text));
		return 0;
	}
	m->layer = ARENA_NEW(ar->arena, struct layer_facts);
	*m->layer = facts;
	return 0;
}

static int take_member(struct archive *ar, struct tar *t, struct archive_member *m, const struct layer_input *recipe,
                       struct err *err)
{
	char head[512];
	struct member_source src = { .tar = t };
	size_t have = 0;
	while (have < sizeof(head)) {
		ssize_t got = tar_read(t, head + have, sizeof(head) - have, err);
		if (got < 0)
			return (int)got;
		if (got == 0)
			break;
		have += (size_t)got;
	}
	src.head = (struct str){ head, have };
	if (m->size <= MANIFEST_SIZE_MAX && looks_like_json(src.head))
		return take_json(ar, m, &src, err);
	return take_layer(ar, m, &src, recipe, err);
}

int archive_stream(struct arena *a, struct source src, const struct layer_input *layer, struct archive *ret,
                   struct err *err)
{
	struct archive ar = { .arena = a, .fd = -1 };
	struct inflate *inf = inflate_open(src, err);
	if (!inf)
		return err->code;
	struct tar *t = tar_open(tar_input_of_inflate(inf));
	struct tar_entry e;
	int rc;
	while ((rc = tar_next(t, &e, err)) > 0) {
		struct archive_member *m;
		if ((rc = add_member(&ar, &e, &m, err)) < 0)
			break;
		if (m && e.type == TAR_FILE && e.size > 0 && (rc = take_member(&ar, t, m, layer, err)) < 0)
			break;
	}
	if (rc == 0 && ar.members.len == 0)
		rc = err_set(err, ERR_FORMAT, "this is no archive of an image: no tar member in it");
	tar_close(t);
	inflate_close(inf);
	if (rc == 0)
		*ret = ar;
	return rc;
}

/* --- looking things up ---------------------------------------------------------------------------------------- */

static struct str link_target(const struct archive *ar, struct str path, const struct archive_member *m, char *clean)
{
	struct str target = m->link;
	if (m->type == TAR_SYMLINK && !str_starts(target, STR("/"))) {
		ptrdiff_t slash = str_rfind(path, '/');
		struct str folder = str_sub(path, 0, slash < 0 ? 0 : (size_t)slash);
		while (str_skip(&target, STR("../"))) {
			slash = str_rfind(folder, '/');
			folder = str_sub(folder, 0, slash < 0 ? 0 : (size_t)slash);
		}
		target = arena_printf(ar->arena, "%.*s/%.*s", STR_ARG(folder), STR_ARG(target));
	}
	struct str cleaned;
	return tar_clean_path(target, clean, &cleaned) ? str_dup(ar->arena, cleaned) : (struct str){ 0 };
}

const struct archive_member *archive_find(const struct archive *ar, struct str path)
{
	char clean[TAR_PATH_MAX];
	for (unsigned i = 0; i <= SYMLINKS_MAX; i++) {
		const uint64_t *at = map_get(&ar->names, path);
		if (!at)
			return NULL;
		const struct archive_member *m = &ar->members.ptr[*at];
		if (m->type == TAR_FILE)
			return m;
		path = link_target(ar, path, m, clean);
	}
	return NULL;
}

static int store_read(void *ctx, struct arena *a, struct str path, size_t size_max, struct str *ret, struct err *err)
{
	struct archive *ar = ctx;
	const struct archive_member *m = archive_find(ar, path);
	if (!m)
		return err_set(err, ERR_NOT_FOUND, "%.*s: not in the archive", STR_ARG(path));
	if (m->size > size_max)
		return err_set(err, ERR_LIMIT, "%.*s: %ju bytes, over MANIFEST_SIZE_MAX", STR_ARG(path), (uintmax_t)m->size);
	if (ar->fd < 0) {
		if (m->size && m->text.len == 0)
			return err_set(err, ERR_FORMAT, "%.*s: no JSON", STR_ARG(path));
		*ret = m->text;
		return 0;
	}
	char *p = arena_alloc(a, m->size + 1);
	int rc = fs_pread_all(ar->fd, p, m->size, m->offset, err);
	if (rc < 0)
		return err_wrap(err, "%.*s", STR_ARG(path)), rc;
	*ret = (struct str){ p, m->size };
	return 0;
}

struct image_store archive_store(struct archive *ar)
{
	return (struct image_store){ .read = store_read, .ctx = ar };
}
