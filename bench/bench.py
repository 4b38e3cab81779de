#!/usr/bin/env python3
"""make bench: the goals of the design's speed table that exist so far, side by side with living peers in one run.

Medians of paired runs, taken in turn, warm page cache; ratios are what counts, these machines are noisy.
    bench.py [--rounds N] [PART...]      parts: start archive plain again engine registry db"""
import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from common import *  # noqa: E402,F403
from services import docker_engine, docker_load, registry, registry_push  # noqa: E402

ROUNDS = 5
FAILED = []


def timed(command, before=None):
    if before:
        before()
    start = time.perf_counter()
    p = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    seconds = time.perf_counter() - start
    if p.returncode:
        raise RuntimeError(f"{command[:4]}: exit {p.returncode}: {p.stderr.decode()[-500:]}")
    return seconds


def paired(rounds, **commands):
    """name -> list of seconds, each round running all in turn; the first round warms up and is not counted."""
    times = {name: [] for name in commands}
    for i in range(rounds + 1):
        for name, (command, before) in commands.items():
            t = timed(command, before)
            if i:
                times[name].append(t)
    return times


def median_ratio(times, a, b):
    """Median of the ratios of each pair, a to b."""
    return statistics.median(x / y for x, y in zip(times[a], times[b]))


def peak_memory(command, before=None):
    """Parent and live workers together: the proportional set sizes, sampled."""
    if before:
        before()
    p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    peak = 0
    while p.poll() is None:
        total = 0
        try:
            with open(f"/proc/{p.pid}/task/{p.pid}/children") as f:
                pids = [str(p.pid)] + f.read().split()
            for pid in pids:
                try:
                    with open(f"/proc/{pid}/smaps_rollup") as f:
                        total += int(re.search(r"^Pss:\s+(\d+)", f.read(), re.M).group(1))
                except (OSError, AttributeError):
                    pass
        except OSError:
            pass
        peak = max(peak, total)
        time.sleep(0.002)
    return peak / 1024


def goal(words, value, limit, at_most=True, unit=""):
    ok = value <= limit if at_most else value >= limit
    if not ok:
        FAILED.append(words)
    print(f"    {'ok  ' if ok else 'MISS'} {words}: {value:.3g}{unit} (goal {'<=' if at_most else '>='} {limit}{unit})")


def show(times):
    for name, t in times.items():
        print(f"    {name:<28} median {statistics.median(t) * 1000:9.1f} ms   best {min(t) * 1000:9.1f} ms")


def spawned(command):
    """Seconds from spawn to exit, without Python's own way of starting programs, which takes a millisecond."""
    quiet = [(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0), (os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0)]
    start = time.perf_counter()
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=quiet)
    os.waitpid(pid, 0)
    return time.perf_counter() - start


def part_start(args):
    print("start (--version)")
    commands = {"true": ["/bin/true"], "plimsoll": [PROGRAM, "--version"]}
    if trivy():
        commands["trivy"] = [trivy(), "--version"]
    times = {name: [] for name in commands}
    for _ in range(8 * args.rounds):
        for name, command in commands.items():
            times[name].append(spawned(command))
    show(times)
    goal("start", statistics.median(times["plimsoll"]) * 1000, 3, unit=" ms")


def own_cache():
    return path("own-cache")


def forget_own():
    shutil.rmtree(own_cache(), ignore_errors=True)


def own_scan(target, *more):
    return [PROGRAM, "image", target, "--cache-dir", own_cache(), "--db", same_facts_db(), "-f", "json", *more]


def trivy_scan(target, cache):
    return [trivy(), "image", "--input", target, "--cache-dir", cache] + TRIVY_FLAGS


def part_archive(args):
    for name, root in (("small", small_root), ("large", large_root)):
        layout = image(name, "oci-dir", root, "gzip")
        blob = largest_blob(layout)
        print(f"{name}: one gzip layer of {os.path.getsize(blob) / 1e6:.0f} MB, cold, packages and vulnerabilities")
        commands = {"igzip -d": (["igzip", "-d", "-c", blob], None),
                    "plimsoll": (own_scan("oci:" + layout), forget_own)}
        cache = trivy_cache() if trivy() else None
        if cache:
            commands["trivy"] = (trivy_scan(layout, cache), lambda: forget_layers(cache))
        times = paired(args.rounds, **commands)
        show(times)
        goal("to igzip", median_ratio(times, "plimsoll", "igzip -d"), 1.15, unit="x")
        if cache:
            goal("Trivy to plimsoll", median_ratio(times, "trivy", "plimsoll"), 3.7, at_most=False, unit="x")
        goal("memory", peak_memory(own_scan("oci:" + layout), forget_own), 64, unit=" MB")


def part_plain(args):
    for name, root in (("small", small_root), ("large", large_root)):
        archive = image(name, "docker-old", root, "none")
        print(f"{name}: uncompressed docker-archive of {os.path.getsize(archive) / 1e6:.0f} MB, cold")
        commands = {"openssl dgst -sha256": (["openssl", "dgst", "-sha256", archive], None),
                    "plimsoll": (own_scan("docker-archive:" + archive), forget_own)}
        cache = trivy_cache() if trivy() else None
        if cache:
            commands["trivy"] = (trivy_scan(archive, cache), lambda: forget_layers(cache))
        times = paired(args.rounds, **commands)
        show(times)
        goal("to openssl dgst", median_ratio(times, "plimsoll", "openssl dgst -sha256"), 1.15, unit="x")
        goal("memory", peak_memory(own_scan("docker-archive:" + archive), forget_own), 64, unit=" MB")


def part_again(args):
    for name, root in (("small", small_root), ("large", large_root)):
        layout = image(name, "oci-dir", root, "gzip")
        print(f"{name}: the same file again")
        forget_own()
        timed(own_scan("oci:" + layout))
        commands = {"plimsoll, cached": (own_scan("oci:" + layout), None)}
        cache = trivy_cache() if trivy() else None
        if cache:
            timed(trivy_scan(layout, cache))
            commands["trivy, cached"] = (trivy_scan(layout, cache), None)
        times = paired(2 * args.rounds, **commands)
        show(times)
        if cache:
            goal("Trivy to plimsoll", median_ratio(times, "trivy, cached", "plimsoll, cached"), 10, at_most=False, unit="x")


def engine_commands(address, name, cache):
    """Ours, Trivy's first look (its memory of layers removed) and its second."""
    commands = {"plimsoll": (own_scan(f"docker:{name}", "--host", address), forget_own)}
    if cache:
        scan = ["env", "DOCKER_HOST=" + address, trivy(), "image", name, "--image-src", "docker", "--cache-dir", cache]
        commands["trivy"] = (scan + TRIVY_FLAGS, lambda: forget_layers(cache))
        commands["trivy, again"] = (scan + TRIVY_FLAGS, None)
    return commands


def part_engine(args):
    with docker_engine() as address:
        for name, root in (("small", small_root), ("large", large_root)):
            if not address:
                return
            archive = image(name, "docker-old", root, "none")
            docker_load(address, archive, name + ":1")
            print(f"{name}: image of {os.path.getsize(archive) / 1e6:.0f} MB in Docker's engine")
            cache = trivy_cache() if trivy() else None
            commands = engine_commands(address, name + ":1", cache)
            times = paired(args.rounds, **commands)
            show(times)
            if cache:
                goal("Trivy to plimsoll", median_ratio(times, "trivy", "plimsoll"), 40, at_most=False, unit="x")
                goal("Trivy's second run to plimsoll", median_ratio(times, "trivy, again", "plimsoll"), 1, at_most=False,
                     unit="x")
            goal("memory", peak_memory(*commands["plimsoll"]), 64, unit=" MB")


def part_registry(args):
    with registry() as host:
        for name, root in (("small", small_root), ("large", large_root)):
            if not host:
                return
            layout = image(name, "oci-dir", root, "gzip")
            registry_push(host, layout, name + ":1")
            blob = largest_blob(layout)
            print(f"{name}: one gzip layer of {os.path.getsize(blob) / 1e6:.0f} MB in a registry on loopback, cold")
            url = f"http://{host}/v2/{name}/blobs/sha256:{os.path.basename(blob)}"
            commands = {"curl | igzip -d": (["sh", "-c", f"curl -s {url} | igzip -d -c >/dev/null"], None),
                        "plimsoll": (own_scan(f"registry:{host}/{name}:1"), forget_own)}
            times = paired(args.rounds, **commands)
            show(times)
            goal("to curl | igzip", median_ratio(times, "plimsoll", "curl | igzip -d"), 1.15, unit="x")
            goal("memory", peak_memory(*commands["plimsoll"]), 64, unit=" MB")


def part_db(args):
    feeds = os.path.join(SHARED, "feeds")
    print("advisory file")
    if os.path.isdir(feeds):
        out = path("bench.db")
        t = [timed([PROGRAM, "db", "build", "--feeds", feeds, "-o", out, "-q"]) for _ in range(3)]
        print(f"    {os.path.getsize(out) / 1e6:.1f} MB from all feeds")
        goal("db build over all feeds", statistics.median(t), 20, unit=" s")
    bench = os.path.join(os.path.dirname(PROGRAM), "bench", "bench_db")
    shipped = os.path.join(SOURCE, "data", "advisories.plimsoll")
    if os.path.exists(bench):
        out = subprocess.run([bench, shipped], check=True, stdout=subprocess.PIPE).stdout.decode()
        print("   ", out.strip())
        goal("open the shipped database", float(out.split()[1]), 1, unit=" ms")


PARTS = {"start": part_start, "archive": part_archive, "plain": part_plain, "again": part_again, "engine": part_engine,
         "registry": part_registry, "db": part_db}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("parts", nargs="*", choices=list(PARTS) + [[]])
    p.add_argument("--rounds", type=int, default=ROUNDS)
    args = p.parse_args()
    for name in args.parts or PARTS:
        PARTS[name](args)
    print(f"\n{len(FAILED)} goals missed" + (": " + "; ".join(FAILED) if FAILED else ""))
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
