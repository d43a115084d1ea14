#!/usr/bin/env bash
# Runs every fuzz target of the module for a short fixed time each, 3 s unless
# another one is given, on top of the corpora in testdata/fuzz. What Go finds it
# writes into testdata: commit it with the repair.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-3s}

said=$(mktemp)
trap 'rm -f "$said"' EXIT
count=0
while read -r package; do
  for target in $(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
    echo "fuzzing $package $target for $time"
    go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 5s "$package" >"$said" 2>&1 || {
      cat "$said"
      exit 1
    }
    count=$((count + 1))
  done
done < <(git grep -lE '^func Fuzz[A-Z]' -- '*_test.go' | xargs -n 1 dirname | sort -u | sed 's|^|./|')
echo "$count fuzz targets, nothing found"
[ "$count" -gt 0 ]
