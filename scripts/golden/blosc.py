"""Chunks as c-blosc writes them, of every codec, shuffle and some widths and lengths: test/golden/blosc.json.

    pip install numcodecs==0.16.6 numpy==2.4.6; python scripts/golden/blosc.py
"""
import base64, json, pathlib, numpy as np
from numcodecs.blosc import Blosc

chunks = []
for name in ("blosclz", "lz4", "lz4hc", "zlib", "zstd"):
    for shuffle in (0, 1, 2):
        for dtype, n in (("f4", 5000), ("i2", 4096), ("f8", 77), ("u1", 3000)):
            # Cell i is i mod 97, by thirds: long runs, short repeats, and steps.
            data = ((np.arange(n) % 97) // 3).astype(dtype)
            packed = Blosc(name, clevel=5, shuffle=shuffle, blocksize=4096).encode(data)
            chunks.append(dict(name=name, shuffle=shuffle, dtype=dtype, n=n, packed=base64.b64encode(packed).decode()))
(pathlib.Path(__file__).parents[2] / "test/golden/blosc.json").write_text(json.dumps(chunks, separators=(",", ":")) + "\n")
