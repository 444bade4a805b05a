#!/bin/sh
# Install the Debian packages that demo and tests use, if any is missing. Works as root and with sudo.
set -eu
PATH="$PATH:/usr/sbin:/sbin"
missing=""
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
need mosquitto mosquitto
need mosquitto_sub mosquitto-clients
need git git
need curl curl
need openssl openssl
python3 -c 'import venv, ensurepip' 2>/dev/null || missing="$missing python3 python3-venv python3-pip"

# With "tests": a browser, for the tests of the page; without it they are skipped.
browser=""
if [ "${1:-}" = tests ]; then
    command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 ||
        command -v google-chrome >/dev/null 2>&1 || browser="chromium"
fi

# An RTSP server and GStreamer pipelines, for tests of cameras. Without them those tests are skipped.
cameras="python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-tools gstreamer1.0-plugins-base
    gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly"
wanted=""
if command -v dpkg-query >/dev/null 2>&1; then
    # shellcheck disable=SC2016,SC2086
    there=" $(dpkg-query -W -f '${db:Status-Status}:${Package} ' $cameras 2>/dev/null || true)"
    for name in $cameras; do
        case "$there" in *" installed:$name "*) ;; *) wanted="$wanted $name" ;; esac
    done
fi
[ -n "$missing$wanted$browser" ] || exit 0

as_root=""
if [ -n "$missing" ]; then
    command -v apt-get >/dev/null 2>&1 || { echo "Please install:$missing (no apt-get here)" >&2; exit 1; }
fi
if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null 2>&1; then
        as_root="sudo"
    elif [ -n "$missing" ]; then
        echo "Please install as root: apt-get install$missing$wanted $browser" >&2; exit 1
    else
        echo "Some tests will be skipped; as root: apt-get install$wanted $browser" >&2; exit 0
    fi
fi
export DEBIAN_FRONTEND=noninteractive
install() {
    # shellcheck disable=SC2068
    $as_root apt-get install -y -qq --no-install-recommends $@ >/dev/null
}
# The lists are fetched only if the packages are not found: a second run needs no network.
install_all() {
    echo "Installing: $*"
    install "$@" 2>/dev/null || { $as_root apt-get update -qq && install "$@"; }
}
# shellcheck disable=SC2086
if [ -n "$missing" ]; then install_all $missing; fi
# shellcheck disable=SC2086
if [ -n "$wanted" ]; then
    install_all $wanted || echo "Tests of cameras will be skipped: apt-get install$wanted failed" >&2
fi
if [ -n "$browser" ]; then
    install_all "$browser" || echo "Tests of the page will be skipped: apt-get install $browser failed" >&2
fi

case "$missing" in *" mosquitto "*)
    # The package has just started a broker of its own on port 1883; tests and demo run theirs on free ports.
    if [ -d /run/systemd/system ]; then $as_root systemctl disable --now mosquitto >/dev/null 2>&1 || true; fi
esac
