/* WWW-Authenticate (RFC 9110 11.6.1): which schemes a server offers, with what parameters. Hostile. */
#ifndef PLIMSOLL_NET_CHALLENGE_H
#define PLIMSOLL_NET_CHALLENGE_H

#include "base/arena.h"

struct challenge {
	struct str scheme; /* as written */
	struct str realm, service, scope, error; /* empty where there is none */
};

#define CHALLENGES_MAX 16

/* The challenges of one header's value; what cannot be read ends the list. Count of those put into ret. */
size_t challenge_parse(struct arena *a, struct str value, struct challenge *ret, size_t max);

#endif
