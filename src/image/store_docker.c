/* Docker's engine as a place where images lie (origin.h): which engine, and by which way. In place where this process may
 * read overlay2 in the engine's folder (which takes no copy, no hashing and not even a running engine), else the engine's
 * own stream of the image.
 * Must never take a store for an engine's own merely because it lies where that engine's should: the image's id must be in
 * it, and the config under that id has that digest. */
#include "image/origin.h"

#include "base/base.h"
#include "image/docker_ask.h"
#include "image/docker_disk.h"
#include "image/docker_find.h"
#include "image/image.h"
#include "sandbox/worker.h"

struct streamed {
	struct endpoint endpoint;
	struct str reference, platform;
	struct dial dial;
};

/* --- which engine --------------------------------------------------------------------------------------------------- */

static int find_engine(struct arena *a, const struct image_options *o, struct endpoint *ret, struct err *err)
{
	const char *host = o->access ? o->access->host : NULL;
	int rc = endpoint_find(a, host, ret, err);
	if (rc == 0 && o->access && o->access->offline && endpoint_remote(ret))
		return err_set(err, ERR_ABSENT, "the engine at %.*s is on another machine, which --offline refuses", STR_ARG(ret->name));
	return rc;
}

/* Whether the engine does not matter: nobody named one, and it gives no answer, but its folder may be read all the same. */
static bool without_engine(const struct endpoint *e, int rc)
{
	return !e->chosen && (rc == ERR_ABSENT || rc == ERR_NET) && docker_disk_allowed();
}

/* An engine that was named by the option must be there: the search for an image does not pass over it. */
static int asked(const struct endpoint *e, int rc)
{
	return rc == ERR_ABSENT && str_eq(e->said_by, STR("--host")) ? ERR_NET : rc;
}

/* What the engine calls itself: "Docker/20.10.24 (linux)" -> "Docker/20.10.24". */
static struct str server_name(const struct engine_facts *f)
{
	struct str rest = f->fact[ENGINE_SERVER], head;
	return str_cut(&rest, ' ', &head) && head.len ? head : STR("an engine");
}

/* --- by which way --------------------------------------------------------------------------------------------------- */

/* The engine's store, if it can be read in place; else *ret_why_not. */
static struct docker_disk *reach_disk(struct arena *a, const struct endpoint *e, const struct engine_facts *f,
                                      struct str *ret_why_not)
{
	struct docker_disk *d = NULL;
	struct str driver = f->fact[ENGINE_DRIVER], root = f->fact[ENGINE_ROOT];
	struct err ignored = { 0 };
	if (endpoint_remote(e))
		*ret_why_not = STR("the engine is on another machine");
	else if (!str_eq(driver, STR("overlay2")))
		*ret_why_not = arena_printf(a, "the engine keeps its images in %.*s, not in overlay2",
		                            STR_ARG(driver.len ? driver : STR("a store without a name")));
	else if (!docker_disk_allowed())
		*ret_why_not = STR("to read its store in place is for root alone");
	else if (!str_starts(root, STR("/")) || docker_disk_open(a, str_cstr(a, root), &d, &ignored) < 0)
		*ret_why_not = arena_printf(a, "its store in %.*s cannot be seen from here", STR_ARG(root));
	return d;
}

static int save(void *ctx, int *ret_fd, struct worker **ret_worker, struct err *err)
{
	struct streamed *s = ctx;
	(void)dial_close(&s->dial);
	return docker_save(&s->endpoint, s->reference, s->platform, ret_fd, ret_worker, &s->dial, err);
}

static void close_streamed(void *ctx)
{
	struct streamed *s = ctx;
	(void)dial_close(&s->dial);
}

static void stream_origin(struct arena *a, const struct endpoint *e, const struct engine_facts *f, struct str reference,
                          struct str platform, struct str why_not, struct image_origin *ret)
{
	struct streamed *s = ARENA_NEW(a, struct streamed);
	s->endpoint = *e;
	s->reference = reference;
	s->platform = platform;
	*ret = (struct image_origin){
		.source = arena_printf(a, "%.*s at %.*s", STR_ARG(server_name(f)), STR_ARG(e->name)),
		.ctx = s,
		.archive = save,
		.close = close_streamed,
	};
	*vec_push(a, &ret->notes) = arena_printf(a, "streamed by the engine, which copies the whole image first: %.*s",
	                                         STR_ARG(why_not));
}

/* --- images --------------------------------------------------------------------------------------------------------- */

static int open_on_disk(struct arena *a, struct str reference, struct image_origin *ret, struct err *err)
{
	struct docker_disk *d;
	struct str id;
	int rc = docker_disk_open_default(a, &d, err);
	if (rc < 0)
		return rc;
	rc = docker_disk_find_image(d, a, reference, &id, err);
	if (rc < 0) {
		docker_disk_close(d);
		return rc;
	}
	docker_disk_origin(d, a, id, (struct str){ 0 }, ret);
	return 0;
}

static int open_of_engine(struct arena *a, const struct endpoint *e, const struct engine_facts *f, struct str reference,
                          const struct image_options *o, struct image_origin *ret)
{
	struct str why_not = { 0 }, id = f->fact[ENGINE_ID];
	struct docker_disk *d = reach_disk(a, e, f, &why_not);
	if (d && docker_disk_has_image(d, id)) {
		docker_disk_origin(d, a, id, (struct str){ 0 }, ret);
		return 0;
	}
	if (d)
		why_not = STR("the image is not in its overlay2 store");
	docker_disk_close(d);
	stream_origin(a, e, f, reference, o->platform, why_not, ret);
	return 0;
}

static int open_image(struct arena *a, struct str reference, const struct image_options *o, struct image_origin *ret,
                      struct err *err)
{
	struct endpoint e;
	struct engine_facts f;
	struct str familiar;
	struct err disk_err = { 0 };
	int rc = docker_familiar(a, reference, &familiar, err);
	if (rc < 0 || (rc = find_engine(a, o, &e, err)) < 0)
		return rc;
	rc = docker_ask(a, &e, DOCKER_ASK_IMAGE, reference, &f, err);
	if (rc == 0)
		return open_of_engine(a, &e, &f, reference, o, ret);
	if (!without_engine(&e, rc))
		return rc == ERR_NOT_FOUND ? err_set(err, rc, "no image %.*s in the engine at %.*s", STR_ARG(familiar), STR_ARG(e.name))
		                           : asked(&e, rc);
	/* Two reasons, if there is no store either: the engine's is the one to act upon. */
	int on_disk = open_on_disk(a, reference, ret, &disk_err);
	if (on_disk == ERR_ABSENT)
		return rc;
	return on_disk < 0 ? err_set(err, on_disk, "%s", disk_err.text) : 0;
}

/* --- containers ----------------------------------------------------------------------------------------------------- */

static void container_origin(struct docker_disk *d, struct arena *a, struct str name, struct str id, struct str image,
                             struct image_origin *ret)
{
	docker_disk_origin(d, a, image, id, ret);
	ret->source = arena_printf(a, "container %.*s (%.*s), %.*s", STR_ARG(name), STR_ARG(str_sub(id, 0, 12)),
	                           STR_ARG(ret->source));
}

static int container_on_disk(struct arena *a, struct str name, struct image_origin *ret, struct err *err)
{
	struct docker_disk *d;
	struct str id, image;
	int rc = docker_disk_open_default(a, &d, err);
	if (rc < 0)
		return rc;
	rc = docker_disk_find_container(d, a, name, &id, &image, err);
	if (rc < 0) {
		docker_disk_close(d);
		return rc;
	}
	container_origin(d, a, name, id, image, ret);
	return 0;
}

static int container_of_engine(struct arena *a, const struct endpoint *e, const struct engine_facts *f, struct str name,
                               struct image_origin *ret, struct err *err)
{
	struct str why_not = { 0 }, id = f->fact[ENGINE_ID], image = f->fact[ENGINE_IMAGE];
	struct docker_disk *d = reach_disk(a, e, f, &why_not);
	if (d && docker_disk_has_container(d, id) && docker_hex_ok(image)) {
		container_origin(d, a, name, id, image, ret);
		return 0;
	}
	if (d)
		why_not = STR("it is not in its overlay2 store");
	docker_disk_close(d);
	/* The engine's export is one tar of everything merged, in which no layer can be told from another. */
	return err_set(err, ERR_ACCESS, "container %.*s can only be read in place, and %.*s; its image can be scanned, or commit it "
	                                "and scan what that makes",
	               STR_ARG(name), STR_ARG(why_not));
}

static int open_container(struct arena *a, struct str name, const struct image_options *o, struct image_origin *ret,
                          struct err *err)
{
	struct endpoint e;
	struct engine_facts f;
	struct str ignored;
	struct err disk_err = { 0 };
	(void)str_skip(&name, STR("/"));
	int rc = docker_familiar(a, name, &ignored, err);
	if (rc < 0)
		return err_set(err, ERR_NOT_FOUND, "\"%.*s\" is no name of a container", STR_ARG(name));
	if ((rc = find_engine(a, o, &e, err)) < 0)
		return rc;
	rc = docker_ask(a, &e, DOCKER_ASK_CONTAINER, name, &f, err);
	if (rc == 0)
		return container_of_engine(a, &e, &f, name, ret, err);
	if (!without_engine(&e, rc))
		return rc == ERR_NOT_FOUND ? err_set(err, rc, "no container %.*s in the engine at %.*s", STR_ARG(name), STR_ARG(e.name))
		                           : asked(&e, rc);
	int on_disk = container_on_disk(a, name, ret, &disk_err);
	if (on_disk == ERR_ABSENT)
		return rc;
	return on_disk < 0 ? err_set(err, on_disk, "%s", disk_err.text) : 0;
}

/* --- lists ---------------------------------------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static int list_on_disk(struct arena *a, struct str_list *ret, struct err *err)
{
	struct docker_disk *d;
	int rc = docker_disk_open_default(a, &d, err);
	if (rc < 0)
		return rc;
	rc = docker_disk_list(d, a, ret, err);
	docker_disk_close(d);
	return rc;
}

static int list_images(struct arena *a, const struct image_options *o, struct str_list *ret, struct err *err)
{
	struct endpoint e;
	struct engine_facts f;
	struct err disk_err = { 0 };
	int rc = find_engine(a, o, &e, err);
	if (rc < 0)
		return rc;
	rc = docker_ask(a, &e, DOCKER_ASK_IMAGES, (struct str){ 0 }, &f, err);
	if (rc < 0 && without_engine(&e, rc)) {
		int on_disk = list_on_disk(a, ret, &disk_err);
		if (on_disk == ERR_ABSENT)
			return rc;
		return on_disk < 0 ? err_set(err, on_disk, "%s", disk_err.text) : 0;
	}
	if (rc < 0)
		return asked(&e, rc);
	if (f.images.len)
		qsort(f.images.ptr, f.images.len, sizeof(*f.images.ptr), compare_names);
	*ret = f.images;
	return 0;
}

const struct image_opener store_docker = {
	.prefix = "docker",
	.title = "Docker",
	.open = open_image,
	.open_container = open_container,
	.list = list_images,
};
