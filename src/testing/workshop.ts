/**
 * Where random graphs are built: a pool of nodes whose values are known as they are made, so that makers can keep numbers
 * in range and indices inside their axes.
 */
import * as E from '#fp/Either'
import { build, constant, typeOf, typesOf } from '../lang/build.ts'
import { type Shape, sizeOf } from '../lang/dim.ts'
import { type DType, isFloat, isUnsigned } from '../lang/dtype.ts'
import { invariant, showError } from '../lang/errors.ts'
import { evaluateRow } from '../lang/evaluate.ts'
import type { Build, Node, Op, TensorType } from '../lang/ir.ts'
import { fill } from '../lang/ops/rule-parts.ts'
import type { Value } from '../lang/primitive.ts'
import { roundTo } from '../lang/scalar-functions.ts'
import { otherAxes, ShapeEq } from '../lang/shape.ts'
import { commonRanks, type Dice, drawData, drawShape, type ValueStyle } from './dice.ts'
import { inputFor } from './sample.ts'

/** What a random graph is made of. */
export interface WorkshopOptions {
  readonly dtypes: readonly DType[]
  readonly dims: readonly number[]
  /** Ranks of shapes, each as likely as it is often here; `commonRanks` unless said. */
  readonly ranks?: readonly number[] | undefined
  /** Elements a tensor may have. */
  readonly limit: number
  readonly maxInputs: number
  /** Whether the bodies of loops may branch, which the pipeline has to remove. */
  readonly branches: boolean
  /** Few shapes, much reuse: what programs that are fused look like. */
  readonly woven: boolean
  /** Probability that a fresh tensor holds NaN, infinities and extremes. */
  readonly special: number
}

/** The pool and the ways to add to it and to draw from it. */
export interface Workshop {
  readonly dice: Dice
  readonly options: WorkshopOptions
  readonly b: Build
  /** Registers a node made outside of `b`. */
  readonly add: <N extends Node>(n: N) => N
  /** Every node that a maker may use, oldest first. */
  readonly pool: readonly Node[]
  readonly offer: (n: Node) => void
  readonly valueOf: (n: Node) => Value
  readonly inputs: ReadonlyMap<Node, Value>
  /** How many nodes were made, helpers included. */
  readonly count: () => number
  /** Whether a device holds the value exactly: no rounding happened on the way. */
  readonly isExact: (n: Node) => boolean
  /** A node of the pool that `want` accepts, recent ones likelier; a fresh one of any accepted dtype when there is none. */
  readonly take: (want: (t: TensorType) => boolean) => Node | undefined
  /** A node of this very type: from the pool, converted from it, or fresh. */
  readonly like: (type: TensorType) => Node
  /** A new input, constant or iota of this type. */
  readonly fresh: (type: TensorType) => Node
  readonly shape: () => Shape
  /** The largest rank that operands of makers that add axes may have. */
  readonly maxRank: number
  /** `value` everywhere. */
  readonly fill: (type: TensorType, value: number) => Node
}

/** Ops that give exact results for exact operands. */
const exactOps: ReadonlySet<Op> = new Set<Op>([
  'neg',
  'abs',
  'sign',
  'floor',
  'ceil',
  'trunc',
  'round',
  'max',
  'min',
  'select',
  'bitcast',
  'input',
  'const',
  'data',
  'iota',
  'reshape',
  'permute',
  'broadcast',
  'slice',
  'pad',
  'flip',
  'concat',
  'window',
  'gather',
  'get',
  'stopGradient',
  'observe',
  'barrier',
])

const styles: readonly ValueStyle[] = ['small', 'small', 'grid', 'whole']

export const createWorkshop = (dice: Dice, options: WorkshopOptions): Workshop => {
  const values = new Map<Node, readonly Value[]>()
  const exact = new Set<Node>()
  const inputs = new Map<Node, Value>()
  const pool: Node[] = []
  const style = (): ValueStyle => (dice.chance(options.special) ? 'special' : dice.pick(styles))

  const add = <N extends Node>(n: N): N => {
    if (values.has(n)) return n
    invariant(E.isRight(n.type), E.isLeft(n.type) ? `random graph: ${showError(n.type.left)}` : '')
    const types = typesOf(n)
    const all = n.args.map((a) => values.get(add(a))!)
    const xs = n.op === 'get' ? all[0]! : all.map((v) => v[0]!)
    const found = n.op === 'input' ? [inputs.get(n)!.data] : evaluateRow(n.op, xs, n.params, types)
    values.set(
      n,
      types.map((t, i) => ({ ...t, data: found[i]! })),
    )
    const whole = n.args.every((a) => exact.has(a)) && (exactOps.has(n.op) || types.every((t) => !isFloat(t.dtype)))
    if (whole) exact.add(n)
    return n
  }
  const b = Object.fromEntries(
    Object.entries(build).map(([op, make]) => [op, (args: readonly Node[], params: never) => add(make(args, params))]),
  ) as unknown as Build

  const splat = (type: TensorType, value: number): Node => add(fill(build, type, value))

  /** The constants that rewrites know, or any number. */
  const plain = (dtype: DType): number => {
    if (dtype === 'bool' || dice.chance(0.4)) return Number(drawData(dice, dtype, 1, style())[0])
    return dice.pick(isFloat(dtype) ? [0, 1, -1, 2, 0.5, -0] : isUnsigned(dtype) ? [0, 1, 2] : [0, 1, -1, 2])
  }

  const fresh = (type: TensorType): Node => {
    const size = sizeOf(type.shape)
    const numeric = type.dtype !== 'bool' && type.shape.length > 0
    if (numeric && size < 40 && dice.chance(0.08))
      return b.iota([], { ...type, axis: dice.int(0, type.shape.length - 1) })
    if (dice.chance(0.15)) return splat(type, plain(type.dtype))
    const data = drawData(dice, type.dtype, size, style())
    if (inputs.size >= options.maxInputs || dice.chance(0.12)) return add(constant(type, data))
    const value = { ...type, data }
    const n = inputFor(value)
    inputs.set(n, value)
    return add(n)
  }

  /** From the pool, the younger the likelier, so that graphs grow deep. */
  const draw = (candidates: readonly Node[]): Node | undefined => {
    const n = candidates.length
    return n === 0 ? undefined : candidates[n - 1 - Math.floor(dice.real() ** (options.woven ? 1 : 1.5) * n)]
  }

  const take: Workshop['take'] = (want) => {
    const found = draw(pool.filter((n) => want(typeOf(n))))
    if (found && (options.woven || dice.chance(0.95))) return found
    for (let i = 0; i < 8; i++) {
      const type = { shape: shape(), dtype: dice.pick(options.dtypes) }
      if (want(type)) return fresh(type)
    }
    return found
  }

  const ranks = options.ranks ?? commonRanks
  const shape = (): Shape => drawShape(dice, options.dims, ranks, options.limit)

  const converted = (x: Node, dtype: DType): Node => {
    const type = typeOf(x)
    if (type.dtype === dtype) return x
    if (dtype === 'bool') return b.lt([x, splat(type, 1)], {})
    return b.cast([x], { dtype })
  }

  const like = (type: TensorType): Node => {
    const fits = (t: TensorType): boolean => ShapeEq.equals(t.shape, type.shape)
    const same = draw(pool.filter((n) => typeOf(n).dtype === type.dtype && fits(typeOf(n))))
    if (same && dice.chance(options.woven ? 0.95 : 0.8)) return same
    const near = draw(pool.filter((n) => fits(typeOf(n)) && isSafe(n)))
    if (near && dice.chance(0.5)) return converted(near, type.dtype)
    const size = sizeOf(type.shape)
    const flat = draw(pool.filter((n) => typeOf(n).dtype === type.dtype && sizeOf(typeOf(n).shape) === size))
    if (flat && dice.chance(0.3)) return b.reshape([flat], { shape: type.shape })
    const kept = dice.subset(
      type.shape.map((_, i) => i),
      0.5,
    )
    const part = kept.map((a) => type.shape[a]!)
    const below = draw(pool.filter((n) => typeOf(n).dtype === type.dtype && ShapeEq.equals(typeOf(n).shape, part)))
    if (below && kept.length < type.shape.length && dice.chance(0.6))
      return b.broadcast([below], { shape: type.shape, axes: otherAxes(type.shape.length, kept) })
    return fresh(type)
  }

  /** Conversions of huge or missing numbers saturate; they are left to `cast` itself. */
  const isSafe = (n: Node): boolean => {
    const { data } = values.get(n)![0]!
    for (const x of data) if (!(Math.abs(x) < 1e6)) return false
    return true
  }

  return {
    dice,
    options,
    b,
    add,
    pool,
    offer: (n) => {
      if (options.dtypes.includes(typeOf(n).dtype) && !pool.includes(n)) pool.push(n)
    },
    valueOf: (n) => values.get(n)![0]!,
    inputs,
    count: () => values.size,
    isExact: (n) => exact.has(n),
    take,
    like,
    fresh,
    shape,
    maxRank: Math.max(3, ...(options.ranks ?? [])),
    fill: splat,
  }
}

/** Elements of a float tensor as the device stores them. */
export const stored = (v: Value): Value =>
  isFloat(v.dtype) ? { ...v, data: Float64Array.from(v.data, roundTo(v.dtype)) } : v
