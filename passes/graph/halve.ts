/**
 * An operation as two of half the size, for targets that cannot bind what one of its results needs: contractions and
 * reductions of half the terms, lookups in half a table, lines and matrices of half a batch.
 */
import { build as b, typeOf, typesOf } from '../../src/lang/build.ts'
import { ceilDiv, floorDiv, sizeAlong } from '../../src/lang/dim.ts'
import { isPacked } from '../../src/lang/dtype.ts'
import type { Node, NodeOf } from '../../src/lang/ir.ts'
import { contractionRuns, isPositional, radix, rowOf, treeRun } from '../../src/lang/monoids.ts'
import { nodeArithmetic } from '../../src/lang/ops/node-arithmetic.ts'
import { fill } from '../../src/lang/ops/rule-parts.ts'

/** The nodes that take the place of `n`'s outputs, and what should be stored on the way. */
export interface Halved {
  readonly outputs: readonly Node[]
  readonly halves: readonly Node[]
}

/** Points [from, to) of one axis. */
const cut = (x: Node, axis: number, from: number, to: number): Node => {
  const { shape } = typeOf(x)
  const all = { start: shape.map(() => 0), stop: shape, step: shape.map(() => 1) }
  return b.slice([x], { ...all, start: all.start.with(axis, from), stop: all.stop.with(axis, to) })
}

const halvesOf = (x: Node, axis: number): readonly [Node, Node] => {
  const size = typeOf(x).shape[axis]!
  const middle = ceilDiv(size, 2)
  return [cut(x, axis, 0, middle), cut(x, axis, middle, size)]
}

/** The longest of `axes`, if it can be cut. */
const longest = (shape: readonly number[], axes: readonly number[]): number | undefined => {
  const best = axes.reduce<number | undefined>((a, x) => (a === undefined || shape[x]! > shape[a]! ? x : a), undefined)
  return best !== undefined && shape[best]! > 1 ? best : undefined
}

const both = (sum: Node, halves: readonly Node[]): Halved => ({ outputs: [sum], halves })

/** The outermost of `axes` that can be cut: what comes before it in the order of summation is one point. */
const outermost = (shape: readonly number[], axes: readonly number[]): number | undefined =>
  axes.find((a) => shape[a]! > 1)

/** The last point at which the order of summation has a level to cut, so that the sum of both parts has the same bits. */
const levelIn = (size: number, run: number): number => {
  if (size <= run) return ceilDiv(size, 2)
  let block = run
  while (block * radix < size) block *= radix
  return floorDiv(size - 1, block) * block
}

/** States of both parts, merged. */
const halveReduce = (n: NodeOf<'reduce'>): Halved | undefined => {
  const { monoid, states } = n.params
  const [x] = n.args
  const { shape, dtype } = typeOf(x!)
  const axes = n.params.axes.toSorted((p, q) => p - q)
  const axis = outermost(shape, axes)
  if (axis === undefined || isPacked(dtype)) return undefined
  const runs = states ? axes.map((k) => states[n.params.axes.indexOf(k)]!) : axes.map(() => treeRun)
  const row = rowOf(monoid)
  const components = row.components(dtype).length
  const middle = levelIn(shape[axis]!, runs[axes.indexOf(axis)]!)
  const a = nodeArithmetic(b)
  const part = (from: number, to: number): readonly Node[] => {
    const cuts = n.args.map((y) => cut(y, axis, from, to))
    const state = b.reduce(cuts, { monoid, axes, states: runs })
    const all = components === 1 ? [state] : Array.from({ length: components }, (_, index) => b.get([state], { index }))
    if (!isPositional(monoid) || n.args.length > 1 || from === 0) return all
    return [all[0]!, a.apply('add', all[1]!, a.constant(from, 'i32', all[1]))]
  }
  const [first, second] = [part(0, middle), part(middle, shape[axis]!)]
  const merged = row.merge(a, first, second, dtype)
  const halves = [...first, ...second]
  if (states) return { outputs: merged, halves }
  const results = row.finish(a, merged, dtype)
  if (monoid !== 'meanVar') return { outputs: results, halves }
  const sums = [0, middle].map((from, i) => {
    const y = cut(x!, axis, from, i === 0 ? middle : shape[axis]!)
    return b.reduce([y], { monoid: 'sum', axes, states: runs })
  })
  const total = a.apply('add', sums[0]!, sums[1]!)
  const mean = a.apply('div', total, a.constant(sizeAlong(shape, axes), 'f32', total))
  return { outputs: [mean, results[0]!], halves: [...halves, ...sums] }
}

const halveDot = (n: NodeOf<'dot'>): Halved | undefined => {
  const { lhs, rhs, out } = n.params
  const [x, y] = n.args as readonly [Node, Node]
  const { shape } = typeOf(x)
  const contracted = lhs.flatMap((l, axis) => (rhs.includes(l) && !out.includes(l) ? [axis] : []))
  const axis = outermost(shape, contracted)
  if (axis === undefined) return undefined
  const run = contractionRuns(contracted.map((c) => shape[c]!))[contracted.indexOf(axis)]!
  const middle = levelIn(shape[axis]!, run)
  const halves = [
    [0, middle],
    [middle, shape[axis]!],
  ].map(([from, to]) => b.dot([cut(x, axis, from!, to!), cut(y, rhs.indexOf(lhs[axis]!), from!, to!)], n.params))
  return both(b.add([halves[0]!, halves[1]!], {}), halves)
}

const halveGather = (n: NodeOf<'gather'>): Halved | undefined => {
  const [table, index] = n.args as readonly [Node, Node]
  const { batch } = n.params
  const size = typeOf(table).shape[batch]!
  if (size < 2) return undefined
  const middle = ceilDiv(size, 2)
  // As a word, what is out of range is large, and means the last row.
  const word = typeOf(index).dtype === 'u32' ? index : b.bitcast([b.cast([index], { dtype: 'i32' })], { dtype: 'u32' })
  const type = typeOf(word)
  const number = (k: number): Node => fill(b, type, k)
  const low = b.min([word, number(middle - 1)], {})
  const high = b.sub([b.max([b.min([word, number(size - 1)], {}), number(middle)], {}), number(middle)], {})
  const parts = halvesOf(table, batch)
  const halves = [low, high].map((i, k) => b.gather([parts[k]!, i], n.params))
  const { shape } = typeOf(n)
  const isLow = b.lt([word, number(middle)], {})
  const rows = shape.map((_, a) => a).slice(type.shape.length)
  const spread = b.broadcast([isLow], { shape, axes: rows })
  return { outputs: [b.select([spread, halves[0]!, halves[1]!], {})], halves }
}

const halveScatter = (n: NodeOf<'scatterAdd'>): Halved | undefined => {
  const [index, updates] = n.args as readonly [Node, Node]
  const at = typeOf(index).shape
  const rows = typeOf(updates).shape
  const column = longest(
    rows,
    rows.map((_, a) => a).filter((a) => a >= at.length),
  )
  if (column !== undefined) {
    const halves = halvesOf(updates, column).map((h) => b.scatterAdd([index, h], n.params))
    // Where the indices were is one axis now.
    return { outputs: [b.concat(halves, { axis: column - at.length + n.params.batch + 1 })], halves }
  }
  const position = longest(
    at,
    at.map((_, a) => a).filter((a) => a >= n.params.batch),
  )
  if (position === undefined) return undefined
  const parts = halvesOf(updates, position)
  const halves = halvesOf(index, position).map((h, i) => b.scatterAdd([h, parts[i]!], n.params))
  return both(b.add([halves[0]!, halves[1]!], {}), halves)
}

/** Operations on lines or matrices: half of the others. */
const halveBatch = (n: Node, batch: readonly number[], of: (args: readonly Node[]) => Node): Halved | undefined => {
  const axis = longest(typeOf(n.args[0]!).shape, batch)
  if (axis === undefined) return undefined
  const parts = n.args.map((x) => halvesOf(x, axis))
  const made = [0, 1].map((i) => of(parts.map((p) => p[i]!)))
  const types = typesOf(n)
  const output = (h: Node, index: number): Node => (types.length === 1 ? h : b.get([h], { index }))
  const halves = types.map((_, o) => made.map((h) => output(h, o)))
  return { outputs: halves.map((h) => b.concat(h, { axis })), halves: halves.flat() }
}

/** `n`, whose outputs are well-typed, in halves; nothing where it has none, or none are known. */
export const halve = (n: Node): Halved | undefined => {
  const axes = n.args.length === 0 ? [] : typeOf(n.args[0]!).shape.map((_, a) => a)
  switch (n.op) {
    case 'reduce':
      return halveReduce(n)
    case 'dot':
      return halveDot(n)
    case 'gather':
      return halveGather(n)
    case 'scatterAdd':
      return halveScatter(n)
    case 'sort':
      return halveBatch(
        n,
        axes.filter((a) => a !== n.params.axis),
        (xs) => b.sort(xs, n.params),
      )
    case 'cumulate':
      return halveBatch(
        n,
        axes.filter((a) => a !== n.params.axis),
        (xs) => b.cumulate(xs, n.params),
      )
    case 'cholesky':
    case 'lu':
    case 'qr':
    case 'eigh':
    case 'svd':
    case 'triangularSolve':
      return halveBatch(n, axes.slice(0, -2), (xs) => b[n.op](xs, n.params as never))
    default:
      return undefined
  }
}
