/* The Debian tracker: CVE/list, DSA/list and the JSON. */
#include "feed_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	feed_fuzz("x/data/CVE/list", data, size);
	feed_fuzz("x/data/DSA/list", data, size);
	feed_fuzz("debian/tracker.json", data, size);
	return 0;
}
