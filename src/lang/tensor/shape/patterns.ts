/** Tensors out of nothing that follow a rule: ranges, identities, grids, masks. */
import { build, constant } from '../../build.ts'
import { ceilDiv, isDim, type Shape } from '../../dim.ts'
import { type DType, isInteger } from '../../dtype.ts'
import { raise } from '../../errors.ts'
import type { Node } from '../../ir.ts'
import type { DTypeOfNested } from '../../types/literals.ts'
import { nodeOf, type Tensor, tensorOf } from '../../types/tensor.ts'
import { demandChoice, demandDType, demandList, demandRecord, type OptionNames, showArgument } from '../arguments.ts'
import { dataFirstWith } from '../dual.ts'
import { type DiagonalOptions, diagonalOptions, eyeNode, lowerNode } from '../linalg/triangles.ts'
import { binaryNode, likeNode } from '../math/arithmetic.ts'
import { castNode, expandNode, holds, lift, onTensor, refuse, reshapeNode, toElement, withTypes } from '../operand.ts'
import { bad, type DTypeOptions, dtypeIn, dtypeOptions } from './create.ts'

/**
 * `start + i·step` for i < count: whole numbers are counted, others are exact host numbers while they fit a node, and counted on
 * the device beyond.
 */
const progression = (start: number, step: number, count: number, dtype: DType, at?: (i: number) => number): Node => {
  const isWhole = isInteger(dtype) && Number.isInteger(start) && Number.isInteger(step)
  if (count <= 64 && !isWhole) {
    const value = at ?? ((i: number) => start + i * step)
    return constant(
      { shape: [count], dtype },
      Array.from({ length: count }, (_, i) => toElement(value(i), dtype)),
    )
  }
  const type = { shape: [count], dtype }
  const counted: Node = build.iota([], { ...type, axis: 0 })
  const steps = step === 1 ? counted : binaryNode('mul', counted, likeNode(step, type))
  return start === 0 ? steps : binaryNode('add', steps, likeNode(start, type))
}

type Arange = {
  <const A extends number, const D extends DType = DTypeOfNested<A>>(
    stop: A,
    options?: DTypeOptions<D>,
  ): Tensor<readonly [number], NoInfer<D>>
  <const A extends number, const B extends number, const D extends DType = DTypeOfNested<A | B>>(
    start: A,
    stop: B,
    options?: DTypeOptions<D>,
  ): Tensor<readonly [number], NoInfer<D>>
  <
    const A extends number,
    const B extends number,
    const C extends number,
    const D extends DType = DTypeOfNested<A | B | C>,
  >(
    start: A,
    stop: B,
    step: C,
    options?: DTypeOptions<D>,
  ): Tensor<readonly [number], NoInfer<D>>
}

/**
 * Python's range as `[count]`: `arange(stop)`, `arange(start, stop)`, `arange(start, stop, step)`, stop left out; i32
 * when all numbers are whole, else f32. ShapeError for step 0, for a step that leads away from stop (as PyTorch), and
 * where the dtype does not hold all of the range.
 * @example
 * T.reference(T.arange(4)).data // => [0, 1, 2, 3]
 * T.reference(T.arange(1, 2, 0.25)).data // => [1, 1.25, 1.5, 1.75]
 */
export const arange: Arange = <D extends DType>(
  ...args: readonly (number | DTypeOptions<D> | undefined)[]
): Tensor<readonly [number], NoInfer<D>> => {
  const numbers = args.filter((a) => typeof a === 'number')
  const [options, ...more] = args.slice(numbers.length) as readonly (DTypeOptions<D> | undefined)[]
  if (numbers.length < 1 || numbers.length > 3 || more.length > 0)
    return raise({
      tag: 'UsageError',
      message: `T.arange takes 1 to 3 numbers, then options, not (${args.map(showArgument).join(', ')})`,
      hint: 'write T.arange(stop), T.arange(start, stop) or T.arange(start, stop, step)',
    })
  const dtype = dtypeIn('T.arange', options)
  const [start, stop, step] = numbers.length === 1 ? [0, numbers[0]!, 1] : [numbers[0]!, numbers[1]!, numbers[2] ?? 1]
  const count = ceilDiv(stop - start, step)
  if (step === 0 || !Number.isFinite(count)) return bad('T.arange', `no range from ${start} to ${stop} by ${step}`)
  if (count < 0)
    return bad(
      'T.arange',
      `from ${start} to ${stop} by ${step} goes the wrong way`,
      'give the step the sign of stop - start',
    )
  const to = dtype ?? (numbers.every(Number.isInteger) ? 'i32' : 'f32')
  const lost = count === 0 ? undefined : [start, start + (count - 1) * step].find((v) => !holds(v, to))
  if (lost !== undefined)
    return bad(
      'T.arange',
      `${lost} does not fit ${to}`,
      "give another dtype, { dtype: 'f32' }, or the numbers that are meant",
    )
  return tensorOf(progression(start, step, count, to))
}

/**
 * `count` evenly spaced points from `start` to `stop`, both included, as `[count]`; f32 unless `dtype` says otherwise.
 * @example
 * T.reference(T.linspace(0, 1, 5)).data // => [0, 0.25, 0.5, 0.75, 1]
 */
export const linspace = <const D extends DType = 'f32'>(
  start: number,
  stop: number,
  count: number,
  options: DTypeOptions<D> = {},
): Tensor<readonly [number], NoInfer<D>> => {
  const dtype = dtypeIn('T.linspace', options)
  if (!isDim(count)) return bad('T.linspace', `${count} is not a number of points`)
  const step = count > 1 ? (stop - start) / (count - 1) : 0
  const at = (i: number): number => (i === count - 1 && count > 1 ? stop : start + i * step)
  return tensorOf(progression(start, step, count, dtype ?? 'f32', at))
}

/** The base of `logspace`, 10 by default. */
export interface LogspaceOptions {
  readonly base?: number | undefined
}

const logspaceOptions: OptionNames<LogspaceOptions> = { base: 'number' }

/**
 * `base ** e` (base 10) for `count` exponents evenly spaced from `start` to `stop`, both included: f32 `[count]`.
 * @example
 * T.reference(T.logspace(0, 2, 3)).data // => [1, 10, 100]
 */
export const logspace = (
  start: number,
  stop: number,
  count: number,
  options: LogspaceOptions = {},
): Tensor<readonly [number], 'f32'> => {
  demandRecord('T.logspace', logspaceOptions, options)
  const { base = 10 } = options
  const exponents = nodeOf(linspace(start, stop, count))
  return tensorOf(
    withTypes('T.logspace', [exponents], ([type]) => {
      if (count > 64) return binaryNode('pow', likeNode(base, type!), exponents)
      const step = count > 1 ? (stop - start) / (count - 1) : 0
      return constant(
        type!,
        Array.from({ length: count }, (_, i) => Math.fround(base ** (start + i * step))),
      )
    }),
  )
}

/** How many columns `eye` has, as many as rows by default, and its dtype. */
export interface EyeOptions<D extends DType = DType> extends DTypeOptions<D> {
  readonly columns?: number | undefined
}

const eyeOptions: OptionNames<EyeOptions> = { columns: 'integer', ...dtypeOptions }

/**
 * The identity: `[rows, columns]` (square by default) with ones on the main diagonal; f32 unless `dtype` says
 * otherwise.
 * @example
 * T.reference(T.eye(2)).data // => [1, 0, 0, 1]
 */
export const eye = <const D extends DType = 'f32'>(
  rows: number,
  options: EyeOptions<D> = {},
): Tensor<readonly [number, number], NoInfer<D>> => {
  demandRecord('T.eye', eyeOptions, options)
  const { columns = rows, dtype = 'f32' } = options
  return isDim(rows) && isDim(columns)
    ? tensorOf(eyeNode(rows, columns, demandDType('T.eye', dtype)))
    : bad('T.eye', `${rows} by ${columns} is not a size`)
}

type OneHot = {
  (classes: number, options?: DTypeOptions): (x: Tensor) => Tensor
  <const D extends DType = 'i32'>(x: Tensor, classes: number, options?: DTypeOptions<D>): Tensor<Shape, NoInfer<D>>
}

/**
 * A new last axis of size `classes`, 1 at the index and 0 elsewhere: `[…]` → `[…, classes]`, i32 unless `dtype` says
 * otherwise. An index out of range gives zeros (as JAX). ShapeError for indices that are not integers.
 * @example
 * T.reference(T.oneHot(T.tensor([2, 0]), 3)).data // => [0, 0, 1, 1, 0, 0]
 */
export const oneHot: OneHot = dataFirstWith(
  'T.oneHot',
  2,
  dtypeOptions,
  (x: Tensor, classes: number, { dtype = 'i32' }: DTypeOptions = {}) => {
    demandDType('T.oneHot', dtype)
    return onTensor('T.oneHot', x, (n, { shape, dtype: from }) => {
      if (!isInteger(from))
        return refuse('T.oneHot', [n], {
          reason: `indices are ${from}, not integers`,
          hint: "cast them: T.cast(x, 'i32')",
        })
      if (!isDim(classes)) return refuse('T.oneHot', [n], { reason: `${classes} is not a number of classes` })
      const type = [...shape, classes]
      const index = expandNode(reshapeNode(castNode(n, 'i32'), [...shape, 1]), type)
      return castNode(binaryNode('eq', index, build.iota([], { shape: type, dtype: 'i32', axis: shape.length })), dtype)
    })
  },
)

/** How `meshgrid` orders axes: `'ij'` as the operands come, `'xy'` with the first two exchanged. */
export interface MeshgridOptions {
  readonly indexing?: 'ij' | 'xy' | undefined
}

const meshgridOptions: OptionNames<MeshgridOptions> = { indexing: 'own' }

/**
 * Coordinates of the grid that vectors span: one tensor a vector, each of shape `[n₀, n₁, …]` (the first two exchanged
 * under `indexing: 'xy'`). ShapeError for a tensor that is not a vector.
 * @example
 * const [rows, columns] = T.meshgrid([T.tensor([1, 2]), T.tensor([3, 4])])
 * T.reference([rows!, columns!]).map((t) => t.data) // => [[1, 1, 2, 2], [3, 4, 3, 4]]
 */
export const meshgrid = (xs: readonly Tensor[], options: MeshgridOptions = {}): readonly Tensor[] => {
  const nodes = demandList('T.meshgrid', xs).map((x, i) => lift('T.meshgrid', x, i))
  demandRecord('T.meshgrid', meshgridOptions, options)
  const { indexing = 'ij' } = options
  demandChoice('T.meshgrid', 'indexing', indexing, ['ij', 'xy'])
  const axis = (i: number): number => (indexing === 'xy' && xs.length > 1 && i < 2 ? 1 - i : i)
  return nodes.map((n, i) =>
    tensorOf(
      withTypes('T.meshgrid', nodes, (types) => {
        const long = types.findIndex((t) => t.shape.length > 1)
        if (long >= 0)
          return refuse('T.meshgrid', nodes, { reason: `tensor ${long} has rank ${types[long]!.shape.length}, not 1` })
        const shape = types.map((_, k) => types[axis(k)]!.shape[0] ?? 1)
        return expandNode(
          reshapeNode(
            n,
            shape.map((d, k) => (k === axis(i) ? d : 1)),
          ),
          shape,
        )
      }),
    ),
  )
}

/** How many columns `triMask` has, as many as rows by default, and up to which diagonal it holds. */
export interface TriMaskOptions extends DiagonalOptions {
  readonly columns?: number | undefined
}

const triMaskOptions: OptionNames<TriMaskOptions> = { ...diagonalOptions, columns: 'integer' }

/**
 * Bool `[rows, columns]` (square by default), true on and below `diagonal`: the causal mask of attention.
 * @example
 * T.reference(T.triMask(3)).data // => [1, 0, 0, 1, 1, 0, 1, 1, 1]
 */
export const triMask = (rows: number, options: TriMaskOptions = {}): Tensor<readonly [number, number], 'bool'> => {
  demandRecord('T.triMask', triMaskOptions, options)
  const { diagonal = 0, columns = rows } = options
  return isDim(rows) && isDim(columns)
    ? tensorOf(lowerNode([rows, columns], diagonal))
    : bad('T.triMask', `${rows} by ${columns} is not a size`)
}
