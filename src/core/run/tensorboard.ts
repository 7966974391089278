/** A run's numbers and pictures for TensorBoard, in event files of the run folder. */
import { appendFile, readdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { noRoom } from '../formats/no-room.js';
import { numbersOf } from '../formats/numbers.js';
import { imageEvent, scalarsEvent, startEvent, versionEvent } from '../formats/tensorflow/tfevents.js';
import { tfRecord } from '../formats/tensorflow/tfrecord.js';

export interface TensorBoardEvents {
  /** Every number of a record but its step, under `GROUP/PATH`. */
  numbers(step: number, group: string, record: object): Promise<void>;
  /** A picture, as PNG. */
  picture(step: number, tag: string, png: Buffer): Promise<void>;
}

/** For who wants none. */
export const noEvents: TensorBoardEvents = { numbers: async () => {}, picture: async () => {} };

/**
 * Every process writes a file of its own, begun with its first event. It says that it goes on after step `from`, at
 * which TensorBoard forgets what earlier files say of later steps. Each event is handed to the system whole, so that a
 * process that is killed leaves a file that can be read; TensorBoard passes over half a record at the end.
 */
export function createEvents(folder: string, from: number, now: () => number = Date.now): TensorBoardEvents {
  let path: string | undefined;
  const write = async (event: (time: number) => Uint8Array) => {
    const time = now() / 1000;
    const first = path === undefined ? [versionEvent(time), startEvent({ time, step: from + 1 })] : [];
    path ??= await newFile(folder, time);
    await appendFile(path, Buffer.concat([...first, event(time)].map(tfRecord))).catch((error: unknown) => {
      throw noRoom(error, path!);
    });
  };
  return {
    numbers(step, group, record) {
      const values = [...numbersOf(record)].filter(([path, value]) => path !== 'step' && Number.isFinite(value));
      return write((time) =>
        scalarsEvent({ time, step }, new Map(values.map(([path, value]) => [`${group}/${path}`, value]))),
      );
    },
    picture: (step, tag, png) => write((time) => imageEvent({ time, step }, tag, png)),
  };
}

/** TensorBoard reads files in the order of their names, so that each has a later time in its name than those before. */
async function newFile(folder: string, time: number): Promise<string> {
  const earlier = (await readdir(folder)).map((name) => Number(/^events\.out\.tfevents\.(\d+)\./.exec(name)?.[1] ?? 0));
  const seconds = Math.max(Math.floor(time), ...earlier.map((other) => other + 1));
  return join(folder, `events.out.tfevents.${String(seconds).padStart(10, '0')}.${hostname()}`);
}
