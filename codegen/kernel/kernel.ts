/**
 * The Kernel IR: a typed statement tree for one compute kernel, independent of the target. `targets/wgsl/` prints it,
 * `interp/` runs it. Objects are built by constructors only, which compute types and fold constants.
 */
import type { BinaryOp, ParamsOf, UnaryOp } from '../../src/lang/ir.ts'

/** The scalar types of kernels. A `bool` is stored as u32 (0 or 1); lowering converts. */
export type Scalar = 'f32' | 'i32' | 'u32' | 'bool' | 'f16'

/** A scalar or a short vector. */
export interface KType {
  readonly scalar: Scalar
  readonly width: 1 | 2 | 3 | 4
}

/**
 * Built-in values of an invocation, all u32. `gridIndex` is the linear index of the workgroup in the (possibly folded)
 * grid.
 */
export type Builtin = 'gridIndex' | 'localIndex'

/**
 * An instruction of the target on floats as IEEE 754 has it for ordinary operands; NaN, infinities and subnormal numbers
 * promise nothing (that is what functions guard).
 */
export type NativeOp =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'neg'
  | 'abs'
  | 'sqrt'
  | 'floor'
  | 'ceil'
  | 'trunc'
  | 'min'
  | 'max'
  | 'eq'
  | 'ne'
  | 'lt'
  | 'le'
  | 'gt'
  | 'ge'
  /** f32 → i32, u32 by truncation of a number in range. */
  | 'toI32'
  | 'toU32'
  /** f32 → i32 of a whole number below 2^22 in size. */
  | 'wholeToI32'
  /** The number of leading zero bits of a u32. */
  | 'leadingZeros'
  /** A vector of bools → one bool. */
  | 'any'
  | 'all'

export type KExpr = { readonly type: KType } /** Finite or not; a bool is 0 or 1. Always width 1. */ & (
  | { readonly kind: 'lit'; readonly value: number }
  /** A `let`, `var` or `for` name. */
  | { readonly kind: 'ref'; readonly name: string }
  | { readonly kind: 'builtin'; readonly name: Builtin }
  /** A u32 that is the same for a whole dispatch, which gives it: `words.ts`. */
  | { readonly kind: 'word'; readonly index: number }
  /** Elementwise on scalars and vectors, with the semantics (special values, accuracy) of the op table. */
  | { readonly kind: 'unary'; readonly op: UnaryOp; readonly a: KExpr }
  | { readonly kind: 'binary'; readonly op: BinaryOp; readonly a: KExpr; readonly b: KExpr }
  /** `cond ? a : b`, lane by lane; both sides may be evaluated. */
  | { readonly kind: 'select'; readonly cond: KExpr; readonly a: KExpr; readonly b: KExpr }
  | { readonly kind: 'cast'; readonly a: KExpr }
  | { readonly kind: 'bitcast'; readonly a: KExpr }
  | { readonly kind: 'splat'; readonly a: KExpr }
  | { readonly kind: 'vec'; readonly items: readonly KExpr[] }
  | { readonly kind: 'lane'; readonly a: KExpr; readonly lane: number }
  /** Reads element `index` (u32) of a binding; the unit is the binding's element type. */
  | {
      readonly kind: 'load'
      readonly binding: string
      readonly index: KExpr
      /** One component (u32) of an element that is a vector; then the value is a scalar. */
      readonly component?: KExpr
    }
  /** Reads element `index` (u32) of a private or workgroup array. */
  | { readonly kind: 'read'; readonly array: string; readonly index: KExpr }
  /** One output word (`word` 0 or 1) of Threefry-2x32 over four u32. */
  | { readonly kind: 'threefry'; readonly word: 0 | 1; readonly args: readonly [KExpr, KExpr, KExpr, KExpr] }
  /** A user's function of scalars. */
  | { readonly kind: 'call'; readonly callee: ParamsOf['elementwise']; readonly args: readonly KExpr[] }
  /** In functions only. */
  | { readonly kind: 'native'; readonly op: NativeOp; readonly args: readonly KExpr[] }
  /** Result number `result` of a function. Applications that share their `args` are one. */
  | { readonly kind: 'apply'; readonly callee: KFunction; readonly args: readonly KExpr[]; readonly result: number }
)

export type KStmt =
  | { readonly kind: 'let'; readonly name: string; readonly value: KExpr }
  | { readonly kind: 'var'; readonly name: string; readonly type: KType; readonly init?: KExpr }
  | { readonly kind: 'assign'; readonly name: string; readonly value: KExpr }
  /** Writes element `index` (u32) of a binding that is `read_write`. */
  | { readonly kind: 'store'; readonly binding: string; readonly index: KExpr; readonly value: KExpr }
  | { readonly kind: 'write'; readonly array: string; readonly index: KExpr; readonly value: KExpr }
  /** u32 counter `name` from `from` (inclusive) to `to` (exclusive) by the constant `step`. */
  | {
      readonly kind: 'for'
      readonly name: string
      readonly from: KExpr
      readonly to: KExpr
      readonly step: number
      readonly body: readonly KStmt[]
    }
  | { readonly kind: 'if'; readonly cond: KExpr; readonly then: readonly KStmt[]; readonly else: readonly KStmt[] }
  /** Workgroup barrier; allowed in workgroup-uniform control flow only. */
  | { readonly kind: 'barrier' }

/**
 * A function of values: no memory, straight-line code, `if` and `for` on its own variables. Written once for all targets;
 * its name is unique among functions, those of other widths included.
 */
export interface KFunction {
  readonly name: string
  readonly params: readonly { readonly name: string; readonly type: KType }[]
  readonly body: readonly KStmt[]
  readonly results: readonly KExpr[]
}

/** A storage buffer as the kernel sees it, in the order of @binding. */
export interface Binding {
  readonly name: string
  readonly element: KType
  readonly access: 'read' | 'read_write'
}

/**
 * An array in workgroup or private memory, declared at the top: zero at first. A `packed` one is private, large, and written
 * before it is read.
 */
export interface LocalArray {
  readonly name: string
  readonly space: 'workgroup' | 'private' | 'packed'
  readonly element: KType
  readonly size: number
}

/** A user-defined kernel instead of a body: its text, and the binding or array of each of its tensors, in order. */
export interface KernelText {
  readonly op: ParamsOf['kernel']
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
}

export interface Kernel {
  readonly name: string
  /** Invocations of one workgroup (one-dimensional). */
  readonly workgroupSize: number
  readonly bindings: readonly Binding[]
  readonly arrays: readonly LocalArray[]
  /** The number of words that a dispatch must give; none where it is absent. */
  readonly words?: number
  readonly body: readonly KStmt[]
  /** Where it is given, `body` is empty. */
  readonly text?: KernelText
}
