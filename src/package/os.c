/* Which distribution a root is, from its own files: os-release(5) first; else lsb-release and the one-line files that
 * distributions had before it; else the repositories that its apk is set to. Opens nothing: the caller gives texts.
 * What it returns is only text that has been looked at: an id holds [a-z0-9._-], nothing holds control characters. */
#include "package/formats.h"

#include "base/base.h"

/* In the order in which they are believed; of the release files the more special before those that copies carry too
 * (Oracle Linux has a redhat-release that says Red Hat, Ubuntu has a debian_version). */
const char *const os_files[] = {
	"etc/os-release",
	"usr/lib/os-release",
	"etc/lsb-release",
	"etc/alpine-release",
	"etc/almalinux-release",
	"etc/rocky-release",
	"etc/oracle-release",
	"etc/fedora-release",
	"etc/centos-release",
	"etc/mariner-release",
	"etc/azurelinux-release",
	"etc/photon-release",
	"etc/SuSE-release",
	"etc/system-release",
	"etc/redhat-release",
	"etc/debian_version",
	"etc/apk/repositories",
	NULL,
};

struct source {
	struct arena *arena;
	bool (*get)(void *ctx, const char *path, struct str *ret_text);
	void *ctx;
};

static struct str text_of(const struct source *src, const char *path)
{
	struct str text = { 0 };
	if (!src->get(src->ctx, path, &text))
		return (struct str){ 0 };
	return str_sub(text, 0, OS_RELEASE_SIZE_MAX);
}

/* A copy without control characters, no longer than a version may be. */
static struct str clean(struct arena *a, struct str s)
{
	s = str_sub(s, 0, VERSION_LEN_MAX);
	char *p = str_cstr(a, s);
	size_t n = 0;
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] >= 0x20 && s.ptr[i] != 0x7f)
			p[n++] = s.ptr[i];
	return str_trim((struct str){ p, n });
}

/* An id in lower case, or the empty slice where it is none. */
static struct str clean_id(struct arena *a, struct str s)
{
	s = str_trim(s);
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_alnum(s.ptr[i]) && s.ptr[i] != '.' && s.ptr[i] != '_' && s.ptr[i] != '-')
			return (struct str){ 0 };
	return s.len ? str_lower(a, s) : (struct str){ 0 };
}

/* A value with the shell's quotes and backslashes taken off, as os-release(5) allows them. */
static struct str unquote(struct arena *a, struct str s)
{
	char *out = arena_alloc(a, s.len + 1);
	size_t n = 0;
	char quote = 0;
	s = str_sub(str_trim(s), 0, 2 * VERSION_LEN_MAX);
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		if (quote == 0 && (c == '"' || c == '\'')) {
			quote = c;
		} else if (c == quote) {
			quote = 0;
		} else if (c == '\\' && quote != '\'' && i + 1 < s.len) {
			char next = s.ptr[i + 1];
			/* Within double quotes a backslash quotes these four alone. */
			if (quote == 0 || next == '"' || next == '$' || next == '`' || next == '\\')
				out[n++] = s.ptr[++i];
			else
				out[n++] = c;
		} else {
			out[n++] = c;
		}
	}
	return clean(a, (struct str){ out, n });
}

/* The value of key among lines KEY=value; the last one counts, as in a shell. */
static struct str assigned(struct arena *a, struct str text, struct str key)
{
	struct str value = { 0 };
	for (struct str line, rest = text; str_cut(&rest, '\n', &line);) {
		line = str_trim(line);
		if (str_skip(&line, key) && str_skip(&line, STR("=")))
			value = line;
	}
	return value.ptr ? unquote(a, value) : value;
}

static struct str first_line(struct arena *a, struct str text)
{
	struct str line = { 0 };
	while (str_cut(&text, '\n', &line))
		if (str_trim(line).len)
			break;
	return clean(a, line);
}

/* The first word that begins with a digit, up to where it is no number any more: "7.9.2009", "8.5". */
static struct str version_in(struct str line)
{
	for (size_t i = 0; i < line.len; i++) {
		size_t n = i;
		if (!ascii_digit(line.ptr[i]) || (i && !ascii_space(line.ptr[i - 1])))
			continue;
		while (n < line.len && (ascii_digit(line.ptr[n]) || line.ptr[n] == '.'))
			n++;
		return str_sub(line, i, n);
	}
	return (struct str){ 0 };
}

static bool from_os_release(const struct source *src, const char *path, struct os *os)
{
	struct str text = text_of(src, path);
	struct str id = clean_id(src->arena, assigned(src->arena, text, STR("ID")));
	if (id.len == 0)
		return false;
	os->id = id;
	os->version = assigned(src->arena, text, STR("VERSION_ID"));
	os->name = assigned(src->arena, text, STR("PRETTY_NAME"));
	if (os->name.len == 0)
		os->name = assigned(src->arena, text, STR("NAME"));
	os->codename = assigned(src->arena, text, STR("VERSION_CODENAME"));
	if (os->codename.len == 0)
		os->codename = assigned(src->arena, text, STR("UBUNTU_CODENAME"));
	os->id_like = assigned(src->arena, text, STR("ID_LIKE"));
	os->evidence = str_from(path);
	return true;
}

static bool from_lsb_release(const struct source *src, const char *path, struct os *os)
{
	struct str text = text_of(src, path);
	struct str id = clean_id(src->arena, assigned(src->arena, text, STR("DISTRIB_ID")));
	if (id.len == 0)
		return false;
	os->id = id;
	os->version = assigned(src->arena, text, STR("DISTRIB_RELEASE"));
	os->name = assigned(src->arena, text, STR("DISTRIB_DESCRIPTION"));
	os->codename = assigned(src->arena, text, STR("DISTRIB_CODENAME"));
	os->evidence = str_from(path);
	return true;
}

/* "bookworm/sid" stands in testing and unstable alike; a point release is named by its first number. */
static void debian_version(struct str line, struct os *os)
{
	struct str head = { 0 }, rest = line;
	(void)str_cut(&rest, '/', &head);
	if (line.len && ascii_digit(line.ptr[0])) {
		struct str version = version_in(line);
		(void)str_cut(&version, '.', &os->version);
	} else if (rest.len && os->codename.len == 0) {
		os->codename = head;
	}
}

static bool from_debian_version(const struct source *src, const char *path, struct os *os)
{
	struct str line = first_line(src->arena, text_of(src, path));
	if (line.len == 0 || (!ascii_digit(line.ptr[0]) && str_find(line, '/') <= 0))
		return false;
	os->id = STR("debian");
	os->name = arena_printf(src->arena, "Debian GNU/Linux %.*s", STR_ARG(line));
	os->evidence = str_from(path);
	debian_version(line, os);
	return true;
}

static bool from_alpine_release(const struct source *src, const char *path, struct os *os)
{
	struct str line = first_line(src->arena, text_of(src, path));
	if (line.len == 0 || !ascii_digit(line.ptr[0]))
		return false;
	os->id = STR("alpine");
	os->version = line;
	os->name = arena_printf(src->arena, "Alpine Linux %.*s", STR_ARG(line));
	os->evidence = str_from(path);
	return true;
}

/* Files of one line such as "CentOS Linux release 7.9.2009 (Core)". */
static bool from_release_line(const struct source *src, const char *path, struct os *os)
{
	static const struct {
		struct str product, id;
	} products[] = {
		{ STR_INIT("AlmaLinux"), STR_INIT("almalinux") },
		{ STR_INIT("Amazon Linux"), STR_INIT("amzn") },
		{ STR_INIT("Azure Linux"), STR_INIT("azurelinux") },
		{ STR_INIT("CBL-Mariner"), STR_INIT("mariner") },
		{ STR_INIT("CentOS"), STR_INIT("centos") },
		{ STR_INIT("CloudLinux"), STR_INIT("cloudlinux") },
		{ STR_INIT("Fedora"), STR_INIT("fedora") },
		{ STR_INIT("Microsoft Azure Linux"), STR_INIT("azurelinux") },
		{ STR_INIT("openEuler"), STR_INIT("openeuler") },
		{ STR_INIT("openSUSE Leap"), STR_INIT("opensuse-leap") },
		{ STR_INIT("openSUSE Tumbleweed"), STR_INIT("opensuse-tumbleweed") },
		{ STR_INIT("openSUSE"), STR_INIT("opensuse") },
		{ STR_INIT("Oracle Linux"), STR_INIT("ol") },
		{ STR_INIT("Red Hat Enterprise Linux"), STR_INIT("rhel") },
		{ STR_INIT("Rocky Linux"), STR_INIT("rocky") },
		{ STR_INIT("Scientific Linux"), STR_INIT("scientific") },
		{ STR_INIT("SUSE Linux Enterprise Desktop"), STR_INIT("sled") },
		{ STR_INIT("SUSE Linux Enterprise Server"), STR_INIT("sles") },
		{ STR_INIT("VMware Photon"), STR_INIT("photon") },
	};
	struct str text = text_of(src, path);
	struct str line = first_line(src->arena, text);
	for (size_t i = 0; i < COUNT_OF(products); i++) {
		if (!str_eq_nocase(str_sub(line, 0, products[i].product.len), products[i].product))
			continue;
		os->id = products[i].id;
		os->version = version_in(line);
		os->name = line;
		os->evidence = str_from(path);
		/* SuSE-release: the service pack has a line of its own. */
		struct str patch = version_in(assigned(src->arena, text, STR("PATCHLEVEL ")));
		if (patch.len && !str_eq(patch, STR("0")) && str_find(os->version, '.') < 0)
			os->version = arena_printf(src->arena, "%.*s.%.*s", STR_ARG(os->version), STR_ARG(patch));
		return true;
	}
	return false;
}

/* "v3.19" as 3 * 1000 + 19, "edge" above all; 0 for what is no branch. */
static uint64_t branch_rank(struct str branch)
{
	uint64_t major, minor;
	struct str head, rest = branch;
	if (str_eq(branch, STR("edge")))
		return UINT64_MAX;
	if (!str_skip(&rest, STR("v")) || !str_cut(&rest, '.', &head) || !str_to_u64(head, &major) ||
	    !str_to_u64(rest, &minor) || major > 1000 || minor >= 1000)
		return 0;
	return major * 1000 + minor;
}

/* The branch in ".../alpine/v3.19/main": the part of the path before the repository's name. Lines that begin with @ are
 * for packages that ask for them by that tag: they do not make the system a mixed one. */
static void read_repositories(struct arena *a, struct str text, struct os *os, bool *ret_wolfi, bool *ret_chainguard)
{
	uint64_t best = 0;
	for (struct str line, rest = text; str_cut(&rest, '\n', &line);) {
		line = str_trim(line);
		if (line.len == 0 || line.ptr[0] == '#' || line.ptr[0] == '@')
			continue;
		*ret_wolfi = *ret_wolfi || str_contains(line, STR("packages.wolfi.dev/"));
		*ret_chainguard = *ret_chainguard || str_contains(line, STR("packages.cgr.dev/chainguard"));
		struct str part, before = { 0 };
		while (str_cut(&line, '/', &part)) {
			uint64_t rank = branch_rank(before);
			if (rank > best && (str_starts(part, STR("main")) || str_starts(part, STR("community")) ||
			                    str_starts(part, STR("testing")))) {
				best = rank;
				os->apk_branch = str_dup(a, before);
			}
			before = part;
		}
	}
}

/* Where nothing else names the distribution, the repositories do. */
static void from_repositories(const struct source *src, const char *path, struct os *os)
{
	bool wolfi = false, chainguard = false, known = os->id.len > 0;
	struct os found = { 0 };
	if (known && !str_eq(os->id, STR("alpine")))
		return;
	read_repositories(src->arena, text_of(src, path), &found, &wolfi, &chainguard);
	os->apk_branch = found.apk_branch;
	if (known)
		return;
	if (found.apk_branch.len) {
		os->id = STR("alpine");
		os->name = arena_printf(src->arena, "Alpine Linux %.*s", STR_ARG(found.apk_branch));
		if (found.apk_branch.ptr[0] == 'v')
			os->version = str_sub(found.apk_branch, 1, found.apk_branch.len);
	} else if (wolfi || chainguard) {
		os->id = wolfi ? STR("wolfi") : STR("chainguard");
		os->name = wolfi ? STR("Wolfi") : STR("Chainguard");
	}
	if (os->id.len)
		os->evidence = str_from(path);
}

static bool from_file(const struct source *src, const char *path, struct os *os)
{
	struct str p = str_from(path);
	if (str_ends(p, STR("/os-release")))
		return from_os_release(src, path, os);
	if (str_ends(p, STR("/lsb-release")))
		return from_lsb_release(src, path, os);
	if (str_ends(p, STR("/alpine-release")))
		return from_alpine_release(src, path, os);
	if (str_ends(p, STR("/debian_version")))
		return from_debian_version(src, path, os);
	return str_ends(p, STR("-release")) && from_release_line(src, path, os);
}

/* What os-release leaves out and another file of the same system says. Debian's releases are whole numbers: lsb-release
 * may give the point release, or "testing". */
static void complete(const struct source *src, struct os *os)
{
	if (str_eq(os->id, STR("debian"))) {
		struct str stated = os->version;
		if (stated.len == 0)
			stated = first_line(src->arena, text_of(src, "etc/debian_version"));
		os->version = (struct str){ 0 };
		debian_version(stated, os);
	}
	if (str_eq(os->id, STR("alpine")) && os->version.len == 0)
		os->version = first_line(src->arena, text_of(src, "etc/alpine-release"));
	if (os->id.len && os->name.len == 0)
		os->name = arena_printf(src->arena, "%.*s %.*s", STR_ARG(os->id), STR_ARG(os->version));
}

void os_detect(struct arena *a, bool (*get)(void *ctx, const char *path, struct str *ret_text), void *ctx,
               struct os *ret)
{
	struct source src = { a, get, ctx };
	*ret = (struct os){ 0 };
	for (const char *const *path = os_files; *path; path++)
		if (from_file(&src, *path, ret))
			break;
	complete(&src, ret);
	from_repositories(&src, "etc/apk/repositories", ret);
}
