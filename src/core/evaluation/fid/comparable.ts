/** Whether two sides may be compared at all. */
import { expected } from '../../errors.js';
import type { OpenSide } from './side.js';
import type { Network } from './statistics-file.js';

type Known = Pick<OpenSide, 'path' | 'width' | 'network'>;

/**
 * Refuses features of different networks, weights, modes or arithmetic; gives the network they share as far as it is
 * known.
 */
export function checkComparable(a: Known, b: Known, warn?: (message: string) => void): Network | undefined {
  if (a.width !== b.width) {
    throw expected(
      `features of width ${a.width} as in ${a.path}`,
      b.path,
      `${b.width}`,
      'use the same network for both',
    );
  }
  if (a.network && b.network) {
    const name = ({ label, digest, mode = '' }: Network) => ({
      text: `${label} with weights ${digest.slice(0, 12)}`,
      key: `${label} ${digest} ${mode}`,
    });
    const [first, second] = [name(a.network), name(b.network)];
    if (first.key !== second.key) {
      throw expected(
        `features of ${first.text} as in ${a.path}`,
        b.path,
        second.text,
        'distances across networks, weights or resize modes mean nothing',
      );
    }
    const [ours, theirs] = [a.network.precision, b.network.precision];
    if (ours && theirs && ours !== theirs) {
      const hint =
        'rounding would count as a difference of the images: give encode the same --precision for both; --extractor encoder:RUN computes in float32';
      throw expected(`features in ${ours} as in ${a.path}`, b.path, theirs, hint);
    }
    return { ...a.network, ...b.network, name: a.network.name ?? b.network.name, precision: ours ?? theirs };
  }
  const [known, other] = a.network ? [a, b] : [b, a];
  if (known.network)
    warn?.(`${other.path} does not say which network its features are of; they must be of ${known.network.label}`);
  return known.network;
}
