/** Adam (Kingma & Ba 2015), its moments kept as variables named after the parameter. */
import { bool, execute, scalar, type } from '../../backend/executor.js';
import { zeros } from '../../backend/initialise.js';
import type { Tensor } from '../../backend/tensor.js';
import type { ResourceVariables, VariableSpec } from '../../backend/variables.js';

export interface AdamSettings {
  beta1: number;
  beta2: number;
  /** Added to √v, in TensorFlow's form: with the bias correction folded into the rate. */
  epsilon: number;
}

/** Scalars that change from update to update. */
export interface AdamInputs {
  learningRate: Tensor;
  /** β1 and β2 to the power of the number of this update, counted from 1. */
  beta1Power: Tensor;
  beta2Power: Tensor;
}

const slots = (name: string) => ({ m: `adam/m/${name}`, v: `adam/v/${name}` });

export function adamVariables(trainable: readonly VariableSpec[]): VariableSpec[] {
  return trainable.flatMap((spec) =>
    Object.values(slots(spec.name)).map((name) => ({ ...spec, name, initialiser: zeros, trainable: false })),
  );
}

export function applyAdam(
  variables: ResourceVariables,
  names: readonly string[],
  gradients: readonly Tensor[],
  settings: AdamSettings,
  { learningRate, beta1Power, beta2Power }: AdamInputs,
): void {
  const attributes = { T: type('float32'), use_locking: bool(false), use_nesterov: bool(false) };
  const [beta1, beta2, epsilon] = [settings.beta1, settings.beta2, settings.epsilon].map((value) => scalar(value));
  names.forEach((name, i) => {
    const { m, v } = slots(name);
    const handles = [name, m, v].map((variable) => variables.handle(variable));
    execute(
      'ResourceApplyAdam',
      attributes,
      [...handles, beta1Power, beta2Power, learningRate, beta1, beta2, epsilon, gradients[i]],
      [],
    );
  });
}
