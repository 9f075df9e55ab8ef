#!/bin/sh
# All cases on valgrind, in two builds: what users ship, on the processor's instructions for AES, GHASH and vectors; and
# another shape of machine code from the same source, small and optimised as a whole, with everything in software.
set -eu
cd "$(dirname "$0")"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-../../target/constant_time}"
cargo test --release
echo "== as shipped"
cargo run --release
echo "== small, and in software"
software=""
for backend in aes polyval chacha20 poly1305 sha2 keccak; do
    software="$software --cfg ${backend}_backend=\"soft\""
done
RUSTFLAGS="$software --cfg curve25519_dalek_backend=\"serial\"" cargo run --profile small
