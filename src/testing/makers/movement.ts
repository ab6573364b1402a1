/** How random graphs move elements about: any legal parameters, results kept small. */
import { typeOf } from '../../lang/build.ts'
import { sizeOf, windowCount } from '../../lang/dim.ts'
import { isFloat } from '../../lang/dtype.ts'
import type { Node, Op } from '../../lang/ir.ts'
import type { Dice } from '../dice.ts'
import type { Workshop } from '../workshop.ts'
import type { Maker } from './pointwise.ts'

export type MovementOp = Extract<
  Op,
  'reshape' | 'permute' | 'broadcast' | 'slice' | 'pad' | 'flip' | 'concat' | 'window' | 'fold'
>

const axesOf = (shape: readonly number[]): readonly number[] => shape.map((_, i) => i)

/** A shape of as many elements: axes merged and split, ones put in and left out. */
const reshaped = (dice: Dice, shape: readonly number[]): readonly number[] => {
  const size = sizeOf(shape)
  if (size === 0) return dice.chance(0.5) ? dice.shuffle(shape) : [...shape, dice.int(0, 3)]
  const factors: number[] = []
  for (const d of shape) {
    let rest = d
    for (let p = 2; p <= rest; p++)
      while (rest % p === 0) {
        factors.push(p)
        rest /= p
      }
  }
  const order = dice.chance(0.5) ? factors : dice.shuffle(factors)
  const out: number[] = []
  for (const f of order) {
    if (out.length > 0 && dice.chance(0.45)) out[out.length - 1]! *= f
    else out.push(f)
  }
  while (out.length < 5 && dice.chance(0.2)) out.splice(dice.int(0, out.length), 0, 1)
  return out.length > 5 ? [size] : out
}

const reshape: Maker = (w) => {
  const x = w.take(() => true)
  return x && w.b.reshape([x], { shape: reshaped(w.dice, typeOf(x).shape) })
}

const permute: Maker = (w) => {
  const x = w.take((t) => t.shape.length > 1)
  return x && w.b.permute([x], { axes: w.dice.shuffle(axesOf(typeOf(x).shape)) })
}

/** The axes of `shape` that are new where the others are `part` in order; undefined where `part` is no part of it. */
const axesBeside = (part: readonly number[], shape: readonly number[]): readonly number[] | undefined => {
  const fresh: number[] = []
  let at = 0
  for (const [i, d] of shape.entries()) {
    if (at < part.length && d === part[at]) at++
    else fresh.push(i)
  }
  return at === part.length && fresh.length > 0 ? fresh : undefined
}

/** To the shape of another node, as a row's sum goes back over its row; undefined where there is none. */
const spread = (w: Workshop): Node | undefined => {
  const pairs = w.pool.flatMap((x) => {
    const part = typeOf(x).shape
    return w.pool.flatMap((y) => {
      const { shape } = typeOf(y)
      const axes = shape.length > part.length ? axesBeside(part, shape) : undefined
      return axes ? [{ x, shape, axes }] : []
    })
  })
  if (pairs.length === 0) return undefined
  const { x, shape, axes } = w.dice.pick(pairs)
  return w.b.broadcast([x], { shape, axes })
}

const broadcast: Maker = (w) => {
  const back = w.dice.chance(w.options.woven ? 0.9 : 0.3) ? spread(w) : undefined
  if (back) return back
  const x = w.take((t) => t.shape.length <= w.maxRank)
  if (!x) return undefined
  const shape = typeOf(x).shape.map((d) => ({ d, isNew: false }))
  const count = w.dice.pick([1, 1, 1, 2])
  for (let i = 0; i < count; i++) {
    const room = Math.floor(
      w.options.limit /
        Math.max(
          1,
          shape.reduce((n, s) => n * s.d, 1),
        ),
    )
    const d = w.dice.pick([1, ...w.options.dims.filter((k) => k <= room)])
    shape.splice(w.dice.int(0, shape.length), 0, { d, isNew: true })
  }
  const axes = shape.flatMap((s, i) => (s.isNew ? [i] : []))
  return w.b.broadcast([x], { shape: shape.map((s) => s.d), axes })
}

const slice: Maker = (w) => {
  const x = w.take((t) => t.shape.length > 0)
  if (!x) return undefined
  const cuts = typeOf(x).shape.map((n) => {
    if (w.dice.chance(0.4)) return { start: 0, stop: n, step: w.dice.chance(0.2) ? w.dice.int(1, 3) : 1 }
    const start = w.dice.int(0, Math.max(0, n - 1))
    const empty = w.dice.chance(0.03)
    return { start, stop: w.dice.int(empty ? start : Math.min(n, start + 1), n), step: w.dice.pick([1, 1, 2, 3]) }
  })
  return w.b.slice([x], {
    start: cuts.map((c) => c.start),
    stop: cuts.map((c) => c.stop),
    step: cuts.map((c) => c.step),
  })
}

const pad: Maker = (w) => {
  const x = w.take((t) => t.shape.length > 0)
  if (!x) return undefined
  const { shape, dtype } = typeOf(x)
  let room = w.options.limit / Math.max(1, sizeOf(shape))
  const edges = shape.map((n) => {
    const interior = room > 3 && w.dice.chance(0.25) ? w.dice.int(1, 2) : 0
    const inner = n + Math.max(n - 1, 0) * interior
    const end = (): number => {
      if (w.dice.chance(0.3)) return 0
      return w.dice.chance(0.3) ? -w.dice.int(0, Math.max(0, Math.floor(inner / 2))) : w.dice.int(0, 3)
    }
    const [low, high] = [end(), end()]
    const total = inner + low + high
    if (total < 0 || (n > 0 && total > n * room)) return { low: 0, high: 0, interior: 0 }
    room /= Math.max(1, total / Math.max(1, n))
    return { low, high, interior }
  })
  const value = isFloat(dtype) ? w.dice.pick([0, 0, 1, -0.5, Number.NEGATIVE_INFINITY]) : w.dice.pick([0, 1])
  return w.b.pad([x], {
    low: edges.map((e) => e.low),
    high: edges.map((e) => e.high),
    interior: edges.map((e) => e.interior),
    value: value === Number.NEGATIVE_INFINITY && w.dice.chance(0.7) ? 0 : value,
  })
}

const flip: Maker = (w) => {
  const x = w.take((t) => t.shape.length > 0)
  if (!x) return undefined
  const axes = w.dice.subset(axesOf(typeOf(x).shape), 0.5)
  return w.b.flip([x], { axes: axes.length > 0 ? axes : [w.dice.int(0, typeOf(x).shape.length - 1)] })
}

const concat: Maker = (w) => {
  const x = w.take((t) => t.shape.length > 0)
  if (!x) return undefined
  const { shape, dtype } = typeOf(x)
  const axis = w.dice.int(0, shape.length - 1)
  const rest = Math.max(1, sizeOf(shape.toSpliced(axis, 1)))
  const parts = [x]
  let total = shape[axis]!
  for (let i = w.dice.pick([0, 1, 1, 1, 2, 3]); i > 0; i--) {
    if (w.dice.chance(0.1)) {
      parts.push(x)
      total += shape[axis]!
      continue
    }
    const room = w.options.limit / rest - total
    const fitting = w.options.dims.filter((d) => d <= room)
    if (fitting.length === 0) break
    const d = w.dice.chance(0.5) && shape[axis]! <= room ? shape[axis]! : w.dice.pick(fitting)
    total += d
    parts.push(w.like({ shape: shape.with(axis, d), dtype }))
  }
  return w.b.concat(w.dice.shuffle(parts), { axis })
}

const window: Maker = (w) => {
  const x = w.take((t) => t.shape.length > 0 && t.shape.length <= w.maxRank + 1)
  if (!x) return undefined
  const { shape } = typeOf(x)
  const axis = w.dice.int(0, shape.length - 1)
  const n = shape[axis]!
  const size = w.dice.int(1, Math.max(1, Math.min(n + (w.dice.chance(0.05) ? 1 : 0), 5)))
  const dilation = w.dice.pick([1, 1, 1, 2, 3])
  const stride = w.dice.pick([1, 1, 2, 3])
  const total = (sizeOf(shape) / Math.max(1, n)) * windowCount(n, size, stride, dilation) * size
  if (total > w.options.limit) return undefined
  return w.b.window([x], { axis, size, stride, dilation })
}

/** Numbers `n` whose windows are as many as the operand has along the axis. */
const fold: Maker = (w) => {
  const x = w.take((t) => t.dtype !== 'bool' && t.shape.length > 1 && t.shape[t.shape.length - 1]! > 0)
  if (!x) return undefined
  const { shape } = typeOf(x)
  const size = shape[shape.length - 1]!
  const axis = w.dice.int(0, shape.length - 2)
  const count = shape[axis]!
  const dilation = w.dice.pick([1, 1, 2, 3])
  const stride = w.dice.pick([1, 1, 2, 3, size * dilation])
  const span = (size - 1) * dilation + 1
  const n = count === 0 ? w.dice.int(0, span - 1) : span + (count - 1) * stride + w.dice.int(0, stride - 1)
  if (n * (sizeOf(shape) / Math.max(1, count * size)) > w.options.limit * 2) return undefined
  return w.b.fold([x], { axis, n, stride, dilation })
}

/** One maker for every op that moves elements. */
export const movementMakers: { readonly [K in MovementOp]: Maker } = {
  reshape,
  permute,
  broadcast,
  slice,
  pad,
  flip,
  concat,
  window,
  fold,
}

/** The element count stays inside the workshop's limit. */
export const isSmall = (w: Workshop, n: Node): boolean => sizeOf(typeOf(n).shape) <= 2 * w.options.limit
