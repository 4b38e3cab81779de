/* A CVE record, JSON 5, and NVD's form 2.0. */
#include "feed_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	feed_fuzz("cve5/CVE-2024-24787.json", data, size);
	feed_fuzz("nvdcve-2.0-x.json", data, size);
	return 0;
}
