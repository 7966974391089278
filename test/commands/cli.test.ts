import t from 'tap';
import { bigbigan } from '../paths.js';

t.test('--version names the program', async (t) => {
  const result = await bigbigan(['--version']);
  t.match(result.stdout, /^bigbigan \d+\.\d+\.\d+\n/);
  t.equal(result.code, 0);
});
