/** How random graphs use the elementwise ops: operands of one type, mostly inside the domain where the result is a number. */
import { typeOf } from '../../lang/build.ts'
import { type DType, isFloat, isInteger, isUnsigned } from '../../lang/dtype.ts'
import { type BinaryOp, binaryOps, type Node, type PointwiseOp, type UnaryOp, unaryOps } from '../../lang/ir.ts'
import type { Workshop } from '../workshop.ts'

/** Makes one node of its op from the pool, or nothing where the pool has no operand for it. */
export type Maker = (w: Workshop) => Node | undefined

type Accepts = (d: DType) => boolean
const number: Accepts = (d) => d !== 'bool'
const any: Accepts = () => true
const discrete: Accepts = (d) => !isFloat(d)

const unaryDtypes: Partial<Record<UnaryOp, Accepts>> = { neg: number, abs: number, sign: number, not: discrete }

/** Brings a float into the domain where the op gives a number of moderate size. */
const domains: Partial<Record<UnaryOp, (w: Workshop, x: Node) => Node>> = Object.fromEntries([
  ...['sqrt', 'rsqrt', 'log', 'log2', 'log10', 'log1p', 'lgamma', 'digamma'].map((op) => [
    op,
    (w: Workshop, x: Node) => above(w, x, 0.25),
  ]),
  ...['asin', 'acos', 'atanh', 'erfinv'].map((op) => [op, (w: Workshop, x: Node) => scaled(w, w.b.sin([x], {}), 0.75)]),
  ['acosh', (w: Workshop, x: Node) => above(w, x, 1.5)],
  ...['exp', 'exp2', 'expm1', 'sinh', 'cosh', 'tan'].map((op) => [op, (w: Workshop, x: Node) => within(w, x, 4)]),
])

const above = (w: Workshop, x: Node, least: number): Node => {
  const type = typeOf(x)
  if (w.valueOf(x).data.every((v) => v > least)) return x
  return w.b.add([w.b.abs([x], {}), w.fill(type, least)], {})
}

const scaled = (w: Workshop, x: Node, factor: number): Node => w.b.mul([x, w.fill(typeOf(x), factor)], {})

const within = (w: Workshop, x: Node, most: number): Node => {
  if (w.valueOf(x).data.every((v) => Math.abs(v) < most)) return x
  return scaled(w, w.b.tanh([x], {}), most)
}

const unary =
  (op: UnaryOp): Maker =>
  (w) => {
    const accepts = unaryDtypes[op] ?? isFloat
    const x = w.take((t) => accepts(t.dtype))
    if (!x) return undefined
    const domain = domains[op]
    return w.b[op]([domain && w.dice.chance(0.9) ? domain(w, x) : x], {})
  }

const binaryDtypes: Partial<Record<BinaryOp, Accepts>> = {
  atan2: isFloat,
  eq: any,
  lt: any,
  le: any,
  and: discrete,
  or: discrete,
  xor: discrete,
  shiftLeft: isInteger,
  shiftRight: isInteger,
}

/** The second operand, kept away from where the op explodes. */
const tamed = (w: Workshop, op: BinaryOp, y: Node): Node => {
  const { dtype } = typeOf(y)
  if ((op === 'shiftLeft' || op === 'shiftRight') && w.dice.chance(0.8)) {
    const positive = !isUnsigned(dtype) ? w.b.max([y, w.fill(typeOf(y), 0)], {}) : y
    return w.b.rem([positive, w.fill(typeOf(y), 33)], {})
  }
  if (isFloat(dtype) && (op === 'div' || op === 'rem') && w.dice.chance(0.8)) return above(w, y, 0.5)
  if (isFloat(dtype) && op === 'pow') return within(w, y, 3)
  if (op === 'pow' && w.dice.chance(0.8)) return w.b.rem([y, w.fill(typeOf(y), 5)], {})
  return y
}

const binary =
  (op: BinaryOp): Maker =>
  (w) => {
    const accepts = binaryDtypes[op] ?? number
    const x = w.take((t) => accepts(t.dtype))
    if (!x) return undefined
    const y = tamed(w, op, w.dice.chance(0.06) ? x : w.like(typeOf(x)))
    if (op === 'pow' && isFloat(typeOf(x).dtype)) return w.b.pow([w.dice.chance(0.9) ? above(w, x, 0.25) : x, y], {})
    return w.dice.chance(0.5) || y === x || binaryDirected.has(op) ? w.b[op]([x, y], {}) : w.b[op]([y, x], {})
  }

/** Ops whose second operand was tamed and has to stay second. */
const binaryDirected: ReadonlySet<BinaryOp> = new Set(['div', 'rem', 'pow', 'shiftLeft', 'shiftRight'])

const select: Maker = (w) => {
  const x = w.take(() => true)
  if (!x) return undefined
  const type = typeOf(x)
  const condition = w.like({ shape: type.shape, dtype: 'bool' })
  const y = w.like(type)
  return w.dice.chance(0.5) ? w.b.select([condition, x, y], {}) : w.b.select([condition, y, x], {})
}

const cast: Maker = (w) => {
  const dtype = w.dice.pick(w.options.dtypes)
  const x = w.take((t) => t.dtype !== dtype) ?? w.take(() => true)
  return x && w.b.cast([x], { dtype })
}

const sizes: readonly (readonly DType[])[] = [
  ['f32', 'i32', 'u32'],
  ['i8', 'u8'],
]

/** Of exact values alone: the last bit of a rounded one is nobody's promise, and NaN has many words. */
const bitcast: Maker = (w) => {
  const possible = sizes.filter((list) => list.some((d) => w.options.dtypes.includes(d)))
  const words = possible.length > 1 ? w.dice.pick(possible) : (possible[0] ?? [])
  const exact = w.pool.filter(
    (n) => words.includes(typeOf(n).dtype) && w.isExact(n) && !w.valueOf(n).data.some((v) => Number.isNaN(v)),
  )
  const targets = words.filter((d) => w.options.dtypes.includes(d))
  if (targets.length === 0) return undefined
  const x = exact.length > 0 ? w.dice.pick(exact) : w.fresh({ shape: w.shape(), dtype: w.dice.pick(targets) })
  return w.b.bitcast([x], { dtype: w.dice.pick(targets) })
}

/** One maker for every elementwise op. */
export const pointwiseMakers: { readonly [K in PointwiseOp]: Maker } = {
  ...(Object.fromEntries(unaryOps.map((op) => [op, unary(op)])) as { readonly [K in UnaryOp]: Maker }),
  ...(Object.fromEntries(binaryOps.map((op) => [op, binary(op)])) as { readonly [K in BinaryOp]: Maker }),
  select,
  cast,
  bitcast,
}
