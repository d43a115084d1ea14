#!/bin/sh
# Let a further organisation with a peer into the network that runs here:
# fabric-join.sh NAME [--dir DIR]. The steps are those of network/README.md.
set -eu
cd "$(dirname "$0")/.."
name=${1:?the name of the organisation, small letters, such as consumers}
shift
update=$(mktemp)
trap 'rm -f "$update"' EXIT
admin() { go run ./network/admin "$@"; }

admin organization make "$name" "$@"
admin organization propose "$name" --as regulator --out "$update" "$@"
admin channel sign "$update" --as institute,association "$@"
admin channel submit "$update" --as regulator "$@"
admin organization join "$name" "$@"
exec ./scripts/fabric-deploy.sh "$@"
