/** Tensors on the host: what a constant expression is worth, by the reference interpreter. */
import { check } from '../../passes/graph/check.ts'
import { allocate, type DType, type HostArray, isFloat } from '../lang/dtype.ts'
import { raise } from '../lang/errors.ts'
import { evaluate } from '../lang/evaluate.ts'
import type { Node, NodeOf } from '../lang/ir.ts'
import type { Value } from '../lang/primitive.ts'
import { printed, showValue } from '../lang/print/tensor-values.ts'
import { siteOf } from '../lang/provenance.ts'
import { closeGraph } from '../lang/trace.ts'
import { flattenResult, isHandle, isRecord, isTensor, type TreeOf, unflattenTree } from '../lang/tree.ts'
import { nodeOf, type Tensor } from '../lang/types/tensor.ts'
import { useNodes } from '../lang/unused-conditions.ts'
import { censusOf, demandFinite, printObserved, type Show } from '../runtime/report-observations.ts'

/** A tensor's elements on the host, row-major: Float32Array for all floats, Uint8Array (0 or 1) for bool. */
export interface HostTensor {
  readonly shape: readonly number[]
  readonly dtype: DType
  readonly data: HostArray
}

/** Elements as the host array of their dtype. */
export const hostArray = (dtype: DType, data: ArrayLike<number>): HostArray => {
  if (isFloat(dtype)) return Float32Array.from(data)
  const out = allocate(dtype, data.length)
  out.set(data as HostArray)
  return out
}

/** A value of the host, which prints itself as PyTorch prints the tensor. */
export const hostTensor = (shape: readonly number[], dtype: DType, data: ArrayLike<number>): HostTensor =>
  printed({ shape, dtype, data: hostArray(dtype, data) })

/** As PyTorch prints a tensor. */
export const showObserved: Show = ({ shape, dtype }, data) => showValue({ shape, dtype, data })

/** What the interpreter comes by is told at once. */
const observed = (n: NodeOf<'observe'>, { shape, dtype, data }: Value): void => {
  const site = siteOf(n)
  const observation = { ...n.params, shape, dtype, ...(site ? { site } : {}) }
  if (n.params.kind === 'print') printObserved(observation, hostArray(dtype, data), showObserved)
  else demandFinite(observation, censusOf(data))
}

/**
 * The value of an expression (or a tree of them) by the reference interpreter, synchronously: Float64 inside, floats
 * rounded to f32 at the end. Throws CheckError for an ill-typed expression, IndexError for an index out of range,
 * UsageError for a tensor that depends on an argument of a function being traced.
 * @example
 * T.reference(T.add(T.tensor([1, 2]), 3)) // => { shape: [2], dtype: 'i32', data: [4, 5] }
 * T.reference(T.reshape(T.ones([4]), [5])) // => throws CheckError
 */
export const reference = <R>(tree: R): TreeOf<R, HostTensor> => {
  const { leaves, shape } = flattenResult(tree, 'the tree itself')
  const outputs = leaves.map(nodeOf)
  useNodes(outputs)
  const { graph, captured } = closeGraph({ inputs: [], outputs })
  const checked = check.run(graph)
  if ('left' in checked) return raise(checked.left)
  if (captured.length > 0) {
    return raise({
      tag: 'UsageError',
      message: 'a tensor inside a traced function has no value yet',
      hint: 'return it from the function',
    })
  }
  const values = evaluate(graph, [], { observed }).map((v) => hostTensor(v.shape, v.dtype, v.data))
  return unflattenTree(shape, values) as TreeOf<R, HostTensor>
}

/** By its three fields: a user's record may have keys of the same names. */
export const isHostTensor = (x: unknown): x is HostTensor =>
  isRecord(x) && Array.isArray(x['shape']) && typeof x['dtype'] === 'string' && ArrayBuffer.isView(x['data'])

/** What a constant of single precision is made of, without a copy. */
const held = (x: Tensor): HostTensor | undefined => {
  const n = nodeOf(x)
  const array = n.op === 'data' ? n.params.payload.array : undefined
  return array instanceof Float32Array ? { shape: x.shape, dtype: x.dtype, data: array } : undefined
}

const values = new WeakMap<Node, HostTensor>()

/** The value of a tensor that is given as an argument: computed the first time, however often the tensor is given. */
export const constantOf = (x: Tensor): HostTensor => {
  const n = nodeOf(x)
  const value = held(x) ?? values.get(n) ?? (reference(x) as HostTensor)
  values.set(n, value)
  return value
}

/** A tree of arguments with constant tensors replaced by host tensors; everything else stays as it is. */
export const hostArguments = (tree: unknown): unknown => {
  if (isTensor(tree)) return constantOf(tree)
  if (isHostTensor(tree)) return tree
  if (Array.isArray(tree)) return tree.some((x) => typeof x === 'object') ? tree.map(hostArguments) : tree
  if (isRecord(tree) && !isHandle(tree))
    return Object.fromEntries(Object.entries(tree).map(([k, x]) => [k, hostArguments(x)]))
  return tree
}
