/* libcurl as this program has it: loaded when it is first wanted (meson option curl=dlopen, so that a start does not pay
 * for the 30 libraries that come with it) or linked (curl=linked). Internal to net/.
 * Deprecated names are wanted: their successors came after the oldest libcurl that is supported, 7.80. */
#ifndef PLIMSOLL_NET_CURL_LIB_H
#define PLIMSOLL_NET_CURL_LIB_H

#include "base/err.h"

#define CURL_DISABLE_DEPRECATION
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

struct curl_lib {
	CURLcode (*global_init)(long);
	curl_version_info_data *(*version_info)(CURLversion);
	CURL *(*easy_init)(void);
	void (*easy_cleanup)(CURL *);
	void (*easy_reset)(CURL *);
	CURLcode (*easy_setopt)(CURL *, CURLoption, ...);
	CURLcode (*easy_perform)(CURL *);
	CURLcode (*easy_getinfo)(CURL *, CURLINFO, ...);
	const char *(*easy_strerror)(CURLcode);
	struct curl_slist *(*slist_append)(struct curl_slist *, const char *);
	void (*slist_free_all)(struct curl_slist *);
	CURLU *(*url)(void);
	void (*url_cleanup)(CURLU *);
	CURLUcode (*url_get)(CURLU *, CURLUPart, char **, unsigned);
	CURLUcode (*url_set)(CURLU *, CURLUPart, const char *, unsigned);
	void (*free)(void *);
};

/* Filled by curl_lib_load. */
extern struct curl_lib curl_lib;

/* Once; for a network (and not only a socket of this machine) also loads what resolvers would load at their first use,
 * which a confined worker cannot. ERR_ABSENT: there is no libcurl, and the text says what to install. */
int curl_lib_load(bool network, struct err *err);
/* File of the authorities that https is checked against: SSL_CERT_FILE, the library's own, or where distributions
 * have it; NULL: none found. */
const char *curl_lib_authorities(void);
/* Its TLS library takes certificates from files alone (GnuTLS; not all options that it ignores are refused). */
bool curl_lib_wants_files(void);

#endif
