/**
 * How far reductions are from the exact results of their f32 arguments on the adapter at hand: by length, layout and kind
 * of terms. One program computes all reductions of a shape; terms are arguments, so that nothing is computed beforehand.
 */
import * as T from '../../src/index.ts'
import { sizeOf } from '../../src/lang/dim.ts'
import { distance } from '../codegen/kernel/sweep.ts'
import { sharedDevice } from '../device.ts'
import type { Exact, Line } from './exact-reductions.ts'
import { type Operands, type Reduction, reductions, type Unit } from './reductions.ts'
import { allTerms, factorsOf, type Terms, termsOf } from './terms.ts'

/** A shape, and the axes that are reduced: the first ones. */
export interface Layout {
  readonly name: string
  readonly shape: readonly number[]
  readonly axis: readonly number[]
}

/** The largest error of one reduction of one layout's terms. */
export interface ReductionErrors {
  readonly name: string
  readonly layout: string
  readonly shape: readonly number[]
  readonly terms: string
  readonly unit: Unit
  readonly error: number
  readonly limit: number
  /** The result that is the worst. */
  readonly worst: string
}

/** Whether a reduction does what is promised. */
export const isKept = (r: ReductionErrors): boolean => r.error <= r.limit

export const vector = (n: number): Layout => ({ name: '[n]', shape: [n], axis: [0] })
export const columns = (n: number): Layout => ({ name: '[n, 3]', shape: [n, 3], axis: [0] })
export const plane = (rows: number, width: number): Layout => ({ name: '[m, n]', shape: [rows, width], axis: [0, 1] })

/** Short, prime, powers of two and their neighbours, beyond every block: what a full run measures. */
const lengths: readonly number[] = [
  1, 3, 7, 61, 64, 250, 1009, 4093, 4096, 4097, 10_007, 65_521, 99_999, 999_983, 1_000_000,
]
export const allLayouts: readonly Layout[] = [
  ...lengths.map(vector),
  ...lengths.filter((n) => n < 100_000).map(columns),
  plane(7, 61),
  plane(64, 64),
  plane(316, 316),
  plane(1009, 991),
]

/** Terms of one result. */
const lengthOf = ({ shape, axis }: Layout): number => sizeOf(shape.slice(0, axis.length))

/** Of the matrices beside the terms: rows of the left one, columns of the right one. */
const [rows, width] = [3, 5]

/** Terms of a layout, as they are passed: of the operands, in their order. */
const dataOf = (terms: Terms, layout: Layout): readonly Float32Array[] => {
  const size = sizeOf(layout.shape)
  const n = lengthOf(layout)
  return [
    termsOf(terms, size, 1),
    factorsOf(terms, size, size / n, 2),
    // Other numbers than the first ones, be all terms equal.
    termsOf(terms, n, 3).map((v) => 0.75 * v),
    termsOf(terms, rows * n, 4),
    termsOf(terms, n * width, 5),
  ]
}

/** Every `step`th number from `first` on, `n` of them. */
const strided = (data: Float32Array, first: number, step: number, n: number): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => data[first + i * step]!)

/** The lines of a reduction's results, the last of which runs fastest in them. */
const linesOf = (r: Reduction, data: readonly Float32Array[], n: number): readonly Line[] => {
  const [x, factors, y, left, right] = data
  if (r.lines === 'products')
    return Array.from({ length: rows * width }, (_, k) => ({
      xs: strided(left!, Math.floor(k / width) * n, 1, n),
      ys: strided(right!, k % width, width, n),
    }))
  const of = r.lines === 'factors' ? factors! : x!
  const count = of.length / n
  return Array.from({ length: count }, (_, k) => ({ xs: strided(of, k, count, n), ys: y! }))
}

const errorOf = (unit: Unit, got: number, want: number, size: number): number => {
  const { ulp, absolute } = distance(got, want, size)
  if (unit === 'ulp') return ulp
  return unit === 'absolute' || absolute === 0 ? absolute : absolute / Math.abs(want)
}

const judge = (
  r: Reduction,
  { name: layout, shape }: Layout,
  terms: string,
  exact: readonly Exact[],
  got: ArrayLike<number>,
  n: number,
): ReductionErrors => {
  let error = 0
  let worst = ''
  exact.forEach(({ wants, sizes = wants }, line) => {
    for (let i = 0; i < wants.length; i++) {
      const y = got[i * exact.length + line]!
      const e = errorOf(r.unit, y, wants[i]!, Math.abs(sizes[i]!))
      if (e > error) {
        error = e
        worst = `${r.name} of ${terms} terms of [${shape}], result ${i} of line ${line}: ${y}, not ${wants[i]}`
      }
    }
  })
  return { name: r.name, layout, shape, terms, unit: r.unit, error, limit: r.limit(n, terms), worst }
}

const fits = (r: Reduction, { shape, axis }: Layout): boolean =>
  r.over === 'axes' || (r.over === 'axis' ? axis.length === 1 : shape.length === 1)

const measure = async (
  layout: Layout,
  measured: readonly Reduction[],
  kinds: readonly Terms[],
): Promise<readonly ReductionErrors[]> => {
  const { shape, axis } = layout
  const n = lengthOf(layout)
  const some = measured.filter((r) => fits(r, layout))
  if (some.length === 0) return []
  const f = (x: T.Tensor, factors: T.Tensor, y: T.Tensor, left: T.Tensor, right: T.Tensor): readonly unknown[] => {
    const operands: Operands = { x, factors, y, left, right }
    return some.map((r) => r.of(operands, axis))
  }
  const specs = [shape, shape, [n], [rows, n], [n, width]].map((s) => T.spec(s))
  const program = await T.compileOn(await sharedDevice(), f as never, specs as never)
  const found: ReductionErrors[] = []
  for (const terms of kinds) {
    const data = dataOf(terms, layout)
    const outputs = (await program.run(...(data as never))) as unknown as readonly T.Output[]
    for (const [k, r] of some.entries()) {
      const exact = linesOf(r, data, n).map(r.exact)
      found.push(judge(r, layout, terms.name, exact, (await outputs[k]!.read()) as ArrayLike<number>, n))
    }
  }
  return found
}

/** The errors of reductions in these layouts, of these terms; one layout after another. */
export const reductionErrors = async (
  layouts: readonly Layout[] = allLayouts,
  measured: readonly Reduction[] = reductions,
  kinds: readonly Terms[] = allTerms,
): Promise<readonly ReductionErrors[]> => {
  const all: ReductionErrors[] = []
  for (const layout of layouts) all.push(...(await measure(layout, measured, kinds)))
  return all
}

/** The worst of each reduction, layout and kind of terms, by how much of its limit it takes. */
export const worstOf = (all: readonly ReductionErrors[]): readonly ReductionErrors[] => {
  const worst = new Map<string, ReductionErrors>()
  const share = (r: ReductionErrors): number => (r.error === 0 ? 0 : r.error / r.limit)
  for (const r of all) {
    const key = `${r.name} ${r.layout} ${r.terms}`
    const known = worst.get(key)
    if (!known || share(r) > share(known)) worst.set(key, r)
  }
  return [...worst.values()]
}
