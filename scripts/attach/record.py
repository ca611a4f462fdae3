#!/usr/bin/env python3
"""Writes what comes on standard input as an asciicast (version 2), with the times at which it came.

    record.py FILE COLUMNS ROWS
"""

import codecs
import json
import os
import sys
import time


def main():
    file, cols, rows = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    decoder, begun = codecs.getincrementaldecoder("utf-8")("replace"), time.time()
    with open(file, "w") as cast:
        cast.write(json.dumps({"version": 2, "width": cols, "height": rows, "timestamp": int(begun)}) + "\n")
        while piece := os.read(0, 65536):
            text = decoder.decode(piece)
            if text:
                cast.write(json.dumps([round(time.time() - begun, 6), "o", text]) + "\n")
                cast.flush()


if __name__ == "__main__":
    main()
