#!/bin/sh
# Install the Debian packages that demo and tests use, if any is missing. Works as root and with sudo.
set -eu
PATH="$PATH:/usr/sbin:/sbin"
missing=""
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
need mosquitto mosquitto
need mosquitto_sub mosquitto-clients
need git git
python3 -c 'import venv, ensurepip' 2>/dev/null || missing="$missing python3 python3-venv python3-pip"
[ -n "$missing" ] || exit 0

command -v apt-get >/dev/null 2>&1 || { echo "Please install:$missing (no apt-get here)" >&2; exit 1; }
as_root=""
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 || { echo "Please install as root: apt-get install$missing" >&2; exit 1; }
    as_root="sudo"
fi
echo "Installing:$missing"
export DEBIAN_FRONTEND=noninteractive
install() {
    # shellcheck disable=SC2086
    $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
}
# The lists are fetched only if the packages are not found: a second run needs no network.
install 2>/dev/null || { $as_root apt-get update -qq; install; }

case "$missing" in *" mosquitto "*)
    # The package has just started a broker of its own on port 1883; tests and demo run theirs on free ports.
    if [ -d /run/systemd/system ]; then $as_root systemctl disable --now mosquitto >/dev/null 2>&1 || true; fi
esac
