/* Where stores of containers/storage are: storage.conf, environment, defaults. See containers.h; containers-storage.conf(5).
 * Of TOML 1.0 it reads what such a file is made of (tables, dotted keys, strings of one line, lists of them) and passes
 * over what it does not want; anything else is refused, not guessed. */
#include "image/containers.h"

#include "base/base.h"
#include "base/fs.h"

/* What storage.conf says that matters here. */
struct conf {
	struct str driver, graph_root, rootless_path, image_store, mount_program;
	struct str_list additional;
};

/* --- the file --------------------------------------------------------------------------------------------------------- */

#define CONF_DEPTH_MAX 16
#define CONF_KEY_MAX 256

struct scanner {
	struct arena *arena;
	struct str text;
	size_t at;
	unsigned line;
	const char *path;
	struct err *err;
};

static int refuse(const struct scanner *s, const char *what)
{
	return err_set(s->err, ERR_USAGE, "%s:%u: %s", s->path, s->line, what);
}

static char peek(const struct scanner *s)
{
	return s->at < s->text.len ? s->text.ptr[s->at] : '\0';
}

static bool at_end(const struct scanner *s)
{
	return s->at >= s->text.len;
}

static bool skip_text(struct scanner *s, struct str what)
{
	if (!str_starts(str_sub(s->text, s->at, s->text.len), what))
		return false;
	s->at += what.len;
	return true;
}

static void skip_blanks(struct scanner *s)
{
	while (peek(s) == ' ' || peek(s) == '\t' || peek(s) == '\r')
		s->at++;
}

/* Blanks, comments and line ends. */
static void skip_space(struct scanner *s)
{
	for (;;) {
		skip_blanks(s);
		if (peek(s) == '#')
			while (!at_end(s) && peek(s) != '\n')
				s->at++;
		if (peek(s) != '\n')
			return;
		s->line++;
		s->at++;
	}
}

static int end_of_line(struct scanner *s)
{
	skip_blanks(s);
	return at_end(s) || peek(s) == '\n' || peek(s) == '#' ? 0 : refuse(s, "something stands behind the value");
}

/* A string of one line, the quote still in front. */
static int take_string(struct scanner *s, struct str *ret)
{
	struct buf BUF_AUTO b = { 0 };
	char quote = peek(s);
	if (skip_text(s, STR("\"\"\"")) || skip_text(s, STR("'''")))
		return refuse(s, "strings over several lines are not read");
	buf_init(&b, LINK_PATH_MAX);
	for (s->at++; peek(s) != quote; s->at++) {
		if (at_end(s) || peek(s) == '\n')
			return refuse(s, "the string has no end");
		if (quote == '"' && peek(s) == '\\') {
			s->at++;
			if (peek(s) != '"' && peek(s) != '\\')
				return refuse(s, "of escapes only \\\" and \\\\ are read");
		}
		(void)buf_byte(&b, (uint8_t)peek(s));
	}
	s->at++;
	if (b.overflow)
		return refuse(s, "the string is longer than a path can be");
	*ret = str_dup(s->arena, buf_view(&b));
	return 0;
}

/* Dotted keys become one text with points. */
static int take_key(struct scanner *s, struct buf *key)
{
	do {
		struct str part;
		skip_blanks(s);
		if (peek(s) == '"' || peek(s) == '\'') {
			int rc = take_string(s, &part);
			if (rc < 0)
				return rc;
		} else {
			size_t from = s->at;
			while (ascii_alnum(peek(s)) || peek(s) == '_' || peek(s) == '-')
				s->at++;
			part = str_sub(s->text, from, s->at);
		}
		if (part.len == 0)
			return refuse(s, "this is no key");
		(void)buf_printf(key, "%s%.*s", key->len ? "." : "", STR_ARG(part));
		skip_blanks(s);
	} while (skip_text(s, STR(".")));
	return key->overflow ? refuse(s, "the key is too long") : 0;
}

static int take_value(struct scanner *s, struct str_list *strings, unsigned depth, bool *ret_list);

static int take_list(struct scanner *s, struct str_list *strings, unsigned depth)
{
	bool ignored;
	for (s->at++;;) {
		skip_space(s);
		if (skip_text(s, STR("]")))
			return 0;
		int rc = take_value(s, strings, depth + 1, &ignored);
		if (rc < 0)
			return rc;
		skip_space(s);
		if (!skip_text(s, STR(",")) && peek(s) != ']')
			return refuse(s, "a list with neither comma nor end");
	}
}

/* Strings are put into the list; numbers, dates and truths are passed over. */
static int take_value(struct scanner *s, struct str_list *strings, unsigned depth, bool *ret_list)
{
	struct str text;
	*ret_list = peek(s) == '[';
	if (depth > CONF_DEPTH_MAX)
		return refuse(s, "lists inside lists");
	if (peek(s) == '[')
		return take_list(s, strings, depth);
	if (peek(s) == '"' || peek(s) == '\'') {
		int rc = take_string(s, &text);
		if (rc == 0)
			*vec_push(s->arena, strings) = text;
		return rc;
	}
	size_t from = s->at;
	while (ascii_alnum(peek(s)) || (peek(s) && memchr("+-_.:", peek(s), 5)))
		s->at++;
	return s->at > from ? 0 : refuse(s, "a value that is neither string, number nor list of them");
}

static struct str *wanted_string(struct conf *c, struct str key)
{
	const struct {
		const char *key;
		struct str *to;
	} rows[] = {
		{ "storage.driver", &c->driver },
		{ "storage.graphroot", &c->graph_root },
		{ "storage.rootless_storage_path", &c->rootless_path },
		{ "storage.imagestore", &c->image_store },
		{ "storage.options.mount_program", &c->mount_program },
		{ "storage.options.overlay.mount_program", &c->mount_program },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (str_eq(key, str_from(rows[i].key)))
			return rows[i].to;
	return NULL;
}

static int take_pair(struct scanner *s, struct str table, struct conf *c)
{
	struct buf BUF_AUTO key = { 0 };
	struct str_list strings = { 0 };
	bool list;
	buf_init(&key, CONF_KEY_MAX);
	(void)buf_put(&key, table);
	int rc = take_key(s, &key);
	if (rc < 0)
		return rc;
	if (!skip_text(s, STR("=")))
		return refuse(s, "a key without \"=\"");
	skip_blanks(s);
	if ((rc = take_value(s, &strings, 0, &list)) < 0 || (rc = end_of_line(s)) < 0)
		return rc;
	struct str *to = wanted_string(c, buf_view(&key));
	if (to && (list || strings.len != 1))
		return refuse(s, "the value should be a string");
	if (to)
		*to = strings.ptr[0];
	if (str_eq(buf_view(&key), STR("storage.options.additionalimagestores"))) {
		if (!list)
			return refuse(s, "the value should be a list");
		c->additional = strings;
	}
	return 0;
}

static int take_table(struct scanner *s, struct str *ret)
{
	struct buf BUF_AUTO key = { 0 };
	bool array = skip_text(s, STR("[["));
	if (!array)
		s->at++;
	buf_init(&key, CONF_KEY_MAX);
	int rc = take_key(s, &key);
	if (rc < 0)
		return rc;
	if (!skip_text(s, array ? STR("]]") : STR("]")))
		return refuse(s, "a table's name without end");
	*ret = str_dup(s->arena, buf_view(&key));
	return end_of_line(s);
}

static int read_conf(struct arena *a, const char *path, struct conf *ret, struct err *err)
{
	struct scanner s = { .arena = a, .line = 1, .path = path, .err = err };
	struct str table = { 0 };
	struct conf c = { 0 };
	int rc = fs_read(a, path, CONTAINERS_CONF_SIZE_MAX, &s.text, err);
	if (rc < 0)
		return rc;
	if (str_find(s.text, '\0') >= 0)
		return refuse(&s, "a NUL byte");
	for (skip_space(&s); rc == 0 && !at_end(&s); skip_space(&s))
		rc = peek(&s) == '[' ? take_table(&s, &table) : take_pair(&s, table, &c);
	if (rc == 0)
		*ret = c;
	return rc;
}

/* --- what follows from it ----------------------------------------------------------------------------------------------- */

static struct str env(const struct containers_system *sys, const char *name)
{
	return str_from(sys->env(name));
}

/* $NAME and ${NAME}, as Podman does it; $UID is no variable but the user's number. */
static struct str expand(struct arena *a, const struct containers_system *sys, struct str path)
{
	struct buf BUF_AUTO b = { 0 };
	buf_init(&b, LINK_PATH_MAX);
	for (size_t i = 0; i < path.len; i++) {
		if (path.ptr[i] != '$') {
			(void)buf_byte(&b, (uint8_t)path.ptr[i]);
			continue;
		}
		bool braces = i + 1 < path.len && path.ptr[i + 1] == '{';
		size_t from = i + 1 + braces, to = from;
		while (to < path.len && (ascii_alnum(path.ptr[to]) || path.ptr[to] == '_'))
			to++;
		struct str name = str_sub(path, from, to);
		if (str_eq(name, STR("UID")))
			(void)buf_printf(&b, "%u", sys->uid);
		else
			(void)buf_put(&b, env(sys, str_cstr(a, name)));
		i = to - 1 + (braces && to < path.len && path.ptr[to] == '}');
	}
	/* Too long to be a path: none. */
	if (b.overflow)
		buf_clear(&b);
	return str_dup(a, buf_view(&b));
}

static bool exists(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0;
}

/* The machine's storage.conf: the administrator's, else the distribution's. */
static const char *machine_conf(struct arena *a, const struct containers_system *sys)
{
	struct str named = env(sys, "CONTAINERS_STORAGE_CONF");
	if (named.len)
		return str_cstr(a, named);
	const char *path = str_cstr(a, arena_printf(a, "%s/etc/containers/storage.conf", sys->root));
	return exists(path) ? path : str_cstr(a, arena_printf(a, "%s/usr/share/containers/storage.conf", sys->root));
}

static struct str home_folder(struct arena *a, const struct containers_system *sys, const char *variable, const char *inside)
{
	struct str folder = env(sys, variable), home = env(sys, "HOME");
	if (folder.len)
		return folder;
	return home.len ? arena_printf(a, "%.*s/%s", STR_ARG(home), inside) : (struct str){ 0 };
}

static int read_if_there(struct arena *a, const char *path, struct conf *c, bool *ret_there, struct err *err)
{
	struct err why = { 0 };
	int rc = read_conf(a, path, c, &why);
	*ret_there = rc == 0;
	return rc < 0 && rc != ERR_NOT_FOUND ? err_set(err, rc, "%s", why.text) : 0;
}

static void add_place(struct arena *a, const struct containers_system *sys, struct str root, struct str driver,
                      struct containers_places *p)
{
	root = expand(a, sys, root);
	while (root.len > 1 && str_drop(&root, STR("/")))
		;
	if (root.len == 0 || p->len >= CONTAINERS_STORES_MAX)
		return;
	if (str_eq(driver, STR("overlay2")))
		driver = STR("overlay");
	*vec_push(a, p) = (struct containers_place){ root, driver };
	p->words = arena_printf(a, "%.*s%s%.*s", STR_ARG(p->words), p->words.len ? ", " : "", STR_ARG(root));
}

/* A user without root's rights: his own storage.conf stands before the machine's, whose graphroot is not his. Of a file
 * that the environment names newer versions take the graphroot, older ones (1.43) only rootless_storage_path: *ret_older
 * is where those look. */
static int user_conf(struct arena *a, const struct containers_system *sys, struct conf *c, struct str *ret_older,
                     struct err *err)
{
	bool there = false;
	struct str data = home_folder(a, sys, "XDG_DATA_HOME", ".local/share");
	struct str usual = data.len ? arena_printf(a, "%.*s/containers/storage", STR_ARG(data)) : (struct str){ 0 };
	struct str folder = home_folder(a, sys, "XDG_CONFIG_HOME", ".config");
	int rc = read_if_there(a, machine_conf(a, sys), c, &there, err);
	if (rc < 0)
		return rc;
	bool named = there && env(sys, "CONTAINERS_STORAGE_CONF").len;
	if (named)
		*ret_older = c->rootless_path.len ? c->rootless_path : usual;
	if (!named) {
		struct conf own;
		c->graph_root = c->rootless_path.len ? c->rootless_path : usual;
		if (!folder.len)
			return 0;
		rc = read_if_there(a, str_cstr(a, arena_printf(a, "%.*s/containers/storage.conf", STR_ARG(folder))), &own, &there,
		                   err);
		if (rc < 0 || !there)
			return rc;
		usual = c->graph_root;
		*c = own;
	}
	if (c->graph_root.len == 0)
		c->graph_root = c->rootless_path.len ? c->rootless_path : usual;
	return 0;
}

static bool is_rootless(const struct containers_system *sys)
{
	/* Set by Podman and Buildah inside the namespace in which an ordinary user is root. */
	return sys->uid != 0 || env(sys, "_CONTAINERS_USERNS_CONFIGURED").len;
}

int containers_places(struct arena *a, const struct containers_system *sys, struct containers_places *ret, struct err *err)
{
	struct conf c = { 0 };
	struct containers_places p = { 0 };
	struct str older = { 0 };
	bool ignored;
	int rc = is_rootless(sys) ? user_conf(a, sys, &c, &older, err) : read_if_there(a, machine_conf(a, sys), &c, &ignored, err);
	if (rc < 0)
		return rc;
	struct str driver = env(sys, "STORAGE_DRIVER").len ? env(sys, "STORAGE_DRIVER") : c.driver;
	if (!is_rootless(sys) && c.graph_root.len == 0)
		c.graph_root = arena_printf(a, "%s/var/lib/containers/storage", sys->root);
	add_place(a, sys, c.graph_root, driver, &p);
	if (older.len && !str_eq(older, c.graph_root))
		add_place(a, sys, older, driver, &p);
	add_place(a, sys, c.image_store, driver, &p);
	for (size_t i = 0; i < c.additional.len; i++)
		add_place(a, sys, c.additional.ptr[i], driver, &p);
	p.mount_program = c.mount_program.len > 0;
	if (p.len == 0)
		return err_set(err, ERR_ABSENT, "no store is named: HOME is not set");
	*ret = p;
	return 0;
}

int containers_place_of_reference(struct arena *a, struct str *reference, struct containers_places *ret, struct err *err)
{
	struct str rest = *reference, spec, driver = { 0 }, root, cut;
	*ret = (struct containers_places){ 0 };
	(void)str_skip(&rest, STR("containers-storage:"));
	if (!str_skip(&rest, STR("["))) {
		*reference = rest;
		return 0;
	}
	ptrdiff_t end = str_find(rest, ']');
	if (end < 0)
		return err_set(err, ERR_USAGE, "the store in brackets has no end: [DRIVER@FOLDER]NAME");
	spec = str_sub(rest, 0, (size_t)end);
	rest = str_sub(rest, (size_t)end + 1, rest.len);
	/* Options, the run root, the driver: in this order they are cut off. */
	ptrdiff_t colon = str_find(spec, ':'), at;
	ret->mount_program = colon >= 0 && str_contains(str_sub(spec, (size_t)colon, spec.len), STR("mount_program="));
	(void)str_cut(&spec, ':', &cut);
	(void)str_cut(&cut, '+', &root);
	if ((at = str_find(root, '@')) >= 0) {
		driver = str_sub(root, 0, (size_t)at);
		root = str_sub(root, (size_t)at + 1, root.len);
	}
	if (root.len == 0 || root.ptr[0] != '/' || str_find(root, '\0') >= 0)
		return err_set(err, ERR_USAGE, "the store in brackets is no absolute path: [DRIVER@FOLDER]NAME");
	if (str_eq(driver, STR("overlay2")))
		driver = STR("overlay");
	*vec_push(a, ret) = (struct containers_place){ root, driver };
	ret->words = root;
	*reference = rest;
	return 0;
}
