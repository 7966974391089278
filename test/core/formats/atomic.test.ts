import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { refuseExisting, writeAtomic, writeFolderAtomic } from '../../../src/core/formats/atomic.js';

t.test('a file appears whole or not at all', async (t) => {
  const dir = t.testdir({ 'x.txt': 'old' });
  const path = join(dir, 'x.txt');
  const failing = writeAtomic(path, async (handle) => {
    await handle.writeFile('half');
    throw new Error('disk on fire');
  });
  await t.rejects(failing, { message: 'disk on fire' });
  t.equal(await readFile(path, 'utf8'), 'old');
  t.same(await readdir(dir), ['x.txt']);
  await writeAtomic(path, (handle) => handle.writeFile('new'));
  t.equal(await readFile(path, 'utf8'), 'new');
  await t.rejects(refuseExisting(path), { message: /exists already/ });
  await refuseExisting(path, true);
  await t.rejects(
    writeAtomic(join(dir, 'a', 'b'), async () => {}),
    { name: 'UserError', message: /an existing folder/ },
  );
});

t.test('a folder appears whole or not at all', async (t) => {
  const dir = t.testdir({ other: { 'precious.txt': 'mine' }, empty: {}, 'file.txt': '' });
  const out = join(dir, 'deep', 'out');
  const build = (text: string) => (temporary: string) => writeFile(join(temporary, 'mark.json'), text);
  await writeFolderAtomic(out, { marker: 'mark.json' }, build('1'));
  t.equal(await readFile(join(out, 'mark.json'), 'utf8'), '1');
  await t.rejects(writeFolderAtomic(out, { marker: 'mark.json' }, build('2')), { message: /exists already/ });
  t.equal(await readFile(join(out, 'mark.json'), 'utf8'), '1');
  await mkdir(join(out, 'stale'));
  await writeFolderAtomic(out, { marker: 'mark.json', force: true }, build('2'));
  t.same(await readdir(out), ['mark.json'], 'what was in the old folder is gone');
  t.equal(await readFile(join(out, 'mark.json'), 'utf8'), '2');
  const failing = writeFolderAtomic(out, { marker: 'mark.json', force: true }, async () => {
    throw new Error('stop');
  });
  await t.rejects(failing, { message: 'stop' });
  t.equal(await readFile(join(out, 'mark.json'), 'utf8'), '2');
  t.same(await readdir(join(dir, 'deep')), ['out'], 'no temporary folder stays');

  const other = join(dir, 'other');
  await t.rejects(writeFolderAtomic(other, { marker: 'mark.json', force: true }, build('3')), {
    message: /not a folder of this kind/,
  });
  t.equal(await readFile(join(other, 'precious.txt'), 'utf8'), 'mine');
  await t.rejects(writeFolderAtomic(join(dir, 'file.txt'), { marker: 'm', force: true }, build('3')), {
    message: /got a file/,
  });
  await writeFolderAtomic(join(dir, 'empty'), { marker: 'mark.json' }, build('4'));
  t.equal(await readFile(join(dir, 'empty', 'mark.json'), 'utf8'), '4');
});
