/** What is counted in i32 goes as far as i32 goes, and no further: turns of loops, positions along axes, ranges. */
import { describe, expect, it } from 'vitest'
import * as T from '../../../../src/index.ts'
import { build } from '../../../../src/lang/build.ts'
import { nodeOf, tensorOf } from '../../../../src/lang/types/tensor.ts'
import { mistakeOf } from '../run.ts'

type X = T.Tensor
const last = 2 ** 31 - 1

/** How `f` of f32[4] is refused, in one line; '' where it compiles. */
const refusal = (f: (x: X) => unknown): string => {
  const made = T.compile(f as never, [T.spec([4])])
  return made._tag === 'Left' ? `${made.left.tag} ${T.showError(made.left).split('\n')[0]}` : ''
}

const add = (c: X): X => T.add(c, 1) as X
const scan = (length: number) => (x: X) => T.scan((c: X) => [add(c), []] as const, x, [], { length })[0]
const fori = (lower: number, upper: number) => (x: X) => T.foriLoop(lower, upper, (i, c: X) => T.add(c, i) as X, x)
const loop = (options: T.WhileOptions) => (x: X) => T.whileLoop((c: X) => T.all(T.less(c, 5)) as X, add, x, options)

const counted = (caller: string, what: string, n: number): string =>
  `UsageError ${caller}: ${what} is ${n}, and turns are counted in i32: ${last} at most`
const past = (lower: number, upper: number): string =>
  `UsageError T.foriLoop: the bounds ${lower} and ${upper} are past i32, in which turns are counted`

describe('turns', () => {
  it.each<[string, (x: X) => unknown, string]>([
    ['scan', scan(last), ''],
    ['scan, one more', scan(last + 1), counted('T.scan', 'length', last + 1)],
    ['scan, far more', scan(2 ** 40), counted('T.scan', 'length', 2 ** 40)],
    ['foriLoop to the last i32', fori(last - 1, last + 1), ''],
    ['foriLoop from the first i32', fori(-last - 1, -last + 1), ''],
    ['foriLoop past the last', fori(last - 1, last + 2), past(last - 1, last + 2)],
    ['foriLoop beyond the last', fori(last + 1, last + 1), past(last + 1, last + 1)],
    ['foriLoop before the first', fori(-last - 2, 0), past(-last - 2, 0)],
    ['foriLoop to before the first', fori(0, -last - 2), past(0, -last - 2)],
    ['foriLoop over more than half of i32', fori(-2, last), counted('T.foriLoop', 'the number of turns', last + 2)],
    ['whileLoop', loop({ maxIterations: last }), ''],
    ['whileLoop, one more', loop({ maxIterations: last + 1 }), counted('T.whileLoop', 'maxIterations', last + 1)],
    ['whileLoop by the chunk', loop({ chunk: last + 1 }), counted('T.whileLoop', 'chunk', last + 1)],
    [
      'slices that are one number',
      () => T.map((v: X) => v, T.broadcastTo(T.ones([]), [last + 1]) as X),
      counted('T.map', 'length', last + 1),
    ],
  ])('%s', (_, f, expected) => {
    expect(refusal(f)).toBe(expected)
  })

  it('of a scan that no function of ours made', () => {
    const body = { inputs: [], outputs: [nodeOf(T.ones([]))] }
    const node = build.scan([], { body, carries: 0, slices: 0, length: last + 1, reverse: false })
    expect(mistakeOf(tensorOf(node))).toMatchObject({ reason: `a scan has at most ${last} turns, not ${last + 1}` })
  })
})

describe('positions', () => {
  const row = (n: number, dtype: 'f32' | 'i32' = 'f32'): X => T.broadcastTo(T.ones([1], { dtype }), [n]) as X
  it.each<[string, (n: number) => X]>([
    ['argmax', (n) => T.argmax(row(n)) as X],
    ['argmin', (n) => T.argmin(row(n)) as X],
    ['argsort', (n) => T.argsort(row(n)) as X],
    ['cummax', (n) => T.cummax(row(n))[0] as X],
    ['an i32 count', (n) => T.sum(tensorOf(build.iota([], { shape: [n], dtype: 'i32', axis: 0 }))) as X],
  ])('of %s', (_, of) => {
    expect(T.isTensor(of(last + 1)) && of(last + 1).dtype).toBeTruthy()
    expect(refusal(() => of(last + 2))).toMatch(/^CheckError .*axis 0 of size 2147483649 has positions past i32$/)
  })

  it('of an f32 count may be more, and those of a sum', () => {
    expect(refusal(() => T.sum(T.arange(last + 9, { dtype: 'f32' })))).toBe('')
    expect(refusal(() => T.sum(row(last + 9)))).toBe('')
  })
})

describe('a range', () => {
  it.each<[string, () => X, string | undefined]>([
    ['to the last i32', () => T.arange(last - 1, last + 1) as X, undefined],
    ['past it', () => T.arange(last - 1, last + 2) as X, '2147483648 does not fit i32'],
    ['of many past it', () => T.arange(0, last + 9) as X, '2147483655 does not fit i32'],
    ['that starts before the first', () => T.arange(-last - 2, 0) as X, '-2147483649 does not fit i32'],
    ['of u8', () => T.arange(256, { dtype: 'u8' }) as X, undefined],
    ['past u8', () => T.arange(257, { dtype: 'u8' }) as X, '256 does not fit u8'],
    ['below u32', () => T.arange(3, -2, -1, { dtype: 'u32' }) as X, '-1 does not fit u32'],
    ['of nothing', () => T.arange(last + 9, last + 9) as X, undefined],
    ['of f32', () => T.arange(last + 1, last + 5, { dtype: 'f32' }) as X, undefined],
  ])('%s', (_, of, reason) => {
    if (reason === undefined) expect(of().shape).toHaveLength(1)
    else expect(mistakeOf(of())).toMatchObject({ tag: 'ShapeError', op: 'T.arange', reason })
  })
})

describe('a tensor of more elements than an index counts', () => {
  it('is found inside a loop too', () => {
    const inside = (x: X): X =>
      T.foriLoop(0, 3, (i, c: X) => T.add(c, T.sum(T.add(T.arange(5e9, { dtype: 'f32' }), i as X))) as X, x)
    expect(refusal(inside)).toBe('LimitError elements of a iota: needs 5000000000, the target allows 4294967295')
  })
})
