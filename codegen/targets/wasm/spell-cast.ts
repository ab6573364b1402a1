/** Conversions by value. */
import type { Scalar } from '../../kernel/kernel.ts'
import type { Instruction } from './instructions.ts'
import type { Site, Spell } from './site.ts'

const same: Spell = ({ a }) => a()

/** One instruction by the operand's width. */
const either =
  (one: Instruction, four: Instruction): Spell =>
  ({ frame, wide, a }) => {
    a()
    frame.emit(wide ? four : one)
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
