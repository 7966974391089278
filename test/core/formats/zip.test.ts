import t from 'tap';
import { readFile } from 'node:fs/promises';
import { crc32, unzip } from '../../../src/core/formats/zip.js';
import { fixture } from '../../paths.js';

t.test("the check value of the CRC catalogue, of '123456789'", async (t) => {
  t.equal(crc32(Buffer.from('123456789')), 0xcbf43926);
  t.equal(crc32(new Uint8Array(0)), 0);
});

t.test('reads stored and deflated members that Python wrote', async (t) => {
  const members = unzip(await readFile(fixture('sources/images.zip')), 'images.zip', (name) => name.endsWith('.txt'));
  t.same([...members].map(([name, bytes]) => [name, Buffer.from(bytes).toString()]), [['set/readme.txt', 'six images']]);
});

t.test('cut anywhere, it is an error and no crash', async (t) => {
  const whole = await readFile(fixture('formats/compressed.npz'));
  t.equal(unzip(whole, 'x', () => true).size, 3);
  for (let length = 0; length < whole.length; length += 7) {
    t.throws(() => unzip(whole.subarray(0, length), 'x', () => true), { name: 'UserError' }, `${length} bytes`);
  }
});

t.test('any changed byte is an error or changes nothing', async (t) => {
  const whole = await readFile(fixture('formats/stored.npz'));
  const wanted = unzip(whole, 'x', () => true);
  for (let at = 0; at < whole.length; at++) {
    const changed = Buffer.from(whole);
    changed[at] ^= 0x55;
    let members: Map<string, Uint8Array> | undefined;
    try {
      members = unzip(changed, 'x', () => true);
    } catch (error) {
      if ((error as Error).name !== 'UserError') t.fail(`byte ${at}: ${(error as Error).message}`);
      continue;
    }
    for (const [name, bytes] of members) {
      const original = wanted.get(name);
      if (original && !Buffer.from(bytes).equals(original)) t.fail(`byte ${at}: ${name} differs unnoticed`);
    }
  }
  t.pass('all bytes tried');
});
