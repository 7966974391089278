/** How good class scores are. */

export interface Accuracy {
  rows: number;
  /** Rows whose class has the highest score. */
  top1: number;
  /** Rows whose class is among the five highest scores. */
  top5: number;
  /** Sum of the cross-entropies, in nats; rows without a known class are left out. */
  loss: number;
}

export function noAccuracy(): Accuracy {
  return { rows: 0, top1: 0, top5: 0, loss: 0 };
}

/**
 * Adds rows to the counts of each head. `scores` is [n, heads, classes]; a label of -1 is a class that no head knows,
 * which is always wrong. A score that ties with the label's, or is no number, stands before it.
 */
export function addScores(totals: Accuracy[], scores: Float32Array, labels: Int32Array, classes: number): void {
  const heads = totals.length;
  labels.forEach((label, row) => {
    totals.forEach((total, head) => {
      total.rows++;
      if (label < 0) return;
      const at = (row * heads + head) * classes;
      const own = scores[at + label];
      let before = 0;
      let exponentials = 0;
      for (let i = at; i < at + classes; i++) {
        if (!(scores[i] < own)) before++;
        exponentials += Math.exp(scores[i] - own);
      }
      // The label itself is not smaller than itself.
      before--;
      if (before < 1) total.top1++;
      if (before < 5) total.top5++;
      total.loss += Math.log(exponentials);
    });
  });
}
