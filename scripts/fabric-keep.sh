#!/bin/sh
# Look after the network that fabric-up.sh started, until interrupted: start
# again what has ended, and an ordering node that keeps the others waiting.
set -eu
cd "$(dirname "$0")/.."
exec go run ./network/admin keep "$@"
