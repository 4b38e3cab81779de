/* Names of releases: codenames and OSV's ecosystems to the platform names of the advisory file (db.h). Tables and
 * spelling only. A release that is not in the tables is left out, never guessed. */
#include "advisory/feed/feed.h"

#include "base/base.h"

struct codename {
	struct str code, platform;
};

static const struct codename debian[] = {
	{ STR_INIT("woody"), STR_INIT("debian:3.0") },   { STR_INIT("sarge"), STR_INIT("debian:3.1") },
	{ STR_INIT("etch"), STR_INIT("debian:4") },      { STR_INIT("lenny"), STR_INIT("debian:5") },
	{ STR_INIT("squeeze"), STR_INIT("debian:6") },   { STR_INIT("wheezy"), STR_INIT("debian:7") },
	{ STR_INIT("jessie"), STR_INIT("debian:8") },    { STR_INIT("stretch"), STR_INIT("debian:9") },
	{ STR_INIT("buster"), STR_INIT("debian:10") },   { STR_INIT("bullseye"), STR_INIT("debian:11") },
	{ STR_INIT("bookworm"), STR_INIT("debian:12") }, { STR_INIT("trixie"), STR_INIT("debian:13") },
	{ STR_INIT("forky"), STR_INIT("debian:14") },    { STR_INIT("duke"), STR_INIT("debian:15") },
	{ STR_INIT("sid"), STR_INIT("debian:sid") },
};

struct ubuntu {
	struct str code, platform, esm;
};

#define UBUNTU(code, number)                                                                                           \
	{                                                                                                              \
		STR_INIT(code), STR_INIT("ubuntu:" number), STR_INIT("ubuntu:" number ":esm")                          \
	}
static const struct ubuntu ubuntu[] = {
	UBUNTU("warty", "4.10"),     UBUNTU("hoary", "5.04"),     UBUNTU("breezy", "5.10"),
	UBUNTU("dapper", "6.06"),    UBUNTU("edgy", "6.10"),      UBUNTU("feisty", "7.04"),
	UBUNTU("gutsy", "7.10"),     UBUNTU("hardy", "8.04"),     UBUNTU("intrepid", "8.10"),
	UBUNTU("jaunty", "9.04"),    UBUNTU("karmic", "9.10"),    UBUNTU("lucid", "10.04"),
	UBUNTU("maverick", "10.10"), UBUNTU("natty", "11.04"),    UBUNTU("oneiric", "11.10"),
	UBUNTU("precise", "12.04"),  UBUNTU("quantal", "12.10"),  UBUNTU("raring", "13.04"),
	UBUNTU("saucy", "13.10"),    UBUNTU("trusty", "14.04"),   UBUNTU("utopic", "14.10"),
	UBUNTU("vivid", "15.04"),    UBUNTU("wily", "15.10"),     UBUNTU("xenial", "16.04"),
	UBUNTU("yakkety", "16.10"),  UBUNTU("zesty", "17.04"),    UBUNTU("artful", "17.10"),
	UBUNTU("bionic", "18.04"),   UBUNTU("cosmic", "18.10"),   UBUNTU("disco", "19.04"),
	UBUNTU("eoan", "19.10"),     UBUNTU("focal", "20.04"),    UBUNTU("groovy", "20.10"),
	UBUNTU("hirsute", "21.04"),  UBUNTU("impish", "21.10"),   UBUNTU("jammy", "22.04"),
	UBUNTU("kinetic", "22.10"),  UBUNTU("lunar", "23.04"),    UBUNTU("mantic", "23.10"),
	UBUNTU("noble", "24.04"),    UBUNTU("oracular", "24.10"), UBUNTU("plucky", "25.04"),
	UBUNTU("questing", "25.10"), UBUNTU("resolute", "26.04"),
};

struct str feed_debian_platform(struct str codename)
{
	for (size_t i = 0; i < COUNT_OF(debian); i++)
		if (str_eq(codename, debian[i].code))
			return debian[i].platform;
	return (struct str){ 0 };
}

/* From Debian 4 on the number is whole; OSV writes "4.0" and "6.0" for those up to 6. */
struct str feed_debian_number(struct str number, struct arena *a)
{
	uint64_t n;
	if (str_eq(number, STR("sid")) || str_eq(number, STR("3.0")) || str_eq(number, STR("3.1")))
		return arena_printf(a, "debian:%.*s", STR_ARG(number));
	(void)str_drop(&number, STR(".0"));
	return str_to_u64(number, &n) ? arena_printf(a, "debian:%.*s", STR_ARG(number)) : (struct str){ 0 };
}

struct str feed_ubuntu_platform(struct str codename, bool esm)
{
	for (size_t i = 0; i < COUNT_OF(ubuntu); i++)
		if (str_eq(codename, ubuntu[i].code))
			return esm ? ubuntu[i].esm : ubuntu[i].platform;
	return (struct str){ 0 };
}

/* "22.04:LTS", "19.10", "Pro:20.04:LTS". FIPS, Realtime and other streams of Pro rebuild packages under versions of
 * their own, which cannot be compared with the archive's. */
static struct str osv_ubuntu(struct str rest, struct arena *a)
{
	bool esm = str_skip(&rest, STR("Pro:"));
	struct str number;
	if (!str_cut(&rest, ':', &number) || number.len == 0 || !ascii_digit(number.ptr[0]))
		return (struct str){ 0 };
	return arena_printf(a, "ubuntu:%.*s%s", STR_ARG(number), esm ? ":esm" : "");
}

static struct str osv_alpine(struct str rest, struct arena *a)
{
	(void)str_skip(&rest, STR("v"));
	return rest.len ? arena_printf(a, "alpine:%.*s", STR_ARG(rest)) : (struct str){ 0 };
}

/* Ecosystems with a release behind the colon that needs no more than another spelling. */
static const struct {
	struct str osv, platform;
} families[] = {
	{ STR_INIT("AlmaLinux"), STR_INIT("almalinux") },
	{ STR_INIT("Rocky Linux"), STR_INIT("rocky") },
	{ STR_INIT("Mageia"), STR_INIT("mageia") },
	{ STR_INIT("openEuler"), STR_INIT("openeuler") },
	{ STR_INIT("Photon OS"), STR_INIT("photon") },
	{ STR_INIT("Alpaquita"), STR_INIT("alpaquita") },
	{ STR_INIT("Wolfi"), STR_INIT("wolfi") },
	{ STR_INIT("Chainguard"), STR_INIT("chainguard") },
	{ STR_INIT("MinimOS"), STR_INIT("minimos") },
	{ STR_INIT("Echo"), STR_INIT("echo") },
	{ STR_INIT("Azure Linux"), STR_INIT("azurelinux") },
	{ STR_INIT("BellSoft Hardened Containers"), STR_INIT("bellsoft-hardened") },
};

struct str feed_osv_platform(struct str ecosystem, struct arena *a)
{
	struct str rest = ecosystem, family;
	if (!str_cut(&rest, ':', &family) || family.len == 0)
		return (struct str){ 0 };
	/* A trailing ":" leaves an empty release, which is the same as none. */
	if (str_eq(family, STR("Debian")))
		return feed_debian_number(rest, a);
	if (str_eq(family, STR("Ubuntu")))
		return osv_ubuntu(rest, a);
	if (str_eq(family, STR("Alpine")))
		return osv_alpine(rest, a);
	for (size_t i = 0; i < COUNT_OF(families); i++) {
		if (str_eq(family, families[i].osv))
			return rest.len ? arena_printf(a, "%.*s:%.*s", STR_ARG(families[i].platform), STR_ARG(rest))
					: families[i].platform;
	}
	/* By CPE (Red Hat), by product name (SUSE), by commit (GIT, OSS-Fuzz), by phone (Android): nothing that a
	 * package could be compared with here. */
	static const struct str left_out[] = { STR_INIT("Red Hat"), STR_INIT("SUSE"),     STR_INIT("openSUSE"),
					       STR_INIT("GIT"),     STR_INIT("OSS-Fuzz"), STR_INIT("Android"),
					       STR_INIT("Linux") };
	for (size_t i = 0; i < COUNT_OF(left_out); i++)
		if (str_eq(family, left_out[i]))
			return (struct str){ 0 };
	return ecosystem;
}
