#!/bin/sh
# Makes a Debian package of what `make install` installs, with the libraries that the program needs as dependencies:
#
#     packaging/deb.sh [FOLDER]      build/plimsoll_VERSION_ARCH.deb, or in FOLDER
#
# For trying and for own archives; an upload to a distribution wants more (lintian, a source package).
set -eu
cd "$(dirname "$0")/.."
build=${BUILD:-build}
out=${1:-$build}
for program in dpkg-deb dpkg-shlibdeps; do
    command -v $program >/dev/null || {
        echo "deb: $program is not installed (packages dpkg and dpkg-dev)" >&2
        exit 1
    }
done

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
make --no-print-directory install PREFIX=/usr BUILD="$build-deb" DESTDIR="$root/package" >"$root/log" 2>&1 || {
    cat "$root/log" >&2
    exit 1
}
strip --strip-unneeded "$root/package/usr/bin/plimsoll"
gzip -9n "$root"/package/usr/share/man/man*/* 2>/dev/null || true
install -D -m 644 LICENSE "$root/package/usr/share/doc/plimsoll/copyright"
rm -f "$root/package/usr/share/doc/plimsoll/LICENSE"

# dpkg-shlibdeps wants a debian/control to stand beside it.
mkdir "$root/debian"
echo "Source: plimsoll" >"$root/debian/control"
depends=$(cd "$root" && dpkg-shlibdeps -O package/usr/bin/plimsoll 2>/dev/null | sed -n 's/^shlibs:Depends=//p')
version=$("$root/package/usr/bin/plimsoll" --version | cut -d' ' -f2)
arch=$(dpkg --print-architecture)
mkdir "$root/package/DEBIAN"
cat >"$root/package/DEBIAN/control" <<EOF
Package: plimsoll
Version: $version
Architecture: $arch
Maintainer: The Plimsoll project
Section: utils
Priority: optional
Depends: $depends
Installed-Size: $(du -sk "$root/package/usr" | cut -f1)
Description: tells whether a container is safe to run
 Scans container images and root file systems for packages with known
 vulnerabilities, offline, from files, with every parser confined.
EOF
dpkg-deb --root-owner-group --build "$root/package" "$out/plimsoll_${version}_$arch.deb"
