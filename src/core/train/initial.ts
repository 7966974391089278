/** The state of a run before its first step. */
import type { Engine } from '../backend/engine.js';
import { initialValue } from '../backend/initialise.js';
import { constant } from '../backend/ops.js';
import { size } from '../backend/tensor.js';
import { allocate, type VariableSpec, type VariableValues } from '../backend/variables.js';
import type { Config } from '../config/config.js';
import { AVERAGE } from '../layers/scope.js';
import { modelVariables } from '../model/bigbigan.js';
import { imageResolution } from '../model/config.js';
import { calibrateEncoder } from './calibrate.js';
import { adamVariables } from './step/adam.js';

/** Images on which E is calibrated. */
export const CALIBRATION_IMAGES = 256;

/** All variables of a run: the model's, and the optimizer's. */
export function runVariables(config: Config): VariableSpec[] {
  const specs = modelVariables(config.model);
  return [...specs, ...adamVariables(specs.filter((spec) => spec.trainable))];
}

/** @param images uint8 [n,h,w,c] for E's calibration */
export function initialValues(engine: Engine, config: Config, images: Uint8Array): VariableValues {
  const specs = runVariables(config);
  const averaged = new Set(specs.filter(({ trainable }) => trainable).map(({ name }) => AVERAGE + name));
  const drawn = modelVariables(config.model).filter(({ name }) => !averaged.has(name));
  const variables = allocate(engine, drawn, (spec) => initialValue(spec, config.seed));
  const { channels } = config.model;
  const side = imageResolution(config.model);
  engine.scope(() => {
    const shape = [images.length / (side * side * channels), side, side, channels];
    calibrateEncoder(engine, config.model, variables, constant(images, shape));
  });
  const start = variables.values();
  variables.dispose();
  // The moving average begins at the weights themselves, the optimizer's moments at 0.
  const value = ({ name, shape }: VariableSpec) =>
    start.get(averaged.has(name) ? name.slice(AVERAGE.length) : name) ?? { shape, data: new Float32Array(size(shape)) };
  return new Map(specs.map((spec) => [spec.name, value(spec)]));
}
