/** Types, constants and references: the leaves of Kernel IR expressions. */
import { invariant } from '../../src/lang/errors.ts'
import type { Builtin, KExpr, KType, Scalar } from './kernel.ts'
import { roundTo } from './scalar-value.ts'

/** The type of `width` lanes of `scalar`. */
export const kType = (scalar: Scalar, width: KType['width'] = 1): KType => types[scalar][width]

export const widths = [1, 2, 3, 4] as const
const typesOf = (scalar: Scalar): Readonly<Record<KType['width'], KType>> => {
  const [one, two, three, four] = widths.map((width) => Object.freeze({ scalar, width }))
  return { 1: one!, 2: two!, 3: three!, 4: four! }
}
const types: { readonly [S in Scalar]: Readonly<Record<KType['width'], KType>> } = {
  f32: typesOf('f32'),
  i32: typesOf('i32'),
  u32: typesOf('u32'),
  bool: typesOf('bool'),
  f16: typesOf('f16'),
}

/** A type as messages show it: `f32`, `vec4<bool>`. */
export const showType = (t: KType): string => (t.width === 1 ? t.scalar : `vec${t.width}<${t.scalar}>`)

/** Whether two types are the same. */
export const sameType = (a: KType, b: KType): boolean => a.scalar === b.scalar && a.width === b.width

/** A constant of width 1, rounded to `scalar` (integers wrap, a bool is 0 or 1). */
export const lit = (value: number, scalar: Scalar = 'f32'): KExpr => ({
  kind: 'lit',
  type: kType(scalar),
  value: roundTo(scalar, value),
})

/** A u32 constant: indices and bounds. */
export const u32 = (value: number): KExpr => {
  invariant(Number.isInteger(value) && value >= 0 && value < 2 ** 32, `u32 constant ${value}`)
  return lit(value, 'u32')
}

/** A bool constant. */
export const bool = (value: boolean): KExpr => lit(value ? 1 : 0, 'bool')

/** A `let`, `var` or loop counter by name. */
export const ref = (name: string, type: KType = types.u32[1]): KExpr => ({ kind: 'ref', type, name })

/** The workgroup's number in the grid, or the invocation's number in its workgroup (u32). */
export const builtin = (name: Builtin): KExpr => ({ kind: 'builtin', type: types.u32[1], name })

/** A constant that is read when the kernel runs: number `index` of those that a dispatch gives it (u32). */
export const word = (index: number): KExpr => ({ kind: 'word', type: types.u32[1], index })

/** The value of a constant expression, splats of constants included; undefined otherwise. */
export const constantOf = (e: KExpr): number | undefined => {
  let at = e
  while (at.kind === 'splat') at = at.a
  return at.kind === 'lit' ? at.value : undefined
}

/** A scalar in every lane. */
export const splat = (a: KExpr, width: KType['width']): KExpr => {
  invariant(a.type.width === 1, `splat of ${showType(a.type)}`)
  return width === 1 ? a : { kind: 'splat', a, type: kType(a.type.scalar, width) }
}
