/** A function of the module while its body is written: the bytes so far, and its locals. */
import type { KType } from '../../kernel/kernel.ts'
import { type Bytes, floatBits, joined, signed, sized, unsigned, vector, wordBytes } from './encode.ts'
import { type Instruction, instructions, type ValueType, valueType } from './instructions.ts'

/** What a value of a kernel is on the stack: an f16 is an f32, a bool or an integer an i32; all vectors are v128. */
export const typeOf = ({ scalar, width }: KType): ValueType =>
  width > 1 ? 'v128' : scalar === 'f32' || scalar === 'f16' ? 'f32' : 'i32'

export interface Frame {
  readonly emit: (i: Instruction, ...immediates: readonly (readonly number[])[]) => void
  /** A new local. */
  readonly local: (type: ValueType) => number
  readonly get: (local: number) => void
  readonly set: (local: number) => void
  readonly tee: (local: number) => void
  readonly i32: (x: number) => void
  readonly f32: (x: number) => void
  /** A vector of four words. */
  readonly words: (words: readonly number[]) => void
  /** `body` between an instruction that opens a block and `end`. */
  readonly within: (i: 'block' | 'loop' | 'if', result: ValueType | 'none', body: () => void) => void
  /** The function's entry in the code section. */
  readonly code: () => Bytes
}

/** An empty body of a function with `params` parameters, which are its first locals. */
export const makeFrame = (params: number): Frame => {
  const out: number[] = []
  const locals: ValueType[] = []
  const emit: Frame['emit'] = (i, ...immediates) => {
    for (const byte of instructions[i]) out.push(byte)
    for (const bytes of immediates) for (const byte of bytes) out.push(byte)
  }
  return {
    emit,
    local: (type) => params + locals.push(type) - 1,
    get: (local) => emit('local.get', unsigned(local)),
    set: (local) => emit('local.set', unsigned(local)),
    tee: (local) => emit('local.tee', unsigned(local)),
    i32: (x) => emit('i32.const', signed(x)),
    f32: (x) => emit('f32.const', wordBytes(floatBits(x))),
    words: (words) => emit('v128.const', ...words.map(wordBytes)),
    within: (i, result, body) => {
      emit(i, [valueType[result]])
      body()
      emit('end')
    },
    code: () => {
      const runs: (readonly number[])[] = []
      for (let at = 0; at < locals.length; ) {
        let end = at
        while (locals[end] === locals[at]) end += 1
        runs.push([...unsigned(end - at), valueType[locals[at]!]])
        at = end
      }
      return sized(joined([vector(runs), out, instructions.end]))
    },
  }
}
