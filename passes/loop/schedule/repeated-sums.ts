/**
 * Reductions of one cluster that may compute the same tensor element at two points, as where the maximum of a row of
 * sums is compared with the row itself. Rounded sums must then be accumulated in the same order everywhere, since
 * values that are equal in exact arithmetic are compared for equality.
 */
import type { LoopValue, Range } from '../ir/cluster.ts'
import { operandsOf } from '../ir/values.ts'

type Reduce = Extract<LoopValue, { readonly kind: 'reduce' }>

/** Reductions whose rounded result depends on the order of accumulation. */
const isRounded = (v: Reduce): boolean =>
  (v.monoid === 'sum' || v.monoid === 'prod') && (v.dtype === 'f32' || v.dtype === 'f16')

/** The structure of a value, independent of the point at which it is evaluated: everything but its indices. */
const ownShape = (v: LoopValue): string => {
  switch (v.kind) {
    case 'const':
      return `${v.dtype} ${Object.is(v.value, -0) ? '-0' : v.value}`
    case 'load':
      return `load ${v.buffer.id}`
    case 'alu':
      return `${v.op} ${v.dtype}`
    case 'reduce':
      return `${v.monoid} ${v.component} ${v.over.map((r) => r.size)}`
    case 'call':
      return `call ${v.callee.name}`
    case 'threefry':
      return `threefry ${v.word}`
    default:
      return v.kind
  }
}

/** The ranges of those reductions among `values` (in topological order) whose structure occurs more than once. */
export const rangesOfTwins = (values: readonly LoopValue[]): ReadonlySet<Range> => {
  const shapes = new Map<string, number>()
  const shapeOf = new Map<LoopValue, number>()
  const alike = new Map<number, Reduce[]>()
  for (const v of values) {
    const key = `${ownShape(v)}(${operandsOf(v).map((o) => shapeOf.get(o))})`
    const shape = shapes.get(key) ?? shapes.size
    shapes.set(key, shape)
    shapeOf.set(v, shape)
    if (v.kind === 'reduce' && isRounded(v)) alike.set(shape, [...(alike.get(shape) ?? []), v])
  }
  const groups = (vs: readonly Reduce[]): number => new Set(vs.map((v) => v.group)).size
  return new Set([...alike.values()].filter((vs) => groups(vs) > 1).flatMap((vs) => vs.flatMap((v) => v.over)))
}
