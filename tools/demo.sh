#!/bin/sh
# Makes a real image out of Debian's packages and scans it. The image is kept in build/demo: a second run only scans.
#
# The root file system is bookworm's smallest, from the main archive alone, without bookworm-security: what is fixed
# there is missing here, so the report has something to say.
# Must never write outside of the build folder, nor name a mirror: the system's own or debootstrap's default is taken.
set -eu
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
build=${BUILD:-build}
dir=$build/demo
image=$dir/debian-12.oci.tar
work=$dir/work

fail() {
    [ ! -s "$dir/log" ] || tail -n 15 "$dir/log" >&2
    echo "demo: $*" >&2
    exit 1
}

# The archive from which this system installs, where that is Debian's own over HTTP.
system_mirror() {
    command -v apt-get >/dev/null 2>&1 || return 0
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' 2>/dev/null |
        grep -E '^https?://' | head -n 1
}

debootstrap_mirror() {
    sed -n 's/^DEF_MIRROR="\(.*\)"/\1/p' "$(command -v debootstrap || command -v mmdebstrap)" | head -n 1
}

as_root() {
    # shellcheck disable=SC2046
    debootstrap --variant=minbase bookworm "$work/tree" $(system_mirror) >"$dir/log" 2>&1 ||
        fail "debootstrap could not make the root file system (all it said: $dir/log)"
    rm -rf "$work"/tree/var/cache/apt/archives/*.deb "$work"/tree/var/lib/apt/lists/*
    tar -C "$work/tree" --numeric-owner --one-file-system --sort=name -cf "$work/layer.tar" .
}

as_user() {
    mirror=$(system_mirror)
    mmdebstrap --variant=minbase bookworm "$work/layer.tar" ${mirror:+"deb $mirror bookworm main"} >"$dir/log" 2>&1 ||
        fail "a plain user may not make a root file system here (all it said: $dir/log). As root it goes:  sudo make demo"
}

make_image() {
    trap 'rm -rf "$work"' EXIT
    rm -rf "$work"
    mkdir -p "$work"
    echo "Making a Debian 12 root file system out of its packages: a few minutes, once ..."
    if [ "$(id -u)" = 0 ]; then as_root; else as_user; fi
    case $(uname -m) in x86_64) arch=amd64 ;; aarch64) arch=arm64 ;; *) arch=$(uname -m) ;; esac
    echo "Packing it as an image with one gzip layer ..."
    python3 tests/support/make_image.py oci-archive "$work/image" "$work/layer.tar" --compress gzip --arch "$arch" \
        --name debian:12-demo
    mv "$work/image" "$image"
    rm -rf "$work"
    trap - EXIT
}

mkdir -p "$dir"
[ -e "$image" ] || make_image

printf '\n$ %s\n\n' "$build/plimsoll image $image"
"$build/plimsoll" image "$image"
cat <<EOF

What to try next:

  $build/plimsoll image $image --fail-on high
                                  a gate for a build: exits 1, and says why
  $build/plimsoll image $image -f json --list-all-pkgs
                                  all that is known, for programs
  $build/plimsoll fs /            this system
  $build/plimsoll db status       what the advisory database holds
  make check                      the tests
EOF
