/** What has to agree before a run starts or continues. */

import type { Config } from '../config/config.js';
import type { Dataset } from '../data/dataset/dataset.js';
import { expected, UserError } from '../errors.js';
import { imageResolution } from '../model/config.js';

export function checkData(
  dataset: Pick<Dataset, 'path' | 'height' | 'width' | 'channels' | 'count' | 'classes'>,
  config: Config,
): void {
  const { model, train } = config;
  const { classes } = model;
  checkImages('--data', dataset, config);
  if (classes > 1 && dataset.classes?.length !== classes) {
    const found = dataset.classes ? `${dataset.classes.length} classes` : 'no labels';
    throw expected(
      `${classes} classes, as model.classes says`,
      `--data ${dataset.path}`,
      found,
      `set --classes to what the dataset has; 1 trains without labels`,
    );
  }
  if (dataset.count < train.batchSize) {
    throw expected(
      `at least one batch of ${train.batchSize} images`,
      `--data ${dataset.path}`,
      `${dataset.count}`,
      'use a smaller --batch-size',
    );
  }
}

/** What goes for the images of a run goes for those that it is evaluated on. */
export function checkImages(
  option: string,
  { path, height, width, channels }: Pick<Dataset, 'path' | 'height' | 'width' | 'channels'>,
  { model, train }: Config,
): void {
  const resolution = imageResolution(model);
  // Random parts are enlarged or shrunk to the resolution, but stored images that are smaller have too little in them.
  const fits =
    train.crop === 'center' ? height === resolution && width === resolution : Math.min(height, width) >= resolution;
  if (fits && channels === model.channels) return;
  throw expected(
    `images of ${resolution}×${resolution}×${model.channels}, as the settings say`,
    `${option} ${path}`,
    `${height}×${width}×${channels}`,
    `prepare it with --resolution ${resolution} --channels ${model.channels}, or choose a preset of that size`,
  );
}

/** A run goes on only with the settings it began with; the total number of steps may change. */
export function checkSameRun(run: string, earlier: Config, now: Config): void {
  const [before, after] = [flatten(earlier), flatten(now)];
  const changed = [...new Set([...before.keys(), ...after.keys()])].find(
    // What a run of an earlier version does not have is off.
    (key) => key !== 'train.steps' && (before.get(key) ?? 'null') !== after.get(key),
  );
  if (changed === undefined) return;
  throw new UserError(`${run} was begun with ${changed} = ${before.get(changed)}, not ${after.get(changed)}`, {
    exitCode: 2,
    hint: 'continue it with its own settings, or choose another --run',
  });
}

function flatten(value: unknown, path = '', into = new Map<string, string>()): Map<string, string> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    for (const [key, item] of Object.entries(value)) flatten(item, path ? `${path}.${key}` : key, into);
  } else {
    // The order of scores makes no difference.
    into.set(path, JSON.stringify(path.endsWith('.scores') && Array.isArray(value) ? [...value].sort() : value));
  }
  return into;
}
