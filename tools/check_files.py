#!/usr/bin/env python3
"""The house's measures of files: their size, the size of their functions, how they begin and end, and what they never say.

    check_files.py [SOURCE-ROOT]

Looks at the files that git knows, without git at all but the build folders. Exit 1 with one line for each fault.
"""
import os
import re
import subprocess
import sys

LINES_MAX = 999
FUNCTION_LINES_MAX = 70
WIDTH_MAX = 140  # of src/ and tools/; a tab counts as eight
HEAD_LINES_MAX = 20
SOURCES = (".c", ".h", ".py", ".sh", ".build", ".fish", ".bash")
DATA = (".json", ".txt", ".sarif", ".plimsoll")  # expected outputs and tables of cases

# What is put off is an issue, not a line; and nothing here knows on which machine it was written.
NEVER = [
    (re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b"), "marks of unfinished work"),
    (re.compile(r"(?<![\w/.<])/(home|root|work|Users)/[\w.-]"), "a path of somebody's machine"),
]
FUNCTION_END = re.compile(r"^}")
FUNCTION_START = re.compile(r"^{")


def files(root):
    try:
        out = subprocess.run(["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
        names = [n for n in out.decode().split("\0") if n]
    except (OSError, subprocess.CalledProcessError):
        names = []
        for folder, folders, found in os.walk(root):
            folders[:] = [f for f in folders if not f.startswith(("build", ".git")) and f != "__pycache__"]
            names += [os.path.relpath(os.path.join(folder, f), root) for f in found]
    return sorted(n for n in names if os.path.isfile(os.path.join(root, n)))


def functions(lines):
    """(first line, count) of every function, by the braces that stand alone in the first column."""
    start = None
    for number, line in enumerate(lines, 1):
        if FUNCTION_START.match(line):
            start = number
        elif FUNCTION_END.match(line) and start:
            yield start, number - start - 1
            start = None


def head(name, text):
    """Whether a file says at its head what it is for."""
    start = re.sub(r"^#!.*\n", "", text).lstrip("\n")
    if name.endswith((".c", ".h")):
        return start.startswith("/*") and 0 < start.find("*/") and start[:start.find("*/")].count("\n") < HEAD_LINES_MAX * 2
    if name.endswith(".py"):
        return start.startswith('"""')
    return start.startswith("#")


def check_source(name, text, faults):
    lines = text.split("\n")
    if not name.endswith(".build") and not head(name, text):
        faults.append(f"{name}: does not begin with what it is for")
    for number, line in enumerate(lines, 1):
        if line.rstrip() != line:
            faults.append(f"{name}:{number}: blanks at the end of the line")
        if len(line.expandtabs(8)) > WIDTH_MAX and name.startswith(("src/", "tools/")):
            faults.append(f"{name}:{number}: {len(line.expandtabs(8))} columns, at most {WIDTH_MAX}")
    if name.endswith((".c", ".h")):
        for number, count in functions(lines):
            if count > FUNCTION_LINES_MAX:
                faults.append(f"{name}:{number}: a function of {count} lines, at most {FUNCTION_LINES_MAX}")


def check_file(root, name, faults):
    with open(os.path.join(root, name), "rb") as f:
        raw = f.read()
    if name.startswith("tests/fuzz/corpus/") and not name.endswith("README") or b"\0" in raw[:8000]:
        return False
    text = raw.decode("utf-8", "replace")
    if not raw:
        faults.append(f"{name}: is empty")
    elif not text.endswith("\n"):
        faults.append(f"{name}: has no newline at its end")
    count = text.count("\n")
    if count > LINES_MAX and not name.endswith(DATA) and name != "LICENSE":
        faults.append(f"{name}: {count} lines, at most {LINES_MAX}")
    for pattern, what in NEVER:
        for m in pattern.finditer(text):
            faults.append(f"{name}:{text.count(chr(10), 0, m.start()) + 1}: {what}: {m.group(0)}")
    if name.endswith(SOURCES) or os.path.basename(name) == "Makefile":
        check_source(name, text, faults)
    return True


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    faults, seen = [], 0
    for name in files(root):
        seen += check_file(root, name, faults)
    for line in faults:
        print(line)
    print(f"{seen} files, {len(faults)} faults")
    sys.exit(1 if faults or not seen else 0)


if __name__ == "__main__":
    main()
