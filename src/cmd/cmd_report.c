/* plimsoll report: a stored report (-f json) in any other form. The file is read, judged and rendered in a worker that may
 * open nothing; what comes back are the bytes of the outputs, and what the exit code is made of. */
#include "base/base.h"
#include "base/json.h"
#include "base/fs.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/outcome.h"
#include "match/match.h"
#include "report/read.h"
#include "sandbox/worker.h"
#include "scan/scan.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

enum report_frame { FRAME_TEXT = 1, FRAME_FACTS, FRAME_FAILED };

/* The tree of a document of REPORT_SIZE_MAX, and what is made of it. */
#define REPORT_MEMORY_MAX (4 * GIB)
#define PIECE_SIZE (1 * MIB)

struct job {
	const struct outcome *outcome;
	struct report_options *options; /* one an output */
	const char *name;
	int fd;
	int64_t now;
};

/* --- in the worker ------------------------------------------------------------------------------------------------- */

static void judge(struct arena *a, const struct job *job, struct report *report)
{
	struct policy policy = job->outcome->policy;
	struct report stored = *report;
	uint64_t hidden = stored.summary.hidden;
	policy.files = stored.summary.policy_files;
	for (size_t i = 0; i < job->outcome->policy.files.len; i++) {
		bool known = false;
		for (size_t k = 0; k < policy.files.len; k++)
			known = known || str_eq(policy.files.ptr[k], job->outcome->policy.files.ptr[i]);
		if (!known)
			*vec_push(a, &policy.files) = job->outcome->policy.files.ptr[i];
	}
	if (hidden && report->targets.len)
		*vec_push(a, &report->targets.ptr[0].notes) = arena_printf(
		        a, "%llu findings were hidden by filters when this report was stored, and are not in it",
		        (unsigned long long)hidden);
	policy_apply(a, &policy, scan_date(a, job->now), report);
	if (!policy.gate)
		report->summary.gate = stored.summary.gate;
	for (size_t i = 0; i < report->targets.len; i++)
		match_upgrades(a, &report->targets.ptr[i], &report->targets.ptr[i].upgrades);
}

static int render(struct worker_io *io, const struct job *job, const struct report *report, struct err *err)
{
	for (size_t i = 0; i < job->outcome->outputs.len; i++) {
		char *text = NULL;
		size_t size = 0;
		FILE *f = open_memstream(&text, &size);
		if (!f)
			return err_set(err, ERR_IO, "%m");
		int rc = job->outcome->outputs.ptr[i].format->write(report, &job->options[i], f, err);
		if (fclose(f) != 0 && rc == 0)
			rc = err_set(err, ERR_IO, "%m");
		for (size_t at = 0; rc == 0 && at < size; at += PIECE_SIZE) {
			struct buf BUF_AUTO frame = { 0 };
			buf_init(&frame, PIECE_SIZE + 16);
			buf_varint(&frame, i);
			buf_put(&frame, str_sub((struct str){ text, size }, at, at + PIECE_SIZE));
			worker_io_send(io, FRAME_TEXT, buf_view(&frame));
		}
		free(text);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int work(struct arena *a, struct worker_io *io, const struct job *job, struct err *err)
{
	struct str text;
	struct value *document;
	struct report report;
	int rc = fs_read_fd(a, job->fd, REPORT_SIZE_MAX, &text, err);
	if (rc < 0 || (rc = json_parse(a, text, &document, err)) < 0 || (rc = report_read(a, document, &report, err)) < 0)
		return rc;
	judge(a, job, &report);
	if ((rc = render(io, job, &report, err)) < 0)
		return rc;
	struct outcome_facts facts = outcome_facts_of(&report);
	/* A gate of the past is shown; the exit code is the answer to one that is asked now. */
	facts.gate_failed = facts.gate_failed && job->outcome->policy.gate;
	struct buf BUF_AUTO frame = { 0 };
	buf_init(&frame, 64);
	buf_varint(&frame, facts.shown);
	buf_varint(&frame, facts.not_assessed);
	buf_byte(&frame, facts.gate_failed);
	buf_byte(&frame, facts.eol);
	buf_byte(&frame, facts.stale);
	worker_io_send(io, FRAME_FACTS, buf_view(&frame));
	return 0;
}

static int run_worker(struct worker_io *io, void *arg)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct err err = { 0 };
	int rc = work(a, io, arg, &err);
	if (rc < 0) {
		struct buf BUF_AUTO frame = { 0 };
		buf_init(&frame, sizeof(err.text) + 16);
		buf_byte(&frame, (uint8_t)-rc);
		buf_put(&frame, str_from(err.text));
		worker_io_send(io, FRAME_FAILED, buf_view(&frame));
	}
	return 0;
}

/* --- in the parent -------------------------------------------------------------------------------------------------- */

struct answer {
	struct buf *texts; /* one an output */
	size_t count;
	bool complete;
	struct outcome_facts facts;
};

static int take_frame(const struct frame *frame, struct answer *answer, struct err *err)
{
	struct reader r = reader_of(frame->payload);
	if (frame->type == FRAME_FAILED) {
		int code = -(int)read_u8(&r);
		struct str words = read_bytes(&r, reader_left(&r));
		return err_set(err, code < 0 && code >= ERR_LAST ? code : ERR_WORKER, "%.*s", STR_ARG(words));
	}
	if (frame->type == FRAME_FACTS) {
		answer->facts.shown = read_varint(&r);
		answer->facts.not_assessed = read_varint(&r);
		answer->facts.gate_failed = read_u8(&r) != 0;
		answer->facts.eol = read_u8(&r) != 0;
		answer->facts.stale = read_u8(&r) != 0;
		answer->complete = !r.bad;
		return 0;
	}
	uint64_t index = read_varint(&r);
	if (frame->type != FRAME_TEXT || r.bad || index >= answer->count)
		return err_set(err, ERR_WORKER, "the worker said something that means nothing");
	if (!buf_put(&answer->texts[index], read_bytes(&r, reader_left(&r))))
		return err_set(err, ERR_LIMIT, "a report that is too long (TEMPLATE_OUTPUT_MAX)");
	return 0;
}

static int converse(struct job *job, struct answer *answer, struct err *err)
{
	struct worker_spec spec = { .name = "report", .kind = WORKER_BYTES, .run = run_worker, .arg = job,
		                    .fds = { job->fd }, .fd_count = 1, .memory_max = REPORT_MEMORY_MAX };
	struct worker *w;
	struct frame frame;
	int rc = worker_start(&spec, &w, err);
	if (rc < 0)
		return rc;
	while ((rc = worker_recv(w, PIECE_SIZE + 64, &frame, err)) == 1)
		if ((rc = take_frame(&frame, answer, err)) < 0)
			break;
	if (rc < 0) {
		worker_kill(w);
		return rc;
	}
	rc = worker_finish(w, err);
	if (rc == 0 && !answer->complete)
		rc = err_set(err, ERR_WORKER, "the worker ended before it was done");
	return rc;
}

static int run(struct job *job, struct err *err)
{
	const struct outcome *c = job->outcome;
	struct answer answer = { .count = c->outputs.len };
	answer.texts = arena_array(c->arena, answer.count, sizeof(*answer.texts));
	job->options = arena_array(c->arena, answer.count, sizeof(*job->options));
	for (size_t i = 0; i < answer.count; i++) {
		buf_init(&answer.texts[i], TEMPLATE_OUTPUT_MAX);
		job->options[i] = outcome_report_options(c, &c->outputs.ptr[i], job->now);
	}
	int rc = converse(job, &answer, err);
	if (rc < 0)
		err_wrap(err, "%s", job->name);
	for (size_t i = 0; i < answer.count; i++) {
		if (rc == 0)
			rc = outcome_store(&c->outputs.ptr[i], buf_view(&answer.texts[i]), err);
		buf_done(&answer.texts[i]);
	}
	return rc < 0 ? command_failed(err) : outcome_verdict(c, &answer.facts);
}

int command_report(const struct options *o)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct err err = { 0 };
	struct outcome outcome;
	if (o->args.len != 1)
		return command_failed((err_set(&err, ERR_USAGE, "which report? plimsoll report FILE, or - for standard input"), &err));
	if (outcome_take(a, o, &outcome, &err) < 0)
		return command_failed(&err);
	bool is_stdin = str_eq(str_from(o->args.ptr[0]), STR("-"));
	struct job job = { .outcome = &outcome, .name = is_stdin ? "standard input" : o->args.ptr[0], .now = (int64_t)time(NULL) };
	job.fd = is_stdin ? STDIN_FILENO : open(o->args.ptr[0], O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (job.fd < 0)
		return command_failed((err_set(&err, ERR_IO, "%s: %m", job.name), &err));
	sandbox_setup(!option_flag(o, OPT_NO_SANDBOX));
	int code = run(&job, &err);
	if (!is_stdin)
		close(job.fd);
	return code;
}
