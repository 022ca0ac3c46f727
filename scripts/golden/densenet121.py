"""Reference for test/models/densenet121.test.ts: what Keras' DenseNet121 says, with weights and maps that both sides make by
the same formula of integers, so that seven million of them need not be stored.

    python3 -m venv venv && venv/bin/pip install -r scripts/golden/densenet121-requirements.txt
    venv/bin/python scripts/golden/densenet121.py > test/golden/densenet121.json
    venv/bin/python scripts/golden/densenet121.py --files FOLDER     # the whole model in each format of Keras, to import
"""
import json
import os
import sys
import warnings

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
warnings.filterwarnings("ignore")
import keras  # noqa: E402
import numpy as np  # noqa: E402

INPUT = 9999
SAMPLES = 96


def uniform(leaf, size):
    """Numbers in [-1, 1): the finaliser of MurmurHash3 over position and leaf."""
    h = (np.arange(size, dtype=np.uint64) * 0x9E3779B1 + leaf * 0x85EBCA77 + 0x1234567) & 0xFFFFFFFF
    h ^= h >> np.uint64(16)
    h = (h * 0x85EBCA6B) & 0xFFFFFFFF
    h ^= h >> np.uint64(13)
    h = (h * 0xC2B2AE35) & 0xFFFFFFFF
    h ^= h >> np.uint64(16)
    return h.astype(np.float64) / 2**31 - 1


def made(leaf, kind, shape):
    u = uniform(leaf, int(np.prod(shape)))
    if kind == "kernel":
        values = u * np.sqrt(6 / np.prod(shape[:-1]))  # He: relus keep the size of what passes
    else:
        values = {"gamma": 1 + u / 4, "beta": u / 4, "moving_mean": u / 4, "moving_variance": 1 + u / 2}[kind]
    return values.reshape(shape).astype("f4")


def filled(size):
    model = keras.applications.DenseNet121(weights=None, include_top=False, input_shape=(size, size, 3))
    model.set_weights([made(i, w.path.split("/")[-1], w.shape) for i, w in enumerate(model.weights)])
    return model


def sampled(array):
    """A few values at positions spread over the array, and what all of them add up to."""
    flat = array.astype("f8").ravel()
    at = [int(i * 2654435761 % flat.size) for i in range(SAMPLES)]
    return {
        "shape": list(array.shape),
        "at": at,
        "values": [float(f"{flat[i]:.9g}") for i in at],
        "sum": float(flat.sum()),
        "sizes": float(np.abs(flat).sum()),
    }


def golden(size):
    model = filled(size)
    ends = ["conv2_block6_concat", "conv3_block12_concat", "conv4_block24_concat", "relu"]
    taps = keras.Model(model.input, [model.get_layer(name).output for name in ends])
    x = uniform(INPUT, size * size * 3).reshape(1, size, size, 3).astype("f4")
    return {"size": size, "taps": [sampled(np.asarray(tap)) for tap in taps(x, training=False)]}


if sys.argv[1:2] == ["--files"]:
    folder = sys.argv[2]
    os.makedirs(folder, exist_ok=True)
    model = filled(224)
    for ending in (".weights.h5", ".h5", ".keras"):
        (model.save_weights if "weights" in ending else model.save)(f"{folder}/densenet121{ending}")
    whole = keras.Sequential([keras.Input((224, 224, 3)), model, keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(1)])
    whole.save(f"{folder}/nested.h5")
    whole.save(f"{folder}/nested.keras")
    whole.save_weights(f"{folder}/nested.weights.h5")
else:
    print(json.dumps({"keras": keras.__version__, "cases": [golden(224), golden(600)]}))
