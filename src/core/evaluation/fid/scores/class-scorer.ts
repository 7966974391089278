/** Takes in a set's class scores as they come, and keeps nothing of a single image. */
export interface ClassScorer {
  /** Adds `count` images by their logits [count, classes], in the order of the set. */
  add(logits: Float32Array, count: number): void;
  /** The score's keys; throws unless as many images came as were announced. */
  result(): object;
}

/** Opens a scorer for a set of `total` images. */
export type OpenClassScorer = (total: number) => ClassScorer;
