/** Events as TensorBoard reads them: tensorflow.Event of tensorflow/core/util/event.proto, for scalars and pictures. */
import { bytesField, doubleField, type Field, floatField, message, stringField, varintField } from './protobuf.js';

/** When, in seconds since 1970, and at which step. */
export interface Moment {
  time: number;
  step: number;
}

/** What a file begins with; TensorBoard minds session starts from this version on. */
export function versionEvent(time: number): Uint8Array {
  return event({ time, step: 0 }, stringField(3, 'brain.Event:2'));
}

/** A program begins: what earlier files of the folder say of this step and later ones no longer counts. */
export function startEvent(moment: Moment): Uint8Array {
  const START = 1;
  return event(moment, bytesField(7, varintField(1, START)));
}

/** Numbers by their tags; they are stored as float32. */
export function scalarsEvent(moment: Moment, values: ReadonlyMap<string, number>): Uint8Array {
  return summaryEvent(
    moment,
    [...values].map(([tag, value]) => [stringField(1, tag), floatField(2, value)]),
  );
}

/** A picture, which is taken from a PNG as it is. */
export function imageEvent(moment: Moment, tag: string, png: Buffer): Uint8Array {
  const [width, height, colourType] = [png.readUInt32BE(16), png.readUInt32BE(20), png[25]];
  const channels = { 0: 1, 4: 2, 2: 3, 6: 4 }[colourType] ?? 3;
  const image = message([varintField(1, height), varintField(2, width), varintField(3, channels), bytesField(4, png)]);
  return summaryEvent(moment, [[stringField(1, tag), bytesField(4, image)]]);
}

function summaryEvent(moment: Moment, values: Field[][]): Uint8Array {
  return event(moment, bytesField(5, message(values.map((fields) => bytesField(1, message(fields))))));
}

/** A step of 0 is left out, as what is not set is 0. */
function event({ time, step }: Moment, what: Field): Uint8Array {
  return message([doubleField(1, time), ...(step === 0 ? [] : [varintField(2, step)]), what]);
}
