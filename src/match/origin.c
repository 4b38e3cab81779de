/* Packages that somebody other than the distribution built: its advisories do not speak of them, and to compare with
 * its versions gives wrong answers both ways. Decided by what the package itself states: Maintainer, Vendor, marks in
 * the version. A mark may be listed here only if no package of the distribution's own archive carries it; tests hold
 * that against Debian's archive where it is at hand. Never guesses from a name alone. */
#include "match/distro.h"

#include "base/base.h"

/* In the Maintainer of deb and apk packages. Whole addresses or phrases: people at the same companies maintain
 * packages in the archive too. */
static const struct {
	struct str mark;
	struct str origin;
} maintainers[] = {
	{ STR_INIT("@nodesource.com"), STR_INIT("NodeSource") },
	{ STR_INIT("support@docker.com"), STR_INIT("Docker") },
	{ STR_INIT("nginx-packaging@"), STR_INIT("nginx.org") },
	{ STR_INIT("@nginx.com"), STR_INIT("nginx.org") },
	{ STR_INIT("Google Cloud CLI Authors"), STR_INIT("Google Cloud") },
	{ STR_INIT("google-cloud-sdk"), STR_INIT("Google Cloud") },
	{ STR_INIT("Chrome Linux Team"), STR_INIT("Google Chrome") },
	{ STR_INIT("chromium-dev@chromium.org"), STR_INIT("Google Chrome") },
	{ STR_INIT("Kubernetes Authors"), STR_INIT("Kubernetes") },
	{ STR_INIT("packaging@mongodb.com"), STR_INIT("MongoDB") },
	{ STR_INIT("@10gen.com"), STR_INIT("MongoDB") },
	{ STR_INIT("mysql-build@"), STR_INIT("MySQL") },
	{ STR_INIT("@percona.com"), STR_INIT("Percona") },
	{ STR_INIT("MariaDB Developers"), STR_INIT("MariaDB") },
	{ STR_INIT("info@elastic.co"), STR_INIT("Elastic") },
	{ STR_INIT("@elasticsearch.com"), STR_INIT("Elastic") },
	{ STR_INIT("@hashicorp.com"), STR_INIT("HashiCorp") },
	{ STR_INIT("@grafana.com"), STR_INIT("Grafana") },
	{ STR_INIT("@influxdb.com"), STR_INIT("InfluxData") },
	{ STR_INIT("@influxdata.com"), STR_INIT("InfluxData") },
	{ STR_INIT("@datadoghq.com"), STR_INIT("Datadog") },
	{ STR_INIT("@gitlab.com"), STR_INIT("GitLab") },
	{ STR_INIT("@zabbix.com"), STR_INIT("Zabbix") },
	{ STR_INIT("@cloudflare.com"), STR_INIT("Cloudflare") },
	{ STR_INIT("info@tailscale.com"), STR_INIT("Tailscale") },
	{ STR_INIT("@clickhouse.com"), STR_INIT("ClickHouse") },
	{ STR_INIT("temurin-dev@"), STR_INIT("Eclipse Temurin") },
	{ STR_INIT("@azul.com"), STR_INIT("Azul") },
	{ STR_INIT("corretto-team@amazon.com"), STR_INIT("Amazon Corretto") },
	{ STR_INIT("cudatools@nvidia.com"), STR_INIT("NVIDIA") },
	{ STR_INIT("dotnetpackages@microsoft.com"), STR_INIT("Microsoft") },
	{ STR_INIT("@microsoft.com"), STR_INIT("Microsoft") },
	{ STR_INIT("yarn@dan.cx"), STR_INIT("Yarn") },
	{ STR_INIT("opensource+cli@github.com"), STR_INIT("GitHub") },
	{ STR_INIT("@puppetlabs.com"), STR_INIT("Puppet") },
	{ STR_INIT("@confluent.io"), STR_INIT("Confluent") },
	{ STR_INIT("@proxmox.com"), STR_INIT("Proxmox") },
};

/* In the version of deb packages. */
static const struct {
	struct str mark;
	struct str origin;
} versions[] = {
	{ STR_INIT(".pgdg"), STR_INIT("PostgreSQL (pgdg)") },
	{ STR_INIT("~pgdg"), STR_INIT("PostgreSQL (pgdg)") },
	{ STR_INIT("+deb.sury.org"), STR_INIT("deb.sury.org") },
	{ STR_INIT("nodesource"), STR_INIT("NodeSource") },
	{ STR_INIT("~++2"), STR_INIT("apt.llvm.org") },
	{ STR_INIT("+maria~"), STR_INIT("MariaDB") },
	{ STR_INIT("+rpt"), STR_INIT("Raspberry Pi") },
	{ STR_INIT("+ppa"), STR_INIT("a personal archive") },
	{ STR_INIT("~ppa"), STR_INIT("a personal archive") },
};

/* Debian alone: Ubuntu's own versions carry these. */
static const struct {
	struct str mark;
	struct str origin;
} versions_debian[] = {
	{ STR_INIT("ubuntu"), STR_INIT("Ubuntu") },
};

static struct str of_deb_version(const struct distro *d, struct str version)
{
	for (size_t i = 0; i < COUNT_OF(versions); i++)
		if (str_contains(version, versions[i].mark))
			return versions[i].origin;
	for (size_t i = 0; i < COUNT_OF(versions_debian) && str_eq(d->id, STR("debian")); i++)
		if (str_contains(version, versions_debian[i].mark))
			return versions_debian[i].origin;
	return (struct str){ 0 };
}

static struct str of_maintainer(struct str maintainer)
{
	for (size_t i = 0; i < COUNT_OF(maintainers); i++)
		if (str_contains(maintainer, maintainers[i].mark))
			return maintainers[i].origin;
	return (struct str){ 0 };
}

static bool contains_nocase(struct str text, struct str needle)
{
	for (size_t i = 0; i + needle.len <= text.len; i++)
		if (str_eq_nocase(str_sub(text, i, i + needle.len), needle))
			return true;
	return false;
}

/* A rpm states who built it; the distribution's name must be in it. */
static struct str of_vendor(const struct distro *d, struct str vendor, bool vendors_known)
{
	if (vendor.len == 0)
		return vendors_known ? STR("no stated vendor") : (struct str){ 0 };
	if (contains_nocase(vendor, d->name))
		return (struct str){ 0 };
	return vendor;
}

struct str distro_origin(const struct distro *d, const struct package *p, bool vendors_known)
{
	if (p->type == PACKAGE_RPM)
		return of_vendor(d, p->vendor, vendors_known);
	struct str origin = of_maintainer(p->vendor);
	if (origin.len == 0 && p->type == PACKAGE_DEB)
		origin = of_deb_version(d, p->version);
	return origin;
}
