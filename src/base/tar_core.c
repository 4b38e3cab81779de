/* The state of one archive: from block to block up to the next entry, then through its content. See tar_core.h for the
 * faces, tar.h for the rules. Every byte of the archive passes here once, and whatever is not content is at most one
 * block or TAR_PAX_SIZE_MAX long before it has been checked. */
#include "base/tar_core.h"

#include "base/base.h"

/* What a step says besides core_event: the state has changed, look again. */
enum { STEP_AGAIN = 100 };

enum {
	AT_SPARSE = 386,
	SPARSE_COUNT = 4,
	AT_EXTENDED = 482,
	AT_REAL_SIZE = 483,
	LEN_REAL_SIZE = 12,
	SPARSE_MORE_COUNT = 21,
	AT_MORE_EXTENDED = 504
};

void core_init(struct tar_core *c)
{
	*c = (struct tar_core){ 0 };
	buf_init(&c->pax_text, TAR_PAX_SIZE_MAX);
	buf_init(&c->long_path, TAR_PAX_SIZE_MAX);
	buf_init(&c->long_link, TAR_PAX_SIZE_MAX);
}

void core_done(struct tar_core *c)
{
	buf_done(&c->pax_text);
	buf_done(&c->long_path);
	buf_done(&c->long_link);
	free(c->pax.pairs.ptr);
	free(c->parts.ptr);
}

static size_t pad_of(uint64_t size) { return (size_t)(-size % TAR_BLOCK_SIZE); }

static void forget_pending(struct tar_core *c)
{
	buf_clear(&c->pax_text);
	buf_clear(&c->long_path);
	buf_clear(&c->long_link);
	tar_pax_clear(&c->pax);
	c->pending = false;
}

/* --- content --- */

bool core_next_run(struct tar_core *c, struct core_run *ret)
{
	const struct tar_part *p = c->parts.ptr;
	while (c->part < c->parts.len && c->at >= p[c->part].at + p[c->part].len)
		c->part++;
	if (c->part == c->parts.len)
		*ret = (struct core_run){ true, c->entry.size - c->at };
	else if (c->at < p[c->part].at)
		*ret = (struct core_run){ true, p[c->part].at - c->at };
	else
		*ret = (struct core_run){ false, p[c->part].at + p[c->part].len - c->at };
	return ret->len > 0;
}

void core_take(struct tar_core *c, const struct core_run *run, uint64_t n)
{
	c->at += n;
	if (!run->hole)
		core_pass(c, n);
}

uint64_t core_passable(const struct tar_core *c)
{
	if (c->state == CORE_CONTENT && c->left)
		return c->left;
	return c->state == CORE_CONTENT || c->state == CORE_PAD ? c->pad : 0;
}

void core_pass(struct tar_core *c, uint64_t n)
{
	c->offset += n;
	if (c->state == CORE_CONTENT && c->left)
		c->left -= n;
	else
		c->pad -= (size_t)n;
}

/* --- the entry --- */

static bool has_content(enum tar_type type) { return type == TAR_FILE || type == TAR_OTHER; }

static enum tar_type type_of(char type, struct str path)
{
	switch (type) {
	case 0: /* before there was a type for folders */
		return str_ends(path, STR("/")) ? TAR_DIR : TAR_FILE;
	case '0':
	case '7': /* contiguous */
	case 'S':
		return TAR_FILE;
	case '1':
		return TAR_HARDLINK;
	case '2':
		return TAR_SYMLINK;
	case '3':
		return TAR_CHAR;
	case '4':
		return TAR_BLOCK;
	case '5':
		return TAR_DIR;
	case '6':
		return TAR_FIFO;
	default:
		return TAR_OTHER;
	}
}

/* In order, apart, inside the file, and together just what is stored. */
static bool parts_valid(const struct tar_parts *parts, uint64_t size, uint64_t stored)
{
	uint64_t end = 0, sum = 0;
	for (size_t i = 0; i < parts->len; i++) {
		const struct tar_part *p = &parts->ptr[i];
		if (p->at < end || p->at > size || p->len > size - p->at)
			return false;
		end = p->at + p->len;
		sum += p->len;
	}
	return sum == stored;
}

/* All is known: CORE_ENTRY, or STEP_AGAIN where it is to be passed over. */
static int begin_content(struct tar_core *c, struct err *err)
{
	struct tar_entry *e = &c->entry;
	e->offset = c->offset;
	e->stored = c->left;
	c->at = 0;
	c->part = 0;
	if (e->sparse && !parts_valid(&c->parts, e->size, c->left))
		return err_set(err, ERR_FORMAT, "sparse map: does not fit the file or its data");
	if (!e->sparse && e->size)
		(void)tar_parts_add(&c->parts, 0, e->size);
	c->state = CORE_CONTENT;
	c->pending = false;
	if (e->path.len <= TAR_PATH_MAX && e->link.len <= TAR_PATH_MAX)
		return CORE_ENTRY;
	c->paths_too_long++;
	return STEP_AGAIN;
}

static int begin_old_sparse(struct tar_core *c, const uint8_t *block, struct err *err)
{
	int64_t size;
	if (!c->header.gnu)
		return err_set(err, ERR_FORMAT, "sparse entry in a header that is not GNU's");
	if (!tar_number(block + AT_REAL_SIZE, LEN_REAL_SIZE, &size) || size < 0)
		return err_set(err, ERR_FORMAT, "sparse map: bad size");
	c->entry.sparse = true;
	c->entry.size = (uint64_t)size;
	int r = tar_sparse_block(block + AT_SPARSE, SPARSE_COUNT, &c->parts, err);
	if (r < 0)
		return r;
	if (!block[AT_EXTENDED])
		return begin_content(c, err);
	c->state = CORE_SPARSE;
	return STEP_AGAIN;
}

static int begin_pax_sparse(struct tar_core *c, enum tar_sparse_kind kind, struct err *err)
{
	struct tar_entry *e = &c->entry;
	struct str size = c->pax.sparse_size.len ? c->pax.sparse_size : c->pax.sparse_realsize;
	if (!has_content(e->type))
		return err_set(err, ERR_FORMAT, "sparse map: on an entry without content");
	if (size.len && (!str_to_u64(size, &e->size) || e->size > INT64_MAX))
		return err_set(err, ERR_FORMAT, "sparse map: bad size");
	if (c->pax.sparse_name.len)
		e->path = c->pax.sparse_name;
	e->sparse = true;
	if (kind == TAR_SPARSE_1) {
		c->map = (struct tar_map){ 0 };
		c->map_size = 0;
		c->state = CORE_MAP;
		return STEP_AGAIN;
	}
	int r = tar_pax_sparse_parts(&c->pax, &c->parts, err);
	return r < 0 ? r : begin_content(c, err);
}

/* Whole seconds of "-12.5", 0 for what is no time. */
static int64_t seconds(struct str s)
{
	uint64_t v = 0;
	struct str whole;
	bool negative = str_skip(&s, STR("-"));
	if (!str_cut(&s, '.', &whole) || !str_to_u64(whole, &v) || v > INT64_MAX)
		return 0;
	return negative ? -(int64_t)v : (int64_t)v;
}

static uint32_t id_or(struct str s, uint32_t otherwise)
{
	uint64_t v;
	return str_to_u64(s, &v) ? (uint32_t)v : otherwise;
}

static struct str filled(struct str first, struct str otherwise) { return first.len ? first : otherwise; }

/* The header and what was said before it; GNU's names win over pax's, and empty values say nothing. */
static void merge(struct tar_core *c)
{
	const struct tar_header *h = &c->header;
	const struct tar_pax *p = &c->pax;
	struct tar_entry *e = &c->entry;
	*e = (struct tar_entry){
		.mode = h->mode,
		.uid = id_or(p->uid, h->uid),
		.gid = id_or(p->gid, h->gid),
		.dev_major = h->dev_major,
		.dev_minor = h->dev_minor,
		.mtime = p->mtime.len ? seconds(p->mtime) : h->mtime,
	};
	struct str path = tar_field((const uint8_t *)c->long_path.ptr, c->long_path.len);
	struct str link = tar_field((const uint8_t *)c->long_link.ptr, c->long_link.len);
	e->path = filled(path, filled(p->path, (struct str){ h->path, h->path_len }));
	e->link = filled(link, filled(p->link, (struct str){ h->link, h->link_len }));
	e->type = type_of(h->type, e->path);
}

static int begin_entry(struct tar_core *c, const uint8_t *block, struct err *err)
{
	merge(c);
	uint64_t size = c->header.size;
	if (c->pax.size.len && (!str_to_u64(c->pax.size, &size) || size > INT64_MAX))
		return err_set(err, ERR_FORMAT, "bad pax size");
	c->left = has_content(c->entry.type) ? size : 0;
	c->pad = pad_of(c->left);
	c->entry.size = c->left;
	c->parts.len = 0;
	if (c->header.type == 'S')
		return begin_old_sparse(c, block, err);
	enum tar_sparse_kind kind = tar_pax_sparse_kind(&c->pax);
	return kind == TAR_SPARSE_NONE ? begin_content(c, err) : begin_pax_sparse(c, kind, err);
}

/* --- steps --- */

/* The next whole block: in the chunk where it lies whole there, else gathered. NULL: more is needed. */
static const uint8_t *take_block(struct tar_core *c, struct str *in)
{
	if (c->have == 0 && in->len >= TAR_BLOCK_SIZE) {
		const uint8_t *p = (const uint8_t *)in->ptr;
		*in = str_sub(*in, TAR_BLOCK_SIZE, in->len);
		c->offset += TAR_BLOCK_SIZE;
		return p;
	}
	size_t n = TAR_BLOCK_SIZE - c->have;
	n = n < in->len ? n : in->len;
	if (n)
		memcpy(c->block + c->have, in->ptr, n);
	*in = str_sub(*in, n, in->len);
	c->have += n;
	c->offset += n;
	if (c->have < TAR_BLOCK_SIZE)
		return NULL;
	c->have = 0;
	return c->block;
}

static int begin_meta(struct tar_core *c, struct buf *into, struct err *err)
{
	if (c->header.size > TAR_PAX_SIZE_MAX)
		return err_set(err, ERR_LIMIT, "extended header over TAR_PAX_SIZE_MAX");
	buf_clear(into);
	c->meta = into;
	c->left = c->header.size;
	c->pad = pad_of(c->left);
	c->pending = true;
	c->state = CORE_META;
	return STEP_AGAIN;
}

/* A 'g' header is an entry of its own to the engines' reader, and one that it does not use: so what stood before it is
 * gone as well. */
static int pass_global(struct tar_core *c)
{
	forget_pending(c);
	c->parts.len = 0;
	c->left = c->header.size;
	c->pad = pad_of(c->left);
	c->state = CORE_CONTENT;
	return STEP_AGAIN;
}

static int zero_block(struct tar_core *c)
{
	c->state = c->zero_seen ? CORE_END : CORE_HEADER;
	c->zero_seen = true;
	return STEP_AGAIN;
}

static int step_header(struct tar_core *c, struct str *in, struct err *err)
{
	if (!c->pending && c->have == 0)
		forget_pending(c);
	const uint8_t *block = take_block(c, in);
	if (!block)
		return CORE_MORE;
	if (tar_block_is_zero(block))
		return zero_block(c);
	if (c->zero_seen)
		return err_set(err, ERR_FORMAT, "a lone zero block before it");
	if (!tar_block_checksum_ok(block))
		return err_set(err, ERR_FORMAT, "wrong checksum");
	tar_header_parse(block, &c->header);
	if (c->header.size_bad)
		return err_set(err, ERR_FORMAT, "bad size");
	switch (c->header.type) {
	case 'x':
		tar_pax_clear(&c->pax);
		return begin_meta(c, &c->pax_text, err);
	case 'L':
		return begin_meta(c, &c->long_path, err);
	case 'K':
		return begin_meta(c, &c->long_link, err);
	case 'g':
		return pass_global(c);
	default:
		return begin_entry(c, block, err);
	}
}

static int step_meta(struct tar_core *c, struct str *in, struct err *err)
{
	size_t n = c->left < in->len ? (size_t)c->left : in->len;
	(void)buf_put(c->meta, str_sub(*in, 0, n)); /* under its maximum: begin_meta looked */
	*in = str_sub(*in, n, in->len);
	c->offset += n;
	c->left -= n;
	if (c->left)
		return CORE_MORE;
	c->state = CORE_PAD;
	int r = c->meta == &c->pax_text ? tar_pax_parse(&c->pax, buf_view(c->meta), err) : 0;
	return r < 0 ? r : STEP_AGAIN;
}

static int step_sparse(struct tar_core *c, struct str *in, struct err *err)
{
	const uint8_t *block = take_block(c, in);
	if (!block)
		return CORE_MORE;
	int r = tar_sparse_block(block, SPARSE_MORE_COUNT, &c->parts, err);
	if (r < 0)
		return r;
	return block[AT_MORE_EXTENDED] ? STEP_AGAIN : begin_content(c, err);
}

static int step_map(struct tar_core *c, struct str *in, struct err *err)
{
	if (c->have == 0 && c->left < TAR_BLOCK_SIZE)
		return err_set(err, ERR_FORMAT, "sparse map: longer than the content");
	if (c->map_size >= TAR_PAX_SIZE_MAX)
		return err_set(err, ERR_LIMIT, "sparse map: over TAR_PAX_SIZE_MAX");
	const uint8_t *block = take_block(c, in);
	if (!block)
		return CORE_MORE;
	c->left -= TAR_BLOCK_SIZE;
	c->map_size += TAR_BLOCK_SIZE;
	int r = tar_map_block(&c->map, block, &c->parts, err);
	if (r < 0)
		return r;
	return r == 1 ? STEP_AGAIN : begin_content(c, err);
}

/* Content that nobody took, then the filling. */
static int step_over(struct tar_core *c, struct str *in)
{
	uint64_t passable = core_passable(c);
	if (passable == 0) {
		c->state = CORE_HEADER;
		return STEP_AGAIN;
	}
	if (in->len == 0)
		return CORE_MORE;
	size_t n = passable < in->len ? (size_t)passable : in->len;
	core_pass(c, n);
	*in = str_sub(*in, n, in->len);
	return STEP_AGAIN;
}

static int step_end(struct tar_core *c, struct str *in)
{
	size_t zeros = 0;
	while (c->trailing == 0 && zeros < in->len && in->ptr[zeros] == 0)
		zeros++;
	c->trailing += in->len - zeros;
	*in = (struct str){ 0 };
	return CORE_ENDED;
}

static int step_any(struct tar_core *c, struct str *in, struct err *err)
{
	switch (c->state) {
	case CORE_HEADER:
		return step_header(c, in, err);
	case CORE_META:
		return step_meta(c, in, err);
	case CORE_SPARSE:
		return step_sparse(c, in, err);
	case CORE_MAP:
		return step_map(c, in, err);
	case CORE_CONTENT:
	case CORE_PAD:
		return step_over(c, in);
	case CORE_END:
		break;
	}
	return step_end(c, in);
}

static int fail(struct tar_core *c, int code, struct err *err)
{
	c->failed = code;
	return err_set(err, code, "%s", c->error.text);
}

int core_step(struct tar_core *c, struct str *in, struct err *err)
{
	if (c->failed)
		return fail(c, c->failed, err);
	int r;
	do
		r = step_any(c, in, &c->error);
	while (r == STEP_AGAIN);
	if (r >= 0)
		return r;
	(void)err_wrap(&c->error, "tar, near byte %llu", (unsigned long long)c->offset);
	return fail(c, r, err);
}

int core_finish(struct tar_core *c, struct err *err)
{
	if (c->failed)
		return fail(c, c->failed, err);
	bool whole = (c->state == CORE_HEADER && c->have == 0) || c->state == CORE_PAD ||
		     (c->state == CORE_CONTENT && c->left == 0);
	if (c->state == CORE_END || (whole && !c->pending))
		return 0;
	(void)err_set(&c->error, ERR_FORMAT, "tar: ends inside %s at byte %llu",
		      c->state == CORE_CONTENT ? "content" : "a header", (unsigned long long)c->offset);
	return fail(c, ERR_FORMAT, err);
}
