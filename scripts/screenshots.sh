#!/usr/bin/env bash
# Makes the pictures of the README anew: screenshots.sh [DIRECTORY], by default
# gateway/web/pictures. Chinese fonts are needed on the machine that makes them;
# readers use their own.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=()
command -v chromium >/dev/null || packages+=(chromium)
fc-list :lang=zh 2>/dev/null | grep -q CJK || packages+=(fontconfig fonts-noto-cjk)
if ((${#packages[@]})); then
  sudo=""
  [ "$(id -u)" = 0 ] || sudo=sudo
  $sudo apt-get update -qq
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}"
fi

into=$(mkdir -p "${1:-gateway/web/pictures}" && cd "${1:-gateway/web/pictures}" && pwd)
STEELYARD_PICTURES=$into go test -count=1 -timeout 15m ./test/browser -run TestScreenshots
ls -l "$into"
