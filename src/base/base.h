/* What every file includes first: the primitives of base/, then the list of banned functions.
 * Headers include only what they need (base/str.h and so on). */
#ifndef PLIMSOLL_BASE_BASE_H
#define PLIMSOLL_BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/reader.h"
#include "base/str.h"
#include "base/vec.h"

#include "base/banned.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
