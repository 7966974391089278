/** A process that runs our Inception network as inception.ts asks it to. */
import { startEngine } from '../src/core/backend/engine.js';
import { inceptionExtractor } from '../src/core/evaluation/fid/extractors/inception-extractor.js';
import type { Extractor } from '../src/core/metrics/extractor.js';
import { images } from '../test/core/inception/synthetic.js';
import { answerRequests } from './child.js';

let extractor: Extractor;
let batch: Uint8Array;
let shape: [number, number, number, number];

await answerRequests({
  async start({ weights, count, side }: { weights: string; count: number; side: number }) {
    extractor = await inceptionExtractor(await startEngine(), { weights, batchSize: count });
    shape = [count, side, side, 3];
    batch = images('bench', shape);
    return {};
  },
  extract() {
    const [begun, used] = [performance.now(), process.cpuUsage()];
    extractor.extract(batch, shape);
    const { user, system } = process.cpuUsage(used);
    return { ms: performance.now() - begun, cpu_ms: (user + system) / 1000 };
  },
  memory: () => ({ rss_mb: process.resourceUsage().maxRSS / 1024 }),
});
