/* The report: what every command fills and every format writes (DESIGN 4). One arena owns all of it. */
#ifndef PLIMSOLL_MODEL_REPORT_H
#define PLIMSOLL_MODEL_REPORT_H

#include "model/os.h"
#include "model/package.h"
#include "model/severity.h"

enum finding_kind {
	FINDING_VULNERABILITY,
	FINDING_SECRET,
	FINDING_CONFIG,
	FINDING_FILE,
	FINDING_LICENSE,
	FINDING_MALWARE,
	FINDING_PROVENANCE,
};

enum target_kind {
	TARGET_IMAGE,
	TARGET_FS,
	TARGET_SBOM,
	TARGET_DOCKERFILE,
	TARGET_COMPOSE,
	TARGET_KUBERNETES,
	TARGET_ENGINE,
	TARGET_CONTAINER,
	TARGET_NETWORK,
	TARGET_HOST,
	TARGET_CLUSTER,
};

struct str_list {
	struct str *ptr;
	size_t len, cap;
};

struct finding {
	struct str id; /* CVE, or the advisory's own id where it names no CVE, or the rule's slug */
	enum finding_kind kind;
	enum severity severity;
	struct str severity_source; /* "debian", "nvd", "cisa-adp"; empty with UNKNOWN */
	struct str title;
	struct str_list aliases;    /* other ids: the vendor's advisory, CVEs of the same record */
	const struct package *package; /* NULL where there is none */
	struct str fixed_version;      /* empty: no fix known */
	enum fix_status status;
	struct str cvss_vector; /* may be empty */
	double cvss_score;      /* < 0: none */
	double epss;            /* < 0: none; else 0..1 */
	bool kev;
	struct str_list cwes; /* "CWE-79" */
	struct {              /* path empty: no location */
		struct str path;
		uint32_t line, column;
		struct str layer; /* diff ID */
		struct str instruction;
	} location;
	struct str subject;  /* may be empty */
	struct str evidence; /* which advisory, which range, which comparison decided */
	struct str source;   /* name of the database's source that said so */
	struct str fix_text, fix_diff;
	struct str_list references;
	struct { /* by empty: not suppressed */
		struct str by;     /* the file or flag that did it: ".plimsoll.yaml:3", "built-in", "--ignore" */
		struct str reason;
		struct str until; /* YYYY-MM-DD or empty */
	} suppressed;
	bool hidden; /* set by display filters (--severity, --ignore-unfixed): counts at the gate, is not shown */
};

struct finding_list {
	struct finding *ptr;
	size_t len, cap;
};

struct layer {
	struct str diff_id;
	struct str digest; /* of the blob as stored; empty where it is not known */
	uint64_t size;     /* of the blob as stored */
	struct str created_by;
};

struct layer_list {
	struct layer *ptr;
	size_t len, cap;
};

/* One step of an image's history, as its configuration tells it. */
struct image_step {
	struct str created, created_by, comment;
	bool empty_layer;
};

/* What an image says of itself: its configuration (OCI image-spec 1.1, config) and its names. The environment is left
 * out: it is where people put secrets, and reports are stored. All may be empty. */
struct image_config {
	struct str id; /* digest of the configuration */
	struct str_list tags, digests; /* NAME:TAG, NAME@DIGEST */
	struct str created, author;
	struct {
		struct image_step *ptr;
		size_t len, cap;
	} history;
	struct str user, working_dir, stop_signal;
	struct str_list cmd, entrypoint, exposed_ports, volumes;
	struct str_list labels; /* key, value, key, value ... */
};

/* A thing that was not looked at, with its reason; count 0 where counting makes no sense. */
struct not_assessed {
	struct str what;
	struct str reason;
	uint64_t count;
	uint64_t of; /* "95 of 476"; 0: not given */
};

struct not_assessed_list {
	struct not_assessed *ptr;
	size_t len, cap;
};

/* "What to do first": for each source package with fixes, the one version that removes most findings. */
struct upgrade {
	struct str package; /* source package */
	struct str to;      /* the version that fixes all that can be fixed (highest by the ecosystem's order) */
	struct str from;    /* installed */
	uint64_t removes;   /* findings shown */
	struct str_list binaries; /* binary packages to name in a command line */
	bool kev;
	enum severity severity_max;
};

struct upgrade_list {
	struct upgrade *ptr;
	size_t len, cap;
};

struct target {
	enum target_kind kind;
	struct str name;     /* as asked for */
	struct str digest;   /* of the image's manifest, or of its config where there is no manifest; may be empty */
	struct str platform; /* "linux/amd64"; may be empty */
	struct os os;        /* id empty: not known */
	bool os_supported;   /* its release is one that the database can speak about */
	bool os_eol;
	struct str os_eol_date; /* YYYY-MM-DD, may be empty */
	struct image_config image; /* of an image; empty for others */
	struct layer_list layers;
	struct package_list packages;
	uint64_t package_count; /* how many there are, where `packages` was not kept (a stored report without them); else 0 */
	struct finding_list findings;
	struct not_assessed_list not_assessed;
	struct upgrade_list upgrades; /* filled after policy, from what is shown; most removed first */
	struct str_list notes; /* said to people: "digests checked on ...", "--distro overrides ..." */
};

struct target_list {
	struct target *ptr;
	size_t len, cap;
};

struct report_source {
	struct str name;
	struct str updated; /* RFC 3339 date */
	uint64_t advisories;
	struct str coverage; /* "complete", or "partial: ..." */
	struct str licence;
};

struct report_source_list {
	struct report_source *ptr;
	size_t len, cap;
};

struct report {
	struct str tool_version;
	struct str started; /* RFC 3339, UTC */
	uint64_t duration_ms;
	struct str sandbox; /* "full", or what is missing, or "off (--no-sandbox)" */
	struct {
		bool present;
		struct str path;
		struct str built; /* RFC 3339 */
		int64_t age_days;
		bool stale; /* older than --db-max-age */
		struct report_source_list sources;
	} database;
	struct target_list targets;
	struct {
		uint64_t by_severity[SEVERITY_COUNT]; /* findings neither suppressed nor hidden */
		uint64_t suppressed;
		uint64_t hidden;         /* by display filters */
		uint64_t hidden_unknown; /* of those, unrated */
		uint64_t not_assessed;   /* entries */
		uint64_t distinct;       /* different ids among those shown */
		uint64_t fixable;        /* shown and with a fixed version */
		uint64_t kev;
		struct {
			struct str asked;  /* "high"; empty: no gate was asked for */
			bool failed;
			struct str by;     /* "CVE-2024-1 in openssl (high), and 16 more" */
		} gate;
		struct str_list policy_files; /* ignore and configuration files that were read */
	} summary;
};

/* Copy what the target's readers said of it (everything but findings and upgrades) into the arena: where that came from
 * may then go. */
void target_settle(struct arena *a, struct target *t);

const char *finding_kind_name(enum finding_kind k);
const char *target_kind_name(enum target_kind k);

#endif
