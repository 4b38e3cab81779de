"""A witness for the tar reader: Python's tarfile, and GNU tar as a writer.

    tar_witness.py list FILE      prints the transcript that tests/tar_transcript.h prints
    tar_witness.py make DIR       makes a tree in DIR and packs it in every format that GNU tar and Python write;
                                  each X.tar comes with the transcript X.list
"""

import os
import subprocess
import sys
import tarfile
import zlib


def name(s):
    raw = s.encode("utf-8", "surrogateescape")
    return "".join(chr(c) if 0x20 < c < 0x7F and c != 0x5C else "\\%03o" % c for c in raw)


def letter(m):
    kinds = {b"1": "h", b"2": "l", b"3": "c", b"4": "b", b"5": "d", b"6": "p"}
    if m.type in kinds:
        return kinds[m.type]
    return "f" if m.isreg() else "o"


def transcript(path):
    lines = []
    with tarfile.open(path, "r:", errorlevel=2, errors="surrogateescape") as t:
        for m in t:
            kind = letter(m)
            size = m.size if kind in "fo" else 0
            line = "%s %d %o %d %d %d " % (kind, size, m.mode & 0o7777, m.uid, m.gid, int(m.mtime))
            if kind in "cb":
                line += "%d,%d " % (m.devmajor, m.devminor)
            line += name(m.name)
            if kind in "hl":
                line += " -> " + name(m.linkname)
            lines.append(line)
            if kind == "f":
                crc = 0
                f = t.extractfile(m)
                while True:
                    block = f.read(1 << 20)
                    if not block:
                        break
                    crc = zlib.crc32(block, crc)
                lines.append("  %08x" % crc)
    return "\n".join(lines) + "\n"


def write(path, content, mode=0o644):
    with open(path, "wb") as f:
        f.write(content)
    os.chmod(path, mode)


def sparse(path, size, parts):
    with open(path, "wb") as f:
        f.truncate(size)
        for at, content in parts:
            f.seek(at)
            f.write(content)


def make_tree(root):
    os.makedirs(root + "/etc/deep")
    write(root + "/etc/empty", b"")
    for n in (1, 511, 512, 513, 10240, 100000):
        write(root + "/etc/size-%d" % n, bytes(i * 7 % 251 for i in range(n)), 0o4755 if n == 1 else 0o640)
    os.symlink("size-513", root + "/etc/link")
    os.symlink("/" + "t" * 150, root + "/etc/long-link")
    os.symlink("missing", root + "/etc/\u00fcmlaut")
    os.link(root + "/etc/size-512", root + "/etc/size-512-again")
    os.mkfifo(root + "/etc/fifo")
    for n in (90, 95, 96, 97, 98, 99, 100, 101, 155, 200, 254):
        write(root + "/etc/" + "n" * (n - 8), b"x" * n)
    deep = root + "/etc/deep"
    for i in range(8):
        deep += "/" + "d" * 60
        os.mkdir(deep)
        write(deep + "/file", b"deep" * i)
    os.link(deep + "/file", root + "/etc/hard-to-deep")
    write(root.encode() + b"/etc/\xff\xfe not utf-8 \\ \x1b[31m", b"bytes")
    part = b"DATA" * 1024
    sparse(root + "/etc/sparse-middle", 1 << 20, [(65536, part), (524288, part)])
    sparse(root + "/etc/sparse-ends", 1 << 20, [(0, part), ((1 << 20) - 4096, part)])
    sparse(root + "/etc/sparse-hole", 1 << 20, [])
    sparse(root + "/etc/sparse-odd", 300001, [(8192, part), (299999, b"ZZ")])
    sparse(root + "/etc/sparse-many", 4 << 20, [(i * 16384, part) for i in range(200)])
    sparse(root + "/etc/sparse-tera", 1 << 24, [(1 << 23, part)])
    for i, path in enumerate(sorted(os.listdir(root + "/etc"))):
        os.utime(root + "/etc/" + path, (1, 1700000000 + i), follow_symlinks=False)


def gnu_tar(directory, out, *flags):
    # What a format cannot hold is left out with a complaint: exit code 2, and still an archive.
    command = ["tar", "-C", directory + "/tree", "--sort=name", "-cf", out, *flags, "."]
    subprocess.run(command, stderr=subprocess.DEVNULL, check=False)


def python_tar(path, form):
    with tarfile.open(path, "w", format=form) as t:
        for i, (key, value) in enumerate([("mtime", 1 << 40), ("mtime", -5), ("uid", 1 << 30), ("gid", 0o7777777),
                                          ("mtime", 0), ("mode", 0o7777)]):
            if form == tarfile.USTAR_FORMAT and value in (1 << 40, -5, 1 << 30):
                continue
            m = tarfile.TarInfo("member-%d" % i)
            setattr(m, key, value)
            t.addfile(m)
        for kind in (tarfile.CHRTYPE, tarfile.BLKTYPE):
            m = tarfile.TarInfo("dev")
            m.type, m.devmajor, m.devminor = kind, 8, 17
            t.addfile(m)
        m = tarfile.TarInfo("p" * 120 + "/" + "q" * 90)
        t.addfile(m)
        m = tarfile.TarInfo("dir/" * 30)
        m.type = tarfile.DIRTYPE
        t.addfile(m)
        m = tarfile.TarInfo("contiguous")
        m.type = tarfile.CONTTYPE
        t.addfile(m)


def make(directory):
    make_tree(directory + "/tree")
    for form in ("v7", "oldgnu", "gnu", "ustar", "pax", "posix"):
        gnu_tar(directory, "%s/%s.tar" % (directory, form), "--format=" + form)
    for form in ("oldgnu", "gnu"):
        gnu_tar(directory, "%s/%s-sparse.tar" % (directory, form), "--format=" + form, "--sparse")
    for version in ("0.0", "0.1", "1.0"):
        gnu_tar(directory, "%s/pax-sparse-%s.tar" % (directory, version), "--format=pax", "--sparse",
                "--sparse-version=" + version)
    gnu_tar(directory, directory + "/pax-raw.tar", "--format=pax", "--hole-detection=raw", "--sparse")
    for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        python_tar("%s/python-%d.tar" % (directory, form), form)
    for path in sorted(os.listdir(directory)):
        if path.endswith(".tar"):
            with open(directory + "/" + path[:-4] + ".list", "w", encoding="ascii") as f:
                f.write(transcript(directory + "/" + path))


if sys.argv[1] == "list":
    sys.stdout.write(transcript(sys.argv[2]))
else:
    make(sys.argv[2])
