#!/usr/bin/env python3
"""Removes what `make install` put below a prefix (and DESTDIR), as the build's own list of it says, and the program's folders
where they are empty then.

    uninstall.py BUILD-FOLDER

Must never remove a file that is not in that list, nor a folder that is not the program's own or holds something else."""
import json
import os
import subprocess
import sys


def main():
    out = subprocess.run(["meson", "introspect", sys.argv[1], "--installed"], stdout=subprocess.PIPE, check=True).stdout
    destination = os.environ.get("DESTDIR", "")
    paths = sorted(destination + path for path in json.loads(out).values())
    removed = 0
    for path in paths:
        if os.path.lexists(path):
            os.remove(path)
            removed += 1
    for folder in sorted({os.path.dirname(p) for p in paths}):
        if os.path.basename(folder) == "plimsoll":
            try:
                os.rmdir(folder)
            except OSError:
                pass  # not there, or something of somebody else's is in it
    print(f"{removed} files removed" if removed else "nothing of it was there")


if __name__ == "__main__":
    main()
