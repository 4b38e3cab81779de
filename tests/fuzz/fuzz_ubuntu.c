/* A file of Ubuntu's CVE tracker. */
#include "feed_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	feed_fuzz("ubuntu-cve-tracker/active/CVE-2022-36879", data, size);
	return 0;
}
