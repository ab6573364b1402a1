/**
 * An operation as two of half the size, for targets that cannot bind what one of its results needs: contractions and
 * reductions of half the terms, lookups in half a table, lines and matrices of half a batch.
 */
import { build as b, typeOf, typesOf } from '../../src/lang/build.ts'
import { ceilDiv } from '../../src/lang/dim.ts'
import type { Monoid, Node, NodeOf } from '../../src/lang/ir.ts'
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

const merges: Readonly<Partial<Record<Monoid, 'add' | 'mul' | 'max' | 'min'>>> = {
  sum: 'add',
  prod: 'mul',
  max: 'max',
  min: 'min',
}

const merged = (op: 'add' | 'mul' | 'max' | 'min', halves: readonly Node[]): Halved => ({
  outputs: [b[op]([halves[0]!, halves[1]!], {})],
  halves,
})

const halveReduce = (n: NodeOf<'reduce'>): Halved | undefined => {
  const x = n.args[0]!
  const axis = longest(typeOf(x).shape, n.params.axes)
  const op = merges[n.params.monoid]
  if (axis === undefined || !op) return undefined
  return merged(
    op,
    halvesOf(x, axis).map((h) => b.reduce([h], n.params)),
  )
}

const halveDot = (n: NodeOf<'dot'>): Halved | undefined => {
  const { lhs, rhs, out } = n.params
  const [x, y] = n.args as readonly [Node, Node]
  const contracted = lhs.flatMap((l, axis) => (rhs.includes(l) && !out.includes(l) ? [axis] : []))
  const axis = longest(typeOf(x).shape, contracted)
  if (axis === undefined) return undefined
  const right = halvesOf(y, rhs.indexOf(lhs[axis]!))
  return merged(
    'add',
    halvesOf(x, axis).map((h, i) => b.dot([h, right[i]!], n.params)),
  )
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
  return merged(
    'add',
    halvesOf(index, position).map((h, i) => b.scatterAdd([h, parts[i]!], n.params)),
  )
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
