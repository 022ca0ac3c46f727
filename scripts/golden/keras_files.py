"""Small files as Keras really writes them, for test/keras: a few layers named as in DenseNet121, with and without a top, in every
format; and old ones (names with slashes and `:0`, as of 2017), which h5py writes in the layout of that time.

    venv/bin/python scripts/golden/keras_files.py test/golden/keras      (venv: see densenet121.py)

Every weight is filled with numbers of its own: 100 x (its place in the layout below) + position, over 1000.
"""
import gzip
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import h5py  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402

BANDS, WIDTH = 3, 4
folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)


def backbone(inputs):
    x = keras.layers.Conv2D(WIDTH, 3, use_bias=False, name="conv1_conv")(inputs)
    x = keras.layers.BatchNormalization(epsilon=1.001e-5, name="conv1_bn")(x)
    x = keras.layers.Conv2D(WIDTH, 1, use_bias=False, name="pool2_conv")(x)
    return keras.layers.BatchNormalization(epsilon=1.001e-5, name="bn")(x)


def fill(model):
    order = ["conv1_conv/kernel"] + [f"conv1_bn/{k}" for k in KINDS] + ["pool2_conv/kernel"] + [f"bn/{k}" for k in KINDS]
    for weight in model.weights:
        path = "/".join(weight.path.split("/")[-2:])
        place = order.index(path) if path in order else 50
        weight.assign(((100 * place + np.arange(weight.numpy().size)) / 1000).reshape(weight.shape).astype("f4"))
    return model


KINDS = ["gamma", "beta", "moving_mean", "moving_variance"]
inputs = keras.Input((8, 8, BANDS))
plain = fill(keras.Model(inputs, backbone(inputs), name="small"))
plain.save_weights(f"{folder}/plain.weights.h5")
plain.save(f"{folder}/plain.h5")

inner = keras.Model(inputs, backbone(inputs), name="densenet121")
nested = keras.Sequential([keras.Input((8, 8, BANDS)), inner, keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, name="predictions")])
nested.compile("adam", "binary_crossentropy")
nested.train_on_batch(np.zeros((1, 8, 8, BANDS), "f4"), np.zeros((1, 2), "f4"))
fill(nested)
nested.save(f"{folder}/nested.h5")
nested.save(f"{folder}/nested.keras")

over_time = keras.Sequential([keras.Input((2, 8, 8, BANDS)), keras.layers.TimeDistributed(fill(keras.Model(inputs, backbone(inputs), name="densenet121")))])
over_time.save_weights(f"{folder}/time.weights.h5")

OLD = {"conv1_conv": "conv1/conv", "conv1_bn": "conv1/bn"}
with h5py.File(f"{folder}/old.h5", "w") as file:
    layers = ["conv1_conv", "conv1_bn", "pool2_conv", "bn"]
    file.attrs["layer_names"] = [OLD.get(name, name).encode() for name in layers]
    for name in layers:
        old = OLD.get(name, name)
        group = file.create_group(old)
        weights = [w for w in plain.weights if w.path.split("/")[-2] == name]
        names = [f"{old}/{w.path.split('/')[-1]}:0" for w in weights]
        group.attrs["weight_names"] = [n.encode() for n in names]
        for weight, path in zip(weights, names):
            group.create_dataset(path, data=weight.numpy())

with h5py.File(f"{folder}/plain.weights.h5") as source, h5py.File(f"{folder}/unnamed.weights.h5", "w") as file:
    source.copy("layers", file)  # as the first versions of Keras 3: the same without names
    named = []
    file.visititems(lambda path, item: named.append(path) if "name" in item.attrs else None)
    for path in named:
        del file[path].attrs["name"]

for name in os.listdir(folder):
    if name.endswith(".gz"):
        continue
    with open(f"{folder}/{name}", "rb") as source, open(f"{folder}/{name}.gz", "wb") as file:
        file.write(gzip.compress(source.read(), 9, mtime=0))
    os.remove(f"{folder}/{name}")
