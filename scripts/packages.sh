#!/usr/bin/env bash
# Installs the Debian packages that are missing for `build` or `test`: as root
# without a question, otherwise it prints the one line to type and stops.
set -euo pipefail

case "${1:-build}" in
  build) wanted=(build-essential ca-certificates cmake) ;;
  test)
    wanted=(build-essential bubblewrap ca-certificates chromium cmake coturn ffmpeg firefox-esr fonts-dejavu-core
      fonts-liberation openssl poppler-utils python3-venv strace webp xvfb)
    # Either flavour of LibreOffice will do; without one the smaller is wanted.
    [ -f /usr/lib/libreoffice/program/libsdlo.so ] || wanted+=(libreoffice-impress-nogui)
    ;;
  *) echo "usage: $0 build|test" >&2; exit 2 ;;
esac

if ! command -v dpkg-query >/dev/null; then
  echo "This is not Debian: please see that these are there: ${wanted[*]}" >&2
else
  missing=()
  for package in "${wanted[@]}"; do
    status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
    [ "$status" = 'install ok installed' ] || missing+=("$package")
  done
  if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" -eq 0 ]; then
      echo "Installing ${missing[*]}"
      apt-get update -qq
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    else
      echo "Some packages are missing. Please type this line, then try again:" >&2
      echo "  sudo apt-get install -y --no-install-recommends ${missing[*]}" >&2
      exit 1
    fi
  fi
fi

for tool in cargo node npm git; do
  command -v "$tool" >/dev/null || { echo "$tool is missing; see CONTRIBUTING.md" >&2; exit 1; }
done
node -e 'const [a, b] = process.versions.node.split(".").map(Number);
  if (a < 20 || (a === 20 && b < 19)) { console.error(`Node ${process.versions.node} is too old, 20.19 or later is needed`); process.exit(1) }'

# A storage of S3's kind for the tests; Debian has none.
if [ "${1:-build}" = test ] && ! command -v moto_server >/dev/null; then
  moto=$(dirname "$0")/../target/moto
  if [ ! -x "$moto/bin/moto_server" ]; then
    echo "Installing moto into target/moto"
    { python3 -m venv --clear "$moto" && "$moto/bin/pip" install --quiet --disable-pip-version-check 'moto[server]==5.2.1'; } || {
      rm -rf "$moto"
      echo "WARNING: moto[server] cannot be installed with pip; the tests of the object storage will be SKIPPED" >&2
    }
  fi
fi
