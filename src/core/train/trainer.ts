/** A model in training, and what can be done with it between steps. */
import { setImmediate } from 'node:timers/promises';
import type { Engine } from '../backend/engine.js';
import type { Values } from '../backend/executor.js';
import { createMachine, type Execution } from '../backend/machine.js';
import type { VariableValues } from '../backend/variables.js';
import type { Config } from '../config/config.js';
import type { TrainingBatch } from '../data/loading/loader.js';
import { hasDiscriminator, hasEncoder } from '../model/config.js';
import { inferenceFunctions } from '../model/functions.js';
import { type InferenceModel, inferenceModel } from '../model/inference.js';
import {
  statisticsBatches,
  statisticsFunctions,
  statisticsLatents,
  takeStatistics,
} from '../model/standing-statistics.js';
import { runVariables } from './initial.js';
import { averageDecay, averagesFunction } from './step/average.js';
import { accumulators, microbatchFunctions, runMicrobatches, type StepInputs } from './step/microbatch.js';
import { trainedModules, withGradientCheck } from './step/non-finite.js';
import { decayFactor } from './step/schedule.js';
import { reportedNames, stepFunction, updates } from './step/step.js';

export interface Trainer {
  /**
   * Runs step `step` (from 0) on uint8 images [discriminatorSteps · batchSize, h, w, c] and, where there are several,
   * their labels; noise is drawn for `noiseKey`, an int32 that is the step unless that has failed. Gives what
   * `reportedNames` says, and `gradient_MODULE` for a module whose gradients were not finite.
   */
  step(step: number, images: Uint8Array, labels?: Int32Array, noiseKey?: number): Record<string, number>;
  /**
   * Takes the standing statistics of G and E, for trained and averaged weights, on batches of real images;
   * `statisticsBatches` says how many and how large. Takes the averages first, where steps do not update them
   * (`averageDecay` 0).
   */
  takeStatistics(batches: () => Iterable<TrainingBatch> | AsyncIterable<TrainingBatch>): Promise<void>;
  /** G and E on averaged weights, for batches of up to `sheetImages`. */
  model: InferenceModel;
  values(): VariableValues;
  dispose(): void;
}

export interface TrainerSettings {
  config: Config;
  values: VariableValues;
  execution: Execution;
  sheetImages: number;
}

export function createTrainer(engine: Engine, { config, values, execution, sheetImages }: TrainerSettings): Trainer {
  const { model, train } = config;
  const autoencoder = !hasDiscriminator(model);
  const specs = runVariables(config);
  const split = train.microbatch !== null;
  const taken = statisticsBatches(train);
  const machine = createMachine<string>(engine, {
    execution,
    precision: train.precision,
    specs,
    values,
    scratch: split ? accumulators(specs) : [],
    functions: {
      ...(split ? microbatchFunctions(config) : { step: withGradientCheck(stepFunction(config)) }),
      take_averages: averagesFunction,
      ...inferenceFunctions(model, sheetImages, 'average'),
      ...statisticsFunctions(model, taken.size, ['trained', 'average'], autoencoder ? 'encoder' : 'prior'),
    },
  });
  const averages = train.averageDecay > 0;
  const names = reportedNames(config);
  const modules = trainedModules(specs.map(({ name }) => name));
  const runStep = (inputs: StepInputs) => {
    if (split) return runMicrobatches(machine.call, config, inputs);
    const { report, gradients } = machine.call('step', inputs);
    return { report: Object.fromEntries(names.map((name, i) => [name, report[i]])), gradients };
  };

  return {
    step(step, images, labels, noiseKey = step) {
      const inputs: StepInputs = { images, ...(labels && { labels }), step: Int32Array.of(noiseKey) };
      const feed = (name: string, value: number) => (inputs[name] = Float32Array.of(value));
      const factor = decayFactor(step, train);
      for (const { name, module, index, perStep } of updates(config)) {
        const count = step * perStep + index + 1;
        feed(`${name}_rate`, train.learningRate[module] * factor);
        feed(`${name}_beta1_power`, train.adam.beta1 ** count);
        feed(`${name}_beta2_power`, train.adam.beta2 ** count);
      }
      if (averages) feed('average_remainder', 1 - averageDecay(train.averageDecay, step));
      const { report, gradients } = runStep(inputs);
      const broken = modules
        .filter((_, i) => !Number.isFinite(gradients[i]))
        .map((module) => [`gradient_${module}`, NaN]);
      return { ...report, ...Object.fromEntries(broken) };
    },
    async takeStatistics(batches) {
      if (!averages) machine.call('take_averages', {});
      const views = ['trained', 'average'] as const;
      if (hasEncoder(model)) await takeStatistics(machine, 'encoder', views, taken.count, unhurried(batches()));
      const codes = autoencoder
        ? batches()
        : statisticsLatents(engine, taken.count, { batchSize: taken.size, space: model });
      await takeStatistics(
        machine,
        'generator',
        views,
        taken.count,
        unhurried<TrainingBatch | Record<string, Values>>(codes),
      );
    },
    model: inferenceModel(machine, model, sheetImages),
    values: machine.values,
    dispose: machine.dispose,
  };
}

/** Lets signals in between batches, of which there may be minutes' worth: the engine's calls block the event loop. */
async function* unhurried<T>(batches: Iterable<T> | AsyncIterable<T>): AsyncGenerator<T> {
  for await (const batch of batches) {
    yield batch;
    await setImmediate();
  }
}
