/** What a run can be evaluated for. */

/** As the results are named in lines of metrics.jsonl. */
export const EVALUATIONS = ['knn', 'linear_probe', 'reconstruct', 'encoder', 'fid'] as const;
export type EvaluationName = (typeof EVALUATIONS)[number];
