#!/usr/bin/env python3
# selftest: shows tidy a broken sample for each rule. SPDX-License-Identifier: MIT
"""Each sample is a small tree that breaks one rule; just that rule must find something there.
A sample with the rule None breaks nothing: a near miss that must stay silent."""
import contextlib
import io
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import tidy  # noqa: E402

HEAD = "/* {}: a sample. SPDX-License-Identifier: MIT */\n"


def c(path, body=""):
    """One C file with a proper first line."""
    return {path: HEAD.format(os.path.basename(path)) + body}


def function(lines):
    return "void f(void)\n{\n" + "    f();\n" * (lines - 3) + "}\n"


REJECTIONS = "/* rejections.def: a sample */\nREJECTION(not_found, 1, plain, \"no\")\n"
EVENTS = "/* events.def: a sample */\nEVENT_BEGIN(share_invited, 1, share, \"x\")\n"

SAMPLES = [
    ("layers", c("daemon/core/a.c", '#include "daemon/log/b.h"\n') | c("daemon/log/b.h")),
    ("layers", c("schema/a.c", '#include "daemon/core/b.h"\n') | c("daemon/core/b.h")),
    ("layers", c("daemon/edge/a.c", '#include "daemon/log/b.h"\n') | c("daemon/log/b.h")),
    ("layers", c("daemon/edge/a.c", '#include "daemon/pipeline.h"\n') | c("daemon/pipeline.h")),
    ("layers", c("client/a.c", '#include "daemon/core/b.h"\n') | c("daemon/core/b.h")),
    ("layers", c("tools/charter/a.c", '#include "tools/bench/b.h"\n') | c("tools/bench/b.h")),
    ("layers", c("tools/charter/a.c", '#include "daemon/core/b.h"\n') | c("daemon/core/b.h")),
    ("layers", c("client/include/charter/a.h", '#include "schema/b.h"\n') | c("schema/b.h")),
    ("layers", c("schema/base/a.c", '#include "schema/rows.def"\n')
     | {"schema/rows.def": "/* rows.def: a sample */\n"}),
    ("layers", c("daemon/core/a.c", '#include "b.h"\n') | c("daemon/core/b.h")),
    ("layers", c("elsewhere/a.c")),
    (None, c("schema/base/err.h", '#include "schema/failures.def"\n')
     | {"schema/failures.def": "/* failures.def: a sample */\n"}),
    (None, c("daemon/core/a.c", '#include "schema/rows.def"\n')
     | {"schema/rows.def": "/* rows.def: a sample */\n"}),
    (None, c("daemon/pipeline.c", '#include "daemon/log/b.h"\n') | c("daemon/log/b.h")),
    (None, c("client/a.c", "#include <charter/charter.h>\n")
     | c("client/include/charter/charter.h")),
    (None, c("tests/unit/test_a.c", '#include "daemon/core/b.h"\n') | c("daemon/core/b.h")),
    ("library-headers", c("daemon/edge/a.c", "#include <lmdb.h>\n")),
    ("library-headers", c("daemon/log/a.c", "#include <nng/nng.h>\n")),
    ("library-headers", c("daemon/pipeline.c", "#include <nng/nng.h>\n")),
    ("library-headers", c("daemon/host/a.c", "#include <openssl/evp.h>\n")),
    ("library-headers", c("schema/a.c", "#include <sodium.h>\n")),
    ("library-headers", c("daemon/core/a.c", "#include <jansson.h>\n")),
    ("library-headers", c("daemon/core/a.c", "#include <time.h>\n")),
    ("library-headers", c("daemon/a.c", "#include <cmocka.h>\n")),
    (None, c("tools/bench/a.c", "#include <lmdb.h>\n#include <nng/nng.h>\n")),
    (None, c("daemon/log/a.c", "/* not here:\n#include <nng/nng.h>\n*/\n")),
    ("circles", c("tests/a/x.h") | c("tests/b/y.h")
     | c("tests/b/y.c", '#include "tests/b/y.h"\n#include "tests/a/x.h"\n')
     | c("tests/a/x.c", '#include "tests/a/x.h"\n#include "tests/b/y.h"\n')),
    ("own-header-first", c("schema/a.c", '#include "schema/b.h"\n#include "schema/a.h"\n')
     | c("schema/a.h") | c("schema/b.h")),
    ("file-length", c("schema/a.c", "\n" * tidy.MAX_FILE_LINES)),
    (None, c("schema/a.c", "\n" * (tidy.MAX_FILE_LINES - 1))),
    ("function-length", c("schema/a.c", function(tidy.MAX_FUNCTION_LINES + 1))),
    ("function-length", {"tests/a.py": "# SPDX-License-Identifier: MIT\ndef f():\n"
                         + "    f()\n" * tidy.MAX_FUNCTION_LINES}),
    (None, c("schema/a.c", function(tidy.MAX_FUNCTION_LINES))),
    ("line-length", c("schema/a.c", "/*" + "x" * tidy.MAX_COLUMNS + "*/\n")),
    ("tabs", c("schema/a.c", "int\ta;\n")),
    ("tabs", c("schema/a.c", "int a; \n")),
    ("banned-words", c("daemon/log/a.c", "void f(void)\n{\n    x = time(NULL);\n}\n")),
    *[("banned-words", c("tools/charter/a.c", f"void f(void)\n{{\n    {word}(a);\n}}\n"))
      for word in tidy.BANNED],
    (None, c("daemon/host/clock.c", "void f(void)\n{\n    x = time(NULL);\n}\n")),
    (None, c("schema/a.c", '/* no strcpy( */ char *a = "gets(";\nint b = ch_time(a->time());\n')),
    ("unfinished", c("schema/a.c", "/* TO" "DO: more */\n")),
    ("no-float-in-core", c("daemon/core/a.c", "double a;\n")),
    (None, c("daemon/core/a.c", "/* a double would not do */ int a;\n")),
    ("header-comment", {"schema/a.h": "int a; /* SPDX-License-Identifier: MIT */\n"}),
    ("header-comment", {"schema/a.h": "/* a: has no license line */\n"}),
    ("header-comment", {"schema/a.h": "/* b: is another. SPDX-License-Identifier: MIT */\n"}),
    ("header-comment", {"schema/a.def": "ROW(1)\n"}),
    ("header-comment", {"tools/a": "#!/bin/sh\necho\n"}),
    ("suppression-reason", c("schema/a.c", "int a; /* NOLINT(bugprone-x) */\n")),
    ("suppression-reason", c("schema/a.c", "int a; /* cppcheck-suppress unused */\n")),
    (None, c("schema/a.c", "int a; /* NOLINT(bugprone-x): the row has four words */\n")),
    ("tested", {"schema/rejections.def": REJECTIONS}),
    ("tested", {"schema/events.def": EVENTS}),
    ("tested", {"schema/rejections.def": REJECTIONS, "tests/a.scn": "not_found_at_all\n"}),
    (None, {"schema/rejections.def": REJECTIONS, "tests/a.scn": "  rejected not_found\n"}),
    (None, {"schema/events.def": EVENTS} | c("tests/unit/a.c", "int a = CH_EV_SHARE_INVITED;\n")),
]

CORE_SAMPLES = [
    ("#include <stdio.h>\nvoid ch_f(void) { puts(\"x\"); }\n", ["puts"]),
    ("#include <time.h>\nlong ch_f(void) { return (long)time(NULL); }\n", ["time"]),
    ("void ch_g(void); void ch_f(void) { ch_g(); }\n", ["ch_g"]),
    ("#include <string.h>\nvoid ch_g(char *);\nint ch_f(char *a, char *b)\n"
     "{ char c[99]; ch_g(c); return memcmp(a, b, 99) + c[a[0]]; }\n"
     "void ch_g(char *a) { memset(a, 1, 99); }\n", []),
]


def rules_that_find(files):
    tree = [tidy.make_file(path, text) for path, text in sorted(files.items())]
    return {name for name, rule in tidy.RULES.items() for _ in rule(tree)}


def check_samples():
    for number, (wanted, files) in enumerate(SAMPLES):
        found = rules_that_find(files)
        if found != ({wanted} if wanted else set()):
            yield f"sample {number}: wanted {wanted}, found {sorted(found)} in {files}"
    for name in tidy.RULES.keys() - {wanted for wanted, _ in SAMPLES}:
        yield f"rule {name} has no broken sample"


def check_core_links(folder):
    for number, (source, wanted) in enumerate(CORE_SAMPLES):
        base = os.path.join(folder, f"core{number}")
        with open(base + ".c", "w", encoding="utf-8") as handle:
            handle.write(source)
        subprocess.run(["cc", "-O2", "-c", base + ".c", "-o", base + ".o"], check=True)
        subprocess.run(["ar", "rc", base + ".a", base + ".o"], check=True)
        found = tidy.core_links(base + ".a", [])
        if found != wanted:
            yield f"core sample {number}: wanted {wanted}, found {found}"


def check_program(folder):
    """The program itself reads a tree from disk and ends 1 on a finding."""
    root = os.path.join(folder, "tree")
    os.makedirs(os.path.join(root, "schema"))
    for text, status in ((HEAD.format("a.c"), 0), ("int a;\n", 1)):
        with open(os.path.join(root, "schema", "a.c"), "w", encoding="utf-8") as handle:
            handle.write(text)
        sys.argv = ["tidy.py", root]
        with contextlib.redirect_stdout(io.StringIO()):
            if tidy.main() != status:
                yield f"the program does not end {status} on {text!r}"


def main():
    with tempfile.TemporaryDirectory() as folder:
        faults = [*check_samples(), *check_core_links(folder), *check_program(folder)]
    print("\n".join(faults + [f"selftest: {len(SAMPLES)} samples of {len(tidy.RULES)} rules, "
                              f"{len(faults)} faults"]))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
