/* Flags that users know from other scanners and that have another name here, or none in this version. */
#ifndef PLIMSOLL_CMD_PEER_FLAGS_H
#define PLIMSOLL_CMD_PEER_FLAGS_H

#include "base/str.h"

/* What to say of --NAME; NULL: nothing is known of it. */
const char *peer_flag_hint(struct str name);

#endif
