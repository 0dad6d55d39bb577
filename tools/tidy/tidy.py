#!/usr/bin/env python3
# tidy: the rules of style that no compiler checks. SPDX-License-Identifier: MIT
"""Usage: tidy.py [--core LIBRARY] [--provides LIBRARY]... ROOT

Prints one line for each finding, `path:line: rule: text`, and ends 1 if there is any.
--core:     the built core library; all it needs from outside must be in CORE_MAY_CALL,
            or be defined by itself or by a library named with --provides.
A rule is a generator of findings over the whole tree; selftest.py shows each a broken sample.
"""
import argparse
import ast
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field

MAX_FILE_LINES = 800
MAX_FUNCTION_LINES = 70
MAX_COLUMNS = 100

# Who may include whom (DESIGN, "Layout"); a folder always sees itself. The longest name wins, so
# schema/base is not schema. tests see everything and are not listed.
SCHEMA = ["schema", "schema/base"]
LAYERS = {
    "schema/base": [],
    "schema": ["schema/base"],
    "schema/gen": SCHEMA,
    "daemon/core": SCHEMA,
    "daemon/log": SCHEMA,
    "daemon/host": SCHEMA,
    "daemon/replay": SCHEMA + ["daemon/core", "daemon/log"],
    "daemon/edge": SCHEMA + ["daemon/core", "daemon/host"],
    "daemon/replica": SCHEMA + ["daemon/log"],
    "daemon": SCHEMA + ["daemon/core", "daemon/log", "daemon/host", "daemon/replay",
                        "daemon/edge", "daemon/replica"],
    "client/include": [],
    "client": SCHEMA + ["client/include"],
    "tools/lib": SCHEMA,
    "tools/verify": SCHEMA + ["client", "client/include", "daemon/core", "daemon/log",
                              "daemon/replay", "tools/lib"],
    "tools/keep": SCHEMA + ["daemon/core", "daemon/log", "daemon/replay", "tools/lib"],
    "tools": SCHEMA + ["client", "client/include", "tools/lib"],
}
# The failure codes are rows of schema, and base returns them.
LAYER_EXCEPTIONS = {("schema/base/err.h", "schema/failures.def"),
                    ("schema/base/err.c", "schema/failures.def")}

# Which folders may use which library. bench carries bare prototypes of its own.
LIBRARY_HEADERS = [
    (r"lmdb\.h", ["daemon/log", "tools/bench"]),
    (r"openssl/.*", ["daemon/log", "tools/bench"]),
    (r"isa-l(/.*|\.h)", ["daemon/log"]),
    (r"event2/.*|event\.h", ["daemon/host", "daemon/edge", "tools/gateway", "tools/bench"]),
    (r"nng/.*", ["daemon/edge", "client", "tools/bench"]),
    (r"sodium(/.*|\.h)", ["daemon/log", "daemon/edge", "daemon/host", "client", "tools/verify",
                            "tools/keep"]),
    (r"msgpack(/.*|\.h)", ["schema", "daemon/edge", "client"]),
    (r"jansson\.h", ["schema", "schema/gen", "tools"]),
    (r"zlib\.h", ["tools"]),
    (r"cmocka\.h", []),
]

# core is pure: these headers hold no I/O, clock, random or locale.
CORE_HEADERS = {"assert.h", "inttypes.h", "limits.h", "stdalign.h", "stdarg.h", "stdbool.h",
                "stddef.h", "stdint.h", "stdlib.h", "stdnoreturn.h", "string.h", "sys/mman.h"}
CORE_MAY_CALL = re.compile(
    r"malloc|calloc|realloc|reallocarray|free|aligned_alloc|posix_memalign"
    r"|mmap|munmap|mremap|madvise"
    r"|mem(cpy|move|set|cmp|chr|mem|rchr)|str(len|nlen|cmp|ncmp|chr|rchr)|bsearch|qsort"
    r"|abort|__assert_fail"
    # what compilers add: fortified forms, stack protector, sanitizers, coverage
    r"|__mem(cpy|move|set)_chk|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_"
    r"|__(asan|ubsan|tsan|sanitizer|gcov|llvm)_\w+|__(start|stop)___sancov_\w+")

# word -> what to use instead
BANNED = {
    "strcpy": "struct ch_bytes, or snprintf",
    "strcat": "struct ch_buf, or snprintf",
    "sprintf": "snprintf",
    "vsprintf": "vsnprintf",
    "gets": "getline",
    "strtok": "strchr over a view",
    "atoi": "strtol with errno and end checked",
    "atol": "strtol with errno and end checked",
    "atoll": "strtoll with errno and end checked",
    "atof": "strtod with errno and end checked",
    "rand": "daemon/host/entropy, or a generator with a printed seed in tests",
    "srand": "daemon/host/entropy, or a generator with a printed seed in tests",
    "time": "daemon/host/clock",
}
BANNED_EXCEPT = {("time", "daemon/host/clock.c")}
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


@dataclass
class File:
    path: str                  # from the root
    text: str
    lines: list = field(default_factory=list)
    code: list = field(default_factory=list)      # C: lines without comments and literals
    includes: list = field(default_factory=list)  # C: (line, name, is quoted)

    @property
    def is_c(self):
        return self.path.endswith((".c", ".h"))

    @property
    def is_script(self):
        return self.path.endswith((".py", ".sh")) or self.text.startswith("#!")


def without_comments(text):
    """Blanks comments and literals, keeps line numbers and columns."""
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    return re.sub(pattern, lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.S)


def read_tree(root):
    files = []
    for folder, below, names in os.walk(root):
        below[:] = sorted(d for d in below if d not in ("build", ".git", "__pycache__"))
        for name in sorted(names):
            path = os.path.relpath(os.path.join(folder, name), root)
            try:
                with open(os.path.join(root, path), encoding="utf-8") as handle:
                    text = handle.read()
            except (UnicodeDecodeError, FileNotFoundError):
                continue  # pinned bytes; or an editor's file that went away meanwhile
            files.append(make_file(path, text))
    return files


def make_file(path, text):
    file = File(path, text, text.splitlines())
    if file.is_c or path.endswith(".def"):
        file.code = without_comments(text).splitlines()
        for number, line in enumerate(file.lines, 1):
            found = re.match(r'\s*#\s*include\s+(["<])([^">]+)[">]', line)
            if found and file.code[number - 1].strip():
                file.includes.append((number, found.group(2), found.group(1) == '"'))
    return file


def layer_of(path, names=LAYERS):
    """The longest listed folder that holds the path, or None."""
    folder = os.path.dirname(path)
    while folder and folder not in names:
        folder = os.path.dirname(folder)
    return folder or None


# ---- rules: each yields (file, line, text) ------------------------------------------------------

def rule_layers(tree):
    paths = {file.path for file in tree}
    for file in tree:
        if not file.is_c or file.path.startswith("tests/"):
            continue
        own = layer_of(file.path)
        if own is None:
            yield file, 1, "this folder has no place in DESIGN's layout (LAYERS in tidy.py)"
            continue
        for line, name, quoted in file.includes:
            if name.startswith("charter/"):
                name, quoted = "client/include/" + name, True
            if not quoted or (file.path, name) in LAYER_EXCEPTIONS:
                continue
            if name not in paths:
                yield file, line, f'"{name}" is no file; write the path from the root'
            elif os.path.dirname(name) != os.path.dirname(file.path):
                other = layer_of(name)
                if other not in LAYERS[own] and (other != own or own == "tools"):
                    yield file, line, f"{own} may not include {name}"


def rule_library_headers(tree):
    for file in tree:
        if not file.is_c or file.path.startswith("tests/"):
            continue
        for line, name, quoted in file.includes:
            if quoted:
                continue
            for pattern, folders in LIBRARY_HEADERS:
                if re.fullmatch(pattern, name) and layer_of(file.path, folders) is None:
                    yield file, line, f"<{name}> belongs to {', '.join(folders) or 'tests'}"
            if layer_of(file.path) == "daemon/core" and name not in CORE_HEADERS:
                yield file, line, f"core is pure: <{name}> is not in CORE_HEADERS"


def rule_circles(tree):
    """Folders that include each other; .def lists have no layer of their own and do not count."""
    edges = {}
    for file in tree:
        own = os.path.dirname(file.path)
        for _, name, quoted in file.includes if file.is_c else []:
            other = os.path.dirname(name)
            if quoted and other != own and not name.endswith(".def"):
                edges.setdefault(own, {}).setdefault(other, file)

    def circle_from(start):
        seen, stack = set(), [(start, [start])]
        while stack:
            folder, way = stack.pop()
            for other in edges.get(folder, {}):
                if other == start:
                    return way
                if other not in seen:
                    seen.add(other)
                    stack.append((other, way + [other]))
        return None

    for start in sorted(edges):
        way = circle_from(start)
        if way and start == min(way):
            file = edges[way[-1]][start]
            yield file, 1, "folders in a circle: " + " -> ".join(way + [start])


def rule_own_header_first(tree):
    paths = {file.path for file in tree}
    for file in tree:
        own = file.path[:-2] + ".h"
        if file.path.endswith(".c") and own in paths and file.includes:
            line, name, _ = file.includes[0]
            if name not in (own, own[:-2] + "_impl.h"):  # the inner header brings its outer one
                yield file, line, f'the first include is the own header, "{own}"'


def rule_file_length(tree):
    for file in tree:
        if (file.is_c or file.is_script) and len(file.lines) > MAX_FILE_LINES:
            yield file, len(file.lines), f"{len(file.lines)} lines, at most {MAX_FILE_LINES}"


def c_functions(file):
    """(first line, last line) of each function: clang-format puts its braces into column 1."""
    start = None
    for number, line in enumerate(file.code, 1):
        if line.startswith("{"):
            start = number
            while start > 1 and re.search(r"[\w),*]\s*$", file.code[start - 2]) \
                    and not file.code[start - 2].startswith("#"):
                start -= 1
        elif line.startswith("}") and start is not None:
            yield start, number
            start = None


def python_functions(file):
    try:
        nodes = ast.walk(ast.parse(file.text))
    except SyntaxError:
        return  # its test says more about it
    for node in nodes:
        if isinstance(node, ast.FunctionDef):
            yield node.lineno, node.end_lineno


def rule_function_length(tree):
    for file in tree:
        functions = []
        if file.is_c:
            functions = c_functions(file)
        elif file.path.endswith(".py"):
            functions = python_functions(file)
        for first, last in functions:
            if last - first + 1 > MAX_FUNCTION_LINES:
                yield file, first, f"{last - first + 1} lines, at most {MAX_FUNCTION_LINES}"


def rule_line_length(tree):
    for file in tree:  # the rows of a .def are tables, one row a line
        if file.is_c or file.is_script or file.path.endswith("CMakeLists.txt"):
            for number, line in enumerate(file.lines, 1):
                if len(line) > MAX_COLUMNS:
                    yield file, number, f"{len(line)} columns, at most {MAX_COLUMNS}"


def rule_tabs(tree):
    for file in tree:
        if file.is_c or file.is_script or file.path.endswith((".def", ".txt", ".scn")):
            for number, line in enumerate(file.lines, 1):
                if "\t" in line:
                    yield file, number, "a tab; four spaces"
                elif line != line.rstrip():
                    yield file, number, "blanks at the end of the line"


def rule_banned_words(tree):
    word = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
    for file in tree:
        for number, line in enumerate(file.code if file.is_c else [], 1):
            for found in word.finditer(line):
                name = found.group(1)
                if (name, file.path) not in BANNED_EXCEPT:
                    yield file, number, f"{name}(: use {BANNED[name]}"


def rule_unfinished(tree):
    for file in tree:
        if file.path.startswith("tools/tidy/"):
            continue
        for number, line in enumerate(file.lines, 1):
            if (file.is_c or file.is_script or file.path.endswith(".def")) \
                    and UNFINISHED.search(line):
                yield file, number, "unfinished: do it or open an issue"


def rule_no_float_in_core(tree):
    for file in tree:
        if file.path.startswith("daemon/core/"):
            for number, line in enumerate(file.code, 1):
                if re.search(r"\b(float|double)\b", line):
                    yield file, number, "core computes in integers"


def rule_header_comment(tree):
    """`/* name: what it is. SPDX-License-Identifier: MIT`; a .def needs no license line."""
    for file in tree:
        name = os.path.basename(file.path)
        stem = re.escape(name.rsplit(".", 1)[0])
        first = file.lines[0] if file.lines else ""
        if file.path.endswith(".def"):
            if not re.match(rf"/\* {re.escape(name)}: \S", first):
                yield file, 1, f"begins with `/* {name}: what it is`"
        elif file.is_c:
            comment = file.text.split("*/")[0]
            if not re.match(rf"/\* {stem}(\.[ch])?: \S", first) \
                    or not re.search(r"SPDX-License-Identifier:[\s*]+MIT", comment):
                yield file, 1, "begins with `/* name: what it is. SPDX-License-Identifier: MIT`"
        elif file.is_script or name == "CMakeLists.txt":
            if not any("SPDX-License-Identifier: MIT" in line for line in file.lines[:5]):
                yield file, 1, "says `SPDX-License-Identifier: MIT` in its first lines"


def rule_suppression_reason(tree):
    for file in tree:
        for number, line in enumerate(file.lines if file.is_c else [], 1):
            if re.search(r"\bNOLINT", line) and not re.search(r"NOLINT\w*\([^)]+\):? *\w+", line):
                yield file, number, "NOLINT(check): and the reason, on the same line"
            if "cppcheck-suppress" in line \
                    and not re.search(r"cppcheck-suppress \S+ *[;/]+ *\w+", line):
                yield file, number, "cppcheck-suppress id ; and the reason, on the same line"


def rule_tested(tree):
    """Every rejection and every event is named by some test."""
    words = set()
    for file in tree:
        if file.path.startswith("tests/"):
            words.update(re.findall(r"\w+", file.text.lower()))
    for path, row, prefixes in (
            ("schema/rejections.def", r"REJECTION\((\w+)", ("", "ch_rej_", "ch_rejection_")),
            ("schema/events.def", r"EVENT_BEGIN\((\w+)", ("", "ch_ev_", "ch_event_"))):
        for file in tree:
            for number, line in enumerate(file.code if file.path == path else [], 1):
                found = re.match(row, line)
                if found and not any(p + found.group(1).lower() in words for p in prefixes):
                    yield file, number, f"no test names {found.group(1)}"


RULES = {name[5:].replace("_", "-"): rule for name, rule in list(globals().items())
         if name.startswith("rule_")}


def symbols(library, *options):
    if not os.path.exists(library):
        sys.exit(f"tidy: {library} is not built")
    lines = subprocess.run(["nm", "-P", *options, library], check=True, text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.splitlines()
    return {line.split()[0] for line in lines if len(line.split()) > 1}


def core_links(core, provides):
    """What the core library needs that it may not have."""
    defined = set()
    for library in [core, *provides]:
        defined |= symbols(library, "--defined-only", "-g")
    needed = symbols(core, "-u") - defined
    return sorted(name for name in needed if not CORE_MAY_CALL.fullmatch(name))


def main():
    parser = argparse.ArgumentParser(description="checks the style of charterd's source")
    parser.add_argument("--core", help="the built core library")
    parser.add_argument("--provides", action="append", default=[], help="a library core may use")
    parser.add_argument("root")
    args = parser.parse_args()
    tree = read_tree(args.root)
    findings = [f"{file.path}:{line}: {name}: {text}"
                for name, rule in RULES.items() for file, line, text in rule(tree)]
    if args.core:
        findings += [f"{os.path.basename(args.core)}: core-links: {name} is not in CORE_MAY_CALL"
                     for name in core_links(args.core, args.provides)]
    print("\n".join(findings + [f"tidy: {len(tree)} files, {len(findings)} findings"]))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
