"""Reference for test/nn/attentionGolden.test.ts: the three attentions over three taps, their losses and gradients, and
sequence readers, by PyTorch in float64.

    python3 -m venv VENV && VENV/bin/pip install torch==2.9.1 numpy==2.2.6
    VENV/bin/python scripts/golden/attention.py > test/golden/attention.json
"""
import json

import torch
import torch.nn.functional as F

torch.manual_seed(11)
torch.set_default_dtype(torch.float64)
FRAMES, CLASSES, HIDDEN, GRID, LAMBDA, POSITIVE = 2, 2, 4, 1, 0.7, 3.0
TAPS = [(3, 6, 8), (4, 3, 4), (5, 2, 3)]  # channels, height, width
WIDTHS = (3, 2)


def numbers(*shape, scale=1.0):
    """Rounded, so that the file holds them exactly."""
    return (torch.randn(*shape) * scale).mul(1000).round().div(1000)


def leaf(*shape, scale=0.8):
    return numbers(*shape, scale=scale).requires_grad_()


def conv(x, kernel, bias=None):
    """Channels last; kernel [h, w, in, out]; zero padding to the same size."""
    y = F.conv2d(x.permute(0, 3, 1, 2), kernel.permute(3, 2, 0, 1), padding=kernel.shape[0] // 2)
    y = y.permute(0, 2, 3, 1)
    return y if bias is None else y + bias


def resized(x, height, width):
    y = F.interpolate(x.permute(0, 3, 1, 2), size=(height, width), mode="bilinear", align_corners=False)
    return y.permute(0, 2, 3, 1)


def tap_parameters(channels):
    return {
        "gate": {"down": {"kernel": leaf(channels, 2)}, "up": {"kernel": leaf(2, channels)}},
        "element": {
            "squeeze": {"kernel": leaf(1, 1, channels, WIDTHS[0]), "bias": leaf(WIDTHS[0])},
            "spread": {"kernel": leaf(3, 3, *WIDTHS), "bias": leaf(WIDTHS[1])},
            "logits": {"kernel": leaf(1, 1, WIDTHS[1], CLASSES)},
            "linear": {"kernel": leaf(1, 1, channels, CLASSES), "bias": leaf(CLASSES)},
        },
    }


parameters = {f"tap{i}": tap_parameters(c) for i, (c, _, _) in enumerate(TAPS)}
size = len(TAPS) * CLASSES
parameters["scale"] = {
    "hidden": {"kernel": leaf(size, HIDDEN), "bias": leaf(HIDDEN)},
    "output": {"kernel": leaf(HIDDEN, size), "bias": leaf(size)},
}
parameters["output"] = {"kernel": leaf(TAPS[-1][0], CLASSES)}
taps = [numbers(FRAMES, h, w, c).requires_grad_() for c, h, w in TAPS]
labels = torch.tensor([[1.0, 0.0], [0.0, 1.0]])


def leaves(tree, path=""):
    for name, value in tree.items():
        own = f"{path}/{name}" if path else name
        if isinstance(value, dict):
            yield from leaves(value, own)
        else:
            yield own, value


def gated(x, gate):
    squeezed = x.mean((1, 2))
    u = torch.sigmoid(torch.relu(squeezed @ gate["down"]["kernel"]) @ gate["up"]["kernel"])
    return x * u[:, None, None, :], u


def element(x, p):
    narrow = torch.relu(conv(x, p["squeeze"]["kernel"], p["squeeze"]["bias"]))
    z = conv(torch.relu(conv(narrow, p["spread"]["kernel"], p["spread"]["bias"])), p["logits"]["kernel"])
    a = torch.softmax(z.flatten(1, 2), 1).view_as(z)
    s = conv(x, p["linear"]["kernel"], p["linear"]["bias"])
    return a, s


def weighted_bce(logits):
    return F.binary_cross_entropy_with_logits(logits, labels, pos_weight=torch.tensor(POSITIVE))


def forward(passed):
    found = []
    for i, x in enumerate(taps):
        xc, u = gated(x, parameters[f"tap{i}"]["gate"])
        a, s = element(xc, parameters[f"tap{i}"]["element"])
        found.append({"xc": xc, "gate": u, "a": a, "m": a * s, "u": a * torch.sigmoid(s)})
    scores = [tap["m"].sum((1, 2)) for tap in found]
    maps = [tap[passed] for tap in found]
    said = torch.cat([m.sum((1, 2)) for m in maps], 1)
    scale = parameters["scale"]
    hidden = torch.tanh(said @ scale["hidden"]["kernel"] + scale["hidden"]["bias"])
    raw = (hidden @ scale["output"]["kernel"] + scale["output"]["bias"]).view(FRAMES, len(TAPS), CLASSES)
    beta = torch.softmax(raw, 1)
    _, height, width = TAPS[GRID]
    total, looked = 0, 0
    for i, (tap, m) in enumerate(zip(found, maps)):
        ratio = m.shape[1] * m.shape[2] / (height * width)
        own = beta[:, i][:, None, None, :]
        total = total + own * ratio * resized(m, height, width)
        looked = looked + own * ratio * resized(tap["a"], height, width)
    looked = looked / looked.sum((1, 2), keepdim=True)
    logits = found[-1]["xc"].mean((1, 2)) @ parameters["output"]["kernel"] + total.sum((1, 2))
    return {"logits": logits, "scores": scores, "beta": beta, "map": total, "looked": looked, "found": found}


def gradients(loss):
    named = list(leaves(parameters)) + [(f"x{i}", x) for i, x in enumerate(taps)]
    grads = torch.autograd.grad(loss, [p for _, p in named], allow_unused=True, retain_graph=True)
    return {name: None if g is None else plain(g) for (name, _), g in zip(named, grads)}


def plain(x):
    return [float(f"{v:.9g}") for v in x.detach().flatten().tolist()]


def packed(x):
    return {"shape": list(x.shape), "values": plain(x)}


def tcn():
    """Residual causal convolutions with kernel 3 and dilations 1 and 2; one sequence of each batch row."""
    units, kernel, dilations, time = 3, 3, [1, 2], 7
    x = numbers(2, time, 4)
    p = {"input": {"kernel": numbers(4, units, scale=0.8), "bias": numbers(units)}}
    for i in range(len(dilations)):
        p[f"layer{i}"] = {"kernel": numbers(kernel * units, units, scale=0.6), "bias": numbers(units)}
    h = x @ p["input"]["kernel"] + p["input"]["bias"]
    for i, d in enumerate(dilations):
        weight = p[f"layer{i}"]["kernel"].view(kernel, units, units).permute(2, 1, 0)
        line = F.pad(h.transpose(1, 2), ((kernel - 1) * d, 0))
        h = h + torch.relu(F.conv1d(line, weight, p[f"layer{i}"]["bias"], dilation=d).transpose(1, 2))
    return {"kernel": kernel, "units": units, "dilations": dilations, "x": packed(x), "y": packed(h),
            "parameters": {name: packed(value) for name, value in leaves(p)}}


def keras_order(w, units):
    """Rows r, z, n of PyTorch to columns z, r, h."""
    r, z, n = w.split(units)
    return torch.cat([z, r, n]).T if w.dim() == 2 else torch.cat([z, r, n])


def both_ways():
    units = 3
    net = torch.nn.GRU(2, units, batch_first=True, bidirectional=True)
    for p in net.parameters():
        p.data = numbers(*p.shape, scale=0.7)
    x = numbers(2, 5, 2)
    y, _ = net(x)
    p = {}
    for name, end in (("forwards", ""), ("backwards", "_reverse")):
        get = lambda key: getattr(net, f"{key}_l0{end}").data
        p[name] = {
            "kernel": keras_order(get("weight_ih"), units),
            "recurrent": keras_order(get("weight_hh"), units),
            "bias": torch.stack([keras_order(get("bias_ih"), units), keras_order(get("bias_hh"), units)]),
        }
    return {"units": units, "x": packed(x), "y": packed(y), "parameters": {n: packed(v) for n, v in leaves(p)}}


out = forward("m")
auxiliary = weighted_bce(out["scores"][1])
loss = weighted_bce(out["logits"]) + LAMBDA * sum(weighted_bce(s) for s in out["scores"])
print(json.dumps({
    "made": f"torch {torch.__version__}",
    "classes": CLASSES, "grid": GRID, "lambda": LAMBDA, "positiveWeight": POSITIVE,
    "taps": [packed(x) for x in taps],
    "labels": packed(labels),
    "parameters": {name: packed(value) for name, value in leaves(parameters)},
    "logits": packed(out["logits"]),
    "scores": [packed(s) for s in out["scores"]],
    "attention": [packed(tap["a"]) for tap in out["found"]],
    "beta": packed(out["beta"]),
    "looked": packed(out["looked"]),
    "loss": loss.item(),
    "gradients": gradients(loss),
    "auxiliaryGradients": gradients(auxiliary),
    "passedSigmoid": packed(forward("u")["logits"]),
    "tcn": tcn(),
    "bidirectional": both_ways(),
}))
