/* The table of package databases: see formats.h. Where several rows share a place, the first whose sniff agrees reads
 * the file. */
#include "package/formats.h"

#include "base/base.h"

static const char *const dpkg_paths[] = { "var/lib/dpkg/status", NULL };
static const char *const dpkg_folder_paths[] = { "var/lib/dpkg/status.d/*", NULL };
static const char *const opkg_paths[] = { "usr/lib/opkg/status", "var/lib/opkg/status", "opt/lib/opkg/status", NULL };
static const char *const apk_paths[] = { "lib/apk/db/installed", "usr/lib/apk/db/installed", NULL };

const struct package_format package_formats[] = {
	{ "dpkg-status", PACKAGE_DEB, dpkg_paths, DPKG_STATUS_SIZE_MAX, "DPKG_STATUS_SIZE_MAX", NULL, dpkg_parse },
	{ "dpkg-status.d", PACKAGE_DEB, dpkg_folder_paths, DPKG_STATUS_SIZE_MAX, "DPKG_STATUS_SIZE_MAX", dpkg_sniff,
	  dpkg_parse },
	{ "opkg", PACKAGE_OPKG, opkg_paths, DPKG_STATUS_SIZE_MAX, "DPKG_STATUS_SIZE_MAX", NULL, opkg_parse },
	{ "apk", PACKAGE_APK, apk_paths, APK_INSTALLED_SIZE_MAX, "APK_INSTALLED_SIZE_MAX", NULL, apk_parse },
};
const size_t package_format_count = COUNT_OF(package_formats);
