/** KID, the kernel Inception distance (Bińkowski et al. 2018). */
import { checkSubset, kernelDistance } from '../../../metrics/kid.js';
import { score } from './score.js';

export interface KidKeys {
  kid: number;
  kid_std: number;
}

export interface KidScoreSettings {
  kidSubsets: number;
  kidSubsetSize: number;
  seed: number;
}

export const kid = score<'kid', KidScoreSettings, KidKeys>({
  name: 'kid',
  help: `\
  kid, kid_std       unbiased squared MMD with the kernel (x.y / width + 1)^3
                     over random subsets of both sets; may be below 0`,
  needs: 'rows',
  defaults: { kidSubsets: 100, kidSubsetSize: 1000, seed: 0 },
  options: [
    { setting: 'kidSubsets', flags: '--kid-subsets <n>', text: 'random subsets that KID compares' },
    { setting: 'kidSubsetSize', flags: '--kid-subset-size <n>', text: 'rows of each' },
  ],
  uses: ['--seed'],
  protocol: ({ kidSubsets, kidSubsetSize, seed }) => ({
    kid: { kernel: '(x.y / width + 1)^3', subsets: kidSubsets, subset_size: kidSubsetSize, seed },
  }),
  check: (n, { kidSubsetSize }, path) => checkSubset(n, kidSubsetSize, path),
  async compare({ engine, real, fake }, { kidSubsets: subsets, kidSubsetSize: subsetSize, seed }, onProgress) {
    const onSubset = (done: number, total: number) => onProgress('KID', done, total);
    const settings = { subsets, subsetSize, seed, onSubset };
    const { mean, std } = await kernelDistance(engine, real.features!, fake.features!, settings);
    return { kid: mean, kid_std: std };
  },
  lines({ kid: mean, kid_std: std }) {
    return mean === undefined ? [] : [`KID ${mean.toPrecision(6)} ± ${std!.toPrecision(6)}`];
  },
});
