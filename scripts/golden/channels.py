"""Reference for test/channels: seasonal, frame and plain anomalies, Laplacian and gradient by NumPy and SciPy.

    pip install numpy==2.4.6 scipy==1.17.1; python scripts/golden/channels.py > test/golden/channels.json
"""
import json
import numpy as np
from scipy import ndimage

random = np.random.default_rng(11)
FRAMES, HEIGHT, WIDTH, BANDS, HARMONICS = 90, 4, 5, 2, 2
DAY, YEAR = 86_400_000, 365.2425 * 86_400_000
time = np.sort(random.choice(800, FRAMES, replace=False)) * DAY + 946_684_800_000  # from 2000-01-01
phase = 2 * np.pi * (time / YEAR % 1)
base = np.array([101_325.0, 273.0])
values = base + random.normal(0, [300, 4], (FRAMES, HEIGHT, WIDTH, BANDS))
values += (np.cos(phase)[:, None, None, None] * np.array([500, 12]) + np.sin(2 * phase)[:, None, None, None] * np.array([80, -3])) * random.uniform(0.5, 1.5, (HEIGHT, WIDTH, 1))
values = values.round(2).astype("f4").astype("f8")
valid = random.random((FRAMES, HEIGHT, WIDTH)) > 0.08
train = np.arange(0, 70)

design = np.stack([np.ones(FRAMES)] + [f(h * phase) for h in range(1, HARMONICS + 1) for f in (np.cos, np.sin)], 1)
seasonal = np.zeros_like(values)
for r in range(HEIGHT):
    for c in range(WIDTH):
        rows = train[valid[train, r, c]]
        for b in range(BANDS):
            x, *_ = np.linalg.lstsq(design[rows], values[rows, r, c, b], rcond=None)
            sd = (values[rows, r, c, b] - design[rows] @ x).std()
            seasonal[:, r, c, b] = (values[:, r, c, b] - design @ x) / sd

mask = valid[..., None] & np.ones(BANDS, bool)
masked = np.where(mask, values, np.nan)
anomaly = masked - np.nanmean(masked, axis=(1, 2), keepdims=True)
frame = anomaly / np.nanstd(anomaly[train], axis=(0, 1, 2))
plain = (masked - np.nanmean(masked[train], axis=(0, 1, 2))) / np.nanstd(masked[train], axis=(0, 1, 2))

inside = ndimage.binary_erosion(np.pad(valid, ((0, 0), (1, 1), (1, 1)))[:, 1:-1, 1:-1], np.array([[[0, 1, 0], [1, 1, 1], [0, 1, 0]]]), border_value=0)
def scaled(field):
    field = np.where(inside[..., None], field, np.nan)
    return np.nan_to_num(field / np.nanstd(field[train], axis=(0, 1, 2)))
stencil = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]])[None, :, :, None]
laplacian = scaled(ndimage.correlate(values, stencil))
step = np.array([-0.5, 0, 0.5])
gradient = scaled(np.hypot(ndimage.correlate1d(values, step, 1), ndimage.correlate1d(values, step, 2)))

show = [0, 33, 69, 75, 89]  # the last two are outside training
pick = lambda field: np.where(mask, np.nan_to_num(field), 0)[show].round(6).ravel().tolist()
print(json.dumps({
    "frames": FRAMES, "height": HEIGHT, "width": WIDTH, "bands": BANDS, "time": time.tolist(), "train": train.tolist(), "show": show,
    "values": values.round(2).ravel().tolist(), "valid": valid.astype(int).ravel().tolist(),
    "seasonal": pick(seasonal), "frame": pick(frame), "plain": pick(plain), "laplacian": pick(laplacian), "gradient": pick(gradient),
}))
