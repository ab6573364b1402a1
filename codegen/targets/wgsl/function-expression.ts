/**
 * Expressions of functions as WGSL, with as few parentheses as its grammar allows.
 */
import { invariant } from '../../../src/lang/errors.ts'
import type { BinaryOp } from '../../../src/lang/ir.ts'
import * as k from '../../kernel/build-kernel.ts'
import { isWithinWord } from '../../kernel/functions/shift-amount.ts'
import type { KExpr, KFunction, NativeOp } from '../../kernel/kernel.ts'
import { f32Literal, literal } from './literal.ts'
import { typeName } from './type-name.ts'

/** What the expressions of one function share. */
export interface FunctionContext {
  readonly name: string
  /** The name of a function, which is then emitted. */
  readonly use: (f: KFunction) => string
  /** Names of calls with several results, by their arguments. */
  calls: Map<readonly KExpr[], string>
  /** The lines that name them, before the statement to come. */
  before: string[]
}

/** How tightly a text binds: operands of an operator are at least as tight as it asks. */
const tight = { whole: 0, bitwise: 1, relation: 2, sum: 4, product: 5, prefix: 6, atom: 7 } as const

interface Text {
  readonly text: string
  readonly tight: number
  /** The bitwise operator, which may be repeated without parentheses. */
  readonly op?: string
}

interface Infix {
  readonly op: string
  readonly own: number
  readonly left: number
  readonly right: number
}

const sum = (op: string): Infix => ({ op, own: tight.sum, left: tight.sum, right: tight.product })
const product = (op: string): Infix => ({ op, own: tight.product, left: tight.product, right: tight.prefix })
const relation = (op: string): Infix => ({ op, own: tight.relation, left: tight.sum, right: tight.sum })
const bitwise = (op: string): Infix => ({ op, own: tight.bitwise, left: tight.prefix, right: tight.prefix })

const infix: Partial<Record<NativeOp | BinaryOp, Infix>> = {
  add: sum('+'),
  sub: sum('-'),
  mul: product('*'),
  div: product('/'),
  rem: product('%'),
  eq: relation('=='),
  ne: relation('!='),
  lt: relation('<'),
  le: relation('<='),
  gt: relation('>'),
  ge: relation('>='),
  and: bitwise('&'),
  or: bitwise('|'),
  xor: bitwise('^'),
  shiftLeft: bitwise('<<'),
  shiftRight: bitwise('>>'),
}

/** Comparisons with their sides exchanged. */
const mirrored: Partial<Record<BinaryOp, Infix>> = { lt: relation('>'), le: relation('>=') }

/** Operators that spread a scalar over a vector. */
const spreads: ReadonlySet<string> = new Set(['+', '-', '*', '/', '%'])

/** A constant of width 1; words from 16 on in hexadecimal. */
const constantText = (e: Extract<KExpr, { readonly kind: 'lit' }>): string => {
  const { scalar } = e.type
  if (scalar === 'f32') return f32Literal(e.value)
  return scalar === 'u32' && e.value >= 16 ? `0x${e.value.toString(16)}u` : literal(scalar, e.value)!
}

const atom = (text: string): Text => ({ text, tight: tight.atom })

/** `t` as an operand that binds at least as tightly as `least`. */
const within = (t: Text, least: number): string => (t.tight >= least ? t.text : `(${t.text})`)

const prefixed = (c: FunctionContext, op: string, a: KExpr): Text => ({
  text: `${op}${within(print(c, a), tight.atom)}`,
  tight: tight.prefix,
})

const operator = (c: FunctionContext, { op, own, left, right }: Infix, a: KExpr, b: KExpr): Text => {
  const bare = (e: KExpr, other: KExpr): KExpr =>
    spreads.has(op) && e.kind === 'splat' && other.kind !== 'splat' ? e.a : e
  const x = print(c, bare(a, b))
  const y = print(c, bare(b, a))
  const first = x.op === op && own === tight.bitwise ? x.text : within(x, left)
  return { text: `${first} ${op} ${within(y, right)}`, tight: own, op }
}

/** Items of a list. A comparison there may look like the brackets of a template. */
const list = (c: FunctionContext, es: readonly KExpr[]): string =>
  es
    .map((e) => print(c, e))
    .map((t) => (t.tight === tight.relation ? `(${t.text})` : t.text))
    .join(', ')

const call = (c: FunctionContext, name: string, args: readonly KExpr[]): Text => atom(`${name}(${list(c, args)})`)

/** An amount of a shift, which is of words. */
const amount = (c: FunctionContext, by: KExpr): string => {
  const known = k.constantOf(by)
  const type = { scalar: 'u32', width: by.type.width } as const
  if (known !== undefined) return type.width === 1 ? `${known}u` : `${typeName(type)}(${known}u)`
  const word = by.kind === 'bitcast' ? by.a : by
  const text = print(c, word)
  return word.type.scalar === 'u32' ? within(text, tight.prefix) : `bitcast<${typeName(type)}>(${text.text})`
}

const binary = (c: FunctionContext, e: Extract<KExpr, { readonly kind: 'binary' }>): Text => {
  const { op, a, b } = e
  if (op === 'max' || op === 'min') return call(c, op, [a, b])
  const known = infix[op]
  invariant(known && (op !== 'xor' || e.type.scalar !== 'bool'), `${op} in ${c.name}`)
  if (op === 'shiftLeft' || op === 'shiftRight') {
    invariant(isWithinWord(b), `a shift by any amount in ${c.name}`)
    return { text: `${within(print(c, a), tight.prefix)} ${known.op} ${amount(c, b)}`, tight: tight.bitwise }
  }
  const turned = k.constantOf(a) === undefined ? undefined : mirrored[op]
  return turned ? operator(c, turned, b, a) : operator(c, known, a, b)
}

/** Comparing NaN with itself folds away on some devices. */
const byBits = (op: 'isNan' | 'isInf', x: KExpr): KExpr => {
  const word = (value: number): KExpr => k.splat(k.u32(value), x.type.width)
  const magnitude = k.and(k.bitcast(x, 'u32'), word(0x7fffffff))
  return op === 'isNan' ? k.lt(word(0x7f800000), magnitude) : k.eq(magnitude, word(0x7f800000))
}

const unary = (c: FunctionContext, { op, a, type }: Extract<KExpr, { readonly kind: 'unary' }>): Text => {
  if (op === 'abs') return call(c, op, [a])
  if (op === 'neg' && type.scalar === 'i32') return prefixed(c, '-', a)
  if (op === 'isNan' || op === 'isInf') return print(c, byBits(op, a))
  invariant(op === 'not', `${op} of ${type.scalar} in ${c.name}`)
  if (a.kind === 'binary' && a.op === 'eq') return operator(c, relation('!='), a.a, a.b)
  return prefixed(c, type.scalar === 'bool' ? '!' : '~', a)
}

const native = (c: FunctionContext, { op, args, type }: Extract<KExpr, { readonly kind: 'native' }>): Text => {
  const [a, b] = args
  const known = infix[op]
  if (known) return operator(c, known, a!, b!)
  switch (op) {
    case 'neg':
      return prefixed(c, '-', a!)
    case 'toI32':
    case 'wholeToI32':
    case 'toU32':
      return call(c, typeName(type), args)
    case 'leadingZeros':
      return call(c, 'countLeadingZeros', args)
    case 'min':
      if (a!.kind === 'native' && a!.op === 'max' && [a!.args[1]!, b!].every((x) => k.constantOf(x) !== undefined))
        return call(c, 'clamp', [...a!.args, b!])
      return call(c, op, args)
    default:
      return call(c, op, args)
  }
}

/** The field of a result in the struct that a function with several returns. */
export const fieldOf = (f: KFunction, result: number): string => {
  const e = f.results[result]
  invariant(e?.kind === 'ref', `${f.name}: one of several results is a variable`)
  return e.name
}

const applied = (c: FunctionContext, { callee, args, result }: Extract<KExpr, { readonly kind: 'apply' }>): Text => {
  if (callee.results.length === 1) return call(c, c.use(callee), args)
  const known = c.calls.get(args)
  const name = known ?? `call${c.calls.size}`
  if (!known) {
    c.before.push(`let ${name} = ${call(c, c.use(callee), args).text};`)
    c.calls.set(args, name)
  }
  return atom(`${name}.${fieldOf(callee, result)}`)
}

const print = (c: FunctionContext, e: KExpr): Text => {
  switch (e.kind) {
    case 'lit':
      return atom(constantText(e))
    case 'ref':
      return atom(e.name)
    case 'unary':
      return unary(c, e)
    case 'binary':
      return binary(c, e)
    case 'select':
      // The condition comes last, where a comparison needs no parentheses.
      return atom(`select(${list(c, [e.b, e.a])}, ${print(c, e.cond).text})`)
    case 'cast':
    case 'splat':
      return call(c, typeName(e.type), [e.a])
    case 'bitcast':
      return atom(`bitcast<${typeName(e.type)}>(${print(c, e.a).text})`)
    case 'vec':
      return call(c, typeName(e.type), e.items)
    case 'lane':
      return atom(`${within(print(c, e.a), tight.atom)}.${'xyzw'[e.lane]}`)
    case 'native':
      return native(c, e)
    case 'apply':
      return applied(c, e)
    default:
      return invariant(false, `${e.kind} in ${c.name}`) as never
  }
}

/** An expression that stands alone. */
export const functionExpression = (c: FunctionContext, e: KExpr): string => print(c, e).text
