#!/bin/sh
# Start a Fabric network of four organisations on this machine. Flags: --help
set -eu
cd "$(dirname "$0")/.."
exec go run ./network/admin up "$@"
