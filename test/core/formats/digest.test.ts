import { join } from 'node:path';
import t from 'tap';
import { sha256, sha256File } from '../../../src/core/formats/digest.js';

t.test('the published digest of "abc" (FIPS 180-4)', async (t) => {
  const wanted = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  t.equal(sha256('abc'), wanted);
  t.equal(sha256(new Uint8Array([97, 98, 99])), wanted);
  t.equal(await sha256File(join(t.testdir({ abc: 'abc' }), 'abc')), wanted);
});
