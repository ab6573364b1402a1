/**
 * Reductions of one cluster that may be one and the same tensor at two points, as where a row's maximum is compared with the
 * row. Rounded sums must then be added up in one order everywhere: numbers that should be equal are asked whether they are.
 */
import type { LoopValue, Range } from '../ir/cluster.ts'
import { operandsOf } from '../ir/values.ts'

type Reduce = Extract<LoopValue, { readonly kind: 'reduce' }>

/** Reductions whose result depends on the order. */
const isRounded = (v: Reduce): boolean =>
  (v.monoid === 'sum' || v.monoid === 'prod') && (v.dtype === 'f32' || v.dtype === 'f16')

/** What a value is made of, wherever it is looked at: all but its indices. */
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

/** The ranges that those reductions among `values` (operands first) run over which have a twin. */
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
