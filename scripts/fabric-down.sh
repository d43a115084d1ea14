#!/bin/sh
# Stop the network that fabric-up.sh started. The data stay.
set -eu
cd "$(dirname "$0")/.."
exec go run ./network/admin down "$@"
