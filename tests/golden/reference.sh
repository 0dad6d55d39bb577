#!/bin/bash
# golden.reference: schema/REFERENCE.md is what charter-gen prints, byte for byte.
# SPDX-License-Identifier: MIT
set -u
root=${CH_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}
generator=${CH_BIN_DIR:-$root/build/dev/bin}/charter-gen
if [ ! -x "$generator" ]; then
    echo "no charter-gen at $generator: build first"
    exit 1
fi
if "$generator" | diff -u "$root/schema/REFERENCE.md" - ; then
    exit 0
fi
echo
echo "schema/REFERENCE.md is not what the .def rows say. Refresh it:"
echo "    $generator > $root/schema/REFERENCE.md"
exit 1
