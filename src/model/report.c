/* Names of the report's kinds: see report.h. */
#include "model/report.h"

#include "base/base.h"

static const char *const finding_kinds[] = { "vulnerability", "secret", "config", "file", "license", "malware",
	                                     "provenance" };
static const char *const target_kinds[] = { "image",     "fs",      "sbom",    "dockerfile", "compose", "kubernetes",
	                                    "engine",    "container", "network", "host",       "cluster" };

const char *finding_kind_name(enum finding_kind k)
{
	return (unsigned)k < COUNT_OF(finding_kinds) ? finding_kinds[k] : "config";
}

const char *target_kind_name(enum target_kind k)
{
	return (unsigned)k < COUNT_OF(target_kinds) ? target_kinds[k] : "fs";
}

static void settle(struct arena *a, struct str *s)
{
	*s = str_dup(a, *s);
}

static void settle_os(struct arena *a, struct os *os)
{
	settle(a, &os->id);
	settle(a, &os->version);
	settle(a, &os->name);
	settle(a, &os->codename);
	settle(a, &os->id_like);
	settle(a, &os->evidence);
	settle(a, &os->apk_branch);
}

static void settle_package(struct arena *a, struct package *p)
{
	settle(a, &p->name);
	settle(a, &p->version);
	settle(a, &p->arch);
	settle(a, &p->source_name);
	settle(a, &p->source_version);
	settle(a, &p->vendor);
	settle(a, &p->module);
	settle(a, &p->db_path);
}

/* Packages share the texts of their layers: there are few of those and many of these. */
static struct str layer_text(const struct target *t, struct arena *a, struct str diff_id)
{
	for (size_t i = 0; i < t->layers.len; i++)
		if (str_eq(t->layers.ptr[i].diff_id, diff_id))
			return t->layers.ptr[i].diff_id;
	return str_dup(a, diff_id);
}

static void settle_layers(struct arena *a, struct target *t)
{
	struct layer_list old = t->layers;
	t->layers = (struct layer_list){ 0 };
	for (size_t i = 0; i < old.len; i++) {
		struct layer *l = vec_push(a, &t->layers);
		*l = old.ptr[i];
		settle(a, &l->diff_id);
		settle(a, &l->digest);
		settle(a, &l->created_by);
	}
}

static void settle_texts(struct arena *a, struct str_list *list)
{
	struct str_list old = *list;
	*list = (struct str_list){ 0 };
	for (size_t i = 0; i < old.len; i++)
		*vec_push(a, list) = str_dup(a, old.ptr[i]);
}

static void settle_image(struct arena *a, struct image_config *c)
{
	struct str *texts[] = { &c->id, &c->created, &c->author, &c->user, &c->working_dir, &c->stop_signal };
	struct str_list *lists[] = { &c->tags, &c->digests, &c->cmd, &c->entrypoint, &c->exposed_ports, &c->volumes, &c->labels };
	struct image_config old = *c;
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		settle(a, texts[i]);
	for (size_t i = 0; i < COUNT_OF(lists); i++)
		settle_texts(a, lists[i]);
	c->history.ptr = NULL;
	c->history.len = c->history.cap = 0;
	for (size_t i = 0; i < old.history.len; i++) {
		struct image_step *s = vec_push(a, &c->history);
		*s = old.history.ptr[i];
		settle(a, &s->created);
		settle(a, &s->created_by);
		settle(a, &s->comment);
	}
}

void target_settle(struct arena *a, struct target *t)
{
	struct package_list packages = t->packages;
	struct not_assessed_list not_assessed = t->not_assessed;
	settle(a, &t->name);
	settle(a, &t->digest);
	settle(a, &t->platform);
	settle(a, &t->os_eol_date);
	settle_os(a, &t->os);
	settle_image(a, &t->image);
	settle_layers(a, t);
	settle_texts(a, &t->notes);
	t->packages = (struct package_list){ 0 };
	for (size_t i = 0; i < packages.len; i++) {
		struct package *p = vec_push(a, &t->packages);
		*p = packages.ptr[i];
		settle_package(a, p);
		p->layer = layer_text(t, a, p->layer);
	}
	t->not_assessed = (struct not_assessed_list){ 0 };
	for (size_t i = 0; i < not_assessed.len; i++) {
		struct not_assessed *n = vec_push(a, &t->not_assessed);
		*n = not_assessed.ptr[i];
		settle(a, &n->what);
		settle(a, &n->reason);
	}
}
