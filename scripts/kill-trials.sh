#!/usr/bin/env bash
# Kills a gateway with its embedded network 1,000 times, or as often as told, at
# random moments under writes and while it starts, and checks that nothing
# acknowledged is lost or doubled and that the read model is what a rebuild
# makes. The output names the seed; give it as second argument for the same
# moments again. CI does 50.
set -euo pipefail
cd "$(dirname "$0")/.."
export STEELYARD_KILL_TRIALS=${1:-1000}
if [ -n "${2:-}" ]; then export STEELYARD_KILL_SEED=$2; fi
exec go test -count 1 -timeout 6h -v -run '^TestKillUnderWrites$/^Embedded$' ./test/e2e
