"""The other side of bench/probes.ts: exact neighbours by faiss's IndexFlat, logistic regression by scikit-learn, one JSON line each.

    python bench/probes_reference.py knn TRAIN.npy TEST.npy OUT.npy K THREADS
    python bench/probes_reference.py probe TRAIN.npy LABELS.npy PENALTY THREADS
"""
import json
import sys
import time

import numpy as np


def knn(train, test, out, k, threads):
    import faiss

    faiss.omp_set_num_threads(threads)
    base, queries = np.load(train), np.load(test)
    begun = time.perf_counter()
    for x in (base, queries):
        faiss.normalize_L2(x)
    index = faiss.IndexFlatL2(base.shape[1])
    index.add(base)
    _, rows = index.search(queries, k)
    seconds = time.perf_counter() - begun
    np.save(out, rows.astype(np.int32))
    return {"seconds": seconds, "queries_per_second": len(queries) / seconds, "version": faiss.__version__}


def probe(train, labels, penalty, threads):
    """scikit-learn on standardised features; its objective is ours with C = 1 / (rows * penalty)."""
    import sklearn
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    x, y = np.load(train), np.load(labels)
    with threadpool_limits(threads):
        begun = time.perf_counter()
        deviation = x.std(0)
        deviation[deviation == 0] = np.inf
        x = (x - x.mean(0)) / deviation
        model = LogisticRegression(C=1 / (len(x) * penalty), max_iter=5000).fit(x, y)
        seconds = time.perf_counter() - begun
    scores = x.astype(np.float64) @ model.coef_.T + model.intercept_
    scores -= scores.max(1, keepdims=True)
    entropy = np.log(np.exp(scores).sum(1)) - scores[np.arange(len(x)), np.searchsorted(model.classes_, y)]
    objective = float(entropy.mean() + penalty / 2 * (model.coef_**2).sum())
    return {"seconds": seconds, "objective": objective, "iterations": int(model.n_iter_[0]), "version": sklearn.__version__}


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    if what == "knn":
        answer = knn(*rest[:3], *map(int, rest[3:]))
    else:
        answer = probe(*rest[:2], float(rest[2]), int(rest[3]))
    print(json.dumps(answer))
