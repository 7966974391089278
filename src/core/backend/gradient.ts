/**
 * Reverse-mode differentiation over the tensors themselves: a tensor that may need a gradient
 * carries the node that made it, and `gradients` walks those nodes backwards.
 */
import { execute1, fill, int, type } from './executor.js';
import { sameShape, type Tensor } from './tensor.js';

let count = 0;
let tracking = true;

/** Runs `body` without recording how its tensors were computed. */
export function untracked<T>(body: () => T): T {
  return withTracking(false, body);
}

/** Runs `body` recording it, also within a backward pass, which is not recorded itself. */
export function tracked<T>(body: () => T): T {
  return withTracking(true, body);
}

function withTracking<T>(on: boolean, body: () => T): T {
  const outer = tracking;
  tracking = on;
  try {
    return body();
  } finally {
    tracking = outer;
  }
}

/** A leaf: the same tensor, with respect to which a gradient may be asked for. */
export function watch(tensor: Tensor): Tensor {
  return { ...tensor, node: { order: count++, inputs: [], backward: () => [] } };
}

/** The same tensor as a constant: no gradient flows through. */
export function stopGradient(tensor: Tensor): Tensor {
  return { id: tensor.id, shape: tensor.shape, dtype: tensor.dtype };
}

/**
 * Says how `output` depends on `inputs`. `backward` takes the gradient of the output and gives one
 * thunk an input; only the thunks of inputs that need a gradient are called.
 */
export function differentiable(
  output: Tensor,
  inputs: readonly Tensor[],
  backward: (dy: Tensor) => Array<(() => Tensor) | undefined>,
): Tensor {
  if (!tracking || !inputs.some((input) => input.node)) return output;
  return { ...output, node: { order: count++, inputs, backward } };
}

/**
 * Gradients of a scalar with respect to watched tensors, in their order.
 * @throws when one of them does not influence the scalar: a part of the network is then cut off.
 */
export function gradients(loss: Tensor, wrt: readonly Tensor[], names?: readonly string[]): Tensor[] {
  if (!sameShape(loss.shape, [])) throw new Error(`a gradient needs a scalar, got the shape [${loss.shape}]`);
  return pullback(loss, fill(1, []), wrt, names);
}

/** The same for a tensor y of any shape, of whose loss the gradient dy is known. */
export function pullback(y: Tensor, dy: Tensor, wrt: readonly Tensor[], names?: readonly string[]): Tensor[] {
  return untracked(() => backpropagate(y, dy, wrt, names));
}

function backpropagate(y: Tensor, seed: Tensor, wrt: readonly Tensor[], names?: readonly string[]): Tensor[] {
  const wanted = new Set(wrt.map((leaf) => leaf.node));
  const pending = new Map<NonNullable<Tensor['node']>, Tensor[]>();
  const found = new Map<NonNullable<Tensor['node']>, Tensor>();
  if (y.node) pending.set(y.node, [seed]);
  const queue = reachable(y);

  for (const node of queue) {
    const parts = pending.get(node);
    pending.delete(node);
    if (!parts) continue;
    const dy = sum(parts);
    if (wanted.has(node)) found.set(node, dy);
    const thunks = node.backward(dy);
    node.inputs.forEach((input, i) => {
      const thunk = thunks[i];
      if (!input.node || !thunk) return;
      const part = thunk();
      const others = pending.get(input.node);
      if (others) others.push(part);
      else pending.set(input.node, [part]);
    });
  }

  return wrt.map((leaf, i) => {
    const gradient = leaf.node && found.get(leaf.node);
    if (!gradient) throw new Error(`the loss does not depend on ${names?.[i] ?? `tensor ${i}`}`);
    return gradient;
  });
}

/** The nodes behind a tensor, last made first: every node comes before its inputs. */
function reachable(tensor: Tensor): NonNullable<Tensor['node']>[] {
  const seen = new Set<NonNullable<Tensor['node']>>();
  const stack = tensor.node ? [tensor.node] : [];
  while (stack.length > 0) {
    const node = stack.pop()!;
    if (seen.has(node)) continue;
    seen.add(node);
    for (const input of node.inputs) if (input.node) stack.push(input.node);
  }
  return [...seen].sort((a, b) => b.order - a.order);
}

function sum(parts: Tensor[]): Tensor {
  if (parts.length === 1) return parts[0];
  const { shape, dtype } = parts[0];
  return execute1('AddN', { T: type(dtype), N: int(parts.length) }, parts, { shape, dtype });
}
