/* Connections to engines, as far as the parent makes them for a net worker: to a Unix socket, tried here so that what is
 * wrong with it can be said, and handed over where the worker, which has no capabilities, could not open it (root and
 * another user's engine); through the user's own ssh as Docker's client starts it (`ssh HOST docker system dial-stdio`,
 * whose standard input and output are the connection; it asks for passwords on the terminal by itself). tcp is dialled
 * by the worker. Reads no byte of a connection. */
#ifndef PLIMSOLL_NET_DIAL_H
#define PLIMSOLL_NET_DIAL_H

#include "net/endpoint.h"

#include <sys/types.h>

struct dial {
	int fd;    /* connected, O_CLOEXEC; 0: the worker dials by itself, or it was handed over */
	pid_t ssh; /* 0: none */
};

/* ERR_ABSENT: no socket, nobody listens, no ssh; ERR_ACCESS: not for this user; ERR_NET: it takes no connection. */
int dial_open(const struct endpoint *e, struct dial *ret, struct err *err);
/* The worker has it now: close this copy, so that the other side sees the worker's end. */
void dial_hand_over(struct dial *d);
/* Closes, and waits for ssh; its exit code (negative: a signal), 0 where there is none. Zeroed or closed is fine. */
int dial_close(struct dial *d);

#endif
