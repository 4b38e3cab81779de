/* When the security updates of a release end: a table of dates that vendors have published.
 * What counts is the last day on which everybody gets updates through the release's ordinary channel: Debian with its
 * LTS (same archive, no contract), Ubuntu without Pro, Red Hat without extended support. A date belongs here only if
 * its vendor states it to the day; a release that is missing here is never called ended.
 * Sources: Debian and Ubuntu: distro-info-data; Alpine: alpinelinux.org/releases; AlmaLinux: wiki.almalinux.org/release-notes;
 * Rocky: wiki.rockylinux.org/rocky/version; Red Hat: access.redhat.com/support/policy/updates/errata; CentOS:
 * centos.org/centos-linux-eol; Fedora: docs.fedoraproject.org/en-US/releases/eol; Amazon: aws.amazon.com/amazon-linux-2/faqs. */
#include "match/support.h"

#include "base/base.h"

#include <time.h>

static const struct {
	struct str id, release, end;
} ends[] = {
#define ROW(id, release, end) { STR_INIT(id), STR_INIT(release), STR_INIT(end) }
	ROW("debian", "6", "2016-02-29"),
	ROW("debian", "7", "2018-05-31"),
	ROW("debian", "8", "2020-06-30"),
	ROW("debian", "9", "2022-06-30"),
	ROW("debian", "10", "2024-06-30"),
	ROW("debian", "11", "2026-08-31"),
	ROW("debian", "12", "2028-06-30"),
	ROW("debian", "13", "2030-06-30"),
	ROW("ubuntu", "12.04", "2017-04-28"),
	ROW("ubuntu", "14.04", "2019-04-25"),
	ROW("ubuntu", "14.10", "2015-07-23"),
	ROW("ubuntu", "15.04", "2016-02-04"),
	ROW("ubuntu", "15.10", "2016-07-28"),
	ROW("ubuntu", "16.04", "2021-04-30"),
	ROW("ubuntu", "16.10", "2017-07-20"),
	ROW("ubuntu", "17.04", "2018-01-13"),
	ROW("ubuntu", "17.10", "2018-07-19"),
	ROW("ubuntu", "18.04", "2023-05-31"),
	ROW("ubuntu", "18.10", "2019-07-18"),
	ROW("ubuntu", "19.04", "2020-01-23"),
	ROW("ubuntu", "19.10", "2020-07-17"),
	ROW("ubuntu", "20.04", "2025-05-29"),
	ROW("ubuntu", "20.10", "2021-07-22"),
	ROW("ubuntu", "21.04", "2022-01-20"),
	ROW("ubuntu", "21.10", "2022-07-14"),
	ROW("ubuntu", "22.04", "2027-06-01"),
	ROW("ubuntu", "22.10", "2023-07-20"),
	ROW("ubuntu", "23.04", "2024-01-25"),
	ROW("ubuntu", "23.10", "2024-07-11"),
	ROW("ubuntu", "24.04", "2029-05-31"),
	ROW("ubuntu", "24.10", "2025-07-10"),
	ROW("ubuntu", "25.04", "2026-01-15"),
	ROW("ubuntu", "25.10", "2026-07-09"),
	ROW("ubuntu", "26.04", "2031-05-29"),
	ROW("alpine", "3.3", "2017-11-01"),
	ROW("alpine", "3.4", "2018-05-01"),
	ROW("alpine", "3.5", "2018-11-01"),
	ROW("alpine", "3.6", "2019-05-01"),
	ROW("alpine", "3.7", "2019-11-01"),
	ROW("alpine", "3.8", "2020-05-01"),
	ROW("alpine", "3.9", "2020-11-01"),
	ROW("alpine", "3.10", "2021-05-01"),
	ROW("alpine", "3.11", "2021-11-01"),
	ROW("alpine", "3.12", "2022-05-01"),
	ROW("alpine", "3.13", "2022-11-01"),
	ROW("alpine", "3.14", "2023-05-01"),
	ROW("alpine", "3.15", "2023-11-01"),
	ROW("alpine", "3.16", "2024-05-23"),
	ROW("alpine", "3.17", "2024-11-22"),
	ROW("alpine", "3.18", "2025-05-09"),
	ROW("alpine", "3.19", "2025-11-01"),
	ROW("alpine", "3.20", "2026-04-01"),
	ROW("alpine", "3.21", "2026-11-01"),
	ROW("alpine", "3.22", "2027-05-01"),
	ROW("almalinux", "8", "2029-03-01"),
	ROW("almalinux", "9", "2032-05-31"),
	ROW("almalinux", "10", "2035-05-31"),
	ROW("rocky", "8", "2029-05-31"),
	ROW("rocky", "9", "2032-05-31"),
	ROW("rocky", "10", "2035-05-31"),
	ROW("rhel", "5", "2017-03-31"),
	ROW("rhel", "6", "2020-11-30"),
	ROW("rhel", "7", "2024-06-30"),
	ROW("rhel", "8", "2029-05-31"),
	ROW("rhel", "9", "2032-05-31"),
	ROW("rhel", "10", "2035-05-31"),
	ROW("centos", "5", "2017-03-31"),
	ROW("centos", "6", "2020-11-30"),
	ROW("centos", "7", "2024-06-30"),
	ROW("fedora", "35", "2022-12-13"),
	ROW("fedora", "36", "2023-05-16"),
	ROW("fedora", "37", "2023-12-05"),
	ROW("fedora", "38", "2024-05-21"),
	ROW("fedora", "39", "2024-11-26"),
	ROW("amzn", "1", "2023-12-31"),
	ROW("amzn", "2", "2026-06-30"),
	ROW("photon", "1.0", "2022-02-28"),
	ROW("photon", "2.0", "2022-12-31"),
#undef ROW
};

/* "3.10" is the release of "3.10.2" and of "3.10", not of "3.1". */
static bool is_release(struct str version, struct str release)
{
	return str_skip(&version, release) && (version.len == 0 || version.ptr[0] == '.');
}

/* "CentOS Stream 8" states the VERSION_ID of CentOS Linux 8, which ended three years earlier. */
static bool centos_8(struct str id, struct str release, struct str os_name, struct str *ret_date)
{
	if (!str_eq(id, STR("centos")) || !is_release(release, STR("8")))
		return false;
	*ret_date = str_contains(os_name, STR("Stream")) ? STR("2024-05-31") : STR("2021-12-31");
	return true;
}

bool support_end(struct str id, struct str release, struct str os_name, struct str *ret_date)
{
	if (centos_8(id, release, os_name, ret_date))
		return true;
	/* Amazon Linux 1 names itself by the month of its release. */
	if (str_eq(id, STR("amzn")) && (str_starts(release, STR("2017.")) || str_starts(release, STR("2018."))))
		release = STR("1");
	for (size_t i = 0; i < COUNT_OF(ends); i++)
		if (str_eq(ends[i].id, id) && is_release(release, ends[i].release)) {
			*ret_date = ends[i].end;
			return true;
		}
	return false;
}

bool support_past(struct str date, int64_t now)
{
	uint64_t year, month, day;
	if (date.len != 10 || !str_to_u64(str_sub(date, 0, 4), &year) || !str_to_u64(str_sub(date, 5, 7), &month) ||
	    !str_to_u64(str_sub(date, 8, 10), &day))
		return false;
	struct tm tm = { .tm_year = (int)year - 1900, .tm_mon = (int)month - 1, .tm_mday = (int)day + 1 };
	return now >= (int64_t)timegm(&tm);
}
