/* Pairing GHSA ids with CVEs by elimination: see secdb_names.h. A list in which one of each is left over pairs them, in
 * every list of the document; a GHSA id that is left over without any CVE stands alone. */
#include "advisory/feed/secdb_names.h"

#include "advisory/feed/feed.h"
#include "base/base.h"

#define LEARN_ROUNDS 2

static bool is_ghsa(struct str id) { return str_starts(id, STR("GHSA-")); }

static struct str cve_of(const struct secdb_names *n, struct str ghsa)
{
	const uint64_t *at = map_get(&n->cve_of, ghsa);
	return at ? n->cves.ptr[*at - 1] : STR("");
}

static bool holds(const struct value *ids, struct str id)
{
	for (size_t i = 0; id.len && i < value_len(ids); i++)
		if (str_eq(value_str(value_at(ids, i)), id))
			return true;
	return false;
}

struct left {
	size_t cves, ghsas;   /* without a partner in the list */
	struct str cve, ghsa; /* the last of each */
};

static struct left left_over(const struct secdb_names *n, const struct value *ids)
{
	struct left l = { 0 };
	size_t paired = 0;
	for (size_t i = 0; i < value_len(ids); i++) {
		struct str id = value_str(value_at(ids, i));
		if (is_ghsa(id) && holds(ids, cve_of(n, id))) {
			paired++;
		} else if (is_ghsa(id) && !map_get(&n->alone, id)) {
			l.ghsas++;
			l.ghsa = id;
		}
	}
	for (size_t i = 0; i < value_len(ids); i++) {
		struct str id = value_str(value_at(ids, i));
		bool taken = !feed_is_cve(id);
		for (size_t j = 0; paired > 0 && !taken && j < value_len(ids); j++)
			taken = str_eq(cve_of(n, value_str(value_at(ids, j))), id);
		if (!taken) {
			l.cves++;
			l.cve = id;
		}
	}
	return l;
}

static void learn_list(struct arena *a, struct secdb_names *n, const struct value *ids)
{
	if (value_len(ids) > SECDB_LIST_MAX)
		return;
	struct left l = left_over(n, ids);
	if (l.ghsas == 1 && l.cves == 1 && !map_get(&n->cve_of, l.ghsa)) {
		*vec_push(a, &n->cves) = l.cve;
		*map_put(a, &n->cve_of, l.ghsa, NULL) = n->cves.len;
	}
	for (size_t i = 0; l.ghsas > 0 && l.cves == 0 && i < value_len(ids); i++) {
		struct str id = value_str(value_at(ids, i));
		if (is_ghsa(id) && !map_get(&n->cve_of, id))
			*map_put(a, &n->alone, id, NULL) = 1;
	}
}

void secdb_names_learn(struct arena *a, const struct value *packages, struct secdb_names *ret)
{
	*ret = (struct secdb_names){ 0 };
	for (unsigned round = 0; round < LEARN_ROUNDS; round++) {
		for (size_t i = 0; i < value_len(packages); i++) {
			const struct value *fixes = value_get(value_get(value_at(packages, i), "pkg"), "secfixes");
			for (size_t j = 0; value_is(fixes, VALUE_MAP) && j < value_len(fixes); j++)
				learn_list(a, ret, fixes->map.pairs[j].value);
		}
	}
}

bool secdb_names_other(const struct secdb_names *n, const struct value *ids, struct str id)
{
	if (!is_ghsa(id) || value_len(ids) > SECDB_LIST_MAX)
		return false;
	if (map_get(&n->cve_of, id))
		return holds(ids, cve_of(n, id));
	struct left l = left_over(n, ids);
	return !map_get(&n->alone, id) && l.ghsas <= l.cves;
}
