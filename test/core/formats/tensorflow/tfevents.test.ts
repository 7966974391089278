import { readFileSync } from 'node:fs';
import t from 'tap';
import { crc32c } from '../../../../src/core/formats/crc32c.js';
import {
  imageEvent,
  scalarsEvent,
  startEvent,
  versionEvent,
} from '../../../../src/core/formats/tensorflow/tfevents.js';
import { tfRecord } from '../../../../src/core/formats/tensorflow/tfrecord.js';
import { eventsOf } from '../../../events.js';
import { fixture } from '../../../paths.js';

t.test('CRC-32C: the vectors of RFC 3720, appendix B.4', async (t) => {
  t.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
  t.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  t.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e);
  t.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
});

t.test("the bytes are those of TensorBoard's own writer", async (t) => {
  const reference = readFileSync(fixture('formats/reference.tfevents'));
  const pictures = eventsOf(reference).flatMap(({ values }) => values.flatMap(({ png }) => png ?? []));
  t.equal(pictures.length, 2);
  const ours = [
    versionEvent(1700000000.25),
    startEvent({ time: 1700000000.25, step: 501 }),
    scalarsEvent(
      { time: 1700000001.5, step: 550 },
      new Map([
        ['train/loss_d', -1.2345678],
        ['train/top1.25', 0],
        ['train/größe', 3e38],
      ]),
    ),
    imageEvent({ time: 1700000002, step: 5_000_000_000 }, 'samples', pictures[0]),
    imageEvent({ time: 1700000003, step: 0 }, 'samples', pictures[1]),
  ];
  t.equal(Buffer.concat(ours.map(tfRecord)).toString('hex'), reference.toString('hex'));
});

t.test('what the tests read events with understands that file', async (t) => {
  const events = eventsOf(readFileSync(fixture('formats/reference.tfevents')));
  t.same(
    events.map(({ step, start }) => [step, start]),
    [
      [0, false],
      [501, true],
      [550, false],
      [5_000_000_000, false],
      [0, false],
    ],
  );
  t.same(
    events[2].values.map(({ tag, number }) => [tag, number]),
    [
      ['train/loss_d', Math.fround(-1.2345678)],
      ['train/top1.25', 0],
      ['train/größe', Math.fround(3e38)],
    ],
  );
});
