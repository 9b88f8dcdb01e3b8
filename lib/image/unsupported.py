#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""unsupported.py HEADER OUTPUT: the functions of a header, for a library built without images.

Every function is there, so that a program or a binding links, and says why it can't help. No handle can exist, so
what asks one for something is never called.
"""
import re
import sys

# By the type that is returned; the first row that fits.
BODIES = [
    (r"const char \*const \*", "static const char *const none[] = {NULL};\n\n\treturn none;"),
    (r"const char \*", 'return "";'),
    (r".*\*", "return NULL;"),
    (r"void", None),
    (r"bool|size_t|u?int(32|64)_t|enum \w+", "return 0;"),
    (r"int", "return -EOPNOTSUPP;"),
]
PROTOTYPE = re.compile(r"^((?:const |struct |enum )*\w+ (?:\*(?:const \*)?)?)(lcx_\w+)\(([^()]*)\);", re.M)


def body(result, parameters):
    if result == "int" and parameters[-1:] == ["err"]:
        return "return lcx__image_unsupported(err);"
    return next(text for pattern, text in BODIES if re.fullmatch(pattern, result))


def stub(result, name, declared):
    parameters = re.findall(r"(\w+)(?:,|$)", declared) if declared != "void" else []
    text = body(result.strip(), parameters)
    static, _, last = text.rpartition("\n\n") if text else ("", "", None)
    lines = ["\t" + static + "\n"] if static else []
    lines += [f"\t(void){p};" for p in parameters if not text or f"({p})" not in text]
    lines += ["\t" + last.strip()] if last else []
    return f"LCX_PUBLIC {result}{name}({declared})\n{{\n" + "\n".join(lines) + "\n}\n"


def main(header, output):
    with open(header, encoding="utf-8") as file:
        text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
    functions = [(m[1], m[2], " ".join(m[3].split())) for m in PROTOTYPE.finditer(text)]
    # One that is not understood must not be left out.
    missing = set(re.findall(r"\b(lcx_\w+)\(", text)) - {name for _, name, _ in functions}
    if missing:
        sys.exit(f"{header}: not understood: {', '.join(sorted(missing))}")
    with open(output, "w", encoding="utf-8") as file:
        file.write('#include "image/unsupported.h"\n\n#include <errno.h>\n\n')
        file.write("\n".join(stub(*function) for function in functions))


main(*sys.argv[1:])
