/* Answers of an engine, its facts on their way to the parent, addresses and contexts: the first byte says which. */
#include "base/base.h"
#include "base/hash.h"
#include "net/endpoint.h"
#include "net/engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a worker says of an answer is understood by the parent. */
static void round_trip(struct arena *a, const struct engine_facts *f)
{
	struct buf BUF_AUTO wire = { 0 };
	struct engine_facts again;
	buf_init(&wire, 16 * MIB);
	engine_facts_encode(&wire, f);
	struct reader r = reader_of(buf_view(&wire));
	engine_facts_decode(a, &r, &again);
	if (r.bad || reader_left(&r) || again.images.len != f->images.len)
		abort();
}

static void answer(struct arena *a, unsigned which, struct str text)
{
	static int (*const parsers[])(struct arena *, struct str, struct engine_facts *, struct err *) = {
		engine_parse_image, engine_parse_container, engine_parse_info, engine_parse_version, engine_parse_images,
	};
	struct engine_facts f = { 0 };
	struct err err = { 0 };
	if (parsers[which](a, text, &f, &err) == 0)
		round_trip(a, &f);
}

static void address(struct arena *a, struct str text)
{
	struct endpoint e;
	struct err err = { 0 };
	if (endpoint_parse(a, text, false, &e, &err) < 0)
		return;
	if ((e.kind == ENDPOINT_SSH && (!e.ssh_host || e.ssh_host[0] == '-' || (e.ssh_user && e.ssh_user[0] == '-'))) ||
	    (e.kind == ENDPOINT_UNIX && e.socket[0] != '/'))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct endpoint_context c;
	struct engine_facts f;
	struct err err = { 0 };
	if (size == 0 || size > 65536)
		return 0;
	struct str text = { (const char *)data + 1, size - 1 };
	unsigned which = data[0] & 7;
	struct reader r = reader_of(text);
	if (which < 5)
		answer(a, which, text);
	else if (which == 5)
		address(a, text);
	else if (which == 6)
		(void)endpoint_context_parse(a, text, &c, &err);
	else
		engine_facts_decode(a, &r, &f);
	return 0;
}
