/* Functions that this program does not call: each has a bounded twin in base/.
 * Included last by every file through base/base.h; a use is a compile error.
 * Never add a name here without naming the twin. */
#ifndef PLIMSOLL_BASE_BANNED_H
#define PLIMSOLL_BASE_BANNED_H

#define PLIMSOLL_BANNED(name) name##_is_banned_see_base_banned_h

#undef strcpy
#define strcpy PLIMSOLL_BANNED(strcpy) /* buf_put */
#undef strcat
#define strcat PLIMSOLL_BANNED(strcat) /* buf_put */
#undef strncpy
#define strncpy PLIMSOLL_BANNED(strncpy) /* str_cut, buf_put */
#undef strncat
#define strncat PLIMSOLL_BANNED(strncat) /* buf_put */
#undef sprintf
#define sprintf PLIMSOLL_BANNED(sprintf) /* buf_printf, snprintf */
#undef vsprintf
#define vsprintf PLIMSOLL_BANNED(vsprintf) /* buf_vprintf */
#undef gets
#define gets PLIMSOLL_BANNED(gets) /* reader */
#undef sscanf
#define sscanf PLIMSOLL_BANNED(sscanf) /* str_to_u64, str_cut */
#undef atoi
#define atoi PLIMSOLL_BANNED(atoi) /* str_to_u64 */
#undef atol
#define atol PLIMSOLL_BANNED(atol) /* str_to_u64 */
#undef strtok
#define strtok PLIMSOLL_BANNED(strtok) /* str_cut */
#undef alloca
#define alloca PLIMSOLL_BANNED(alloca) /* arena_alloc */

#endif
