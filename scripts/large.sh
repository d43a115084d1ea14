#!/usr/bin/env bash
# Measures with 1,000,000 certificates: verification over HTTP beside a bare
# handler, the rebuild of the read model, and a start on such a ledger. It takes
# half an hour on two processors and 10 GB under TMPDIR. What the start is
# measured on is made by anchoring a million certificates; a directory given as
# first argument keeps them for the next time.
set -euo pipefail
cd "$(dirname "$0")/.."
export STEELYARD_LARGE=1
if [ -n "${1:-}" ]; then
	mkdir -p "$1"
	STEELYARD_LARGE_DATA=$(realpath "$1")
	export STEELYARD_LARGE_DATA
fi
measure() { go test ./test/load -run xxx -timeout 120m -bench "$@"; }
measure 'VerifyHTTP' -benchtime 200000x -count 5
measure 'Rebuild/SQLite' -benchtime 1x -count 3
measure 'StartLarge' -benchtime 5x
