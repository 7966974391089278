import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { beginFolder } from '../../../src/core/formats/atomic.js';
import { makeFolder } from '../../../src/core/formats/make-folder.js';

t.test('a folder is made with those above it, and one that is there is left alone', async (t) => {
  const dir = t.testdir({ kept: { file: '' } });
  await makeFolder(join(dir, 'a', 'b', 'c'));
  t.ok((await stat(join(dir, 'a', 'b', 'c'))).isDirectory());
  await makeFolder(join(dir, 'kept'));
  t.ok(existsSync(join(dir, 'kept', 'file')));
});

t.test('what is in the way is told', async (t) => {
  const file = join(t.testdir({ file: '' }), 'file');
  for (const path of [file, join(file, 'x'), join(file, 'x', 'y')]) {
    await t.rejects(makeFolder(path), { name: 'UserError', message: /cannot be made: a file is in its way/ });
  }
});

t.test(
  'a file system that takes no folders is refused, not asked for ever',
  { skip: !existsSync('/proc/self') },
  async (t) => {
    await t.rejects(makeFolder('/proc/x/y'), {
      name: 'UserError',
      message: 'the folder /proc/x/y cannot be made: ENOENT',
    });
    await t.rejects(beginFolder('/proc/x', { kind: { marker: 'm', holds: () => false } }), {
      name: 'UserError',
      message: 'the folder /proc/x cannot be made: ENOENT',
    });
  },
);
