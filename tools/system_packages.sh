#!/bin/sh
# Installs what tests use from Debian, where that is allowed. Tests that need what is still missing
# are skipped with the reason, so nothing here is an error.
set -u

have() { command -v "$1" >/dev/null 2>&1; }

missing=""
have chromium || missing="$missing chromium"
have clamd || missing="$missing clamav-daemon"
have ffmpeg || missing="$missing ffmpeg"
[ -d /usr/share/fonts/truetype/dejavu ] || missing="$missing fonts-dejavu-core"
[ -z "$missing" ] && exit 0

if [ "$(id -u)" -ne 0 ] || ! have apt-get; then
    echo "Not installed, and not ours to install:$missing. Tests that need them are skipped."
    exit 0
fi
echo "Installing$missing"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
# shellcheck disable=SC2086 # a list of words
if apt-get update -qq >"$log" 2>&1 &&
    apt-get install -y -qq --no-install-recommends $missing libmagic1 >>"$log" 2>&1; then
    echo "Installed$missing"
else
    echo "Could not install$missing; tests that need them are skipped. apt said:"
    tail -n 5 "$log"
fi
rm -f "$log"
exit 0
