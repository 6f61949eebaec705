#!/usr/bin/env bash
# Builds .venv: the dependencies pinned in requirements.lock and this project, editable.
# `make setup` calls it before everything else, so the usual case, nothing to do, comes first.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

venv=.venv
stamp=$venv/.stamp       # what the finished environment was built from
building=$venv/.building # there while .venv is being changed; left behind by an interruption

# Contents, not times: switching branches touches files without changing them. The path is part
# of it because an editable install points to where the checkout was.
wanted="$(cat requirements.lock pyproject.toml | cksum) $PWD"

up_to_date() {
    [ -z "${PYTHON:-}" ] && [ -x $venv/bin/python ] && [ ! -e $building ] &&
        [ "$(cat $stamp 2>/dev/null)" = "$wanted" ]
}

if up_to_date; then exit 0; fi

# Two makes started at once must not both build; the second finds the work done. Where flock is
# missing (macOS) that is up to the user.
if command -v flock >/dev/null; then
    exec 9<requirements.lock
    flock -n 9 || { echo "waiting for another setup to finish ..." && flock 9; }
    if up_to_date; then exit 0; fi
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT

stop() {
    printf 'setup: %s\n' "$@" >&2
    exit 1
}

say() { printf '  %s\n' "$*"; }

# Output is shown only when the command fails.
quietly() { "$@" >>"$log" 2>&1; }

minor_version() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null; }

is_supported() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

# --- which Python ---------------------------------------------------------------------------

# Another virtual environment may be active: build from the Python beneath it.
if [ -n "${VIRTUAL_ENV:-}" ]; then
    PATH=":$PATH:"
    PATH="${PATH//":$VIRTUAL_ENV/bin:"/:}"
    PATH="${PATH#:}"
    PATH="${PATH%:}"
fi
# Settings that would let modules in from outside .venv, or send packages elsewhere.
unset VIRTUAL_ENV PYTHONHOME PYTHONPATH PIP_TARGET PIP_PREFIX PIP_USER

python=${PYTHON:-python3}
command -v "$python" >/dev/null ||
    stop "no '$python' here. Install Python 3.11 or newer, or name one: make setup PYTHON=python3.12"
version=$(minor_version "$python") ||
    stop "'$python' does not run. Name another Python, 3.11 or newer: make setup PYTHON=python3.12"
is_supported "$python" ||
    stop "'$python' is Python $version; 3.11 or newer is needed. Name one: make setup PYTHON=python3.12"

# An existing .venv is brought up to date in place if it is whole.
reusable() {
    [ ! -e $building ] && is_supported $venv/bin/python &&
        $venv/bin/python -m pip --version >/dev/null 2>&1 &&
        { [ -z "${PYTHON:-}" ] || [ "$(minor_version $venv/bin/python)" = "$version" ]; }
}

if reusable; then
    fresh=no
    # PYTHON was given and is what .venv has.
    if PYTHON='' up_to_date; then exit 0; fi
    echo "updating .venv ..."
else
    fresh=yes
    echo "setting up (about a minute, once) ..."
fi
SECONDS=0

# --- .venv ----------------------------------------------------------------------------------

# Debian and its relatives ship Python without ensurepip, which venv needs.
# shellcheck disable=SC2086  # as_root is empty or two words
install_venv_module() {
    local package=python$version-venv as_root=''
    local missing="Python $version has no venv and ensurepip modules."
    local advice="Install them and repeat; on Debian or Ubuntu:"
    local command="  sudo apt-get update && sudo apt-get install $package"
    # The distribution's package fits the distribution's Python only.
    [ "$("$python" -c 'import sys; print(sys.base_prefix)')" = /usr ] ||
        stop "$missing Reinstall '$python' with them, or use another: make setup PYTHON=/usr/bin/python3"
    [ "$(id -u)" = 0 ] || as_root='sudo -n'
    if ! command -v apt-get >/dev/null || ! $as_root true 2>/dev/null; then
        stop "$missing $advice" "$command"
    fi
    say "installing $package"
    if ! quietly $as_root apt-get update -q ||
        ! quietly $as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -q --no-install-recommends "$package"; then
        cat "$log" >&2
        stop "apt-get could not install $package (above). $missing" "$advice" "$command"
    fi
}

if [ $fresh = yes ]; then
    "$python" -c 'import ensurepip, venv' 2>/dev/null || install_venv_module
    if [ -e $venv ]; then
        say "replacing a .venv that is unfinished or unusable"
        rm -rf $venv
    fi
    say "creating .venv with Python $version"
    mkdir $venv
    touch $building
    if ! quietly "$python" -m venv $venv; then
        cat "$log" >&2
        stop "could not create .venv (above)"
    fi
fi

# --- packages -------------------------------------------------------------------------------

# Interrupted from here on, pip may be half way through a package: the marker stays.
trap 'exit 130' INT TERM
touch $building

no_connection='NewConnection|NameResolution|ConnectTimeout|ReadTimeout|ProxyError|Connection (broken|reset)'

pip_install() {
    if quietly $venv/bin/python -m pip --quiet --disable-pip-version-check --no-input install "$@"; then
        return
    fi
    # pip undoes a failed installation, so an environment that worked still does.
    [ $fresh = yes ] || rm -f $building
    # pip retries on connection trouble, and in the end blames the package: show the real cause.
    if grep -qE "$no_connection" "$log"; then
        grep -E "$no_connection" "$log" | tail -n 1 >&2
        stop "the Python package index cannot be reached (above). Setting up needs a network connection:" \
            "connect, or set pip's index or proxy (PIP_INDEX_URL, HTTPS_PROXY), and repeat."
    fi
    cat "$log" >&2
    stop "pip could not install the dependencies (above)"
}

say "installing $(grep -c '==' requirements.lock) pinned packages"
pip_install --require-hashes -r requirements.lock
say "installing this project"
# Its build backend is in the lock; isolation would fetch another, unpinned.
pip_install --no-build-isolation --no-deps --editable .

printf '%s\n' "$wanted" >$stamp
rm -f $building
say "ready (${SECONDS} s)"
