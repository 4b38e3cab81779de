/* The ignore files of peers: Trivy's .trivyignore.yaml and the rules in Grype's configuration. As with our own files,
 * what is not understood is an error, never half an ignore. */
#include "base/base.h"
#include "base/value.h"
#include "policy/policy.h"

static int text_of(const struct value *v, struct str key, struct str *ret, struct err *err)
{
	if (!value_is(v, VALUE_STRING))
		return err_set(err, ERR_USAGE, "%u:%u: %.*s must be text", v->line, v->column, STR_ARG(key));
	*ret = v->string;
	return 0;
}

static int in_file(struct err *err, struct str file)
{
	struct err inner = *err;
	return err_set(err, inner.code, "%.*s:%s", STR_ARG(file), inner.text);
}

/* --- .trivyignore.yaml -------------------------------------------------------------------------------------------- */

static const struct {
	const char *key;
	enum finding_kind kind;
} trivy_lists[] = {
	{ "vulnerabilities", FINDING_VULNERABILITY },
	{ "misconfigurations", FINDING_CONFIG },
	{ "secrets", FINDING_SECRET },
	{ "licenses", FINDING_LICENSE },
};

bool policy_is_trivyignore_yaml(const struct value *map)
{
	for (size_t i = 0; i < COUNT_OF(trivy_lists); i++)
		if (value_get(map, trivy_lists[i].key))
			return true;
	return false;
}

struct trivy_entry {
	struct ignore ignore;
	const struct value *paths, *purls;
};

static int take_date(const struct value *v, struct str *ret, struct err *err)
{
	struct str text;
	int rc = text_of(v, STR("expired_at"), &text, err);
	if (rc < 0)
		return rc;
	/* With a time of day it has run out on that day at some time: the day does not count either way. */
	*ret = str_sub(text, 0, 10);
	bool more = text.len == 10 || text.ptr[10] == 'T' || text.ptr[10] == ' ';
	if (!policy_is_date(*ret) || !more)
		return err_set(err, ERR_USAGE, "%u:%u: '%.*s' is no date (YYYY-MM-DD)", v->line, v->column, STR_ARG(text));
	return 0;
}

static int take_trivy_key(struct arena *a, struct trivy_entry *e, struct str key, const struct value *v, struct err *err)
{
	struct str text;
	int rc = 0;
	if (str_eq(key, STR("id"))) {
		rc = text_of(v, key, &text, err);
		if (rc == 0)
			e->ignore.id = policy_literal(a, str_trim(text));
	} else if (str_eq(key, STR("statement"))) {
		rc = text_of(v, key, &e->ignore.reason, err);
	} else if (str_eq(key, STR("expired_at"))) {
		rc = take_date(v, &e->ignore.until, err);
	} else if (str_eq(key, STR("paths")) || str_eq(key, STR("purls"))) {
		if (!value_is(v, VALUE_LIST))
			return err_set(err, ERR_USAGE, "%u:%u: %.*s must be a list", v->line, v->column, STR_ARG(key));
		*(key.ptr[1] == 'a' ? &e->paths : &e->purls) = v;
	} else {
		rc = err_set(err, ERR_USAGE, "%u:%u: unknown key '%.*s' (known: id, paths, purls, expired_at, statement)", v->line,
		             v->column, STR_ARG(key));
	}
	return rc;
}

/* One ignore for each pair of a path and a package URL; a list that is absent or empty asks nothing. */
static int add_pairs(struct arena *a, struct policy *p, struct trivy_entry *e, const struct ignore_peer *common, struct err *err)
{
	size_t paths = value_len(e->paths), purls = value_len(e->purls);
	for (size_t i = 0; i < (paths ? paths : 1); i++)
		for (size_t k = 0; k < (purls ? purls : 1); k++) {
			struct ignore_peer *peer = arena_array(a, 1, sizeof(*peer));
			struct ignore ignore = e->ignore;
			int rc = 0;
			*peer = *common;
			ignore.peer = peer;
			if (paths)
				rc = text_of(value_at(e->paths, i), STR("a path"), &ignore.path, err);
			(void)str_skip(&ignore.path, STR("./"));
			if (rc == 0 && purls)
				rc = text_of(value_at(e->purls, k), STR("a purl"), &peer->purl, err);
			if (rc == 0 && purls && !str_starts(peer->purl, STR("pkg:")))
				rc = err_set(err, ERR_USAGE, "%u:%u: '%.*s' is no package URL", value_at(e->purls, k)->line,
				             value_at(e->purls, k)->column, STR_ARG(peer->purl));
			if (rc == 0)
				rc = policy_add_ignore(a, p, &ignore, err);
			if (rc < 0)
				return rc;
		}
	return 0;
}

static int add_trivy_entry(struct arena *a, struct policy *p, struct str file, enum finding_kind kind, const struct value *entry,
                           struct err *err)
{
	struct ignore_peer common = { .kinds = 1u << kind, .own_id = true, .ends_with_until = true };
	struct trivy_entry e = { .ignore.origin = arena_printf(a, "%.*s:%u", STR_ARG(file), entry->line) };
	if (!value_is(entry, VALUE_MAP))
		return err_set(err, ERR_USAGE, "%u:%u: an ignore must be a map", entry->line, entry->column);
	for (size_t i = 0; i < entry->map.len; i++) {
		int rc = take_trivy_key(a, &e, entry->map.pairs[i].key, entry->map.pairs[i].value, err);
		if (rc < 0)
			return rc;
	}
	if (e.ignore.id.len == 0)
		return err_set(err, ERR_USAGE, "%u:%u: an ignore wants an id", entry->line, entry->column);
	return add_pairs(a, p, &e, &common, err);
}

static int add_trivy_list(struct arena *a, struct policy *p, struct str file, const struct value_pair *pair, struct err *err)
{
	const struct value *list = pair->value;
	for (size_t i = 0; i < COUNT_OF(trivy_lists); i++) {
		if (!str_eq(pair->key, str_from(trivy_lists[i].key)))
			continue;
		if (value_is(list, VALUE_NULL))
			return 0;
		if (!value_is(list, VALUE_LIST))
			return err_set(err, ERR_USAGE, "%u:%u: %.*s must be a list", list->line, list->column, STR_ARG(pair->key));
		for (size_t k = 0; k < list->list.len; k++) {
			int rc = add_trivy_entry(a, p, file, trivy_lists[i].kind, list->list.items[k], err);
			if (rc < 0)
				return rc;
		}
		return 0;
	}
	return err_set(err, ERR_USAGE, "%u:%u: unknown key '%.*s' (known: vulnerabilities, misconfigurations, secrets, licenses)",
	               list->line, list->column, STR_ARG(pair->key));
}

int policy_add_trivyignore_yaml(struct arena *a, struct policy *p, struct str file, const struct value *map, struct err *err)
{
	struct err local = { 0 };
	size_t before = p->ignores.len;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < map->map.len; i++)
		rc = add_trivy_list(a, p, file, &map->map.pairs[i], &local);
	if (rc == 0)
		return 0;
	p->ignores.len = before;
	rc = in_file(&local, file);
	if (err)
		*err = local;
	return rc;
}

/* --- Grype's rules ------------------------------------------------------------------------------------------------ */

struct grype_rule {
	struct ignore ignore;
	struct ignore_peer peer;
	bool never; /* asks for what no finding here is */
	bool asks;
};

/* Where a name has a sign that only patterns have, it is one, over the whole name; a dot alone is none. */
static int take_name(struct arena *a, struct str text, const struct pattern **ret_pattern, struct str *ret_text, struct err *err)
{
	static const char signs[] = "^$*+?[](){}|\\";
	struct pattern *pattern;
	bool plain = true;
	for (size_t i = 0; i < text.len; i++)
		plain = plain && !memchr(signs, text.ptr[i], sizeof(signs) - 1);
	*ret_text = text;
	if (plain)
		return 0;
	int rc = pattern_compile(a, arena_printf(a, "^%.*s$", STR_ARG(text)), &pattern, err);
	*ret_pattern = rc == 0 ? pattern : NULL;
	return rc;
}

static int take_package_key(struct arena *a, struct grype_rule *r, struct str key, struct str text, struct err *err)
{
	if (str_eq(key, STR("name")))
		return take_name(a, text, &r->peer.name, &r->peer.name_text, err);
	if (str_eq(key, STR("upstream-name")))
		return take_name(a, text, &r->peer.source, &r->peer.source_text, err);
	if (str_eq(key, STR("version")))
		r->peer.version = text;
	else if (str_eq(key, STR("type")))
		r->peer.type = text;
	else if (str_eq(key, STR("language")))
		r->never = true; /* packages of systems have none */
	else if (str_eq(key, STR("location")))
		r->ignore.path = str_starts(text, STR("/")) ? str_sub(text, 1, text.len) : text;
	else
		return err_set(err, ERR_USAGE, "unknown key 'package.%.*s'", STR_ARG(key));
	return 0;
}

static int take_rule_key(struct arena *a, struct grype_rule *r, struct str key, struct str text, struct err *err)
{
	if (str_eq(key, STR("vulnerability")))
		r->ignore.id = policy_literal(a, text);
	else if (str_eq(key, STR("namespace")))
		r->peer.name_space = text;
	else if (str_eq(key, STR("fix-state"))) {
		r->peer.fix_states = policy_fix_state_parse(text);
		r->never = r->never || r->peer.fix_states == 0;
	} else if (str_eq(key, STR("vex-status")) || str_eq(key, STR("vex-justification")))
		r->never = true; /* rules for VEX documents */
	else if (str_eq(key, STR("match-type"))) {
		r->peer.matched = str_eq(text, STR("exact-direct-match")) ? MATCHED_DIRECTLY : MATCHED_BY_SOURCE;
		r->never = r->never || (r->peer.matched == MATCHED_BY_SOURCE && !str_eq(text, STR("exact-indirect-match")));
	} else
		return err_set(err, ERR_USAGE, "unknown key '%.*s'", STR_ARG(key));
	return 0;
}

static int take_pairs(struct arena *a, struct grype_rule *r, const struct value *map, bool package, struct err *err)
{
	for (size_t i = 0; i < map->map.len; i++) {
		struct str key = map->map.pairs[i].key, text;
		const struct value *v = map->map.pairs[i].value;
		int rc = 0;
		if (value_is(v, VALUE_NULL))
			continue;
		if (!package && str_eq(key, STR("package"))) {
			rc = value_is(v, VALUE_MAP) ? take_pairs(a, r, v, true, err) : err_set(err, ERR_USAGE, "package must be a map");
		} else if (!package && str_eq(key, STR("include-aliases"))) {
			r->peer.own_id = !value_bool(v);
		} else if ((rc = text_of(v, key, &text, err)) == 0 && text.len) {
			bool reason = !package && str_eq(key, STR("reason"));
			if (reason)
				r->ignore.reason = text;
			else
				rc = package ? take_package_key(a, r, key, text, err) : take_rule_key(a, r, key, text, err);
			r->asks = r->asks || !reason;
		}
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* A rule that asks nothing ignores nothing, as with Grype. */
static int add_rule(struct arena *a, struct policy *p, struct str file, const struct value *entry, struct err *err)
{
	struct grype_rule r = { .ignore.origin = arena_printf(a, "%.*s:%u", STR_ARG(file), entry->line), .peer.own_id = true };
	if (!value_is(entry, VALUE_MAP))
		return err_set(err, ERR_USAGE, "%u:%u: a rule must be a map", entry->line, entry->column);
	if (take_pairs(a, &r, entry, false, err) < 0)
		return err_wrap(err, "%u:%u", entry->line, entry->column);
	if (r.never || !r.asks)
		return 0;
	struct ignore_peer *peer = arena_array(a, 1, sizeof(*peer));
	*peer = r.peer;
	r.ignore.peer = peer;
	return policy_add_ignore(a, p, &r.ignore, err);
}

int policy_add_grype_rules(struct arena *a, struct policy *p, struct str file, const struct value *list, struct err *err)
{
	struct err local = { 0 };
	size_t before = p->ignores.len;
	int rc = 0;
	if (!list || value_is(list, VALUE_NULL))
		return 0;
	if (!value_is(list, VALUE_LIST))
		rc = err_set(&local, ERR_USAGE, "%u:%u: ignore must be a list", list->line, list->column);
	for (size_t i = 0; rc == 0 && i < list->list.len; i++)
		rc = add_rule(a, p, file, list->list.items[i], &local);
	if (rc == 0)
		return 0;
	p->ignores.len = before;
	rc = in_file(&local, file);
	if (err)
		*err = local;
	return rc;
}

int policy_add_fix_states(struct arena *a, struct policy *p, unsigned states, struct str origin, struct err *err)
{
	struct ignore_peer *peer = arena_array(a, 1, sizeof(*peer));
	*peer = (struct ignore_peer){ .fix_states = states };
	return policy_add_ignore(a, p, &(struct ignore){ .origin = origin, .peer = peer }, err);
}
