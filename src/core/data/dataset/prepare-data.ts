/** From images in any common form to a dataset folder. */
import { resolve } from 'node:path';
import { checkChoice, checkList, checkWhole } from '../../checks.js';
import { usage } from '../../errors.js';
import { refuseFileName } from '../../formats/output-file.js';
import { packageVersion } from '../../version.js';
import type { WorkOptions } from '../../work.js';
import { RESIZE_METHODS, type ResizeMethod } from '../codec.js';
import type { Channels } from '../pixels.js';
import { FORMATS, type SourceFormat } from '../sources/source.js';
import { PREPARE_DEFAULTS } from './defaults.js';
import { STORAGES, type Storage } from './manifest.js';
import { type Prepared, prepareDataset } from './prepare.js';

export interface PrepareDataSettings {
  /** Folders, CSV lists, IDX or CIFAR files, tar or zip archives; several of one kind become one dataset. */
  sources: readonly string[];
  /** Folder of the dataset. */
  out: string;
  /** Kind of the sources; default: recognised. */
  format?: SourceFormat;
  /** `pixels` of one size (default), or images `encoded` as they are. */
  store?: Storage;
  /** Side of the squares that are stored as pixels. */
  resolution?: number;
  /** How images become squares, default center-crop. */
  resize?: ResizeMethod;
  /** 1 or 3; default: those that the format fixes, else 3. */
  channels?: Channels;
  /** Images to take, chosen at random; default: all. */
  limit?: number;
  /** Images to set apart, chosen at random, as a second dataset; default 0. */
  holdout?: number;
  /** Folder of the second dataset; default `OUT-holdout`. */
  holdoutOut?: string;
  /** Seed of the random choices, default 0. */
  seed?: number;
  /** Images in a shard, default 10,000. */
  shardSize?: number;
  /** The label file of an IDX source; default: the one beside it. */
  labels?: string;
  /** A broken image is an error; default: it is named in a warning and left out. */
  strict?: boolean;
  /** Replace an existing dataset. */
  force?: boolean;
}

export interface PrepareDataResult {
  /** What decided the content: method of resizing, resampling, seed and so on. */
  [preparation: string]: unknown;
  resize: ResizeMethod | null;
  resolution: number | null;
  out: string;
  storage: Storage;
  /** Images of the dataset. */
  count: number;
  /** Number of classes; null without labels. */
  classes: number | null;
  /** Images that were left out. */
  skipped: number;
  /** Images of the second dataset, and its folder. */
  holdout: number;
  holdout_out: string | null;
  height: number | null;
  width: number | null;
  channels: Channels;
  shards: number;
  /** The datasets were there already, made from the same source with the same settings. */
  unchanged: boolean;
  version: string;
  seconds: number;
}

/**
 * Brings images to one size and stores them as a dataset folder: dataset.json with shards of uint8 pixels (`.npy`), or
 * of images as they are (WebDataset's `.tar`), and of labels. The engine is not needed.
 *
 * Events: notes, warnings, and progress of the task `prep-data` in images. With `signal` it throws the signal's reason
 * and leaves nothing on disk.
 * @throws UserError for sources that cannot be read, and for folders that may not be replaced
 */
export async function prepareData(
  settings: PrepareDataSettings,
  { on, signal }: WorkOptions = {},
): Promise<PrepareDataResult> {
  const started = performance.now();
  const { sources, out, labels, holdout = PREPARE_DEFAULTS.holdout } = settings;
  const { holdoutOut = `${out.replace(/\/+$/, '')}-holdout` } = settings;
  checkValues(settings);
  checkStore(settings);
  refuseFileName(out, 'a folder, which gets the dataset,');
  if (resolve(out) === resolve(holdoutOut)) throw usage('--out and --holdout-out name the same folder');
  if (labels && sources.length > 1) throw usage('--labels goes with one source only');
  let total = 0;
  const { seed = PREPARE_DEFAULTS.seed, shardSize = PREPARE_DEFAULTS.shardSize } = settings;
  const request = { ...settings, sources: [...sources], holdout, holdoutOut, seed, shardSize, version: packageVersion };
  const prepared = await prepareDataset(request, {
    recognised(format, { count, classes }) {
      const described = classes ? `${classes.length} classes` : 'no labels';
      on?.({ kind: 'note', message: `${sources.join(', ')}: ${format}, ${count} images, ${described}` });
    },
    selected(selection) {
      total = selection.main + selection.holdout;
    },
    skipped: (id, reason) => on?.({ kind: 'warning', message: `${id} skipped: ${reason}` }),
    progress: (done) => on?.({ kind: 'progress', task: 'prep-data', done, total }),
    signal,
  });
  const skipped = prepared.main.skipped + (prepared.holdout?.skipped ?? 0);
  if (prepared.unchanged) on?.({ kind: 'note', message: `${out} is up to date, nothing to do` });
  else if (skipped > 0) {
    on?.({ kind: 'warning', message: `${skipped} images could not be decoded and were left out` });
  }
  const holdoutPlace = holdout > 0 ? holdoutOut : null;
  return { ...describe(prepared, out, holdoutPlace, skipped), seconds: (performance.now() - started) / 1000 };
}

function describe({ main, holdout, unchanged }: Prepared, out: string, holdoutOut: string | null, skipped: number) {
  return {
    resize: null,
    resolution: null,
    ...main.preparation,
    out,
    storage: main.storage ?? 'pixels',
    count: main.count,
    classes: main.classes?.length ?? null,
    skipped,
    holdout: holdout?.count ?? 0,
    holdout_out: holdoutOut,
    height: main.height ?? null,
    width: main.width ?? null,
    channels: main.channels,
    shards: main.shards.length,
    unchanged,
    version: main.version,
  };
}

/** @throws UserError that names the option and what it may be */
function checkValues({ sources, format, store, resolution, resize, channels, ...others }: PrepareDataSettings): void {
  checkList('SOURCE', sources ?? []);
  checkChoice('--format', format, FORMATS);
  checkChoice('--store', store, STORAGES);
  checkChoice('--resize', resize, RESIZE_METHODS);
  checkChoice('--channels', channels, [1, 3]);
  checkWhole('--resolution', resolution, { least: 1 });
  checkWhole('--limit', others.limit, { least: 1 });
  checkWhole('--shard-size', others.shardSize, { least: 1 });
  checkWhole('--holdout', others.holdout);
  checkWhole('--seed', others.seed);
}

function checkStore({ store = PREPARE_DEFAULTS.store, resolution, resize }: PrepareDataSettings): void {
  if (store === 'pixels') {
    if (resolution !== undefined) return;
    throw usage('--resolution is missing: the height and width of the images', 'or take --store encoded');
  }
  const [given] = Object.entries({ resolution, resize }).find(([, value]) => value !== undefined) ?? [];
  if (given) throw usage(`--${given} goes with --store pixels only`, 'encoded images keep their sizes');
}
