#!/bin/sh
# Installs what is missing for a task, with the system's package manager (apt, dnf or apk), saying what and why.
#
#     tools/setup.sh build|check|demo|bench|fuzz|dist|dist-check
#
# Where nothing is missing it says nothing and takes a blink. As a plain user it prints the one command to run, and
# stops. It waits for another package manager that is at work, and runs twice without harm.
# Must never remove or upgrade anything, touch the package manager's configuration, or fetch from anywhere else.
set -eu

# task | must or may be there | how it is seen | apt | dnf | apk | why
# Seen by: cmd:PROGRAM in the path, pkg:MODULE of pkg-config, file:GLOB..., rt: clang's runtime.
# "a/b": the first of these that the archive has. "-": not in that family's archive.
needs() {
    cat <<'EOF'
build|must|cmd:cc|gcc|gcc|gcc|compiles the program
build|must|file:/usr/include/stdio.h|libc6-dev|glibc-devel|musl-dev|headers of the C library
build|must|file:/usr/include/linux/landlock.h|linux-libc-dev|kernel-headers|linux-headers|headers of the kernel
build|must|cmd:meson|meson|meson|meson|the build
build|must|cmd:ninja|ninja-build|ninja-build|samurai|the build
build|must|cmd:pkg-config|pkg-config|pkgconf-pkg-config|pkgconf|finds the libraries
build|must|cmd:python3|python3|python3|python3|scripts of the demo and the tests
build|must|pkg:libcrypto >= 3.0|libssl-dev|openssl-devel|openssl-dev|digests
build|must|pkg:zlib|zlib1g-dev|zlib-devel|zlib-dev|gzip
build|must|pkg:libzstd|libzstd-dev|libzstd-devel|zstd-dev|zstd
build|must|pkg:liblzma|liblzma-dev|xz-devel|xz-dev|xz
build|must|file:/usr/include/bzlib.h|libbz2-dev|bzip2-devel|bzip2-dev|bzip2
build|must|file:/usr/include/libdeflate.h|libdeflate-dev|libdeflate-devel|libdeflate-dev|gzip and zip in memory
build|must|pkg:sqlite3|libsqlite3-dev|sqlite-devel|sqlite-dev|rpm databases
build|must|pkg:yaml-0.1|libyaml-dev|libyaml-devel|yaml-dev|configuration files
build|must|pkg:expat|libexpat1-dev|expat-devel|expat-dev|XML
build|must|pkg:libseccomp >= 2.5|libseccomp-dev|libseccomp-devel|libseccomp-dev|the sandbox
build|must|pkg:libcurl >= 7.80|libcurl4-openssl-dev/libcurl4-gnutls-dev|libcurl-devel|curl-dev|registries, engines and feeds
build|must|pkg:cmocka|libcmocka-dev|libcmocka-devel|cmocka-dev|the unit tests
build|may|pkg:libisal|libisal-dev|isa-l-devel|isa-l-dev|gzip at twice the speed
build|may|cmd:scdoc|scdoc|scdoc|scdoc|the man pages
demo|must|cmd:debootstrap|debootstrap|debootstrap|debootstrap|makes the demo's root file system
demo|may|file:/usr/share/keyrings/debian-archive-*|debian-archive-keyring|debian-keyring|debian-archive-keyring|checks its packages
demo-user|may|file:/usr/share/keyrings/debian-archive-*|debian-archive-keyring|debian-keyring|debian-archive-keyring|checks its packages
demo-user|must|cmd:mmdebstrap|mmdebstrap|mmdebstrap|mmdebstrap|makes the demo's root file system without root
demo-user|may|cmd:newuidmap|uidmap|shadow-utils|shadow-uidmap|lets a plain user make it, in a user namespace
demo-user|may|cmd:fakechroot|fakechroot|fakechroot|-|lets a plain user make it, where there are none
demo-user|may|cmd:fakeroot|fakeroot|fakeroot|fakeroot|lets a plain user make it, where there are none
check|may|cmd:clang|clang|clang|clang|a second compiler's warnings
check|may|cmd:clang-tidy|clang-tidy|clang-tools-extra|clang-extra-tools|lint
check|may|cmd:cppcheck|cppcheck|cppcheck|cppcheck|lint
check|may|cmd:shellcheck|shellcheck|ShellCheck|shellcheck|lint of the scripts
check|may|cmd:git|git|git|git|which files lint looks at
check|may|cmd:zstd|zstd|zstd|zstd|test images
check|may|cmd:xz|xz-utils|xz|xz|test archives
check|may|cmd:bzip2|bzip2|bzip2|bzip2|test archives
check|may|cmd:openssl|openssl|openssl|openssl|a second opinion on digests; authorities and certificates for the tests of TLS
check|may|cmd:docker-registry|docker-registry|-|docker-registry|a registry that the tests of registries talk to
check|may|cmd:skopeo|skopeo|skopeo|skopeo|fills that registry
check|may|cmd:htpasswd|apache2-utils|httpd-tools|apache2-utils|names and passwords of that registry
check|may|cmd:sqlite3|sqlite3|sqlite|sqlite|rpm databases for the tests
check|may|cmd:rpm|rpm|rpm|rpm|a second opinion on rpm databases
check|may|file:/usr/bin/db5.3_load /usr/bin/db_load|db5.3-util/db-util|libdb-utils|db-utils|Berkeley DB files for the tests
check|may|file:/usr/share/perl5/Dpkg/*.pm /usr/share/perl5/*/Dpkg/*.pm|libdpkg-perl|dpkg-perl|dpkg|a second opinion on versions
check|may|cmd:node|nodejs|nodejs|nodejs|runs other people's validators over the reports
check|may|cmd:npm|npm|nodejs-npm/npm|npm|brings those validators
check|may|file:/usr/share/i18n/locales/de_DE|locales|glibc-locale-source|-|a language with decimal commas for the tests
check|may|cmd:containerd|containerd|containerd|containerd|tests of its store
check|may|cmd:ctr|containerd|containerd|containerd-ctr|tests of its store
check|may|cmd:dockerd|docker.io|moby-engine|docker|a private engine for the tests
check|may|cmd:busybox|busybox-static|busybox|busybox-static|what runs in its images
check|may|cmd:setfattr|attr|attr|attr|tests of the sandbox
check|may|cmd:podman|podman|podman|podman|stores of images for the tests
check|may|cmd:buildah|buildah|buildah|buildah|builds in such stores
check|may|cmd:skopeo|skopeo|skopeo|skopeo|fills such stores
check|may|cmd:fuse-overlayfs|fuse-overlayfs|fuse-overlayfs|fuse-overlayfs|stores of ordinary users
check|may|cmd:newuidmap|uidmap|shadow-utils|shadow-uidmap|stores of ordinary users
check|may|cmd:bash|bash|bash|bash|tests of the completions
check|may|cmd:zsh|zsh|zsh|zsh|tests of the completions
check|may|cmd:fish|fish|fish|fish|tests of the completions
bench|must|cmd:debootstrap|debootstrap|debootstrap|debootstrap|makes the images that are measured
bench|must|cmd:openssl|openssl|openssl|openssl|the floor of hashing
bench|may|cmd:igzip|isal|isa-l-tools|isa-l|the floor of inflating
bench|may|cmd:zstd|zstd|zstd|zstd|test images
bench|may|cmd:pip3|python3-pip|python3-pip|py3-pip|brings the scanner that is compared with
bench|may|file:/usr/lib/python3*/ensurepip|python3-venv|python3|python3|keeps that scanner apart from the system
bench|may|cmd:dockerd|docker.io|moby-engine|docker|an engine whose images are scanned in place
bench|may|cmd:docker-registry|docker-registry|docker-distribution|docker-registry|a registry on loopback
bench|may|cmd:skopeo|skopeo|skopeo|skopeo|fills that registry
bench|may|cmd:curl|curl|curl|curl|the floor of fetching
bench|may|cmd:go|golang-go|golang|go|gives that scanner the same advisories
dist|must|cmd:git|git|-|-|the time of the commit
dist|must|cmd:dpkg-source|dpkg-dev|-|-|unpacks sources, finds what a package depends on
dist|must|cmd:make|make|-|-|builds libraries from source
dist|must|cmd:nasm|nasm|-|-|the assembler of ISA-L
dist|must|cmd:scdoc|scdoc|-|-|the man pages
dist|must|pkg:libisal|libisal-dev|-|-|gzip at twice the speed
dist|must|cmd:xz|xz-utils|-|-|unpacks sources
dist|must|cmd:aarch64-linux-gnu-gcc|gcc-aarch64-linux-gnu|-|-|the program for arm64
dist|must|file:/usr/share/ca-certificates/mozilla|ca-certificates|-|-|certificates in the image
dist-check|must|cmd:debootstrap|debootstrap|-|-|a clean system to install on
dist-check|may|cmd:qemu-aarch64|qemu-user|-|-|runs the program for arm64
dist-check|may|cmd:lintian|lintian|-|-|looks at the packages
dist-check|may|cmd:skopeo|skopeo|-|-|loads the image
dist-check|may|cmd:node|nodejs|-|-|runs a validator over the bill of materials
dist-check|may|cmd:npm|npm|-|-|brings that validator
fuzz|must|cmd:clang|clang|clang|clang|the fuzzer is a part of it
fuzz|must|rt:|clang-rt|compiler-rt|compiler-rt|the fuzzer's and the sanitizers' runtime
EOF
}

sets_of() {
    case $1 in
    build) echo build ;;
    check) echo build check ;;
    demo) [ "$(id -u)" = 0 ] && echo build demo || echo build demo-user ;;
    demo-user) echo build demo-user ;;
    bench) echo build bench ;;
    fuzz) echo build fuzz ;;
    dist) echo build dist ;;
    dist-check) echo build dist dist-check ;;
    *) return 1 ;;
    esac
}

exists() { # one of the words is there
    for path in "$@"; do
        [ -e "$path" ] && return 0
    done
    return 1
}

exists_any() { # "GLOB GLOB"
    # shellcheck disable=SC2086
    exists $1
}

here() { # HOW: is it there?
    case $1 in
    cmd:*) command -v "${1#cmd:}" >/dev/null 2>&1 ;;
    pkg:*) pkg-config --exists "${1#pkg:}" 2>/dev/null ;;
    file:*) exists_any "${1#file:}" ;;
    rt:*)
        command -v clang >/dev/null 2>&1 &&
            exists "$(clang -print-file-name="libclang_rt.fuzzer-$(uname -m).a")" "$(clang -print-file-name=libclang_rt.fuzzer.a)"
        ;;
    esac
}

family() {
    if command -v apt-get >/dev/null 2>&1; then
        echo apt
    elif command -v dnf >/dev/null 2>&1; then
        echo dnf
    elif command -v apk >/dev/null 2>&1; then
        echo apk
    fi
}

# --- what is missing ---------------------------------------------------------------------------------------------------

task=${1-}
sets=$(sets_of "$task") || {
    echo "usage: tools/setup.sh build|check|demo|bench|fuzz|dist|dist-check" >&2
    exit 2
}

# sbin is not in every user's path, and holds debootstrap.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
missing=$(needs | while IFS='|' read -r set weight how apt dnf apk why; do
    case " $sets " in *" $set "*) here "$how" || echo "$weight|$how|$apt|$dnf|$apk|$why" ;; esac
done)
[ -n "$missing" ] || exit 0

# --- what it is called here --------------------------------------------------------------------------------------------

known() { # PACKAGE: does the archive have it?
    case $family in
    apt) apt-cache show --no-all-versions "$1" >/dev/null 2>&1 ;;
    dnf) dnf -q repoquery "$1" 2>/dev/null | grep -q . ;;
    apk) apk search -q -x "$1" 2>/dev/null | grep -q . ;;
    esac
}

alternatives() { # the names of a row, in order
    if [ "$1" = clang-rt ]; then
        version=$(apt-cache depends clang 2>/dev/null | sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p' | head -n 1)
        echo "libclang-rt-$version-dev libclang-common-$version-dev"
    else
        echo "$1" | tr / ' '
    fi
}

# Lines "must|package|why", and "none|names|why" for what the archive does not have.
resolve() {
    echo "$missing" | while IFS='|' read -r weight how apt dnf apk why; do
        case $family in apt) names=$apt ;; dnf) names=$dnf ;; apk) names=$apk ;; esac
        found=
        for name in $(alternatives "$names"); do
            [ "$name" != - ] && known "$name" && found=$name && break
        done
        if [ -n "$found" ]; then
            echo "$weight|$found|$why"
        else
            echo "none-$weight|$names|$why"
        fi
    done
}

show() { # WEIGHT-PATTERN: the lines of it, for people
    echo "$plan" | grep -E "^($1)\\|" | while IFS='|' read -r _ name why; do
        printf '  %-22s %s\n' "$name" "$why"
    done
}

# --- doing it ----------------------------------------------------------------------------------------------------------

log=
finish() {
    [ -z "$log" ] || rm -f "$log"
}
trap finish EXIT

# Another package manager at work is waited for, up to 20 minutes.
patiently() {
    tries=0
    while ! "$@" >"$log" 2>&1; do
        grep -qiE 'could not get lock|unable to (acquire|lock)|is (locked|held) by|waiting for process|unable to lock database' "$log" ||
            return 1
        [ "$tries" -gt 0 ] || echo "  another package manager is at work: waiting for it"
        tries=$((tries + 1))
        [ "$tries" -le 240 ] || return 1
        sleep 5
    done
}

refresh() {
    case $family in
    apt) patiently apt-get -q -o Acquire::Retries=3 update ;;
    dnf) patiently dnf -q makecache ;;
    apk) patiently apk update ;;
    esac
}

# shellcheck disable=SC2086
install_packages() {
    case $family in
    apt)
        DEBIAN_FRONTEND=noninteractive patiently apt-get -q -y -o Acquire::Retries=3 -o DPkg::Lock::Timeout=5 \
            -o Dpkg::Options::=--force-confold install --no-install-recommends --no-upgrade $1
        ;;
    dnf) patiently dnf -q -y --setopt=install_weak_deps=False install $1 ;;
    apk) patiently apk add $1 ;;
    esac
}

fail() {
    [ -z "$log" ] || tail -n 20 "$log" >&2
    echo "setup: $*" >&2
    exit 1
}

family=$(family)
if [ -z "$family" ]; then
    echo "setup: this system has none of apt, dnf and apk. Please install what provides:" >&2
    echo "$missing" | while IFS='|' read -r weight how apt dnf apk why; do
        printf '  %-22s %s\n' "${how#*:}" "$why ($weight)" >&2
    done
    echo "$missing" | grep -q '^must|' && exit 1
    exit 0
fi

plan=$(resolve)

if [ "$(id -u)" != 0 ]; then
    [ "$task" != demo ] || task=demo-user
    if ! echo "$plan" | grep -q -E '^(none-)?must\|'; then
        echo "Not there, and done without:"
        show '.*'
        exit 0
    fi
    echo "To go on, this is missing:" >&2
    show '.*' >&2
    command -v sudo >/dev/null 2>&1 && as_root="sudo $0 $task" || as_root="su -c '$0 $task'"
    printf 'This installs it:\n\n    %s\n\n' "$as_root" >&2
    exit 1
fi

log=$(mktemp)
# Nothing known of a package may only mean that the lists are missing or old.
if echo "$plan" | grep -q '^none'; then
    refresh || echo "setup: the package lists could not be brought up to date" >&2
    plan=$(resolve)
fi
if echo "$plan" | grep -q -E '^(must|may)\|'; then
    echo "Installing what is missing:"
    show 'must|may'
    packages=$(echo "$plan" | sed -n -E 's/^(must|may)\|([^|]*)\|.*/\2/p' | sort -u | tr '\n' ' ')
    # The lists may be older than the archive: once more with new ones.
    install_packages "$packages" || { refresh && install_packages "$packages"; } || {
        # All at once failed: what must be there alone, then the others one by one.
        packages=$(echo "$plan" | sed -n 's/^must|\([^|]*\)|.*/\1/p' | sort -u | tr '\n' ' ')
        [ -z "$packages" ] || install_packages "$packages" || fail "could not install: $packages"
        for package in $(echo "$plan" | sed -n 's/^may|\([^|]*\)|.*/\1/p' | sort -u); do
            install_packages "$package" || echo "  $package could not be installed: done without"
        done
    }
fi
if echo "$plan" | grep -q '^none-may'; then
    echo "Not in this system's archive, and done without:"
    show 'none-may'
fi
if echo "$plan" | grep -q '^none-must'; then
    show 'none-must' >&2
    fail "this system's archive does not have the packages above"
fi
