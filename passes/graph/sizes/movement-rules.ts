/** Named sizes through operations that move elements. */
import * as E from '#fp/Either'
import { build, typeOf } from '../../../src/lang/build.ts'
import { productOf } from '../../../src/lang/dim.ts'
import type { DType } from '../../../src/lang/dtype.ts'
import type { Node } from '../../../src/lang/ir.ts'
import { fill } from '../../../src/lang/ops/rule-parts.ts'
import { roundTo } from '../../../src/lang/scalar-functions.ts'
import type { Size } from '../../../src/lang/size.ts'
import {
  asItIs,
  before,
  demandWithin,
  type Level,
  lengthNode,
  needsSize,
  parameter,
  pickAlong,
  positions,
  type SizeContext,
  type SizeRule,
  spread,
  unknownAxes,
} from './size-rule.ts'
import { isSame, type Quantity, quantityFrom, type Thrice, thrice } from './trials.ts'

/** Whether the first axis alone of these, ones apart, is of an unknown size: then what is there comes before what is not. */
const isPrefix = (sizes: readonly Size[]): boolean =>
  sizes.filter((s) => s !== 1).every((s, i) => i === 0 || typeof s === 'number')

/** Where the shortest groups of axes end that have as many elements on both sides. */
const groupsOf = (
  from: Thrice<readonly number[]>,
  to: Thrice<readonly number[]>,
): readonly (readonly [number, number])[] => {
  const ends: (readonly [number, number])[] = []
  let [i, j] = [0, 0]
  const count = (shapes: Thrice<readonly number[]>, end: number): Thrice<number> =>
    thrice(shapes, (s) => productOf(s.slice(0, end), (d) => d))
  while (i < from[0].length || j < to[0].length) {
    const [p, q] = [count(from, i), count(to, j)]
    const behind = p[0] < q[0] || (p[0] === q[0] && i < from[0].length && j === to[0].length)
    if (i < from[0].length && (behind || j === to[0].length)) i++
    else j++
    const [r, s] = [count(from, i), count(to, j)]
    if (r.every((x, t) => x === s[t])) ends.push([i, j])
  }
  return ends
}

export const reshape: SizeRule<'reshape'> = (c) => {
  const shapes = thrice(c.nodes, (n) => typeOf(n.args[0]!).shape)
  const ends = groupsOf(
    shapes,
    thrice(c.nodes, (n) => n.params.shape),
  )
  let [i, j] = [0, 0]
  for (const [k, l] of ends) {
    const [from, to] = [c.sizes[0]!.slice(i, k), c.results[0]!.slice(j, l)]
    const isOne = from.length === 1 && to.length === 1
    const axis = i + (unknownAxes(from)[0] ?? 0)
    if (!isOne && !(isPrefix(from) && isPrefix(to)))
      return needsSize(
        `the reshape joins or divides axis ${axis} behind another`,
        axis,
        'move the axis to the front first, with T.permuteDims: [batch, 4] may become [4 · batch], and back',
      )
    ;[i, j] = [k, l]
  }
  return asItIs(c)
}

/** Along `axis`, `length` elements of `x`: those that `indexOf` names for the positions. */
const pickedBy = (x: Node, axis: number, length: number, indexOf: (at: Node) => Node): Node =>
  pickAlong(x, axis, indexOf(positions([length], 0)))

const plus = (a: Node, b: Node): Node => build.add([a, spread(b, typeOf(a).shape)], {})

export const slice: SizeRule<'slice'> = (c) => {
  const { start, stop, step } = c.params
  let x = c.args[0]!
  const { shape } = typeOf(c.nodes[0])
  const own = { start: [...start], stop: [...stop], step: [...step] }
  for (const axis of start.keys()) {
    const [from, to] = [parameter(c, (p) => p.start[axis]!), parameter(c, (p) => p.stop[axis]!)]
    if (from === undefined || to === undefined)
      return needsSize(`the slice cuts axis ${axis} at a place that is no line over it`, axis)
    demandWithin(c, to, c.sizes[0]![axis]!)
    if (typeof from === 'number') continue
    c.demand(from)
    x = pickedBy(x, axis, shape[axis]!, (at) =>
      plus(build.mul([at, spread(lengthNode(c, step[axis]!), [shape[axis]!])], {}), lengthNode(c, from)),
    )
    own.start[axis] = 0
    own.stop[axis] = shape[axis]!
    own.step[axis] = 1
  }
  return E.right([build.slice([x], own)])
}

/** A size with `interior` between its elements. */
const dilated = (size: Size, interior: number): Size => {
  if (typeof size === 'number') return size === 0 ? 0 : (size - 1) * (interior + 1) + 1
  return { ...size, times: size.times * (interior + 1), plus: (size.plus - 1) * (interior + 1) + 1 }
}

export const pad: SizeRule<'pad'> = (c) => {
  const { low, high, interior, value } = c.params
  const own = { low: [...low], high: [...high], interior: [...interior], value }
  const { shape } = typeOf(c.nodes[0])
  // What is known is padded as it is; along the other axes elements are found or replaced one after another.
  const later: ((x: Node) => Node)[] = []
  for (const axis of low.keys()) {
    const [from, to] = [parameter(c, (p) => p.low[axis]!), parameter(c, (p) => p.high[axis]!)]
    if (from === undefined || !isSame(thrice(c.nodes, (n) => n.params.interior[axis]!)))
      return needsSize(`the padding of axis ${axis} is no line over it`, axis)
    const inside = dilated(c.sizes[0]![axis]!, interior[axis]!)
    if (typeof from === 'number' && (typeof inside === 'number' || (typeof to === 'number' && to <= 0))) continue
    const end = (x: Node): Node => build.add([lengthNode(c, from), x], {})
    if (typeof from !== 'number') {
      if (interior[axis] !== 0) return needsSize(`the padding between elements of axis ${axis} depends on it`, axis)
      own.low[axis] = 0
      own.high[axis] = 0
      later.push((x) => {
        const found = pickedBy(x, axis, shape[axis]!, (at) =>
          build.sub([at, spread(lengthNode(c, from), [shape[axis]!])], {}),
        )
        const type = typeOf(found)
        const isBefore = before(type.shape, axis, lengthNode(c, from))
        return build.select([isBefore, fill(build, type, value), found], {})
      })
    }
    later.push((x) => {
      const type = typeOf(x)
      return build.select([before(type.shape, axis, end(lengthNode(c, inside))), x, fill(build, type, value)], {})
    })
  }
  return E.right([later.reduce((x, f) => f(x), build.pad([c.args[0]!], own) as Node)])
}

/** `x`, of which `size` elements are there along `axis`, with these in the opposite order. */
export const flipped = (level: Pick<Level, 'lengths'>, x: Node, axis: number, size: Size): Node => {
  const length = typeOf(x).shape[axis]!
  const last = build.sub([lengthNode(level, size), lengthNode(level, 1)], {})
  return pickedBy(x, axis, length, (at) => build.sub([spread(last, [length]), at], {}))
}

export const flip: SizeRule<'flip'> = (c) => {
  const { axes } = c.params
  const sizes = c.sizes[0]!
  const known = axes.filter((a) => typeof sizes[a] === 'number')
  const whole: Node = known.length === 0 ? c.args[0]! : build.flip([c.args[0]!], { axes: known })
  return E.right([
    unknownAxes(sizes)
      .filter((a) => axes.includes(a))
      .reduce((x, a) => flipped(c, x, a, sizes[a]!), whole),
  ])
}

export const concat: SizeRule<'concat'> = (c) => {
  const { axis } = c.params
  const sizes = c.sizes.map((s) => s[axis]!)
  if (sizes.slice(0, -1).every((s) => typeof s === 'number')) return asItIs(c)
  const { shape } = typeOf(c.nodes[0])
  const length = shape[axis]!
  const starts: Node[] = [lengthNode(c, 0)]
  for (const s of sizes) starts.push(build.add([starts.at(-1)!, lengthNode(c, s)], {}))
  const parts = c.args.map((x, i) =>
    pickedBy(x, axis, length, (at) => build.sub([at, spread(starts[i]!, [length])], {})),
  )
  return E.right([
    parts
      .slice(0, -1)
      .reduceRight(
        (rest, part, i) => build.select([before(shape, axis, starts[i + 1]!), part, rest], {}),
        parts.at(-1)!,
      ),
  ])
}

/** A number that depends on a size is computed from it. */
export const constant: SizeRule<'const'> = (c) => {
  const { shape, dtype, values } = c.params
  const all = thrice(c.nodes, (n) => n.params.values)
  const differs = values.findIndex((_, i) => !isSame(thrice(all, (v) => v[i])))
  if (differs < 0 && isSame(thrice(all, (v) => v.length))) return asItIs(c)
  const found = thrice(all, (v) => v[0]!)
  const quantity = values.length === 1 ? quantityFrom(found, c.trials, roundTo(dtype)) : undefined
  if (!quantity)
    return E.left({
      reason: `a constant of the program, ${found.join(', ')} at the sizes tried, is neither linear in a named size or a product of two, nor one over that`,
      hint: "compute it with tensors: T.sqrt(T.tensor(n, { dtype: 'f32' })), not Math.sqrt(n)",
    })
  return E.right([spread(quantityNode(c, quantity, dtype), shape)])
}

/** A number that depends on sizes, whole numbers exactly. */
const quantityNode = (c: SizeContext<'const'>, { names, times, plus, isInverse }: Quantity, dtype: DType): Node => {
  const isWhole = Number.isInteger(times) && Number.isInteger(plus)
  const wide = dtype === 'i32' || dtype === 'u32' ? dtype : 'f32'
  const counted: DType = isWhole ? 'i32' : 'f32'
  const number = (value: number, of: DType): Node => fill(build, { shape: [], dtype: of }, value)
  const product = names.map((name) => c.lengths.get(name)!).reduce((a, b): Node => build.mul([a, b], {}))
  const line = build.add(
    [build.mul([build.cast([product], { dtype: counted }), number(times, counted)], {}), number(plus, counted)],
    {},
  )
  const exact = build.cast([line], { dtype: wide })
  const made: Node = isInverse ? build.div([number(1, wide), exact], {}) : exact
  return build.cast([made], { dtype })
}
