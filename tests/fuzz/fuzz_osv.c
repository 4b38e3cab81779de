/* OSV records: a zip, a tar, or one JSON document. */
#include "feed_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	feed_fuzz("osv/all.zip", data, size);
	feed_fuzz("osv/all.json", data, size);
	return 0;
}
