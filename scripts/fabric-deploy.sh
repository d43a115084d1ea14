#!/bin/sh
# Deploy the contract, or upgrade it, on the network that fabric-up.sh started.
set -eu
cd "$(dirname "$0")/.."
exec go run ./network/admin deploy "$@"
