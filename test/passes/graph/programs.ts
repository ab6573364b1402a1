/** What the tests of graph passes share: programs as closed graphs, inputs full of special values, bitwise comparison. */
import { sizeOf } from '../../../src/lang/dim.ts'
import { allocate, type DType, type HostArray } from '../../../src/lang/dtype.ts'
import { evaluate } from '../../../src/lang/evaluate.ts'
import type { Graph, Node, TensorType } from '../../../src/lang/ir.ts'
import type { Value } from '../../../src/lang/primitive.ts'
import { trace } from '../../../src/lang/trace.ts'

export const f32 = (...shape: number[]): TensorType => ({ shape, dtype: 'f32' })
export const i32 = (...shape: number[]): TensorType => ({ shape, dtype: 'i32' })
export const u32 = (...shape: number[]): TensorType => ({ shape, dtype: 'u32' })
export const bool = (...shape: number[]): TensorType => ({ shape, dtype: 'bool' })

/** A graph with one output. */
export const program = (types: readonly TensorType[], f: (...inputs: Node[]) => Node | readonly Node[]): Graph =>
  trace((inputs) => [f(...inputs)].flat() as readonly Node[], types)

/** Elements that arithmetic treats specially, between ordinary ones; each is a value of its dtype. */
const specials: { readonly [D in DType]: readonly number[] } = {
  f32: [1.5, -2, NaN, 0, -0, Infinity, -Infinity, 0.25, 3, -0.75, 1, Math.fround(1e-45), Math.fround(3e38), -1, 7, 0.5],
  f16: [1.5, -2, NaN, 0, -0, Infinity, -Infinity, 0.25, 3, -0.75, 1, 65504, -1, 0.5],
  i32: [3, -2, 0, 2147483647, -2147483648, 1, -1, 7, 65537, 31],
  u32: [3, 0, 4294967295, 2147483648, 1, 7, 65537, 31],
  bool: [1, 0, 0, 1, 1],
  bf16: [1.5, -2, NaN, 0, -0, Infinity, -Infinity, 0.25, 3, -0.75, 1, 2 ** 100, -1, 0.5],
  i8: [3, -2, 0, 127, -128, 1, -1, 7, 31],
  u8: [3, 0, 255, 128, 1, 7, 31],
}

/** Elements of `type`, the `salt`-th way: different inputs meet different specials. */
export const specialValue = (type: TensorType, salt: number): Value => {
  const list = specials[type.dtype]
  const data = allocate(type.dtype, sizeOf(type.shape))
  for (let i = 0; i < data.length; i++) data[i] = list[(i * (1 + 2 * (salt % 3)) + salt * 5) % list.length]!
  return { ...type, data }
}

/** The outputs on special inputs, every node rounded to its dtype as a device does. */
export const results = (graph: Graph, round: number): readonly Value[] =>
  evaluate(
    graph,
    graph.inputs.map((n, i) => specialValue(n.params, i + 3 * round)),
    { precision: 'f32' },
  )

const plain = (a: HostArray, signs: boolean): readonly (number | string)[] =>
  Array.from(a, (x) => (Object.is(x, -0) ? (signs ? '-0' : 0) : x))

/** What `expect` compares: shapes, dtypes and elements; NaN equals NaN, and -0 differs from 0 when `signs`. */
export const comparable = (values: readonly Value[], signs: boolean): unknown =>
  values.map(({ shape, dtype, data }) => ({ shape, dtype, data: plain(data, signs) }))
