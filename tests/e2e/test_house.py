#!/usr/bin/env python3
"""What people meet before a scan: help, man pages, completions, installing, the set-up; and that the checks of the sources
can fail."""
import os
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import *  # noqa: E402,F403

DOC = os.path.join(BUILD, "doc")
BASH, ZSH, FISH = (os.path.join(BUILD, "tools", n) for n in ("plimsoll", "_plimsoll", "plimsoll.fish"))


def text(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def tables():
    out = subprocess.run([os.path.join(BUILD, "tools", "dump_tables")], stdout=subprocess.PIPE, check=True).stdout
    return json.loads(out)


def tool(name, *args):
    p = subprocess.run([sys.executable, os.path.join(SOURCE, "tools", name)] + list(args), stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT)
    return p.returncode, p.stdout.decode()


def want(program):
    if not shutil.which(program):
        raise Skip(f"{program} is not installed")


# --- help -------------------------------------------------------------------------------------------------------------

def test_help_fits_80_columns_and_names_every_option():
    t = tables()
    for command in [None] + t["command"]:
        r = run(*(command.split() if command else []), "--help")
        equal((r.code, r.err), (0, ""), command)
        wide = [l for l in r.out.splitlines() if len(l) > 80]
        equal(wide, [], command)
        for o in t["options"]:
            if command in o["commands"]:
                check(f"--{o['name']}" in r.out, f"{command} --help lacks --{o['name']}")
                check("letter" not in o or f"-{o['letter']}, --{o['name']}" in r.out, f"{command}: -{o.get('letter')}")


def test_the_three_ways_to_a_commands_help_are_one():
    for command in tables()["command"]:
        equal(run(*command.split(), "--help").out, run("help", *command.split()).out)
        equal(run(*command.split(), "-h").out, run("help", *command.split()).out)
    equal(run("--help").out, run("help").out)
    equal(run("db", "--help").out, run("help", "db").out)


def test_what_is_no_command():
    r = run("db")
    check(r.code == 2 and r.out == "" and "db compare" in r.err, r.err)
    r = run("nginx:1.25")
    check(r.code == 2 and "plimsoll image nginx:1.25" in r.err, r.err)
    r = run("imgae")
    check(r.code == 2 and "--help" in r.err, r.err)
    equal(run("help", "imgae").code, 2)
    equal(run().code, 2)
    check(re.fullmatch(r"plimsoll \d+\.\d+\.\d+\n", run("version").out), run("version").out)
    equal(run("version").out, run("--version").out)


# --- pages ------------------------------------------------------------------------------------------------------------

def test_man_pages_name_every_option():
    t = tables()
    pages = {"image": "plimsoll-image.1", "fs": "plimsoll-fs.1", "report": "plimsoll-report.1", "db build": "plimsoll-db.1", "db status": "plimsoll-db.1",
             "db verify": "plimsoll-db.1", "db compare": "plimsoll-db.1"}
    keys = text(os.path.join(DOC, "plimsoll.yaml.5.scd"))
    for o in t["options"]:
        for command in set(o["commands"]) & set(pages):
            check(f"*--{o['name']}*" in text(os.path.join(DOC, pages[command] + ".scd")), f"{pages[command]}: --{o['name']}")
        if o["commands"] and o["name"] not in ("config", "help", "version"):
            check(f"*{o['name']}*" in keys, f"plimsoll.yaml.5: {o['name']}")
    for command in t["command"]:
        check(f"*{command}*" in text(os.path.join(DOC, "plimsoll.1.scd")), f"plimsoll.1: {command}")
    check("@" not in re.sub(r"\*@\*", "", keys), "a marker was left")


def test_man_pages_are_roff():
    if not os.path.exists(os.path.join(DOC, "plimsoll.1")):
        raise Skip("scdoc is not installed")
    for name in ("plimsoll.1", "plimsoll-image.1", "plimsoll-fs.1", "plimsoll-report.1", "plimsoll-db.1", "plimsoll.yaml.5"):
        page = text(os.path.join(DOC, name))
        check(".TH " in page and ".SH NAME" in page and len(page) > 1000, name)
        if shutil.which("groff"):
            p = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z", os.path.join(DOC, name)], stderr=subprocess.PIPE)
            equal(p.stderr.decode(), "", name)


# --- completions ------------------------------------------------------------------------------------------------------

def test_completions_name_every_option():
    for o in tables()["options"]:
        if o["commands"]:
            check(f"--{o['name']} " in text(BASH), f"bash: --{o['name']}")
            check(re.search(rf"--{o['name']}[=\[]", text(ZSH)), f"zsh: --{o['name']}")
            check(f"-l {o['name']} " in text(FISH), f"fish: --{o['name']}")
    for command in tables()["command"]:
        for path in (BASH, ZSH, FISH):
            check(command in text(path), f"{path}: {command}")


def bash_completes(*words):
    script = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _plimsoll; printf "%s\\n" "${COMPREPLY[@]}"'
    p = subprocess.run(["bash", "-c", script, "-", BASH, "plimsoll"] + list(words), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    equal(p.stderr.decode(), "", words)
    return p.stdout.decode().split()


def test_bash_completion():
    want("bash")
    equal(subprocess.run(["bash", "-n", BASH]).returncode, 0)
    equal(sorted(bash_completes("")), sorted(["image", "fs", "report", "db", "help", "version", "--help", "--version"]))
    equal(sorted(bash_completes("db", "")), ["build", "compare", "status", "update", "verify"])
    equal(sorted(bash_completes("image", "--fail")), ["--fail-on", "--fail-on-in-use"])
    equal(bash_completes("image", "--fail-on", "cr"), ["critical"])
    equal(bash_completes("image", "--fail-on", "=", "cr"), ["critical"])
    equal(bash_completes("image", "-f", "sa"), ["sarif"])
    equal(bash_completes("image", "--severity", "critical,hi"), ["critical,high"])
    equal(bash_completes("image", "--exit-code", ""), [])
    equal(bash_completes("db", "compare", "alp"), ["alpine"])
    equal(bash_completes("db", "build", "--man"), ["--manifest"])
    equal(bash_completes("fs", "--platform"), [])
    with Folder() as d:
        open(os.path.join(d, "a file.tar"), "w").close()
        equal(bash_completes("image", d + "/a"), (d + "/a file.tar").split())


def test_zsh_completion():
    want("zsh")
    equal(subprocess.run(["zsh", "-n", ZSH]).returncode, 0)
    p = subprocess.run(["zsh", "-f", "-c", f"autoload -Uz compinit && compinit -u -D && source '{ZSH}' && echo $_comps[plimsoll]"],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    equal((p.stdout.decode(), p.stderr.decode()), ("_plimsoll\n", ""))


def fish_completes(line):
    p = subprocess.run(["fish", "--no-config", "-c", f"source '{FISH}'; complete -C '{line}'"], stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, env=dict(os.environ, HOME=os.environ.get("TMPDIR", "/tmp")))
    equal(p.stderr.decode(), "", line)
    return [l.split("\t")[0] for l in p.stdout.decode().splitlines()]


def test_fish_completion():
    want("fish")
    equal(subprocess.run(["fish", "-n", FISH]).returncode, 0)
    equal(sorted(fish_completes("plimsoll ")), ["db", "fs", "help", "image", "report", "version"])
    equal(sorted(fish_completes("plimsoll db ")), ["build", "compare", "status", "update", "verify"])
    equal(sorted(fish_completes("plimsoll image --fail")), ["--fail-on", "--fail-on-in-use"])
    equal(fish_completes("plimsoll image --fail-on cr"), ["critical"])
    equal(fish_completes("plimsoll image --severity cr"), ["critical"])  # behind a comma only a terminal sees it
    equal(sorted(fish_completes("plimsoll db compare ")), ["alpine", "debian", "redhat"])
    equal(fish_completes("plimsoll fs --platf"), [])


# --- installing -------------------------------------------------------------------------------------------------------

def test_install_into_a_folder():
    if SANITIZED:
        raise Skip("what is installed is not the sanitizers' build")
    want("meson")
    with Folder() as d:
        p = subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", d], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT)
        equal(p.returncode, 0, p.stdout.decode())
        there = {os.path.relpath(os.path.join(folder, n), d) for folder, _, names in os.walk(d) for n in names}
        for wanted in ("bin/plimsoll", "share/plimsoll/advisories.plimsoll", "share/bash-completion/completions/plimsoll",
                       "share/zsh/site-functions/_plimsoll", "share/fish/vendor_completions.d/plimsoll.fish",
                       "share/doc/plimsoll/LICENSE"):
            check(any(n.endswith(wanted) for n in there), f"{wanted} was not installed: {sorted(there)}")
        if os.path.exists(os.path.join(DOC, "plimsoll.1")):
            check(any(n.endswith("man/man1/plimsoll-image.1") for n in there), sorted(there))
            check(any(n.endswith("man/man5/plimsoll.yaml.5") for n in there), sorted(there))
        program = next(os.path.join(d, n) for n in there if n.endswith("bin/plimsoll"))
        database = next(os.path.join(d, n) for n in there if n.endswith("advisories.plimsoll"))
        p = subprocess.run([program, "db", "verify", "--db", database], stdout=subprocess.PIPE, env=clean_env())
        equal(p.returncode, 0)


# --- the set-up and the checks ----------------------------------------------------------------------------------------

def test_setup_is_silent_and_quick_where_all_is_there():
    setup = os.path.join(SOURCE, "tools", "setup.sh")
    equal(subprocess.run([setup, "nonsense"], stderr=subprocess.DEVNULL).returncode, 2)
    best = 9.0
    for _ in range(3):  # the machine may be busy
        start = time.time()
        p = subprocess.run([setup, "build"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        best = min(best, time.time() - start)
        equal(p.returncode, 0)
        if p.stdout:  # without what may be missing (scdoc) it says so each time
            raise Skip("something is missing here that the build does without")
    check(best < 0.3, f"{best:.2f} s")


def copy_of_sources(d):
    for name in ("src", "tools", "doc"):
        shutil.copytree(os.path.join(SOURCE, name), os.path.join(d, name))
    shutil.copytree(os.path.join(SOURCE, "tests"), os.path.join(d, "tests"), ignore=shutil.ignore_patterns("__pycache__"))
    return d


def put(d, path, content, mode="a"):
    with open(os.path.join(d, path), mode) as f:
        f.write(content)


def test_an_include_against_the_arrows_is_seen():
    for path, line in (("src/base/str.c", '#include "model/os.h"\n'), ("src/package/apk.c", '#include "version/versions.h"\n'),
                       ("src/match/match.c", '#  include "report/formats.h"\n'), ("src/base/str.c", '#include "str.h"\n'),
                       ("src/image/ring.c", '#include "nowhere/x.h"\n')):
        with Folder() as d:
            copy_of_sources(d)
            equal(tool("check_includes.py", d)[0], 0)
            put(d, path, line)
            code, out = tool("check_includes.py", d)
            check(code == 1 and path in out, out)


def test_faults_of_files_are_seen():
    long_function = "\nint f(void);\nint f(void)\n{\n" + "\tg();\n" * 71 + "}\n"
    for path, content in (("src/base/str.c", "/* x */\n" * 1000), ("src/base/str.c", long_function),
                          ("src/base/str.c", "/* TO" "DO: later */\n"), ("tools/demo.sh", "cd /ho" "me/me\n"),
                          ("src/base/str.c", "int x; \n"), ("src/base/new.c", "int x;\n")):
        with Folder() as d:
            copy_of_sources(d)
            code, out = tool("check_files.py", d)
            equal((code, out.count("\n")), (0, 1), out)
            put(d, path, content)
            code, out = tool("check_files.py", d)
            check(code == 1 and path in out, out)


def test_a_row_without_its_test_target_or_page_is_seen():
    dump = os.path.join(BUILD, "tools", "dump_tables")
    def remove(path):
        return lambda d: os.remove(os.path.join(d, path))
    def edit(path, old, new):
        def do(d):
            content = text(os.path.join(d, path))
            check(old in content, f"{path} has no {old}")
            put(d, path, content.replace(old, new), "w")
        return do
    for spoil, word in ((edit("tests/tables.txt", "package | apk |", "package | apkx |"), "package apk"),
                        (edit("tests/tables.txt", "feed | osv | feeds", "feed | osv | fedes"), "test_fedes.c"),
                        (edit("tests/unit/meson.build", "'package',", ""), "test_package.c"),
                        (edit("tests/fuzz/meson.build", "'apk',", ""), "apk"),
                        (remove("tests/fuzz/fuzz_osv.c"), "osv"),
                        (remove("doc/packages.md"), "packages.md"),
                        (edit("doc/packages.md", "opkg", "something"), "opkg")):
        with Folder() as d:
            copy_of_sources(d)
            equal(tool("check_tables.py", dump, BUILD, d)[0], 0)
            spoil(d)
            code, out = tool("check_tables.py", dump, BUILD, d)
            check(code == 1 and word in out, out)


def test_the_summary_counts_what_ran():
    def log(name, result, stdout="", stderr=""):
        return json.dumps(dict(name=name, result=result, duration=1, returncode=0, stdout=stdout, stderr=stderr))
    with Folder() as d:
        path = os.path.join(d, "testlog.json")
        cmocka = "[ RUN      ] a\n[       OK ] a\n[ RUN      ] b\n[  SKIPPED ] b\n"
        put(d, "testlog.json", log("x", "OK", cmocka, "skipped: no data\n") + "\n" + log("y", "OK") + "\n")
        code, out = tool("check_summary.py", path)
        equal((code, out.splitlines()[-1]), (0, "2 passed, 0 failed, 1 skipped"))
        check("skipped: no data" in out and "\n      b\n" in out, out)
        put(d, "testlog.json", log("z", "TIMEOUT") + "\n" + log("e", "FAIL", "ok   test_a\nFAIL test_b\nskip test_c - why\n") + "\n")
        code, out = tool("check_summary.py", path)
        equal((code, out.splitlines()[-1]), (1, "3 passed, 2 failed, 2 skipped"))
        equal(tool("check_summary.py", path, os.path.join(d, "none"))[0], 1)
        put(d, "empty.json", "")
        equal(tool("check_summary.py", os.path.join(d, "empty.json"))[0], 1)


main(globals())
