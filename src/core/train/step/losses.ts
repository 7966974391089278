/** The objectives. y = +1 for pairs (x, E(x)), y = −1 for pairs (G(z), z). */
import { add, addScalar, mean, neg, relu, scale, softplus, sub } from '../../backend/ops.js';
import type { Tensor } from '../../backend/tensor.js';
import type { Loss } from '../../config/config.js';
import { TERMS } from '../../model/config.js';
import type { Scores } from '../../model/judged.js';

/** What the networks minimise, from the scores of both kinds of pair. */
export interface Objective {
  discriminator(encoder: Scores, generator: Scores): Tensor;
  /** G and E together. */
  encoderGenerator(encoder: Scores, generator: Scores): Tensor;
  /** G alone, where E is not trained against D: the generator's part, with weight 1. */
  generator(generator: Scores): Tensor;
}

/** h(t) = max(0, 1 − t). */
export function hinge(t: Tensor): Tensor {
  return relu(addScalar(neg(t), 1));
}

/** E[h(s(x, E(x)))] + E[h(−s(G(z), z))] of one score. */
const hinged = (real: Tensor, fake: Tensor) => add(mean(hinge(real)), mean(hinge(neg(fake))));
/** E[s(x, E(x))] − E[s(G(z), z)] of one score: linear, without a hinge. */
const linear = (real: Tensor, fake: Tensor) => sub(mean(real), mean(fake));
/** −½ E[log σ(a)] − ½ E[log(1 − σ(b))]. */
const crossEntropy = (a: Tensor, b: Tensor) => scale(add(mean(softplus(neg(a))), mean(softplus(b))), 0.5);

export const OBJECTIVES: Record<Loss, Objective> = {
  hinge: {
    discriminator: (encoder, generator) => overTerms(encoder, generator, hinged),
    encoderGenerator: (encoder, generator) => overTerms(encoder, generator, linear),
    generator: (generator) => neg(mean(total(generator))),
  },
  'summed-hinge': {
    discriminator: (encoder, generator) => hinged(total(encoder), total(generator)),
    encoderGenerator: (encoder, generator) => linear(total(encoder), total(generator)),
    generator: (generator) => neg(mean(total(generator))),
  },
  sigmoid: {
    discriminator: (encoder, generator) => crossEntropy(total(encoder), total(generator)),
    encoderGenerator: (encoder, generator) => crossEntropy(total(generator), total(encoder)),
    generator: (generator) => mean(softplus(neg(total(generator)))),
  },
};

/** The sum, not the mean, over the terms. */
function overTerms(encoder: Scores, generator: Scores, loss: (real: Tensor, fake: Tensor) => Tensor): Tensor {
  return termsOf(encoder)
    .map((term) => loss(encoder[term]!, generator[term]!))
    .reduce(add);
}

const total = (scores: Scores) =>
  termsOf(scores)
    .map((term) => scores[term]!)
    .reduce(add);

const termsOf = (scores: Scores) => TERMS.filter((term) => scores[term]);
