/** How random graphs reduce, contract, index and draw random bits, and the leaves they start from. */
import { checkpoint } from '../../../passes/transform/checkpoint.ts'
import { customJvp, customVjp } from '../../../passes/transform/custom.ts'
import { constant, typeOf } from '../../lang/build.ts'
import { sizeOf } from '../../lang/dim.ts'
import { isFloat } from '../../lang/dtype.ts'
import {
  cumulations,
  type Monoid,
  monoids,
  type Node,
  type Op,
  type PointwiseOp,
  type TensorType,
} from '../../lang/ir.ts'
import { add, mul } from '../../lang/tensor/math/arithmetic.ts'
import { cos, sin } from '../../lang/tensor/math/trigonometry.ts'
import { nodeOf, type Tensor, tensorOf } from '../../lang/types/tensor.ts'
import { drawData } from '../dice.ts'
import type { Workshop } from '../workshop.ts'
import { linalgMakers, oneOutput } from './linalg.ts'
import type { MovementOp } from './movement.ts'
import type { Maker } from './pointwise.ts'

type OtherOp = Exclude<Op, MovementOp | PointwiseOp | 'scan' | 'while' | 'cond' | 'elementwise' | 'kernel'>

const input: Maker = (w) => w.fresh({ shape: w.shape(), dtype: w.dice.pick(w.options.dtypes) })

const constantOf =
  (fits: (size: number) => boolean): Maker =>
  (w) => {
    const dtype = w.dice.pick(w.options.dtypes)
    const shape = w.shape()
    if (!fits(sizeOf(shape))) return undefined
    return w.add(
      constant({ shape, dtype }, drawData(w.dice, dtype, sizeOf(shape), w.dice.pick(['small', 'grid', 'whole']))),
    )
  }

const iota: Maker = (w) => {
  const shape = w.shape()
  const numeric = w.options.dtypes.filter((d) => d !== 'bool')
  if (shape.length === 0 || numeric.length === 0) return undefined
  return w.b.iota([], { shape, dtype: w.dice.pick(numeric), axis: w.dice.int(0, shape.length - 1) })
}

const accepts = (monoid: Monoid, t: TensorType): boolean => {
  if (monoid === 'all' || monoid === 'any') return t.dtype === 'bool'
  if (monoid === 'meanVar' || monoid === 'logSumExp') return isFloat(t.dtype)
  return t.dtype !== 'bool'
}

/** `sum` is likelier than the others. */
const reduce: Maker = (w) => {
  const monoid = w.dice.pick([...monoids, 'sum', 'sum', 'max'] as const)
  const single = monoid === 'argmax' || monoid === 'argmin'
  const needsElements = single || monoid === 'max' || monoid === 'min'
  const x = w.take((t) => accepts(monoid, t) && (!single || t.shape.length > 0))
  if (!x) return undefined
  const { shape } = typeOf(x)
  const possible = shape.flatMap((d, i) => (d > 0 || !needsElements ? [i] : []))
  if (single && possible.length === 0) return undefined
  const axes = single ? [w.dice.pick(possible)] : w.dice.subset(possible, 0.6)
  return oneOutput(w, w.b.reduce([x], { monoid, axes: w.dice.chance(0.1) ? w.dice.shuffle(axes) : axes }))
}

const dot: Maker = (w) => {
  const x = w.take((t) => t.dtype !== 'bool' && t.shape.length <= w.maxRank)
  if (!x) return undefined
  const { shape, dtype } = typeOf(x)
  const labels = w.dice.shuffle(Array.from({ length: 12 }, (_, i) => i))
  const lhs = shape.map((_, i) => labels[i]!)
  const size = new Map(lhs.map((l, i) => [l, shape[i]!]))
  const shared = lhs.filter(() => w.dice.chance(0.5))
  const batch = shared.filter(() => w.dice.chance(0.3))
  const free: number[] = []
  const outSize = (): number =>
    [...lhs.filter((l) => !shared.includes(l) || batch.includes(l)), ...free].reduce((n, l) => n * size.get(l)!, 1)
  for (let i = w.dice.pick([0, 1, 1, 2]); i > 0; i--) {
    const room = w.options.limit / Math.max(1, outSize())
    const fitting = w.options.dims.filter((d) => d <= room)
    if (fitting.length === 0) break
    const l = labels[shape.length + i]!
    size.set(l, w.dice.pick(fitting))
    free.push(l)
  }
  const rhs = w.dice.shuffle([...shared, ...free])
  const rhsShape = rhs.map((l) => size.get(l)!)
  if (sizeOf(rhsShape) > w.options.limit) return undefined
  const y = w.like({ shape: rhsShape, dtype })
  const kept = [...lhs.filter((l) => !shared.includes(l) || batch.includes(l)), ...free]
  const out = w.dice.chance(0.6) ? kept : w.dice.shuffle(kept)
  return w.dice.chance(0.5) ? w.b.dot([x, y], { lhs, rhs, out }) : w.b.dot([y, x], { lhs: rhs, rhs: lhs, out })
}

/** An integer tensor of `shape` whose elements lie in [0, size). */
const index = (w: Workshop, shape: readonly number[], size: number): Node => {
  const dtype = w.dice.chance(0.7) ? 'i32' : 'u32'
  const type = { shape, dtype } as const
  if (size === 0) return w.add(constant(type, []))
  if (w.dice.chance(0.35)) {
    const data = Float64Array.from({ length: sizeOf(shape) }, () => w.dice.int(0, size - 1))
    return w.add(constant(type, data))
  }
  const base = w.like(type)
  const data = w.valueOf(base).data
  if (data.every((v) => v >= 0 && v < size) && w.dice.chance(0.5)) return base
  const positive = dtype === 'i32' ? w.b.max([base, w.fill(type, 0)], {}) : base
  return w.b.rem([positive, w.fill(type, size)], {})
}

/** Index axes for about `room` positions; several are rare. */
const indexAxes = (w: Workshop, room: number): readonly number[] => {
  const axes: number[] = []
  for (let i = w.dice.pick([0, 1, 1, 1, 2]); i > 0; i--) {
    const left = room / axes.reduce((n, d) => n * d, 1)
    const fitting = w.options.dims.filter((d) => d <= left)
    axes.push(fitting.length > 0 ? w.dice.pick(fitting) : 1)
  }
  return axes
}

const cumulate: Maker = (w) => {
  const monoid = w.dice.pick([...cumulations, 'sum'] as const)
  const x = w.take((t) => t.shape.length > 0 && accepts(monoid, t))
  if (!x) return undefined
  const axis = w.dice.int(0, typeOf(x).shape.length - 1)
  return oneOutput(w, w.b.cumulate([x], { monoid, axis, reverse: w.dice.chance(0.3) }))
}

const sort: Maker = (w) => {
  const x = w.take((t) => t.shape.length > 0)
  if (!x) return undefined
  const axis = w.dice.int(0, typeOf(x).shape.length - 1)
  return oneOutput(w, w.b.sort([x], { axis, descending: w.dice.chance(0.4) }))
}

const gather: Maker = (w) => {
  const x = w.take((t) => t.shape.length > 0)
  if (!x) return undefined
  const { shape } = typeOf(x)
  const batch = w.dice.chance(0.7) ? 0 : w.dice.int(0, shape.length - 1)
  const size = shape[batch]!
  const room = w.options.limit / Math.max(1, sizeOf(shape) / Math.max(1, size))
  const axes = size === 0 ? [0] : indexAxes(w, room)
  return w.b.gather([x, index(w, [...shape.slice(0, batch), ...axes], size)], { batch })
}

const scatterAdd: Maker = (w) => {
  const updates = w.take((t) => t.dtype !== 'bool')
  if (!updates) return undefined
  const { shape } = typeOf(updates)
  const batch = w.dice.chance(0.7) ? 0 : w.dice.int(0, shape.length)
  const rank = w.dice.int(batch, shape.length)
  const outer = sizeOf(shape.slice(0, batch)) * sizeOf(shape.slice(rank))
  const fitting = w.options.dims.filter((d) => d * outer <= w.options.limit && d > 0)
  if (fitting.length === 0) return undefined
  const size = w.dice.pick(fitting)
  return w.b.scatterAdd([index(w, shape.slice(0, rank), size), updates], { batch, size })
}

const threefry: Maker = (w) => {
  const x = w.take((t) => t.dtype === 'u32')
  if (!x) return undefined
  const words = [x, ...[0, 1, 2].map(() => w.like(typeOf(x)))]
  return oneOutput(w, w.b.threefry(w.dice.shuffle(words), {}))
}

const stopGradient: Maker = (w) => {
  const x = w.take(() => true)
  return x && w.b.stopGradient([x], {})
}

const observe: Maker = (w) => {
  const x = w.take(() => true)
  return x && w.b.observe([x], { kind: w.dice.pick(['print', 'finite']), label: 'x' })
}

/** On what it waits for: a tensor of any type. */
const barrier: Maker = (w) => {
  const x = w.take(() => true)
  const when = w.take(() => true)
  return x && when && w.b.barrier([x, when], {})
}

/** A call of x·sin(y), with the rule that its derivative is; every kind of rule in turn. */
const customCall: Maker = (w) => {
  const x = w.take((t) => isFloat(t.dtype))
  if (!x) return undefined
  const y = w.like(typeOf(x))
  const f = (a: Tensor, c: Tensor): Tensor => mul(a, sin(c))
  const slopes = (a: Tensor, c: Tensor): readonly [Tensor, Tensor] => [sin(c), mul(a, cos(c))]
  const kinds: readonly ((a: Tensor, c: Tensor) => Tensor)[] = [
    checkpoint(f),
    customJvp(f, ([a, c], [da, dc]) => {
      const [sa, sc] = slopes(a, c)
      return [f(a, c), add(mul(da, sa), mul(dc, sc))]
    }),
    customVjp(
      f,
      (a, c) => [f(a, c), [a, c] as const],
      ([a, c], ct) => {
        const [sa, sc] = slopes(a, c)
        return [mul(ct, sa), mul(ct, sc)]
      },
    ),
  ]
  return w.add(nodeOf(w.dice.pick(kinds)(tensorOf(x), tensorOf(y))))
}

/** One maker for every op that is neither elementwise nor a movement. `get` comes with the ops of several outputs. */
export const contractMakers: { readonly [K in OtherOp]: Maker } = {
  input,
  const: constantOf((size) => size <= 64),
  data: constantOf((size) => size > 64),
  iota,
  reduce,
  cumulate,
  sort,
  ...linalgMakers,
  dot,
  gather,
  scatterAdd,
  threefry,
  get: reduce,
  stopGradient,
  observe,
  barrier,
  customCall,
  // Only derivatives bring it about, and they transpose it away.
  customLinear: customCall,
}
