"""Keras and PyTorch on the models of `npm run bench:train`, with the weights and data that ours.mjs prepared.

python peers.py keras|torch MODEL train|forward STEPS FOLDER     -> a line of JSON
"""
import json
import os
import resource
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np

WARM = 2
who, model, what, steps, folder = sys.argv[1:6]
steps = int(steps)


def read(part):
    return np.fromfile(f"{folder}/{model}-{part}.f32", dtype="<f4")


def weights():
    flat, at, found = read("weights"), 0, {}
    for name, shape in json.load(open(f"{folder}/{model}-weights.json")):
        size = int(np.prod(shape))
        found[name] = flat[at : at + size].reshape(shape)
        at += size
    return found


def tell(times, first):
    times = sorted(times)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"medianMs": times[len(times) // 2], "first": first, "peakMiB": round(peak)}))


def measure(step):
    times, first = [], None
    for i in range(steps + WARM):
        began = time.perf_counter()
        loss = step()
        if i >= WARM:
            times.append((time.perf_counter() - began) * 1000)
        first = loss if first is None else first
    tell(times, first)


CNN = [16, 32, 64, 64, 128]


def run_keras():
    import keras
    import tensorflow as tf
    from keras import layers

    w = weights()
    if model == "cnn":
        inputs = keras.Input((128, 128, 3))
        h = inputs
        for i, out in enumerate(CNN):
            h = layers.Conv2D(out, 3, padding="same", use_bias=False, name=f"conv{i}")(h)
            h = layers.BatchNormalization(name=f"norm{i}")(h)
            h = layers.MaxPooling2D(2)(layers.ReLU()(h))
        frame = keras.Model(inputs, layers.GlobalAveragePooling2D()(h))
        # Time is folded into the batch, as in ours: TimeDistributed loops or copies.
        class Net(keras.Model):
            def __init__(self):
                super().__init__()
                self.frame = frame
                self.gru = layers.GRU(64, return_sequences=True)
                self.out = layers.Dense(1)

            def call(self, x, training=False):
                features = keras.ops.reshape(self.frame(x, training=training), (-1, 15, 128))
                return keras.ops.squeeze(self.out(self.gru(features)), -1)

        net = Net()
        x, y = read("x").reshape(30, 128, 128, 3), read("y").reshape(2, 15)
        net(x)
        for i in range(len(CNN)):
            frame.get_layer(f"conv{i}").set_weights([w[f"blocks/{i}/conv/kernel"]])
        net.gru.set_weights([w["gru/kernel"], w["gru/recurrent"], w["gru/bias"]])
        net.out.set_weights([w["output/kernel"], w["output/bias"]])
    else:
        net, x, y = densenet_keras(keras, layers, w)
    x, y = tf.constant(x), tf.constant(y)
    loss_of = keras.losses.BinaryCrossentropy(from_logits=True)
    optimiser = keras.optimizers.Adam(1e-3)
    variables = net.trainable_variables

    @tf.function
    def train():
        with tf.GradientTape() as tape:
            loss = loss_of(y, net(x, training=True))
        optimiser.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return loss

    @tf.function
    def forward():
        return tf.reduce_mean(net(x, training=False))

    step = train if what == "train" else forward
    measure(lambda: float(step()))


def run_torch():
    import torch

    torch.manual_seed(0)
    w = {k: torch.from_numpy(v.copy()) for k, v in weights().items()}
    if model != "cnn":
        net, x, y = densenet_torch(torch, w)
    else:
        class Net(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.convs, self.norms = torch.nn.ModuleList(), torch.nn.ModuleList()
                for i, out in enumerate(CNN):
                    self.convs.append(torch.nn.Conv2d(CNN[i - 1] if i else 3, out, 3, padding=1, bias=False))
                    self.norms.append(torch.nn.BatchNorm2d(out, eps=1e-3, momentum=0.01))
                self.gru = torch.nn.GRU(128, 64, batch_first=True)
                self.out = torch.nn.Linear(64, 1)

            def forward(self, x):
                for conv, norm in zip(self.convs, self.norms):
                    x = torch.nn.functional.max_pool2d(torch.relu(norm(conv(x))), 2)
                return self.out(self.gru(x.mean((2, 3)).reshape(-1, 15, 128))[0]).squeeze(-1)

        net = Net()
        zrh = lambda m: torch.cat([m[64:128], m[:64], m[128:]])  # their gates are r, z, n
        with torch.no_grad():
            for i, conv in enumerate(net.convs):
                conv.weight.copy_(w[f"blocks/{i}/conv/kernel"].permute(3, 2, 0, 1))
            net.gru.weight_ih_l0.copy_(zrh(w["gru/kernel"].T))
            net.gru.weight_hh_l0.copy_(zrh(w["gru/recurrent"].T))
            net.gru.bias_ih_l0.zero_()
            net.gru.bias_hh_l0.zero_()
            net.out.weight.copy_(w["output/kernel"].T)
            net.out.bias.copy_(w["output/bias"])
        x = torch.from_numpy(read("x").reshape(30, 128, 128, 3)).permute(0, 3, 1, 2)
        y = torch.from_numpy(read("y").reshape(2, 15))
    net = net.to(memory_format=torch.channels_last)
    x = x.contiguous(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(net.parameters(), 1e-3, eps=1e-7)

    def train():
        optimiser.zero_grad(set_to_none=True)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(net(x), y)
        loss.backward()
        optimiser.step()
        return float(loss.detach())

    def forward():
        with torch.inference_mode():
            return float(net(x).mean())

    net.train(what == "train")
    measure(train if what == "train" else forward)


run_keras() if who == "keras" else run_torch()
