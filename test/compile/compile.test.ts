/** What `compile` and its kin do not take: a typed error before the function is traced. */
import { describe, expect, it } from 'vitest'
import * as E from '#fp/Either'
import * as T from '../../src/index.ts'
import { sharedDevice } from '../device.ts'

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
      "compile: there is no option 'profle'\n  hint: it knows donate, keep, profile, subnormals, provenance, checkNumerics, name, cache, progress and fastMath",
    ],
    [
      { profile: 'software' },
      "compile: the profile is 'software'\n  hint: take one of T.profiles, or T.profileOf(device)",
    ],
    [{ subnormals: true }, "compile: subnormals is true\n  hint: write 'keep' or 'device'"],
    [{ donate: ['0'] }, "compile: donate[0] is '0', not a number\n  hint: write { donate: [0] }"],
    [{ keep: [0] }, "compile: keep[0] is 0, not a path\n  hint: write { keep: ['state'] }"],
    [
      { profile: {} },
      "compile: the profile's name is undefined\n  hint: take one of T.profiles, or T.profileOf(device)",
    ],
    [
      { profile: { ...T.portable, costs: { ...T.portable.costs, text: undefined } } },
      "compile: the profile's costs.text is undefined\n  hint: take one of T.profiles, or T.profileOf(device)",
    ],
    [{ fastMath: 'no' }, "compile: the option 'fastMath' is 'no', not true or false\n  hint: write { fastMath: true }"],
    [{ name: 5 }, "compile: the name is 5, not a string\n  hint: write { name: 'step' }"],
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

describe('what a program is made of', () => {
  it('mistakes inside a derivative, a batch or a loop come first, all of them', () => {
    const wrong = (x: T.Tensor): T.Tensor => T.sum(T.add(x, T.zeros([7]))) as T.Tensor
    const inside: readonly ((a: T.Tensor) => unknown)[] = [
      T.grad(wrong as never),
      T.valueAndGrad(wrong as never),
      (a) => T.vmap(wrong)(T.reshape(a, [1, 3]) as never),
      (a) => T.foriLoop(0, 2, (_i, c: T.Tensor) => T.mul(c, wrong(c)) as T.Tensor, a),
    ]
    for (const f of inside) {
      const both = (a: T.Tensor): unknown => [f(a), T.sum(a, { axis: 7 })]
      const text = textOf(T.compile(both as never, [T.spec([3])]))
      expect(text).toMatch(/T\.add: shapes \[3\] and \[7\] do not broadcast/)
      expect(text).toMatch(/T\.sum: axis 7 is out of range/)
    }
  })

  it('is its own arguments: a tensor of another trace is no value', () => {
    let leaked: T.Tensor | undefined
    T.compile((x: T.Tensor) => (leaked = T.exp(x)), [T.spec([3])])
    const made = T.compile((y: T.Tensor) => T.add(y, leaked!), [T.spec([3])])
    expect(textOf(made as T.Compiled)).toMatch(/^compile: the program uses a tensor of another function.*\(f32\[3\]\)/)
  })

  it('keeps only results that there are, empty ones too', () => {
    const pair = (x: T.Tensor): unknown => ({ a: T.exp(x), none: [], list: [T.neg(x)] })
    const keeping = (...keep: readonly string[]): string =>
      textOf(T.compile(pair as never, [T.spec([3])], { keep }) as T.Compiled)
    expect([keeping('a'), keeping('none'), keeping('list[0]'), keeping('list')]).toEqual(Array(4).fill('no error'))
    expect(keeping('b')).toBe("compile: there is no result at 'b' to keep\n  hint: results are at a, list[0]")
    expect(keeping('list[1]')).toContain('no result')
  })

  it('says on which line a wrong option stands', () => {
    const made = T.compile((x: T.Tensor) => T.sum(x, { dim: 0 } as never), [T.spec([3])])
    expect(made).toMatchObject({ left: { site: { file: expect.stringContaining('compile.test.ts') } } })
  })

  it('takes constant and host tensors of its own shapes', async () => {
    const sums = await T.compileOn(await T.defaultDevice(), (x: T.Tensor) => T.sum(x, { axis: 1 }), [T.spec([3, 2])])
    const numbers = { shape: [2, 3], dtype: 'f32', data: Float32Array.of(1, 2, 3, 4, 5, 6) } as const
    const wrong = '[0]: got shape [2, 3], f32[3, 2] was expected'
    await expect(sums.run(numbers)).rejects.toThrow(wrong)
    await expect(sums.run(T.fromArray(numbers.data, [2, 3]))).rejects.toThrow(wrong)
    const out = await sums.run({ ...numbers, shape: [3, 2] })
    expect(Array.from(await out.read())).toEqual([3, 7, 11])
  })
})

describe('jit and compileOn', () => {
  it('know the options of compile', async () => {
    const hint =
      'it knows donate, keep, profile, subnormals, provenance, checkNumerics, name, cache, progress and fastMath'
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

describe('load and reload', () => {
  it('want a device that openDevice or adoptDevice gave', async () => {
    const program = T.orThrow(T.compile(f, specs))
    const device = await sharedDevice()
    const loaded = await T.toPromise(program.load(device))
    for (const [caller, go] of [
      ['load', program.load],
      ['reload', loaded.reload],
    ] as const) {
      const refused = (on: unknown): Promise<unknown> => T.toPromise(go(on as never)).catch((e: Error) => e)
      expect(await refused({})).toEqual(
        usage(
          `${caller}: the first argument is an object, not a device`,
          'wait for one first: await T.defaultDevice()',
        ),
      )
      expect(await refused(device.gpu)).toEqual(
        usage(`${caller}: the first argument is a bare GPUDevice, not a device`, 'wrap it with T.adoptDevice'),
      )
    }
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
