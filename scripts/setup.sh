#!/usr/bin/env bash
# Installs what a fresh Debian 12 lacks, and nothing that is already there.
# Usage: scripts/setup.sh demo|test|lint   (test and lint also install what demo needs)
set -euo pipefail

goal=${1:-demo}

# What the program needs to build and run.
packages=(postgresql-15 postgresql-15-postgis-3 libgdal-dev pkg-config fonts-noto-cjk)
case $goal in
  demo) ;;
  # The browser tests drive Debian's own Chromium.
  test) packages+=(chromium) ;;
  lint) packages+=(shellcheck) ;;
  *) echo "usage: $0 demo|test|lint" >&2; exit 2 ;;
esac

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
  [ "$status" = "install ok installed" ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! sudo -n true 2>/dev/null; then
    echo "缺少软件包：${missing[*]}" >&2
    echo "Missing packages; ask an administrator to run: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo -n)
fi

echo "安装 Installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
# Recommended packages are left out on purpose: they bring a desktop's worth of files.
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends "${missing[@]}"
