"""Reference for test/anomaly: Gaussian negative log-likelihood by the normal density of Python's standard library.

    python3 scripts/golden/anomaly.py > test/golden/anomaly.json      (Python 3.8 or later, nothing to install)
"""
import json
import math
import random
from statistics import NormalDist

random.seed(3)
FRAMES, FEATURES = 6, 4
observed = [[round(random.gauss(0, 2), 3) for _ in range(FEATURES)] for _ in range(FRAMES)]
mean = [[round(random.gauss(0, 1), 3) for _ in range(FEATURES)] for _ in range(FRAMES)]
log_scale = [-0.7, 0.0, 0.4, 1.1]
nll = [
    sum(-math.log(NormalDist(m, math.exp(s)).pdf(x)) for x, m, s in zip(row, middle, log_scale))
    for row, middle in zip(observed, mean)
]
print(json.dumps({"observed": observed, "mean": mean, "logScale": log_scale, "nll": nll}))
