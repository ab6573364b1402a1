/** One plan for every size of an axis: the issue's own programs, on both back ends, against plans of known sizes. */
import { describe, expect, it } from 'vitest'
import type { Program } from '../../src/compile/compile.ts'
import * as T from '../../src/index.ts'
import { sizeOf } from '../../src/lang/dim.ts'
import type { NamedSize } from '../../src/lang/size.ts'
import * as nn from '../../src/nn/index.ts'
import type { Device } from '../../src/runtime/device.ts'
import { eachDevice } from '../runtime/each-device.ts'

type Sizes = readonly (number | NamedSize)[]

/** A program, the shapes of its arguments, and how many classes its integers name. */
interface Case {
  readonly name: string
  readonly f: (...args: never[]) => unknown
  readonly shapes: (n: number | NamedSize) => readonly Sizes[]
  readonly integers?: readonly number[]
}

const [B, L] = [T.dim('batch', { max: 512 }), T.dim('length', { max: 512 })]

const mlp = (w1: T.Tensor, b1: T.Tensor, w2: T.Tensor, x: T.Tensor, y: T.Tensor) => {
  const loss = (p: readonly T.Tensor[]): T.Tensor => {
    const h = T.relu(T.add(T.matmul(x, p[0]!), p[1]!))
    return nn.crossEntropy(T.matmul(h, p[2]!), y as T.Tensor<readonly [number], 'i32'>)
  }
  const [value, grads] = T.valueAndGrad(loss)([w1, b1, w2])
  return { value, next: [w1, b1, w2].map((p, i) => T.sub(p, T.mul(0.1, grads[i]!))) }
}

const cnn = (k: T.Tensor, w: T.Tensor, x: T.Tensor): T.Tensor => {
  const h = nn.maxPool2d(T.relu(nn.conv2d(x, { weight: k }, { padding: 1 })), { kernelSize: 2 })
  return nn.softmax(T.matmul(T.reshape(h, [x.shape[0]!, -1]), w))
}

const attention = (q: T.Tensor, k: T.Tensor, v: T.Tensor): T.Tensor =>
  nn.scaledDotProductAttention(q, k, v, { causal: true })

const cases: readonly Case[] = [
  {
    name: 'a training step of an MLP',
    f: mlp as never,
    shapes: (n) => [[12, 16], [16], [16, 10], [n, 12], [n]],
    integers: [4],
  },
  {
    name: 'a prediction of a CNN',
    f: cnn as never,
    shapes: (n) => [
      [3, 1, 3, 3],
      [48, 5],
      [n, 1, 8, 8],
    ],
  },
  {
    name: 'causal attention',
    f: attention as never,
    shapes: (n) => [
      [2, n, 4],
      [2, n, 4],
      [2, n, 4],
    ],
  },
]

const valuesOf = (shape: readonly number[], seed: number, integers: boolean): Float32Array | Int32Array =>
  integers
    ? Int32Array.from({ length: sizeOf(shape) }, (_, i) => (i * 7 + seed) % 10)
    : Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i * 0.7 + seed) + 0.05 * Math.cos(i * i))

const loaded = async ({ f, shapes, integers = [] }: Case, n: number | NamedSize, device: Device) => {
  const specs = shapes(n).map((shape, i) => T.spec(shape, integers.includes(i) ? 'i32' : 'f32'))
  const program = T.orThrow(T.compile(f, specs as never)) as unknown as Program<readonly unknown[], unknown>
  return T.toPromise(program.load(device))
}

const arraysOf = async (tree: unknown): Promise<readonly (readonly [readonly number[], ArrayLike<number>])[]> => {
  const { leaves } = T.flattenTree(tree, T.isHandle)
  return Promise.all(leaves.map(async (h) => [h.shape, await (h as T.Output).read()] as const))
}

describe.each(eachDevice)('on the $name', ({ name, shared }) => {
  it.each(cases)('one plan runs $name of every size', async (program) => {
    const device = await shared()
    const any = await loaded(program, program.name === 'causal attention' ? L : B, device)
    const { integers = [] } = program
    for (const n of name === 'cpu' ? [7, 1, 512, 64] : [7, 64]) {
      const known = await loaded(program, n, device)
      const args = program
        .shapes(n)
        .map((shape, i) => ({ shape, data: valuesOf(shape as readonly number[], i, integers.includes(i)) }))
      const [got, wanted] = [await arraysOf(await any.run(...args)), await arraysOf(await known.run(...args))]
      for (const [o, [shape, values]] of wanted.entries()) {
        expect(got[o]![0]).toEqual(shape)
        if (name === 'cpu') expect(got[o]![1]).toEqual(values)
        else for (let i = 0; i < values.length; i++) expect(got[o]![1][i]).toBeCloseTo(values[i]!, 5)
      }
    }
  })
})

it('sums from the end have the bits of known sizes', async () => {
  const device = await eachDevice.find((d) => d.name === 'cpu')!.shared()
  const program: Case = {
    name: 'sums from the end',
    f: ((x: T.Tensor) => T.cumsum(x, { axis: 0, reverse: true })) as never,
    shapes: (n) => [[n, 3]],
  }
  const any = await loaded(program, T.dim('n', { max: 40 }), device)
  const known = await loaded(program, 39, device)
  const data = valuesOf([39, 3], 1, false)
  expect(await arraysOf(await any.run({ shape: [39, 3], data }))).toEqual(await arraysOf(await known.run(data)))
})

const compiled = async (f: (...args: never[]) => unknown, specs: readonly T.Spec[], device: Device, options = {}) => {
  const program = T.orThrow(T.compile(f, specs as never, options)) as unknown as Program<readonly unknown[], unknown>
  return T.toPromise(program.load(device))
}

const read = async (x: unknown): Promise<readonly number[]> => Array.from(await (x as T.Output).read())

describe.each(eachDevice)('sizes of a run on the $name', ({ shared }) => {
  const n = T.dim('n', { max: 6 })
  const double = async () => compiled((x: T.Tensor) => T.mul(x, 2), [T.spec([n, 2])], await shared())

  it('are those of flat arrays, tensors, host tensors and results', async () => {
    const program = await double()
    expect(await read(await program.run([1, 2, 3, 4]))).toEqual([2, 4, 6, 8])
    const tensor = (await program.run(T.tensor([[1, 2]], { dtype: 'f32' }))) as T.Output
    expect([tensor.shape, await read(tensor)]).toEqual([
      [1, 2],
      [2, 4],
    ])
    const again = (await program.run(tensor)) as T.Output
    expect([again.shape, await read(again)]).toEqual([
      [1, 2],
      [4, 8],
    ])
    expect(await read(await program.run({ shape: [3, 2], data: [1, 2, 3, 4, 5, 6] }))).toEqual([2, 4, 6, 8, 10, 12])
    const none = (await program.run([])) as T.Output
    expect([none.shape, await read(none)]).toEqual([[0, 2], []])
  })

  it('go on from run to run on the device, whoever made what is given', async () => {
    const device = await shared()
    const keep = { keep: true }
    const any = await compiled((x: T.Tensor) => T.add(x, 1), [T.spec([n, 2])], device, keep)
    const known = await compiled((x: T.Tensor) => T.mul(x, 10), [T.spec([2, 2])], device, keep)
    const two = (await any.run([1, 2, 3, 4])) as T.Output
    const tens = await known.run(two)
    expect(await read(await any.run(tens))).toEqual([21, 31, 41, 51])
    expect(await read(await any.run(await T.put(T.tensor([[5, 6]], { dtype: 'f32' }), { device })))).toEqual([6, 7])
  })

  it('are kept by what is given away', async () => {
    const device = await shared()
    const step = await compiled((x: T.Tensor) => T.add(x, T.sum(x)), [T.spec([n])], device, { donate: [0] })
    let state: unknown = await step.run([1, 2, 3])
    state = await step.run(state)
    expect(await read(state)).toEqual([31, 32, 33])
    expect(await read(await step.run([1]))).toEqual([2])
    expect(await read(state)).toEqual([31, 32, 33])
  })

  it('may be of any axis: rows are put in their places and gathered', async () => {
    const device = await shared()
    const f = (x: T.Tensor): unknown => ({ y: T.add(x, 1), sums: T.sum(x, { axis: 1 }), t: T.swapaxes(x, 0, 1) })
    const program = await compiled(f, [T.spec([2, n])], device, { keep: ['y'] })
    const { y, sums, t } = (await program.run([1, 2, 3, 4, 5, 6])) as Readonly<Record<string, T.Output>>
    expect([y!.shape, await read(y)]).toEqual([
      [2, 3],
      [2, 3, 4, 5, 6, 7],
    ])
    expect(await read(sums)).toEqual([6, 15])
    expect([t!.shape, await read(t)]).toEqual([
      [3, 2],
      [1, 4, 2, 5, 3, 6],
    ])
    const next = (await program.run(y)) as Readonly<Record<string, T.Output>>
    expect(await read(next['sums'])).toEqual([9, 18])
    const known = await compiled((x: T.Tensor) => T.sum(x), [T.spec([2, 3])], device)
    await expect(known.run(y)).rejects.toThrow(/laid out for other bounds[\s\S]*read\(\)/)
  })

  it('of two names are told apart, and must agree where they are one', async () => {
    const [a, b] = [T.dim('a', { max: 4 }), T.dim('b', { max: 8 })]
    const product = (x: T.Tensor, y: T.Tensor): T.Tensor => T.mul(T.expandDims(x, 1), y)
    const outer = await compiled(product, [T.spec([a]), T.spec([b])], await shared())
    const result = (await outer.run([1, 2], [3, 4, 5])) as T.Output
    expect([result.shape, await read(result)]).toEqual([
      [2, 3],
      [3, 4, 5, 6, 8, 10],
    ])
    const both = await compiled((x: T.Tensor, y: T.Tensor) => T.add(x, y), [T.spec([a]), T.spec([a])], await shared())
    await expect(both.run([1, 2], [1, 2, 3])).rejects.toThrow("[1]: has 3 for 'a', where [0] has 2")
  })

  it('are refused outside of their bounds, and where nobody can tell them', async () => {
    const program = await double()
    const error = async (...args: readonly unknown[]): Promise<unknown> =>
      program.run(...args).then(
        () => 'nothing',
        (e: T.TensorloomError) => e.error,
      )
    expect(await error(new Float32Array(14))).toMatchObject({
      tag: 'ArgumentError',
      path: '[0]',
      reason: "has 7 for 'n', which is at most 6 in this program",
      hint: expect.stringContaining("T.dim('n', { max: 7 })"),
    })
    expect(await error(new Float32Array(3))).toMatchObject({ reason: expect.stringContaining('no whole rows of 2') })
    expect(await error({ shape: [2, 3], data: new Float32Array(6) })).toMatchObject({
      reason: 'got shape [2, 3], f32[n, 2] was expected',
    })
    expect(() => T.zeros([n, 2] as never)).toThrow(
      "T.zeros: the size 'n' is known only when a program runs, and stands in its spec alone",
    )
    expect(await error(undefined)).toMatchObject({ reason: 'missing: the program takes a f32[n, 2] here' })
    const last = await compiled((x: T.Tensor) => T.at(x, -1), [T.spec([n, 2])], await shared())
    await expect(last.run([])).rejects.toThrow("has 0 for 'n', of which the program needs 1 at least")
    const square = await compiled((x: T.Tensor) => T.sum(x), [T.spec([n, T.dim('m', { max: 4 })])], await shared())
    await expect(square.run([1, 2, 3, 4])).rejects.toThrow(/does not say the sizes of f32\[n, m\][\s\S]*shape, data/)
    expect(await read(await square.run({ shape: [2, 2], data: [1, 2, 3, 4] }))).toEqual([10])
  })

  it('bound the indices of a run', async () => {
    const pick = (x: T.Tensor, i: T.Tensor): T.Tensor => T.take(x, i as T.Tensor<T.Shape, 'i32'>, { axis: 0 })
    const program = await compiled(pick, [T.spec([n]), T.spec([2], 'i32')], await shared())
    expect(await read(await program.run([5, 6, 7], [2, 0]))).toEqual([7, 5])
    await expect(program.run([5, 6, 7], [3, 0])).rejects.toMatchObject({
      error: { tag: 'IndexError', index: 3, size: 3 },
    })
  })

  it('are what a program may choose by: loops end early only where nothing would be added', async () => {
    const choose = (y: T.Tensor, end: number, other: number): T.Tensor => T.where(T.less(T.arange(6), end), y, other)
    const f = (x: T.Tensor, y: T.Tensor): unknown => [
      T.sum(x),
      T.sum(choose(y, x.shape[0]!, 7)),
      T.max(choose(y, x.shape[0]!, 9)),
      T.variance(choose(y, x.shape[0]!, 0)),
      T.max(choose(y, x.shape[0]! - 4, Number.NEGATIVE_INFINITY)),
      T.sum(T.pad(x, [[0, 6 - x.shape[0]!]], { value: 5 })),
      T.matmul(choose(y, x.shape[0]!, 2), choose(y, x.shape[0]!, 3)),
    ]
    const program = await compiled(f, [T.spec([n]), T.spec([6])], await shared())
    const results = async (x: readonly number[]): Promise<readonly number[]> => {
      const all = (await program.run(x, [1, 2, 3, 4, 5, 6])) as readonly T.Output[]
      return (await Promise.all(all.map(read))).flat()
    }
    expect(await results([1, 1, 1, 1, 1, 1])).toEqual([6, 21, 6, 35 / 12, 2, 6, 91].map(Math.fround))
    expect(await results([1, 1])).toEqual([2, 31, 9, 7 / 12, -Infinity, 22, 29].map(Math.fround))
  })

  it('bound what is checked along any axis', async () => {
    const program = await compiled((x: T.Tensor) => T.log(x), [T.spec([2, n])], await shared(), { checkNumerics: true })
    await program.run([1, 1, 1, 1, 0.5, 1])
    await expect(program.run([1, 1, 0, 1])).rejects.toMatchObject({ error: { tag: 'NumericsError', position: [1, 0] } })
  })

  it('bound what is checked and printed', async () => {
    const device = await shared()
    const logs = (x: T.Tensor): T.Tensor => T.sum(T.log(x))
    const program = await compiled(logs, [T.spec([n])], device, { checkNumerics: true })
    // What lies behind the elements of a run is no number that is looked at.
    expect((await read(await program.run([1, 1, 1, 1])))[0]).toBe(0)
    expect((await read(await program.run([1])))[0]).toBe(0)
    await expect(program.run([1, 0])).rejects.toMatchObject({ error: { tag: 'NumericsError' } })
  })
})
