/* The files of containers/storage, for the parent: documents and layer folders by names that a worker said, which are
 * checked before they become paths, and looked up below the graph root without following a link. Takes the store's
 * locks shared; writes nothing, ever. See containers.h. */
#include "image/containers.h"

#include "base/base.h"
#include "base/fs.h"
#include "image/origin.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#define OPEN_FOLDER (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
/* O_NONBLOCK: the store may be another user's, who may have put a fifo there. */
#define OPEN_FILE (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
#define LOCK_STEP_MS 10
#define MARK_SIZE_MAX 16u

static const struct containers_driver drivers[] = {
	{ "overlay", true },  { "vfs", true },    { "btrfs", false }, { "zfs", false },
	{ "aufs", false },    { "devicemapper", false },
};

enum lock { LOCK_IMAGES, LOCK_LAYERS, LOCK_CONTAINERS };
static const char *const kinds[CONTAINERS_LOCKS] = { "images", "layers", "containers" };

static const struct {
	const char *name;
	enum lock kind;
} documents[CONTAINERS_DOCUMENTS] = {
	{ "images.json", LOCK_IMAGES },         { "layers.json", LOCK_LAYERS },
	{ "volatile-layers.json", LOCK_LAYERS }, { "containers.json", LOCK_CONTAINERS },
	{ "volatile-containers.json", LOCK_CONTAINERS },
};

static int fail_errno(struct err *err, struct str what)
{
	int code = errno == ENOENT || errno == ENOTDIR         ? ERR_NOT_FOUND
	           : errno == EACCES || errno == EPERM         ? ERR_ACCESS
	                                                       : ERR_IO;
	return err_set(err, code, "%.*s: %m", STR_ARG(what));
}

static void close_p(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
#define FD_AUTO __attribute__((cleanup(close_p)))

/* path below fd, no component of which may be a link; the last is opened with flags. */
static int open_below(int fd, struct str path, int flags, int *ret, struct err *err)
{
	struct arena *ARENA_AUTO tmp = arena_new();
	struct str part, rest = path;
	int at = dup(fd);
	while (at >= 0 && str_cut(&rest, '/', &part)) {
		int next = openat(at, str_cstr(tmp, part), rest.len ? OPEN_FOLDER : flags);
		int saved = errno;
		close(at);
		errno = saved;
		at = next;
	}
	if (at < 0)
		return fail_errno(err, path);
	*ret = at;
	return 0;
}

static int open_regular(int fd, struct str path, int *ret, struct err *err)
{
	struct stat st;
	int file = -1;
	int rc = open_below(fd, path, OPEN_FILE, &file, err);
	if (rc < 0)
		return rc;
	if (fstat(file, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(file);
		return err_set(err, ERR_FORMAT, "%.*s is no regular file", STR_ARG(path));
	}
	*ret = file;
	return 0;
}

/* --- opening ---------------------------------------------------------------------------------------------------------- */

static void add_store(struct arena *a, struct containers_stores *s, struct str root, int fd, const struct containers_driver *d)
{
	struct containers_store *store = vec_push(a, s);
	*store = (struct containers_store){ .root = root, .driver = d, .fd = dup(fd) };
	for (size_t i = 0; i < CONTAINERS_DOCUMENTS; i++)
		store->documents[i] = -1;
	for (size_t i = 0; i < CONTAINERS_LOCKS; i++)
		store->locks[i] = -1;
}

/* The store of one driver below a graph root, if there is one. */
static void look_for(struct arena *a, struct str root, int fd, const struct containers_driver *d,
                     struct containers_stores *s, bool *closed)
{
	struct err err = { 0 };
	int folder;
	for (size_t i = 0; i < s->len; i++)
		if (str_eq(s->ptr[i].root, root) && s->ptr[i].driver == d)
			return;
	int rc = open_below(fd, arena_printf(a, "%s-images", d->name), OPEN_FOLDER, &folder, &err);
	*closed = *closed || rc == ERR_ACCESS;
	if (rc < 0 || s->len == CONTAINERS_STORES_MAX)
		return;
	close(folder);
	add_store(a, s, root, fd, d);
}

static void open_place(struct arena *a, const struct containers_place *p, struct containers_stores *s, bool *closed)
{
	int fd = open(str_cstr(a, p->root), O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		*closed = *closed || errno == EACCES;
		return;
	}
	for (size_t i = 0; i < COUNT_OF(drivers); i++)
		if (str_eq(p->driver, str_from(drivers[i].name)))
			look_for(a, p->root, fd, &drivers[i], s, closed);
	for (size_t i = 0; i < COUNT_OF(drivers); i++)
		look_for(a, p->root, fd, &drivers[i], s, closed);
	close(fd);
}

int containers_open(struct arena *a, const struct containers_places *places, struct containers_stores *ret, struct err *err)
{
	struct containers_stores s = { 0 };
	bool closed = false;
	for (size_t i = 0; i < places->len; i++)
		open_place(a, &places->ptr[i], &s, &closed);
	if (s.len == 0 && closed)
		return err_set(err, ERR_ACCESS, "the store may not be read by this user: %.*s", STR_ARG(places->words));
	if (s.len == 0)
		return err_set(err, ERR_ABSENT, "no store in %.*s", STR_ARG(places->words));
	*ret = s;
	return 0;
}

void containers_close(struct containers_stores *stores)
{
	for (size_t i = 0; i < stores->len; i++) {
		const struct containers_store *s = &stores->ptr[i];
		for (size_t k = 0; k < CONTAINERS_DOCUMENTS; k++)
			close_p(&s->documents[k]);
		/* Gone with the last descriptor of it. */
		for (size_t k = 0; k < CONTAINERS_LOCKS; k++)
			close_p(&s->locks[k]);
		close_p(&s->fd);
	}
	stores->len = 0;
}

/* --- locks ------------------------------------------------------------------------------------------------------------ */

/* Shared, and never waited for without end: what holds it may be a pull of hours. The JSON files are replaced by rename, so
 * that without the lock they are whole too; only layers could be taken away while they are read. */
static bool lock_shared(int fd)
{
	for (unsigned waited = 0; waited <= CONTAINERS_LOCK_WAIT_MS; waited += LOCK_STEP_MS) {
		struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
		if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
			return true;
		if (errno != EAGAIN && errno != EACCES)
			return false;
		struct timespec step = { .tv_nsec = LOCK_STEP_MS * 1000000L };
		(void)nanosleep(&step, NULL);
	}
	return false;
}

static bool take_lock(struct containers_store *s, struct arena *a, enum lock kind)
{
	struct err ignored = { 0 };
	struct str path = arena_printf(a, "%s-%s/%s.lock", s->driver->name, kinds[kind], kinds[kind]);
	/* Not waited for twice. */
	if (s->locks[kind] >= 0 || s->unlocked)
		return !s->unlocked;
	return open_regular(s->fd, path, &s->locks[kind], &ignored) == 0 && lock_shared(s->locks[kind]);
}

/* --- documents -------------------------------------------------------------------------------------------------------- */

static int read_piece(struct containers_store *s, struct arena *a, size_t document, uint64_t piece, size_t size_max,
                      struct str *ret, struct err *err)
{
	int *fd = &s->documents[document];
	struct stat st;
	if (*fd < 0) {
		bool locked = take_lock(s, a, documents[document].kind);
		struct str path = arena_printf(a, "%s-%s/%s", s->driver->name, kinds[documents[document].kind],
		                               documents[document].name);
		int rc = open_regular(s->fd, path, fd, err);
		if (rc < 0)
			return rc;
		s->unlocked = s->unlocked || !locked;
	}
	if (fstat(*fd, &st) < 0)
		return err_set(err, ERR_IO, "%s: %m", documents[document].name);
	uint64_t size = (uint64_t)st.st_size;
	uint64_t from = piece > CONTAINERS_JSON_SIZE_MAX / CONTAINERS_PIECE_SIZE ? size : piece * CONTAINERS_PIECE_SIZE;
	uint64_t left = from < size ? size - from : 0;
	size_t n = left < CONTAINERS_PIECE_SIZE ? (size_t)left : CONTAINERS_PIECE_SIZE;
	if (n > size_max)
		return err_set(err, ERR_LIMIT, "larger than %zu bytes", size_max);
	char *p = arena_alloc(a, n);
	int rc = fs_pread_all(*fd, p, n, from, err);
	if (rc == 0)
		*ret = (struct str){ p, n };
	return rc;
}

/* Names of big data that are asked for. In the store they are file names as they are only where they have nothing but
 * digits, small letters and points; all others are "=" and base64. */
static bool data_file(struct arena *a, struct str key, struct str *ret)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct str digest = key;
	struct buf BUF_AUTO b = { 0 };
	if (str_eq(key, STR("manifest"))) {
		*ret = key;
		return true;
	}
	(void)str_skip(&digest, STR("manifest-"));
	if (!str_skip(&digest, STR("sha256:")) || !containers_is_id(digest))
		return false;
	buf_init(&b, 256);
	(void)buf_byte(&b, '=');
	for (size_t i = 0; i < key.len; i += 3) {
		uint32_t bits = 0;
		for (size_t k = 0; k < 3; k++)
			bits = bits << 8 | (i + k < key.len ? (uint8_t)key.ptr[i + k] : 0);
		for (size_t k = 0; k < 4; k++)
			(void)buf_byte(&b, i + k > key.len ? (uint8_t)'=' : (uint8_t)digits[bits >> (18 - 6 * k) & 63]);
	}
	*ret = str_dup(a, buf_view(&b));
	return true;
}

static int read_data(struct containers_store *s, struct arena *a, struct str id, struct str key, size_t size_max,
                     struct str *ret, struct err *err)
{
	struct str file;
	int fd = -1;
	if (!containers_is_id(id) || !data_file(a, key, &file))
		return err_set(err, ERR_FORMAT, "no name of a document");
	struct str path = arena_printf(a, "%s-images/%.*s/%.*s", s->driver->name, STR_ARG(id), STR_ARG(file));
	int rc = open_regular(s->fd, path, &fd, err);
	if (rc < 0)
		return rc;
	rc = fs_read_fd(a, fd, size_max, ret, err);
	close(fd);
	return rc;
}

/* The store whose number stands in front of the first slash of *rest. */
static struct containers_store *take_store(struct containers_stores *stores, struct str *rest)
{
	struct str number;
	uint64_t n;
	if (!str_cut(rest, '/', &number) || number.len > 4 || !str_to_u64(number, &n) || n >= stores->len)
		return NULL;
	return &stores->ptr[n];
}

static int read_names(const struct containers_stores *stores, struct arena *a, struct str *ret)
{
	struct buf BUF_AUTO b = { 0 };
	buf_init(&b, CONTAINERS_STORES_MAX * 32);
	for (size_t i = 0; i < stores->len; i++)
		(void)buf_printf(&b, "%s\n", stores->ptr[i].driver->name);
	*ret = str_dup(a, buf_view(&b));
	return 0;
}

int containers_read(struct containers_stores *stores, struct arena *a, struct str name, size_t size_max, struct str *ret,
                    struct err *err)
{
	struct str rest = name, first, second;
	uint64_t piece;
	if (str_eq(name, STR("stores")))
		return read_names(stores, a, ret);
	struct containers_store *s = take_store(stores, &rest);
	if (s && str_cut(&rest, '/', &first) && str_cut(&rest, '/', &second)) {
		if (str_eq(first, STR("data")))
			return read_data(s, a, second, rest, size_max, ret, err);
		for (size_t i = 0; i < CONTAINERS_DOCUMENTS; i++)
			if (rest.len == 0 && str_eq(first, str_from(documents[i].name)) && str_to_u64(second, &piece))
				return read_piece(s, a, i, piece, size_max, ret, err);
	}
	return err_set(err, ERR_FORMAT, "\"%.*s\" is no document of a store", STR_ARG(str_sub(name, 0, 80)));
}

/* --- layers ----------------------------------------------------------------------------------------------------------- */

/* In a user namespace, root's own stores were written without the right to trusted.* attributes. */
static bool whole_machine(void)
{
	struct arena *ARENA_AUTO tmp = arena_new();
	struct str text, line, part;
	struct err ignored = { 0 };
	uint64_t want[] = { 0, 0, UINT32_MAX }, n;
	size_t i = 0;
	if (fs_read(tmp, "/proc/self/uid_map", 4096, &text, &ignored) < 0 || !str_cut(&text, '\n', &line))
		return true;
	while (str_cut(&line, ' ', &part)) {
		if (part.len == 0)
			continue;
		if (i == COUNT_OF(want) || !str_to_u64(part, &n) || n != want[i++])
			return false;
	}
	return i == COUNT_OF(want);
}

/* "true", "false", or nothing where no mark was left. */
static struct str read_mark(const struct containers_store *s, struct arena *a)
{
	struct err ignored = { 0 };
	struct str text = { 0 };
	int fd = -1;
	if (open_regular(s->fd, STR("overlay/.has-mount-program"), &fd, &ignored) < 0)
		return text;
	(void)fs_read_fd(a, fd, MARK_SIZE_MAX, &text, &ignored);
	close(fd);
	return str_trim(text);
}

/* Which of overlay's forms. The mark is of the last that opened the store; where there is none, both are read. */
static void choose_form(const struct containers_store *s, struct arena *a, bool mount_program, struct layer_place *ret)
{
	struct err ignored = { 0 };
	struct stat st = { 0 };
	int fd = -1;
	struct str mark = read_mark(s, a);
	if (open_below(s->fd, STR("overlay"), OPEN_FOLDER, &fd, &ignored) == 0) {
		(void)fstat(fd, &st);
		close(fd);
	}
	bool fuse = str_eq(mark, STR("true")) || (mark.len == 0 && mount_program);
	ret->form = str_eq(mark, STR("false")) ? FOLDER_OVERLAY : FOLDER_FUSE;
	ret->needs_trusted = !fuse && st.st_uid == 0 && whole_machine();
}

/* Forms of overlay's layers that hold no plain folder. */
static int refuse_special(const struct containers_store *s, struct arena *a, struct str id, struct err *err)
{
	static const struct {
		const char *name, *words;
	} special[] = {
		{ "composefs-data", "it lies in a composefs image" },
		{ "additionallayer", "it lies in an additional layer store (a snapshotter's)" },
	};
	for (size_t i = 0; i < COUNT_OF(special); i++) {
		struct err ignored = { 0 };
		struct stat st;
		int FD_AUTO folder = -1;
		if (open_below(s->fd, arena_printf(a, "overlay/%.*s", STR_ARG(id)), OPEN_FOLDER, &folder, &ignored) == 0 &&
		    fstatat(folder, special[i].name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			return err_set(err, ERR_UNSUPPORTED, "%s, which cannot be read in place; podman save does it",
			               special[i].words);
	}
	return 0;
}

int containers_folder(struct containers_stores *stores, struct arena *a, struct str path, bool mount_program,
                      struct layer_place *ret, struct err *err)
{
	struct str id = path;
	const struct containers_store *s = take_store(stores, &id);
	struct layer_place place = { .kind = PLACE_FOLDER, .form = FOLDER_WHOLE, .fd = -1 };
	if (!s || !containers_is_id(id))
		return err_set(err, ERR_FORMAT, "\"%.*s\" is no layer of a store", STR_ARG(str_sub(path, 0, 80)));
	bool overlay = str_eq(str_from(s->driver->name), STR("overlay"));
	if (!s->driver->readable)
		return err_set(err, ERR_UNSUPPORTED, "a layer in a store of %s", s->driver->name);
	int rc = overlay ? refuse_special(s, a, id, err) : 0;
	if (rc < 0)
		return rc;
	struct str folder = overlay ? arena_printf(a, "overlay/%.*s/diff", STR_ARG(id))
	                            : arena_printf(a, "vfs/dir/%.*s", STR_ARG(id));
	rc = open_below(s->fd, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, &place.fd, err);
	/* Not "no such image": the store is broken. */
	if (rc == ERR_NOT_FOUND)
		return err_set(err, ERR_FORMAT, "its folder is missing: %.*s/%.*s", STR_ARG(s->root), STR_ARG(folder));
	if (rc < 0)
		return rc;
	if (overlay)
		choose_form(s, a, mount_program, &place);
	place.share = arena_printf(a, "%.*s/%.*s", STR_ARG(s->root), STR_ARG(folder));
	*ret = place;
	return 0;
}
