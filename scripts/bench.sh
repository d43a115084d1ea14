#!/usr/bin/env bash
# Measures what test/load/README.md states, each benchmark in turn and all of
# them six times, the least that benchstat gives a spread for, so that a machine
# that grows slower or faster meets all alike; then prints medians and spread.
# Five times took seventeen minutes on two cores; it wants 10 GB under TMPDIR, and
# nothing else should run. What was printed is kept in bench.txt, or in the file
# that a second argument names. STEELYARD_LARGE_DATA names a directory that keeps the ledger of
# a million certificates for the next time.
set -euo pipefail
cd "$(dirname "$0")/.."
repeats=${1:-6}
into=$(realpath -m "${2:-bench.txt}")

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export STEELYARD_LARGE_DATA=${STEELYARD_LARGE_DATA:-$scratch/data}
go test -c -o "$scratch/load.test" ./test/load
measure() { (cd test/load && "$scratch/load.test" -test.run '^$' -test.timeout 60m -test.bench "$1" -test.benchtime "$2" | grep -v '^PASS'); }

{
  echo "commit: $(git describe --always --dirty)"
  echo "machine: $(uname -srm), $(nproc) processors, $(awk '/MemTotal/ { printf "%.0f GiB", $2 / 2^20 }' /proc/meminfo), $(go env GOVERSION)"
  for ((i = 0; i < repeats; i++)); do
    measure '^BenchmarkWrite$' 5000x
    measure '^BenchmarkBatches$' 5x
    measure '^BenchmarkStart$' 1x
    measure '^BenchmarkRebuild$' 1x
    STEELYARD_LARGE=1 measure '^BenchmarkVerifyHTTP$' 100000x
  done
  STEELYARD_LARGE=1 measure '^BenchmarkStartLarge$' 5x # anchors 1,000,000 certificates first
} | tee "$into"
go tool -modfile=scripts/tools/go.mod benchstat "$into"
