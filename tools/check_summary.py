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

FAILED = {"FAIL", "ERROR", "TIMEOUT", "INTERRUPT", "UNEXPECTEDPASS"}
CMOCKA_CASE = re.compile(r"^\[ +(OK|SKIPPED|FAILED) +\] ([A-Za-z_]\w*)$")
HARNESS_CASE = re.compile(r"^(ok|skip|FAIL) +(test_\w+)(?: - (.*))?$")
WORDS = {"OK": "passed", "ok": "passed", "SKIPPED": "skipped", "skip": "skipped", "FAILED": "failed", "FAIL": "failed"}
REASON = re.compile(r"skip", re.IGNORECASE)


def cases(log):
    """[(name, passed|failed|skipped, reason)] of one program's output."""
    found = {}
    lines = log.get("stdout", "").splitlines()
    for line in lines:
        m = CMOCKA_CASE.match(line) or HARNESS_CASE.match(line)
        if m:
            reason = m.group(3) if m.re is HARNESS_CASE else None
            found[m.group(2)] = (WORDS[m.group(1)], reason)
    for line in log.get("stderr", "").splitlines():  # cmocka's failures
        m = CMOCKA_CASE.match(line)
        if m and m.group(2) in found or m and WORDS[m.group(1)] != "passed":
            found[m.group(2)] = (WORDS[m.group(1)], None)
    return [(name, state, reason) for name, (state, reason) in found.items()]


def reasons(log):
    """What the program said about skipping, once each."""
    said = [l.strip() for l in (log.get("stderr", "") + "\n" + log.get("stdout", "")).splitlines()
            if REASON.search(l) and not CMOCKA_CASE.match(l) and not l.lstrip().startswith("[")]
    return list(dict.fromkeys(said))


class Sum:
    def __init__(self):
        self.passed, self.failed, self.skipped = 0, [], []

    def add(self, run, log):
        name, result = f"{run}: {log['name'].split(' / ')[-1]}", log["result"]
        found = cases(log)
        states = [state for _, state, _ in found]
        if result in FAILED and "failed" not in states:
            self.failed.append(f"{name} ({result.lower()}, exit {log.get('returncode')})")
        elif result == "SKIP" and not found:
            self.skipped.append(f"{name}: {'; '.join(reasons(log)) or 'says no reason'}")
        elif not found:
            self.passed += 1
        for case, state, reason in found:
            if state == "passed":
                self.passed += 1
            elif state == "failed":
                self.failed.append(f"{name}: {case}")
            else:
                self.skipped.append(f"{name}: {case}: {reason or '; '.join(reasons(log)) or 'says no reason'}")


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
    for title, names in (("Skipped", total.skipped), ("Failed", total.failed)):
        if names:
            print(f"{title}:")
            for name in names:
                print("  " + name)
            print()
    print(f"{total.passed} passed, {len(total.failed)} failed, {len(total.skipped)} skipped")
    sys.exit(1 if total.failed or not total.passed else 0)


if __name__ == "__main__":
    main()
