/* CISA KEV (JSON, CSV) and EPSS (CSV). */
#include "feed_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	feed_fuzz("known_exploited_vulnerabilities.csv", data, size);
	feed_fuzz("epss_scores-2023-03-07.csv", data, size);
	return 0;
}
