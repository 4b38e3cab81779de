/* Every cap of the program, with its reason. A cap that is reached is named in the report by its name here
 * ("DPKG_STATUS_SIZE_MAX"). Sizes in bytes unless the name says otherwise. */
#ifndef PLIMSOLL_BASE_LIMITS_H
#define PLIMSOLL_BASE_LIMITS_H

#define KIB ((size_t)1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

/* --- documents --- */
/* Deepest nesting of JSON, YAML, TOML: Kubernetes manifests stay under 30; our walks recurse. */
#define VALUE_DEPTH_MAX 128
/* Nodes that YAML aliases may expand to: a billion-laughs file grows by powers. */
#define YAML_NODES_MAX 2000000u
/* One JSON or YAML document: the largest real advisory file (Red Hat VEX) has 3 MB, the Debian tracker 70 MB. */
#define JSON_SIZE_MAX (512 * MIB)
#define YAML_SIZE_MAX (16 * MIB)
/* One TOML file: registries.conf has some KB, a large lock file 2 MB. */
#define TOML_SIZE_MAX (8 * MIB)
/* Nodes of one JSON document: "[0,0,..." costs 20 times its size in memory; real feeds take 15 bytes and more a node,
 * the largest (512 MiB) would have 30 million. */
#define JSON_NODES_MAX ((size_t)40000000)

/* --- images --- */
/* A manifest, an index, a config: registries refuse manifests over 4 MiB; configs with long histories reach 1 MB. */
#define MANIFEST_SIZE_MAX (8 * MIB)
/* Layers of one image: overlayfs stops at 500, Docker at 127. */
#define LAYER_COUNT_MAX 1024u
/* Steps of a history, labels, ports: items of one list of an image's configuration that reports keep. Histories reach 200. */
#define IMAGE_CONFIG_ITEMS_MAX 1024u
/* Images listed in one archive, entries of one index. */
#define ARCHIVE_IMAGES_MAX 4096u
#define INDEX_DEPTH_MAX 4u
/* images.json, layers.json, containers.json of containers/storage: 600 bytes a layer, so 50,000 layers; a build host that
 * is never cleaned has some thousands. Parsed in a worker, whose tree of it takes ten times
 * that and more. */
#define CONTAINERS_JSON_SIZE_MAX (32 * MIB)
#define CONTAINERS_MEMORY_MAX (1 * GIB)
/* Stores of one search: a graph root for each driver that was ever used, and storage.conf's additional ones. */
#define CONTAINERS_STORES_MAX 32u
/* How long a lock of such a store is waited for, in all; a pull holds it while it writes. */
#define CONTAINERS_LOCK_WAIT_MS 2000
/* storage.conf: the commented one that comes with it has 10 KB. */
#define CONTAINERS_CONF_SIZE_MAX (256 * KIB)
/* Members of an outer archive (blobs, V1 folders, links). */
#define ARCHIVE_MEMBERS_MAX 65536u
/* Small JSON members kept while an archive streams by: manifests and configs before it is known which are needed. */
#define ARCHIVE_JSON_SIZE_MAX (24 * MIB)
/* What one layer may inflate to. Real layers with models reach 100 GB; time, not memory, is what it costs. */
#define LAYER_SIZE_MAX (1024 * GIB)
/* Longest path kept from a layer: Linux gives up at 4,096; a deeper one is counted and passed over. */
#define TAR_PATH_MAX ((size_t)16384)
/* A pax or GNU long-name record. */
#define TAR_PAX_SIZE_MAX (1 * MIB)
/* Paths of one layer that are remembered (links, whiteouts, folders that hide, wanted files). */
#define LAYER_ENTRIES_MAX 2000000u
/* Memory for the names of those. */
#define LAYER_NAMES_SIZE_MAX (24 * MIB)
/* Folders inside folders of a layer that lies as a folder: each keeps a descriptor open while what lies in it is read.
 * Debian's deepest tree has about twenty. */
#define TREE_DEPTH_MAX 512u
/* What one run remembers of layers for the images that share them; beyond it they are read again. */
#define IMAGE_MEMO_SIZE_MAX (16 * MIB)
/* A file that names images, one a line. */
#define TARGET_LIST_SIZE_MAX (4 * MIB)
/* Value of an attribute by which overlay marks a folder or file; "y" and "x" are all that is known. */
#define OVERLAY_MARK_SIZE_MAX 16u
/* Names of a file's attributes, together; Linux gives at most 64 KiB. */
#define XATTR_NAMES_SIZE_MAX (4 * KIB)
/* A path while its links are being followed: the kernel's PATH_MAX. */
#define LINK_PATH_MAX ((size_t)4096)
/* Symbolic links followed in one look-up: the kernel's own limit is 40. */
#define SYMLINKS_MAX 40u

/* Images or containers of one containerd that fit what was asked for; a node of Kubernetes has some hundred. */
#define CONTAINERD_RECORDS_MAX 65536u
#define CONTAINERD_CONFIG_SIZE_MAX (1 * MIB)
/* Downloads under way in its content store that are looked at for a missing layer. */
#define CONTAINERD_INGESTS_MAX 256u
/* --- engines --- */
/* A reference as a user may write it: registries stop at 255 for the name and 128 for the tag, a digest has 71. */
#define REFERENCE_LEN_MAX ((size_t)1024)
/* Images and containers of one engine. A build host with 10,000 images is a sick one; each name costs 100 bytes. */
#define ENGINE_IMAGES_MAX 65536u
#define ENGINE_CONTAINERS_MAX 16384u
/* One answer of an engine: the list of 10,000 images has 10 MB, an inspection with a long history 100 KB. As a tree it takes
 * twenty times its size at worst, which a worker has. */
#define ENGINE_JSON_SIZE_MAX (16 * MIB)
/* One fact of an engine (a path, a name, a version) on its way to the parent. */
#define ENGINE_FACT_MAX ((size_t)4096)
/* Engines answer a question within a second; a busy one within ten. */
#define ENGINE_ANSWER_SECONDS 20u
/* Before the first byte of an image an engine writes all of it to its own disk (moby issue 39464): minutes for a large one. */
#define ENGINE_SAVE_SECONDS 900u
/* repositories.json: 150 bytes a tag. */
#define DOCKER_REPOSITORIES_SIZE_MAX (32 * MIB)
/* All config.v2.json of an engine's containers, of 3 to 20 KB each, read when a container is looked for by its name. */
#define DOCKER_CONTAINERS_SIZE_MAX (128 * MIB)
/* A file that holds one id: "sha256:", 64 digits, a suffix. */
#define DOCKER_ID_SIZE_MAX ((size_t)256)
/* config.json, daemon.json, a context's meta.json: real ones have 1 KB, a config with credentials of many registries 100. */
#define DOCKER_CONFIG_SIZE_MAX (4 * MIB)

/* --- streams --- */
/* Largest window of a zstd frame, as a power of two: what the zstd command itself takes without being asked. */
#define ZSTD_WINDOW_LOG_MAX 27
/* Memory of the xz decoder: xz -9e wants 65 MiB. */
#define XZ_MEMORY_MAX (256 * MIB)
/* Parts of one sparse file that hold data, 16 bytes each here: a map of pax format 1.0 as long as TAR_PAX_SIZE_MAX has at
 * most as many. */
#define TAR_SPARSE_PARTS_MAX 262144u

/* --- package databases --- */
/* A dpkg status file: 3 KB a package, the largest real one (a full desktop) has 10 MB. */
#define DPKG_STATUS_SIZE_MAX (32 * MIB)
/* An apk installed file lists every file: 2 MB on a large system. */
#define APK_INSTALLED_SIZE_MAX (32 * MIB)
/* A rpm database: CentOS with everything has 400 MB. Over the memory budget it lies in a memfd. */
#define RPMDB_SIZE_MAX (1 * GIB)
#define RPMDB_MEMORY_MAX (16 * MIB)
/* One rpm header: kernel-devel's, with 20,000 files, has 3 MB. */
#define RPM_HEADER_SIZE_MAX (32 * MIB)
#define RPM_TAGS_MAX 4096u
/* Slot pages of a ndb database: 255 packages each, so five times PACKAGES_MAX. */
#define RPM_NDB_SLOT_PAGES_MAX 4096u
/* SQLite on a rpm database. Steps of its virtual machine while it reads the schema (rpm's 70 tables and indexes take 2,000)
 * and while it walks the rows (six a package); the length of one schema line (rpm's longest has 200 bytes); its memory
 * (its page cache stops at 2 MB). */
#define RPM_SQLITE_SCHEMA_STEPS_MAX 100000u
#define RPM_SQLITE_STEPS_MAX 10000000u
#define RPM_SQLITE_SQL_LEN_MAX ((size_t)4096)
#define RPM_SQLITE_HEAP_MAX (32 * MIB)
/* os-release, debian_version and the like. */
#define OS_RELEASE_SIZE_MAX (64 * KIB)
/* Packages of one image. */
#define PACKAGES_MAX 200000u
/* One field of a package (name, version). */
#define PACKAGE_FIELD_MAX ((size_t)4096)

/* --- key-value files (bbolt) --- */
/* Depth of one B+tree: pages hold dozens of keys, so seven levels address more than any disk. */
#define BOLT_DEPTH_MAX 16u
/* One page with its overflow: container records with their specification reach 100 KB, and share a page with others. */
#define BOLT_PAGE_SIZE_MAX (16 * MIB)
/* Pages' bytes that one question may load: all image names and snapshots of a node with 10,000 images take 20 MB. */
#define BOLT_LOAD_SIZE_MAX (128 * MIB)
/* Keys looked at for one question: some hundred thousand on that node; buckets that share their pages could have billions. */
#define BOLT_STEPS_MAX 4000000u
/* Keys are at most this long in bbolt itself. */
#define BOLT_KEY_SIZE_MAX ((size_t)32768)
/* Runs of one question on a file whose owner goes on writing: a question takes a millisecond, a write with its two
 * fsyncs rarely less, so the first or second run holds; a file that changes under so many is no ordinary one. */
#define BOLT_TRIES_MAX 1000u
/* ... and seconds that they may take together. */
#define BOLT_SECONDS_MAX 30

/* --- workers --- */
/* One frame between a worker and its parent. */
#define FRAME_SIZE_MAX (64 * MIB)
/* What a collector may say of one file; a rpm database of 20,000 packages makes 4 MB. */
#define FRAME_PAYLOAD_MAX (16 * MIB)
/* A receive buffer that one large frame has made larger than this is given back before the next. */
#define FRAME_KEEP_MAX (1 * MIB)
/* Private writable memory of a worker (RLIMIT_DATA) that states no need of its own. */
#define WORKER_MEMORY_DEFAULT (512 * MIB)
/* Descriptors: a bytes worker makes a memfd or two, a tree worker holds one folder for each level it is in. */
#define WORKER_BYTES_FILES_MAX 64u
#define WORKER_TREE_FILES_MAX 1024u
/* A net worker: some connections, the resolver's sockets and pipes, a file of authorities. */
#define WORKER_NET_FILES_MAX 128u
/* CPU time: a start, and a second for so many bytes of input. 10 MB that inflate to 10 GB get 140 s, of which inflating
 * and two digests take 50 on a machine without SHA instructions; a parser that spins on a small file is ended. */
#define WORKER_CPU_SECONDS_BASE 60u
#define WORKER_CPU_BYTES_PER_SECOND (128 * KIB)
/* The same where the size is not known (standard input, folders). */
#define WORKER_CPU_SECONDS_UNKNOWN 7200u
/* How long a worker that has closed its end may take to be gone, before it is killed. */
#define WORKER_END_MS_MAX 3000
/* How long a worker may pause within a frame, which it writes from memory in one go: a pause means that it wants to hold
 * its parent up, or that the machine has no time at all. */
#define WORKER_STALL_SECONDS_MAX 30
/* What a worker that is being finished may still send, to be dropped, before it is killed. */
#define WORKER_DRAIN_SIZE_MAX (256 * MIB)

/* --- this host --- */
/* Processes looked at: kernels allow 4 million, hosts that run stay far below this. */
#define MAPPED_PROCESSES_MAX 65536u
/* Files kept of them all: a desktop has 5,000, and a container maps rarely more than 500. */
#define MAPPED_FILES_MAX 65536u
/* Longest path kept: what the kernel writes into such files ends at a page. */
#define MAPPED_PATH_MAX ((size_t)4096)
/* /proc/PID/maps: 65,530 mappings (vm.max_map_count) of 200 bytes are 13 MB; a browser has 1 MB. The rest of a larger one
 * is left out, and that is said. */
#define MAPPED_MAPS_SIZE_MAX (32 * MIB)
/* ... of all processes together: some seconds of the kernel's time. */
#define MAPPED_TOTAL_SIZE_MAX ((uint64_t)4 * GIB)
/* /proc/PID/mountinfo: 100,000 mounts (fs.mount-max) could be; a node with 500 pods has 1 MB. */
#define MAPPED_MOUNTINFO_SIZE_MAX (16 * MIB)
/* Paths travel in frames of about this size. */
#define MAPPED_CHUNK_SIZE (256 * KIB)

/* --- network --- */
/* Times one request is sent before a broken connection or a server's error is the answer. */
#define HTTP_TRIES 5u
#define HTTP_REDIRECTS_MAX 8u
/* Time for a connection, and time in which HTTP_STALL_SIZE_MIN must come: a pause that long is a broken line, and less is
 * a peer that wants to hold us. Headers must be there within it. */
#define HTTP_CONNECT_SECONDS 20u
#define HTTP_STALL_SECONDS 60u
#define HTTP_STALL_SIZE_MIN ((uint64_t)1024)
/* A document (not a stream) as a whole: 8 MiB at 256 KB/s take 30 s. */
#define HTTP_FETCH_SECONDS_MAX 300u
/* What a server may ask us to wait; more is told to the user instead. */
#define HTTP_RETRY_AFTER_SECONDS_MAX 60u
/* Pauses between tries without such a wish grow from this. */
#define HTTP_PAUSE_MS_MIN 250u
/* A stream that brought so much before it broke gets all its tries again: a long one on a bad line comes through. */
#define HTTP_PROGRESS_SIZE_MIN (1 * MIB)
/* Headers of one answer: real ones stay under 16 KiB and 60. */
#define HTTP_HEADERS_SIZE_MAX (128 * KIB)
#define HTTP_HEADERS_MAX 512u
/* What is kept of the body of an answer that is no success: registries and engines explain themselves in a line. */
#define HTTP_ERROR_BODY_MAX (64 * KIB)
/* Length of a URL: signed ones of object stores have 2,000. */
#define HTTP_URL_MAX ((size_t)16384)
/* What a token service answers, and a token in it: those with many scopes have 10 KB. */
#define TOKEN_ANSWER_SIZE_MAX (1 * MIB)
#define TOKEN_LEN_MAX (64 * KIB)
/* config.json and auth.json; what a credential helper prints, and how long it may take (it may ask its own service). */
#define CREDENTIAL_FILE_SIZE_MAX (1 * MIB)
#define HELPER_OUTPUT_SIZE_MAX (64 * KIB)
#define HELPER_SECONDS_MAX 30u
/* A password or token on standard input. */
#define PASSWORD_SIZE_MAX (64 * KIB)
/* registries.conf, hosts.toml, daemon.json, and the files of a folder of them. */
#define REGISTRY_CONF_SIZE_MAX (1 * MIB)
#define REGISTRY_CONF_FILES_MAX 256u
/* Manifests that the indexes of one image name. */
#define REGISTRY_MANIFESTS_MAX 4096u
/* Authorities, a certificate and its key: the system's list has 220 KB. */
#define HTTP_PEM_SIZE_MAX (4 * MIB)

/* --- advisories --- */
#define DB_SIZE_MAX (4 * GIB)
/* All strings of one pool of the advisory file, decoded: the ids of 400,000 vulnerabilities take 7 MB. */
#define DB_TEXT_SIZE_MAX (512 * MIB)
/* One string of an advisory file (a package's name, a CVSS vector); real ones stay under 300. */
#define DB_STRING_MAX ((size_t)4096)
/* A feed file as one inflated document. */
#define FEED_DOC_SIZE_MAX (1 * GIB)
/* Feeds of one build, and files below one folder that are looked at for feeds. */
#define FEED_FILES_MAX 100000u
/* What one feed's worker may send: 4 million facts take 60 MB. */
#define FEED_FACTS_SIZE_MAX (1 * GIB)
#define FEED_STRINGS_MAX 20000000u
/* Memory of one feed's worker: a tracker's JSON of 70 MB makes a tree of 700. */
#define FEED_MEMORY_MAX (3 * GIB)
#define FEED_MANIFEST_SIZE_MAX (1 * MIB)
/* An address or a validator (ETag) that is remembered with a fetched feed: real ones stay under 200. */
#define FEED_WORD_MAX ((size_t)1024)
/* How long one file of a feed may take to be fetched, unless --feed-timeout says otherwise: 2 GB at 2 MB a second. */
#define FEED_SECONDS_MAX 1200u
/* Addresses (publisher's, mirrors) that are tried for one file. */
#define FEED_ADDRESSES_MAX 16u
/* Feeds fetched at once: a slow one holds up nobody, and no publisher sees more than two connections. */
#define FEED_FETCHES_MAX 4u
/* A feed that has fewer advisories than one part in so many of what it had before is taken for broken, not for news... */
#define FEED_SHRINK_MAX 2u
/* ... where it had at least so many. */
#define FEED_SHRINK_FROM 50u
/* A feed whose data is so much older than what the database has of it comes from a mirror that has been forgotten. */
#define FEED_OLDER_DAYS_MAX 30
/* Sources and platforms of one advisory file: OSV alone knows 40 ecosystems. */
#define DB_SOURCES_MAX 4096u
#define DB_PLATFORMS_MAX 4096u
/* Ids that one version of a secdb fixed, for pairing them: the longest list met has 138, and the work grows by powers. */
#define SECDB_LIST_MAX 512u
/* A version string in an advisory or a package. */
#define VERSION_LEN_MAX ((size_t)1024)
/* Facts about one package and one vulnerability that are compared with each other, which is quadratic: the most that
 * real data has is 30; with more, rebuilds are not told from fixes. */
#define FACTS_COMPARED_MAX ((size_t)1024)

/* --- zip --- */
#define ZIP_MEMBERS_MAX 2000000u
#define ZIP_MEMBER_SIZE_MAX (64 * MIB)

/* --- reports --- */
/* Results of one SARIF run: GitHub refuses a file with more. */
#define SARIF_RESULTS_MAX 25000u
/* A stored report: 1 KB a finding, so FINDINGS_MAX of them with their packages. */
#define REPORT_SIZE_MAX (256 * MIB)
/* Targets and packages of a stored report are counted like those of a scan; notes, sources, references and the like are
 * capped here, each list of them. */
#define REPORT_TARGETS_MAX 10000u
#define REPORT_LIST_MAX 10000u
/* Templates: the longest published ones have 30 KB. */
#define TEMPLATE_SIZE_MAX (1 * MIB)
/* Controls and parentheses within each other: both parser and interpreter recurse. */
#define TEMPLATE_NESTING_MAX 64u
/* Templates that call templates: Go allows 100,000, by a growing stack. */
#define TEMPLATE_DEPTH_MAX 200u
/* Nodes, operands and rounds: a report of 100,000 findings takes 10 million in Trivy's html.tpl. */
#define TEMPLATE_STEPS_MAX ((uint64_t)200000000)
/* What a run may write, hold, and make as one text (repeat 1000000000 "x"). */
#define TEMPLATE_OUTPUT_MAX ((uint64_t)512 * MIB)
#define TEMPLATE_MEMORY_MAX (1 * GIB)
#define TEMPLATE_TEXT_MAX (16 * MIB)
/* Items of a list that counting makes (until 1000000000). */
#define TEMPLATE_LIST_MAX ((size_t)1000000)
/* Instructions of a regular expression, repeats written out: RE2 stops at a similar size. */
#define REGEX_SIZE_MAX ((size_t)10000)
/* --- matching --- */
/* Findings of one target, each 1 KB with its words. A full Debian desktop with unfixed kernel entries has 50,000; an
 * image that claims 200,000 packages of the kernel's source would have a billion. */
#define FINDINGS_MAX ((size_t)100000)
/* Facts compared for one target: half a second of work. A real image with several kernels takes 200,000. */
#define MATCH_FACTS_MAX ((uint64_t)5000000)

/* --- policy --- */
/* Ignores of one run: real files have some hundreds. Patterns are tried one by one on each finding. */
#define IGNORES_MAX 10000u
/* A regular expression of an ignore rule: names of packages, some alternatives. Its states are followed for each byte
 * of each package's name. */
#define PATTERN_SIZE_MAX   1000u
#define PATTERN_DEPTH_MAX  50u
#define PATTERN_REPEAT_MAX 1000u /* as Go's */
#define PATTERN_STATES_MAX 5000u

#endif
