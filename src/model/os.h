/* What distribution a root file system is, as its own files say. */
#ifndef PLIMSOLL_MODEL_OS_H
#define PLIMSOLL_MODEL_OS_H

#include "base/str.h"

struct os {
	struct str id;         /* lower case, os-release's ID: debian, ubuntu, alpine, wolfi, almalinux, rhel, ...; empty: not known */
	struct str version;    /* VERSION_ID, or what stands for it: "12", "22.04", "3.19.1", "9.4"; may be empty (rolling) */
	struct str name;       /* PRETTY_NAME for people */
	struct str codename;   /* VERSION_CODENAME, may be empty */
	struct str id_like;    /* may be empty */
	struct str evidence;   /* the file that said so, without a leading slash */
	struct str apk_branch; /* Alpine: branch named by etc/apk/repositories ("v3.19", "edge"), beats version */
};

#endif
