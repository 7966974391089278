/** One setting measured: every system alive at once, each doing one thing in turn, for a number of rounds. */
import { join } from 'node:path';
import { emulatesBfloat16 } from '../src/core/backend/precision.js';
import type { Child } from './child.js';
import type { Peaks } from './peak.js';
import { benchConfig, type SettingName } from './settings.js';
import { SYSTEMS, type SystemName, startOurs, startTorch, type Torch } from './systems.js';

/** torch.compile takes minutes for its first step; it is given up after this long. */
const COMPILE_SECONDS = 900;
/** Calls before the first round, besides the very first. */
const WARM_UP = 2;

export interface RoundSettings {
  rounds: number;
  inference: boolean;
  compile: boolean;
  torch: Torch | undefined;
  /** For the state that all start from. */
  folder: string;
  note: (words: string) => void;
}

/** Milliseconds, one value a round. */
export interface Measured {
  first: number;
  step: number[];
  /** Spent outside TensorFlow's session; for our systems. */
  js: number[];
  generate: number[];
  encode: number[];
  /** Of the process, at its peak. */
  megabytes: number;
}

export interface Rounds {
  systems: Partial<Record<SystemName, Measured>>;
  peaks: Peaks[];
}

export async function measure(name: SettingName, settings: RoundSettings): Promise<Rounds> {
  const { rounds, inference, note } = settings;
  const config = benchConfig(name);
  const checkpoint = join(settings.folder, `${name}.safetensors`);
  const gauge = startOurs('the gauge of the machine');
  const children = new Map<SystemName, Child>();
  const systems: Rounds['systems'] = {};
  const peaks: Rounds['peaks'] = [];
  try {
    await gauge.ask({ do: 'initialise', config, checkpoint });
    for (const system of chosen(settings)) {
      const { label, mode, torch } = SYSTEMS[system];
      note(`${name}: ${label}, first step`);
      const child = torch ? startTorch(label, settings.torch!.python) : startOurs(label);
      children.set(system, child);
      try {
        await child.ask({ do: 'start', config, checkpoint, ...mode });
        const { ms } = await child.ask<Timing>({ do: 'step' }, COMPILE_SECONDS);
        systems[system] = { first: ms, step: [], js: [], generate: [], encode: [], megabytes: 0 };
        for (let i = 0; i < WARM_UP; i++) await child.ask({ do: 'step' });
        if (inference) for (const call of ['generate', 'encode']) await child.ask({ do: call }, COMPILE_SECONDS);
      } catch (error) {
        if (system !== 'torch_compile') throw error;
        note(`${label} is left out: ${(error as Error).message}`);
        children.delete(system);
        delete systems[system];
      }
    }
    for (let round = 0; round < rounds; round++) {
      note(`${name}: round ${round + 1} of ${rounds}`);
      for (const [system, child] of children) await oneRound(child, systems[system]!, inference);
      peaks.push(await gauge.ask<Peaks>({ do: 'peak' }));
    }
    for (const [system, child] of children) {
      systems[system]!.megabytes = (await child.ask<{ rss_mb: number }>({ do: 'memory' })).rss_mb;
    }
  } finally {
    for (const child of [gauge, ...children.values()]) child.close();
  }
  return { systems, peaks };
}

interface Timing {
  ms: number;
  js_ms?: number;
}

async function oneRound(child: Child, measured: Measured, inference: boolean): Promise<void> {
  const { ms, js_ms } = await child.ask<Timing>({ do: 'step' });
  measured.step.push(ms);
  if (js_ms !== undefined) measured.js.push(js_ms);
  if (!inference) return;
  measured.generate.push((await child.ask<Timing>({ do: 'generate' })).ms);
  measured.encode.push((await child.ask<Timing>({ do: 'encode' })).ms);
}

/** Without bf16 where the processor emulates it: a step then takes a minute, of ours and of PyTorch's. */
function chosen({ torch, compile }: RoundSettings): SystemName[] {
  const names = (Object.keys(SYSTEMS) as SystemName[]).filter(
    (name) => SYSTEMS[name].mode.precision === 'float32' || !emulatesBfloat16(),
  );
  return names.filter((name) => !SYSTEMS[name].torch || (torch && (compile || name !== 'torch_compile')));
}
