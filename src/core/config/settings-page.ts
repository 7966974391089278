/** docs/settings.md, from the table of settings. */

import type { Kind, Setting } from './settings/setting.js';
import { SETTING_GROUPS } from './settings.js';

const INTRODUCTION = `# Settings

<!-- Written by \`make settings\` from src/core/config/settings: change the table there. -->

What a run consists of. \`bigbigan train --preset NAME --dry-run\` prints all settings with a preset's values. \`--set
key=value\` changes one and may be repeated; lists are separated by commas (\`--set model.encoder.units=3,4,6,3\`).
\`--config FILE\` takes JSON with any of them. Where several name the same setting, \`--config\` overrules the preset, \`--set\`
overrules \`--config\`, and an option of its own overrules all (\`--steps\`, \`--batch-size\`, \`--microbatch\`, \`--seed\`,
\`--classes\`, \`--objective\`, \`--precision\`). Unknown settings, wrong types and combinations that cannot work are refused
with the valid values. \`config.json\` in the run has the outcome.

"Paper" is BigBiGAN (Donahue & Simonyan 2019), "BigGAN" Brock et al. 2019, "BiGAN" Donahue et al. 2017, "ResNet" He et al.
2016; compare_gan and BigGAN-PyTorch are public code. The number behind a source is its usual value there; the presets' own
values are in [presets.md](presets.md).
`;

/** The text of the page. */
export function settingsPage(): string {
  const parts = SETTING_GROUPS.map(({ title, settings }) => {
    const isNetwork = ['G', 'D', 'E'].includes(title);
    const rows = settings.map(row).join('\n');
    return `${isNetwork ? '###' : '##'} ${title}\n\n| setting | meaning | values | source |\n| --- | --- | --- | --- |\n${rows}\n`;
  });
  return [INTRODUCTION, ...parts].join('\n');
}

function row({ path, means, kind, values = valuesOf(kind), source }: Setting): string {
  return `| \`${path}\` | ${means} | ${values} | ${source} |`;
}

function valuesOf(kind: Kind): string {
  switch (kind.type) {
    case 'choice':
      return kind.choices.map((choice) => (typeof choice === 'string' ? `\`${choice}\`` : choice)).join(', ');
    case 'boolean':
      return '`true`, `false`';
    case 'words':
      return 'words';
    default:
      return [range(kind), ...('nullable' in kind ? ['`null`'] : [])].join(', ');
  }
}

function range({ type, least, most }: Exclude<Kind, { type: 'choice' | 'boolean' | 'words' }>): string {
  const each = type === 'wholes' ? ' each' : '';
  if (least === undefined) return 'a number';
  return `${least} ${most === undefined ? 'or more' : `to ${most}`}${each}`;
}
