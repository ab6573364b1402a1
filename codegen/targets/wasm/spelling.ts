/**
 * The spelling of each elementwise operation on each scalar type: an instruction where WebAssembly defines the operation as
 * the op table has it, a few of them, or the operation's kernel function.
 */
import { invariant } from '../../../src/lang/errors.ts'
import type { BinaryOp, UnaryOp } from '../../../src/lang/ir.ts'
import { elementwiseFunctions } from '../../kernel/functions/elementwise.ts'
import type { FunctionName } from '../../kernel/functions/table.ts'
import type { Scalar } from '../../kernel/kernel.ts'
import type { Instruction } from './instructions.ts'
import type { Site, Spell } from './site.ts'
import {
  absInteger,
  byPower,
  divideSigned,
  divideUnsigned,
  extremeInteger,
  lanewise,
  negateInteger,
  remainder,
  shift,
  signInteger,
  signUnsigned,
} from './spell-integer.ts'

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
