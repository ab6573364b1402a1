/** How functions are defined: parameters by name, and a body that appends statements; one definition for all widths. */
import { invariant } from '../../../src/lang/errors.ts'
import { apply } from '../build-function.ts'
import * as k from '../build-kernel.ts'
import type { KExpr, KFunction, KStmt, KType, Scalar } from '../kernel.ts'
import { any, type Operand, operand, select } from './operators.ts'

/** A variable and the value it takes. */
export type Change = readonly [variable: KExpr, value: KExpr]

/** The statements of a function while they are written. */
export interface Body {
  readonly width: KType['width']
  /** Whether subnormal operands and results are preserved even where the device flushes them to zero. */
  readonly keep: boolean
  readonly let: (name: string, value: KExpr) => KExpr
  /** A variable, which `set` changes. */
  readonly var: (name: string, value: KExpr) => KExpr
  readonly set: (variable: KExpr, value: KExpr) => void
  /** Statements where a bool of one lane holds. */
  readonly if: (cond: KExpr, then: () => void) => void
  /** Changes of variables in the lanes where `where` holds; nothing is computed where it holds in none. */
  readonly where: (where: KExpr, changes: () => readonly Change[]) => void
  /** A loop of the u32 counter `name` from 0 to `to` by `step`. */
  readonly times: (name: string, to: KExpr, step: number, body: () => void) => void
  /** The result of another function; one for scalars is applied lane by lane. */
  readonly call: (name: string, ...args: readonly Operand[]) => KExpr
  /** All results of another function. */
  readonly callAll: (name: string, ...args: readonly Operand[]) => readonly KExpr[]
}

type Params = Readonly<Record<string, Scalar>>

/** A function at any width. */
export interface Definition {
  readonly params: Params
  readonly body: (f: Body, params: Readonly<Record<string, KExpr>>) => readonly KExpr[]
  /** Exists at width 1 only. */
  readonly scalarOnly: boolean
}

/** A family of functions by name. */
export type Definitions<Name extends string> = { readonly [N in Name]: Definition }

const define =
  (scalarOnly: boolean) =>
  <P extends Params>(
    params: P,
    body: (f: Body, params: { readonly [N in keyof P]: KExpr }) => KExpr | readonly KExpr[],
  ): Definition => ({
    params,
    body: (f, refs) => {
      const results = body(f, refs as { readonly [N in keyof P]: KExpr })
      return 'kind' in results ? [results] : results
    },
    scalarOnly,
  })

/** A function of parameters with these scalar types, lane by lane. */
export const lanewise: ReturnType<typeof define> = define(false)

/** A function of scalars. */
export const scalar: ReturnType<typeof define> = define(true)

/** A function of one f32. */
export const ofFloat = (body: (f: Body, x: KExpr) => KExpr): Definition =>
  lanewise({ x: 'f32' }, (f, { x }) => body(f, x))

/** A function of two f32. */
export const ofFloats = (body: (f: Body, a: KExpr, b: KExpr) => KExpr): Definition =>
  lanewise({ a: 'f32', b: 'f32' }, (f, { a, b }) => body(f, a, b))

/** The function that `definition` makes at a width; `find` gives the functions it applies. */
export const makeFunction = (
  name: string,
  { params, body }: Definition,
  width: KType['width'],
  keep: boolean,
  find: (name: string, width: KType['width']) => KFunction,
): KFunction => {
  let block: KStmt[] = []
  const inside = (then: () => void): readonly KStmt[] => {
    const outer = block
    block = []
    then()
    const made = block
    block = outer
    return made
  }
  const callAll: Body['callAll'] = (callee, ...args) => {
    const f = find(callee, width)
    const own = f.params[0]!.type.width
    const typed = args.map((a, i) => operand(a, k.kType(f.params[i]!.type.scalar, width)))
    const results = (xs: readonly KExpr[]): readonly KExpr[] => f.results.map((_, i) => apply(f, xs, i))
    if (own === width) return results(typed)
    const lanes = Array.from({ length: width }, (_, i) => results(typed.map((x) => k.lane(x, i))))
    return f.results.map((_, i) => k.vec(lanes.map((r) => r[i]!)))
  }
  const nameOf = (e: KExpr): string => {
    invariant(e.kind === 'ref', `${name}: what is set is a variable`)
    return e.name
  }
  const f: Body = {
    width,
    keep,
    let: (id, value) => {
      block.push(k.letStmt(id, value))
      return k.ref(id, value.type)
    },
    var: (id, value) => {
      block.push(k.varStmt(id, value.type, value))
      return k.ref(id, value.type)
    },
    set: (variable, value) => void block.push(k.assign(nameOf(variable), value)),
    if: (cond, then) => void block.push(k.ifStmt(cond, inside(then))),
    where: (where, changes) =>
      f.if(any(where), () => {
        for (const [variable, value] of changes()) f.set(variable, width === 1 ? value : select(where, value, variable))
      }),
    times: (id, to, step, steps) => void block.push(k.forStmt(id, k.u32(0), to, step, inside(steps))),
    call: (callee, ...args) => callAll(callee, ...args)[0]!,
    callAll,
  }
  const typed = Object.entries(params).map(([id, s]) => ({ name: id, type: k.kType(s, width) }))
  const results = body(f, Object.fromEntries(typed.map((p) => [p.name, k.ref(p.name, p.type)])))
  return { name, params: typed, body: block, results }
}
