#!/usr/bin/env python3
"""Layers by overlay's rules: written cases, then random stacks against a plain model of unpacking."""
import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import *  # noqa: E402,F403

STATUS = "var/lib/dpkg/status"


def names(layers, **kw):
    """Names of packages, and the layer (counted from 0) in which each came."""
    with Folder() as d:
        tars = [layer_tar(l) for l in layers]
        report = scan("image", docker_archive(os.path.join(d, "i.tar"), tars), **kw)
        number = {sha(t): i for i, t in enumerate(tars)}
        return {p[1]: number[p[6]] for p in packages(report)}, report


def base(*more):
    return [entry("etc/os-release", OS_RELEASE), entry(STATUS, status(("a", "1"), ("b", "1")))] + list(more)


def test_a_layer_that_adds_nothing_keeps_the_attribution():
    got, _ = names([base(), [entry("tmp/x", b"x")], [entry(STATUS, status(("a", "1"), ("b", "2"), ("c", "1")))]])
    equal(got, {"a": 0, "b": 2, "c": 2})


def test_a_gap_starts_the_attribution_again():
    got, _ = names([base(), [entry(STATUS, status(("b", "1")))], [entry(STATUS, status(("a", "1"), ("b", "1")))]])
    equal(got, {"a": 2, "b": 0})


def test_a_whiteout_removes_the_database():
    got, report = names([base(), [entry("var/lib/dpkg/.wh.status")]])
    equal(got, {})
    check(any(n["what"] == "packages" for n in not_assessed(report)), "nothing is said of the missing database")


def test_a_whiteout_of_a_parent_removes_the_database():
    equal(names([base(), [entry("var/.wh.lib")]])[0], {})


def test_a_whiteout_does_not_touch_its_own_layer():
    got, _ = names([base(), [entry(STATUS, status(("c", "1"))), entry("var/lib/dpkg/.wh.status")]])
    equal(got, {"c": 1})


def test_an_opaque_folder_hides_what_lies_below():
    equal(names([base(), [entry("var/lib/dpkg", kind="dir"), entry("var/lib/dpkg/.wh..wh..opq")]])[0], {})
    got, _ = names([base(), [entry("var/lib/.wh..wh..opq"), entry(STATUS, status(("c", "1")))]])
    equal(got, {"c": 1})


def test_an_opaque_root():
    equal(names([base(), [entry(".wh..wh..opq"), entry("bin/x", b"x")]])[0], {})


def test_a_file_in_a_folders_place_hides_the_subtree():
    equal(names([base(), [entry("var/lib", b"I am a file")]])[0], {})
    got, _ = names([base(), [entry("var/lib", b"file")], [entry("var/lib", kind="dir"), entry("var/lib/x", b"")]])
    equal(got, {})


def test_a_link_in_a_folders_place_hides_the_subtree():
    equal(names([base(), [entry("var/lib", kind="symlink", link="nowhere")]])[0], {})
    got, _ = names([base(entry("other/dpkg/status", status(("o", "1")))),
                    [entry("var/lib", kind="symlink", link="../other")]])
    equal(got, {"o": 1})  # not there in the state below


def test_links_to_the_database_are_followed():
    lib = [entry("etc/os-release", OS_RELEASE), entry("data/store/status", status(("a", "1")))]
    for link in ("../../data/store", "/data/store", "/data/../data/./store/", "../../../../../data/store"):
        equal(names([lib + [entry("var/lib/dpkg", kind="symlink", link=link)]])[0], {"a": 0}, link)


def test_a_link_to_a_file_of_any_name_is_read_in_a_second_pass():
    for compress in (False, True):
        got, report = names([[entry("etc/os-release", kind="symlink", link="../odd/name"), entry("odd/name", OS_RELEASE),
                              entry("odd/list.txt", status(("a", "1"))),
                              entry(STATUS, kind="symlink", link="../../../odd/list.txt")]])
        equal(got, {"a": 0})
        equal(report["targets"][0]["os"]["id"], "debian")


def test_hard_links():
    equal(names([base(), [entry("x/y", status(("h", "1"))), entry(STATUS, kind="hardlink", link="x/y")]])[0], {"h": 1})
    equal(names([base(), [entry("x/status", status(("h", "1"))), entry(STATUS, kind="hardlink", link="./x/status")]])[0],
          {"h": 1})
    # A target in a layer below, as unpacking would find it.
    equal(names([base(entry("x/status", status(("h", "1")))), [entry(STATUS, kind="hardlink", link="x/status")]])[0],
          {"h": 1})


def test_link_loops_end():
    got, report = names([[entry("etc/os-release", OS_RELEASE), entry("var/lib", kind="symlink", link="lib2"),
                          entry("var/lib2", kind="symlink", link="lib")]])
    equal(got, {})
    check(any("go round" in n["reason"] for n in not_assessed(report)), not_assessed(report))


def test_the_last_of_two_entries_counts():
    got, _ = names([base(), [entry(STATUS, status(("x", "1"))), entry(STATUS, status(("y", "1")))]])
    equal(got, {"y": 1})
    got, _ = names([[entry("etc/os-release", OS_RELEASE), entry(STATUS, status(("x", "1"))), entry("var/lib/dpkg", b"file")]])
    check(got in ({}, {"x": 0}), got)


def test_aufs_marks_are_no_whiteouts():
    got, _ = names([base(), [entry(".wh..wh.plnk", kind="dir"), entry(".wh..wh.aufs", b""), entry("var/.wh..wh.orph", kind="dir")]])
    equal(got, {"a": 0, "b": 0})


def test_skipped_files_are_not_looked_at():
    with Folder() as d:
        image = docker_archive(os.path.join(d, "i.tar"), [layer_tar(base())])
        equal(packages(scan("image", image, "--skip-dirs", "/var/lib/dpkg")), [])
        equal(packages(scan("image", image, "--skip-files", "**/status")), [])
        equal(len(packages(scan("image", image, "--skip-dirs", "usr"))), 2)


# --- a model ----------------------------------------------------------------------------------------------------------

class Tree:
    """Unpacking, in a dictionary: path -> ("dir",) | ("file", content) | ("symlink", target)."""

    def __init__(self):
        self.nodes = {"": ("dir",)}

    def remove(self, path, keep_self=False):
        for p in list(self.nodes):
            if (p == path and not keep_self and p) or p.startswith(path + "/" if path else "") and p not in ("", path):
                del self.nodes[p]

    def put(self, path, node):
        parts = path.split("/")
        for i in range(1, len(parts)):
            parent = "/".join(parts[:i])
            if self.nodes.get(parent, ("none",))[0] != "dir":
                self.remove(parent)
                self.nodes[parent] = ("dir",)
        if node[0] != "dir" or self.nodes.get(path, ("none",))[0] != "dir":
            self.remove(path)
        self.nodes[path] = node

    def apply(self, entries):
        for e in entries:
            folder, _, name = e["name"].rpartition("/")
            if name == ".wh..wh..opq":
                self.remove(folder, keep_self=True)
            elif name.startswith(".wh."):
                self.remove((folder + "/" if folder else "") + name[4:])
        for e in entries:
            name = e["name"].rpartition("/")[2]
            if name.startswith(".wh."):
                continue
            self.put(e["name"], ("dir",) if e["kind"] == "dir" else ("symlink", e["link"]) if e["kind"] == "symlink"
                     else ("file", e["content"]))

    def find(self, path):
        todo, done, links = path.split("/"), [], 0
        while todo:
            part = todo.pop(0)
            if part in ("", "."):
                continue
            if part == "..":
                done = done[:-1]
                continue
            node = self.nodes.get("/".join(done + [part]))
            if node is None:
                return None
            if node[0] == "symlink":
                links += 1
                if links > 30:
                    return None
                todo = node[1].split("/") + todo
                if node[1].startswith("/"):
                    done = []
                continue
            if node[0] == "file" and [p for p in todo if p not in ("", ".")]:
                return None
            done.append(part)
        return self.nodes.get("/".join(done))


def random_layer(rng, number):
    """Whiteouts first (their order in a layer does not matter), each path once: what a snapshot of a folder can be."""
    folders = ["var", "var/lib", "var/lib/dpkg", "data", "data/lib", "data/lib/dpkg"]
    entries, taken = [], set()
    for _ in range(rng.randrange(1, 5)):
        path = rng.choice(folders + [f + "/status" for f in folders])
        if any(path == t or path.startswith(t + "/") or t.startswith(path + "/") for t in taken):
            continue
        kind = rng.randrange(7)
        folder, _, name = path.rpartition("/")
        if kind == 0:
            entries.append(entry((folder + "/" if folder else "") + ".wh." + name))
        elif kind == 1 and not path.endswith("status"):
            entries.append(entry(path + "/.wh..wh..opq"))
        elif kind == 2:
            target = rng.choice(["/data", "/data/lib", "../data", "lib", "/var", "../../data/lib/dpkg", "/data/lib/dpkg/status"])
            entries.append(entry(path, kind="symlink", link=target))
        elif kind == 3 and not path.endswith("status"):
            entries.append(entry(path, kind="dir"))
        elif path.endswith("status") or kind == 4:
            entries.append(entry(path, status((f"p{number}x{rng.randrange(3)}", "1"))))
        else:
            continue
        taken.add(path)
    rng.shuffle(entries)
    return entries


def test_random_stacks_agree_with_a_model():
    rounds = 60 if SANITIZED else 250
    for seed in range(rounds):
        rng = random.Random(seed)
        stack = [base(entry("data/lib/dpkg/status", status(("d", "1"))))]
        stack += [random_layer(rng, n) for n in range(rng.randrange(1, 6))]
        tree = Tree()
        for layer in stack:
            tree.apply(layer)
        node = tree.find(STATUS)
        expect = sorted(l[9:] for l in node[1].decode().splitlines() if l.startswith("Package: ")) \
            if node and node[0] == "file" else []
        got, report = names(stack)
        if sorted(got) != expect:
            raise AssertionError(f"seed {seed}: {sorted(got)} is not {expect}\n" + "\n".join(
                repr([(e["name"], e["kind"], e["link"]) for e in layer]) for layer in stack[1:]))


main(globals())
