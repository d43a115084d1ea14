#!/usr/bin/env bash
# Runs every fuzz target of the module for a short fixed time each, 3 s unless
# another one is given, on top of the corpora in testdata/fuzz. What fails Go
# writes there: commit it with the repair. A second argument keeps so many more
# of the inputs found, the smallest, for each target.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-3s}
keep=${2:-0}

said=$(mktemp)
trap 'rm -f "$said"' EXIT
cache=$(go env GOCACHE)/fuzz
count=0
while read -r directory; do
  package=$(cd "$directory" && go list) # by its own module: network/enroll is one
  for target in $(cd "$directory" && go test -list '^Fuzz' | grep '^Fuzz' || true); do
    echo "fuzzing $package $target for $time"
    (cd "$directory" && go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 5s) >"$said" 2>&1 || {
      # When the time ends while a worker is busy, go test may call that a
      # failure. A finding names its input, a seed or a panic besides.
      if grep -q 'context deadline exceeded' "$said" && ! grep -qE 'Failing input|seed corpus|panic' "$said"; then
        echo "  its time ended in the middle of an input"
      else
        cat "$said"
        exit 1
      fi
    }
    count=$((count + 1))
    if ((keep > 0)) && [ -d "$cache/$package/$target" ]; then
      mkdir -p "$directory/testdata/fuzz/$target"
      ls -Sr "$cache/$package/$target" | head -n "$keep" | xargs -I{} cp -n "$cache/$package/$target/{}" "$directory/testdata/fuzz/$target/"
    fi
  done
done < <(git grep -lE '^func Fuzz[A-Z]' -- '*_test.go' | xargs -n 1 dirname | sort -u)
echo "$count fuzz targets, nothing found"
[ "$count" -gt 0 ]
