/** docs/settings.md has every setting, and of those with named values all values. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { PRECISIONS } from '../../../src/core/backend/precision.js';
import { DECAYS, LOSSES, METHODS, UPDATES } from '../../../src/core/config/config.js';
import { preset, presetNames } from '../../../src/core/config/presets.js';
import { CROPS } from '../../../src/core/data/loading/crop.js';
import { PRIORS, TERMS } from '../../../src/core/model/config.js';
import { root } from '../../paths.js';

const rows = readFileSync(join(root, 'docs/settings.md'), 'utf8').matchAll(/^\| `([\w.]+)` \| .* \| (.*) \|$/gm);
const values = new Map([...rows].map(([, name, column]) => [name, column]));

function keys(tree: object, path = ''): string[] {
  return Object.entries(tree).flatMap(([key, value]) => {
    const name = path ? `${path}.${key}` : key;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? keys(value, name) : [name];
  });
}

t.test('every setting of every preset, and no other', async (t) => {
  const all = new Set(presetNames.flatMap((name) => keys(preset(name))));
  all.delete('preset');
  t.same([...values.keys()].sort(), [...all].sort());
});

t.test('all scores', async (t) => {
  t.match(values.get('model.discriminator.scores'), `\`${TERMS.join(',')}\``);
});

t.test('all named values', async (t) => {
  const named = {
    'model.prior': PRIORS,
    'train.method': METHODS,
    'train.loss': LOSSES,
    'train.updates': UPDATES,
    'train.decay': DECAYS,
    'train.crop': CROPS,
    'train.precision': PRECISIONS,
    'model.discriminator.joint': ['pooled', 'map'],
    'model.generator.kind': ['biggan', 'dense'],
    'model.discriminator.kind': ['residual', 'dense'],
    'model.encoder.kind': ['resnet', 'revnet', 'none', 'dense'],
  };
  for (const [name, list] of Object.entries(named)) {
    t.same(
      values
        .get(name)
        ?.match(/`[\w-]+`/g)
        ?.sort(),
      list.map((value) => `\`${value}\``).sort(),
      name,
    );
  }
});
