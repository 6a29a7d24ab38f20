#!/usr/bin/env bash
# Pillow reads a PNG's transparent level (tRNS) as it stands in the file, but brings the pixels to 8 bits: in a grey PNG
# of 2 or 4 bits, and in a colour PNG of 16, `convert("RGBA")` clears other pixels than the file says, or none.
# Ends with status 1 if that has changed.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install -q pillow==13.0.0
"$place/venv/bin/python" - <<'PYTHON'
import io
import struct
import sys
import zlib

import PIL
from PIL import Image


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(width, depth, colours, clear, row):
    """One row of pixels, of which one level or colour is transparent."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, 1, depth, colours, 0, 0, 0))
    data = chunk(b"tRNS", clear) + chunk(b"IDAT", zlib.compress(b"\0" + row)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + data


def alpha(content):
    with Image.open(io.BytesIO(content)) as file:
        return list(file.convert("RGBA").getchannel("A").tobytes())


print("Pillow", PIL.__version__)
changed = False
four = bytes(16 * level + level + 1 for level in range(0, 16, 2))  # the levels 0 to 15
deep = struct.pack(">12H", *[0] * 3, *[0x1000] * 3, *[0x0034] * 3, *[0x1234] * 3)  # four greys as colours
for what, content, guess, seen in (
    ("grey, 4 bits, level 9 is clear", png(16, 4, 0, struct.pack(">H", 9), four), [255] * 9 + [0] + [255] * 6, [255] * 16),
    ("grey, 2 bits, level 3 is clear", png(4, 2, 0, struct.pack(">H", 3), bytes([0b00011011])), [255] * 3 + [0], [255] * 4),
    ("colours, 16 bits, 0x1000 is clear", png(4, 16, 2, struct.pack(">3H", *[0x1000] * 3), deep), [255, 0, 255, 255], [0, 255, 0, 255]),
):
    found = alpha(content)
    print(f"{what}\n  guess: alpha {guess}\n  found: alpha {found}")
    changed |= found != seen
if changed:
    sys.exit("the behaviour has changed")
print("the pixels that the file says are clear are opaque")
PYTHON
