/* An engine asked through a net worker: the parent's side of net/engine.h. Each question is a connection and a worker of
 * its own; what comes back are facts in their wire form, read as hostile. */
#ifndef PLIMSOLL_IMAGE_DOCKER_ASK_H
#define PLIMSOLL_IMAGE_DOCKER_ASK_H

#include "net/dial.h"
#include "net/engine.h"

struct worker;

enum docker_question {
	DOCKER_ASK_IMAGE,     /* ID, NAME, DRIVER; of a local engine also ROOT */
	DOCKER_ASK_CONTAINER, /* besides: IMAGE */
	DOCKER_ASK_IMAGES,    /* images */
};

/* ERR_ABSENT, ERR_ACCESS, ERR_NET as dial_open; ERR_NOT_FOUND: it has none of that name. */
int docker_ask(struct arena *a, const struct endpoint *e, enum docker_question question, struct str name,
               struct engine_facts *ret, struct err *err);

/* The image as a docker-archive through a pipe. *ret_dial is to be closed when the worker has ended. */
int docker_save(const struct endpoint *e, struct str reference, struct str platform, int *ret_fd,
                struct worker **ret_worker, struct dial *ret_dial, struct err *err);

#endif
