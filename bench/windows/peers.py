"""The peers of `npm run bench:windows`: float32 batches of stride-1 windows, in order or shuffled, epoch after epoch for a
fixed time. Prints one JSON line.

    python bench/windows/peers.py numpy FOLDER "in order" 3 32

Hand-written: `numpy` and `numpy-straight` on a memory map, `ring` over LitData's chunks. The libraries are used as documented.
"""
import json
import os
import sys
import time

import numpy as np

LENGTH, BATCH, SHAPE = 16, int(sys.argv[5]), (64, 64, 3)
WARM_SECONDS, HEAD, GROUP = 1, 256, 1024
name, folder, order = sys.argv[1:4]
seconds = float(sys.argv[4])
frames = np.memmap(os.path.join(folder, "frames.u8"), dtype=np.uint8, mode="r").reshape(-1, *SHAPE)
COUNT = len(frames) - LENGTH + 1
shuffled = order == "shuffled"
out = np.empty((BATCH, LENGTH, *SHAPE), np.float32)


def numpy_in_order():
    """A chunk of frames is converted once; windows are views of it, copied into one batch."""
    chunk = np.empty((BATCH + LENGTH - 1, *SHAPE), np.float32)
    for start in range(0, COUNT, BATCH):
        n = min(BATCH, COUNT - start)
        np.copyto(chunk[: n + LENGTH - 1], frames[start : start + n + LENGTH - 1])
        for k in range(n):
            out[k] = chunk[k : k + LENGTH]
        yield out[:n]


def numpy_straight():
    """Each window is converted from the memory map straight into one batch; shuffled over the whole epoch."""
    chosen = np.arange(COUNT)
    if shuffled:
        np.random.default_rng(1).shuffle(chosen)
    for start in range(0, COUNT, BATCH):
        some = chosen[start : start + BATCH]
        for k, w in enumerate(some):
            out[k] = frames[w : w + LENGTH]
        yield out[: len(some)]


def litdata_store(chunk_bytes="64MB"):
    import litdata

    target = os.path.join(folder, "litdata")
    if not os.path.exists(os.path.join(target, "index.json")):
        litdata.optimize(fn=frame_at, inputs=list(range(len(frames))), output_dir=target, chunk_bytes=chunk_bytes, num_workers=1)
    return litdata.StreamingDataset(target, shuffle=False)


def ring_over_litdata():
    """A tuned ring: frames come in order from LitData and are converted once; windows are copied into one batch."""
    ring = np.empty((BATCH + LENGTH - 1, *SHAPE), np.float32)
    stream = iter(litdata_store())
    held = 0
    for start in range(0, COUNT, BATCH):
        n = min(BATCH, COUNT - start)
        while held < n + LENGTH - 1:
            ring[held] = next(stream)
            held += 1
        for k in range(n):
            out[k] = ring[k : k + LENGTH]
        ring[: held - n] = ring[n:held]
        held -= n
        yield out[:n]


def torch_loader(window):
    import torch

    class Windows(torch.utils.data.Dataset):
        def __len__(self):
            return COUNT

        def __getitem__(self, i):
            return torch.from_numpy(window(i))

    return torch.utils.data.DataLoader(Windows(), batch_size=BATCH, shuffle=shuffled)


def grain_loader():
    import grain

    source = grain.MapDataset.source(range(COUNT))
    if shuffled:
        source = source.shuffle(seed=1)
    return source.map(lambda i: frames[i : i + LENGTH].astype(np.float32)).batch(BATCH).to_iter_dataset()


def tf_data():
    """Frames as a stream of records of fixed length, windows by `window` and `flat_map`."""
    import tensorflow as tf

    bytes_ = int(np.prod(SHAPE))
    stream = tf.data.FixedLengthRecordDataset(os.path.join(folder, "frames.u8"), bytes_)
    stream = stream.map(lambda r: tf.reshape(tf.cast(tf.io.decode_raw(r, tf.uint8), tf.float32), SHAPE), tf.data.AUTOTUNE)
    windows = stream.window(LENGTH, shift=1, drop_remainder=True).flat_map(lambda w: w.batch(LENGTH))
    if shuffled:
        windows = windows.shuffle(GROUP, seed=1)
    return windows.batch(BATCH).prefetch(tf.data.AUTOTUNE)


def mosaic_store():
    from streaming import MDSWriter, StreamingDataset

    target = os.path.join(folder, "mds")
    if not os.path.exists(os.path.join(target, "index.json")):
        with MDSWriter(out=target, columns={"frame": "ndarray:uint8:64,64,3"}) as writer:
            for i in range(len(frames)):
                writer.write({"frame": frame_at(i)})
    return StreamingDataset(local=target, shuffle=False, batch_size=BATCH)


def by_frame(read):
    """A window asks for each of its frames, as samples are asked for in the documentation."""
    return lambda i: np.stack([read(k) for k in range(i, i + LENGTH)]).astype(np.float32)


def litdata_loader():
    return torch_loader(by_frame(litdata_store().__getitem__))


def mosaic_loader():
    stored = mosaic_store()
    return torch_loader(by_frame(lambda k: stored[k]["frame"]))


def frame_at(i):
    return np.array(frames[i])


def measure(epoch):
    """As meter.mjs does."""
    began = time.perf_counter()
    seen, total, head, whole, start, since, now, cpu = 0, 0.0, None, None, None, 0, began, 0.0
    while True:
        for batch in epoch():
            for first in np.asarray(batch)[:, 0, 0, 0, 0].tolist():
                total += first
                seen += 1
                if seen == HEAD:
                    head = total
                if seen == COUNT:
                    whole = total
            now = time.perf_counter()
            if start is None and now - began > WARM_SECONDS:
                start, since, cpu = now, seen, time.process_time()
            if start is not None and now - start > seconds:
                micros = (time.process_time() - cpu) * 1e6 / (seen - since)
                return {"windowsPerSecond": (seen - since) / (now - start), "cpuMicros": micros, "head": head, "whole": whole}


if __name__ == "__main__":
    makers = {
        "numpy": numpy_straight if shuffled else numpy_in_order,
        "numpy-straight": numpy_straight,
        "ring": ring_over_litdata,
        "torch": lambda: torch_loader(lambda i: frames[i : i + LENGTH].astype(np.float32)),
        "grain": grain_loader,
        "tfdata": tf_data,
        "litdata": litdata_loader,
        "mosaic": mosaic_loader,
    }
    if len(sys.argv) > 6:  # the store is written before the clock runs
        {"ring": litdata_store, "litdata": litdata_store, "mosaic": mosaic_store}.get(name, lambda: None)()
    else:
        print(json.dumps(measure(makers[name])))
    sys.stdout.flush()
    os._exit(0)  # some libraries keep threads
