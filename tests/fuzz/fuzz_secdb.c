/* Alpine's secdb and its kin, as JSON and as YAML. */
#include "feed_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	feed_fuzz("alpine/secdb/v3.11/main.json", data, size);
	feed_fuzz("alpine/secdb/v3.11/main.yaml", data, size);
	return 0;
}
