/** The objective, as section 2 of the paper writes it. y = +1 for pairs (x, E(x)), y = −1 for pairs (G(z), z). */
import { add, addScalar, mean, neg, relu, sub } from '../backend/ops.js';
import type { Tensor } from '../backend/tensor.js';
import { TERMS } from '../model/config.js';
import type { Scores } from '../model/discriminator.js';

/** h(t) = max(0, 1 − t). */
export function hinge(t: Tensor): Tensor {
  return relu(addScalar(neg(t), 1));
}

/** L_D = Σ over terms of E[h(s(x, E(x)))] + E[h(−s(G(z), z))]: each score is clamped by itself. */
export function discriminatorLoss(encoder: Scores, generator: Scores): Tensor {
  return overTerms(encoder, generator, (real, fake) => add(mean(hinge(real)), mean(hinge(neg(fake)))));
}

/** L_EG = Σ over terms of E[s(x, E(x))] − E[s(G(z), z)]: linear, without a hinge. */
export function encoderGeneratorLoss(encoder: Scores, generator: Scores): Tensor {
  return overTerms(encoder, generator, (real, fake) => sub(mean(real), mean(fake)));
}

function overTerms(encoder: Scores, generator: Scores, loss: (real: Tensor, fake: Tensor) => Tensor): Tensor {
  const terms = TERMS.filter((term) => encoder[term]);
  return terms.map((term) => loss(encoder[term]!, generator[term]!)).reduce(add);
}
