/* Which rules hold for which distribution (reference: image scanning, section 2): the table that match.c drives by.
 * Here live the ways of naming a release. Nothing here looks at the advisory file. */
#include "match/distro.h"

#include "base/base.h"

static void put(struct distro_platforms *ret, struct str name)
{
	if (ret->len < DISTRO_PLATFORMS_MAX)
		ret->name[ret->len++] = name;
	ret->own = ret->len;
}

/* "22.04.3" with 2 gives "22.04"; a suffix such as "_alpha20240807" is cut. Empty where it does not begin so. */
static struct str version_parts(struct str version, size_t parts)
{
	size_t end = 0;
	for (size_t i = 0; i < version.len; i++) {
		char c = version.ptr[i];
		if (c == '.') {
			if (--parts == 0)
				break;
		} else if (!ascii_digit(c)) {
			break;
		}
		end = i + 1;
	}
	struct str cut = str_sub(version, 0, end);
	(void)str_drop(&cut, STR("."));
	return cut;
}

/* What Debian has called its releases, so that an image that states only a code name is found. */
static const struct {
	struct str codename;
	struct str number;
} debian_releases[] = {
	{ STR_INIT("wheezy"), STR_INIT("7") },    { STR_INIT("jessie"), STR_INIT("8") },
	{ STR_INIT("stretch"), STR_INIT("9") },   { STR_INIT("buster"), STR_INIT("10") },
	{ STR_INIT("bullseye"), STR_INIT("11") }, { STR_INIT("bookworm"), STR_INIT("12") },
	{ STR_INIT("trixie"), STR_INIT("13") },   { STR_INIT("forky"), STR_INIT("14") },
	{ STR_INIT("duke"), STR_INIT("15") },
};

static struct str debian_number(struct str codename)
{
	for (size_t i = 0; i < COUNT_OF(debian_releases); i++)
		if (str_eq_nocase(debian_releases[i].codename, codename))
			return debian_releases[i].number;
	return (struct str){ 0 };
}

/* sid and testing state no VERSION_ID, and both call themselves "forky/sid": sid's data holds for either, since what
 * is fixed in sid is what testing waits for. */
static void debian_platforms(struct arena *a, const struct os *os, struct distro_platforms *ret)
{
	struct str number = version_parts(os->version, 1);
	if (number.len) {
		put(ret, arena_printf(a, "debian:%.*s", STR_ARG(number)));
		return;
	}
	struct str rest = os->version.len ? os->version : os->codename, codename = { 0 };
	(void)str_cut(&rest, '/', &codename);
	codename = str_lower(a, codename);
	bool rolling = str_eq(rest, STR("sid")) || str_eq(codename, STR("sid")) ||
	               str_ends(os->name, STR("/sid")) || str_eq(codename, STR("testing"));
	if (rolling)
		put(ret, STR("debian:sid"));
	number = debian_number(codename);
	if (number.len)
		put(ret, arena_printf(a, "debian:%.*s", STR_ARG(number)));
	if (codename.len && !str_eq(codename, STR("sid")))
		put(ret, arena_printf(a, "debian:%.*s", STR_ARG(codename)));
}

static void ubuntu_platforms(struct arena *a, const struct os *os, struct distro_platforms *ret)
{
	struct str point = version_parts(os->version, 2);
	if (str_find(point, '.') >= 0)
		put(ret, arena_printf(a, "ubuntu:%.*s", STR_ARG(point)));
}

/* The branch that packages come from decides, not the release that the base files state. An "_alpha" version is a
 * snapshot of edge. */
static void alpine_platforms(struct arena *a, const struct os *os, struct distro_platforms *ret)
{
	struct str branch = os->apk_branch;
	if (branch.len == 0)
		branch = str_find(os->version, '_') >= 0 ? STR("edge") : os->version;
	if (str_eq(branch, STR("edge")) || str_eq(branch, STR("latest-stable"))) {
		put(ret, arena_printf(a, "alpine:%.*s", STR_ARG(branch)));
		return;
	}
	(void)str_skip(&branch, STR("v"));
	struct str point = version_parts(branch, 2);
	if (point.len)
		put(ret, arena_printf(a, "alpine:%.*s", STR_ARG(point)));
}

static void wolfi_platforms(struct arena *a, const struct os *os, struct distro_platforms *ret)
{
	(void)a;
	(void)os;
	put(ret, STR("wolfi"));
}

/* Chainguard's images hold Wolfi's packages and its own: where only Wolfi's data is at hand it says what it can. */
static void chainguard_platforms(struct arena *a, const struct os *os, struct distro_platforms *ret)
{
	(void)a;
	(void)os;
	put(ret, STR("chainguard"));
	ret->name[ret->len++] = STR("wolfi");
}

static void almalinux_platforms(struct arena *a, const struct os *os, struct distro_platforms *ret)
{
	struct str major = version_parts(os->version, 1);
	if (major.len)
		put(ret, arena_printf(a, "almalinux:%.*s", STR_ARG(major)));
}

static const struct distro distros[] = {
	{ .id = STR_INIT("debian"), .name = STR_INIT("Debian"), .vendor = STR_INIT("debian"),
	  .scheme = STR_INIT("debian"), .type = PACKAGE_DEB, .by_source = true, .unfixed = true,
	  .tracker = STR_INIT("https://security-tracker.debian.org/tracker/"), .platforms = debian_platforms },
	{ .id = STR_INIT("ubuntu"), .name = STR_INIT("Ubuntu"), .vendor = STR_INIT("ubuntu"),
	  .scheme = STR_INIT("debian"), .type = PACKAGE_DEB, .by_source = true, .unfixed = true,
	  .tracker = STR_INIT("https://ubuntu.com/security/"), .platforms = ubuntu_platforms },
	{ .id = STR_INIT("alpine"), .name = STR_INIT("Alpine"), .vendor = STR_INIT("alpine"),
	  .scheme = STR_INIT("alpine"), .type = PACKAGE_APK, .by_source = true,
	  .tracker = STR_INIT("https://security.alpinelinux.org/vuln/"), .platforms = alpine_platforms },
	{ .id = STR_INIT("wolfi"), .name = STR_INIT("Wolfi"), .vendor = STR_INIT("wolfi"),
	  .scheme = STR_INIT("alpine"), .type = PACKAGE_APK, .by_source = true,
	  .tracker = STR_INIT("https://images.chainguard.dev/security/"), .platforms = wolfi_platforms },
	{ .id = STR_INIT("chainguard"), .name = STR_INIT("Chainguard"), .vendor = STR_INIT("chainguard"),
	  .scheme = STR_INIT("alpine"), .type = PACKAGE_APK, .by_source = true,
	  .tracker = STR_INIT("https://images.chainguard.dev/security/"), .platforms = chainguard_platforms },
	{ .id = STR_INIT("almalinux"), .name = STR_INIT("AlmaLinux"), .vendor = STR_INIT("almalinux"),
	  .scheme = STR_INIT("redhat"), .type = PACKAGE_RPM, .modules = true, .platforms = almalinux_platforms },
};

const struct distro *distro_find(const struct os *os)
{
	for (size_t i = 0; i < COUNT_OF(distros); i++)
		if (str_eq_nocase(distros[i].id, os->id))
			return &distros[i];
	return NULL;
}

struct distro_subject distro_subject(const struct distro *d, const struct package *p)
{
	if (!d->by_source)
		return (struct distro_subject){ p->name, p->version };
	/* linux-signed-amd64 6.1.55+1 makes linux-image-6.1.0-13-amd64 6.1.55-1 out of linux 6.1.55-1. */
	if (d->type == PACKAGE_DEB && str_starts(p->source_name, STR("linux-signed-")) &&
	    str_starts(p->name, STR("linux-image-")) && str_eq(d->id, STR("debian")))
		return (struct distro_subject){ STR("linux"), p->version };
	return (struct distro_subject){ p->source_name, p->source_version };
}

bool distro_is_package(const struct package *p)
{
	return p->type != PACKAGE_RPM || !str_eq(p->name, STR("gpg-pubkey"));
}
