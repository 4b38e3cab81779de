#!/bin/sh
# The two libraries of the static binary that Debian has no archive of that fits: ISA-L (none at all) and libcurl (its
# archive wants forty others), with c-ares, which looks names up without the shared modules that glibc wants for that.
#
#     packaging/libs.sh SOURCES PREFIX      SOURCES: what packaging/apt.sh sources unpacked; PREFIX: an absolute path
#
# libcurl speaks HTTP/1.1 over TCP, TLS and Unix sockets, and nothing else: no other protocol, no HTTP/2, no cookies.
# Must leave no trace of where it was built in what it builds.
set -eu

sources=$(cd "$1" && pwd)
prefix=$2
jobs=${JOBS:-2}
log=$sources/log

fail() {
    tail -n 20 "$log" >&2
    echo "libs: $*" >&2
    exit 1
}

CFLAGS="-O2 -fPIE -fstack-protector-strong -fstack-clash-protection -fcf-protection -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"
CFLAGS="$CFLAGS -ffile-prefix-map=$sources=. -ffile-prefix-map=$prefix=."
export CFLAGS
# Nothing of the caller's may steer these builds.
unset CPPFLAGS LDFLAGS LIBS MAKEFLAGS MFLAGS PKG_CONFIG_PATH PKG_CONFIG_LIBDIR || true
mkdir -p "$prefix/include/isa-l" "$prefix/lib/pkgconfig"
: >"$log"

isal() {
    cd "$sources/libisal"
    make -f Makefile.unx -j "$jobs" CFLAGS_="$CFLAGS" lib isa-l.h >>"$log" 2>&1 || return 1
    cp bin/isa-l.a "$prefix/lib/libisal.a"
    cp isa-l.h "$prefix/include/"
    cp include/*.h "$prefix/include/isa-l/"
    version=$(sed -n 's/^version ?= //p' Makefile.unx)
    sed -e "s,@prefix@,$prefix," -e "s,@exec_prefix@,$prefix," -e "s,@libdir@,$prefix/lib," \
        -e "s,@includedir@,$prefix/include," -e "s,@VERSION@,$version," libisal.pc.in >"$prefix/lib/pkgconfig/libisal.pc"
}

cares() {
    cd "$sources/c-ares"
    { ./configure --prefix="$prefix" --disable-shared --enable-static --disable-tests --disable-dependency-tracking -q &&
        make -s -j "$jobs" && make -s install; } >>"$log" 2>&1
}

libcurl() {
    cd "$sources/curl"
    without=
    for feature in ftp file ldap ldaps rtsp dict telnet tftp pop3 imap smb smtp gopher mqtt manual threaded-resolver sspi \
        ntlm ntlm-wb tls-srp cookies doh mime netrc alt-svc hsts websockets libcurl-option openssl-auto-load-config; do
        without="$without --disable-$feature"
    done
    for library in brotli zstd libpsl libgsasl libssh2 librtmp libidn2 nghttp2 gssapi ca-path; do
        without="$without --without-$library"
    done
    # shellcheck disable=SC2086
    { ./configure --prefix="$prefix" --disable-shared --enable-static --disable-dependency-tracking -q $without \
        --enable-http --enable-ares="$prefix" --with-openssl --with-zlib \
        --with-ca-bundle=/etc/ssl/certs/ca-certificates.crt &&
        make -s -C lib -j "$jobs" && make -s -C lib install && make -s -C include install; } >>"$log" 2>&1 || return 1
    cp libcurl.pc "$prefix/lib/pkgconfig/"
}

isal || fail "ISA-L could not be built"
(cares) || fail "c-ares could not be built"
(libcurl) || fail "libcurl could not be built"
protocols=$(sed -n 's/^supported_protocols="\(.*\)"/\1/p' "$prefix/lib/pkgconfig/libcurl.pc")
[ "$protocols" = "HTTP HTTPS" ] || fail "libcurl speaks $protocols"
