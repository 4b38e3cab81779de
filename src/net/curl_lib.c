/* Finds and prepares libcurl: see curl_lib.h. Runs before a worker confines itself, for it opens libraries and
 * configuration files. Must never be called at the program's start: a start that needs no network loads nothing. */
#include "net/curl_lib.h"
#include "base/base.h"
#include "base/fs.h"
#include "config.h"

#include <dlfcn.h>
#include <netdb.h>
#include <unistd.h>

struct curl_lib curl_lib;

#if CURL_LINKED
/* Its first argument became const with 8.0. */
static CURLUcode url_get(CURLU *u, CURLUPart what, char **ret, unsigned flags)
{
	return curl_url_get(u, what, ret, flags);
}

static int find_functions(struct err *err)
{
	(void)err;
	curl_lib = (struct curl_lib){
		.global_init = curl_global_init,
		.version_info = curl_version_info,
		.easy_init = curl_easy_init,
		.easy_cleanup = curl_easy_cleanup,
		.easy_reset = curl_easy_reset,
		.easy_setopt = curl_easy_setopt,
		.easy_perform = curl_easy_perform,
		.easy_getinfo = curl_easy_getinfo,
		.easy_strerror = curl_easy_strerror,
		.slist_append = curl_slist_append,
		.slist_free_all = curl_slist_free_all,
		.url = curl_url,
		.url_cleanup = curl_url_cleanup,
		.url_get = url_get,
		.url_set = curl_url_set,
		.free = curl_free,
	};
	return 0;
}
#else
/* The OpenSSL flavour, and Debian's with GnuTLS, which is there where only git or apt wanted one. */
static const char *const library_names[] = { "libcurl.so.4", "libcurl-gnutls.so.4" };

static const struct {
	const char *name;
	size_t at;
} functions[] = {
#define F(member, name) { name, offsetof(struct curl_lib, member) }
	F(global_init, "curl_global_init"),   F(version_info, "curl_version_info"), F(easy_init, "curl_easy_init"),
	F(easy_cleanup, "curl_easy_cleanup"), F(easy_reset, "curl_easy_reset"),     F(easy_setopt, "curl_easy_setopt"),
	F(easy_perform, "curl_easy_perform"), F(easy_getinfo, "curl_easy_getinfo"), F(easy_strerror, "curl_easy_strerror"),
	F(slist_append, "curl_slist_append"), F(slist_free_all, "curl_slist_free_all"), F(url, "curl_url"),
	F(url_cleanup, "curl_url_cleanup"),   F(url_get, "curl_url_get"),           F(url_set, "curl_url_set"),
	F(free, "curl_free"),
#undef F
};

static int find_functions(struct err *err)
{
	void *library = NULL;
	for (size_t i = 0; i < COUNT_OF(library_names) && !library; i++)
		library = dlopen(library_names[i], RTLD_LAZY | RTLD_LOCAL);
	if (!library)
		return err_set(err, ERR_ABSENT,
		               "libcurl is not installed (package libcurl4, libcurl or curl), and nothing is fetched without it: %s",
		               dlerror());
	for (size_t i = 0; i < COUNT_OF(functions); i++) {
		void *f = dlsym(library, functions[i].name);
		if (!f)
			return err_set(err, ERR_ABSENT, "this libcurl is too old: it has no %s", functions[i].name);
		memcpy((char *)&curl_lib + functions[i].at, &f, sizeof(f));
	}
	return 0;
}
#endif

#ifdef __GLIBC__
/* The modules of /etc/nsswitch.conf's hosts line: glibc loads each when a look-up first comes to it. What is not
 * there it does without, and so do we. */
static void load_resolver_modules(void)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct str text, line;
	if (fs_read(a, "/etc/nsswitch.conf", 64 * KIB, &text, NULL) < 0)
		return;
	while (str_cut(&text, '\n', &line)) {
		line = str_trim(line);
		if (!str_skip(&line, STR("hosts:")))
			continue;
		for (struct str word; str_cut(&line, ' ', &word);) {
			word = str_trim(word);
			bool plain = word.len > 0 && word.len < 64;
			for (size_t i = 0; plain && i < word.len; i++)
				plain = ascii_alnum(word.ptr[i]) || word.ptr[i] == '_';
			if (plain)
				(void)dlopen(str_cstr(a, arena_printf(a, "libnss_%.*s.so.2", STR_ARG(word))), RTLD_NOW);
		}
	}
}
#else
static void load_resolver_modules(void)
{
}
#endif

/* One look-up that needs no network, so that what a resolver reads and makes once is there. */
static void warm_resolver(void)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM }, *found = NULL;
	load_resolver_modules();
	if (getaddrinfo("localhost", NULL, &hints, &found) == 0)
		freeaddrinfo(found);
}

/* What only servers beyond a socket of this machine need takes half of the time. */
static int load_for_network(struct err *err)
{
	static bool loaded;
	const curl_version_info_data *v = curl_lib.version_info(CURLVERSION_NOW);
	if (loaded)
		return 0;
	if (!(v->features & CURL_VERSION_SSL))
		return err_set(err, ERR_ABSENT, "this libcurl has no TLS");
	if (curl_lib.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(err, ERR_IO, "libcurl does not start");
	/* One with c-ares asks no module of glibc's. In a static program the modules would even bring a second C library. */
	if (v->age < CURLVERSION_SECOND || !v->ares)
		warm_resolver();
	loaded = true;
	return 0;
}

int curl_lib_load(bool network, struct err *err)
{
	static bool loaded;
	if (loaded)
		return network ? load_for_network(err) : 0;
	int rc = find_functions(err);
	if (rc < 0)
		return rc;
	const curl_version_info_data *v = curl_lib.version_info(CURLVERSION_NOW);
	if (v->version_num < 0x075000)
		return err_set(err, ERR_ABSENT, "this libcurl is too old (%s): 7.80 or later is needed", v->version);
	if (!network && curl_lib.global_init(CURL_GLOBAL_NOTHING) != CURLE_OK)
		return err_set(err, ERR_IO, "libcurl does not start");
	if (network && (rc = load_for_network(err)) < 0)
		return rc;
	loaded = true;
	return 0;
}

const char *curl_lib_authorities(void)
{
	static const char *const places[] = {
		"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem",
	};
	const char *own = getenv("SSL_CERT_FILE");
	if (own && *own)
		return own;
	const curl_version_info_data *v = curl_lib.version_info(CURLVERSION_NOW);
	if (v->age >= CURLVERSION_SEVENTH && v->cainfo && access(v->cainfo, R_OK) == 0)
		return v->cainfo;
	for (size_t i = 0; i < COUNT_OF(places); i++)
		if (access(places[i], R_OK) == 0)
			return places[i];
	return NULL;
}

bool curl_lib_wants_files(void)
{
	const curl_version_info_data *v = curl_lib.version_info(CURLVERSION_NOW);
	return v->ssl_version && str_starts(str_from(v->ssl_version), STR("GnuTLS"));
}
