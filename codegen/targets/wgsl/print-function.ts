/**
 * Functions of the Kernel IR → WGSL, with as few parentheses as its grammar allows. Several results are a struct, named after
 * the function with a capital.
 */
import { invariant } from '../../../src/lang/errors.ts'
import type { BinaryOp } from '../../../src/lang/ir.ts'
import * as k from '../../kernel/build-kernel.ts'
import { isWithinWord } from '../../kernel/functions/shift-amount.ts'
import type { KExpr, KFunction, NativeOp } from '../../kernel/kernel.ts'
import { f32Literal, literal } from './literal.ts'
import { printStatements, type StatementPrinter } from './print-statements.ts'
import { typeName } from './type-name.ts'

/** How tightly a text binds: operands of an operator are at least as tight as it asks. */
const tight = { whole: 0, bitwise: 1, relation: 2, sum: 4, product: 5, prefix: 6 } as const

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

const prefixed = (op: string, a: Text): Text => ({ text: `${op}${within(a, tight.prefix)}`, tight: tight.prefix })
const whole = (text: string): Text => ({ text, tight: tight.prefix })

/** `t` as an operand that binds at least as tightly as `least`. */
const within = (t: Text, least: number): string => (t.tight >= least ? t.text : `(${t.text})`)

/** The name of a function's struct. */
const structName = (f: KFunction): string => `tl_${f.name[0]!.toUpperCase()}${f.name.slice(1)}`

/** The field of a result in the struct. */
export const fieldOf = (f: KFunction, result: number): string => {
  const e = f.results[result]
  invariant(e?.kind === 'ref', `${f.name}: one of several results is a variable`)
  return e.name
}

/** Comparing NaN with itself folds away on some devices. */
const byBits = (op: 'isNan' | 'isInf', x: KExpr): KExpr => {
  const word = (value: number): KExpr => k.splat(k.u32(value), x.type.width)
  const magnitude = k.and(k.bitcast(x, 'u32'), word(0x7fffffff))
  return op === 'isNan' ? k.lt(word(0x7f800000), magnitude) : k.eq(magnitude, word(0x7f800000))
}

/** Functions that are called are made known to `use`, which gives their names. */
export const printFunction = (f: KFunction, use: (f: KFunction) => string): string => {
  /** Calls with several results, by their arguments; and those that the statement to come needs. */
  let calls = new Map<readonly KExpr[], string>()
  let before: string[] = []
  let count = 0

  const operator = ({ op, own, left, right }: Infix, a: KExpr, b: KExpr): Text => {
    const bare = (e: KExpr, other: KExpr): KExpr =>
      spreads.has(op) && e.kind === 'splat' && other.kind !== 'splat' ? e.a : e
    const x = print(bare(a, b))
    const y = print(bare(b, a))
    const first = x.op === op && own === tight.bitwise ? x.text : within(x, left)
    return { text: `${first} ${op} ${within(y, right)}`, tight: own, op }
  }
  const shift = (e: Extract<KExpr, { readonly kind: 'binary' }>): Text => {
    invariant(isWithinWord(e.b), `${f.name}: a shift by any amount`)
    const [a, by] = [within(print(e.a), tight.prefix), amount(e.b)]
    return { text: `${a} ${infix[e.op]!.op} ${by}`, tight: tight.bitwise }
  }
  /** An amount of a shift, which is of words. */
  const amount = (by: KExpr): string => {
    const known = k.constantOf(by)
    const type = { scalar: 'u32', width: by.type.width } as const
    if (known !== undefined) return type.width === 1 ? `${known}u` : `${typeName(type)}(${known}u)`
    if (by.kind === 'bitcast') return within(print(by.a), tight.prefix)
    return by.type.scalar === 'u32' ? within(print(by), tight.prefix) : `bitcast<${typeName(type)}>(${print(by).text})`
  }
  const call = (name: string, args: readonly KExpr[]): Text =>
    whole(`${name}(${args.map((a) => argument(print(a))).join(', ')})`)
  /** A comparison in a list may look like the brackets of a template. */
  const argument = (t: Text): string => (t.tight === tight.relation ? `(${t.text})` : t.text)

  const applied = (e: Extract<KExpr, { readonly kind: 'apply' }>): Text => {
    if (e.callee.results.length === 1) return call(use(e.callee), e.args)
    const known = calls.get(e.args)
    const name = known ?? `call${count++}`
    if (!known) {
      before.push(`let ${name} = ${call(use(e.callee), e.args).text};`)
      calls.set(e.args, name)
    }
    return whole(`${name}.${fieldOf(e.callee, e.result)}`)
  }

  const native = (e: Extract<KExpr, { readonly kind: 'native' }>): Text => {
    const [a, b] = e.args
    const known = infix[e.op]
    if (known) return operator(known, a!, b!)
    switch (e.op) {
      case 'neg':
        return prefixed('-', print(a!))
      case 'toI32':
      case 'wholeToI32':
      case 'toU32':
        return call(typeName(e.type), [a!])
      case 'leadingZeros':
        return call('countLeadingZeros', [a!])
      case 'min':
        if (a!.kind === 'native' && a!.op === 'max' && [a!.args[1]!, b!].every((x) => k.constantOf(x) !== undefined))
          return call('clamp', [...a!.args, b!])
        return call('min', e.args)
      default:
        return call(e.op, e.args)
    }
  }

  const print = (e: KExpr): Text => {
    switch (e.kind) {
      case 'lit':
        return whole(constantText(e))
      case 'ref':
        return whole(e.name)
      case 'unary':
        if (e.op === 'abs') return call('abs', [e.a])
        if (e.op === 'neg') return prefixed('-', print(e.a))
        if (e.op === 'isNan' || e.op === 'isInf') return print(byBits(e.op, e.a))
        invariant(e.op === 'not', `${e.op} in ${f.name}`)
        if (e.a.kind === 'binary' && e.a.op === 'eq') return operator(relation('!='), e.a.a, e.a.b)
        return prefixed(e.type.scalar === 'bool' ? '!' : '~', print(e.a))
      case 'binary': {
        if (e.op === 'max' || e.op === 'min') return call(e.op, [e.a, e.b])
        if (e.op === 'shiftLeft' || e.op === 'shiftRight') return shift(e)
        const turned = k.constantOf(e.a) === undefined ? undefined : mirrored[e.op]
        if (turned) return operator(turned, e.b, e.a)
        const known = infix[e.op]
        invariant(known && (e.op !== 'xor' || e.type.scalar !== 'bool'), `${e.op} in ${f.name}`)
        return operator(known, e.a, e.b)
      }
      case 'select':
        // The condition comes last, where a comparison needs no parentheses.
        return whole(`select(${[e.b, e.a].map((x) => argument(print(x))).join(', ')}, ${print(e.cond).text})`)
      case 'cast':
        return call(typeName(e.type), [e.a])
      case 'bitcast':
        return whole(`bitcast<${typeName(e.type)}>(${print(e.a).text})`)
      case 'splat':
        return call(typeName(e.type), [e.a])
      case 'vec':
        return call(typeName(e.type), e.items)
      case 'lane':
        return whole(`${within(print(e.a), tight.prefix)}.${'xyzw'[e.lane]}`)
      case 'native':
        return native(e)
      case 'apply':
        return applied(e)
      default:
        return invariant(false, `${e.kind} in ${f.name}`) as never
    }
  }

  const printer: StatementPrinter = {
    value: (e) => print(e).text,
    preceding: () => {
      const lines = before
      before = []
      return lines
    },
    nested: (inner) => {
      const outer = new Map(calls)
      inner()
      calls = outer
    },
  }
  const lines: string[] = []
  printStatements(printer, f.body, '  ', lines)
  const values = f.results.map((r) => printer.value(r))
  const struct = values.length > 1 ? structName(f) : undefined
  const fields = (): string => f.results.map((r, i) => `${fieldOf(f, i)}: ${typeName(r.type)}`).join(', ')
  const params = f.params.map((p) => `${p.name}: ${typeName(p.type)}`).join(', ')
  return [
    ...(struct ? [`struct ${struct} { ${fields()} }`] : []),
    `fn tl_${f.name}(${params}) -> ${struct ?? typeName(f.results[0]!.type)} {`,
    ...lines,
    ...printer.preceding().map((line) => `  ${line}`),
    `  return ${struct ? `${struct}(${values.join(', ')})` : values[0]};`,
    '}',
    '',
  ].join('\n')
}
