/* See struct image_memo in image.h. */
#ifndef PLIMSOLL_IMAGE_MEMO_H
#define PLIMSOLL_IMAGE_MEMO_H

#include "image/image.h"

/* m may be NULL, key may be empty: then nothing is there. *ret lives as long as the memo. */
bool image_memo_get(const struct image_memo *m, struct str key, struct str *ret);
void image_memo_put(struct image_memo *m, struct str key, struct str value);

#endif
