/** Where an L-BFGS probe stands, as .safetensors, so that the same command goes on after an interruption. */

import { expected } from '../../errors.js';
import { exists } from '../../formats/exists.js';
import { readSafetensors, writeSafetensors } from '../../formats/safetensors.js';
import type { LbfgsProbeState } from '../../metrics/probe/lbfgs-probe.js';

const FORMAT = 'bigbigan linear probe state 1';

/** `question` says what is being solved: a state of another question is refused. */
export async function writeProbeState(
  path: string,
  question: string,
  { solved, lbfgs }: LbfgsProbeState,
): Promise<void> {
  const { x, steps, changes, iterations, evaluations } = lbfgs;
  const joined = (parts: Float32Array[]) => {
    const data = new Float32Array(parts.length * x.length);
    parts.forEach((part, i) => data.set(part, i * x.length));
    return { shape: [parts.length, x.length], data };
  };
  const tensors = new Map<string, { shape: number[]; data: Float32Array | Float64Array }>([
    ['x', { shape: [x.length], data: x }],
    ['steps', joined(steps)],
    ['changes', joined(changes)],
  ]);
  await writeSafetensors(path, tensors, {
    format: FORMAT,
    question,
    progress: JSON.stringify({ solved, iterations, evaluations }),
  });
}

/** Undefined where there is no file yet. */
export async function readProbeState(path: string, question: string): Promise<LbfgsProbeState | undefined> {
  if (!(await exists(path))) return undefined;
  const { tensors, metadata } = await readSafetensors(path);
  if (metadata.format !== FORMAT)
    throw expected('a state that linear-probe --state wrote', path, 'another file', 'choose another name');
  if (metadata.question !== question) throw otherQuestion(path, question, metadata.question);
  const x = tensors.get('x')!.data as Float64Array;
  const rows = (name: string) => {
    const { shape, data } = tensors.get(name)!;
    return Array.from({ length: shape[0] }, (_, i) => (data as Float32Array).slice(i * x.length, (i + 1) * x.length));
  };
  const { solved, iterations, evaluations } = JSON.parse(metadata.progress) as Pick<LbfgsProbeState, 'solved'> &
    LbfgsProbeState['lbfgs'];
  return { solved, lbfgs: { x, iterations, evaluations, steps: rows('steps'), changes: rows('changes') } };
}

/** Names the first thing that differs. */
function otherQuestion(path: string, ours: string, theirs: string) {
  const [asked, kept] = [ours, theirs].map((text) => JSON.parse(text) as Record<string, unknown>);
  const name = Object.keys(asked).find((key) => JSON.stringify(asked[key]) !== JSON.stringify(kept[key]))!;
  const [wanted, got] =
    name === 'digests'
      ? ['on these features', 'one on others']
      : [`with ${name} ${JSON.stringify(asked[name])}`, JSON.stringify(kept[name])];
  return expected(`the state of a training ${wanted}`, path, got, 'name another --state file, or remove this one');
}
