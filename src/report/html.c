/* One page of HTML that needs no other file, no network and no script: a summary, one table of source packages and one of
 * vulnerabilities for each target, light and dark as the reader's system is. The small script only sorts tables; a policy
 * in the page allows that script by its digest and nothing else, so that a text that escaped its escaping still could not
 * run. All texts of targets go through markup_put. */
#include "report/markup.h"

#include "base/base.h"
#include "base/hash.h"
#include "report/rows.h"
#include "report/text.h"

#include <openssl/evp.h>

static const char script[] =
        "document.querySelectorAll('table.sort').forEach(function(t){var h=t.tHead.rows[0].cells;"
        "Array.prototype.forEach.call(h,function(c,i){var b=document.createElement('button');b.type='button';"
        "b.textContent=c.textContent;c.textContent='';c.appendChild(b);b.onclick=function(){"
        "var up=c.getAttribute('aria-sort')!=='ascending';Array.prototype.forEach.call(h,function(o){"
        "o.removeAttribute('aria-sort')});c.setAttribute('aria-sort',up?'ascending':'descending');"
        "var v=function(r){var d=r.cells[i];return d.getAttribute('data-n')||d.textContent};"
        "Array.prototype.slice.call(t.tBodies[0].rows).sort(function(x,y){var p=v(x),q=v(y),m=parseFloat(p),n=parseFloat(q);"
        "var k=!isNaN(m)&&!isNaN(n)&&String(m)===p&&String(n)===q?m-n:p.localeCompare(q,undefined,{numeric:true});"
        "return up?k:-k}).forEach(function(r){t.tBodies[0].appendChild(r)})}})});";

static const char style[] =
        ":root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--dim:#59636e;--line:#d1d9e0;--head:#f6f8fa;--link:#0550ae;"
        "--critical:#a40e26;--high:#b34700;--medium:#7d5600;--low:#0a6b3d;--unknown:#59636e}"
        "@media(prefers-color-scheme:dark){:root{--bg:#0d1117;--fg:#e6edf3;--dim:#9198a1;--line:#3d444d;--head:#151b23;"
        "--link:#79b8ff;--critical:#ff8b8b;--high:#ffb077;--medium:#e8c15a;--low:#6fd69b;--unknown:#9198a1}}"
        "*{box-sizing:border-box}body{margin:0 auto;max-width:76rem;padding:1.5rem;background:var(--bg);color:var(--fg);"
        "font:16px/1.5 system-ui,sans-serif}h1{font-size:1.6rem;margin:0}h2{font-size:1.25rem;margin:2.5rem 0 .25rem;"
        "overflow-wrap:anywhere}h3{font-size:1rem;margin:1.5rem 0 .5rem}p{margin:.25rem 0}.dim{color:var(--dim)}"
        ".wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.875rem}th,td{text-align:left;"
        "vertical-align:top;padding:.35rem .6rem;border-bottom:1px solid var(--line)}thead th{background:var(--head);"
        "white-space:nowrap}td{overflow-wrap:anywhere}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}"
        "code,.v{font-family:ui-monospace,monospace;font-size:.85em}a{color:var(--link)}ul{padding-left:1.25rem}"
        "button{all:unset;cursor:pointer;font-weight:600}button:focus-visible{outline:2px solid var(--link)}"
        "th[aria-sort=ascending] button::after{content:' \\2191'}th[aria-sort=descending] button::after{content:' \\2193'}"
        ".critical{color:var(--critical)}.high{color:var(--high)}.medium{color:var(--medium)}.low,.info{color:var(--low)}"
        ".unknown{color:var(--unknown)}.s{font-weight:600}.tiles{display:flex;flex-wrap:wrap;gap:.75rem;margin:1rem 0;"
        "padding:0;list-style:none}.tiles li{border:1px solid var(--line);border-radius:6px;padding:.5rem 1rem;min-width:6.5rem}"
        ".tiles b{display:block;font-size:1.5rem;line-height:1.2}.gate{border-left:4px solid var(--low);padding:.5rem 1rem;"
        "background:var(--head)}.gate.failed{border-color:var(--critical)}.kev{border:1px solid;border-radius:3px;"
        "padding:0 .3em;font-size:.75em;font-weight:600;color:var(--critical)}"
        "@media print{.wide{overflow:visible}}";

struct page {
	FILE *out;
	struct arena *arena;
	const struct report *report;
	const struct report_options *options;
};

static void put(struct page *p, struct str text) { markup_put(p->out, p->arena, text); }

static void put_cell(struct page *p, const char *class, struct str text)
{
	fprintf(p->out, "<td%s%s%s>", class[0] ? " class=\"" : "", class, class[0] ? "\"" : "");
	put(p, text);
	fputs("</td>", p->out);
}

static void put_id(struct page *p, const struct finding *f)
{
	struct str url = report_finding_url(p->arena, f);
	if (url.len) {
		fputs("<a rel=\"noreferrer\" href=\"", p->out);
		put(p, url);
		fputs("\">", p->out);
	}
	put(p, f->id);
	if (url.len)
		fputs("</a>", p->out);
}

static void put_head(struct page *p)
{
	unsigned char digest[64];
	struct sha256 d = sha256_of((struct str){ script, sizeof(script) - 1 });
	int len = EVP_EncodeBlock(digest, d.bytes, SHA256_SIZE);
	fprintf(p->out,
	        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
	        "script-src 'sha256-%.*s'\">\n<title>Plimsoll report",
	        len, (const char *)digest);
	if (p->report->targets.len) {
		fputs(": ", p->out);
		put(p, p->report->targets.ptr[0].name);
	}
	fprintf(p->out, "</title>\n<style>%s</style>\n</head>\n<body>\n", style);
}

static void put_tiles(struct page *p)
{
	const struct report *r = p->report;
	static const enum severity order[] = { SEVERITY_CRITICAL, SEVERITY_HIGH, SEVERITY_MEDIUM,
		                               SEVERITY_LOW,      SEVERITY_INFO, SEVERITY_UNKNOWN };
	fputs("<ul class=\"tiles\">\n", p->out);
	for (size_t i = 0; i < COUNT_OF(order); i++) {
		if (order[i] == SEVERITY_INFO && r->summary.by_severity[SEVERITY_INFO] == 0)
			continue;
		fprintf(p->out, "<li><b class=\"%s\">%.*s</b>%s</li>\n", severity_name(order[i]),
		        STR_ARG(text_count(p->arena, r->summary.by_severity[order[i]])), severity_title(order[i]));
	}
	fprintf(p->out, "<li><b>%.*s</b>With a fix</li>\n", STR_ARG(text_count(p->arena, r->summary.fixable)));
	fprintf(p->out, "<li><b>%.*s</b>Known exploited</li>\n</ul>\n", STR_ARG(text_count(p->arena, r->summary.kev)));
}

static void put_summary(struct page *p)
{
	const struct report *r = p->report;
	fputs("<header>\n<h1>Plimsoll report</h1>\n<p class=\"dim\">", p->out);
	put(p, r->started);
	fputs(", Plimsoll ", p->out);
	put(p, r->tool_version);
	if (r->database.present) {
		fputs(", advisories of ", p->out);
		put(p, str_sub(r->database.built, 0, 10));
		if (r->database.stale)
			fputs(" (old)", p->out);
	} else {
		fputs(", without an advisory database: nothing was compared with any", p->out);
	}
	fputs("</p>\n</header>\n<main>\n", p->out);
	put_tiles(p);
	if (r->summary.gate.asked.len) {
		fprintf(p->out, "<p class=\"gate%s\"><strong>Gate %s</strong> (", r->summary.gate.failed ? " failed" : "",
		        r->summary.gate.failed ? "failed" : "passed");
		put(p, r->summary.gate.asked);
		fputs("): ", p->out);
		put(p, r->summary.gate.by);
		fputs("</p>\n", p->out);
	}
	if (!str_eq(r->sandbox, STR("full"))) {
		fputs("<p class=\"dim\">Sandbox: ", p->out);
		put(p, r->sandbox.len ? r->sandbox : STR("not known"));
		fputs("</p>\n", p->out);
	}
}

static void put_sources(struct page *p, const struct row_list *rows)
{
	static const enum severity columns[] = { SEVERITY_CRITICAL, SEVERITY_HIGH, SEVERITY_MEDIUM, SEVERITY_LOW, SEVERITY_UNKNOWN };
	fputs("<h3>By source package</h3>\n<div class=\"wide\"><table class=\"sort\"><thead><tr><th scope=\"col\">Source package</th>"
	      "<th scope=\"col\">Installed</th><th scope=\"col\">Fixed in</th><th scope=\"col\" class=\"n\">Critical</th>"
	      "<th scope=\"col\" class=\"n\">High</th><th scope=\"col\" class=\"n\">Medium</th><th scope=\"col\" class=\"n\">Low</th>"
	      "<th scope=\"col\" class=\"n\">Unrated</th><th scope=\"col\" class=\"n\">EPSS</th></tr></thead><tbody>\n",
	      p->out);
	for (size_t i = 0; i < rows->len; i++) {
		const struct row *row = &rows->ptr[i];
		fputs("<tr><th scope=\"row\">", p->out);
		put(p, row->name);
		if (row->kev)
			fputs(" <span class=\"kev\">KEV</span>", p->out);
		fputs("</th>", p->out);
		put_cell(p, "v", row->installed);
		put_cell(p, "v", row->fix.len ? row->fix : STR("\xe2\x80\x93"));
		for (size_t k = 0; k < COUNT_OF(columns); k++) {
			uint64_t n = row->by_severity[columns[k]] + (columns[k] == SEVERITY_LOW ? row->by_severity[SEVERITY_INFO] : 0);
			fprintf(p->out, "<td class=\"n\" data-n=\"%llu\">", (unsigned long long)n);
			if (n)
				fprintf(p->out, "%llu", (unsigned long long)n);
			fputs("</td>", p->out);
		}
		put_cell(p, "n", row->epss >= 0 ? text_decimal(p->arena, row->epss, 4) : STR(""));
		fputs("</tr>\n", p->out);
	}
	fputs("</tbody></table></div>\n", p->out);
}

static void put_severity(struct page *p, enum severity s)
{
	fprintf(p->out, "<td class=\"s %s\" data-n=\"%d\">%s</td>", severity_name(s), severity_weight(s), severity_title(s));
}

static void put_vulnerabilities(struct page *p, const struct row_list *rows)
{
	fputs("<h3>Vulnerabilities</h3>\n<div class=\"wide\"><table class=\"sort\"><thead><tr><th scope=\"col\">Severity</th>"
	      "<th scope=\"col\">Vulnerability</th><th scope=\"col\">Source package</th><th scope=\"col\">Installed</th>"
	      "<th scope=\"col\">Fixed in</th><th scope=\"col\">Status</th><th scope=\"col\" class=\"n\">CVSS</th>"
	      "<th scope=\"col\" class=\"n\">EPSS</th><th scope=\"col\">Why</th></tr></thead><tbody>\n",
	      p->out);
	for (size_t i = 0; i < rows->len; i++)
		for (size_t k = 0; k < rows->ptr[i].ids.len; k++) {
			const struct finding *f = rows->ptr[i].ids.ptr[k];
			fputs("<tr>", p->out);
			put_severity(p, f->severity);
			fputs("<td>", p->out);
			put_id(p, f);
			if (f->kev)
				fputs(" <span class=\"kev\">KEV</span>", p->out);
			fputs("</td>", p->out);
			put_cell(p, "", rows->ptr[i].name);
			put_cell(p, "v", rows->ptr[i].installed);
			put_cell(p, "v", f->fixed_version.len ? f->fixed_version : STR("\xe2\x80\x93"));
			put_cell(p, "", f->fixed_version.len ? STR("fixed") : str_from(status_name(f->status)));
			put_cell(p, "n", f->cvss_score >= 0 ? text_decimal(p->arena, f->cvss_score, 1) : STR(""));
			put_cell(p, "n", f->epss >= 0 ? text_decimal(p->arena, f->epss, 4) : STR(""));
			put_cell(p, "dim", f->evidence);
			fputs("</tr>\n", p->out);
		}
	fputs("</tbody></table></div>\n", p->out);
}

/* What belongs to no source package, or what was ignored. */
static void put_list(struct page *p, const struct target *t, bool suppressed)
{
	struct finding_refs refs;
	bool any = false;
	order_findings(p->arena, t, &refs);
	for (size_t i = 0; i < refs.len; i++) {
		const struct finding *f = refs.ptr[i];
		if (finding_is_suppressed(f) != suppressed || (!suppressed && f->kind == FINDING_VULNERABILITY && f->package))
			continue;
		if (!any)
			fprintf(p->out,
			        "<h3>%s</h3>\n<div class=\"wide\"><table class=\"sort\"><thead><tr><th scope=\"col\">Severity</th>"
			        "<th scope=\"col\">Finding</th><th scope=\"col\">Where</th><th scope=\"col\">%s</th></tr></thead><tbody>\n",
			        suppressed ? "Ignored" : "Other findings", suppressed ? "By, and why" : "What");
		any = true;
		fputs("<tr>", p->out);
		put_severity(p, f->severity);
		fputs("<td>", p->out);
		put_id(p, f);
		fputs("</td>", p->out);
		put_cell(p, "", finding_place(f));
		put_cell(p, "", suppressed ? arena_printf(p->arena, "%.*s: %.*s", STR_ARG(f->suppressed.by), STR_ARG(f->suppressed.reason))
		                           : f->title);
		fputs("</tr>\n", p->out);
	}
	if (any)
		fputs("</tbody></table></div>\n", p->out);
}

static void put_not_assessed(struct page *p, const struct target *t)
{
	if (t->not_assessed.len == 0)
		return;
	fputs("<h3>Not assessed</h3>\n<ul>\n", p->out);
	for (size_t i = 0; i < t->not_assessed.len; i++) {
		fputs("<li><strong>", p->out);
		put(p, t->not_assessed.ptr[i].what);
		fputs("</strong>: ", p->out);
		put(p, report_reason(p->arena, &t->not_assessed.ptr[i]));
		fputs("</li>\n", p->out);
	}
	fputs("</ul>\n", p->out);
}

static void put_target(struct page *p, const struct target *t)
{
	struct row_list rows = { 0 };
	fputs("<section>\n<h2>", p->out);
	put(p, t->name);
	fputs("</h2>\n<p class=\"dim\">", p->out);
	put(p, t->os.id.len == 0 ? STR("no distribution recognised") : t->os.name.len ? t->os.name : t->os.id);
	if (t->os_eol)
		fputs(" <strong class=\"critical\">end of life</strong>", p->out);
	fprintf(p->out, ", %.*s", STR_ARG(text_counted(p->arena, target_package_count(t), "package", "packages")));
	if (t->digest.len) {
		fputs(", <code>", p->out);
		put(p, t->digest);
		fputs("</code>", p->out);
	}
	fputs("</p>\n", p->out);
	rows_collect(p->arena, t, finding_is_shown, &rows);
	if (rows.len) {
		put_sources(p, &rows);
		put_vulnerabilities(p, &rows);
	} else {
		fprintf(p->out, "<p>%s</p>\n",
		        !p->report->database.present ? "Nothing can be said about vulnerabilities."
		        : t->not_assessed.len        ? "No known vulnerabilities are shown in what could be assessed."
		                                     : "No known vulnerabilities are shown.");
	}
	put_list(p, t, false);
	if (p->options->show_suppressed)
		put_list(p, t, true);
	put_not_assessed(p, t);
	fputs("</section>\n", p->out);
}

int report_html_write(const struct report *r, const struct report_options *o, FILE *out, struct err *err)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct page p = { .out = out, .arena = a, .report = r, .options = o };
	put_head(&p);
	put_summary(&p);
	for (size_t i = 0; i < r->targets.len; i++)
		put_target(&p, &r->targets.ptr[i]);
	if (r->summary.suppressed && !o->show_suppressed)
		fprintf(out, "<p class=\"dim\">%.*s ignored.</p>\n",
		        STR_ARG(text_counted(a, r->summary.suppressed, "finding", "findings")));
	fprintf(out, "</main>\n<script>%s</script>\n</body>\n</html>\n", script);
	return report_written(out, "html", err);
}
