/** The scoreboard's programs at sizes that the reference interpreter runs in a moment, with edges that no tile divides. */
import { spec } from '../../src/compile/compile.ts'
import type { Spec } from '../../src/compile/tree-types.ts'

import type { BenchProgram } from './program.ts'

/** Sizes in place of sizes, for functions that take any. */
type Sizes = Readonly<Record<number, number>>

const rows: Sizes = { 1024: 37, 768: 52 }
const contraction: Sizes = { 512: 45 }
const heads: Sizes = { 8: 3, 256: 21, 64: 12 }

/** Programs whose functions are generic in their shapes; the others run as they are. */
const smaller: Readonly<Record<string, Sizes>> = {
  chain: { [2 ** 20]: 1003 },
  softmax: rows,
  layernorm: rows,
  mean_var: rows,
  sum_max: rows,
  maps12: { [2 ** 16]: 101 },
  matmul256: { 256: 45 },
  matmul512: contraction,
  matmul_bias_gelu: contraction,
  matmul_twice: { 256: 45 },
  argmax: rows,
  attention: heads,
  attention_grad: heads,
  layernorm_grad: rows,
  conv_bias_relu: { 8: 2, 16: 5, 32: 11 },
  mlp_grads: { 784: 75, 128: 34, 64: 13 },
  mlp_train: { 784: 75, 256: 37, 128: 34, 64: 13 },
  lstm_train: { 16: 3 },
  gather: { 50257: 503, 768: 37, 128: 19 },
}

const isSpec = (x: unknown): x is Spec => typeof x === 'object' && x !== null && 'shape' in x && 'dtype' in x

const resize = (tree: unknown, sizes: Sizes): unknown => {
  if (isSpec(tree))
    return spec(
      tree.shape.map((n) => sizes[n] ?? n),
      tree.dtype,
    )
  if (Array.isArray(tree)) return tree.map((t) => resize(t, sizes))
  return Object.fromEntries(Object.entries(tree as object).map(([k, t]) => [k, resize(t, sizes)]))
}

/** The small form of a program. */
export const small = (p: BenchProgram): BenchProgram => {
  const sizes = smaller[p.name]
  return sizes ? { ...p, specs: p.specs.map((s) => resize(s, sizes)) as typeof p.specs } : p
}
