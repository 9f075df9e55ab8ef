#!/bin/sh
# Makes seeds/pki_chain from the certificates of ../testvectors/pki; targets/pki_chain.rs tells the form.
set -eu
cd "$(dirname "$0")"
pki=../testvectors/pki
out=seeds/pki_chain
mkdir -p "$out"
der=$(mktemp)
trap 'rm -f "$der"' EXIT

byte() { printf "\\$(printf %03o "$1")"; }

# 2026-06-01, as four bytes.
now() { byte 106; byte 28; byte 203; byte 128; }

# Usage: whole name flags file..; each certificate with its length.
whole() {
    name=$1; flags=$2; shift 2
    {
        byte "$flags"; now
        for file in "$@"; do
            openssl x509 -in "$pki/$file.pem" -outform DER > "$der"
            len=$(wc -c < "$der")
            byte 0; byte $((len / 256)); byte $((len % 256)); cat "$der"
        done
    } > "$out/$name"
}

# Usage: known name flags index..; certificates of the pool, unchanged.
known() {
    name=$1; flags=$2; shift 2
    {
        byte "$flags"; now
        for index in "$@"; do byte $((2 * index + 1)); byte 0; byte 0; byte 0; done
    } > "$out/$name"
}

whole p256 0 p256 intermediate
whole rsa 0 rsa2048 intermediate
whole pss 0 pss
whole constrained 1 under-constrained constrained
whole second 2 under-second second intermediate
whole client 2 client-only
whole self-signed 0 self-signed
known pool 0 0 1
known maze 1 3 2 1 4 5 1 2 3 6 7 1
known believed 1 5 4 2 1
