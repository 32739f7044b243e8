#!/bin/sh
# Installs what the benches compare with, from Debian's packages: libwbxml with its headers, Kannel, a C compiler (for a loop
# around libwbxml, and for the library that lets Kannel wait for the disk), and
# a PostgreSQL server of its own. Needs root. npm's peers come with `npm ci`. Nothing else in this repository runs this.
set -eu

if ! command -v apt-get >/dev/null 2>&1; then
  echo "bench/setup.sh knows Debian and its relatives only: there is no apt-get here." >&2
  echo "Without the peers \`npm run bench\` measures Turnup alone and says so." >&2
  exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "bench/setup.sh installs packages: run it as root (sudo bench/setup.sh)." >&2
  exit 1
fi

# No service is to start: the benches run their own, on free ports of the loopback, in temporary folders.
policy=/usr/sbin/policy-rc.d
made_policy=no
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  made_policy=yes
fi
trap 'if [ "$made_policy" = yes ]; then rm -f "$policy"; fi' EXIT

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends \
  gcc libc6-dev libwbxml2-dev libwbxml2-utils kannel postgresql

for package in libwbxml2-1 kannel postgresql; do
  dpkg-query -W -f '${Package} ${Version}\n' "$package"
done
