#!/usr/bin/env bash
# Real tools that tests compare verdicts with. Continuous integration installs them; contributors may.
set -euo pipefail

COSIGN_SUITE=forky  # the first Debian release with version 3, which writes both formats of signatures
COSIGN_MODULE=github.com/sigstore/cosign/v3/cmd/cosign@v3.1.1

# g++ and make: the native part of a database that Backstage's backend is run with.
declare -A packages=([promtool]=prometheus [docker-registry]=docker-registry [g++]=g++ [make]=make)
wanted=()
for tool in "${!packages[@]}"; do
  command -v "$tool" >/dev/null || wanted+=("${packages[$tool]}")
done
cosign=$(command -v cosign || true)
if [ ${#wanted[@]} -eq 0 ] && [ -n "$cosign" ]; then exit 0; fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "not here: ${wanted[*]} ${cosign:-cosign}; tests that need them will be skipped" >&2
  exit 0
fi
export DEBIAN_FRONTEND=noninteractive

if [ ${#wanted[@]} -gt 0 ]; then
  # The packages would start servers of their own: refuse that, tests start what they need.
  printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
  chmod +x /usr/sbin/policy-rc.d
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  apt-get -qq update
  apt-get -qq install -y --no-install-recommends "${wanted[@]}" >/dev/null
fi

# One program out of a newer release, beside the system: it wants nothing but the C library.
unpack_cosign() {
  local mirror folder options
  mirror=$(apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' | awk '$1 == "Debian" && $2 == "Debian" { print $3; exit }')
  [ -n "$mirror" ] || return 1
  folder=$(mktemp -d)
  mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $COSIGN_SUITE main" >"$folder/sources.list"
  options=(-qq -o "Dir::Etc::sourcelist=$folder/sources.list" -o Dir::Etc::sourceparts=-
    -o "Dir::State::lists=$folder/lists" -o "Dir::Cache=$folder/cache" -o APT::Sandbox::User=root)
  (cd "$folder" && apt-get "${options[@]}" update && apt-get "${options[@]}" download cosign && dpkg -x cosign_*.deb .) || return 1
  install -m 755 "$folder/usr/bin/cosign" /usr/local/bin/cosign
  rm -rf "$folder"
}

if [ -z "$cosign" ] && ! unpack_cosign; then
  GOBIN=/usr/local/bin CGO_ENABLED=0 go install -trimpath "$COSIGN_MODULE"
fi
