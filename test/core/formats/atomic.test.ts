import { lstat, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { writeAtomic, writeFolderAtomic } from '../../../src/core/formats/atomic.js';
import { refuseExisting } from '../../../src/core/formats/exists.js';
import { type FolderKind, hasFormat } from '../../../src/core/formats/own-folder.js';

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

/** A kind of folder with one file more than its marker. */
const kind: FolderKind = { marker: 'mark.json', isOurs: hasFormat('ours'), holds: (name) => name === 'data.bin' };
const marker = (text: string) => JSON.stringify({ format: 'ours', text });
const build = (text: string) => (temporary: string) => writeFile(join(temporary, 'mark.json'), marker(text));

t.test('a folder appears whole or not at all', async (t) => {
  const dir = t.testdir({ other: { 'precious.txt': 'mine' }, empty: {}, 'file.txt': '' });
  const out = join(dir, 'deep', 'out');
  const text = async (folder: string) => JSON.parse(await readFile(join(folder, 'mark.json'), 'utf8')).text;
  await writeFolderAtomic(out, { kind }, build('1'));
  t.equal(await text(out), '1');
  await t.rejects(writeFolderAtomic(out, { kind }, build('2')), { message: /exists already/ });
  t.equal(await text(out), '1');
  await writeFile(join(out, 'data.bin'), 'old');
  await writeFolderAtomic(out, { kind, force: true }, build('2'));
  t.same(await readdir(out), ['mark.json'], 'what was in the old folder is gone');
  t.equal(await text(out), '2');
  const failing = writeFolderAtomic(out, { kind, force: true }, async () => {
    throw new Error('stop');
  });
  await t.rejects(failing, { message: 'stop' });
  t.equal(await text(out), '2');
  t.same(await readdir(join(dir, 'deep')), ['out'], 'no temporary folder stays');

  const other = join(dir, 'other');
  await t.rejects(writeFolderAtomic(other, { kind, force: true }, build('3')), {
    message: /not a folder of this kind/,
  });
  t.equal(await readFile(join(other, 'precious.txt'), 'utf8'), 'mine');
  await t.rejects(writeFolderAtomic(join(dir, 'file.txt'), { kind, force: true }, build('3')), {
    message: /got a file/,
  });
  await writeFolderAtomic(join(dir, 'empty'), { kind }, build('4'));
  t.equal(await text(join(dir, 'empty')), '4');
  t.same(await readdir(join(dir, 'empty')), ['mark.json']);
});

t.test('only what this program wrote is deleted', async (t) => {
  const dir = t.testdir({
    foreign: { 'mark.json': '{"labels": []}', 'img.png': 'theirs' },
    mixed: { 'mark.json': marker('1'), 'data.bin': '', 'notes.txt': 'mine' },
    nested: { 'mark.json': marker('1'), 'data.bin': 'an input' },
  });
  const replacing = (name: string, inputs?: string[]) =>
    writeFolderAtomic(join(dir, name), { kind, force: true, inputs }, build('2'));
  await t.rejects(replacing('foreign'), { message: /its mark\.json is that of another program/ });
  await t.rejects(replacing('mixed'), { message: /it also holds notes\.txt/ });
  await t.rejects(replacing('nested', [join(dir, 'nested/data.bin')]), { message: /cannot be replaced: .*is read/ });
  await t.rejects(replacing('nested', [dir]), { message: /cannot be replaced/ });
  t.same(await readdir(join(dir, 'mixed')), ['data.bin', 'mark.json', 'notes.txt']);
  t.equal(await readFile(join(dir, 'nested/data.bin'), 'utf8'), 'an input');
  await t.rejects(writeFolderAtomic('', { kind }, build('1')), { message: /the name of a folder/ });
});

t.test('an empty folder and a link keep their place', async (t) => {
  const dir = t.testdir({ disk: { set: {} }, full: { 'mark.json': marker('1') } });
  const link = join(dir, 'link');
  await symlink(join(dir, 'disk/set'), link);
  const { ino } = await stat(join(dir, 'disk/set'));
  await writeFolderAtomic(link, { kind }, build('1'));
  t.ok((await lstat(link)).isSymbolicLink());
  t.equal((await stat(link)).ino, ino, 'filled, not replaced: as a mount point must be');
  await writeFolderAtomic(link, { kind, force: true }, build('2'));
  t.ok((await lstat(link)).isSymbolicLink());
  t.match(await readFile(join(dir, 'disk/set/mark.json'), 'utf8'), /"2"/);
  t.same(await readdir(join(dir, 'disk')), ['set'], 'nothing is left of the old one');
});

t.test('what a killed process has left is removed by the next one', async (t) => {
  const dir = t.testdir({ '.out.4194305-0123abcd.tmp': { half: 'written' }, '.other.4194305-0123abcd.tmp': {} });
  await writeFolderAtomic(join(dir, 'out'), { kind }, build('1'));
  t.same((await readdir(dir)).sort(), ['.other.4194305-0123abcd.tmp', 'out']);
});
