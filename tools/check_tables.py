#!/usr/bin/env python3
"""Every row of the program's tables has its tests, its fuzz targets and its page, and the other way round.

    check_tables.py DUMP_TABLES BUILD-FOLDER [SOURCE-ROOT]

DUMP_TABLES prints the tables as JSON; tests/tables.txt says what belongs to each row. Pages in scdoc are read as the build
has filled them. Also: no test, fuzz target or corpus lies about without being registered with meson. Exit 1 with one line
for each fault.
"""
import json
import os
import re
import subprocess
import sys

TABLES = ("package", "version", "report", "feed", "command")
LIST_FILE = "tests/tables.txt"
INPUTS_MIN = 2  # of a corpus: the README and a seed


def read(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()


def registered(root, folder):
    """Names that the meson.build of a folder lists, in quotes at the start of a line."""
    return set(re.findall(r"^ +'([a-z0-9_]+)'", read(os.path.join(root, folder, "meson.build")), re.MULTILINE))


class Checker:
    def __init__(self, root, build):
        self.root, self.build, self.faults = root, build, []
        self.unit = registered(root, "tests/unit")
        self.e2e = registered(root, "tests/e2e")
        self.fuzz = registered(root, "tests/fuzz")

    def fault(self, text):
        self.faults.append(text)

    def test_source(self, name):
        """The text of a test, or None (said) where it is missing or not registered."""
        kind, _, short = name.rpartition(":")
        path = f"tests/e2e/test_{short}.py" if kind == "e2e" else f"tests/unit/test_{short}.c"
        if short not in (self.e2e if kind == "e2e" else self.unit):
            return self.fault(f"{path} is not registered in its meson.build")
        if not os.path.exists(os.path.join(self.root, path)):
            return self.fault(f"{path} is missing")
        return read(os.path.join(self.root, path))

    def fuzz_target(self, where, name):
        if name not in self.fuzz or not os.path.exists(os.path.join(self.root, f"tests/fuzz/fuzz_{name}.c")):
            self.fault(f"{where}: there is no fuzz target {name}")
        corpus = os.path.join(self.root, "tests/fuzz/corpus", name)
        if not os.path.isdir(corpus) or len(os.listdir(corpus)) < INPUTS_MIN:
            self.fault(f"{where}: tests/fuzz/corpus/{name} has no seed")

    def page(self, where, row, name):
        folder = os.path.join(self.build, "doc") if name.endswith(".scd") else os.path.join(self.root, "doc")
        path = os.path.join(folder, name)
        if not os.path.exists(path):
            self.fault(f"{where}: the page {name} is missing")
        elif not re.search(r"(?<![\w-])" + re.escape(row) + r"(?![\w-])", read(path)):
            self.fault(f"{where}: the page {name} does not speak of it")

    def row(self, fields):
        table, row, tests, word, fuzz, page = fields
        where = f"{table} {row}"
        sources = [self.test_source(t.strip()) for t in tests.split(",")]
        if not any(word in s for s in sources if s):
            self.fault(f"{where}: none of its tests ({tests}) says {word}")
        if fuzz != "-":
            for name in fuzz.split(","):
                self.fuzz_target(where, name.strip())
        self.page(where, row, page)

    def listed(self):
        rows = {}
        for number, line in enumerate(read(os.path.join(self.root, LIST_FILE)).splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            fields = [f.strip() for f in line.split("|")]
            if len(fields) != 6 or "" in fields:
                self.fault(f"{LIST_FILE}:{number}: six fields are wanted")
                continue
            rows[(fields[0], fields[1])] = fields
        return rows

    def rows(self, tables):
        listed = self.listed()
        there = {(table, row) for table in TABLES for row in tables[table]}
        for key in sorted(there - set(listed)):
            self.fault(f"{' '.join(key)}: has no line in {LIST_FILE}")
        for key in sorted(set(listed) - there):
            self.fault(f"{' '.join(key)}: {LIST_FILE} has a line for it, the program no row")
        for key in sorted(there & set(listed)):
            self.row(listed[key])

    def orphans(self):
        for folder, prefix, suffix, names in (("tests/unit", "test_", ".c", self.unit), ("tests/e2e", "test_", ".py", self.e2e),
                                              ("tests/fuzz", "fuzz_", ".c", self.fuzz)):
            for name in sorted(os.listdir(os.path.join(self.root, folder))):
                if name.startswith(prefix) and name.endswith(suffix) and name[len(prefix):-len(suffix)] not in names:
                    self.fault(f"{folder}/{name}: not registered in {folder}/meson.build")
        for name in sorted(os.listdir(os.path.join(self.root, "tests/fuzz/corpus"))):
            if name not in self.fuzz:
                self.fault(f"tests/fuzz/corpus/{name}: there is no such fuzz target")


def main():
    root = sys.argv[3] if len(sys.argv) > 3 else os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    tables = json.loads(subprocess.run([sys.argv[1]], stdout=subprocess.PIPE, check=True).stdout)
    checker = Checker(root, sys.argv[2])
    checker.rows(tables)
    checker.orphans()
    for line in checker.faults:
        print(line)
    count = sum(len(tables[t]) for t in TABLES)
    print(f"{count} rows, {len(checker.faults)} faults")
    sys.exit(1 if checker.faults or not count else 0)


if __name__ == "__main__":
    main()
