/** The approximation of gelu by tanh, with a slope of its own. */
import { build, typeOf } from '../lang/build.ts'
import { isFloat } from '../lang/dtype.ts'
import type { Node } from '../lang/ir.ts'
import { isMistake } from '../lang/tensor/ask.ts'
import * as T from '../lang/tensor/index.ts'
import { closeGraph, trace } from '../lang/trace.ts'
import { nodeOf, type Tensor, tensorOf } from '../lang/types/tensor.ts'

const scale = Math.sqrt(2 / Math.PI)
const cubic = 0.044715

/** tanh(√(2/π) (x + 0.044715 x³)). */
const bend = (x: Tensor): Tensor => T.tanh(T.mul(T.add(x, T.mul(T.pow(x, 3), cubic)), scale))

const half = (x: Tensor): Tensor => T.mul(x, 0.5)

const value = (x: Tensor): Tensor => T.mul(half(x), T.add(bend(x), 1))

/**
 * Beyond ±10 the tanh is ±1 in every dtype and its slope 0; the square that this is multiplied with goes on to overflow, and
 * 0 times infinity is NaN. A bound on it alone costs less than one on x, which the derivative would have to undo.
 */
const slope = (x: Tensor): Tensor => {
  const t = bend(x)
  const inner = T.mul(T.add(T.mul(T.minimum(T.square(x), 100), 3 * cubic), 1), scale)
  return T.add(half(T.add(t, 1)), T.mul(T.mul(half(x), T.sub(1, T.square(t))), inner))
}

/** `x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2`. */
export const geluTanh = (x: Tensor): Tensor => {
  if (isMistake(x) || !isFloat(x.dtype)) return value(x)
  const n = nodeOf(x)
  const type = typeOf(n)
  const of = (f: (x: Tensor) => Tensor, a: Node | undefined): Node => nodeOf(f(tensorOf(a!)))
  const call = closeGraph(trace(([a]) => [of(value, a)], [type])).graph
  const rule = closeGraph(trace(([a, da]) => [build.mul([da!, of(slope, a)], {})], [type, type])).graph
  return tensorOf(build.customCall([n], { kind: 'jvp', call, rules: [rule], captured: 0 }))
}
