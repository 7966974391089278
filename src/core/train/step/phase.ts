/**
 * A step in parts. All gradients of a phase are taken at the same weights, and then its updates happen; a step is one
 * phase after another. Of a phase either the whole batch is computed at once (step.ts), or a part at a time
 * (microbatch.ts).
 */
import type { Tensor } from '../../backend/tensor.js';
import type { Module } from '../../model/bigbigan.js';
import type { Forward, StepContext } from './forward.js';
import type { Gradients } from './optimise.js';

export interface Phase {
  /** Of its functions, where it is computed in parts. */
  name: string;
  /**
   * Numbers the forward passes of G and E within a step: it names their noise and their batch of images. Phases of the
   * same number share one forward pass where its results can be kept; they follow each other.
   */
  index: number;
  /** The modules that move, each with the name of the update's inputs. */
  updates: Partial<Record<Module, string>>;
  /** @param shared what the phase before has left, if that had the same index */
  run(context: StepContext, shared?: Forward): PhaseResult;
}

export interface PhaseResult {
  /** Of the modules in `updates`, without weight decay. */
  gradients: Gradients;
  /** Scalars by their names in the log. */
  report: Record<string, Tensor>;
  forward?: Forward;
}
