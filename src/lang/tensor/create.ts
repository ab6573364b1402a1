/** Tensors out of nothing: constants, ranges, patterns. */
import { build, constant, illTyped } from '../build.ts'
import { isDim, type Shape, sizeOf } from '../dim.ts'
import type { DType } from '../dtype.ts'
import type { Node } from '../ir.ts'
import { showShape } from '../shape.ts'
import type { DTypeOfNested, Nested, NestedShape } from '../types/create.ts'
import { nodeOf, type Tensor, tensorOf } from '../types.ts'
import { binaryNode, likeNode } from './arithmetic.ts'
import { dataFirst } from './dual.ts'
import { filledNode } from './joining.ts'
import { eyeNode, lowerNode } from './matrix.ts'
import { castNode, expandNode, lift, onTensor, refuse, reshapeNode, toElement, withTypes } from './operand.ts'

/** The dtype of a new tensor. */
export interface DTypeOptions<D extends DType = DType> {
  readonly dtype?: D
}

const bad = <S extends Shape, D extends DType>(name: string, reason: string, hint?: string): Tensor<S, D> =>
  tensorOf(illTyped(name, [], { reason, ...(hint ? { hint } : {}) }))

/** The shape of nested arrays along their first elements. */
const shapeOf = (data: Nested): Shape => {
  const out: number[] = []
  for (let at: Nested | undefined = data; typeof at === 'object'; at = at[0]) out.push(at.length)
  return out
}

/** All leaves in order; the path of the first array that does not fit `shape`, if any. */
const leavesOf = (
  data: Nested,
  shape: Shape,
): { readonly values: readonly (number | boolean)[]; readonly ragged?: string } => {
  const values: (number | boolean)[] = []
  let ragged: string | undefined
  const walk = (x: Nested, depth: number, path: string): void => {
    if (typeof x === 'object') {
      if (depth >= shape.length || x.length !== shape[depth])
        ragged ??= `${path || 'the data'} has ${x.length} elements where ${shape[depth] ?? 'a number'} belong`
      else for (let i = 0; i < x.length; i++) walk(x[i]!, depth + 1, `${path}[${i}]`)
    } else if (depth === shape.length && (typeof x === 'number' || typeof x === 'boolean')) values.push(x)
    else
      ragged ??= `${path || 'the data'} is ${String(x)} where ${depth < shape.length ? 'an array' : 'a number'} belongs`
  }
  walk(data, 0, '')
  return ragged === undefined ? { values } : { values, ragged }
}

const leafDtype = (values: readonly (number | boolean)[]): DType => {
  if (values.length === 0) return 'f32'
  if (values.every((v) => typeof v === 'boolean')) return 'bool'
  return values.every((v) => typeof v === 'boolean' || (Number.isInteger(v) && !Object.is(v, -0))) ? 'i32' : 'f32'
}

/**
 * A constant from nested arrays (copied). Without `dtype`: i32 when all numbers are whole, f32 when some is not, bool for booleans.
 * Ragged arrays and whole numbers past i32 (without a dtype) are mistakes.
 */
export const tensor = <const A extends Nested, const D extends DType = DTypeOfNested<A>>(
  data: A,
  { dtype }: DTypeOptions<D> = {},
): Tensor<NestedShape<A>, NoInfer<D>> => {
  const shape = shapeOf(data)
  const { values, ragged } = leavesOf(data, shape)
  if (ragged !== undefined)
    return bad('T.tensor', `ragged data: ${ragged}`, 'all arrays of one depth must have one length')
  const to = dtype ?? leafDtype(values)
  if (dtype === undefined && to === 'i32') {
    const over = values.find((v) => Number(v) !== (Number(v) | 0))
    if (over !== undefined)
      return bad(
        'T.tensor',
        `${over} does not fit i32`,
        "say which dtype is meant: { dtype: 'u32' } or { dtype: 'f32' }",
      )
  }
  return tensorOf(
    constant(
      { shape, dtype: to },
      values.map((v) => toElement(v, to)),
    ),
  )
}

/** A constant from a flat array in row-major order (copied); Float32Array and the like say their dtype. */
export const fromArray = <const S extends Shape, const D extends DType = DType>(
  data: ArrayLike<number> | ArrayLike<boolean>,
  shape: S,
  { dtype }: DTypeOptions<D> = {},
): Tensor<S, NoInfer<D>> => {
  if (!shape.every(isDim)) return bad('T.fromArray', `${showShape(shape)} is not a shape`)
  if (sizeOf(shape) !== data.length)
    return bad('T.fromArray', `${data.length} elements do not fill shape ${showShape(shape)}`)
  const to = dtype ?? arrayDtype(data)
  const exact =
    (to === 'f32' && data instanceof Float32Array) ||
    (to === 'i32' && data instanceof Int32Array) ||
    (to === 'u32' && data instanceof Uint32Array)
  const values = exact
    ? (data as ArrayLike<number>)
    : Float64Array.from(data as ArrayLike<number>, (v) => toElement(v, to))
  return tensorOf(constant({ shape, dtype: to }, values))
}

const arrayDtype = (data: ArrayLike<number | boolean>): DType => {
  if (data instanceof Int32Array || data instanceof Int16Array || data instanceof Int8Array) return 'i32'
  if (data instanceof Uint32Array || data instanceof Uint16Array || data instanceof Uint8Array) return 'u32'
  if (data instanceof Float32Array || data instanceof Float64Array) return 'f32'
  return leafDtype(Array.from(data))
}

const filled = <S extends Shape, D extends DType>(
  name: string,
  shape: S,
  value: number | boolean,
  dtype: DType,
): Tensor<S, D> =>
  shape.every(isDim) ? tensorOf(filledNode(shape, dtype, value)) : bad(name, `${showShape(shape)} is not a shape`)

/** All zeros; f32 unless said otherwise. */
export const zeros = <const S extends Shape, const D extends DType = 'f32'>(
  shape: S,
  { dtype }: DTypeOptions<D> = {},
): Tensor<S, NoInfer<D>> => filled('T.zeros', shape, 0, dtype ?? 'f32')

/** All ones; f32 unless said otherwise. */
export const ones = <const S extends Shape, const D extends DType = 'f32'>(
  shape: S,
  { dtype }: DTypeOptions<D> = {},
): Tensor<S, NoInfer<D>> => filled('T.ones', shape, 1, dtype ?? 'f32')

/** All `value`; f32 unless said otherwise (a boolean: bool). */
export const full = <const S extends Shape, const D extends DType = 'f32'>(
  shape: S,
  value: number | boolean,
  { dtype }: DTypeOptions<D> = {},
): Tensor<S, NoInfer<D>> => filled('T.full', shape, value, dtype ?? (typeof value === 'boolean' ? 'bool' : 'f32'))

interface Like {
  (options?: DTypeOptions): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>
  <S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D>
  <S extends Shape, D extends DType>(x: Tensor<S>, options: Required<DTypeOptions<D>>): Tensor<S, NoInfer<D>>
}

const like =
  (name: string, value: number) =>
  (x: Tensor, { dtype }: DTypeOptions = {}): Tensor =>
    onTensor(name, x, (_, type) => filledNode(type.shape, dtype ?? type.dtype, value))

/** Zeros of the operand's shape and dtype. */
export const zerosLike: Like = dataFirst('T.zerosLike', like('T.zerosLike', 0))

/** Ones of the operand's shape and dtype. */
export const onesLike: Like = dataFirst('T.onesLike', like('T.onesLike', 1))

interface FullLike {
  (value: number | boolean, options?: DTypeOptions): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>
  <S extends Shape, D extends DType>(x: Tensor<S, D>, value: number | boolean, options?: DTypeOptions): Tensor<S, D>
}

/** `value` in the operand's shape and dtype. */
export const fullLike: FullLike = dataFirst(
  'T.fullLike',
  (x: Tensor, value: number | boolean, { dtype }: DTypeOptions = {}) =>
    onTensor('T.fullLike', x, (_, type) => filledNode(type.shape, dtype ?? type.dtype, value)),
)

/** `start + i·step` for i < count: exact host numbers while they fit a node, counted on the device beyond. */
const progression = (start: number, step: number, count: number, dtype: DType, at?: (i: number) => number): Node => {
  if (count <= 64) {
    const value = at ?? ((i: number) => start + i * step)
    return constant(
      { shape: [count], dtype },
      Array.from({ length: count }, (_, i) => toElement(value(i), dtype)),
    )
  }
  const type = { shape: [count], dtype }
  const steps = binaryNode('mul', build.iota([], { ...type, axis: 0 }), likeNode(step, type))
  return start === 0 ? steps : binaryNode('add', steps, likeNode(start, type))
}

interface Arange {
  <const D extends DType = DType>(stop: number, options?: DTypeOptions<D>): Tensor<readonly [number], NoInfer<D>>
  <const D extends DType = DType>(
    start: number,
    stop: number,
    options?: DTypeOptions<D>,
  ): Tensor<readonly [number], NoInfer<D>>
  <const D extends DType = DType>(
    start: number,
    stop: number,
    step: number,
    options?: DTypeOptions<D>,
  ): Tensor<readonly [number], NoInfer<D>>
}

/** Python's range: `arange(stop)`, `arange(start, stop)`, `arange(start, stop, step)`; i32 for whole numbers, else f32. */
export const arange: Arange = <D extends DType>(
  ...args: readonly (number | DTypeOptions<D> | undefined)[]
): Tensor<readonly [number], NoInfer<D>> => {
  const numbers = args.filter((a) => typeof a === 'number')
  const dtype = args.find((a) => typeof a === 'object')?.dtype
  const [start, stop, step] = numbers.length === 1 ? [0, numbers[0]!, 1] : [numbers[0]!, numbers[1]!, numbers[2] ?? 1]
  const count = Math.ceil((stop - start) / step)
  if (numbers.length === 0 || step === 0 || !Number.isFinite(count))
    return bad('T.arange', `no range from ${start} to ${stop} by ${step}`)
  if (count < 0)
    return bad(
      'T.arange',
      `from ${start} to ${stop} by ${step} goes the wrong way`,
      'give the step the sign of stop - start',
    )
  return tensorOf(progression(start, step, count, dtype ?? (numbers.every(Number.isInteger) ? 'i32' : 'f32')))
}

/** `count` points from `start` to `stop`, both included. */
export const linspace = <const D extends DType = 'f32'>(
  start: number,
  stop: number,
  count: number,
  { dtype }: DTypeOptions<D> = {},
): Tensor<readonly [number], NoInfer<D>> => {
  if (!isDim(count)) return bad('T.linspace', `${count} is not a number of points`)
  const step = count > 1 ? (stop - start) / (count - 1) : 0
  const at = (i: number): number => (i === count - 1 && count > 1 ? stop : start + i * step)
  return tensorOf(progression(start, step, count, dtype ?? 'f32', at))
}

/** `count` points from `base ** start` to `base ** stop`, evenly spaced in the exponent. f32. */
export const logspace = (
  start: number,
  stop: number,
  count: number,
  { base = 10 }: { readonly base?: number } = {},
): Tensor<readonly [number], 'f32'> => {
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

/** The identity: ones on the main diagonal of `rows` × `columns` (square by default). */
export const eye = <const D extends DType = 'f32'>(
  rows: number,
  { columns = rows, dtype }: DTypeOptions<D> & { readonly columns?: number } = {},
): Tensor<readonly [number, number], NoInfer<D>> =>
  isDim(rows) && isDim(columns)
    ? tensorOf(eyeNode(rows, columns, dtype ?? 'f32'))
    : bad('T.eye', `${rows} by ${columns} is not a size`)

interface OneHot {
  (classes: number, options?: DTypeOptions): (x: Tensor) => Tensor
  <const D extends DType = 'i32'>(x: Tensor, classes: number, options?: DTypeOptions<D>): Tensor<Shape, NoInfer<D>>
}

/** A new last axis of size `classes`, 1 at the index (integer) and 0 elsewhere; i32 unless said otherwise. An index out of range gives zeros. */
export const oneHot: OneHot = dataFirst(
  'T.oneHot',
  (x: Tensor, classes: number, { dtype = 'i32' }: DTypeOptions = {}) =>
    onTensor('T.oneHot', x, (n, { shape, dtype: from }) => {
      if (from !== 'i32' && from !== 'u32')
        return refuse('T.oneHot', [n], {
          reason: `indices are ${from}, not integers`,
          hint: "cast them: T.cast(x, 'i32')",
        })
      if (!isDim(classes)) return refuse('T.oneHot', [n], { reason: `${classes} is not a number of classes` })
      const type = [...shape, classes]
      const index = expandNode(reshapeNode(castNode(n, 'i32'), [...shape, 1]), type)
      return castNode(binaryNode('eq', index, build.iota([], { shape: type, dtype: 'i32', axis: shape.length })), dtype)
    }),
)

/** How `meshgrid` orders axes: `'ij'` as the operands come, `'xy'` with the first two exchanged. */
export interface MeshgridOptions {
  readonly indexing?: 'ij' | 'xy'
}

/** Coordinates of the grid that the vectors span, one tensor a vector. */
export const meshgrid = (xs: readonly Tensor[], { indexing = 'ij' }: MeshgridOptions = {}): readonly Tensor[] => {
  const nodes = xs.map((x, i) => lift('T.meshgrid', x, i))
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

/** `rows` × `columns` of bool, true on and below `diagonal`: the causal mask. */
export const triMask = (
  rows: number,
  { diagonal = 0, columns = rows }: { readonly diagonal?: number; readonly columns?: number } = {},
): Tensor<readonly [number, number], 'bool'> =>
  isDim(rows) && isDim(columns)
    ? tensorOf(lowerNode([rows, columns], diagonal))
    : bad('T.triMask', `${rows} by ${columns} is not a size`)
