"""What the end-to-end tests share: running the program, making small images, plain assertions with words.

A test file defines functions test_*; main() runs them all and prints one line each. Exit 77 skips (meson's number)."""
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import traceback

SOURCE = os.environ.get("PLIMSOLL_SOURCE") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("PLIMSOLL_BUILD") or os.path.join(SOURCE, "build")
SHARED = os.environ.get("PLIMSOLL_SHARED") or os.path.join(SOURCE, "..", "shared")
PROGRAM = os.environ.get("PLIMSOLL_PROGRAM") or os.path.join(BUILD, "plimsoll")
SANITIZED = bool(os.environ.get("PLIMSOLL_SANITIZED"))


class Skip(Exception):
    pass


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def json(self):
        return json.loads(self.out)


def clean_env(extra=None):
    env = {k: v for k, v in os.environ.items() if not k.startswith("PLIMSOLL_")}
    env["PLIMSOLL_DB"] = os.environ.get("PLIMSOLL_TEST_DB") or os.path.join(SOURCE, "data", "advisories.plimsoll")
    env.pop("NO_COLOR", None)
    env.update(extra or {})
    return env


def run(*args, stdin=None, env=None, cwd=None, timeout=300, cache=None):
    """Runs the program; without `cache` (a folder) nothing is cached."""
    args = [PROGRAM] + list(args)
    if cache:
        args += ["--cache-dir", cache]
    elif args[1:2] and args[1] in ("image", "fs"):
        args += ["--no-cache"]
    p = subprocess.run(args, stdin=stdin if stdin is not None else subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, env=clean_env(env), cwd=cwd, timeout=timeout)
    return Result(p.returncode, p.stdout.decode("utf-8", "replace"), p.stderr.decode("utf-8", "replace"))


def scan(*args, **kw):
    """An image or fs scan as JSON; fails loudly if it does not end well."""
    r = run(*args, "-f", "json", "--list-all-pkgs", **kw)
    if r.code != 0:
        raise AssertionError(f"{args}: exit {r.code}: {r.err}")
    return r.json()


def packages(report, layer=True):
    keys = ["type", "name", "version", "arch", "source_name", "source_version"] + (["layer"] if layer else [])
    return sorted([[p.get(k, "") for k in keys] for t in report["targets"] for p in t.get("packages", [])])


def findings(report):
    return sorted([f["package"]["name"], f["package"]["version"], f["id"], f.get("fixed_version", "")]
                  for t in report["targets"] for f in t["findings"] if f.get("package"))


def not_assessed(report):
    return [n for t in report["targets"] for n in t.get("not_assessed", [])]


# --- small images ---------------------------------------------------------------------------------------------------

def status(*packages_):
    return "".join(f"Package: {n}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {v}\n\n"
                   for n, v in packages_).encode()


def entry(name, content=b"", kind=None, link="", mode=0o644, **more):
    return dict(name=name, content=content, kind=kind, link=link, mode=mode, **more)


KINDS = {None: tarfile.REGTYPE, "dir": tarfile.DIRTYPE, "symlink": tarfile.SYMTYPE, "hardlink": tarfile.LNKTYPE,
         "fifo": tarfile.FIFOTYPE, "char": tarfile.CHRTYPE}


def layer_tar(entries, fmt=tarfile.PAX_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=fmt) as t:
        for e in entries:
            info = tarfile.TarInfo(e["name"])
            info.type, info.linkname, info.mode = KINDS[e["kind"]], e["link"], e["mode"]
            if e["kind"] is None:
                info.size = len(e["content"])
                t.addfile(info, io.BytesIO(e["content"]))
            else:
                t.addfile(info)
    return out.getvalue()


def sha(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def docker_archive(path, layers, diff_ids=None, config_extra=None, manifest_last=False, name="test:1"):
    """A docker-archive of plain layer tars (bytes)."""
    config = json.dumps(dict({"architecture": "amd64", "os": "linux",
                              "rootfs": {"type": "layers", "diff_ids": diff_ids or [sha(l) for l in layers]}},
                             **(config_extra or {}))).encode()
    members = [(sha(config)[7:] + ".json", config)]
    names = []
    for i, l in enumerate(layers):
        names.append(f"{i:064x}/layer.tar")
        members.append((names[-1], l))
    manifest = json.dumps([{"Config": members[0][0], "RepoTags": [name], "Layers": names}]).encode()
    members.insert(len(members) if manifest_last else 0, ("manifest.json", manifest))
    with open(path, "wb") as f:
        f.write(layer_tar([entry(n, c) for n, c in members], tarfile.USTAR_FORMAT))
    return path


def oci_dir(path, layers, diff_ids, media="application/vnd.oci.image.layer.v1.tar", digests=None):
    """An OCI layout of blobs (bytes), whatever they are."""
    def put(data):
        os.makedirs(os.path.join(path, "blobs", "sha256"), exist_ok=True)
        with open(os.path.join(path, "blobs", "sha256", sha(data)[7:]), "wb") as f:
            f.write(data)
        return sha(data)
    config = json.dumps({"architecture": "amd64", "os": "linux",
                         "rootfs": {"type": "layers", "diff_ids": diff_ids}}).encode()
    blobs = [put(l) for l in layers]
    manifest = json.dumps({"schemaVersion": 2, "config": {"digest": put(config), "size": len(config),
                           "mediaType": "application/vnd.oci.image.config.v1+json"},
                           "layers": [{"mediaType": media, "digest": d, "size": len(l)}
                                      for d, l in zip(digests or blobs, layers)]}).encode()
    index = {"schemaVersion": 2, "manifests": [{"mediaType": "application/vnd.oci.image.manifest.v1+json",
                                                "digest": put(manifest), "size": len(manifest)}]}
    with open(os.path.join(path, "index.json"), "w") as f:
        json.dump(index, f)
    with open(os.path.join(path, "oci-layout"), "w") as f:
        f.write('{"imageLayoutVersion":"1.0.0"}')
    return path


OS_RELEASE = b'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'


# --- running --------------------------------------------------------------------------------------------------------

def equal(a, b, what=""):
    if a != b:
        raise AssertionError(f"{what}: {a!r} is not {b!r}")


def check(condition, what):
    if not condition:
        raise AssertionError(what)


class Folder:
    """A temporary folder that goes away."""
    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="plimsoll-test-")
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)


def main(namespace):
    tests = [(n, f) for n, f in namespace.items() if n.startswith("test_") and callable(f)]
    chosen = sys.argv[1:]
    failed = skipped = 0
    for name, function in tests:
        if chosen and name not in chosen:
            continue
        try:
            function()
            print("ok  ", name, flush=True)
        except Skip as why:
            skipped += 1
            print("skip", name, "-", why, flush=True)
        except Exception:
            failed += 1
            print("FAIL", name, flush=True)
            traceback.print_exc()
    if failed:
        sys.exit(1)
    sys.exit(77 if skipped == len(tests) else 0)
