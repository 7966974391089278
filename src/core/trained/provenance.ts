/** Where a model comes from, for results and files; null is what does not apply. */
export interface ModelProvenance {
  checkpoint: string | null;
  checkpoint_digest: string | null;
  step: number | null;
  weights: string | null;
  precision: string | null;
  /** Folder of a SavedModel, and the digest of what it holds. */
  model?: string;
  model_digest?: string;
}

export const NO_MODEL: ModelProvenance = {
  checkpoint: null,
  checkpoint_digest: null,
  step: null,
  weights: null,
  precision: null,
};
