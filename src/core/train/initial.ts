/** The state of a run before its first step. */
import type { Engine } from '../backend/engine.js';
import { initialValue } from '../backend/initialise.js';
import { constant } from '../backend/ops.js';
import { type VariableSpec, type VariableValues, allocate } from '../backend/variables.js';
import { AVERAGE } from '../layers/scope.js';
import { modelVariables } from '../model/bigbigan.js';
import { imageResolution } from '../model/config.js';
import { adamVariables } from './adam.js';
import { calibrateEncoder } from './calibrate.js';
import type { Config } from './config.js';

/** Images on which E is calibrated. */
export const CALIBRATION_IMAGES = 256;

/** All variables of a run: the model's, and the optimizer's. */
export function runVariables(config: Config): VariableSpec[] {
  const specs = modelVariables(config.model);
  return [...specs, ...adamVariables(specs.filter((spec) => spec.trainable))];
}

/** @param images uint8 [n,h,w,c] for E's calibration */
export function initialValues(engine: Engine, config: Config, images: Uint8Array): VariableValues {
  const variables = allocate(engine, runVariables(config), (spec) => initialValue(spec, config.seed));
  const { channels } = config.model;
  const side = imageResolution(config.model);
  engine.scope(() => {
    const shape = [images.length / (side * side * channels), side, side, channels];
    calibrateEncoder(engine, config.model, variables, constant(images, shape));
  });
  const values = variables.values();
  variables.dispose();
  // The moving average begins at the weights themselves.
  for (const [name, value] of values) if (values.has(AVERAGE + name)) values.set(AVERAGE + name, value);
  return values;
}
