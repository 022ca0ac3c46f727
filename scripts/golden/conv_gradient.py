"""Numbers of pipeline/tensor/backend/selfcheck.ts: plain NumPy loops, integers, no convolution library.
y = conv2d(x, w, stride 2, same) over [1, 4, 4, 2] with a [3, 3, 2, 2] kernel; loss = sum(y * g)."""
import json
import numpy as np

x = (np.arange(32) * 7 % 11 - 5).reshape(1, 4, 4, 2)
w = (np.arange(36) * 5 % 7 - 3).reshape(3, 3, 2, 2)
g = (np.arange(8) * 3 % 5 - 2).reshape(1, 2, 2, 2)
padded = np.zeros((1, 5, 5, 2), int)
padded[:, :4, :4] = x  # same, 4 -> 2 with stride 2 and kernel 3: one row and column at the end
y = np.zeros((1, 2, 2, 2), int)
dx = np.zeros_like(padded)
dw = np.zeros_like(w)
for i in range(2):
    for j in range(2):
        patch = padded[0, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3]
        for o in range(2):
            y[0, i, j, o] = (patch * w[..., o]).sum()
            dx[0, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3] += w[..., o] * g[0, i, j, o]
            dw[..., o] += patch * g[0, i, j, o]
print(json.dumps({"y": y.ravel().tolist(), "dx": dx[:, :4, :4].ravel().tolist(), "dw": dw.ravel().tolist()}))
