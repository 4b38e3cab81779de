#!/bin/sh
# Debian's packages without touching the machine's: apt with a configuration, lists and status of its own.
#
#     packaging/apt.sh sources FOLDER NAME...          source packages, unpacked as FOLDER/NAME; FOLDER/versions
#     packaging/apt.sh sysroot FOLDER ARCH NAME...     packages of another architecture with all that they depend on,
#                                                      unpacked below FOLDER, with a dpkg database that knows them
#
# Where the archive is, is taken from the machine's own sources (only those that say that they are Debian's); apt checks
# signatures as ever. APT_CACHE (build/dist-cache) keeps what was fetched. Lists older than half a day are renewed.
# Must never change the machine's apt or dpkg, run a package's scripts, or name an archive.
set -eu

cache=${APT_CACHE:-build/dist-cache}
key=/usr/share/keyrings/debian-archive-keyring.gpg

fail() {
    echo "apt: $*" >&2
    exit 1
}

# $(ORIGIN) and the rest are apt's own words.
# shellcheck disable=SC2016
archive_lines() { # TYPE [OPTION]: sources.list lines
    options=$2
    [ ! -e "$key" ] || options="$options signed-by=$key"
    apt-get indextargets --format "$1 [$options] "'$(REPO_URI) $(RELEASE) $(COMPONENT)' \
        'Created-By: Packages' 'Origin: Debian' 'Label: Debian' 'Component: main' 2>/dev/null
    apt-get indextargets --format "$1 [$options] "'$(REPO_URI) $(RELEASE) $(COMPONENT)' \
        'Created-By: Packages' 'Origin: Debian' 'Label: Debian-Security' 'Component: main' 2>/dev/null
}

prepare() { # NAME ARCH TYPE: sets APT_CONFIG
    dir=$cache/$1
    mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
    dir=$(cd "$dir" && pwd)
    [ -e "$dir/status" ] || : >"$dir/status"
    archive_lines "$3" "arch=$2" | sort -u >"$dir/sources.list.new"
    [ -s "$dir/sources.list.new" ] ||
        fail "this machine's apt knows no archive that says it is Debian's (apt-get update brings the lists)"
    cat >"$dir/apt.conf" <<END
Dir::Etc::sourcelist "$dir/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "$dir/lists";
Dir::State::status "$dir/status";
Dir::State::extended_states "$dir/extended_states";
Dir::Cache "$dir/cache";
Dir::Log "$dir";
APT::Architecture "$2";
APT::Architectures { "$2"; };
APT::Install-Recommends "false";
APT::Sandbox::User "$(id -un)";
Acquire::Languages "none";
Acquire::Retries "3";
Debug::NoLocking "true";
END
    export APT_CONFIG="$dir/apt.conf"
    if ! cmp -s "$dir/sources.list.new" "$dir/sources.list" || [ -z "$(find "$dir/updated" -mmin -720 2>/dev/null)" ]; then
        mv "$dir/sources.list.new" "$dir/sources.list"
        apt-get -q update >"$dir/log" 2>&1 || {
            tail -n 5 "$dir/log" >&2
            rm -f "$dir/sources.list"
            fail "the package lists could not be fetched"
        }
        touch "$dir/updated"
    fi
}

sources() { # FOLDER NAME...
    prepare sources "$(dpkg --print-architecture)" deb-src
    into=$1
    shift
    mkdir -p "$into" "$dir/dsc"
    into=$(cd "$into" && pwd)
    : >"$into/versions"
    for name in "$@"; do
        version=$(apt-cache showsrc --only-source "$name" | sed -n 's/^Version: //p' | sort -V | tail -n 1)
        [ -n "$version" ] || fail "the archive has no source package $name"
        (cd "$dir/dsc" && apt-get -q source --only-source --download-only "$name=$version" >"$dir/log" 2>&1) || {
            tail -n 5 "$dir/log" >&2
            fail "$name $version could not be fetched"
        }
        rm -rf "${into:?}/$name"
        # apt has checked the files against the signed lists.
        dpkg-source --no-check -x "$dir/dsc/${name}_${version#*:}.dsc" "$into/$name" >"$dir/log" 2>&1 || {
            tail -n 5 "$dir/log" >&2
            fail "$name $version could not be unpacked"
        }
        echo "$name $version" >>"$into/versions"
    done
}

# What dpkg -S, dpkg-query -W and dpkg-shlibdeps ask of a system, for a package that was only unpacked. Its files are listed
# where they are now, for that is how dpkg-shlibdeps asks.
register() { # ROOT PACKAGE-FILE
    admin=$1/var/lib/dpkg
    name=$(dpkg-deb -f "$2" Package)
    [ "$(dpkg-deb -f "$2" Multi-Arch)" != same ] || name=$name:$(dpkg-deb -f "$2" Architecture)
    dpkg-deb --fsys-tarfile "$2" | tar -t | sed -e "s,^\.,$1," -e 's,/$,,' >"$admin/info/$name.list"
    control=$(mktemp -d)
    dpkg-deb -e "$2" "$control"
    for part in symbols shlibs; do
        [ ! -e "$control/$part" ] || cp "$control/$part" "$admin/info/$name.$part"
    done
    rm -rf "$control"
    dpkg-deb -f "$2" | sed '1,/^Package:/s/^\(Package:.*\)$/\1\nStatus: install ok installed/' >>"$admin/status"
    echo >>"$admin/status"
}

sysroot() { # FOLDER ARCH NAME...
    into=$1
    arch=$2
    shift 2
    prepare "$arch" "$arch" deb
    apt-get -q -y --download-only install "$@" >"$dir/log" 2>&1 || {
        tail -n 8 "$dir/log" >&2
        fail "packages of $arch could not be fetched"
    }
    rm -rf "$into"
    mkdir -p "$into/var/lib/dpkg/info"
    into=$(cd "$into" && pwd)
    printf '%s\n%s\n' "$(dpkg --print-architecture)" "$arch" >"$into/var/lib/dpkg/arch"
    echo 1 >"$into/var/lib/dpkg/info/format"
    : >"$into/var/lib/dpkg/status"
    # Which these are is asked as if none had been fetched: the cache may hold older ones.
    mkdir -p "$dir/none/partial"
    apt-get -q -y --print-uris -o "Dir::Cache::archives=$dir/none/" install "$@" |
        sed -n "s/^'[^']*' \([^ ]*\.deb\) .*/\1/p" >"$dir/wanted"
    [ -s "$dir/wanted" ] || fail "nothing to unpack"
    sort "$dir/wanted" | while read -r file; do
        dpkg -x "$dir/cache/archives/$file" "$into"
        register "$into" "$dir/cache/archives/$file"
    done
    # Links that lead to the machine's own libraries from here.
    find "$into" -type l -lname '/*' | while read -r link; do
        ln -sfn "$(realpath -m --relative-to="$(dirname "$link")" "$into$(readlink "$link")")" "$link"
    done
}

command=${1-}
[ $# -gt 2 ] || fail "usage: packaging/apt.sh sources FOLDER NAME... | sysroot FOLDER ARCH NAME..."
shift
case $command in
sources | sysroot) "$command" "$@" ;;
*) fail "usage: packaging/apt.sh sources FOLDER NAME... | sysroot FOLDER ARCH NAME..." ;;
esac
