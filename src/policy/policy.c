/* Marks findings (suppressed, hidden), counts them and asks the gate. What is suppressed leaves the gate; what is only
 * hidden from view does not. Never removes a finding, never reads a file. */
#include "policy/policy.h"

#include "base/base.h"

void policy_init(struct policy *p)
{
	*p = (struct policy){ .builtin_ignores = true, .unrated = SEVERITY_HIGH };
	for (size_t i = 0; i < SEVERITY_COUNT; i++)
		p->severity_shown[i] = true;
}

int policy_parse_severities(struct str list, bool shown[SEVERITY_COUNT], struct err *err)
{
	bool set[SEVERITY_COUNT] = { 0 };
	for (struct str rest = list, word; str_cut(&rest, ',', &word);) {
		enum severity s;
		word = str_trim(word);
		if (!severity_parse(word, &s))
			return err_set(err, ERR_USAGE, "'%.*s' is no severity (critical, high, medium, low, info, unknown)",
			               STR_ARG(word));
		set[s] = true;
	}
	if (list.len == 0)
		return err_set(err, ERR_USAGE, "a list of severities is empty");
	memcpy(shown, set, sizeof(set));
	return 0;
}

int policy_parse_statuses(struct str list, bool ignored[STATUS_COUNT], struct err *err)
{
	bool set[STATUS_COUNT] = { 0 };
	for (struct str rest = list, word; str_cut(&rest, ',', &word);) {
		enum fix_status s = STATUS_NONE;
		word = str_trim(word);
		if (!str_eq_nocase(word, STR("fixed")) && !status_parse(word, &s))
			return err_set(err, ERR_USAGE,
			               "'%.*s' is no status (fixed, affected, not_affected, will_not_fix, fix_deferred, "
			               "end_of_life, under_investigation)",
			               STR_ARG(word));
		set[s] = true;
	}
	if (list.len == 0)
		return err_set(err, ERR_USAGE, "a list of statuses is empty");
	memcpy(ignored, set, sizeof(set));
	return 0;
}

/* --- ignores --- */

/* A file with thousands of ids and an image with thousands of findings meet: plain ids are looked up, only the others
 * are tried one by one. */
struct ignore_index {
	const struct ignore_list *list;
	struct map exact;  /* plain id -> 1 + index of its first ignore */
	size_t *next;      /* 1 + index of the next ignore of the same id */
	VEC(size_t) globs; /* ignores whose id is a pattern or not asked */
	struct arena *arena;
	const struct target *target; /* whose findings are asked about */
};

static bool is_plain(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] == '*' || s.ptr[i] == '?' || s.ptr[i] == '[' || s.ptr[i] == '\\')
			return false;
	return s.len > 0;
}

static void index_ignores(struct arena *a, const struct ignore_list *list, struct ignore_index *ret)
{
	*ret = (struct ignore_index){ .list = list, .next = arena_array(a, list->len, sizeof(size_t)), .arena = a };
	for (size_t i = list->len; i > 0; i--) {
		if (!is_plain(list->ptr[i - 1].id))
			continue;
		uint64_t *first = map_put(a, &ret->exact, list->ptr[i - 1].id, NULL);
		ret->next[i - 1] = (size_t)*first;
		*first = i;
	}
	for (size_t i = 0; i < list->len; i++)
		if (!is_plain(list->ptr[i].id))
			*vec_push(a, &ret->globs) = i;
}

static bool asks(struct str pattern, struct str text)
{
	return pattern.len == 0 || str_glob(pattern, text);
}

static bool id_matches(const struct ignore *ignore, const struct finding *f)
{
	if (asks(ignore->id, f->id))
		return true;
	for (size_t i = 0; i < f->aliases.len; i++)
		if (str_glob(ignore->id, f->aliases.ptr[i]))
			return true;
	return false;
}

static bool rest_matches(const struct ignore_index *index, const struct ignore *ignore, const struct finding *f)
{
	if (ignore->package.len) {
		if (!f->package)
			return false;
		if (!str_glob(ignore->package, f->package->name) && !str_glob(ignore->package, f->package->source_name))
			return false;
	}
	struct str path = f->location.path;
	if (path.len == 0 && f->package)
		path = f->package->db_path;
	return asks(ignore->path, path) && asks(ignore->subject, f->subject) &&
	       (!ignore->peer || ignore_peer_matches(index->arena, ignore, index->target, f));
}

static bool holds_on(const struct ignore *ignore, struct str today)
{
	int day = str_cmp(today, ignore->until);
	return ignore->until.len == 0 || day < 0 || (day == 0 && !(ignore->peer && ignore->peer->ends_with_until));
}

/* The first ignore, in order of reading, that matches and holds; of those that matched but ran out, one goes to
 * *ret_expired (0: none). Both 1-based. */
struct choice {
	size_t holds, expired;
};

static void consider(const struct ignore_index *index, size_t i, const struct finding *f, struct str today,
                     struct choice *c)
{
	const struct ignore *ignore = &index->list->ptr[i];
	if (!rest_matches(index, ignore, f))
		return;
	size_t *slot = holds_on(ignore, today) ? &c->holds : &c->expired;
	if (*slot == 0 || i + 1 < *slot)
		*slot = i + 1;
}

static void consider_id(const struct ignore_index *index, struct str id, const struct finding *f, struct str today,
                        struct choice *c)
{
	const uint64_t *first = map_get(&index->exact, id);
	for (size_t i = first ? (size_t)*first : 0; i; i = index->next[i - 1])
		consider(index, i - 1, f, today, c);
}

static struct choice choose(const struct ignore_index *index, const struct finding *f, struct str today)
{
	struct choice c = { 0 };
	consider_id(index, f->id, f, today, &c);
	for (size_t i = 0; i < f->aliases.len; i++)
		consider_id(index, f->aliases.ptr[i], f, today, &c);
	for (size_t i = 0; i < index->globs.len; i++)
		if (id_matches(&index->list->ptr[index->globs.ptr[i]], f))
			consider(index, index->globs.ptr[i], f, today, &c);
	return c;
}

/* Headers that a kernel's source package makes: they describe a kernel to compilers, they are none. */
static const struct {
	enum package_type type;
	const char *name, *source;
} kernel_headers[] = {
	{ PACKAGE_DEB, "linux-libc-dev", "linux*" },
	{ PACKAGE_DEB, "linux-libc-dev-*", "linux*" },
	{ PACKAGE_DEB, "linux-headers-*", "linux*" },
	{ PACKAGE_DEB, "linux-*-headers-*", "linux*" },
	{ PACKAGE_APK, "linux-headers", "linux-headers" },
	{ PACKAGE_RPM, "kernel-headers", "kernel*" },
	{ PACKAGE_RPM, "kernel-*-headers", "kernel*" },
	{ PACKAGE_RPM, "kernel-devel", "kernel*" },
	{ PACKAGE_RPM, "kernel-devel-*", "kernel*" },
};

static bool is_kernel_headers(const struct target *t, const struct finding *f)
{
	const struct package *p = f->package;
	if (f->kind != FINDING_VULNERABILITY || !p || (t->kind != TARGET_IMAGE && t->kind != TARGET_FS))
		return false;
	for (size_t i = 0; i < COUNT_OF(kernel_headers); i++)
		if (p->type == kernel_headers[i].type && str_glob(str_from(kernel_headers[i].name), p->name) &&
		    str_glob(str_from(kernel_headers[i].source), p->source_name))
			return true;
	return false;
}

static void suppress(struct arena *a, const struct policy *p, struct ignore_index *index, struct str today,
                     struct target *t)
{
	index->target = t;
	bool *said = arena_array(a, index->list->len, sizeof(bool));
	for (size_t i = 0; i < t->findings.len; i++) {
		struct finding *f = &t->findings.ptr[i];
		if (f->suppressed.by.len)
			continue;
		struct choice c = choose(index, f, today);
		if (c.holds) {
			const struct ignore *ignore = &index->list->ptr[c.holds - 1];
			f->suppressed.by = ignore->origin;
			f->suppressed.reason = ignore->reason;
			f->suppressed.until = ignore->until;
		} else if (p->builtin_ignores && is_kernel_headers(t, f)) {
			f->suppressed.by = STR("built-in");
			f->suppressed.reason = STR("no kernel runs from a container image's headers");
		} else if (c.expired && !said[c.expired - 1]) {
			const struct ignore *ignore = &index->list->ptr[c.expired - 1];
			said[c.expired - 1] = true;
			*vec_push(a, &t->notes) = arena_printf(
			        a, "%.*s: this ignore of %.*s ran out on %.*s and no longer holds", STR_ARG(ignore->origin),
			        STR_ARG(f->id), STR_ARG(ignore->until));
		}
	}
}

/* --- what is shown --- */

static bool is_hidden(const struct policy *p, const struct finding *f)
{
	if (!p->severity_shown[f->severity])
		return true;
	if (f->kind != FINDING_VULNERABILITY)
		return false;
	bool fixed = f->fixed_version.len > 0;
	if (p->ignore_unfixed && !fixed)
		return true;
	enum fix_status status = fixed ? STATUS_NONE : f->status == STATUS_NONE ? STATUS_AFFECTED : f->status;
	return p->status_ignored[status];
}

/* --- the gate --- */

static enum severity at_gate(const struct policy *p, const struct finding *f)
{
	return f->severity == SEVERITY_UNKNOWN ? p->unrated : f->severity;
}

/* The one to name: exploited first, then severity, then how likely it is to be exploited. */
static bool is_worse(const struct policy *p, const struct finding *a, const struct finding *b)
{
	if (a->kev != b->kev)
		return a->kev;
	if (at_gate(p, a) != at_gate(p, b))
		return at_gate(p, a) > at_gate(p, b);
	if (a->epss > b->epss || a->epss < b->epss)
		return a->epss > b->epss;
	return str_cmp(a->id, b->id) < 0;
}

static struct str gate_reason(struct arena *a, const struct policy *p, const struct finding *worst, uint64_t count)
{
	struct str where = worst->package ? worst->package->name : worst->subject;
	if (where.len == 0)
		where = worst->location.path;
	struct str in = where.len ? arena_printf(a, " in %.*s", STR_ARG(where)) : STR("");
	struct str rating = worst->severity == SEVERITY_UNKNOWN
	                            ? arena_printf(a, "unrated, counts as %s", severity_name(p->unrated))
	                            : str_from(severity_name(worst->severity));
	struct str text = arena_printf(a, "%.*s%.*s (%.*s%s)", STR_ARG(worst->id), STR_ARG(in), STR_ARG(rating),
	                               worst->kev ? ", known to be exploited" : "");
	if (count > 1)
		text = arena_printf(a, "%.*s, and %llu more", STR_ARG(text), (unsigned long long)count - 1);
	return text;
}

static void ask_gate(struct arena *a, const struct policy *p, struct report *report)
{
	const struct finding *worst = NULL;
	uint64_t count = 0;
	if (!p->gate)
		return;
	for (size_t i = 0; i < report->targets.len; i++) {
		const struct finding_list *list = &report->targets.ptr[i].findings;
		for (size_t j = 0; j < list->len; j++) {
			const struct finding *f = &list->ptr[j];
			if (f->suppressed.by.len || at_gate(p, f) < p->fail_on)
				continue;
			if (p->gate_in_use && f->package && f->package->use == USE_NO)
				continue;
			count++;
			if (!worst || is_worse(p, f, worst))
				worst = f;
		}
	}
	report->summary.gate.asked = str_from(severity_name(p->fail_on));
	report->summary.gate.failed = worst != NULL;
	if (worst)
		report->summary.gate.by = gate_reason(a, p, worst, count);
}

/* --- the sums --- */

static void count_finding(struct arena *a, struct report *report, struct map *ids, const struct finding *f)
{
	if (f->suppressed.by.len) {
		report->summary.suppressed++;
		return;
	}
	if (f->hidden) {
		report->summary.hidden++;
		report->summary.hidden_unknown += f->severity == SEVERITY_UNKNOWN;
		return;
	}
	report->summary.by_severity[f->severity]++;
	report->summary.fixable += f->fixed_version.len > 0;
	report->summary.kev += f->kev;
	(void)map_put(a, ids, f->id, NULL);
}

void policy_apply(struct arena *a, const struct policy *p, struct str today, struct report *report)
{
	struct ignore_index index;
	struct map ids = { 0 };
	index_ignores(a, &p->ignores, &index);
	memset(&report->summary, 0, sizeof(report->summary));
	for (size_t i = 0; i < report->targets.len; i++) {
		struct target *t = &report->targets.ptr[i];
		suppress(a, p, &index, today, t);
		report->summary.not_assessed += t->not_assessed.len;
		for (size_t j = 0; j < t->findings.len; j++) {
			t->findings.ptr[j].hidden = is_hidden(p, &t->findings.ptr[j]);
			count_finding(a, report, &ids, &t->findings.ptr[j]);
		}
	}
	report->summary.distinct = ids.len;
	report->summary.policy_files = p->files;
	ask_gate(a, p, report);
}

void policy_notes(struct arena *a, const struct policy *p, struct str today, const struct report *report,
                  struct str_list *ret)
{
	struct map used = { 0 };
	for (size_t i = 0; i < report->targets.len; i++) {
		const struct finding_list *list = &report->targets.ptr[i].findings;
		for (size_t j = 0; j < list->len; j++)
			if (list->ptr[j].suppressed.by.len)
				(void)map_put(a, &used, list->ptr[j].suppressed.by, NULL);
	}
	for (size_t i = 0; i < p->ignores.len; i++) {
		const struct ignore *ignore = &p->ignores.ptr[i];
		if (!holds_on(ignore, today))
			*vec_push(a, ret) = arena_printf(a, "%.*s: this ignore ran out on %.*s", STR_ARG(ignore->origin),
			                                 STR_ARG(ignore->until));
		else if (!map_get(&used, ignore->origin))
			*vec_push(a, ret) = arena_printf(a, "%.*s: this ignore suppresses nothing", STR_ARG(ignore->origin));
	}
}
