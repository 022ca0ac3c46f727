"""Golden numbers for pipeline/labelling: metrics with ties and Platt scaling, by scikit-learn.

    pip install numpy==1.26.4 scikit-learn==1.5.2
    python scripts/golden/labelling_metrics.py > test/golden/labelling_metrics.json
"""
import json
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, confusion_matrix, log_loss, roc_auc_score

chance = np.random.default_rng(3)


def ece(p, y, bins=15):
    which = np.minimum((p * bins).astype(int), bins - 1)
    return sum(abs((p - y)[which == b].sum()) for b in range(bins)) / len(p)


def case(n, prevalence, decimals):
    y = (chance.random(n) < prevalence).astype(int)
    z = np.round(chance.normal(size=n) * 1.5 + 1.2 * y - 1.5, decimals)
    p = 1 / (1 + np.exp(-z))
    tn, fp, fn, tp = confusion_matrix(y, p >= 0.5).ravel()
    # Platt 1999: targets (N+ + 1) / (N+ + 2) and 1 / (N- + 2), as weights of doubled rows.
    positive, negative = y.sum(), n - y.sum()
    target = np.where(y == 1, (positive + 1) / (positive + 2), 1 / (negative + 2))
    fit = LogisticRegression(penalty=None, tol=1e-12, max_iter=10000).fit(
        np.concatenate([z, z])[:, None], np.repeat([1, 0], n), sample_weight=np.concatenate([target, 1 - target])
    )
    return {
        "z": z.tolist(), "y": y.tolist(),
        "auroc": roc_auc_score(y, z), "ap": average_precision_score(y, z),
        "brier": brier_score_loss(y, p), "logLoss": log_loss(y, p), "ece": ece(p, y),
        "counts": {"tp": int(tp), "fp": int(fp), "fn": int(fn), "tn": int(tn)},
        "platt": {"a": fit.coef_[0, 0], "b": fit.intercept_[0]},
    }


print(json.dumps([case(200, 0.3, 1), case(300, 0.1, 0), case(150, 0.5, 3)]))
