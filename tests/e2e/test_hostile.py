#!/usr/bin/env python3
"""Bad input: a clear error or "not assessed", flat memory, no crash."""
import gzip
import os
import random
import resource
import struct
import subprocess
import sys
import tarfile
import time
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import *  # noqa: E402,F403

STATUS = "var/lib/dpkg/status"
MEMORY_MAX = 64 << 20


def measured(*args, stdin=None):
    """(exit code, stdout, stderr, peak bytes of the program and its workers together, seconds)"""
    env = clean_env()
    start = time.time()
    p = subprocess.Popen([PROGRAM] + list(args), stdin=stdin or subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, env=env)
    peak = 0
    os.set_blocking(p.stdout.fileno(), False)
    out = b""
    while p.poll() is None:
        peak = max(peak, tree_memory(p.pid))
        try:
            out += p.stdout.read() or b""
        except BlockingIOError:
            pass
        time.sleep(0.01)
    os.set_blocking(p.stdout.fileno(), True)
    out += p.stdout.read()
    err = p.stderr.read().decode("utf-8", "replace")
    return p.returncode, out.decode("utf-8", "replace"), err, peak, time.time() - start


def tree_memory(pid):
    """Proportional set size of a process and its children, in bytes."""
    total = 0
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            children = f.read().split()
        for p in [str(pid)] + children:
            with open(f"/proc/{p}/smaps_rollup") as f:
                for line in f:
                    if line.startswith("Pss:"):
                        total += int(line.split()[1]) * 1024
    except OSError:
        pass
    return total


def flat(peak):
    check(SANITIZED or peak <= MEMORY_MAX, f"peak memory {peak >> 20} MiB")


def one_layer(d, *entries):
    return docker_archive(os.path.join(d, "i.tar"), [layer_tar([entry("etc/os-release", OS_RELEASE)] + list(entries))])


def broken(result, *words):
    """Refused with words, not with a crash."""
    check(result.code == 4, f"exit {result.code}: {result.err}")
    check(any(w in result.err for w in words), f"none of {words} in: {result.err}")
    check("killed by" not in result.err, result.err)


def test_every_truncation_of_an_archive():
    with Folder() as d:
        path = one_layer(d, entry(STATUS, status(("a", "1"))))
        data = open(path, "rb").read().rstrip(b"\0")  # without the padding, whose loss changes nothing
        cut = os.path.join(d, "cut.tar")
        for n in list(range(0, 1600, 97)) + list(range(1600, len(data), 1111)):
            with open(cut, "wb") as f:
                f.write(data[:n])
            r = run("image", cut)
            check(r.code == 4, f"cut at {n} of {len(data)}: exit {r.code}")
            check("killed by" not in r.err, r.err)


def test_truncated_compressed_layers():
    tar = layer_tar([entry("etc/os-release", OS_RELEASE), entry(STATUS, status(("a", "1"))), entry("x", os.urandom(100000))])
    gz = gzip.compress(tar)
    for n in (0, 5, 17, 1000, len(gz) // 2, len(gz) - 9, len(gz) - 1):
        with Folder() as d:
            r = run("image", "oci:" + oci_dir(d, [gz[:n]], [sha(tar)]))
            broken(r, "truncated", "ends", "digest", "empty", "incomplete", "tar")


def test_wrong_digests():
    tar = layer_tar([entry("etc/os-release", OS_RELEASE), entry(STATUS, status(("a", "1")))])
    gz = gzip.compress(tar)
    with Folder() as d:
        broken(run("image", "oci:" + oci_dir(d, [gz], [sha(b"other")])), "diff ID")
    with Folder() as d:
        broken(run("image", docker_archive(d + "/i.tar", [tar], diff_ids=[sha(b"other")])), "diff ID")
    with Folder() as d:
        path = oci_dir(d, [gz], [sha(tar)])
        blob = os.path.join(path, "blobs/sha256", sha(gz)[7:])
        os.chmod(blob, 0o644)
        with open(blob, "wb") as f:
            f.write(gzip.compress(tar, 1))
        broken(run("image", "oci:" + path), "another digest than the manifest says")
    for victim in ("manifest", "config"):
        with Folder() as d:
            path = oci_dir(d, [gz], [sha(tar)])
            index = json.load(open(path + "/index.json"))
            name = index["manifests"][0]["digest"][7:]
            if victim == "config":
                name = json.load(open(f"{path}/blobs/sha256/{name}"))["config"]["digest"][7:]
            with open(f"{path}/blobs/sha256/{name}", "ab") as f:
                f.write(b" ")
            broken(run("image", "oci:" + path), "has another digest")


def test_missing_pieces():
    tar = layer_tar([entry(STATUS, status(("a", "1")))])
    for remove in range(3):
        with Folder() as d:
            path = oci_dir(d, [tar], [sha(tar)])
            blobs = sorted(os.listdir(path + "/blobs/sha256"))
            os.remove(f"{path}/blobs/sha256/{blobs[remove]}")
            broken(run("image", "oci:" + path), "no such", "not", "No such")
    for text in (b"", b"{}", b"[]", b"nonsense", b'[{"Config":"x","Layers":[]}]', b'[{"Config":5}]', b"[" * 100000,
                 b'[{"Config":"../../etc/passwd","Layers":["../x"]}]'):
        with Folder() as d:
            with open(d + "/i.tar", "wb") as f:
                f.write(layer_tar([entry("manifest.json", text)]))
            r = run("image", d + "/i.tar")
            check(r.code == 4 and "killed by" not in r.err, f"{text[:30]}: {r.code} {r.err}")


def test_what_is_no_image():
    for data in (b"", b"x", b"hello world" * 1000, os.urandom(4096), b"\0" * 10240, gzip.compress(b"hello"),
                 b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\x1f\x8b\x08\xff" + b"x" * 100):
        with Folder() as d:
            with open(d + "/i", "wb") as f:
                f.write(data)
            r = run("image", d + "/i")
            check(r.code == 4 and r.err and "killed by" not in r.err, f"{data[:10]}: {r.code} {r.err}")


def open_tar(*entries):
    """Members without the zero blocks that end a tar: more may follow."""
    data = layer_tar(list(entries), tarfile.USTAR_FORMAT)
    end = len(data.rstrip(b"\0"))
    return data[:(end + 511) // 512 * 512]


def bomb(path, zeros):
    """A gzip layer of a tar with one file of zeros; returns the tar's and the blob's digests."""
    diff, blob = hashlib.sha256(), hashlib.sha256()
    z = zlib.compressobj(9, zlib.DEFLATED, 31)
    with open(path, "wb") as out:
        def put(data, flush=False):
            diff.update(data)
            c = z.compress(data) + (z.flush() if flush else b"")
            blob.update(c)
            out.write(c)
        put(open_tar(entry("etc/os-release", OS_RELEASE), entry(STATUS, status(("a", "1")))))
        info = tarfile.TarInfo("zeros")
        info.size = zeros
        put(info.tobuf(tarfile.GNU_FORMAT))
        block = b"\0" * (1 << 20)
        for _ in range(zeros >> 20):
            put(block)
        put(b"\0" * 1024, True)
    return diff.hexdigest(), blob.hexdigest()


def test_a_bomb_of_zeros_is_read_in_flat_memory():
    size = (1 << 30) if SANITIZED else 10 << 30
    with Folder() as d:
        os.makedirs(d + "/blobs/sha256")
        diff, blob = bomb(d + "/blob", size)
        check(os.path.getsize(d + "/blob") < size // 500, "the bomb is no bomb")
        oci_dir(d, [b""], ["sha256:" + diff], digests=["sha256:" + blob])
        os.rename(d + "/blob", f"{d}/blobs/sha256/{blob}")
        code, out, err, peak, seconds = measured("image", "oci:" + d, "-f", "json", "--list-all-pkgs", "--no-cache")
        check(code == 0, f"exit {code}: {err}")
        equal([p["name"] for p in json.loads(out)["targets"][0]["packages"]], ["a"])
        flat(peak)
        print(f"     {size >> 30} GiB of zeros: {seconds:.1f} s, {peak >> 20} MiB")


def test_a_million_tiny_files():
    n = 100000 if SANITIZED else 1000000
    with Folder() as d:
        path = d + "/layer.tar"
        block = bytearray(tarfile.TarInfo("d/000000000").tobuf(tarfile.USTAR_FORMAT))
        with open(path, "wb", 1 << 20) as f:
            f.write(open_tar(entry("etc/os-release", OS_RELEASE), entry(STATUS, status(("a", "1")))))
            digits = sum(block[2:11])
            checksum = int(bytes(block[148:154]), 8)
            for i in range(n):
                name = b"%09d" % i
                block[2:11] = name
                block[148:154] = b"%06o" % (checksum - digits + sum(name))
                f.write(block)
            f.write(b"\0" * 1024)
        digest = subprocess.run(["sha256sum", path], stdout=subprocess.PIPE).stdout.split()[0].decode()
        os.makedirs(d + "/blobs/sha256")
        oci_dir(d, [b""], ["sha256:" + digest], digests=["sha256:" + digest])
        os.rename(path, f"{d}/blobs/sha256/{digest}")
        code, out, err, peak, seconds = measured("image", "oci:" + d, "-f", "json", "--list-all-pkgs", "--no-cache")
        check(code == 0, f"exit {code}: {err}")
        equal([p["name"] for p in json.loads(out)["targets"][0]["packages"]], ["a"])
        flat(peak)
        print(f"     {n} files: {seconds:.1f} s, {peak >> 20} MiB")


def test_deep_paths():
    deep = "/".join(["d"] * 10000) + "/"
    with Folder() as d:
        report = scan("image", one_layer(d, entry(deep + "status", status(("deep", "1"))), entry(STATUS, status(("a", "1"))),
                                         entry("d/" * 7000 + "x", b"1")))
        equal([p[1] for p in packages(report)], ["a"])
        check(any("impossible" in n["reason"] for n in not_assessed(report)), not_assessed(report))


def test_impossible_names():
    with Folder() as d:
        report = scan("image", one_layer(
            d, entry("../../" + STATUS, status(("up", "1"))), entry("x/../" + STATUS, status(("mid", "1"))),
            entry("/" + STATUS, status(("abs", "1"))), entry("./etc/./x//y", b"")))
        equal([p[1] for p in packages(report)], ["abs"])
        check(any(n.get("count") == 1 for n in not_assessed(report)), not_assessed(report))


def test_link_loops_and_long_chains():
    chain = [entry(f"l{i}", kind="symlink", link=f"l{i + 1}") for i in range(100)]
    with Folder() as d:
        report = scan("image", one_layer(d, *chain, entry("l100/status", status(("far", "1"))),
                                         entry("var/lib/dpkg", kind="symlink", link="/l0")))
        equal(packages(report), [])
        check(any("go round" in n["reason"] for n in not_assessed(report)), not_assessed(report))
    with Folder() as d:
        grow = entry("var/lib/dpkg", kind="symlink", link="x/" * 1500 + "../dpkg")
        report = scan("image", one_layer(d, grow, entry("var/lib/x", kind="symlink", link="/var/lib/dpkg")))
        equal(packages(report), [])
    with Folder() as d:
        equal(packages(scan("image", one_layer(d, entry(STATUS, kind="hardlink", link=STATUS)))), [])


def test_a_status_file_of_a_gigabyte_without_a_newline():
    size = (64 << 20) if SANITIZED else 1 << 30
    with Folder() as d:
        diff = hashlib.sha256()
        path = d + "/layer"
        with open(path, "wb") as f:
            head = open_tar(entry("etc/os-release", OS_RELEASE))
            info = tarfile.TarInfo(STATUS)
            info.size = size
            f.write(head + info.tobuf(tarfile.USTAR_FORMAT))
            for _ in range(size >> 20):
                f.write(b"x" * (1 << 20))
            f.write(b"\0" * 1024)
        digest = subprocess.run(["sha256sum", path], stdout=subprocess.PIPE).stdout.split()[0].decode()
        os.makedirs(d + "/blobs/sha256")
        oci_dir(d, [b""], ["sha256:" + digest], digests=["sha256:" + digest])
        os.rename(path, f"{d}/blobs/sha256/{digest}")
        code, out, err, peak, _ = measured("image", "oci:" + d, "-f", "json", "--no-cache")
        check(code == 0, err)
        check(any("DPKG_STATUS_SIZE_MAX" in n["reason"] for n in json.loads(out)["targets"][0]["not_assessed"]), out)
        flat(peak)
    with Folder() as d:
        report = scan("image", one_layer(d, entry(STATUS, b"Package: a\nVersion: 1\nX: " + b"y" * (20 << 20))))
        check(packages(report) or not_assessed(report), "a long line was passed over in silence")


def test_escape_sequences_do_not_reach_the_terminal():
    evil = "\x1b[31mred\x1b]0;title\x07\u202ebidi"
    with Folder() as d:
        image = one_layer(d, entry(STATUS, status(("a", "1")) + f"Package: {evil}\nStatus: install ok installed\nVersion: 1\n\n".encode()),
                          entry("etc/debian_version", evil.encode()))
        for arguments in (["-f", "table", "--list-all-pkgs"], ["-f", "json", "--list-all-pkgs"], ["-f", "sarif"], ["-f", "cyclonedx"]):
            r = run("image", image, *arguments, env={"COLUMNS": "80"})
            equal(r.code, 0, r.err)
            for text in (r.out, r.err):
                check("\x1b" not in text and "\x07" not in text, f"{arguments}: a control character")
    with Folder() as d:
        os.mkdir(d + "/\x1b[31m")
        r = run("image", d + "/\x1b[31m/none")
        check(r.code == 4 and "\x1b" not in r.err, repr(r.err))


def test_hostile_rpm_databases():
    rng = random.Random(1)
    sqlite = b"SQLite format 3\0" + bytes([16, 0, 2, 2, 0, 64, 32, 32]) + rng.randbytes(8000)
    ndb = b"RpmP" + struct.pack("<IIII", 0, 1, 4, 2) + rng.randbytes(8000)
    bdb = bytearray(rng.randbytes(16384))
    bdb[12:16] = struct.pack("<I", 0x00061561)
    for name, data in (("rpmdb.sqlite", sqlite), ("Packages.db", ndb), ("Packages", bytes(bdb))):
        for n in (len(data), 4096, 700, 100, 20):
            with Folder() as d:
                report = scan("image", one_layer(d, entry("var/lib/rpm/" + name, data[:n])))
                equal(packages(report), [], name)
                check(not_assessed(report), f"{name} of {n} bytes was passed over in silence")


def test_hostile_advisory_files():
    source = clean_env()["PLIMSOLL_DB"]
    if not os.path.exists(source):
        raise Skip("no database")
    data = open(source, "rb").read()
    rng = random.Random(2)
    with Folder() as d:
        image = one_layer(d, entry(STATUS, status(("openssl", "3.0.1-1"), ("zlib", "1:1.2.13.dfsg-1"))))
        for i in range(30 if SANITIZED else 120):
            bad = bytearray(data)
            if i % 3 == 0:
                bad = bad[:rng.randrange(len(bad))]
            else:
                for _ in range(rng.choice((1, 10, 1000))):
                    at = rng.randrange(512) if i % 3 == 1 else rng.randrange(len(bad))
                    bad[at] = rng.randrange(256)
            with open(d + "/db", "wb") as f:
                f.write(bad)
            r = run("image", image, "--db", d + "/db", "-f", "json")
            check(r.code in (0, 4), f"round {i}: exit {r.code} {r.err}")
        r = run("db", "verify", "--db", d + "/db")
        check(r.code == 4, f"db verify of a damaged file: exit {r.code}")


def test_random_damage_to_an_archive():
    rng = random.Random(3)
    with Folder() as d:
        tar = layer_tar([entry("etc/os-release", OS_RELEASE), entry(STATUS, status(("a", "1"), ("b", "2")))])
        path = docker_archive(d + "/i.tar", [tar])
        data = open(path, "rb").read()
        for i in range(40 if SANITIZED else 200):
            bad = bytearray(data)
            for _ in range(rng.choice((1, 5, 50))):
                bad[rng.randrange(len(bad))] = rng.randrange(256)
            with open(d + "/bad.tar", "wb") as f:
                f.write(bad)
            r = run("image", d + "/bad.tar") if i % 2 else run("image", "-", stdin=open(d + "/bad.tar", "rb"))
            check(r.code in (0, 4), f"round {i}: exit {r.code} {r.err}")
            check("killed by" not in r.err, f"round {i}: {r.err}")


def test_nested_and_encrypted_things():
    tar = layer_tar([entry("etc/os-release", OS_RELEASE), entry(STATUS, status(("a", "1")))])
    with Folder() as d:
        report = scan("image", "oci:" + oci_dir(d, [tar], [sha(tar)], media="application/vnd.oci.image.layer.v1.tar+gzip+encrypted"))
        check(any("encrypted" in n["reason"] for n in not_assessed(report)), not_assessed(report))
    with Folder() as d:
        path = oci_dir(d, [tar], [sha(tar)])
        index = json.load(open(path + "/index.json"))
        for _ in range(8):
            data = json.dumps(index).encode()
            with open(f"{path}/blobs/sha256/{sha(data)[7:]}", "wb") as f:
                f.write(data)
            index = {"schemaVersion": 2, "manifests": [{"mediaType": "application/vnd.oci.image.index.v1+json",
                                                        "digest": sha(data), "size": len(data)}]}
        json.dump(index, open(path + "/index.json", "w"))
        broken(run("image", "oci:" + path), "INDEX_DEPTH_MAX")


main(globals())
