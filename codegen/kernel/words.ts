/**
 * Words: u32 constants that a kernel reads when it runs, so that kernels which differ in offsets and sizes only are one
 * pipeline. A dispatch says what they are.
 */
import * as k from './build-kernel.ts'
import type { KExpr, Kernel, KStmt } from './kernel.ts'

/** A constant that may be a word: an offset, a size or a bound. */
export type Offset = Extract<KExpr, { readonly kind: 'lit' | 'word' }>

/** Operators whose constant operands are offsets, sizes and bounds: as cheap with a word. A divisor is not. */
const offsetting: ReadonlySet<string> = new Set(['add', 'sub', 'lt', 'le', 'min'])

const isOffset = (e: KExpr): e is Offset => (e.kind === 'lit' && e.type.scalar === 'u32') || e.kind === 'word'

/**
 * `kernel` with other offsets: `replace` is asked in the order of the text for every constant that is added, subtracted or
 * compared with, literal or word. An index to which no constant is added has 0 added.
 */
export const replaceOffsets = (kernel: Kernel, replace: (e: Offset) => KExpr): Kernel => {
  const zero = k.u32(0) as Offset
  const operand = (e: KExpr): KExpr => (isOffset(e) ? replace(e) : expression(e))
  const index = (e: KExpr): KExpr => {
    if (isOffset(e)) return replace(e)
    if (e.kind === 'binary' && e.op === 'add' && isOffset(e.b)) return k.add(expression(e.a), replace(e.b))
    return k.add(expression(e), replace(zero))
  }
  const expression = (e: KExpr): KExpr => {
    switch (e.kind) {
      case 'lit':
      case 'ref':
      case 'builtin':
        return e
      case 'word':
        return replace(e)
      case 'unary':
      case 'cast':
      case 'bitcast':
      case 'splat':
      case 'lane':
        return { ...e, a: expression(e.a) }
      case 'binary': {
        const each = offsetting.has(e.op) ? operand : expression
        const [a, b] = [each(e.a), each(e.b)]
        return a === e.a && b === e.b ? e : k.binary(e.op, a, b)
      }
      case 'select':
        return { ...e, cond: expression(e.cond), a: expression(e.a), b: expression(e.b) }
      case 'vec':
        return { ...e, items: e.items.map(expression) }
      case 'load':
        return { ...e, index: index(e.index), ...(e.component ? { component: expression(e.component) } : {}) }
      case 'read':
        return { ...e, index: expression(e.index) }
      case 'threefry':
        return { ...e, args: e.args.map(expression) as never }
      case 'call':
      case 'native':
      case 'apply':
        return { ...e, args: e.args.map(expression) }
    }
  }
  const statement = (s: KStmt): KStmt => {
    switch (s.kind) {
      case 'let':
      case 'assign':
        return { ...s, value: expression(s.value) }
      case 'var':
        return s.init ? { ...s, init: expression(s.init) } : s
      case 'store':
        return { ...s, index: index(s.index), value: expression(s.value) }
      case 'write':
        return { ...s, index: expression(s.index), value: expression(s.value) }
      case 'for':
        return { ...s, from: expression(s.from), to: expression(s.to), body: s.body.map(statement) }
      case 'if':
        return k.ifStmt(expression(s.cond), s.then.map(statement), s.else.map(statement))
      case 'barrier':
        return s
    }
  }
  return { ...kernel, body: kernel.body.map(statement) }
}

const given = new WeakMap<Kernel, Map<string, Kernel>>()

/** Remembers that `kernel` with `words` is `original`. */
export const rememberOriginal = (kernel: Kernel, words: readonly number[], original: Kernel): void => {
  const known = given.get(kernel) ?? new Map<string, Kernel>()
  given.set(kernel, known.set(words.join(), original))
}

/** `kernel` with these words as literals: what a dispatch that gives it `words` computes. */
export const withWords = (kernel: Kernel, words: readonly number[]): Kernel => {
  const known = given.get(kernel)?.get(words.join())
  if (known) return known
  const { words: _count, ...rest } = kernel
  const made = replaceOffsets(rest, (e) => (e.kind === 'word' ? k.u32(words[e.index]!) : e))
  rememberOriginal(kernel, words, made)
  return made
}
