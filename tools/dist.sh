#!/bin/sh
# Makes what is released, in build/dist: a static x86-64 program, an arm64 one, Debian packages of both kinds, a container
# image, a bill of materials, notices, checksums. On Debian 12 on x86-64 alone; packages that it needs are installed by
# tools/setup.sh, all else is fetched and unpacked below the build folder.
#
#     tools/dist.sh [OUTPUT-FOLDER]      WORK: where it builds (build/dist-work), JOBS
#
# The same commit and the same state of Debian's archive give the same bytes, wherever and whenever it runs: times are the
# commit's, owners and order are fixed, no path of the machine is kept (tools/dist_check.sh tries that).
# Must never write outside of the build folder and OUTPUT-FOLDER, nor put anything of this machine's settings into a file.
set -eu
cd "$(dirname "$0")/.."
top=$PWD
umask 022
export LC_ALL=C.UTF-8 TZ=UTC
unset CFLAGS CPPFLAGS LDFLAGS CC AR PKG_CONFIG_PATH PKG_CONFIG_LIBDIR DESTDIR MAKEFLAGS MFLAGS || true

out=${1:-build/dist}
work=${WORK:-build/dist-work}
jobs=${JOBS:-2}
export JOBS="$jobs"
export APT_CACHE="${APT_CACHE:-$top/build/dist-cache}"
amd64=plimsoll-linux-amd64
arm64=plimsoll-linux-arm64

fail() {
    [ -z "${log-}" ] || [ ! -s "$log" ] || tail -n 25 "$log" >&2
    echo "dist: $*" >&2
    exit 1
}

say() {
    printf '%s\n' "$*"
}

[ "$(uname -m)" = x86_64 ] || fail "this builds on x86-64 alone; here is $(uname -m)"
if [ -z "${SOURCE_DATE_EPOCH-}" ]; then
    SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null) || fail "no git history: set SOURCE_DATE_EPOCH"
    [ -z "$(git status --porcelain 2>/dev/null)" ] || say "Note: the working tree differs from its commit, whose time is taken."
fi
export SOURCE_DATE_EPOCH
version=$(sed -n "s/^ *version: '\(.*\)',$/\1/p" meson.build | head -n 1)

rm -rf "$work"
mkdir -p "$out" "$work"
out=$(cd "$out" && pwd)
work=$(cd "$work" && pwd)
log=$work/log
trap 'rm -rf "$work"' EXIT
rm -f "$out"/plimsoll* "$out/SHA256SUMS"

# meson hands the compiler paths that are relative to the build folder: where that is must not show.
map_of() { # BUILD-FOLDER: compiler options as one meson option
    echo "-Dc_args=['-ffile-prefix-map=$(realpath -m --relative-to="$1" "$top")/=', '-ffile-prefix-map=$work/=/']"
}

configure() { # BUILD-FOLDER OPTION...
    folder=$1
    shift
    meson setup "$folder" --buildtype=release --prefix=/usr -Dtests=false "$(map_of "$folder")" "$@" >"$log" 2>&1 ||
        fail "meson refused the build"
}

ninja_in() { # BUILD-FOLDER TARGET
    ninja -C "$1" -j "$jobs" "$2" >"$log" 2>&1 || fail "$2 could not be built"
}

libraries() {
    say "Fetching and building ISA-L, c-ares and libcurl from Debian's sources ..."
    packaging/apt.sh sources "$work/src" libisal c-ares curl || fail "no sources"
    packaging/libs.sh "$work/src" "$work/prefix" || fail "no libraries"
}

static_program() {
    say "Building $amd64, static ..."
    PKG_CONFIG_PATH=$work/prefix/lib/pkgconfig configure "$work/static" --prefer-static -Disal=enabled \
        -Dembed_database=true "-Dc_link_args=['-static-pie', '-Wl,-Map=$work/static.map']" -Dcurl=linked
    PKG_CONFIG_PATH=$work/prefix/lib/pkgconfig ninja_in "$work/static" plimsoll
    strip --strip-all -R .comment -R .note.gnu.build-id -o "$out/$amd64" "$work/static/plimsoll"
    readelf -d "$out/$amd64" | grep -q NEEDED && fail "$amd64 is not static"
    readelf -l "$out/$amd64" | grep -q INTERP && fail "$amd64 wants an interpreter"
    return 0
}

dynamic_package() {
    say "Building the package for amd64 ..."
    configure "$work/dynamic" -Disal=enabled -Dcurl=dlopen
    ninja_in "$work/dynamic" product
    DESTDIR=$work/tree meson install -C "$work/dynamic" --no-rebuild --quiet >"$log" 2>&1 || fail "it could not be installed"
    [ -e "$work/tree/usr/share/man/man1/plimsoll.1" ] || fail "there are no man pages"
    strip --strip-unneeded -R .comment -R .note "$work/tree/usr/bin/plimsoll"
    packaging/deb.sh "$work/tree" amd64 "$out" >"$log" 2>&1 || fail "no package for amd64"
}

cross_file() { # SYSROOT
    cat <<END
[binaries]
c = ['aarch64-linux-gnu-gcc', '--sysroot=$1']
ar = 'aarch64-linux-gnu-ar'
strip = 'aarch64-linux-gnu-strip'
pkgconfig = 'pkg-config'

[properties]
sys_root = '$1'
pkg_config_libdir = ['$1/usr/lib/aarch64-linux-gnu/pkgconfig', '$1/usr/share/pkgconfig']
# Nothing that was built is run: pages and completions are those of the other build.
needs_exe_wrapper = false

[host_machine]
system = 'linux'
cpu_family = 'aarch64'
cpu = 'aarch64'
endian = 'little'
END
}

cross_program() {
    say "Fetching Debian's arm64 libraries, building $arm64 and its package ..."
    packaging/apt.sh sysroot "$work/arm64" arm64 libc6-dev linux-libc-dev libssl-dev zlib1g-dev libzstd-dev liblzma-dev \
        libbz2-dev libdeflate-dev libsqlite3-dev libyaml-dev libexpat1-dev libseccomp-dev libisal-dev \
        libcurl4-openssl-dev || fail "no libraries"
    cross_file "$work/arm64" >"$work/arm64.ini"
    configure "$work/cross" --cross-file "$work/arm64.ini" -Disal=enabled -Dcurl=dlopen
    ninja_in "$work/cross" plimsoll
    cp -a "$work/tree" "$work/tree-arm64"
    aarch64-linux-gnu-strip --strip-unneeded -R .comment -R .note -o "$work/tree-arm64/usr/bin/plimsoll" "$work/cross/plimsoll"
    packaging/deb.sh "$work/tree-arm64" arm64 "$out" "--admindir=$work/arm64/var/lib/dpkg" \
        "-l$work/arm64/lib/aarch64-linux-gnu" "-l$work/arm64/usr/lib/aarch64-linux-gnu" >"$log" 2>&1 ||
        fail "no package for arm64"
    # Alone, it has its database with it.
    meson configure "$work/cross" -Dembed_database=true >"$log" 2>&1 || fail "meson refused the build"
    ninja_in "$work/cross" plimsoll
    aarch64-linux-gnu-strip --strip-all -R .comment -R .note.gnu.build-id -o "$out/$arm64" "$work/cross/plimsoll"
    readelf -h "$out/$arm64" | grep -q AArch64 || fail "$arm64 is not for arm64"
}

papers_and_image() {
    say "Writing the bill of materials and the image ..."
    # Certificates are taken from the package's files, which must be as they came.
    [ -z "$(dpkg --verify ca-certificates)" ] || fail "files of the package ca-certificates were changed on this machine"
    packaging/sbom.py "$out/plimsoll-$version.cdx.json" --version "$version" --static "$amd64=$work/static.map" \
        --sources "$work/src" --prefix "$work/prefix" --data "plimsoll-$version.oci.tar=ca-certificates" \
        --dynamic "plimsoll_${version}_amd64.deb=$work/tree/usr/bin/plimsoll" \
        --dynamic "$arm64 and plimsoll_${version}_arm64.deb=$out/$arm64:$work/arm64" \
        --artifact "$out/$amd64" --artifact "$out/$arm64" \
        --status "$work/status" --notices "$out/plimsoll-$version-notices.txt" || fail "no bill of materials"
    set --
    for entry in "$work"/status/*; do
        set -- "$@" --package "$entry"
    done
    packaging/oci.py "$out/$amd64" "$out/plimsoll-$version.oci.tar" --version "$version" --arch amd64 \
        --certificates /usr/share/ca-certificates/mozilla --os-release /usr/lib/os-release "$@" \
        --file "usr/share/doc/plimsoll/LICENSE=LICENSE" \
        --file "usr/share/doc/plimsoll/notices.txt=$out/plimsoll-$version-notices.txt" \
        --file "usr/share/doc/plimsoll/plimsoll.cdx.json=$out/plimsoll-$version.cdx.json" || fail "no image"
}

libraries
static_program
dynamic_package
cross_program
papers_and_image
(cd "$out" && sha256sum plimsoll* >SHA256SUMS)
say "In $out:"
(cd "$out" && wc -c plimsoll* SHA256SUMS | grep -v ' total$')
