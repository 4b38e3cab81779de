/* From containerd's record of an image to its layers: see containerd_resolve in containerd.h. Runs in a worker on hostile
 * documents, which the parent hands over by digest. An index is cut down to what was pulled before a platform is chosen. */
#include "image/containerd.h"

#include "base/base.h"
#include "base/hash.h"
#include "base/value.h"
#include "image/oci.h"

static int read_document(struct arena *a, const struct image_store *store, struct str digest, struct value **ret,
                         struct err *err)
{
	struct sha256 claimed;
	struct str hex = digest, text;
	if (!sha256_parse(digest, &claimed) || !str_skip(&hex, STR("sha256:")))
		return err_set(err, ERR_UNSUPPORTED, "digest \"%.*s\": only sha256 is read", STR_ARG(digest));
	int rc = image_read_json(a, store, arena_printf(a, "blobs/sha256/%.*s", STR_ARG(hex)), &text, ret, err);
	if (rc < 0)
		return rc;
	struct sha256 is = sha256_of(text);
	return sha256_eq(&is, &claimed) ? 0 : err_set(err, ERR_DIGEST, "blob %.*s has another digest", STR_ARG(digest));
}

static bool is_there(struct arena *a, const struct image_store *store, struct str digest)
{
	struct str text;
	struct err err = { 0 };
	if (!str_skip(&digest, STR("sha256:")))
		return true; /* the reader of indexes has words for it */
	struct str name = arena_printf(a, "blobs/sha256/%.*s", STR_ARG(digest));
	return store->read(store->ctx, a, name, MANIFEST_SIZE_MAX, &text, &err) != ERR_NOT_FOUND;
}

/* Of an index, the entries whose manifests were pulled. */
static struct value *present_of(struct arena *a, const struct image_store *store, const struct value *manifests,
                                size_t *ret_absent, struct buf *absent_names)
{
	struct value *list = value_new_list(a);
	*ret_absent = 0;
	for (size_t i = 0; i < value_len(manifests) && i <= ARCHIVE_IMAGES_MAX; i++) {
		struct value *entry = manifests->list.items[i];
		if (is_there(a, store, value_str(value_get(entry, "digest")))) {
			value_add(a, list, entry);
			continue;
		}
		struct str platform = image_platform(a, value_get(entry, "platform"));
		if (platform.len && !str_starts(platform, STR("unknown/"))) {
			++*ret_absent;
			(void)buf_printf(absent_names, "%s%.*s", absent_names->len ? ", " : "", STR_ARG(platform));
		}
	}
	return list;
}

static struct value *descriptor_of(struct arena *a, struct str digest, struct str media)
{
	struct value *d = value_new_map(a);
	if (media.len > 1)
		value_set(a, d, STR("mediaType"), value_new_str(a, media));
	value_set(a, d, STR("digest"), value_new_str(a, digest));
	return d;
}

int containerd_resolve(struct arena *a, const struct image_store *store, const struct image_choice *choice,
                       struct image_desc *ret, struct err *err)
{
	struct str name = choice->reference, digest, media;
	struct image_choice inner = { .platform = choice->platform, .prefer_oci = true };
	struct value *target, *index = value_new_map(a), *list;
	struct buf BUF_AUTO absent_names = { 0 };
	size_t absent = 0;
	buf_init(&absent_names, 512);
	if (!str_cut(&name, ' ', &digest) || !str_cut(&name, ' ', &media))
		return err_set(err, ERR_FORMAT, "no image was chosen");
	if (str_eq(digest, STR("-"))) {
		*ret = (struct image_desc){ .name = name };
		return 0;
	}
	int rc = read_document(a, store, digest, &target, err);
	if (rc == ERR_NOT_FOUND)
		return err_set(err, rc, "its manifest %.*s is not in the content store", STR_ARG(digest));
	if (rc < 0)
		return rc;
	const struct value *manifests = value_get(target, "manifests");
	if (value_is(manifests, VALUE_LIST)) {
		list = present_of(a, store, manifests, &absent, &absent_names);
	} else {
		list = value_new_list(a);
		value_add(a, list, descriptor_of(a, digest, media));
	}
	value_set(a, index, STR("manifests"), list);
	if (value_len(list) == 0 && absent)
		return err_set(err, ERR_NOT_FOUND, "of its index no manifest was pulled; it names %.*s",
		               STR_ARG(buf_view(&absent_names)));
	rc = image_resolve_oci(a, store, &inner, index, ret, err);
	if (rc == 0)
		ret->name = name;
	else if (rc == ERR_NOT_FOUND && absent)
		(void)err_wrap(err, "its index also names %.*s, not pulled", STR_ARG(buf_view(&absent_names)));
	return rc;
}
