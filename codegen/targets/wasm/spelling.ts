/**
 * The spelling of each elementwise operation on each scalar type: an instruction where WebAssembly defines the operation as
 * the op table has it, a few of them, or the operation's kernel function.
 */
import { invariant } from '../../../src/lang/errors.ts'
import type { BinaryOp, UnaryOp } from '../../../src/lang/ir.ts'
import { elementwiseFunctions } from '../../kernel/functions/elementwise.ts'
import type { FunctionName } from '../../kernel/functions/table.ts'
import type { Scalar } from '../../kernel/kernel.ts'
import type { Frame } from './frame.ts'
import type { Instruction, ValueType } from './instructions.ts'

/** Where an operation is spelled: its operands are pushed by `a` and `b`, in any order and as often as they are called. */
export interface Site {
  readonly frame: Frame
  /** Whether the operands are vectors. */
  readonly wide: boolean
  readonly a: () => void
  /** Pushes nothing where there is one operand. */
  readonly b: () => void
  readonly isUnary: boolean
  /** The value of operand b where it is a constant (in every lane). */
  readonly constant: number | undefined
  /** Calls a kernel function on what has been pushed. */
  readonly call: (name: FunctionName) => void
  /** A local that holds an operand. */
  readonly held: (operand: () => void, type: ValueType) => number
}

export type Spell = (s: Site) => void

/** Spellings by kind of operand. */
interface Row {
  readonly f32?: Spell
  readonly i32?: Spell
  readonly u32?: Spell
  readonly bool?: Spell
}

type Suffix<P extends string> = Instruction extends infer I ? (I extends `${P}.${infer S}` ? S : never) : never

const push = ({ a, b }: Site): void => {
  a()
  b()
}

/** One instruction by the operands' width. */
const either =
  (one: Instruction, four: Instruction): Spell =>
  (s) => {
    push(s)
    s.frame.emit(s.wide ? four : one)
  }
const float = (name: Suffix<'f32'> & Suffix<'f32x4'>): Spell => either(`f32.${name}`, `f32x4.${name}`)
const integer = (name: Suffix<'i32'> & Suffix<'i32x4'>): Spell => either(`i32.${name}`, `i32x4.${name}`)
const bits = (name: 'and' | 'or' | 'xor'): Spell => either(`i32.${name}`, `v128.${name}`)
const same: Spell = ({ a }) => a()
const both = (spell: Spell): Pick<Row, 'i32' | 'u32'> => ({ i32: spell, u32: spell })
const words = (spell: Spell): Row => ({ i32: spell, u32: spell, bool: spell })

/** A kernel function of floats. */
const guarded =
  (name: FunctionName): Spell =>
  (s) => {
    push(s)
    s.call(name)
  }

/** Operand `a`, four scalars at a time: WebAssembly has no vector form. */
const lanewise =
  (spell: Spell): Spell =>
  (s) => {
    if (!s.wide) return spell(s)
    const { frame } = s
    const x = s.held(s.a, 'v128')
    const y = s.isUnary ? undefined : s.held(s.b, 'v128')
    const lane = (from: number | undefined, l: number) => (): void => {
      if (from === undefined) return
      frame.get(from)
      frame.emit('i32x4.extract_lane', [l])
    }
    const one = (l: number): void => spell({ ...s, wide: false, a: lane(x, l), b: lane(y, l) })
    one(0)
    frame.emit('i32x4.splat')
    for (const l of [1, 2, 3]) {
      one(l)
      frame.emit('i32x4.replace_lane', [l])
    }
  }

const negateInteger: Spell = ({ frame, wide, a }) => {
  if (wide) {
    a()
    frame.emit('i32x4.neg')
    return
  }
  frame.i32(0)
  a()
  frame.emit('i32.sub')
}

const absInteger: Spell = ({ frame, wide, a, held }) => {
  if (wide) {
    a()
    frame.emit('i32x4.abs')
    return
  }
  const x = held(a, 'i32')
  frame.get(x)
  frame.get(x)
  frame.i32(31)
  frame.emit('i32.shr_s')
  frame.emit('i32.xor')
  frame.get(x)
  frame.i32(31)
  frame.emit('i32.shr_s')
  frame.emit('i32.sub')
}

/** (x > 0) - (x < 0). */
const signInteger: Spell = lanewise(({ frame, a, held }) => {
  const x = held(a, 'i32')
  frame.get(x)
  frame.i32(0)
  frame.emit('i32.gt_s')
  frame.get(x)
  frame.i32(0)
  frame.emit('i32.lt_s')
  frame.emit('i32.sub')
})

const signUnsigned: Spell = lanewise(({ frame, a }) => {
  a()
  frame.i32(0)
  frame.emit('i32.ne')
})

const notWord: Spell = ({ frame, wide, a }) => {
  a()
  if (wide) {
    frame.emit('v128.not')
    return
  }
  frame.i32(-1)
  frame.emit('i32.xor')
}

const notBool: Spell = ({ frame, wide, a }) => {
  a()
  frame.emit(wide ? 'v128.not' : 'i32.eqz')
}

const reciprocalRoot: Spell = ({ frame, wide, a }) => {
  if (wide) frame.words([0x3f800000, 0x3f800000, 0x3f800000, 0x3f800000])
  else frame.f32(1)
  a()
  frame.emit(wide ? 'f32x4.sqrt' : 'f32.sqrt')
  frame.emit(wide ? 'f32x4.div' : 'f32.div')
}

const isNan: Spell = ({ frame, wide, a, held }) => {
  const x = held(a, wide ? 'v128' : 'f32')
  frame.get(x)
  frame.get(x)
  frame.emit(wide ? 'f32x4.ne' : 'f32.ne')
}

const infinity = 0x7f800000
const isInf: Spell = ({ frame, wide, a }) => {
  a()
  frame.emit(wide ? 'f32x4.abs' : 'f32.abs')
  if (wide) frame.words([infinity, infinity, infinity, infinity])
  else frame.f32(Number.POSITIVE_INFINITY)
  frame.emit(wide ? 'f32x4.eq' : 'f32.eq')
}

/** Whole numbers are whole already. */
const rounding = (name: 'floor' | 'ceil' | 'trunc' | 'nearest'): Row => ({ f32: float(name), ...both(same) })

/** Unary ops that have instructions; operand b is empty. */
const unarySpelling: Partial<Record<UnaryOp, Row>> = {
  neg: { f32: float('neg'), ...both(negateInteger) },
  abs: { f32: float('abs'), i32: absInteger, u32: same },
  sign: { i32: signInteger, u32: signUnsigned },
  floor: rounding('floor'),
  ceil: rounding('ceil'),
  trunc: rounding('trunc'),
  round: rounding('nearest'),
  sqrt: { f32: float('sqrt') },
  rsqrt: { f32: reciprocalRoot },
  not: { ...both(notWord), bool: notBool },
  isNan: { f32: isNan },
  isInf: { f32: isInf },
}

/** x / 0 is x, MIN / -1 is MIN: WebAssembly would trap. */
const divideSigned: Spell = lanewise(({ frame, a, b, constant, held }) => {
  if (constant !== undefined && constant !== 0 && constant !== -1) {
    a()
    b()
    frame.emit('i32.div_s')
    return
  }
  const [x, y] = [held(a, 'i32'), held(b, 'i32')]
  frame.get(y)
  frame.i32(1)
  frame.emit('i32.add')
  frame.i32(1)
  frame.emit('i32.le_u')
  frame.within('if', 'i32', () => {
    // -1 or 0.
    frame.i32(0)
    frame.get(x)
    frame.emit('i32.sub')
    frame.get(x)
    frame.get(y)
    frame.emit('select')
    frame.emit('else')
    frame.get(x)
    frame.get(y)
    frame.emit('i32.div_s')
  })
})

/** x % 0 is 0. */
const remainder =
  (name: 'rem_s' | 'rem_u'): Spell =>
  ({ frame, a, b, constant, held }) => {
    if (constant !== undefined && constant !== 0) {
      a()
      b()
      frame.emit(`i32.${name}`)
      return
    }
    const [x, y] = [held(a, 'i32'), held(b, 'i32')]
    frame.get(y)
    frame.within('if', 'i32', () => {
      frame.get(x)
      frame.get(y)
      frame.emit(`i32.${name}`)
      frame.emit('else')
      frame.i32(0)
    })
  }

const divideUnsigned: Spell = lanewise(({ frame, a, b, constant, held }) => {
  if (constant !== undefined && constant !== 0) {
    a()
    b()
    frame.emit('i32.div_u')
    return
  }
  const [x, y] = [held(a, 'i32'), held(b, 'i32')]
  frame.get(y)
  frame.within('if', 'i32', () => {
    frame.get(x)
    frame.get(y)
    frame.emit('i32.div_u')
    frame.emit('else')
    frame.get(x)
  })
})

/** A constant power of two divides by a shift or a mask. */
const byPower =
  (general: Spell, shift: boolean): Spell =>
  (s) => {
    const c = s.constant
    if (c === undefined || c <= 0 || (c & (c - 1)) !== 0) return general(s)
    s.a()
    const amount = shift ? Math.log2(c) : c - 1
    if (s.wide && !shift) s.frame.words([amount, amount, amount, amount])
    else s.frame.i32(amount)
    if (shift) s.frame.emit(s.wide ? 'i32x4.shr_u' : 'i32.shr_u')
    else s.frame.emit(s.wide ? 'v128.and' : 'i32.and')
  }

/** Counts of 32 and more give 0, or the sign. */
const shift = (name: 'shl' | 'shr_u' | 'shr_s'): Spell => {
  const general = lanewise(({ frame, a, b, held }) => {
    const [x, n] = [held(a, 'i32'), held(b, 'i32')]
    frame.get(x)
    frame.get(n)
    frame.emit(`i32.${name}`)
    if (name === 'shr_s') {
      frame.get(x)
      frame.i32(31)
      frame.emit('i32.shr_s')
    } else frame.i32(0)
    frame.get(n)
    frame.i32(32)
    frame.emit('i32.lt_u')
    frame.emit('select')
  })
  return (s) => {
    if (s.constant === undefined || s.constant < 0 || s.constant > 31) return general(s)
    s.a()
    s.frame.i32(s.constant)
    s.frame.emit(s.wide ? `i32x4.${name}` : `i32.${name}`)
  }
}

const extremeInteger =
  (four: 'max_s' | 'max_u' | 'min_s' | 'min_u', test: 'gt_s' | 'gt_u' | 'lt_s' | 'lt_u'): Spell =>
  ({ frame, wide, a, b, held }) => {
    if (wide) {
      a()
      b()
      frame.emit(`i32x4.${four}`)
      return
    }
    const [x, y] = [held(a, 'i32'), held(b, 'i32')]
    frame.get(x)
    frame.get(y)
    frame.get(x)
    frame.get(y)
    frame.emit(`i32.${test}`)
    frame.emit('select')
  }

/** !a & b, and !a | b: false comes before true. */
const orderedBool =
  (name: 'and' | 'or'): Spell =>
  (s) => {
    notBool(s)
    s.b()
    s.frame.emit(s.wide ? `v128.${name}` : `i32.${name}`)
  }

/** Binary ops that have instructions. On bool: add, max, or are `or`, mul, min, and are `and`, sub, xor are `xor`, and false < true. */
const binarySpelling: Partial<Record<BinaryOp, Row>> = {
  add: { f32: float('add'), ...both(integer('add')), bool: bits('or') },
  sub: { f32: float('sub'), ...both(integer('sub')), bool: bits('xor') },
  mul: { f32: float('mul'), ...both(integer('mul')), bool: bits('and') },
  div: { f32: float('div'), i32: divideSigned, u32: byPower(divideUnsigned, true) },
  rem: {
    i32: lanewise(remainder('rem_s')),
    u32: byPower(lanewise(remainder('rem_u')), false),
  },
  max: {
    f32: float('max'),
    i32: extremeInteger('max_s', 'gt_s'),
    u32: extremeInteger('max_u', 'gt_u'),
    bool: bits('or'),
  },
  min: {
    f32: float('min'),
    i32: extremeInteger('min_s', 'lt_s'),
    u32: extremeInteger('min_u', 'lt_u'),
    bool: bits('and'),
  },
  eq: { f32: float('eq'), ...words(integer('eq')) },
  lt: { f32: float('lt'), i32: integer('lt_s'), u32: integer('lt_u'), bool: orderedBool('and') },
  le: { f32: float('le'), i32: integer('le_s'), u32: integer('le_u'), bool: orderedBool('or') },
  and: words(bits('and')),
  or: words(bits('or')),
  xor: words(bits('xor')),
  shiftLeft: both(shift('shl')),
  shiftRight: { i32: shift('shr_s'), u32: shift('shr_u') },
}

const spellings: Partial<Record<UnaryOp | BinaryOp, Row>> = { ...unarySpelling, ...binarySpelling }

/** The spelling of an op on operands of a scalar type: instructions, else its function; f16 is computed as f32. */
export const spellingOf = (op: UnaryOp | BinaryOp, scalar: Scalar): Spell => {
  const kind = scalar === 'f16' ? 'f32' : scalar
  const own = spellings[op]?.[kind]
  if (own) return own
  const name = kind === 'bool' ? undefined : elementwiseFunctions[op][kind]
  invariant(name, `${op} has no spelling for ${scalar}`)
  return guarded(name)
}

const splatWord = ({ frame, wide }: Site, word: number): void => {
  if (wide) frame.words([word, word, word, word])
  else frame.i32(word)
}

const isNonZero =
  (kind: 'f32' | 'i32'): Spell =>
  (s) => {
    s.a()
    if (kind === 'f32' && !s.wide) s.frame.f32(0)
    else splatWord(s, 0)
    s.frame.emit(s.wide ? `${kind}x4.ne` : `${kind}.ne`)
  }

/** A bool is 1 or 0 as a scalar, all bits or none as a lane. */
const fromBool =
  (one: number): Spell =>
  (s) => {
    s.a()
    if (!s.wide) return
    splatWord(s, one)
    s.frame.emit('v128.and')
  }

/** Conversion by value; f16 is an f32 here, rounded by whoever asks for it. */
export const castSpelling = (from: Scalar, to: Scalar): Spell => {
  const [a, b] = [from === 'f16' ? 'f32' : from, to === 'f16' ? 'f32' : to]
  if (a === b) return same
  if (b === 'bool') return isNonZero(a === 'f32' ? 'f32' : 'i32')
  if (a === 'bool' && b === 'f32')
    return (s) => {
      fromBool(0x3f800000)(s)
      if (!s.wide) s.frame.emit('f32.convert_i32_u')
    }
  if (a === 'bool') return fromBool(1)
  if (a === 'f32')
    return b === 'i32'
      ? either('i32.trunc_sat_f32_s', 'i32x4.trunc_sat_f32x4_s')
      : either('i32.trunc_sat_f32_u', 'i32x4.trunc_sat_f32x4_u')
  if (b === 'f32')
    return a === 'i32'
      ? either('f32.convert_i32_s', 'f32x4.convert_i32x4_s')
      : either('f32.convert_i32_u', 'f32x4.convert_i32x4_u')
  return same
}
