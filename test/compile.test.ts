/** What `compile` and its kin do not take: a typed error before the function is traced. */
import { describe, expect, it } from 'vitest'
import * as E from '#fp/Either'
import * as T from '../src/index.ts'

const f = (x: T.Tensor): T.Tensor => T.mul(x, 2)
const specs = [T.spec([2])] as const

/** What a Left says, without the line that it names. */
const textOf = (result: T.Compiled): string =>
  E.isLeft(result) ? T.showError(result.left).replace(/\n {2}at [^\n]*/, '') : 'no error'

const usage = (message: string, hint: string): T.TensorloomError =>
  new T.TensorloomError({ tag: 'UsageError', message, hint })

describe('compile', () => {
  const cases: readonly (readonly [options: object, text: string])[] = [
    [
      { profle: T.portable },
      "compile: there is no option 'profle'\n  hint: it knows donate, keep, profile, name and fastMath",
    ],
    [
      { profile: 'software' },
      "compile: the profile is 'software'\n  hint: take one of T.profiles, or T.profileOf(device)",
    ],
    [{ donate: 0 }, "compile takes an array of argument numbers in 'donate', not 0\n  hint: write { donate: [0] }"],
    [{ keep: 'state' }, "compile takes an array of paths in 'keep', not 'state'\n  hint: write { keep: ['state'] }"],
    [
      { donate: [1] },
      'compile: there is no argument 1 to donate, the function takes 1\n  hint: donate counts arguments from 0',
    ],
  ]
  it.each(cases)('%j', (options, text) => {
    expect(textOf(T.compile(f, specs, options))).toBe(text)
  })

  it('wants a function and a list of specs', () => {
    expect(textOf(T.compile(specs as never, f as never))).toMatch(
      /^compile: the function to compile is an array, not a function\n/,
    )
    expect(textOf(T.compile(f, T.spec([2]) as never))).toBe(
      'compile takes an array of specs, not an object\n  hint: write compile(f, [T.spec([2, 3])])',
    )
  })
})

describe('spec', () => {
  it('wants a shape and a dtype', () => {
    expect(() => T.spec(3 as never)).toThrow(usage('spec: the shape is 3, not an array of sizes', 'write [3]'))
    expect(() => T.spec([3], 'float32' as never)).toThrow(
      usage("spec: 'float32' is not a dtype", "'f32' is the nearest one"),
    )
  })
})

describe('jit and compileOn', () => {
  it('know the options of compile', async () => {
    const hint = 'it knows donate, keep, profile, name and fastMath'
    expect(() => T.jit(f, { profle: T.portable } as never)).toThrow(usage("jit: there is no option 'profle'", hint))
    await expect(T.compileOn({ gpu: {} } as never, f, specs, { nme: 'f' } as never)).rejects.toThrow(
      usage("compileOn: there is no option 'nme'", hint),
    )
  })

  it('want a function, and a device', async () => {
    expect(() => T.jit(T.ones([2]) as never)).toThrow('jit: the function to compile is a tensor, not a function')
    await expect(T.compileOn(f as never, f, specs)).rejects.toThrow(
      usage('compileOn: the first argument is a function, not a device', 'wait for one first: await T.defaultDevice()'),
    )
  })
})

describe('showGraph and showValue', () => {
  it('know their options', () => {
    const value = T.reference(T.ones([1]))
    expect(() => T.showValue(value, { digits: 2 } as never)).toThrow(
      usage("showValue: there is no option 'digits'", 'it knows precision, threshold, edgeItems and lineWidth'),
    )
    expect(() => T.showGraph({ inputs: [], outputs: [] }, true as never)).toThrow(
      usage('showGraph: true stands where a record of options is needed', 'it knows elide'),
    )
  })
})
