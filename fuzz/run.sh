#!/usr/bin/env bash
# Usage: run.sh SECONDS [TARGET..]. Runs every target for so long, or those named, from its corpus and its seeds. What is
# new is kept in work/. Prints a table, and ends at the first input that fails, which is then in artifacts/.
set -euo pipefail
cd "$(dirname "$0")"
seconds=$1
shift
out="${CARGO_TARGET_DIR:-$PWD/target}/libfuzzer"
# A stable compiler can do it too.
export RUSTC_BOOTSTRAP=1

targets=("$@")
[ $# -gt 0 ] || mapfile -t targets < <(cd targets && ls ./*.rs | sed 's|^\./||; s|\.rs$||')

[ -d seeds ] || cargo run --quiet --example seeds
cargo fuzz build --sanitizer "${SANITIZER:-none}" --features libfuzzer --target-dir "$out"

# Runs one target, and prints its row of the table; or what it said before it failed.
run() {
    local target=$1
    mkdir -p "work/$target" "corpus/$target" "artifacts/$target" "seeds/$target"
    local log="work/$target.log"
    local binary=("$out"/*/release/"$target")
    if ! "${binary[0]}" "work/$target" "corpus/$target" "seeds/$target" -artifact_prefix="artifacts/$target/" \
        -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=1 \
        > "$log" 2>&1
    then
        tail -n 60 "$log"
        echo "$target failed; replay it with: ${binary[0]} fuzz/artifacts/$target/.."
        return 255 # ends xargs
    fi
    local last edges corpus
    last=$(grep -E '^#[0-9]+.*(DONE|pulse|NEW|REDUCE|INITED)' "$log" | tail -n 1)
    value() { sed -n "s/^stat::$1: *//p" "$log"; }
    edges=$(sed -n 's/.*cov: \([0-9]*\).*/\1/p' <<< "$last")
    corpus=$(sed -n 's|.*corp: \([0-9]*\).*|\1|p' <<< "$last")
    printf '%-16s %10s %8s %8s %8s %6s\n' "$target" "$(value number_of_executed_units)" \
        "$(value average_exec_per_sec)" "$edges" "$corpus" "$(value peak_rss_mb)"
}
export -f run
export out seconds

printf '%-16s %10s %8s %8s %8s %6s\n' target runs runs/s edges inputs MiB
# As many at a time as there are processors.
printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I{} bash -c 'run {}'
