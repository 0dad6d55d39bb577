#!/bin/bash
# golden.reference: the generated pages of schema/ are what charter-gen prints, byte for byte.
# SPDX-License-Identifier: MIT
set -u
root=${CH_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}
generator=${CH_BIN_DIR:-$root/build/dev/bin}/charter-gen
if [ ! -x "$generator" ]; then
    echo "no charter-gen at $generator: build first"
    exit 1
fi
stale=0
compare() { # page, argument
    "$generator" "$2" | diff -u "$root/schema/$1" - && return
    echo
    echo "schema/$1 is not what the .def rows say. Refresh it:"
    echo "    $generator $2 > $root/schema/$1"
    stale=1
}
compare REFERENCE.md reference
compare COMMANDS.md commands
compare SCOPES.md scopes
exit $stale
