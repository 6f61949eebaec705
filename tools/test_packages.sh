#!/usr/bin/env bash
# Installs what tests need beside Python (tools/test_packages.txt), where apt and root are to hand; with
# TEST_PACKAGES=board_packages.txt what emulated boards need, with TEST_PACKAGES_FOR=BOARD only those of one.
# The usual case, everything is there, comes first and costs milliseconds. What cannot be installed is named
# and never fatal: the tests that need it are skipped and say so, and a board that cannot start says why.
set -euo pipefail
shopt -s extglob
cd "$(dirname "${BASH_SOURCE[0]}")"

list=${TEST_PACKAGES:-test_packages.txt}
limit=${TEST_PACKAGES_LIMIT:-300} # seconds for each call of apt-get
board=${TEST_PACKAGES_FOR:-}
note=${TEST_PACKAGES_NOTE:-} # said with what is installed

packages=()
missing() {
    local command package purpose boards='*'
    packages=()
    while read -r command package purpose; do
        case $command in
        '' | '#'*) continue ;;
        '['*']')
            boards=${command#[}
            boards=${boards%]}
            continue
            ;;
        esac
        # shellcheck disable=SC2053  # a pattern is meant
        if [ -n "$board" ] && [[ $board != $boards ]]; then continue; fi
        # A path stands for a library, which has no command.
        if ! command -v "$command" >/dev/null && ! { [[ $command = /* ]] && [ -e "$command" ]; }; then
            packages+=("$package")
            if [ "$1" = tell ]; then printf '  %s (package %s): %s\n' "$command" "$package" "$purpose"; fi
        fi
    done <"$list"
    [ ${#packages[@]} -gt 0 ]
}

if ! missing quietly; then exit 0; fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT

give_up() {
    if [ -n "$board" ]; then echo "$1; the board $board needs:"; else echo "$1; tests that need these are skipped:"; fi
    missing tell || true
    echo "  on Debian or Ubuntu: sudo apt-get update && sudo apt-get install ${packages[*]}"
    exit 0
}

# apt must neither ask nor wait for another apt for ever; --foreground lets Ctrl-C through.
apt() {
    timeout --foreground --kill-after=10 "$limit" \
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -o DPkg::Lock::Timeout=60 -o Dpkg::Options::=--force-confold "$@" \
        </dev/null >>"$log" 2>&1
}

as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo -n)
command -v apt-get >/dev/null || give_up "no apt-get here"
command -v timeout >/dev/null || give_up "no timeout command here"
"${as_root[@]}" true 2>/dev/null || give_up "installing packages needs root"

echo "installing for ${board:-the tests}: ${packages[*]} (apt-get, once; ${note:+$note; }at most $limit s) ..."
apt update || true # one list that cannot be fetched is no reason: the install will tell
if ! apt install -y --no-install-recommends "${packages[@]}"; then
    tail -n 3 "$log" >&2
    missing quietly || exit 0
    give_up "apt-get did not install them (above), or took longer than $limit s"
fi
if missing quietly; then give_up "installed, yet not found on PATH"; fi
