#!/usr/bin/env python3
"""The #include lines of src/ go one way, down the table of rooms below; rooms of one line are blind to each other.

    check_includes.py [SOURCE-ROOT]

Also: a file includes headers by their path below src/ (its own room's too), every .c file of the library includes
base/base.h (which bans what is banned), and a room that the table does not name is an error. Exit 1 with one line for
each arrow back.
"""
import os
import re
import sys

# Lowest first. A new room needs a place here (and in STYLE's and ARCHITECTURE's table).
ROOMS = [
    ["base"],
    ["model"],
    ["sandbox", "cache", "net"],
    ["image", "package", "version", "advisory", "facts", "engine", "host", "kube"],
    ["match", "secret", "rule"],
    ["policy"],
    ["scan", "report"],
    ["cmd", "server"],
]
GENERATED = {"config.h"}
RANK = {room: rank for rank, rooms in enumerate(ROOMS) for room in rooms}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


def sources(root):
    for folder, _, names in os.walk(root):
        for name in sorted(names):
            if name.endswith((".c", ".h")):
                yield os.path.join(folder, name)


def complaint(room, included):
    """What is wrong with a file of room including that header, or None."""
    if included in GENERATED:
        return None
    if "/" not in included:
        return "a header is named by its path below src/"
    other = included.split("/")[0]
    if other not in RANK:
        return f"there is no room {other} in the table"
    if other == room:
        return None
    if RANK[other] > RANK[room]:
        return f"an arrow back: {room} is below {other}; lower rooms call upward only by callback"
    if RANK[other] == RANK[room]:
        return f"{room} and {other} are blind to each other"
    return None


def check(src):
    bad, seen = [], 0
    for path in sources(src):
        seen += 1
        name = os.path.relpath(path, src)
        with open(path, encoding="utf-8") as f:
            included = INCLUDE.findall(f.read())
        if "/" not in name:  # main.c stands above all rooms
            continue
        room = name.split("/")[0]
        if room not in RANK:
            bad.append(f"src/{name}: the room {room} has no place in the table of {os.path.basename(__file__)}")
            continue
        for header in included:
            why = complaint(room, header)
            if why:
                bad.append(f"src/{name}: includes {header}: {why}")
        if name.endswith(".c") and "base/base.h" not in included:
            bad.append(f"src/{name}: does not include base/base.h, which bans what is banned")
    return bad, seen


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    bad, seen = check(os.path.join(root, "src"))
    for line in bad:
        print(line)
    print(f"{seen} files, {len(bad)} arrows back or missing includes")
    sys.exit(1 if bad or not seen else 0)


if __name__ == "__main__":
    main()
