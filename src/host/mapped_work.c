/* Reads /proc/PID/maps and /proc/PID/mountinfo in a bytes worker: see mapped_work.h. A broken line is passed over, never
 * guessed at; opens nothing. Lines are found with memchr and looked at once, so a text costs its length. */
#include "host/mapped_work.h"
#include "base/base.h"
#include "base/fs.h"
#include "host/mapped.h"

#define VALUE_DELETED 1u
/* A byte is four where all are escaped. */
#define ESCAPED_PATH_MAX (4 * MAPPED_PATH_MAX)

/* --- paths --- */

bool mapped_path_clean(struct str path)
{
	struct str rest = path, part;
	if (path.len == 0 || path.len > MAPPED_PATH_MAX || str_find(path, '\0') >= 0)
		return false;
	while (str_cut(&rest, '/', &part))
		if (part.len == 0 || str_eq(part, STR(".")) || str_eq(part, STR("..")))
			return false;
	return true;
}

/* What has a path and is no file that anybody installed: memory of the kernel's own file systems, and devices. */
static bool is_no_file(struct str path)
{
	static const struct str starts[] = {
		STR_INIT("memfd:"), STR_INIT("SYSV"), STR_INIT("anon_"), STR_INIT("["), STR_INIT("dev/"),
	};
	for (size_t i = 0; i < COUNT_OF(starts); i++)
		if (str_starts(path, starts[i]))
			return true;
	return false;
}

/* The kernel writes \ooo for bytes that would break its lines; anything else stands for itself. out has room for s. */
static struct str unescape_octal(struct str s, char *out)
{
	size_t n = 0;
	for (size_t i = 0; i < s.len; i++) {
		uint64_t v;
		if (s.ptr[i] == '\\' && s.len - i > 3 && str_to_u64_base(str_sub(s, i + 1, i + 4), 8, &v) && v <= 0xff) {
			out[n++] = (char)v;
			i += 3;
		} else {
			out[n++] = s.ptr[i];
		}
	}
	return (struct str){ out, n };
}

struct str mapped_unescape_upper(struct arena *a, struct str upper)
{
	char *out = arena_alloc(a, upper.len);
	size_t n = 0;
	for (size_t i = 0; i < upper.len; i++) {
		if (upper.ptr[i] == '\\' && i + 1 < upper.len)
			i++;
		out[n++] = upper.ptr[i];
	}
	return (struct str){ out, n };
}

/* --- maps --- */

void mapped_set_path(struct mapped_set *s, struct str root, struct str path)
{
	if (str_eq(root, STR("/")))
		root.len = 0;
	if (!str_skip(&path, root) || !str_skip(&path, STR("/")))
		return;
	bool deleted = str_drop(&path, STR(" (deleted)"));
	if (is_no_file(path) || !mapped_path_clean(path))
		return;
	path = path_fold_usr(path);
	uint64_t *value = map_get(&s->paths, path);
	if (!value) {
		if (s->paths.len >= MAPPED_FILES_MAX) {
			s->dropped = true;
			return;
		}
		value = map_put(s->arena, &s->paths, str_dup(s->arena, path), NULL);
	}
	if (deleted)
		*value |= VALUE_DELETED;
}

/* "address perms offset dev inode    path": proc_pid_maps(5). */
static bool split_line(struct str line, uint64_t *ret_inode, struct str *ret_path)
{
	struct str field;
	for (int i = 0; i < 5; i++)
		if (!str_cut(&line, ' ', &field))
			return false;
	if (!str_to_u64(field, ret_inode))
		return false;
	while (str_skip(&line, STR(" ")))
		;
	*ret_path = line;
	return true;
}

void mapped_set_maps(struct mapped_set *s, struct str root, struct str maps)
{
	char room[ESCAPED_PATH_MAX];
	struct str line, path, before = { 0 };
	uint64_t inode;
	while (str_cut(&maps, '\n', &line)) {
		/* A library is four or five lines one after the other. */
		if (!split_line(line, &inode, &path) || inode == 0 || str_eq(path, before))
			continue;
		before = path;
		if (path.len > sizeof(room) || !str_starts(path, STR("/")))
			continue;
		mapped_set_path(s, root, unescape_octal(path, room));
	}
}

/* --- mountinfo --- */

static struct str find_option(struct str options, struct str name)
{
	struct str option;
	while (str_cut(&options, ',', &option))
		if (str_skip(&option, name))
			return option;
	return (struct str){ 0 };
}

/* "id parent dev root point options [optional...] - type source options": proc_pid_mountinfo(5). */
static void parse_mount(struct arena *a, struct str line, struct mapped_mount *ret)
{
	struct str field[6], part, type, source;
	for (size_t i = 0; i < COUNT_OF(field); i++)
		if (!str_cut(&line, ' ', &field[i]))
			return;
	if (!str_eq(field[4], STR("/")))
		return;
	/* The last one counts, also where it cannot be read: what is below it is not the root. */
	*ret = (struct mapped_mount){ 0 };
	do
		if (!str_cut(&line, ' ', &part))
			return;
	while (!str_eq(part, STR("-")));
	if (!str_cut(&line, ' ', &type) || !str_cut(&line, ' ', &source))
		return;
	ret->found = true;
	ret->device = field[2];
	ret->root = field[3];
	ret->fuse = str_eq(type, STR("fuse.fuse-overlayfs"));
	if (!str_eq(type, STR("overlay")))
		return;
	char room[ESCAPED_PATH_MAX];
	struct str upper = find_option(line, STR("upperdir="));
	if (upper.len > sizeof(room))
		return;
	upper = unescape_octal(upper, room);
	if (upper.len <= MAPPED_PATH_MAX && str_find(upper, '\0') < 0)
		ret->upper = str_dup(a, upper);
}

void mapped_mount_parse(struct arena *a, struct str mountinfo, struct mapped_mount *ret)
{
	struct str line;
	*ret = (struct mapped_mount){ 0 };
	while (str_cut(&mountinfo, '\n', &line))
		parse_mount(a, line, ret);
}

void mapped_mount_encode(const struct mapped_mount *m, struct buf *b)
{
	buf_byte(b, m->found);
	buf_byte(b, m->fuse);
	buf_str(b, m->device);
	buf_str(b, m->root);
	buf_str(b, m->upper);
}

void mapped_mount_decode(struct reader *r, struct mapped_mount *ret)
{
	ret->found = read_u8(r) == 1;
	ret->fuse = read_u8(r) == 1;
	ret->device = read_str(r);
	ret->root = read_str(r);
	ret->upper = read_str(r);
	if (reader_left(r) || ret->upper.len > MAPPED_PATH_MAX || str_find(ret->upper, '\0') >= 0)
		r->bad = true;
}

/* --- the talk --- */

static void answer_mounts(struct worker_io *io, struct str mountinfo)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct mapped_mount m;
	struct buf BUF_AUTO b = { 0 };
	buf_init(&b, FRAME_SIZE_MAX);
	mapped_mount_parse(a, mountinfo, &m);
	mapped_mount_encode(&m, &b);
	worker_io_send(io, MAPPED_FRAME_MOUNT, buf_view(&b));
}

static bool take_process(struct mapped_set *s, struct str payload)
{
	struct reader r = reader_of(payload);
	struct str root = read_str(&r), exe = read_str(&r), maps = read_bytes(&r, reader_left(&r));
	if (r.bad)
		return false;
	mapped_set_path(s, root, exe);
	mapped_set_maps(s, root, maps);
	return true;
}

static int compare_entries(const void *a, const void *b)
{
	const struct map_entry *x = a, *y = b;
	return str_cmp(x->key, y->key);
}

static void send_files(struct worker_io *io, const struct mapped_set *s)
{
	struct map_entry *sorted = s->paths.entries; /* nothing is looked up any more */
	uint64_t deleted = 0;
	struct buf BUF_AUTO b = { 0 };
	buf_init(&b, FRAME_SIZE_MAX);
	if (s->paths.len)
		qsort(sorted, s->paths.len, sizeof(*sorted), compare_entries);
	for (size_t i = 0; i < s->paths.len; i++) {
		deleted += sorted[i].value & VALUE_DELETED;
		buf_str(&b, sorted[i].key);
		if (b.len < MAPPED_CHUNK_SIZE && i + 1 < s->paths.len)
			continue;
		worker_io_send(io, MAPPED_FRAME_FILES, buf_view(&b));
		buf_clear(&b);
	}
	buf_varint(&b, deleted);
	buf_byte(&b, s->dropped);
	worker_io_send(io, MAPPED_FRAME_DONE, buf_view(&b));
}

int mapped_run(struct worker_io *io, void *arg)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct mapped_set set = { .arena = a };
	struct frame f;
	struct err err;
	(void)arg;
	while (worker_io_recv(io, FRAME_SIZE_MAX, &f, &err) > 0) {
		if (f.type == MAPPED_FRAME_MOUNTS) {
			answer_mounts(io, f.payload);
		} else if (f.type == MAPPED_FRAME_PROCESS) {
			if (!take_process(&set, f.payload))
				return 1;
		} else if (f.type == MAPPED_FRAME_END) {
			send_files(io, &set);
			return 0;
		} else {
			return 1;
		}
	}
	return 1;
}
