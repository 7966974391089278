import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { openZipArchive } from '../../../../src/core/formats/zip/zip.js';
import { fixture } from '../../../paths.js';

/** The members of a zip file, unpacked. */
async function unzip(path: string): Promise<Map<string, Uint8Array>> {
  await using archive = await openZipArchive(path);
  const members = new Map<string, Uint8Array>();
  for (const member of archive.members) members.set(member.name, await archive.read(member));
  return members;
}

async function unzipBytes(bytes: Uint8Array, folder: string): Promise<Map<string, Uint8Array>> {
  const path = join(folder, 'x.zip');
  await writeFile(path, bytes);
  return unzip(path);
}

t.test('reads stored and deflated members that Python wrote', async (t) => {
  const members = await unzip(fixture('sources/images.zip'));
  t.equal(Buffer.from(members.get('set/readme.txt')!).toString(), 'six images');
});

t.test('cut anywhere, it is an error and no crash', async (t) => {
  const folder = t.testdir();
  const whole = await readFile(fixture('formats/compressed.npz'));
  t.equal((await unzipBytes(whole, folder)).size, 3);
  for (let length = 0; length < whole.length; length += 7) {
    await t.rejects(unzipBytes(whole.subarray(0, length), folder), { name: 'UserError' }, `${length} bytes`);
  }
});

t.test('any changed byte is an error or changes nothing', async (t) => {
  const folder = t.testdir();
  const whole = await readFile(fixture('formats/stored.npz'));
  const wanted = await unzip(fixture('formats/stored.npz'));
  for (let at = 0; at < whole.length; at++) {
    const changed = Buffer.from(whole);
    changed[at] ^= 0x55;
    let members: Map<string, Uint8Array> | undefined;
    try {
      members = await unzipBytes(changed, folder);
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
