#!/bin/sh
# Tell what runs of the network that fabric-up.sh started.
set -eu
cd "$(dirname "$0")/.."
exec go run ./network/admin status "$@"
