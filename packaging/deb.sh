#!/bin/sh
# Makes a Debian package of an installed tree, with the libraries that the program needs as dependencies:
#
#     packaging/deb.sh TREE ARCH FOLDER [OPTION-OF-DPKG-SHLIBDEPS...]
#
# TREE: what `make install PREFIX=/usr DESTDIR=TREE` made; it is not changed. Gives FOLDER/plimsoll_VERSION_ARCH.deb, the
# same bytes for the same tree and SOURCE_DATE_EPOCH. For own archives and for trying; an upload to a distribution wants a
# source package. libcurl is loaded when an engine or a registry is asked, so it is recommended, not needed.
set -eu

[ $# -ge 3 ] || {
    echo "usage: packaging/deb.sh TREE ARCH FOLDER [OPTION-OF-DPKG-SHLIBDEPS...]" >&2
    exit 2
}
here=$(cd "$(dirname "$0")" && pwd)
tree=$(cd "$1" && pwd)
arch=$2
out=$(cd "$3" && pwd)
shift 3
for program in dpkg-deb dpkg-shlibdeps; do
    command -v $program >/dev/null || {
        echo "deb: $program is not installed (packages dpkg and dpkg-dev)" >&2
        exit 1
    }
done
umask 022
export LC_ALL=C.UTF-8 TZ=UTC
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$here" log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/debian/plimsoll
mkdir -p "$work/debian"
cp -a "$tree" "$root"
doc=$root/usr/share/doc/plimsoll
version=$(sed -n "s/^ *version: '\(.*\)',$/\1/p" "$here/../meson.build" | head -n 1)

# The licence stands in copyright; zsh looks for packages' completions in a folder of their own here.
rm -f "$doc/LICENSE"
install -m 644 "$here/copyright" "$doc/copyright"
gzip -9n "$doc/CHANGELOG.md"
gzip -9n >"$doc/changelog.gz" <<END
plimsoll ($version) unstable; urgency=medium

  * Version $version; what is new stands in CHANGELOG.md.

 -- The Plimsoll project <plimsoll@localhost>  $(date -u -R -d "@$SOURCE_DATE_EPOCH")
END
mkdir -p "$root/usr/share/zsh/vendor-completions"
mv "$root/usr/share/zsh/site-functions/_plimsoll" "$root/usr/share/zsh/vendor-completions/"
rmdir "$root/usr/share/zsh/site-functions"
find "$root/usr/share/man" -type f ! -name '*.gz' -exec gzip -9n {} +
find "$root" -type d -exec chmod 755 {} +
find "$root" -type f -exec chmod 644 {} +
chmod 755 "$root/usr/bin/plimsoll"

# dpkg-shlibdeps wants a debian/control to stand beside it.
printf 'Source: plimsoll\n\nPackage: plimsoll\nArchitecture: any\n' >"$work/debian/control"
depends=$(cd "$work" && DEB_HOST_ARCH=$arch dpkg-shlibdeps "$@" -O debian/plimsoll/usr/bin/plimsoll 2>"$work/log" |
    sed -n 's/^shlibs:Depends=//p')
[ -n "$depends" ] || {
    cat "$work/log" >&2
    exit 1
}
mkdir "$root/DEBIAN"
(cd "$root" && find usr -type f | LC_ALL=C sort | xargs -d '\n' md5sum) >"$root/DEBIAN/md5sums"
cat >"$root/DEBIAN/control" <<END
Package: plimsoll
Version: $version
Architecture: $arch
Maintainer: The Plimsoll project <plimsoll@localhost>
Section: admin
Priority: optional
Depends: $depends
Recommends: ca-certificates, libcurl4
Installed-Size: $(find "$root/usr" -type f -printf '%s\n' | awk '{ k += int(($1 + 1023) / 1024) } END { print k }')
Description: tells whether a container is safe to run
 Plimsoll scans container images and root file systems for packages with
 known vulnerabilities: offline, with the database that it brings, and with
 every parser of strangers' bytes in a confined process. It gates builds by
 exit code and writes tables, JSON, SARIF and CycloneDX.
END
find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
dpkg-deb --root-owner-group -Zxz --threads-max=1 --build "$root" "$out/plimsoll_${version}_$arch.deb" >/dev/null
echo "$out/plimsoll_${version}_$arch.deb"
