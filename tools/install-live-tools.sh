#!/usr/bin/env bash
# Real tools that tests compare verdicts with. Continuous integration installs them; contributors may.
set -euo pipefail
if command -v promtool >/dev/null; then exit 0; fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "promtool is not here: tests that compare with it will be skipped" >&2
  exit 0
fi
# The package would start a server of its own: refuse that, tests start what they need.
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod +x /usr/sbin/policy-rc.d
trap 'rm -f /usr/sbin/policy-rc.d' EXIT
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq install -y --no-install-recommends prometheus >/dev/null
