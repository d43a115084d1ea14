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

has() {
  case $1 in
  postgresql) ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 ;;
  nodejs) command -v node >/dev/null ;;
  libc6-dev) [ -f /usr/include/stdlib.h ] ;;
  *) command -v "$1" >/dev/null ;;
  esac
}

# Debian packages that single tests need: a browser, PostgreSQL, node for the
# second implementation of the draw and the foreign client, python3 for the
# second canonicaliser, and a C compiler for the database of the CA server.
needed=(chromium postgresql nodejs npm python3 gcc libc6-dev)
packages=()
for package in "${needed[@]}"; do
  has "$package" || packages+=("$package")
done
if ((${#packages[@]})) && command -v apt-get >/dev/null; then
  sudo=""
  [ "$(id -u)" = 0 ] || sudo=sudo
  if $sudo apt-get update -qq && $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null; then
    echo "installed: ${packages[*]}"
  else
    echo "could not install ${packages[*]}"
  fi
fi

# Runs tests and prints go test's own lines, and after them each test that was
# skipped, with its reason, which go test keeps to itself.
tools=$PWD/scripts/tools/go.mod
tests() { go tool -modfile="$tools" gotestsum --format standard-quiet -- "$@"; }

for package in "${needed[@]}"; do
  has "$package" || echo "skipped: the tests that need $package, which is not here"
done
[ -d ../shared/data/dcc ] || echo "skipped: the checks on PTB's sample certificates, which are not part of this repository"

missing=()
for binary in peer orderer configtxgen configtxlator osnadmin; do
  command -v "$binary" >/dev/null || missing+=("$binary")
done
if ((${#missing[@]})); then
  echo "real Fabric: not tested, since these are not on PATH: ${missing[*]}"
else
  echo "real Fabric: tested too, both orderers, some thirty minutes more, $(peer version | sed -n 's/^ *Version: *//p')"
fi

unformatted=$(git ls-files '*.go' | xargs gofmt -l)
if [ -n "$unformatted" ]; then
  echo "gofmt would change: $unformatted"
  exit 1
fi
go mod tidy -diff
go vet ./...
go tool -modfile="$tools" staticcheck ./...
tests -timeout 45m "$@" ./...
./scripts/fuzz.sh 3s

# A module of its own, so that the archived SDK is linked with nothing else.
(
  cd network/enroll
  go mod tidy -diff
  go vet ./...
  go tool -modfile="$tools" staticcheck ./...
  if has gcc && has libc6-dev; then
    tests -timeout 30m "$@" ./...
  fi
)

# The draw gives the same golden bytes with SHA-256 in plain Go and, where the
# kernel runs it, on a 32-bit architecture.
tests -tags purego ./chaincode/draw/...
if GOARCH=386 go test -run '^$' ./chaincode/draw/strictjson >/dev/null 2>&1; then
  GOARCH=386 tests ./chaincode/draw/...
else
  echo "skipped: the draw on GOARCH=386, which does not run here"
fi

# The run above has played the end-to-end scenarios, with outages and the
# operator's commands, on BFT orderers.
if ((${#missing[@]} == 0)); then
  export STEELYARD_NETWORK=real
  STEELYARD_ORDERER=etcdraft tests -timeout 30m "$@" ./test/e2e
  for orderer in BFT etcdraft; do
    STEELYARD_ORDERER=$orderer tests -timeout 30m "$@" ./test/conformance
  done
fi
