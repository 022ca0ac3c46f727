"""The peers of `npm run bench:windows`: float32 batches of stride-1 windows, in order or shuffled. Prints one JSON line.

    python bench/windows/peers.py numpy FOLDER "in order"

numpy: hand-written, frames converted once and kept in a ring where that pays. The libraries are used as documented.
"""
import json
import os
import sys
import time

import numpy as np

LENGTH, BATCH, SHAPE = 16, 32, (64, 64, 3)
name, folder, order = sys.argv[1:4]
frames = np.memmap(os.path.join(folder, "frames.u8"), dtype=np.uint8, mode="r").reshape(-1, *SHAPE)
COUNT = len(frames) - LENGTH + 1
chosen = np.arange(COUNT)
if order == "shuffled":
    np.random.default_rng(1).shuffle(chosen)


def numpy_in_order():
    """A chunk of frames is converted once; windows are views of it, copied into one batch."""
    out = np.empty((BATCH, LENGTH, *SHAPE), np.float32)
    chunk = np.empty((BATCH + LENGTH - 1, *SHAPE), np.float32)
    for start in range(0, COUNT, BATCH):
        n = min(BATCH, COUNT - start)
        np.copyto(chunk[: n + LENGTH - 1], frames[start : start + n + LENGTH - 1])
        for k in range(n):
            out[k] = chunk[k : k + LENGTH]
        yield out[:n]


def numpy_shuffled():
    out = np.empty((BATCH, LENGTH, *SHAPE), np.float32)
    for start in range(0, COUNT, BATCH):
        some = chosen[start : start + BATCH]
        for k, w in enumerate(some):
            out[k] = frames[w : w + LENGTH]
        yield out[: len(some)]


def torch_loader():
    import torch

    class Windows(torch.utils.data.Dataset):
        def __len__(self):
            return COUNT

        def __getitem__(self, i):
            return torch.from_numpy(frames[i : i + LENGTH].astype(np.float32))

    return torch.utils.data.DataLoader(Windows(), batch_size=BATCH, shuffle=order == "shuffled")


def grain_loader():
    import grain

    source = grain.MapDataset.source(range(COUNT))
    if order == "shuffled":
        source = source.shuffle(seed=1)
    return source.map(lambda i: frames[i : i + LENGTH].astype(np.float32)).batch(BATCH).to_iter_dataset()


def litdata_loader():
    """Frames as samples, as its documentation stores them; a window asks for each of its frames."""
    import litdata
    import torch

    target = os.path.join(folder, "litdata")
    if not os.path.exists(os.path.join(target, "index.json")):
        litdata.optimize(fn=frame_at, inputs=list(range(len(frames))), output_dir=target, chunk_bytes="64MB", num_workers=1)
    stored = litdata.StreamingDataset(target)

    class Windows(torch.utils.data.Dataset):
        def __len__(self):
            return COUNT

        def __getitem__(self, i):
            return torch.from_numpy(np.stack([stored[k] for k in range(i, i + LENGTH)]).astype(np.float32))

    return torch.utils.data.DataLoader(Windows(), batch_size=BATCH, shuffle=order == "shuffled")


def frame_at(i):
    return np.array(frames[i])


if __name__ == "__main__":
    makers = {
        "numpy": numpy_shuffled if order == "shuffled" else numpy_in_order,
        "torch": torch_loader,
        "grain": grain_loader,
        "litdata": litdata_loader,
    }
    loader = makers[name]()
    total, count, began = 0.0, 0, time.perf_counter()
    for batch in loader:
        total += float(np.asarray(batch)[:, 0, 0, 0, 0].sum())
        count += len(batch)
    print(json.dumps({"windowsPerSecond": count / (time.perf_counter() - began), "sum": total}))
