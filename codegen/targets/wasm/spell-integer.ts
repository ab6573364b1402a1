/** Integer operations: WebAssembly traps or differs where the op table does not, and has no vector form of some. */
import type { Spell } from './site.ts'

/** Operand `a`, four scalars at a time: WebAssembly has no vector form. */
export const lanewise =
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

export const negateInteger: Spell = ({ frame, wide, a }) => {
  if (wide) {
    a()
    frame.emit('i32x4.neg')
    return
  }
  frame.i32(0)
  a()
  frame.emit('i32.sub')
}

export const absInteger: Spell = ({ frame, wide, a, held }) => {
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
export const signInteger: Spell = lanewise(({ frame, a, held }) => {
  const x = held(a, 'i32')
  frame.get(x)
  frame.i32(0)
  frame.emit('i32.gt_s')
  frame.get(x)
  frame.i32(0)
  frame.emit('i32.lt_s')
  frame.emit('i32.sub')
})

export const signUnsigned: Spell = lanewise(({ frame, a }) => {
  a()
  frame.i32(0)
  frame.emit('i32.ne')
})

/** x / 0 is x, MIN / -1 is MIN: WebAssembly would trap. */
export const divideSigned: Spell = lanewise(({ frame, a, b, constant, held }) => {
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
export const remainder =
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

export const divideUnsigned: Spell = lanewise(({ frame, a, b, constant, held }) => {
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
export const byPower =
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
export const shift = (name: 'shl' | 'shr_u' | 'shr_s'): Spell => {
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

export const extremeInteger =
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
