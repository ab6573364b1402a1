/** The Graph IR: nodes, their operations and parameters, closed graphs. Nodes are immutable; `build.ts` makes them. */
import type * as E from '#fp/Either'
import type { Shape } from './dim.ts'
import type { DType, HostArray, KernelDType } from './dtype.ts'
import type { ShapeError } from './errors.ts'

/** Shape and dtype of one tensor value. */
export interface TensorType {
  readonly shape: Shape
  readonly dtype: DType
}

/** Elementwise operations of one operand. Result dtype = operand dtype, except the predicates, which give bool. */
// biome-ignore format: a line a family reads better
export const unaryOps = [
  'neg', 'abs', 'sign', 'floor', 'ceil', 'trunc', 'round', 'sqrt', 'rsqrt', 'exp', 'exp2', 'expm1',
  'log', 'log2', 'log10', 'log1p', 'sin', 'cos', 'tan', 'asin', 'acos', 'atan', 'sinh', 'cosh', 'tanh',
  'asinh', 'acosh', 'atanh', 'erf', 'erfc', 'erfinv', 'lgamma', 'digamma', 'sigmoid', 'not', 'isNan', 'isInf',
] as const
export type UnaryOp = (typeof unaryOps)[number]

/**
 * Elementwise operations of two operands of equal type. `eq lt le` give bool. `and or xor` are logical on bool and
 * bitwise on integers; `not` likewise. `div` truncates on integers; `rem` has the dividend's sign.
 */
// biome-ignore format: a line a family reads better
export const binaryOps = [
  'add', 'sub', 'mul', 'div', 'rem', 'pow', 'atan2', 'max', 'min', 'eq', 'lt', 'le', 'and', 'or', 'xor',
  'shiftLeft', 'shiftRight',
] as const
export type BinaryOp = (typeof binaryOps)[number]

/** Everything computed element by element from operands of one shape. */
export type PointwiseOp = UnaryOp | BinaryOp | 'select' | 'cast' | 'bitcast'

/** The closed list of reductions. `argmax`/`argmin` give (value, i32 index); `meanVar` gives (mean, population variance). */
export const monoids = ['sum', 'prod', 'max', 'min', 'all', 'any', 'argmax', 'argmin', 'meanVar', 'logSumExp'] as const
export type Monoid = (typeof monoids)[number]

/**
 * The prefix reductions: element i is the reduction of elements 0 to i. `max` and `min` give (value, i32 index of the
 * latest element that is as extreme), as PyTorch's cummax and cummin.
 */
export const cumulations = ['sum', 'prod', 'max', 'min', 'logSumExp'] as const
export type Cumulation = (typeof cumulations)[number]

/** Operations with kernels of their own, written by hand in the Kernel IR: they read and write whole tensors. */
// biome-ignore format: a line a family reads better
export const routineOps = [
  'cumulate', 'sort', 'kernel',
  'triangularSolve', 'cholesky', 'lu', 'qr', 'eigh', 'svd',
] as const
export type RoutineOp = (typeof routineOps)[number]

/** Operations that run the kernels of a graph of their own, again and again. */
export const loopOps = ['scan', 'while'] as const
export type LoopOp = (typeof loopOps)[number]

/** A tensor as a user's kernel calls it. */
export interface NamedType {
  readonly name: string
  readonly shape: Shape
  readonly dtype: KernelDType
}

/** Contents of a large constant, by identity: copied from the user on entry and never written again. */
export interface Payload {
  readonly serial: number
  readonly array: HostArray
}

type None = Readonly<Record<never, never>>

/** One line per primitive: its parameters, always serialisable data; closed graphs (`closeGraph`) count as such. */
export interface ParamsOf extends Record<UnaryOp | BinaryOp | 'select', None> {
  readonly cast: { readonly dtype: DType }
  readonly bitcast: { readonly dtype: DType }
  /** The `index`-th argument of the graph numbered `trace`. */
  readonly input: { readonly trace: number; readonly index: number; readonly shape: Shape; readonly dtype: DType }
  /** Up to 64 elements, row-major. */
  readonly const: { readonly shape: Shape; readonly dtype: DType; readonly values: readonly number[] }
  readonly data: { readonly shape: Shape; readonly dtype: DType; readonly payload: Payload }
  /** Counts 0, 1, 2 … along `axis`. */
  readonly iota: { readonly shape: Shape; readonly dtype: DType; readonly axis: number }
  readonly reshape: { readonly shape: Shape }
  readonly permute: { readonly axes: readonly number[] }
  /** Result has `shape`; the result axes listed in `axes` are new, the others are the operand's in order. */
  readonly broadcast: { readonly shape: Shape; readonly axes: readonly number[] }
  /** Python's `x[start:stop:step]` per axis, 0 <= start <= stop <= size, step >= 1. */
  readonly slice: {
    readonly start: readonly number[]
    readonly stop: readonly number[]
    readonly step: readonly number[]
  }
  /** XLA's pad: `low`/`high` may be negative (crops), `interior` elements go between neighbours. */
  readonly pad: {
    readonly low: readonly number[]
    readonly high: readonly number[]
    readonly interior: readonly number[]
    readonly value: number
  }
  readonly flip: { readonly axes: readonly number[] }
  readonly concat: { readonly axis: number }
  /** Overlapping windows as a view: `[… n …]` becomes `[… count … , size]`, element i, k = x[i·stride + k·dilation]. */
  readonly window: { readonly axis: number; readonly size: number; readonly stride: number; readonly dilation: number }
  /** The transpose of window: sums `[… count …, size]` back onto an axis of `n`. */
  readonly fold: { readonly axis: number; readonly n: number; readonly stride: number; readonly dilation: number }
  /**
   * With `states`, the outputs are the components of the monoid's state (`monoids.ts`): a part of a reduction that a pass has
   * split. Operands are then elements, or the components of states; the numbers are the runs that the order of summation
   * begins with, for each axis.
   */
  readonly reduce: {
    readonly monoid: Monoid
    readonly axes: readonly number[]
    readonly states?: readonly number[]
  }
  /** Prefix reduction along an axis, from its end with `reverse`. */
  readonly cumulate: { readonly monoid: Cumulation; readonly axis: number; readonly reverse: boolean }
  /** (sorted elements, their i32 indices) along an axis; equal elements keep their order. */
  readonly sort: { readonly axis: number; readonly descending: boolean }
  /**
   * A `[…, n, n]`, B `[…, n, m]` → X with A X = B, or Aᵀ X = B if `transposed`. Only the lower or upper triangle of A is
   * looked at, and with `unit` its diagonal is taken for ones.
   */
  readonly triangularSolve: { readonly lower: boolean; readonly transposed: boolean; readonly unit: boolean }
  /** `[…, n, n]` → lower L with L Lᵀ = (A + Aᵀ) / 2; NaN where that is not positive definite. */
  readonly cholesky: None
  /** `[…, m, n]` → L (unit diagonal, not stored) and U in one, i32 pivots `[…, min]`, i32 permutation `[…, m]`: A[permutation] = L U. */
  readonly lu: None
  /** `[…, m, n]`, m ≥ n → Q `[…, m, k]`, R `[…, k, n]`: k = n, or m if `complete`. */
  readonly qr: { readonly complete: boolean }
  /** `[…, n, n]` → ascending eigenvalues `[…, n]` of (A + Aᵀ) / 2 and its eigenvectors, columns of `[…, n, n]`. */
  readonly eigh: None
  /** `[…, m, n]`, m ≥ n → U `[…, m, n]`, descending singular values `[…, n]`, V `[…, n, n]`: A = U diag(s) Vᵀ. */
  readonly svd: None
  /**
   * Two-operand einsum: `lhs`, `rhs`, `out` label each axis. A label in both operands and not in `out` is contracted; in
   * all three it is a batch axis; in one operand and `out` it is free. No label repeats inside one operand.
   */
  readonly dot: { readonly lhs: readonly number[]; readonly rhs: readonly number[]; readonly out: readonly number[] }
  /** x `[B…, n, C…]`, i32 index `[B…, I…]` → `[B…, I…, C…]` with `batch` leading axes B. Index out of range: an error. */
  readonly gather: { readonly batch: number }
  /** i32 index `[B…, I…]`, updates `[B…, I…, C…]` → `[B…, size, C…]`: zeros with every update added at its index. */
  readonly scatterAdd: { readonly batch: number; readonly size: number }
  /** Four u32 operands (key0, key1, count0, count1) of one shape → two u32 outputs: the Threefry-2x32 block cipher. */
  readonly threefry: None
  /** A user's function of one number an operand, applied element by element: the WGSL that holds `fn name`, and its types. */
  readonly elementwise: {
    readonly name: string
    readonly wgsl: string
    readonly takes: readonly KernelDType[]
    readonly gives: KernelDType
  }
  /** A user's kernel for operands of these very types: the WGSL that holds `fn name(workgroup: u32, local: u32)`. */
  readonly kernel: {
    readonly name: string
    readonly wgsl: string
    readonly takes: readonly NamedType[]
    readonly gives: readonly NamedType[]
    readonly workgroups: number
    readonly workgroupSize: number
  }
  /** Output `index` of a node with several outputs. */
  readonly get: { readonly index: number }
  readonly stopGradient: None
  /** The operand, of which somebody is told when the program runs: its elements, or that some of them are not finite. */
  readonly observe: { readonly kind: 'print' | 'finite'; readonly label: string }
  /** The first operand, as a node of its own: never merged with it, and not before the other operands are known. */
  readonly barrier: None
  /**
   * A function with derivatives of its own. Operands: its arguments, then `captured` tensors from outside. `rules` of
   * kind 'jvp': [tangents of the outputs from the operands and the arguments' tangents]; of the others: [outputs and
   * residuals from the operands, cotangents of the arguments from residuals and the outputs' cotangents]. A 'vjp' has no
   * forward mode, a 'checkpoint' that of `call`.
   */
  readonly customCall: {
    readonly kind: 'jvp' | 'vjp' | 'checkpoint'
    readonly call: Graph
    readonly rules: readonly Graph[]
    readonly captured: number
  }
  /**
   * A loop of `length` turns. Operands: `carries` initial values, `slices` tensors with an axis 0 of `length`, then tensors
   * that stay the same. `body` takes the carries, slice t of each, and the rest; it gives the next carries, then what is
   * stacked: outputs are the last carries and the stacks. With `reverse`, t runs from the last slice to the first.
   */
  readonly scan: {
    readonly body: Graph
    readonly carries: number
    readonly slices: number
    readonly length: number
    readonly reverse: boolean
  }
  /**
   * A loop while `condition` of the carries and the rest (operands in that order) holds: its body gives the next carries.
   * How often is known on the device alone: `chunk` turns are submitted at a time.
   */
  readonly while: { readonly condition: Graph; readonly body: Graph; readonly chunk: number }
  /** The branch that the i32 index (operand 0, clamped) names, on the other operands. Branches have equal types. */
  readonly cond: { readonly branches: readonly Graph[] }
  /**
   * The tangents (of `types`) of a customCall that has only a reverse rule: operands are `residuals` residuals, then the
   * tangents of the arguments listed in `wrt`. It exists only to be transposed.
   */
  readonly customLinear: {
    readonly backward: Graph
    readonly residuals: number
    readonly wrt: readonly number[]
    readonly types: readonly TensorType[]
  }
}

export type Op = keyof ParamsOf

/** A node that runs the kernels of a graph of its own. */
export type LoopNode = { readonly [K in LoopOp]: NodeOf<K> }[LoopOp]

/** One node of the graph. `type` lists its outputs (one, except for argmax, argmin, meanVar, threefry) or its mistake. */
export interface NodeOf<K extends Op> {
  readonly id: number
  readonly op: K
  readonly params: ParamsOf[K]
  readonly args: readonly Node[]
  readonly type: E.Either<ShapeError, readonly TensorType[]>
}

/** A node of any operation, discriminated by `op`. */
export type Node = { readonly [K in Op]: NodeOf<K> }[Op]

/** A closed function of tensors: nothing but `inputs` is free in `outputs`. */
export interface Graph {
  readonly inputs: readonly NodeOf<'input'>[]
  readonly outputs: readonly Node[]
}

/** Whether a parameter is a closed graph. */
export const isGraph = (v: object): v is Graph => 'inputs' in v && 'outputs' in v

/** Constructors, one per primitive; given to rules as an argument so that op families never import one another. */
export type Build = { readonly [K in Op]: (args: readonly Node[], params: ParamsOf[K]) => NodeOf<K> & Node }
