/** How random graphs factorise matrices and solve systems: definite ones, so that no pivot is close to nothing. */
import { typeOf, typesOf } from '../../lang/build.ts'
import type { Node } from '../../lang/ir.ts'
import type { Workshop } from '../workshop.ts'
import type { Maker } from './pointwise.ts'

/** One output of a node, chosen at random when there are several. */
export const oneOutput = (w: Workshop, n: Node): Node => {
  const count = typesOf(n).length
  if (count === 1) return n
  const outputs = Array.from({ length: count }, (_, index) => w.b.get([n], { index }))
  const chosen = w.dice.int(0, count - 1)
  outputs.forEach((o, i) => {
    if (i !== chosen && w.dice.chance(0.5)) w.offer(o)
  })
  return outputs[chosen]!
}

/** A tensor that may serve as a batch of matrices; `fits` asks for more. */
const matrices = (w: Workshop, fits: (rows: number, columns: number) => boolean): Node | undefined =>
  w.take(({ shape, dtype }) => dtype === 'f32' && shape.length >= 2 && fits(shape.at(-2)!, shape.at(-1)!))

/**
 * A batch of matrices x xᵀ + I from a random tensor: results of what divides by pivots would leave the range of numbers
 * that graphs are compared in.
 */
const definite = (w: Workshop): Node | undefined => {
  const x = matrices(w, (rows, columns) => rows > 0 && columns > 0)
  if (!x || !w.valueOf(x).data.every(Number.isFinite)) return undefined
  const { shape } = typeOf(x)
  const [rows, lead] = [shape.at(-2)!, shape.slice(0, -2)]
  const tame = w.b.tanh([x], {})
  const labels = lead.map((_, i) => i + 3)
  const square = w.b.dot([tame, tame], { lhs: [...labels, 0, 2], rhs: [...labels, 1, 2], out: [...labels, 0, 1] })
  const type = { shape: [...lead, rows, rows], dtype: 'f32' } as const
  const count = (axis: number): Node => w.b.iota([], { shape: type.shape, dtype: 'i32', axis: lead.length + axis })
  return w.b.add([square, w.b.cast([w.b.eq([count(0), count(1)], {})], { dtype: 'f32' })], {})
}

const triangularSolve: Maker = (w) => {
  const a = definite(w)
  if (!a) return undefined
  const { shape } = typeOf(a)
  const columns = w.dice.pick([1, 2, 3])
  const b = w.like({ shape: [...shape.slice(0, -1), columns], dtype: 'f32' })
  const [lower, transposed, unit] = [w.dice.chance(0.5), w.dice.chance(0.5), w.dice.chance(0.3)]
  return w.b.triangularSolve([a, b], { lower, transposed, unit })
}

const cholesky: Maker = (w) => {
  const a = definite(w)
  return a && w.b.cholesky([a], {})
}

/** Factors of definite matrices: their pivots are far from each other's, and their values from none. */
const lu: Maker = (w) => {
  const a = definite(w)
  return a && w.b.get([w.b.lu([a], {})], { index: 0 })
}

const qr: Maker = (w) => {
  const a = definite(w)
  return a && oneOutput(w, w.b.qr([a], { complete: w.dice.chance(0.5) }))
}

/** Values alone: vectors of values close to each other are anyone's choice. */
const eigh: Maker = (w) => {
  const a = definite(w)
  return a && w.b.get([w.b.eigh([a], {})], { index: 0 })
}

const svd: Maker = (w) => {
  const a = definite(w)
  return a && w.b.get([w.b.svd([a], {})], { index: 1 })
}

/** One maker for every op of linear algebra. */
export const linalgMakers: Readonly<Record<'triangularSolve' | 'cholesky' | 'lu' | 'qr' | 'eigh' | 'svd', Maker>> = {
  triangularSolve,
  cholesky,
  lu,
  qr,
  eigh,
  svd,
}
