/** A small generator of well-typed graphs for the properties of rewriting: every movement, many operations, many constants. */
import * as fc from 'fast-check'
import { build, typeOf } from '../../../src/lang/build.ts'
import type { Graph, Node, TensorType } from '../../../src/lang/ir.ts'
import { fill } from '../../../src/lang/ops/rule-parts.ts'
import { bool, f32, i32, program } from './programs.ts'

const b = build
const inputTypes: readonly TensorType[] = [
  f32(),
  f32(3),
  f32(2, 3),
  f32(1, 3, 2),
  f32(0, 2),
  i32(3),
  i32(2, 3),
  bool(3),
  bool(2, 3),
]

/** Draws from a fixed list of numbers; 0 when it is used up. */
class Tape {
  private at = 0
  readonly numbers: readonly number[]
  constructor(numbers: readonly number[]) {
    this.numbers = numbers
  }
  get done(): boolean {
    return this.at >= this.numbers.length
  }
  below(n: number): number {
    return n === 0 ? 0 : (this.numbers[this.at++] ?? 0) % n
  }
  pick<X>(xs: readonly X[]): X {
    return xs[this.below(xs.length)]!
  }
  some<X>(xs: readonly X[]): readonly X[] {
    return xs.filter(() => this.below(2) === 1)
  }
}

const axesOf = (n: Node): readonly number[] => typeOf(n).shape.map((_, i) => i)

const shuffled = (t: Tape, xs: readonly number[]): readonly number[] => {
  const left = [...xs]
  return xs.map(() => left.splice(t.below(left.length), 1)[0]!)
}

/** A node of the type of `n`: another one of the pool, or a constant that rules know. */
const sibling = (t: Tape, pool: readonly Node[], n: Node): Node => {
  const type = typeOf(n)
  const same = pool.filter((m) => typeOf(m).dtype === type.dtype && typeOf(m).shape.join() === type.shape.join())
  const values = type.dtype === 'f32' ? [0, -0, 1, -1, 2, 0.5, NaN] : type.dtype === 'i32' ? [0, 1, -1, 2, 7] : [0, 1]
  const others = same.filter((m) => m !== n)
  return t.below(4) === 0 || others.length === 0 ? fill(b, type, t.pick(values)) : t.pick(others)
}

const floatUnary = ['neg', 'abs', 'floor', 'round', 'exp', 'tanh', 'sqrt', 'cos'] as const
const floatBinary = ['add', 'sub', 'mul', 'max', 'min'] as const
/** Where -0 and 0 give different results: left out beside sums, whose zero has no sign. */
const signSensitive = ['div', 'pow', 'atan2'] as const

const pointwise = (t: Tape, pool: readonly Node[], x: Node, sums: boolean): Node => {
  const y = sibling(t, pool, x)
  const [p, q] = t.below(2) === 0 ? [x, y] : [y, x]
  if (t.below(8) === 0) {
    const conditions = pool.filter(
      (m) => typeOf(m).dtype === 'bool' && typeOf(m).shape.join() === typeOf(x).shape.join(),
    )
    if (conditions.length > 0) return b.select([t.pick(conditions), p, q], {})
  }
  switch (typeOf(x).dtype) {
    case 'f32':
      switch (t.below(4)) {
        case 0:
          return b[t.pick(floatUnary)]([x], {})
        case 1:
          return b[t.pick(['eq', 'lt', 'le'] as const)]([p, q], {})
        default:
          return b[t.pick(sums ? floatBinary : [...floatBinary, ...signSensitive])]([p, q], {})
      }
    case 'bool':
      switch (t.below(3)) {
        case 0:
          return b.not([x], {})
        case 1:
          return b.cast([x], { dtype: t.pick(['f32', 'i32', 'bool'] as const) })
        default:
          return b[t.pick(['and', 'or', 'xor', 'eq'] as const)]([p, q], {})
      }
    default:
      return t.below(5) === 0
        ? b.cast([x], { dtype: t.pick(['f32', 'u32', 'bool', 'i32'] as const) })
        : b[t.pick(['add', 'sub', 'mul', 'max', 'and', 'xor', 'eq', 'lt'] as const)]([p, q], {})
  }
}

const movement = (t: Tape, pool: readonly Node[], x: Node): Node => {
  const { shape } = typeOf(x)
  const axes = axesOf(x)
  switch (t.below(8)) {
    case 0:
      return b.reshape([x], {
        shape: t.pick([[shape.reduce((p, d) => p * d, 1)], [1, ...shape], [...shape, 1], shape.filter((d) => d !== 1)]),
      })
    case 1:
      return b.permute([x], { axes: shuffled(t, axes) })
    case 2: {
      if (shape.length > 3) return x
      const at = t.below(shape.length + 1)
      return b.broadcast([x], { shape: [...shape.slice(0, at), t.pick([1, 2, 3]), ...shape.slice(at)], axes: [at] })
    }
    case 3: {
      const start = shape.map((d) => t.below(d + 1))
      return b.slice([x], {
        start,
        stop: shape.map((d, a) => start[a]! + t.below(d - start[a]! + 1)),
        step: shape.map(() => 1 + t.below(2)),
      })
    }
    case 4: {
      const low = shape.map((d) => t.below(3) - Math.min(1, d))
      return b.pad([x], {
        low,
        high: shape.map(() => t.below(2)),
        interior: shape.map(() => t.below(2)),
        value: t.below(2),
      })
    }
    case 5:
      return b.flip([x], { axes: t.some(axes) })
    case 6:
      return shape.length === 0 ? x : b.concat([x, sibling(t, pool, x)], { axis: t.below(shape.length) })
    default:
      return shape.length === 0 || shape.length > 3
        ? x
        : b.window([x], { axis: t.below(shape.length), size: 1 + t.below(2), stride: 1 + t.below(2), dilation: 1 })
  }
}

const contraction = (t: Tape, x: Node, y: Node, sums: boolean): Node => {
  const { dtype, shape } = typeOf(x)
  const axes = t.some(axesOf(x))
  if (dtype === 'bool') return b.reduce([x], { monoid: t.pick(['all', 'any'] as const), axes })
  const nonEmpty = axes.filter((a) => shape[a]! > 0)
  const sumsHere = sums || dtype !== 'f32'
  if (sumsHere && t.below(3) === 0) return b.reduce([x], { monoid: 'sum', axes })
  if (!sumsHere || t.below(3) === 0) return b.reduce([x], { monoid: t.pick(['max', 'min'] as const), axes: nonEmpty })
  if (dtype !== typeOf(y).dtype || shape.length > 3 || typeOf(y).shape.length > 3) return x
  const lhs = axesOf(x)
  const rhs = axesOf(y).map((a) => {
    const size = typeOf(y).shape[a]
    return shape[a] === size ? a : a + 10
  })
  const shared = rhs.filter((l) => lhs.includes(l))
  const gone = t.some(shared).slice(0, 1)
  return b.dot([x, y], {
    lhs,
    rhs,
    out: shuffled(
      t,
      [...new Set([...lhs, ...rhs])].filter((l) => !gone.includes(l)),
    ),
  })
}

/** A graph grown from a tape of random numbers; with `sums`, of sums too, and then without what tells -0 from 0. */
export const growGraph = (numbers: readonly number[], sums: boolean): Graph =>
  program(inputTypes, (...inputs) => {
    const t = new Tape(numbers)
    const pool: Node[] = [...inputs]
    while (!t.done) {
      const x = t.below(3) === 0 ? t.pick(pool) : pool[Math.max(0, pool.length - 1 - t.below(6))]!
      const kind = t.below(10)
      const next =
        kind < 5 ? pointwise(t, pool, x, sums) : kind < 9 ? movement(t, pool, x) : contraction(t, x, t.pick(pool), sums)
      if (typeOf(next).shape.reduce((p, d) => p * d, 1) <= 400) pool.push(next)
    }
    return pool.slice(-10)
  })

/** Random graphs, shrinking to shorter ones. */
export const graphs = (sums: boolean): fc.Arbitrary<Graph> =>
  fc
    .array(fc.nat({ max: 9999 }), { minLength: 4, maxLength: 500, size: 'max' })
    .map((numbers) => growGraph(numbers, sums))
