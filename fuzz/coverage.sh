#!/usr/bin/env bash
# Usage: coverage.sh. Plays the corpora with instrumented code, and tells by module how many lines and branches of the library
# they reach. LLVM_BIN is the folder of an llvm-profdata and an llvm-cov of rustc's own version of LLVM.
set -euo pipefail
cd "$(dirname "$0")"
bin="${LLVM_BIN:+$LLVM_BIN/}"
out="${CARGO_TARGET_DIR:-$PWD/target}/coverage"
mkdir -p "$out"
# Only this project's code is instrumented.
cat > "$out/rustc.sh" <<'SH'
#!/bin/sh
case "$CARGO_PKG_NAME" in symbolon*) exec "$@" -C instrument-coverage ;; esac
exec "$@"
SH
chmod +x "$out/rustc.sh"
rm -f "$out"/*.profraw
export CARGO_TARGET_DIR="$out" RUSTC_WRAPPER="$out/rustc.sh" LLVM_PROFILE_FILE="$out/replay-%p.profraw"
test=$(cargo test --test replay --no-run 2>&1 | sed -n 's/.*Executable.*(\(.*\))/\1/p')
"$test" --quiet
"${bin}llvm-profdata" merge -sparse "$out"/*.profraw -o "$out/replay.profdata"
"${bin}llvm-cov" export "$test" -instr-profile="$out/replay.profdata" -format=lcov -skip-functions > "$out/lcov"
awk -F: '
    /^SF:/ { module = ""; if (match($2, /\/src\/(wire|record|handshake|pki|conn|schedule|psk|question|crypto|policy\/tickets)\//)) {
        module = substr($2, RSTART + 5, RLENGTH - 6) } }
    module != "" && /^DA:/ { split($2, at, ","); lines[module]++; if (at[2] > 0) hit[module]++ }
    END { for (module in lines) printf "%-16s %6d of %6d lines  %5.1f %%\n", module, hit[module], lines[module],
        100 * hit[module] / lines[module] }
' "$out/lcov" | sort
