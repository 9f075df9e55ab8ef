#!/usr/bin/env bash
# Builds the peers that take minutes, and tries us against all peers: `full.sh`; `full.sh build NAME ..` builds some alone.
# The sources come with packages of crates.io, which carry them for their own builds, and from Debian's newest release.
set -euo pipefail
cd "$(dirname "$0")/../.."
target="${CARGO_TARGET_DIR:-target}"
into="$(realpath -m "$target/interop")"
jobs="$(nproc)"
mkdir -p "$into"

packages() {
    local missing="" package
    for package in "$@"; do
        dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    apt-get update -q
    # shellcheck disable=SC2086 # a list of packages
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
}

# The sources of a crate, unpacked: crate NAME VERSION
crate() {
    local at="$into/crates/$1"
    if [ ! -d "$at/vendor/$1" ]; then
        mkdir -p "$at/src"
        : > "$at/src/lib.rs"
        printf '[package]\nname = "sources"\nversion = "0.0.0"\nedition = "2024"\n[dependencies]\n%s = "=%s"\n[workspace]\n' \
            "$1" "$2" > "$at/Cargo.toml"
        (cd "$at" && cargo vendor --quiet vendor > /dev/null)
    fi
    printf '%s\n' "$at/vendor/$1"
}

build_openssl4() {
    [ -x "$into/openssl4/apps/openssl" ] && return
    packages gcc make perl
    rm -rf "$into/openssl4"
    cp -r "$(crate openssl-src 400.0.2)/openssl" "$into/openssl4"
    cd "$into/openssl4"
    # The crate leaves out some old files. `build_generated` comes first, or the system's headers would be taken.
    ./Configure linux-x86_64 no-shared no-tests no-docs no-module no-legacy no-engine > configure.log
    make -s build_generated > make.log
    make -s "-j$jobs" apps/openssl >> make.log
}

build_bssl() {
    [ -x "$into/bssl/bssl" ] && return
    packages gcc g++ cmake ninja-build
    cmake -S "$(crate boring-sys 5.4.0)/deps/boringssl" -B "$into/bssl" -GNinja -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF > /dev/null
    ninja -C "$into/bssl" "-j$jobs" bssl > "$into/bssl/build.log"
}

build_wolfssl() {
    [ -x "$into/wolfssl/examples/server/server" ] && return
    packages gcc make autoconf automake libtool openssl
    rm -rf "$into/wolfssl"
    cp -r "$(crate wolfssl-sys 5.3.0)/wolfssl-src" "$into/wolfssl"
    cd "$into/wolfssl"
    autoreconf -i > configure.log 2>&1
    ./configure --quiet --disable-shared --enable-tls13 --enable-session-ticket --enable-earlydata --enable-postauth --enable-mlkem \
        --enable-psk --enable-sni --enable-alpn --enable-ed25519 --enable-curve25519 --disable-crypttests CPPFLAGS=-DHAVE_ECC384 >> configure.log 2>&1
    make -s "-j$jobs" src/libwolfssl.la examples/client/client examples/server/server > make.log 2>&1
    # The programs look for it; the crate lacks it.
    mkdir -p certs
    openssl genpkey -genparam -algorithm DH -pkeyopt group:ffdhe2048 -out certs/dh2048.pem
}

# Debian's newest versions, run by their own loader and with their own libraries.
build_sid() {
    [ -x "$into/sid/bin/botan" ] && return
    packages debootstrap
    rm -rf "$into/sid"
    debootstrap --variant=minbase --include=gnutls-bin,libnss3-tools,openssl,botan,ca-certificates sid "$into/sid/tree" \
        http://deb.debian.org/debian > "$into/sid.log" 2>&1 || { tail -n 20 "$into/sid.log"; return 1; }
    mkdir -p "$into/sid/bin"
    local program
    for program in openssl gnutls-cli gnutls-serv tstclnt selfserv botan; do
        cat > "$into/sid/bin/$program" <<SCRIPT
#!/bin/sh
exec "$into/sid/tree/lib64/ld-linux-x86-64.so.2" --library-path "$into/sid/tree/usr/lib/x86_64-linux-gnu" \\
    "$into/sid/tree/usr/bin/$program" "\$@"
SCRIPT
        chmod +x "$into/sid/bin/$program"
    done
    chroot "$into/sid/tree" dpkg-query -W -f '${Package} ${Version}\n' > "$into/sid/versions"
}

all="openssl4 bssl wolfssl sid"
if [ "${1:-}" = build ]; then
    shift
    all="$*"
fi
for name in $all; do
    begin=$SECONDS
    ("build_$name")
    printf 'peer %s: built in %d s\n' "$name" $((SECONDS - begin))
done
[ "$all" = "openssl4 bssl wolfssl sid" ] || exit 0

bash tests/interop/install.sh
cargo test --release --features interop,tokio,redis,http,native-roots --test interop_matrix -- --full
