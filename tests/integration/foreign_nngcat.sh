#!/bin/bash
# foreign_nngcat: nng's own command line tool asks charterd. SPDX-License-Identifier: MIT
set -euo pipefail
root=${CH_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}
bin=${CH_BIN_DIR:-$root/build/dev/bin}
# Debian's own python: the one that sees python3-msgpack.
python=/usr/bin/python3
[ -x $python ] || python=python3
command -v nngcat >/dev/null || { echo "SKIPPED: nngcat is not installed (nng-utils)"; exit 77; }

dir=$(mktemp -d)
daemon=
finish() {
    if [ -n "$daemon" ]; then
        kill -9 "$daemon" 2>/dev/null || true
        wait "$daemon" 2>/dev/null || true
    fi
    rm -rf "$dir"
}
trap finish EXIT

url=ipc://$dir/c.ipc
mkfifo "$dir/said"
exec 3<>"$dir/said"
"$bin/charterd" --data "$dir/data" --listen "$url" 2>&3 &
daemon=$!
read -r -t 60 line <&3 || { echo "charterd said nothing for a minute"; exit 1; }
[[ $line == *ready* ]] || { echo "$line"; exit 1; }

# ask HEX: sends the bytes, prints the reply in hexadecimal
ask() {
    $python -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(sys.argv[1]))' "$1" \
        >"$dir/message"
    nngcat --req --dial "$url" --delay 1 --recv-timeout 20 --raw --file "$dir/message" |
        $python -c 'import sys; print(sys.stdin.buffer.read().hex())'
}

# The request of the example in schema/README.md, byte for byte.
id=000102030405060708090a0b0c0d0e0f
request=84a26964c410${id}a17601a46175746891a470656572a563616c6c739182
request+=a474797065b36163636f756e742e6f70656e5f6d6173746572a46172677381a46e616d65a56e6f727468
reply=$(ask "$request")
echo "reply: $reply"
$python - "$reply" <<'END'
import sys
import msgpack
reply = msgpack.unpackb(bytes.fromhex(sys.argv[1]))
result = reply["results"][0]["result"]
assert reply["id"] == bytes(range(16)) and reply["ok"], reply
assert result["events"] == 2 and result["account"] == result["seq"] == reply["seq"] - 1, reply
END
# Sent again, the same answer; and the same bytes cut short are told, not swallowed.
[ "$(ask "$request")" = "$reply" ] || { echo "the repeat was answered otherwise"; exit 1; }
$python - "$(ask "${request:0:80}")" <<'END'
import sys
import msgpack
reply = msgpack.unpackb(bytes.fromhex(sys.argv[1]))
assert not reply["ok"] and "results" not in reply and reply["error"]["code"], reply
END
echo "nngcat: asked, asked again, asked wrongly"
