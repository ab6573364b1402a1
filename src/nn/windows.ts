/** What layers with windows share: sizes for each spatial axis, the padding around them, and windows as views. */
import { build } from '../lang/build.ts'
import { ceilDiv } from '../lang/dim.ts'
import { raise } from '../lang/errors.ts'
import type { Node } from '../lang/ir.ts'
import { showArgument } from '../lang/tensor/arguments.ts'

/** One number for all spatial axes, or one each. */
export type PerAxis = number | readonly number[]

/**
 * Elements around each spatial axis: one number for all, or for each axis one or a pair, before and after; `'valid'` none,
 * `'same'` as many as make ⌈size / stride⌉ windows, the odd one after (TensorFlow's SAME, ONNX's SAME_UPPER).
 */
export type Padding = number | readonly (number | readonly [before: number, after: number])[] | 'same' | 'valid'

/** `n` whole numbers from `from` on. */
export const range = (n: number, from = 0): readonly number[] => Array.from({ length: n }, (_, i) => i + from)

/** One value for each of `count` axes; `what` is the option. UsageError for what is neither a number nor a list. */
export const perAxis = (name: string, what: string, v: PerAxis, count: number): readonly number[] => {
  if (typeof v === 'number') return Array.from({ length: count }, () => v)
  if (Array.isArray(v)) return v
  return raise({
    tag: 'UsageError',
    message: `${name}: the ${what} is ${showArgument(v)}`,
    hint: `it can be a number or an array, one for each of the ${count} axes`,
  })
}

/** How windows lie along each spatial axis: the elements that one reaches over, and the step to the next. */
interface Steps {
  readonly reach: readonly number[]
  readonly stride: readonly number[]
}

/** Elements before and after each axis. */
export interface Sides {
  readonly low: readonly number[]
  readonly high: readonly number[]
}

/** The padding of axes of `sizes`, or what is wrong with it. */
export const sidesOf = (padding: Padding, sizes: readonly number[], { reach, stride }: Steps): Sides | string => {
  if (padding === 'same') {
    const totals = sizes.map((n, i) => Math.max(0, (ceilDiv(n, stride[i]!) - 1) * stride[i]! + reach[i]! - n))
    return { low: totals.map((t) => Math.floor(t / 2)), high: totals.map((t) => Math.ceil(t / 2)) }
  }
  const list = padding === 'valid' ? 0 : padding
  const pairs = (typeof list === 'number' ? sizes.map(() => list) : list).map((p) =>
    typeof p === 'number' ? [p, p] : p,
  )
  if (pairs.length !== sizes.length || !pairs.every((p) => p.length === 2 && p.every(Number.isInteger)))
    return `the padding ${JSON.stringify(padding)} is not ${sizes.length} whole numbers, or pairs of them`
  return { low: pairs.map((p) => p[0]!), high: pairs.map((p) => p[1]!) }
}

/** Windows over the spatial axes (from axis 2 on): `[N, C, …in]` → `[N, C, …out, …kernel]`. */
export const windowsNode = (
  x: Node,
  kernel: readonly number[],
  { stride, dilation }: { readonly stride: readonly number[]; readonly dilation: readonly number[] },
): Node =>
  kernel.reduce((n, size, i) => build.window([n], { axis: i + 2, size, stride: stride[i]!, dilation: dilation[i]! }), x)
