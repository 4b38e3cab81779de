/* The table of package databases: see formats.h. Where several rows share a place, the first whose sniff agrees reads
 * the file. */
#include "package/formats.h"

#include "base/base.h"

static const char *const dpkg_paths[] = { "var/lib/dpkg/status", NULL };
static const char *const dpkg_folder_paths[] = { "var/lib/dpkg/status.d/*", NULL };
static const char *const opkg_paths[] = { "usr/lib/opkg/status", "var/lib/opkg/status", "opt/lib/opkg/status", NULL };
static const char *const apk_paths[] = { "lib/apk/db/installed", "usr/lib/apk/db/installed", NULL };
static const char *const rpm_sqlite_paths[] = { "usr/lib/sysimage/rpm/rpmdb.sqlite", "var/lib/rpm/rpmdb.sqlite",
	                                        "usr/share/rpm/rpmdb.sqlite", NULL };
static const char *const rpm_ndb_paths[] = { "usr/lib/sysimage/rpm/Packages.db", "var/lib/rpm/Packages.db",
	                                     "usr/share/rpm/Packages.db", NULL };
static const char *const rpm_bdb_paths[] = { "usr/lib/sysimage/rpm/Packages", "var/lib/rpm/Packages",
	                                     "usr/share/rpm/Packages", NULL };
static const char *const rpm_other_paths[] = { "usr/lib/sysimage/rpm/rpmdb.sqlite", "var/lib/rpm/rpmdb.sqlite",
	                                       "usr/share/rpm/rpmdb.sqlite",        "usr/lib/sysimage/rpm/Packages.db",
	                                       "var/lib/rpm/Packages.db",           "usr/share/rpm/Packages.db",
	                                       "usr/lib/sysimage/rpm/Packages",     "var/lib/rpm/Packages",
	                                       "usr/share/rpm/Packages",            NULL };

const struct package_format package_formats[] = {
	{ "dpkg-status", PACKAGE_DEB, dpkg_paths, DPKG_STATUS_SIZE_MAX, "DPKG_STATUS_SIZE_MAX", NULL, dpkg_parse },
	{ "dpkg-status.d", PACKAGE_DEB, dpkg_folder_paths, DPKG_STATUS_SIZE_MAX, "DPKG_STATUS_SIZE_MAX", dpkg_sniff,
	  dpkg_parse },
	{ "opkg", PACKAGE_OPKG, opkg_paths, DPKG_STATUS_SIZE_MAX, "DPKG_STATUS_SIZE_MAX", NULL, opkg_parse },
	{ "apk", PACKAGE_APK, apk_paths, APK_INSTALLED_SIZE_MAX, "APK_INSTALLED_SIZE_MAX", NULL, apk_parse },
	{ "rpm-sqlite", PACKAGE_RPM, rpm_sqlite_paths, RPMDB_SIZE_MAX, "RPMDB_SIZE_MAX", rpm_sqlite_sniff,
	  rpm_sqlite_parse },
	{ "rpm-ndb", PACKAGE_RPM, rpm_ndb_paths, RPMDB_SIZE_MAX, "RPMDB_SIZE_MAX", rpm_ndb_sniff, rpm_ndb_parse },
	{ "rpm-bdb", PACKAGE_RPM, rpm_bdb_paths, RPMDB_SIZE_MAX, "RPMDB_SIZE_MAX", rpm_bdb_sniff, rpm_bdb_parse },
	/* At a rpm database's place and none of these: said, not passed over. */
	{ "rpm", PACKAGE_RPM, rpm_other_paths, RPMDB_SIZE_MAX, "RPMDB_SIZE_MAX", NULL, rpm_other_parse },
};
const size_t package_format_count = COUNT_OF(package_formats);
