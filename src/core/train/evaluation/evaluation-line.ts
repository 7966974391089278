/** What an evaluation of a run in training gives: a line of metrics.jsonl. Types only. */
import type { LatentStatistics } from '../../metrics/latent-statistics.js';
import type { PROBE } from './evaluate-features.js';

/** Results by the name of the command that gives them, with its keys; absent is what was left out. */
export interface Evaluation {
  knn?: { top1: Record<string, number> };
  linear_probe?: { top1: number; top5: number };
  reconstruct?: { l1_matched: number; l1_mismatched: number; l1_ratio: number };
  /** How E's latents match the prior. */
  encoder?: LatentStatistics;
  /** `fid` only in the features of the 2015 Inception network. */
  fid?: { frechet_distance: number; fid?: number };
}

/** A line of metrics.jsonl. */
export interface EvaluationLine extends Evaluation {
  step: number;
  epoch: number;
  /** The dataset's folder. */
  data: string;
  protocol: Protocol;
  seconds: number;
}

/** What two evaluations must share for their numbers to be comparable. */
export interface Protocol {
  data_digest: string;
  /** Of the sample of images. */
  seed: number;
  images: number;
  /** Of them, those that fit the probe and vote in kNN, and the others, which are named. */
  fitted?: number;
  tested?: number;
  feature?: string;
  probe?: typeof PROBE;
  /** The first of them, whose reconstructions are compared. */
  reconstructed?: number;
  /** G's images for the distance, and the network. */
  generated?: number;
  extractor?: { label: string; digest: string; mode?: string };
}
