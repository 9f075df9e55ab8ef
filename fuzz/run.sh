#!/usr/bin/env bash
# Usage: run.sh SECONDS [TARGET..]. Runs every target for so long, or those named, from its corpus and its seeds. What is
# new is kept in work/. Ends with a table, or at the first input that fails, which is then in artifacts/.
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

table=""
for target in "${targets[@]}"; do
    mkdir -p "work/$target" "corpus/$target" "artifacts/$target" "seeds/$target"
    log="work/$target.log"
    binary=("$out"/*/release/"$target")
    if ! "${binary[0]}" "work/$target" "corpus/$target" "seeds/$target" -artifact_prefix="artifacts/$target/" \
        -max_total_time="$seconds" -max_len=4096 -timeout=60 -report_slow_units=60 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=1 \
        > "$log" 2>&1
    then
        tail -n 60 "$log"
        echo "$target failed; replay it with: ${binary[0]} fuzz/artifacts/$target/.."
        exit 1
    fi
    last=$(grep -E '^#[0-9]+.*(DONE|pulse|NEW|REDUCE|INITED)' "$log" | tail -n 1)
    value() { sed -n "s/^stat::$1: *//p" "$log"; }
    edges=$(sed -n 's/.*cov: \([0-9]*\).*/\1/p' <<< "$last")
    corpus=$(sed -n 's|.*corp: \([0-9]*\).*|\1|p' <<< "$last")
    table+=$(printf '%-16s %10s %8s %8s %8s %6s' "$target" "$(value number_of_executed_units)" \
        "$(value average_exec_per_sec)" "$edges" "$corpus" "$(value peak_rss_mb)")$'\n'
done
printf '%-16s %10s %8s %8s %8s %6s\n%s' target runs runs/s edges inputs MiB "$table"
