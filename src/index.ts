/**
 * The library. Each use is one function: settings in, events by callback, a result back that has the keys of the
 * command's `--json`. Importing it does not load TensorFlow; the first call that needs the engine does. docs/library.md
 * has a complete program.
 */

// The engine.
export { type Installed, type InstallSettings, installEngine } from './core/backend/install/install.js';
export { type EngineStatus, engineStatus } from './core/backend/install/status.js';
export type { Precision } from './core/backend/precision.js';
// Settings of a run.
export type { Config, TrainConfig } from './core/config/config.js';
export { preset, presetNames } from './core/config/presets.js';
export { type Overrides, resolveConfig } from './core/config/resolve.js';
// Data.
export { type Dataset, openDataset } from './core/data/dataset/dataset.js';
export { type PrepareDataResult, type PrepareDataSettings, prepareData } from './core/data/dataset/prepare-data.js';
export {
  type CreateFeatures,
  createFeatures,
  type FeatureRows,
  type Features,
  type FeaturesWriter,
  openFeatures,
} from './core/data/features.js';
export type { ImageBatch, ImageKind, ImageOptions, ImageSet } from './core/data/images/image-set.js';
export { openImages } from './core/data/images/images.js';
// Errors and events.
export { DamagedFile, UserError } from './core/errors.js';
// Evaluation.
export { type FidSettings, fid } from './core/evaluation/fid/fid.js';
export type { ComparisonResult, FidResult, SetResult, ShardResult } from './core/evaluation/fid/result.js';
export type { ScoreKeys, ScoreName, ScoreSettings } from './core/evaluation/fid/scores/scores.js';
export { type KnnEvent, type KnnSettings, knn } from './core/evaluation/knn/knn.js';
export type { KnnResult, KnnRuns } from './core/evaluation/knn/knn-result.js';
export {
  type LinearProbeEvent,
  type LinearProbeResult,
  type LinearProbeSettings,
  linearProbe,
  type ProbeRun,
  type ProbeRuns,
} from './core/evaluation/probe/linear-probe.js';
// Files that other programs read.
export {
  createNpyWriter,
  type NpyArray,
  type NpyData,
  type NpyDtype,
  type NpyRows,
  type NpyStream,
  type NpyWriter,
  openNpyRows,
  readNpy,
  readNpyStream,
  writeNpy,
} from './core/formats/npy/npy.js';
export type { EncodedBatch, ImageShape, ModelShapes } from './core/model/inference.js';
export {
  type PlotFiltersResult,
  type PlotFiltersSettings,
  type PlotResult,
  type PlotSettings,
  plot,
  plotFilters,
  plotKeys,
} from './core/plot/plot.js';
// Training.
export {
  type DescribeTrainingSettings,
  describeTraining,
  type TrainingDescription,
} from './core/train/describe-training.js';
export type { Estimate } from './core/train/estimate.js';
export type { EvaluationLine } from './core/train/evaluation/evaluation-line.js';
export type { BestEvaluation } from './core/train/evaluation/evaluations.js';
export type { EvaluationRequest } from './core/train/evaluation/open-evaluation.js';
export {
  type FinishedResult,
  type TrainEvent,
  type TrainResult,
  type TrainSettings,
  train,
} from './core/train/train.js';
// Trained models.
export type { EncodeOutput } from './core/trained/defaults.js';
export { type EncodeResult, type EncodeSettings, encode } from './core/trained/encode.js';
export { type ExportResult, type ExportSettings, exportModel } from './core/trained/export-model.js';
export { type GenerateResult, type GenerateSettings, generate } from './core/trained/generate.js';
export { openModel, type TrainedModel } from './core/trained/open-model.js';
export type { ModelProvenance } from './core/trained/provenance.js';
export { type ReconstructResult, type ReconstructSettings, reconstruct } from './core/trained/reconstruct.js';
export type { ModelSettings } from './core/trained/start-model.js';
export { packageVersion as version, type Versions } from './core/version.js';
export type { EngineWorkOptions, WorkEvent, WorkOptions } from './core/work.js';
