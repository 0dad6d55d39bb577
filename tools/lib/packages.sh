# packages.sh: which Debian packages charterd needs, and how they are installed; to be sourced.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # the lists are read by those who source this

CH_BUILD_PACKAGES="gcc libc6-dev cmake ninja-build libevent-dev libnng-dev liblmdb-dev
    libmsgpack-dev libsodium-dev libisal-dev libssl-dev libjansson-dev zlib1g-dev"
CH_TEST_PACKAGES="libcmocka-dev python3 python3-msgpack nng-utils clang clang-format clang-tidy
    cppcheck"

# need_packages PACKAGE...: installs those that are missing; says which. As root it asks nothing,
# otherwise it uses sudo.
need_packages() {
    local package missing=()
    if ! command -v dpkg-query >/dev/null; then
        echo "This is no Debian. If the build stops, install what corresponds to: $*"
        return 0
    fi
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q ' installed$' ||
            missing+=("$package")
    done
    if [ ${#missing[@]} -eq 0 ]; then
        return 0
    fi
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0)
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            echo "Missing packages: ${missing[*]}. Install them as root, then run this again." >&2
            return 1
        fi
        apt=(sudo "${apt[@]}")
    fi
    echo "Installing from Debian: ${missing[*]}"
    local install=("${apt[@]}" install --no-install-recommends "${missing[@]}")
    local log
    log=$(mktemp)
    # A fresh machine has no package lists yet; then the first attempt fails at once.
    if ! "${install[@]}" >"$log" 2>&1 && ! { "${apt[@]}" update && "${install[@]}"; } >"$log" 2>&1
    then
        tail -n 20 "$log" >&2
        rm -f "$log"
        return 1
    fi
    rm -f "$log"
}
