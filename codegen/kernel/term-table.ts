/**
 * Value numbering of a kernel's index expressions: equal numbers mean equal values in one invocation, independent of
 * the `let` names they went through.
 */
import { functionKey } from '../../src/lang/user-ops.ts'
import { combine, type Interval, type Linear } from './interval.ts'
import type { KExpr, Scalar } from './kernel.ts'

/** One distinct value. */
export interface Term {
  readonly op: string
  readonly scalar: Scalar
  readonly args: readonly number[]
  /** The range of a leaf. */
  readonly leaf?: Interval
  /** Loop counters and builtins the value depends on. */
  readonly depends: ReadonlySet<string>
}

/** The meaning of a name; each use of a mutable variable is a term of its own. */
export type Meaning = { readonly kind: 'term'; readonly term: number } | { readonly kind: 'variable' }

/** The terms of one kernel. */
export interface TermTable {
  readonly terms: readonly Term[]
  /** The number of the term `op` of others. */
  readonly add: (op: string, scalar: Scalar, args: readonly number[]) => number
  /** A loop counter with the values it takes. */
  readonly counter: (name: string, values: Interval) => number
  /** The term of an expression, given what names mean. */
  readonly of: (e: KExpr, names: ReadonlyMap<string, Meaning>) => number
  /** A term as a sum of products with constants, as far down as there are any. */
  readonly linear: (term: number) => Linear
}

/** An empty table; `isConstant` tells which bindings the kernel does not write. */
export const createTermTable = (
  workgroups: number,
  workgroupSize: number,
  isConstant: (binding: string) => boolean,
): TermTable => {
  const terms: Term[] = []
  const numbers = new Map<string, number>()

  const add = (op: string, scalar: Scalar, args: readonly number[], leaf?: Interval, own?: string): number => {
    const key = `${op}:${scalar}(${args.join()})`
    const seen = numbers.get(key)
    if (seen !== undefined) return seen
    const depends = new Set<string>(own === undefined ? [] : [own])
    for (const a of args) for (const d of terms[a]!.depends) depends.add(d)
    terms.push({ op, scalar, args, depends, ...(leaf ? { leaf } : {}) })
    numbers.set(key, terms.length - 1)
    return terms.length - 1
  }
  const opaque = (scalar: Scalar): number => add(`opaque${terms.length}`, scalar, [])

  const of: TermTable['of'] = (e, names) => {
    const down = (op: string, ...args: readonly KExpr[]): number =>
      add(
        e.type.width === 1 ? op : `${op}${e.type.width}`,
        e.type.scalar,
        args.map((a) => of(a, names)),
      )
    switch (e.kind) {
      case 'lit': {
        const whole = Number.isInteger(e.value) ? { low: e.value, high: e.value } : undefined
        return add(`lit ${Object.is(e.value, -0) ? '-0' : e.value}`, e.type.scalar, [], whole)
      }
      case 'ref': {
        const meaning = names.get(e.name)
        return meaning?.kind === 'term' ? meaning.term : opaque(e.type.scalar)
      }
      case 'builtin': {
        const count = e.name === 'gridIndex' ? workgroups : workgroupSize
        return add(e.name, 'u32', [], { low: 0, high: Math.max(0, count - 1) }, e.name)
      }
      case 'unary':
        return down(e.op, e.a)
      case 'binary':
        return down(e.op, e.a, e.b)
      case 'select':
        return down('select', e.cond, e.a, e.b)
      case 'cast':
        return down('cast', e.a)
      case 'bitcast':
        return down('bitcast', e.a)
      case 'splat':
        return down('splat', e.a)
      case 'vec':
        return down('vec', ...e.items)
      case 'lane': {
        const whole = of(e.a, names)
        const { op, args } = terms[whole]!
        if (op.startsWith('splat')) return args[0]!
        if (op.startsWith('vec')) return args[e.lane]!
        return add(`lane ${e.lane}`, e.type.scalar, [whole])
      }
      case 'load': {
        const parts = e.component ? [e.index, e.component] : [e.index]
        const args = parts.map((x) => of(x, names))
        return isConstant(e.binding) ? add(`load ${e.binding}`, e.type.scalar, args) : opaque(e.type.scalar)
      }
      case 'word':
        return add(`word ${e.index}`, 'u32', [])
      case 'read':
        return opaque(e.type.scalar)
      case 'call':
      case 'threefry':
        return down(e.kind === 'call' ? `call ${functionKey(e.callee)}` : `threefry${e.word}`, ...e.args)
      case 'native':
        return down(`native ${e.op}`, ...e.args)
      case 'apply':
        return down(`apply ${e.callee.name} ${e.result}`, ...e.args)
    }
  }

  const forms = new Map<number, Linear>()
  /** A term as a sum of products with constants, as far down as there are any. */
  const linear = (term: number): Linear => {
    const seen = forms.get(term)
    if (seen) return seen
    const form = spread(term)
    forms.set(term, form)
    return form
  }
  const spread = (term: number): Linear => {
    const { op, scalar, args, leaf } = terms[term]!
    const alone = { parts: new Map([[term, 1]]), constant: 0 }
    if (scalar !== 'u32') return alone
    if (leaf && leaf.low === leaf.high) return { parts: new Map(), constant: leaf.low }
    if (op !== 'add' && op !== 'sub' && op !== 'mul') return alone
    const [a, b] = [linear(args[0]!), linear(args[1]!)]
    if (op === 'mul') return b.parts.size > 0 ? alone : combine(a, 0, a, b.constant)
    return combine(a, 1, b, op === 'add' ? 1 : -1)
  }

  const counter: TermTable['counter'] = (name, values) => add(`counter ${name}`, 'u32', [], values, name)

  return { terms, add, counter, of, linear }
}
