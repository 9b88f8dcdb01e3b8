#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""embed.py PROGRAM OUTPUT HEADER NAME: write a program's bytes as a C array, NAME and NAME_size."""
import sys

program, output, header, name = sys.argv[1:]
data = open(program, 'rb').read()
with open(output, 'w') as out:
    out.write('#include "%s"\n\n' % header)
    out.write('const size_t %s_size = %d;\n' % (name, len(data)))
    out.write('const unsigned char %s[] = {\n' % name)
    for at in range(0, len(data), 24):
        out.write('\t' + ','.join(str(b) for b in data[at:at + 24]) + ',\n')
    out.write('};\n')
