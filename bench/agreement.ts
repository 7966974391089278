/** Whether PyTorch's twin computes what we compute: one step from the same state, images, latents and noise. */
import { join } from 'node:path';
import type { Child } from './child.js';
import { benchConfig, type SettingName } from './settings.js';
import { SYSTEMS, startOurs, startTorch, type Torch } from './systems.js';

export interface Agreement {
  loss_d: { ours: number; torch: number };
  loss_eg: { ours: number; torch: number };
  /** ‖ours − theirs‖ / ‖theirs‖ over all tensors of a kind, after the step. */
  relative_difference: { weights: number; gradients: number; average: number; singular_vectors: number };
}

export async function agreement(name: SettingName, torch: Torch, folder: string): Promise<Agreement> {
  const config = benchConfig(name);
  const checkpoint = join(folder, `${name}-check.safetensors`);
  const children: Child[] = [startOurs('ours'), startTorch('PyTorch', torch.python)];
  const [ours, theirs] = children;
  try {
    await ours.ask({ do: 'initialise', config, checkpoint });
    await ours.ask({ do: 'start', config, checkpoint, ...SYSTEMS.float32.mode });
    await theirs.ask({ do: 'start', config, checkpoint, ...SYSTEMS.torch_eager.mode });
    const a = await ours.ask<{ loss_d: number; loss_eg: number }>({ do: 'check', folder });
    const b = await theirs.ask<{ loss_d: number; loss_eg: number } & Pick<Agreement, 'relative_difference'>>({
      do: 'check',
      folder,
    });
    return {
      loss_d: { ours: a.loss_d, torch: b.loss_d },
      loss_eg: { ours: a.loss_eg, torch: b.loss_eg },
      relative_difference: b.relative_difference,
    };
  } finally {
    for (const child of children) child.close();
  }
}
