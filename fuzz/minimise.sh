#!/usr/bin/env bash
# Usage: minimise.sh [TARGET..]. Makes each corpus anew: of seeds, corpus and what run.sh found, the smallest inputs that
# reach as much. Run run.sh first. How often code runs does not count: there would be three times as many files.
set -euo pipefail
cd "$(dirname "$0")"
out="${CARGO_TARGET_DIR:-$PWD/target}/libfuzzer"
targets=("$@")
[ $# -gt 0 ] || mapfile -t targets < <(cd targets && ls ./*.rs | sed 's|^\./||; s|\.rs$||')
for target in "${targets[@]}"; do
    binary=("$out"/*/release/"$target")
    new=$(mktemp -d)
    mkdir -p "work/$target" "corpus/$target"
    "${binary[0]}" -merge=1 -use_counters=0 -max_len=4096 "$new" "seeds/$target" "corpus/$target" "work/$target" 2> "work/$target.merge.log"
    rm -rf "corpus/$target"
    mkdir -p "corpus/$target"
    cp "$new"/* "corpus/$target/"
    rm -rf "$new"
    printf '%-16s %6s inputs %8s bytes\n' "$target" "$(ls "corpus/$target" | wc -l)" "$(cat "corpus/$target"/* | wc -c)"
done
