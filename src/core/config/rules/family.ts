/** Dense networks and networks with convolutions. */
import { usage } from '../../errors.js';
import type { ModelConfig } from '../../model/config.js';

/** Dense networks have settings of their own, and go with dense networks: a preset's are of one family or the other. */
export function checkFamily(name: string, network: ModelConfig['generator' | 'discriminator' | 'encoder']): void {
  const wasDense = !('channels' in network);
  if (wasDense !== (network.kind === 'dense')) {
    const preset = wasDense ? 'one of networks with convolutions, such as mnist' : 'bigan-mnist';
    throw usage(
      `model.${name}.kind is ${network.kind}, for which the preset lacks the settings`,
      `start from another preset: ${preset}`,
    );
  }
}
