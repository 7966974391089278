/** Whether features may be judged together: rows of one network, with the same classes. */
import type { Features } from '../../data/features.js';
import { expected } from '../../errors.js';

/**
 * SHA-256 of what features were encoded with: a checkpoint or a SavedModel, whose digests cannot be compared with one
 * another.
 */
export interface ModelDigests {
  checkpoint_digest?: string;
  model_digest?: string;
}

/** Empty where the features do not say. */
export function modelDigests({ provenance }: Features): ModelDigests {
  const { checkpoint_digest, model_digest } = (provenance?.source ?? {}) as {
    [key in keyof ModelDigests]?: string | null;
  };
  return { ...(checkpoint_digest && { checkpoint_digest }), ...(model_digest && { model_digest }) };
}

/** @throws UserError where both are known to be of different networks, or to number their classes differently */
export function checkSameFeatures(train: Features, test: Features): void {
  checkSameNetwork(modelDigests(train), train.path, test);
  checkSameClasses(classNames(train), train.path, test);
}

/** @param ours names by class number, of `path`; empty where they are not known */
export function checkSameClasses(ours: readonly string[], path: string, test: Features): void {
  const theirs = classNames(test);
  const differing = ours.findIndex((name, label) => label < theirs.length && name !== theirs[label]);
  if (differing < 0) return;
  const wanted = `class ${differing} to be ${JSON.stringify(ours[differing])} as in ${path},`;
  throw expected(
    wanted,
    test.path,
    JSON.stringify(theirs[differing]),
    'prepare both from sources with the same classes',
  );
}

/** @param trained the network of `trainPath` */
export function checkSameNetwork(trained: ModelDigests, trainPath: string, test: Features): void {
  const found = modelDigests(test);
  for (const key of ['checkpoint_digest', 'model_digest'] as const) {
    const [wanted, got] = [trained[key], found[key]];
    if (wanted === undefined || got === undefined || wanted === got) continue;
    const network = `features of the network of ${trainPath} (digest ${wanted.slice(0, 12)})`;
    throw expected(network, test.path, `digest ${got.slice(0, 12)}`, 'encode both with the same network');
  }
}

/** Names by class number, as features.json has them; empty where it does not say. */
export function classNames({ provenance }: Features): string[] {
  const classes = (provenance?.source as { classes?: unknown } | undefined)?.classes;
  return Array.isArray(classes) ? (classes as string[]) : [];
}
