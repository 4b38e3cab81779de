/* Frames from a feed's worker that has been taken over. */
#include "advisory/wire.h"

#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct db_builder *b = db_builder_new();
	struct wire_reader r;
	struct err err;
	wire_reader_init(&r, b);
	(void)wire_read(&r, (struct str){ (const char *)data, size }, &err);
	wire_reader_done(&r);
	db_builder_free(b);
	return 0;
}
