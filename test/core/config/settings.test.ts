/** docs/settings.md has every setting, and of those with named values all values. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { PRECISIONS } from '../../../src/core/backend/precision.js';
import { checkedType, checkRange } from '../../../src/core/config/check-setting.js';
import { DECAYS, LOSSES, METHODS, UPDATES } from '../../../src/core/config/config.js';
import { preset, presetNames } from '../../../src/core/config/presets.js';
import { SETTINGS } from '../../../src/core/config/settings.js';
import { settingsPage } from '../../../src/core/config/settings-page.js';
import { CROPS } from '../../../src/core/data/loading/crop.js';
import { PRIORS, TERMS } from '../../../src/core/model/config.js';
import { root } from '../../paths.js';

const rows = readFileSync(join(root, 'docs/settings.md'), 'utf8').matchAll(/^\| `([\w.]+)` \| .* \| (.*) \| .* \|$/gm);
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

t.test('docs/settings.md is what the table says', async (t) => {
  t.equal(readFileSync(join(root, 'docs/settings.md'), 'utf8'), settingsPage(), 'after a change: make settings');
});

t.test('every setting is in the table, and has the type that the table says', async (t) => {
  for (const name of presetNames) {
    for (const path of keys(preset(name)).filter((key) => key !== 'preset')) {
      const value = path
        .split('.')
        .reduce((group, key) => (group as Record<string, object>)[key], preset(name) as object);
      t.equal(checkedType(path, value, value, name), value, `${path} of ${name}`);
    }
  }
});

t.test('the ends of every range are allowed, and what is beyond is not', async (t) => {
  const refused = (path: string, value: unknown) =>
    t.throws(() => checkRange(path, value), /expected/, `${path} ${value}`);
  for (const { path, kind } of SETTINGS.values()) {
    if (kind.type === 'choice') {
      for (const choice of kind.choices) checkRange(path, choice);
      refused(path, 'something else');
      continue;
    }
    if (kind.type === 'boolean' || kind.type === 'words') continue;
    const value = (number: number) => (kind.type === 'wholes' ? [number] : number);
    for (const end of [kind.least, kind.most]) if (end !== undefined) checkRange(path, value(end));
    if (kind.least !== undefined) refused(path, value(kind.least - 1));
    if (kind.most !== undefined) refused(path, value(kind.most + 1));
    if (kind.type !== 'number') refused(path, value((kind.least ?? 0) + 0.5));
  }
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
