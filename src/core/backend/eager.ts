/** Runs each operation at once through the binding, and frees what a scope leaves behind. */
import type { Attribute, Attributes, Executor, OutputSpec, Values } from './executor.js';
import { type DType, sameShape, size, type Tensor, TF_DTYPE } from './tensor.js';

/** The part of tfjs-node's native binding that we call. */
export interface Binding {
  TF_Version: string;
  TF_ATTR_STRING: number;
  TF_ATTR_INT: number;
  TF_ATTR_FLOAT: number;
  TF_ATTR_BOOL: number;
  TF_ATTR_TYPE: number;
  TF_ATTR_SHAPE: number;
  createTensor(shape: number[], dtype: number, values: unknown): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): unknown;
  executeOp(
    op: string,
    attributes: Array<{ name: string; type: number; value: unknown }>,
    inputs: number[],
    outputs: number,
  ): Array<{ id: number; shape: number[]; dtype: number }>;
  getNumOfTensors(): number;
  loadSavedModel(folder: string, tags: string): number;
  runSavedModel(
    session: number,
    inputs: number[],
    inputNames: string,
    outputNames: string,
  ): Array<{
    id: number;
    shape: number[];
    dtype: number;
  }>;
  deleteSavedModel(session: number): void;
}

export interface EagerExecutor extends Executor {
  scope<T>(body: () => T): T;
  read(tensor: Tensor): Values;
  dispose(...tensors: Tensor[]): void;
  /** Native tensors alive: the reliable gauge of leaks. */
  alive(): number;
}

export function createEagerExecutor(binding: Binding): EagerExecutor {
  // Ids made since the innermost scope was opened; without a scope the caller frees by hand.
  let owned: Set<number> | undefined;

  const adopt = (id: number, shape: readonly number[], dtype: DType): Tensor => {
    owned?.add(id);
    return { id, shape, dtype };
  };

  const executor: EagerExecutor = {
    execute(op, attributes, inputs, outputs) {
      const results = binding.executeOp(
        op,
        Object.entries(attributes).map(([name, attribute]) => nativeAttribute(binding, name, attribute)),
        inputs.map((tensor) => tensor.id),
        outputs.length,
      );
      return results.map((result, i) => {
        checkOutput(op, i, outputs[i], result);
        return adopt(result.id, outputs[i].shape, outputs[i].dtype);
      });
    },
    constant(values, shape, dtype) {
      if (dtype === 'float64') return float64Constant(executor, values as Float64Array, shape);
      return adopt(binding.createTensor([...shape], TF_DTYPE[dtype], values), shape, dtype);
    },
    scope(body) {
      const outer = owned;
      const inner = new Set<number>();
      owned = inner;
      let kept: Set<number> = new Set();
      try {
        const result = body();
        kept = tensorIds(result);
        return result;
      } finally {
        for (const id of inner) {
          if (kept.has(id)) outer?.add(id);
          else binding.deleteTensor(id);
        }
        owned = outer;
      }
    },
    read(tensor) {
      if (tensor.dtype === 'float64') return readFloat64(executor, tensor);
      if (tensor.dtype === 'uint8') return Uint8Array.from(executor.read(castTo(executor, tensor, 'int32')));
      if (tensor.dtype === 'bfloat16') return executor.read(castTo(executor, tensor, 'float32'));
      return binding.tensorDataSync(tensor.id) as Values;
    },
    dispose(...tensors) {
      for (const { id } of tensors) {
        owned?.delete(id);
        binding.deleteTensor(id);
      }
    },
    alive: () => binding.getNumOfTensors(),
  };
  return executor;
}

function nativeAttribute(binding: Binding, name: string, attribute: Attribute) {
  switch (attribute.kind) {
    case 'type':
      return { name, type: binding.TF_ATTR_TYPE, value: TF_DTYPE[attribute.value] };
    case 'int':
      return { name, type: binding.TF_ATTR_INT, value: attribute.value };
    case 'float':
      return { name, type: binding.TF_ATTR_FLOAT, value: attribute.value };
    case 'bool':
      return { name, type: binding.TF_ATTR_BOOL, value: attribute.value };
    case 'string':
      return { name, type: binding.TF_ATTR_STRING, value: attribute.value };
    case 'shape':
      return { name, type: binding.TF_ATTR_SHAPE, value: attribute.value };
  }
}

/** The declared shape is what tracing would believe, so a wrong one must not pass here. -1 is "not looked at". */
function checkOutput(op: string, index: number, spec: OutputSpec, result: { shape: number[]; dtype: number }): void {
  if (spec.shape.includes(-1)) return;
  if (!sameShape(spec.shape, result.shape) || TF_DTYPE[spec.dtype] !== result.dtype) {
    throw new Error(
      `${op} output ${index}: declared [${spec.shape}] ${spec.dtype}, got [${result.shape}] type ${result.dtype}`,
    );
  }
}

/** The binding takes no doubles, but pairs of int32 with the same bits, which the Bitcast op joins. */
function float64Constant(executor: EagerExecutor, values: Float64Array, shape: readonly number[]): Tensor {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
  const pairs = executor.constant(bits, [...shape, 2], 'int32');
  const attributes: Attributes = { T: { kind: 'type', value: 'int32' }, type: { kind: 'type', value: 'float64' } };
  const [tensor] = executor.execute('Bitcast', attributes, [pairs], [{ shape, dtype: 'float64' }]);
  executor.dispose(pairs);
  return tensor;
}

function readFloat64(executor: EagerExecutor, tensor: Tensor): Float64Array {
  const attributes: Attributes = { T: { kind: 'type', value: 'float64' }, type: { kind: 'type', value: 'int32' } };
  const [pairs] = executor.execute('Bitcast', attributes, [tensor], [{ shape: [...tensor.shape, 2], dtype: 'int32' }]);
  const bits = executor.read(pairs) as Int32Array;
  const values = new Float64Array(size(tensor.shape));
  new Int32Array(values.buffer).set(bits);
  executor.dispose(pairs);
  return values;
}

function castTo(executor: EagerExecutor, tensor: Tensor, dtype: DType): Tensor {
  const attributes: Attributes = { SrcT: { kind: 'type', value: tensor.dtype }, DstT: { kind: 'type', value: dtype } };
  return executor.execute('Cast', attributes, [tensor], [{ shape: tensor.shape, dtype }])[0];
}

/** Ids of the tensors anywhere inside a scope's result. */
function tensorIds(value: unknown, ids = new Set<number>()): Set<number> {
  if (value === null || typeof value !== 'object' || ArrayBuffer.isView(value)) return ids;
  if (isTensor(value)) ids.add(value.id);
  else if (value instanceof Map) for (const item of value.values()) tensorIds(item, ids);
  else for (const item of Object.values(value)) tensorIds(item, ids);
  return ids;
}

function isTensor(value: object): value is Tensor {
  return 'id' in value && 'shape' in value && 'dtype' in value;
}
