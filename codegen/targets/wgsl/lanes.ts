/** The environment of a helper's template at one vector width: type names, constants, names of other helpers. */

import type { KType, Scalar } from '../../kernel/kernel.ts'
import { f32Literal } from './literal.ts'

/** A WGSL type name. */
export const typeName = (t: KType): string => (t.width === 1 ? t.scalar : `vec${t.width}<${t.scalar}>`)

/** The spelling of one width: the same template yields the scalar and the vector function. */
export interface Lanes {
  readonly width: KType['width']
  /** Type names of this width. */
  readonly F: string
  readonly I: string
  readonly U: string
  readonly B: string
  readonly H: string
  /** An f32 constant in every lane (operands of comparisons, `select`, `clamp`). */
  readonly f: (x: number) => string
  readonly u: (x: number) => string
  readonly i: (x: number) => string
  /** An f32 constant as an operand of `+ - * /`, where WGSL spreads scalars itself. */
  readonly k: (x: number) => string
  /** The name of another helper at this width, which is then emitted as well. */
  readonly fn: (name: string) => string
  /** The name of the struct that this helper returns. */
  readonly struct: string
  /** Whether subnormal operands and results are preserved even where the device flushes them to zero. */
  readonly keep: boolean
}

/** `tl_exp`, `tl_exp_4` (`tl_exp4` could be another helper): the function's name at a width. */
export const helperName = (name: string, width: KType['width']): string => `tl_${name}${width === 1 ? '' : `_${width}`}`

/** The spelling of one width. */
export const lanes = (width: KType['width'], of: Pick<Lanes, 'fn' | 'struct' | 'keep'>): Lanes => {
  const name = (scalar: Scalar): string => typeName({ scalar, width })
  const wide = (scalar: Scalar, text: string): string => (width === 1 ? text : `${name(scalar)}(${text})`)
  const k = (x: number): string => f32Literal(Math.fround(x))
  return {
    width,
    F: name('f32'),
    I: name('i32'),
    U: name('u32'),
    B: name('bool'),
    H: name('f16'),
    f: (x) => wide('f32', k(x)),
    u: (x) => wide('u32', x < 16 ? `${x}u` : `0x${x.toString(16)}u`),
    i: (x) => wide('i32', `${x}i`),
    k,
    ...of,
  }
}

/** Horner's rule: c0 + x·(c1 + x·(…)). */
export const horner = (t: Lanes, x: string, coefficients: readonly number[]): string =>
  coefficients.reduceRight((inner, c) => (inner === '' ? t.k(c) : `(${t.k(c)} + ${x} * ${inner})`), '')

/**
 * Lines that do for each lane of a vector where `where` holds what `lines` does for a scalar; `at` selects the lane.
 */
export const lanewise = (
  { width }: Lanes,
  where: string,
  lines: (at: string) => readonly string[],
): readonly string[] =>
  width === 1
    ? lines('').map((l) => `  ${l}`)
    : [
        `  for (var i = 0u; i < ${width}u; i += 1u) {`,
        `    if ${where}[i] {`,
        ...lines('[i]').map((l) => `      ${l}`),
        '    }',
        '  }',
      ]

/** A helper: its template, which gives the signature first and then the lines of the body. */
export interface Helper {
  readonly text: (t: Lanes) => readonly string[]
  /** Fields of the struct it returns, which is named after it with a capital. */
  readonly result?: (t: Lanes) => readonly string[]
  /** Exists at width 1 only; wider callers call it lane by lane. */
  readonly scalarOnly?: true
}

/** A family of helpers by name. */
export type Helpers<Name extends string> = { readonly [N in Name]: Helper }
