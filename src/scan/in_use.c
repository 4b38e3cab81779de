/* Marking what runs: see in_use.h. Never says "not in use" where it could not look. */
#include "scan/in_use.h"

#include "base/base.h"

void in_use_look(void *ctx, int folder_fd)
{
	struct in_use *u = ctx;
	struct err err = { 0 };
	u->looked = true;
	if (mapped_files_load(u->arena, folder_fd, &u->files, &err) < 0) {
		u->why_not = str_dup(u->arena, str_from(err.text));
		return;
	}
	u->known = true;
	for (size_t i = 0; i < u->files.count; i++)
		file_wish_add(u->arena, &u->wish, u->files.paths[i]);
}

static void add(struct arena *a, struct target *t, struct str reason, uint64_t count)
{
	*vec_push(a, &t->not_assessed) = (struct not_assessed){ .what = STR("packages in use"), .reason = reason, .count = count };
}

void in_use_describe(struct arena *a, const struct in_use *u, struct target *t)
{
	size_t used = 0;
	for (size_t i = 0; i < t->packages.len; i++) {
		if (!u->known)
			t->packages.ptr[i].use = USE_UNKNOWN;
		used += t->packages.ptr[i].use == USE_YES;
	}
	if (!u->known) {
		add(a, t, u->looked ? u->why_not : STR("only a container and a root file system have processes; this has none"), 0);
		return;
	}
	*vec_push(a, &t->notes) = arena_printf(a, "%zu of %zu packages are in use: %zu running processes have %zu files mapped", used,
	                                       t->packages.len, u->files.processes, u->files.count);
	if (u->files.deleted)
		*vec_push(a, &t->notes) = arena_printf(a, "%zu of these files were deleted or replaced since: restart what runs them",
		                                       u->files.deleted);
	if (u->files.closed)
		add(a, t, STR("processes whose maps this user may not read"), u->files.closed);
	if (u->files.dropped)
		add(a, t, STR("more mapped files than MAPPED_FILES_MAX"), 0);
}
