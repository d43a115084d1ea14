#!/usr/bin/env bash
# Checks everything: sets up what the tests need where it is missing, then
# formatting, vet, staticcheck, tidiness and all tests. Developers and CI run
# this same script.
#
# With Fabric's release binaries (peer, orderer, configtxgen, configtxlator,
# osnadmin and the ccaas builder) on PATH, the tests of the real network run
# too; otherwise the line below says that they do not.
set -euo pipefail
cd "$(dirname "$0")/.."

# Debian packages that single tests need: a browser, PostgreSQL, and node for
# the second implementation of the draw.
packages=()
command -v chromium >/dev/null || packages+=(chromium)
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || packages+=(postgresql)
command -v node >/dev/null || packages+=(nodejs)
if ((${#packages[@]})) && command -v apt-get >/dev/null; then
  sudo=""
  [ "$(id -u)" = 0 ] || sudo=sudo
  if $sudo apt-get update -qq && $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null; then
    echo "installed: ${packages[*]}"
  else
    echo "could not install ${packages[*]}: the tests that need them will say so and skip"
  fi
fi

missing=()
for binary in peer orderer configtxgen configtxlator osnadmin; do
  command -v "$binary" >/dev/null || missing+=("$binary")
done
if ((${#missing[@]})); then
  echo "real Fabric: not tested, since these are not on PATH: ${missing[*]}"
else
  echo "real Fabric: tested too, both orderers, some eight minutes more, $(peer version | sed -n 's/^ *Version: *//p')"
fi

unformatted=$(git ls-files '*.go' | xargs gofmt -l)
if [ -n "$unformatted" ]; then
  echo "gofmt would change: $unformatted"
  exit 1
fi
go mod tidy -diff
go vet ./...
go tool -modfile=scripts/tools/go.mod staticcheck ./...
go test -timeout 30m "$@" ./...

# The run above has played the end-to-end scenarios on BFT orderers.
if ((${#missing[@]} == 0)); then
  STEELYARD_ORDERER=etcdraft go test -timeout 30m "$@" ./test/e2e -run /Real
  for orderer in BFT etcdraft; do
    STEELYARD_NETWORK=real STEELYARD_ORDERER=$orderer go test -timeout 30m "$@" ./test/conformance
  done
fi
