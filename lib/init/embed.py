#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""embed.py PROGRAM OUTPUT: write a program's bytes as a C array."""
import sys

data = open(sys.argv[1], 'rb').read()
with open(sys.argv[2], 'w') as out:
    out.write('#include "init/embed.h"\n\n')
    out.write('const size_t lcx__init_program_size = %d;\n' % len(data))
    out.write('const unsigned char lcx__init_program[] = {\n')
    for at in range(0, len(data), 24):
        out.write('\t' + ','.join(str(b) for b in data[at:at + 24]) + ',\n')
    out.write('};\n')
