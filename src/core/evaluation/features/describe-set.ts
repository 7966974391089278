/** What a result says of a set of features. */
import type { Features } from '../../data/features.js';
import { modelDigests } from './same-features.js';

export function describeSet(features: Features) {
  const { path, rows, width, digest } = features;
  return { path, rows, width, digest, ...modelDigests(features) };
}
