/** A model in training: its variables in the engine, and what can be done with them between steps. */
import type { EagerExecutor } from '../backend/eager.js';
import { initialValue } from '../backend/initialise.js';
import { constant, scalar } from '../backend/ops.js';
import { type ResourceVariables, type VariableSpec, type VariableValues, allocate } from '../backend/variables.js';
import { AVERAGE } from '../layers/scope.js';
import { type Module, modelVariables } from '../model/bigbigan.js';
import { adamVariables } from './adam.js';
import { averageDecay } from './average.js';
import { calibrateEncoder } from './calibrate.js';
import type { Config } from './config.js';
import { decayFactor } from './schedule.js';
import { statisticsLatents, takeEncoderStatistics, takeGeneratorStatistics } from './statistics.js';
import { reportedNames, trainStep } from './step.js';

/** Images on which E is calibrated. */
export const CALIBRATION_IMAGES = 256;

export interface Trainer {
  variables: ResourceVariables;
  /** Runs step `step` (from 0) on uint8 images [discriminatorSteps · batchSize, h, w, c]. */
  step(step: number, images: Uint8Array): Record<string, number>;
  /** Takes the standing statistics of G and E, for trained and averaged weights, on batches of real images. */
  takeStatistics(batches: Uint8Array[]): void;
  dispose(): void;
}

/** All variables of a run: the model's, and the optimizer's. */
export function runVariables(config: Config): VariableSpec[] {
  const specs = modelVariables(config.model);
  return [...specs, ...adamVariables(specs.filter((spec) => spec.trainable))];
}

/** A run at its beginning. `images` are for E's calibration: uint8 [n,h,w,c]. */
export function startTrainer(engine: EagerExecutor, config: Config, images: Uint8Array): Trainer {
  const variables = allocate(engine, runVariables(config), (spec) => initialValue(spec, config.seed));
  const { resolution: r, channels } = config.model;
  engine.scope(() => {
    const shape = [images.length / (r * r * channels), r, r, channels];
    calibrateEncoder(engine, config.model, variables, constant(images, shape));
  });
  for (const { name } of variables.specs.values()) {
    if (variables.has(AVERAGE + name) && variables.specs.get(name)!.trainable) {
      engine.scope(() => variables.assign(AVERAGE + name, variables.read(name)));
    }
  }
  return createTrainer(engine, config, variables);
}

/** A run as a checkpoint has it. */
export function resumeTrainer(engine: EagerExecutor, config: Config, values: VariableValues): Trainer {
  const variables = allocate(engine, runVariables(config), ({ name, shape }) => constant(values.get(name)!.data, shape));
  return createTrainer(engine, config, variables);
}

function createTrainer(engine: EagerExecutor, config: Config, variables: ResourceVariables): Trainer {
  const { model, train } = config;
  const names = reportedNames(model.discriminator.scores);
  const shape = [train.discriminatorSteps * train.batchSize, model.resolution, model.resolution, model.channels];

  return {
    variables,
    step(step, images) {
      const factor = decayFactor(step, train);
      const adam = (module: Module, update: number) => ({
        learningRate: scalar(train.learningRate[module] * factor),
        beta1Power: scalar(train.adam.beta1 ** update),
        beta2Power: scalar(train.adam.beta2 ** update),
      });
      const values = engine.scope(() =>
        engine.read(
          trainStep(config, variables, {
            images: constant(images, shape),
            step: scalar(step, 'int32'),
            discriminator: Array.from({ length: train.discriminatorSteps }, (_, i) =>
              adam('discriminator', step * train.discriminatorSteps + i + 1),
            ),
            generator: adam('generator', step + 1),
            encoder: adam('encoder', step + 1),
            averageRemainder: scalar(1 - averageDecay(train.averageDecay, step)),
          }),
        ),
      );
      return Object.fromEntries(names.map((name, i) => [name, values[i]]));
    },
    takeStatistics(batches) {
      const latents = batches.map((_, index) =>
        statisticsLatents(engine, index, { batchSize: train.batchSize, latent: model.latent }),
      );
      for (const weights of ['trained', 'average'] as const) {
        takeEncoderStatistics(engine, model, variables, weights, batches);
        takeGeneratorStatistics(engine, model, variables, weights, latents);
      }
    },
    dispose: () => variables.dispose(),
  };
}
