#!/usr/bin/env python3
"""Sums up test runs: one line "N passed, N failed, N skipped", after the names of what failed and of what was skipped,
with the reasons.

    check_summary.py TESTLOG.json...

A log is meson's (one JSON object a line); steps of tools/check.sh come in the same form. Where a program's output names
its cases (cmocka's lines, or those of tests/e2e/harness.py), the cases are counted, so that a case that was skipped
inside of a program that passed is seen; else the program counts as one.

Exit 1 when anything failed, a log is missing, or nothing ran at all. Must never count what did not run as passed.
"""
import json
import os
import re
import sys
import textwrap

FAILED = {"FAIL", "ERROR", "TIMEOUT", "INTERRUPT", "UNEXPECTEDPASS"}
CMOCKA_RUN = re.compile(r"^\[ RUN +\] ")
CMOCKA_CASE = re.compile(r"^\[ +(OK|SKIPPED|FAILED) +\] ([A-Za-z_]\w*)$")
HARNESS_CASE = re.compile(r"^(ok|skip|FAIL) +(test_\w+)(?: - (.*))?$")
WORDS = {"OK": "passed", "ok": "passed", "SKIPPED": "skipped", "skip": "skipped", "FAILED": "failed", "FAIL": "failed"}
REASON = re.compile(r"skip|missing|not tried", re.IGNORECASE)
SILENT = "says no reason"


def cases(log):
    """[(name, passed|failed|skipped, reason or None)] of one program's output."""
    found, said = {}, None
    for line in log.get("stdout", "").splitlines():
        m = CMOCKA_CASE.match(line) or HARNESS_CASE.match(line)
        if m:
            found[m.group(2)] = (WORDS[m.group(1)], m.group(3) if m.re is HARNESS_CASE else said)
        elif CMOCKA_RUN.match(line):
            said = None
        elif REASON.search(line):
            said = line.strip()
    for line in log.get("stderr", "").splitlines():  # cmocka's list of failures
        m = CMOCKA_CASE.match(line)
        if m and m.group(1) == "FAILED":
            found[m.group(2)] = ("failed", None)
    return [(name, state, reason) for name, (state, reason) in found.items()]


def reasons(log):
    """What the program said about skipping, once each."""
    lines = (log.get("stderr", "") + "\n" + log.get("stdout", "")).splitlines()
    said = [l.strip() for l in lines if REASON.search(l) and "SKIPPED" not in l and not HARNESS_CASE.match(l)]
    return "; ".join(dict.fromkeys(said)) or SILENT


class Sum:
    def __init__(self):
        self.passed, self.failed, self.skipped = 0, [], 0
        self.why = {}  # (program, reason) -> case -> runs

    def skip(self, run, name, case, reason):
        self.skipped += 1
        self.why.setdefault((name, reason), {}).setdefault(case, []).append(run)

    def add(self, run, log):
        name, result = log["name"].split(" / ")[-1], log["result"]
        found = cases(log)
        if result in FAILED and "failed" not in [state for _, state, _ in found]:
            self.failed.append(f"{run}: {name} ({result.lower()}, exit {log.get('returncode')})")
        elif result == "SKIP" and not found:
            self.skip(run, name, "", reasons(log))
        elif not found:
            self.passed += 1
        for case, state, reason in found:
            if state == "passed":
                self.passed += 1
            elif state == "failed":
                self.failed.append(f"{run}: {name}: {case}")
            else:
                self.skip(run, name, case, reason or reasons(log))

    def print_skipped(self):
        print("Skipped:")
        for (name, reason), found in self.why.items():
            runs = ", ".join(dict.fromkeys(run for where in found.values() for run in where))
            names = ", ".join(case for case in found if case)
            print(textwrap.fill(f"{name} ({runs}): {reason}", 118, initial_indent="  ", subsequent_indent="      ", break_on_hyphens=False))
            if names:
                print(textwrap.fill(names, 118, initial_indent="      ", subsequent_indent="      ", break_on_hyphens=False))
        print()


def read(path, total):
    folder = os.path.basename(os.path.dirname(os.path.dirname(os.path.abspath(path))))
    run = folder if path.endswith("testlog.json") else "check"
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            logs = [json.loads(line) for line in f if line.strip()]
    except (OSError, ValueError) as why:
        total.failed.append(f"{run}: there is no log of this run ({why})")
        return
    if not logs:
        total.failed.append(f"{run}: no test ran")
    for log in logs:
        total.add(run, log)


def main():
    total = Sum()
    for path in sys.argv[1:]:
        read(path, total)
    if total.why:
        total.print_skipped()
    if total.failed:
        print("Failed:")
        for name in total.failed:
            print("  " + name)
        print()
    print(f"{total.passed} passed, {len(total.failed)} failed, {total.skipped} skipped")
    sys.exit(1 if total.failed or not total.passed else 0)


if __name__ == "__main__":
    main()
