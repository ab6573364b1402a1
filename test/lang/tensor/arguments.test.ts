/** Arguments that are not what a function takes: a typed error that says what stands there and what should. */
import { describe, expect, test } from 'vitest'
import { TensorloomError } from '../../../src/lang/errors.ts'
import { forms } from '../../../src/lang/tensor/dual.ts'
import * as T from '../../../src/lang/tensor/index.ts'
import type { Tensor } from '../../../src/lang/types/tensor.ts'
import * as nn from '../../../src/nn/index.ts'
import { mistakeOf } from './run.ts'

/** Calls that the types forbid. */
type Loose = Readonly<Record<string, (...args: readonly unknown[]) => unknown>>
const loose = T as unknown as Loose
const functions: ReadonlyMap<string, Loose[string]> = new Map(
  Object.entries({ T: loose, nn: nn as unknown as Loose }).flatMap(([prefix, module]) =>
    Object.entries(module).map(([k, f]) => [`${prefix}.${k}`, f] as const),
  ),
)

const x = T.tensor([
  [1.5, 2],
  [3, 4],
])
const yes = T.tensor(true)
const same = <X>(v: X): X => v

const errorOf = (call: () => unknown): TensorloomError['error'] => {
  try {
    call()
  } catch (e) {
    if (e instanceof TensorloomError) return e.error
    throw e
  }
  return expect.unreachable('the call is accepted')
}

/** What is called, and what its error says; a hint that is not given is not looked at. */
type Case = readonly [name: string, run: () => unknown, message: string, hint: string]

const direct = (name: string, args: readonly unknown[], message: string, hint = ''): Case => [
  name,
  () => functions.get(name)!(...args),
  message,
  hint,
]

const curried = (name: string, args: readonly unknown[], message: string, hint = ''): Case => [
  `${name}, curried`,
  () => (functions.get(name)!(...args) as (x: unknown) => unknown)(x),
  message,
  hint,
]

const dtypes = 'the dtypes are f32, i32, u32, bool, f16, bf16, i8 and u8'
const traced = 'give a function of tensors, which is called once, to see what it computes'

const records: readonly Case[] = [
  direct('T.sum', [x, { dim: 1 }], "T.sum: there is no option 'dim'", 'it is called axis here'),
  curried('T.sum', [{ dim: 1 }], "T.sum: there is no option 'dim'", 'it is called axis here'),
  direct('T.sum', [x, 0], 'T.sum: 0 stands where a record of options is needed', 'it knows axis and keepdims'),
  curried('T.sum', [0], 'T.sum: 0 stands where a record of options is needed', 'it knows axis and keepdims'),
  direct('T.sum', [x, null], 'T.sum: null stands where a record of options is needed'),
  direct('T.sum', [x, x], 'T.sum: a tensor stands where a record of options is needed'),
  direct(
    'T.variance',
    [x, { unbiased: false }],
    "T.variance: there is no option 'unbiased'",
    'it is called correction here',
  ),
  direct('T.isclose', [x, x, 0.1], 'T.isclose: 0.1 stands where a record', 'it knows rtol, atol and equalNan'),
  curried('T.isclose', [x, { rtoll: 1 }], "T.isclose: there is no option 'rtoll'", 'it knows rtol, atol and equalNan'),
  direct('T.unfold', [x], "T.unfold: the option 'axis' is missing", 'it knows axis, size and step'),
  curried('T.unfold', [{ axis: 0 }], "T.unfold: the option 'size' is missing", 'it knows axis, size and step'),
  direct('T.round', [x, { decimals: 2 }], "T.round: there is no option 'decimals'", 'it knows none'),
  direct('T.zeros', [[2], 'f32'], "T.zeros: 'f32' stands where a record of options is needed", 'it knows dtype'),
  direct('T.arange', [3, 'f32'], "T.arange: 'f32' stands where a record of options is needed", 'it knows dtype'),
  direct('T.concat', [[x, x], 1], 'T.concat: 1 stands where a record of options is needed', 'it knows axis'),
  direct('T.scan', [(c: unknown, y: unknown) => [c, y], x, x, { len: 2 }], "T.scan: there is no option 'len'"),
  direct(
    'T.elementwise',
    [{ name: 'half' }],
    "elementwise: the part 'wgsl' is missing",
    'it knows name, wgsl, reference',
  ),
]

const counts: readonly Case[] = [
  direct(
    'T.sum',
    [x, { axis: 0 }, 1],
    'T.sum takes 1 argument and options, not 3',
    'write T.sum(x, …) or pipe(x, T.sum(…)); options go in one record at the end',
  ),
  direct(
    'T.reshape',
    [x, 2, 2],
    'T.reshape takes 2 arguments, not 3',
    'write T.reshape(x, …) or pipe(x, T.reshape(…))',
  ),
  direct('T.reshape', [x], 'T.reshape takes 2 arguments, not 1'),
  direct('T.reshape', [[[1, 2]], [2]], 'T.reshape: the first of 2 arguments is an array, not a tensor'),
  curried('T.swapaxes', [0], 'T.swapaxes takes 3 arguments (one fewer when curried), not 1'),
  direct('T.add', [x, x, x], 'T.add takes 2 arguments (one fewer when curried), not 3'),
  direct('T.arange', [1, 2, 3, 4], 'T.arange takes 1 to 3 numbers, then options, not (1, 2, 3, 4)'),
]

const others: readonly Case[] = [
  direct('T.zeros', [3], 'T.zeros: the shape is 3, not an array of sizes', 'write [3]'),
  direct('T.ones', [x], 'T.ones: the shape is a tensor, not an array of sizes', 'write [2, 3]'),
  direct('T.reshape', [x, 4], 'T.reshape: the shape is 4, not an array of sizes', 'write [4]'),
  curried('T.broadcastTo', ['2'], "T.broadcastTo: the shape is '2', not an array of sizes"),
  direct('T.concat', [x, x], 'T.concat takes an array of tensors, not a tensor', 'write T.concat([a, b])'),
  direct('T.stack', [same], 'T.stack takes an array of tensors, not a function', 'write T.stack([a, b])'),
  direct('T.repeat', [x, 2], 'T.repeat takes an array of counts, not 2', 'write T.repeat(x, [2, 1])'),
  curried('T.repeat', [2], 'T.repeat takes an array of counts, not 2', 'write T.repeat(x, [2, 1])'),
  direct('T.permuteDims', [x, 1], 'T.permuteDims takes an array of axes, not 1', 'write T.permuteDims(x, [1, 0])'),
  direct('T.split', [x, '2'], "T.split takes an array of sizes, not '2'", 'write T.split(x, 2) or T.split(x, [2, 3])'),
  direct('T.setAt', [x, 0, 1], 'T.setAt takes an array of indices, not 0'),
  direct('T.setAt', [x, [0], 'a'], "T.setAt: operand 3 is 'a', not a tensor"),
  direct('T.where', [yes, undefined, x], 'T.where: operand 2 is undefined, not a tensor'),
  direct('T.switch', [T.tensor(0), same, x], 'T.switch takes an array of functions, not a function'),
  direct('T.fft', [x], 'T.fft takes a pair [re, im], not a tensor', 'of a real tensor x write the pair'),
  direct('T.cond', [yes], 'T.cond: trueFn is undefined, not a function', traced),
  direct('T.cond', [yes, same, x, x], 'T.cond: falseFn is a tensor, not a function', traced),
  direct('T.scan', [x, x, x], 'T.scan: f is a tensor, not a function', traced),
  direct('T.foriLoop', [0, 3, {}, x], 'T.foriLoop: body is an object, not a function', traced),
  direct('T.cast', [x, 'float32'], "T.cast: 'float32' is not a dtype", "'f32' is the nearest one"),
  curried('T.cast', ['float32'], "T.cast: 'float32' is not a dtype", "'f32' is the nearest one"),
  direct('T.cast', [x, undefined], 'T.cast: undefined is not a dtype', dtypes),
  direct('T.full', [[2], 1, { dtype: 'word' }], "T.full: 'word' is not a dtype", dtypes),
  direct('T.full', [[2]], 'T.full: the value is undefined, not a number'),
  curried('T.fullLike', [{ dtype: 'i32' }], 'T.fullLike: the value is an object, not a number'),
  direct('T.pad', [x, [], { mode: 'mirror' }], "T.pad: the mode is 'mirror'", "it can be 'constant', 'reflect'"),
  direct('T.tensor', [x], 'T.tensor: the data is a tensor, not a number, a typed array or nested arrays of numbers'),
  direct('T.associativeScan', [() => yes, x], 'T.associativeScan: the carried value is f32[1, 2] and becomes bool[]'),
  direct('T.tensordot', [x, x, { axes: [0, 1] }], 'T.tensordot: axes is neither a number nor two lists of axes'),
  direct('T.einsum', [x, 'ij'], 'T.einsum: the equation is a tensor, not a string'),
]

describe('a UsageError', () => {
  test.each([...records, ...counts, ...others])('of %s', (_, run, message, hint) => {
    expect(errorOf(run)).toMatchObject({ tag: 'UsageError', message: expect.stringContaining(message) })
    if (hint !== '') expect(errorOf(run)).toMatchObject({ hint: expect.stringContaining(hint) })
  })

  const withOptions = [...forms].flatMap(([name, form]) => (form.options ? [[name, form] as const] : []))

  test.each(withOptions)('%s knows its options, direct and curried', (name, { count, options }) => {
    const record = { nosuchoption: 1 }
    const rest = Array.from({ length: count - 1 }, () => 0)
    for (const args of [
      [x, ...rest, record],
      [...rest, record],
    ])
      expect(errorOf(() => functions.get(name)!(...args))).toEqual({
        tag: 'UsageError',
        message: `${name}: there is no option 'nosuchoption'`,
        hint: expect.stringContaining(`it knows ${Object.keys(options!)[0]}`),
      })
  })
})

describe('an axis', () => {
  test.each([
    ['x', "axis is 'x', not a number or an array of numbers"],
    [null, 'axis is null, not a number or an array of numbers'],
    [x, 'axis is a tensor, not a number or an array of numbers'],
    [[0, 'x'], 'an axis is a whole number'],
    [0.5, 'axis 0.5 is out of range for rank 2'],
  ])('that is none is a mistake: case %#', (axis, reason) => {
    expect(mistakeOf(loose['sum']!(x, { axis }) as Tensor)).toMatchObject({ op: 'T.sum', reason })
  })

  test('is one number where one is taken', () => {
    expect(mistakeOf(loose['concat']!([x, x], { axis: [0] }) as Tensor).reason).toBe('an axis is a whole number')
  })
})

describe('what is allowed', () => {
  test('options that are undefined count as absent', () => {
    expect(T.sum(x, undefined)).toBe(T.sum(x))
    expect(loose['sum']!(x, { axis: undefined })).toBe(T.sum(x))
    expect(loose['isclose']!(x, x, undefined)).toBe(T.isclose(x, x))
  })

  test('functions of one tensor go through the map of arrays', () => {
    expect([x].map(T.exp)).toEqual([T.exp(x)])
  })
})
