#!/usr/bin/env python3
"""db update against a web server that behaves, and one that does not; killed, alone, twice at once, without room."""
import concurrent.futures
import gzip
import io
import json
import os
import random
import signal
import subprocess
import sys
import tarfile
import threading
import time
import zipfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from harness import *  # noqa: E402,F403
from feed_server import Fault, FeedServer  # noqa: E402

KEV = "cisa-kev/known_exploited_vulnerabilities.json"
CRAN, GO, WOLFI = "osv/CRAN/all.zip", "osv/Go/all.zip", "wolfi/security.json"
DB = "advisories.plimsoll"
EPOCH = {"SOURCE_DATE_EPOCH": "1800000000"}  # newer than the shipped database


def kev(ids, date="2026-08-20"):
    return json.dumps({"catalogVersion": "1", "dateReleased": date + "T00:00:00Z", "vulnerabilities": [
        {"cveID": i, "dateAdded": "2024-01-01", "vendorProject": "x"} for i in ids]}).encode()


def cves(n, year=2024):
    return [f"CVE-{year}-{10000 + i}" for i in range(n)]


def osv(ecosystem, n, pad=0, modified="2026-08-20T00:00:00Z", level=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", level) as z:
        for i in range(n):
            z.writestr(f"X-{i}.json", json.dumps({
                "id": f"X-{i}", "modified": modified, "aliases": [f"CVE-2023-{20000 + i}"],
                "details": random.Random(i).randbytes(pad // 2).hex(),
                "affected": [{"package": {"ecosystem": ecosystem, "name": f"p{i}"},
                              "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": f"1.{i}.0"}]}]}]}))
    return out.getvalue()


def wolfi(n):
    return json.dumps({"urlprefix": "https://packages.wolfi.dev/os", "packages": [
        {"pkg": {"name": f"w{i}", "secfixes": {"1.0-r0": [f"CVE-2022-{30000 + i}"]}}} for i in range(n)]}).encode()


KEV_IDS = cves(1500)
GOOD = {KEV: kev(KEV_IDS), CRAN: osv("CRAN", 30), WOLFI: wolfi(9000)}
FEEDS = "cisa-kev,osv/CRAN,wolfi"


def update(server, cache, *more, feeds=FEEDS, env=None, **kw):
    return run("db", "update", "--mirror", server.url, "--feed", feeds, "--cache-dir", cache, *more,
               env=dict(EPOCH, **(env or {})), **kw)


def states(result):
    """Feed -> what the summary says of it."""
    out = {}
    for line in result.out.splitlines():
        for name in ("cisa-kev", "osv/CRAN", "osv/Go", "wolfi", "alpine-secdb", "epss"):
            if line.startswith(name + " "):
                out[name] = line[len(name):].split()[0]
    return out


def sources(cache):
    """Source -> (date, advisories, facts) of the database in the cache."""
    r = run("db", "status", "--db", os.path.join(cache, DB), env={"PLIMSOLL_DB": ""})
    equal(r.code, 0, r.err)
    part = r.out.split("Sources:\n")[1].split("\nDistributions")[0].splitlines()
    rows = [line.split() for line in part[::2] if line.strip()]
    return {w[0]: (w[1], int(w[2]), int(w[4])) for w in rows}


def db_bytes(cache):
    with open(os.path.join(cache, DB), "rb") as f:
        return f.read()


def sound(cache):
    r = run("db", "verify", "--db", os.path.join(cache, DB))
    equal(r.code, 0, r.err)


def files(cache):
    return sorted(f"{d[len(cache):]}/{f}" for d, _, names in os.walk(cache) for f in names)


KEPT = ["/" + DB, "/feeds/cisa-kev.known_exploited_vulnerabilities.json.feed", "/feeds/osv-CRAN.all.zip.feed",
        "/feeds/wolfi.security.json.feed"]


# --- what ought to be ---

def test_new_then_unchanged():
    with Folder() as d, FeedServer(GOOD) as s:
        r = update(s, d)
        equal(r.code, 0, r.err)
        equal(states(r), {"cisa-kev": "new", "osv/CRAN": "new", "wolfi": "new"}, r.out)
        sound(d)
        equal(files(d), KEPT)
        equal({oct(os.stat(d + f).st_mode & 0o777) for f in KEPT[1:]}, {"0o600"})
        got = sources(d)
        equal(got["cisa-kev"][:2], ("2026-08-20", 1500))
        equal(got["osv-cran"], ("2026-08-20", 30, 30))
        check(got["almalinux"][2] > 200000, "what was not asked for stays")
        first = db_bytes(d)
        r = update(s, d)
        equal(set(states(r).values()), {"unchanged"}, r.out)
        equal(db_bytes(d), first, "the same feeds give the same bytes")
        equal([h.get("if-none-match") for _, h in s.asked(KEV)][0], None)
        check(s.asked(KEV)[1][1].get("if-none-match"), "a conditional request")
        equal(r.err, "", "quiet where it is no terminal")


def test_a_changed_feed_is_new():
    with Folder() as d, FeedServer(GOOD) as s:
        update(s, d)
        s.files[KEV] = kev(cves(1600), "2026-08-25")
        r = update(s, d)
        equal(states(r), {"cisa-kev": "new", "osv/CRAN": "unchanged", "wolfi": "unchanged"}, r.out)
        equal(sources(d)["cisa-kev"][:2], ("2026-08-25", 1600))
        s.fault[KEV] = Fault(no_validators=True, no_condition=True)
        equal(states(update(s, d))["cisa-kev"], "unchanged", "the same bytes without validators")


def test_gzip_encoding():
    with Folder() as d, FeedServer(GOOD) as s:
        s.fault = {p: Fault(gzip=True) for p in GOOD}
        equal(set(states(update(s, d)).values()), {"new"})
        equal(sources(d)["osv-cran"][1], 30, "a zip that was packed once more")


def test_a_feed_of_many_files():
    releases = [f"v3.{i}" for i in range(10, 23)] + ["edge"]
    feed = {f"alpine-secdb/{v}/{repo}.json": json.dumps({
        "urlprefix": "https://dl-cdn.alpinelinux.org/alpine", "distroversion": v, "packages": [
            {"pkg": {"name": f"{repo}-{i}", "secfixes": {"1-r0": [f"CVE-2021-{40000 + i}"]}}} for i in range(9)]}).encode()
        for v in releases for repo in ("main", "community")}
    with Folder() as d, FeedServer(feed) as s:
        r = update(s, d, feeds="alpine-secdb")
        equal(states(r), {"alpine-secdb": "new"}, r.out + r.err)
        equal(sources(d)["alpine"][2], 14 * 18)
        before = db_bytes(d)
        # One of them fails: the feed as a whole stays as it was, though another has news.
        s.files["alpine-secdb/v3.12/main.json"] = s.files["alpine-secdb/v3.13/main.json"].replace(b"v3.13", b"v3.12")[:-90] + b"]}"
        s.fault["alpine-secdb/v3.15/community.json"] = Fault(status=404)
        r = update(s, d, feeds="alpine-secdb")
        equal(r.code, 4, r.out)
        check("v3.15/community.json: the server answers 404" in r.err, r.err)
        equal(db_bytes(d), before)


# --- what goes wrong ---

def failing(fault, *more, words="", code=0, feeds=FEEDS, expect="failed"):
    """KEV changes and is served with a fault: the others are well, and its old facts and date stay."""
    with Folder() as d, FeedServer(GOOD) as s:
        equal(update(s, d).code, 0)
        before = sources(d)
        s.files[KEV] = kev(cves(1700), "2026-08-28")
        s.files[CRAN] = osv("CRAN", 31)
        s.fault[KEV] = fault
        r = update(s, d, *more, feeds=feeds)
        equal(r.code, code, r.err)
        equal(states(r), {"cisa-kev": expect, "osv/CRAN": "new", "wolfi": "unchanged"}, r.out)
        check(words in r.out, (words, r.out))
        sound(d)
        after = sources(d)
        if expect == "failed":
            check("kept from 2026-08-20" in r.out, r.out)
            equal(after["cisa-kev"], before["cisa-kev"])
            check("1 of 3 feeds could not be updated" in r.err, r.err)
        else:
            equal(after["cisa-kev"][:2], ("2026-08-28", 1700))
        equal(after["osv-cran"][1], 31)
        # And well again, once the server is.
        s.fault = {}
        equal(update(s, d, "--strict").code, 0)
        equal(sources(d)["cisa-kev"][:2], ("2026-08-28", 1700))
        equal(files(d), KEPT, "leftovers")
        return r


def test_404():
    failing(Fault(status=404), words="the server answers 404")


def test_strict():
    failing(Fault(status=403), "--strict", words="the server answers 403", code=3)


def test_500_then_200():
    failing(Fault(status=500, times=2), expect="new")


def test_429_with_retry_after():
    at = time.monotonic()
    failing(Fault(status=429, times=1, headers={"Retry-After": "2"}), expect="new")
    check(time.monotonic() - at >= 2, "it did not wait")


def test_truncated_and_resumed():
    failing(Fault(cut=50000, cuts=2), expect="new")


def test_truncated_without_range():
    failing(Fault(cut=50000, cuts=1, no_range=True), expect="new")


def test_truncated_for_ever_without_range():
    failing(Fault(cut=50000, no_range=True))


def test_truncated_for_ever_in_the_same_place():
    failing(Fault(cut=0, no_range=True))


def test_wrong_length():
    failing(Fault(length=10 << 20, no_range=True))


def test_truncated_without_a_length():
    """Nothing on the wire tells: the importer does."""
    failing(Fault(cut=50000, no_length=True, no_range=True))


def test_garbage():
    failing(Fault(body=random.Random(1).randbytes(100000)), words="not a feed that this version reads")


def test_another_feed_in_its_place():
    failing(Fault(body=GOOD[WOLFI]))


def test_a_page_of_a_captive_portal():
    failing(Fault(body=b"<html><body>Please log in</body></html>" * 50), words="not a feed")


def test_nothing():
    failing(Fault(body=b""))


def test_much_smaller():
    failing(Fault(body=kev(cves(20), "2026-08-28")), words="where it said")


def test_older():
    failing(Fault(body=kev(cves(1700), "2024-02-01")), words="older than what is here")


def test_force():
    with Folder() as d, FeedServer(GOOD) as s:
        update(s, d)
        s.files[KEV] = kev(cves(20), "2024-02-01")
        equal(states(update(s, d))["cisa-kev"], "failed")
        equal(states(update(s, d, "--force"))["cisa-kev"], "new")
        equal(sources(d)["cisa-kev"][:2], ("2024-02-01", 20))


def test_slow():
    failing(Fault(pace=(500, 0.1)), "--feed-timeout", "3s", words="not there after 3 seconds")


def test_hanging():
    failing(Fault(hang=True), "--feed-timeout", "3s", words="not there after 3 seconds")


def test_endless():
    failing(Fault(endless=True), words="larger than the")


def test_redirect_loop():
    failing(Fault(redirect="/" + KEV), words="redirect")


def test_redirect_elsewhere():
    with FeedServer({"there": kev(cves(1700), "2026-08-28")}) as other:
        failing(Fault(redirect=other.url + "/there"), expect="new")


def test_bomb():
    """A kilobyte for each megabyte, of which there are 1,100."""
    member = gzip.compress(b"[" * (1 << 20))
    failing(Fault(body=member * 1100), words="not a feed")


def test_mirrors_in_their_order():
    with Folder() as d, FeedServer({}) as empty, FeedServer(GOOD) as s:
        r = run("db", "update", "--mirror", empty.url, "--mirror", s.url, "--feed", FEEDS, "--cache-dir", d, env=EPOCH)
        equal(set(states(r).values()), {"new"}, r.out)
        check(len(empty.asked(KEV)) == 1 and len(s.asked(KEV)) == 1, "first the first")
        dead = "http://127.0.0.1:9"
        r = run("db", "update", "--mirror", dead, "--mirror", s.url, "--feed", FEEDS, "--cache-dir", d, env=EPOCH)
        equal(set(states(r).values()), {"unchanged"}, r.out)
        with open(d + "/c.yaml", "w") as f:
            f.write(f"mirror:\n  - {empty.url}\n  - {s.url}\nfeed: [cisa-kev]\n")
        r = run("db", "update", "--config", d + "/c.yaml", "--cache-dir", d, env=EPOCH)
        equal(states(r), {"cisa-kev": "unchanged"}, r.out + r.err)


def test_nothing_reached():
    with Folder() as d, FeedServer(GOOD) as s:
        update(s, d)
        before = db_bytes(d)
    with Folder() as none:
        for cache in (d, none):
            r = run("db", "update", "--mirror", "http://127.0.0.1:9", "--cache-dir", cache)
            equal(r.code, 4, r.out)
            check("the old database stands" in r.err and "cisa-kev" in r.err, r.err)
        equal(files(none), [])


def test_nothing_reached_keeps():
    with Folder() as d, FeedServer(GOOD) as s:
        update(s, d)
        before, kept = db_bytes(d), files(d)
        r = run("db", "update", "--mirror", "http://127.0.0.1:9", "--cache-dir", d)
        equal(r.code, 4, r.out)
        equal((db_bytes(d), files(d)), (before, kept))


def test_without_an_earlier_file_the_old_database_is_asked():
    """The shipped database alone knows of wolfi; its facts and its date stay, to the last one."""
    with Folder() as d, FeedServer({KEV: GOOD[KEV]}) as s:
        r = update(s, d)
        equal(states(r), {"cisa-kev": "new", "osv/CRAN": "failed", "wolfi": "failed"}, r.out)
        check("kept from 2025-05-07" in r.out and "nothing is known of it" in r.out, r.out)
        shipped = os.path.join(SOURCE, "data")
        was, now = sources(shipped), sources(d)
        for name in ("wolfi", "almalinux", "debian-changelogs", "cve"):
            equal(now[name], was[name], name)


def test_a_damaged_kept_file():
    with Folder() as d, FeedServer(GOOD) as s:
        update(s, d)
        before = db_bytes(d)
        path = d + KEPT[1]
        with open(path, "r+b") as f:
            f.seek(9000)
            f.write(b"\0\0\0")
        r = update(s, d)
        equal(states(r)["cisa-kev"], "new", "not believed, and fetched again")
        equal(db_bytes(d), before)
        with open(path, "r+b") as f:
            f.truncate(5000)
        s.fault[KEV] = Fault(status=404)
        r = update(s, d)
        check("kept from 2026-08-20" in r.out, r.out)
        equal(sources(d)["cisa-kev"][:2], ("2026-08-20", 1500))


def test_a_damaged_old_database():
    with Folder() as d, FeedServer(GOOD) as s:
        update(s, d)
        data = bytearray(db_bytes(d))
        data[len(data) // 2] ^= 0xFF
        with open(d + "/" + DB, "wb") as f:
            f.write(data)
        r = update(s, d)
        equal(r.code, 0, r.err)
        check("nothing is carried over" in r.err, r.err)
        sound(d)


# --- without a network ---

def test_from_a_folder():
    with Folder() as d:
        for path, data in GOOD.items():
            os.makedirs(os.path.dirname(f"{d}/m/{path}"))
            with open(f"{d}/m/{path}", "wb") as f:
                f.write(data)
        r = run("db", "update", "--from", d + "/m", "--cache-dir", d + "/c", "--offline", env=EPOCH)
        equal(r.code, 0, r.err)
        equal(set(states(r).values()), {"new"}, r.out)
        want = db_bytes(d + "/c")
        got = sources(d + "/c")
        equal((got["cisa-kev"][1], got["osv-cran"][1]), (1500, 30))
        # The same folder in archives, below a folder of its own, with strangers and tricks beside.
        with tarfile.open(d + "/m.tar.xz", "w:xz") as t:
            t.add(d + "/m", "feeds-2026")
            for name in ("../../" + KEV, "/etc/passwd"):
                info = tarfile.TarInfo(name)
                info.size = 4
                t.addfile(info, io.BytesIO(b"evil"))
        with tarfile.open(d + "/m.tar", "w") as t:
            t.add(d + "/m", ".")
        subprocess.run(["zstd", "-q", d + "/m.tar"], check=True)
        with zipfile.ZipFile(d + "/m.zip", "w") as z:
            for path in GOOD:
                z.write(f"{d}/m/{path}", path)
        for archive in ("m.tar.xz", "m.tar", "m.tar.zst", "m.zip"):
            r = run("db", "update", "--from", f"{d}/{archive}", "--cache-dir", d + "/" + archive[2:], env=EPOCH)
            equal(r.code, 0, archive + r.err)
            equal(set(states(r).values()), {"new"}, archive + r.out)
            sound(d + "/" + archive[2:])
            equal(files(d + "/" + archive[2:]), ["/" + DB])
            now = sources(d + "/" + archive[2:])
            equal({k: v[1:] for k, v in now.items()}, {k: v[1:] for k, v in got.items()}, archive)
        # One feed.
        r = run("db", "update", "--from", f"{d}/m/{KEV}", "-o", d + "/one.db", "--cache-dir", d + "/x", env=EPOCH)
        equal((r.code, states(r)), (0, {"cisa-kev": "new"}), r.err)
        # An advisory file, as it is; an older one not.
        r = run("db", "update", "--from", d + "/c/" + DB, "--cache-dir", d + "/y")
        equal(r.code, 0, r.err)
        equal(db_bytes(d + "/y"), want)
        r = run("db", "update", "--from", os.path.join(SOURCE, "data", DB), "--cache-dir", d + "/y")
        check(r.code in (0, 4), r.err)


def test_from_what_is_no_feed():
    with Folder() as d:
        os.mkdir(d + "/empty")
        with open(d + "/noise.tar.gz", "wb") as f:
            f.write(random.Random(2).randbytes(5000))
        with open(d + "/zero", "wb"):
            pass
        with open(d + "/half.db", "wb") as f:
            f.write(open(os.path.join(SOURCE, "data", DB), "rb").read()[:500000])
        for name in ("empty", "none", "noise.tar.gz", "zero", "half.db"):
            r = run("db", "update", "--from", f"{d}/{name}", "--cache-dir", d + "/c")
            equal(r.code, 4, (name, r.out, r.err))
            check(not os.path.exists(d + "/c/" + DB), name)
        r = run("db", "update", "--from", d + "/empty", "--feed", "wolfi", "--cache-dir", d + "/c")
        equal(r.code, 4)
        check("wolfi: is not in" in r.err, r.err)


def test_what_is_fetched_later_does_not_step_back():
    """A newer feed from a folder, then a server that fails: the older file of the cache is not taken again."""
    with Folder() as d, FeedServer(GOOD) as s:
        update(s, d)
        os.makedirs(d + "/m/cisa-kev")
        with open(f"{d}/m/{KEV}", "wb") as f:
            f.write(kev(cves(1800), "2026-09-01"))
        equal(run("db", "update", "--from", d + "/m", "--cache-dir", d, env=EPOCH).code, 0)
        s.fault[KEV] = Fault(status=404)
        update(s, d)
        equal(sources(d)["cisa-kev"][:2], ("2026-09-01", 1800))


def test_usage():
    with Folder() as d:
        for args, words in ((["--offline"], "--offline"), (["--feed", "nonsense"], "no feed \"nonsense\""),
                            (["--mirror", "ftp://x/"], "http://HOST"), (["--mirror", "http://me:secret@x/"], "user name"),
                            (["extra"], "no argument"), (["--feed-timeout", "soon"], "wants a time"),
                            (["--from", d, "--mirror", "http://x/"], "different things")):
            r = run("db", "update", "--cache-dir", d, *args)
            equal(r.code, 2, (args, r.err))
            check(words in r.err, (args, r.err))
            check("secret" not in r.err or "me:secret" in " ".join(args), r.err)
        r = run("db", "update", "--list")
        equal(r.code, 0)
        check("cisa-kev" in r.out and "CC0-1.0" in r.out and "osv/Go" in r.out, r.out)


# --- killed, twice at once, without room ---

def big_feeds():
    return dict(GOOD, **{GO: osv("Go", 400, pad=8000, level=zipfile.ZIP_STORED)})


BIG = FEEDS + ",osv/Go"


def start(*args):
    return subprocess.Popen([PROGRAM, "db", "update"] + list(args), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                            env=clean_env(EPOCH))


def test_killed_at_twenty_points():
    rng = random.Random(5)
    feeds = big_feeds()
    with Folder() as d, FeedServer(feeds) as s:
        image = docker_archive(d + "/i.tar", [layer_tar([entry("etc/os-release", OS_RELEASE),
                                                         entry("var/lib/dpkg/status", status(("zlib", "1")))])])
        cache = d + "/c"
        at = time.monotonic()
        equal(update(s, cache, feeds=BIG).code, 0)
        took = time.monotonic() - at
        total = s.sent
        alive = 0
        for point in range(20):
            # New content for all of them, so that everything is fetched and built again.
            date = f"2026-09-{point + 1:02}"
            s.files[KEV] = kev(cves(1500 + point), date)
            s.files[GO] = osv("Go", 400 + point, pad=8000, level=zipfile.ZIP_STORED)
            p = None
            if point < 10:
                s.sent, stop = 0, total * (point + 1) // 11
                gone = threading.Event()

                def hook(sent, stop=stop, gone=gone):
                    if sent >= stop and not gone.is_set():
                        gone.set()
                        if p:
                            p.send_signal(signal.SIGKILL)
                s.fault = {f: Fault(hook=hook, pace=(20000, 0.002)) for f in feeds}
                p = start("--mirror", s.url, "--feed", BIG, "--cache-dir", cache)
            else:
                s.fault = {}
                p = start("--mirror", s.url, "--feed", BIG, "--cache-dir", cache)
                time.sleep(took * rng.uniform(0.05, 1.0))
                p.send_signal(signal.SIGKILL)
            alive += p.wait() == -signal.SIGKILL
            sound(cache)
            r = run("image", image, "--db", cache + "/" + DB)
            equal(r.code, 0, r.err)
            check(len(files(cache)) <= 2 + 2 * len(feeds) + 4, files(cache))
        check(alive >= 10, f"only {alive} of 20 were killed")
        s.fault = {}
        time.sleep(0.2)
        r = update(s, cache, feeds=BIG)
        equal(r.code, 0, r.err)
        sound(cache)
        equal(sources(cache)["go"][1], 419)
        equal(files(cache), sorted(KEPT + ["/feeds/osv-Go.all.zip.feed"]), "leftovers")


def test_killed_with_from():
    rng = random.Random(6)
    with Folder() as d:
        for path, data in big_feeds().items():
            os.makedirs(os.path.dirname(f"{d}/m/{path}"))
            with open(f"{d}/m/{path}", "wb") as f:
                f.write(data)
        with tarfile.open(d + "/m.tar.gz", "w:gz") as t:
            t.add(d + "/m", ".")
        at = time.monotonic()
        equal(run("db", "update", "--from", d + "/m.tar.gz", "--cache-dir", d + "/c").code, 0)
        took = time.monotonic() - at
        for _ in range(10):
            p = start("--from", d + "/m.tar.gz", "--cache-dir", d + "/c")
            time.sleep(took * rng.uniform(0.05, 1.0))
            p.send_signal(signal.SIGKILL)
            p.wait()
            sound(d + "/c")
        time.sleep(0.2)
        equal(run("db", "update", "--from", d + "/m.tar.gz", "--cache-dir", d + "/c").code, 0)
        equal(files(d + "/c"), ["/" + DB])


def test_what_was_killed_is_resumed():
    feeds = big_feeds()
    half = len(feeds[GO]) // 2
    with Folder() as d, FeedServer(feeds) as s:
        reached = threading.Event()
        s.fault[GO] = Fault(hook=lambda sent: sent > half and reached.set(), pace=(20000, 0.01))
        p = start("--mirror", s.url, "--feed", "osv/Go", "--cache-dir", d)
        check(reached.wait(30), "half of it was never sent")
        p.send_signal(signal.SIGKILL)
        p.wait()
        part = os.path.getsize(d + "/feeds/osv-Go.all.zip.part") - 4096
        check(part > 100000, part)
        s.fault, s.requests = {}, []
        r = update(s, d, feeds="osv/Go")
        equal(states(r), {"osv/Go": "new"}, r.out + r.err)
        equal([h.get("range") for _, h in s.asked(GO)], [f"bytes={part}-"])
        equal(sources(d)["go"][1], 400)


def test_what_was_killed_and_has_changed_is_not_resumed():
    feeds = big_feeds()
    for fault in (Fault(), Fault(no_range=True), Fault(no_condition=True)):
        with Folder() as d, FeedServer(feeds) as s:
            reached = threading.Event()
            s.fault[GO] = Fault(hook=lambda sent: sent > len(feeds[GO]) // 2 and reached.set(), pace=(20000, 0.01))
            p = start("--mirror", s.url, "--feed", "osv/Go", "--cache-dir", d)
            check(reached.wait(30), "half of it was never sent")
            p.send_signal(signal.SIGKILL)
            p.wait()
            # Other bytes from the first record on, so that a mixture of both is no archive.
            s.files[GO] = osv("Go", 401, pad=8600, level=zipfile.ZIP_STORED)
            s.fault[GO] = fault
            r = update(s, d, feeds="osv/Go")
            equal(states(r), {"osv/Go": "new"}, r.out + r.err)
            equal(sources(d)["go"][1], 401)


def test_two_at_once():
    with Folder() as d, FeedServer(GOOD) as s:
        s.fault = {p: Fault(pace=(20000, 0.05)) for p in GOOD}
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            results = list(pool.map(lambda _: update(s, d), range(2)))
        check(any(r.code == 0 for r in results), [r.err for r in results])
        for r in results:
            check(r.code == 0 or "another update is running" in r.err, (r.code, r.err))
        sound(d)
        equal(files(d), KEPT)


def small_disk(folder, size):
    if os.geteuid() != 0:
        raise Skip("wants root for a small file system")
    os.makedirs(folder)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=" + size, "none", folder], stderr=subprocess.DEVNULL).returncode:
        raise Skip("cannot mount a tmpfs")


def test_a_full_disk():
    with Folder() as d, FeedServer(GOOD) as s:
        small_disk(d + "/small", "4m")
        try:
            cache = d + "/small/c"
            equal(update(s, cache).code, 0)
            before = db_bytes(cache)
            with open(d + "/small/fill", "wb", buffering=0) as f:
                try:
                    while True:
                        f.write(b"x" * 4096)
                except OSError:
                    pass
            s.files[KEV] = kev(cves(1700), "2026-08-28")
            r = update(s, cache)
            equal(r.code, 4, r.out)
            check("No space left on device" in r.err, r.err)
            equal(db_bytes(cache), before)
            os.unlink(d + "/small/fill")
            # Room for the feeds, not for the database beside the old one.
            with open(d + "/small/fill", "wb") as f:
                v = os.statvfs(d + "/small")
                f.write(b"x" * (v.f_bavail * v.f_bsize - 600000))
            r = update(s, cache)
            equal(r.code, 4, r.out)
            check("No space left on device" in r.err, r.err)
            equal(db_bytes(cache), before)
            os.unlink(d + "/small/fill")
            r = update(s, cache)
            equal(r.code, 0, r.err)
            equal(files(cache), KEPT)
        finally:
            subprocess.run(["umount", d + "/small"])


def test_a_read_only_cache():
    with Folder() as d, FeedServer(GOOD) as s:
        small_disk(d + "/small", "8m")
        try:
            cache = d + "/small/c"
            update(s, cache)
            before = db_bytes(cache)
            subprocess.run(["mount", "-o", "remount,ro", d + "/small"], check=True)
            r = update(s, cache)
            equal(r.code, 4, r.out)
            check("Read-only file system" in r.err, r.err)
            equal(db_bytes(cache), before)
        finally:
            subprocess.run(["umount", d + "/small"])


def test_a_folder_that_is_not_ours():
    if os.geteuid() != 0:
        raise Skip("wants root to be somebody else")
    with Folder() as d, FeedServer(GOOD) as s:
        os.chmod(d, 0o755)
        update(s, d + "/c")
        p = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", PROGRAM, "db", "update",
                            "--mirror", s.url, "--cache-dir", d + "/c"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           env=clean_env())
        equal(p.returncode, 4, p.stderr)
        check(b"Permission denied" in p.stderr, p.stderr)
        mine = d + "/mine"
        os.mkdir(mine)
        os.chown(mine, 65534, 65534)
        p = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", PROGRAM, "db", "update",
                            "--mirror", s.url, "--feed", FEEDS, "--cache-dir", mine], stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, env=clean_env(EPOCH))
        equal(p.returncode, 0, p.stderr)


# --- real feeds ---

def test_real_feeds():
    folder = os.path.join(SHARED, "feeds")
    if not os.path.isdir(folder + "/osv"):
        raise Skip("no folder of feeds")
    with Folder() as d, FeedServer(folder=folder) as s:
        names = "cisa-kev,wolfi,osv/AlmaLinux,osv/Go,osv/PyPI,osv/crates.io,osv/Bitnami"
        r = update(s, d, feeds=names)
        equal(r.code, 0, r.err)
        check("failed" not in r.out, r.out)
        sound(d)
        online = sources(d)
        r = run("db", "update", "--from", folder, "--feed", names, "--cache-dir", d + "/x", env=EPOCH)
        equal(r.code, 0, r.err)
        equal({k: v[1:] for k, v in sources(d + "/x").items()}, {k: v[1:] for k, v in online.items()})


main(globals())
