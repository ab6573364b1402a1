/** State of any type: what starts a loop, what a run gives and what the next one takes are one type, and one tree. */
import { describe, expect, expectTypeOf, test } from 'vitest'
import * as T from '../../src/index.ts'
import * as nn from '../../src/nn/index.ts'
import * as optim from '../../src/optim/index.ts'
import * as random from '../../src/random/index.ts'
import { sharedProcessor } from '../device.ts'

/** A trainer that knows nothing of the model. */
const fitted = async <P extends T.TensorTree>(
  start: P,
  loss: (p: P, x: T.Tensor) => T.Tensor,
  batches: readonly (readonly number[])[],
): Promise<P> => {
  const o = optim.sgd(0.1)
  const step = (s: { p: P; o: optim.OptimiserState }, x: T.Tensor) => {
    const next = o.update(s.p, T.grad(loss)(s.p, x), s.o)
    return { p: next.params, o: next.state }
  }
  const first = { p: start, o: o.init(start) }
  const program = await T.compileOn(await T.defaultDevice(), step, [first, T.spec([2])])
  let state = first
  for (const x of batches) state = await program.run(state, x)
  return state.p
}

interface Layer {
  weight: T.Tensor<readonly [2], 'f32'>
  bias?: T.Tensor<readonly [], 'f32'> | undefined
}
interface Model {
  layers: Layer[]
  named: Record<string, Layer>
  readonly pair: readonly [T.Tensor<readonly [2], 'f32'>, null]
}

const weight = T.tensor([0.5, -0.5])
const model: Model = {
  named: { z: { weight }, a: { weight, bias: undefined } },
  layers: [{ weight, bias: T.tensor(0.25) }, { weight }],
  pair: [weight, null],
}

const apply = ({ weight, bias }: Layer, x: T.Tensor): T.Tensor =>
  bias ? T.add(T.sum(T.mul(weight, x)), bias) : T.sum(T.mul(weight, x))

const loss = (m: Model, x: T.Tensor): T.Tensor => {
  const all = [...m.layers, ...Object.values(m.named), { weight: m.pair[0] }]
  return T.sum(T.stack(all.map((l) => T.square(apply(l, x)))))
}

describe('a trainer for any model', () => {
  const batches = [
    [1, 0.5],
    [-0.5, 2],
  ]
  /** The same steps by the interpreter. */
  const wanted = (): Model => {
    let m = model
    for (const x of batches) m = optim.sgd(0.1).update(m, T.grad(loss)(m, T.tensor(x)), optim.sgd(0.1).init(m)).params
    return m
  }

  test('lists, interfaces, records, absent leaves and null go through compile, run, grad and an optimiser', async () => {
    const got = await fitted(model, loss, batches)
    const want = T.reference(wanted())
    const read = await T.read(got)
    expect(Object.keys(read)).toEqual(['named', 'layers', 'pair'])
    expect(Object.keys(read.named)).toEqual(['z', 'a'])
    expect(Object.entries(read.named['a']!)).toHaveLength(2)
    expect(read.named['a']!.bias).toBeUndefined()
    expect(read.pair[1]).toBeNull()
    const close = (a: Float32Array | undefined, b: T.HostTensor | undefined): void => {
      expect(a).toBeInstanceOf(Float32Array)
      for (const [i, x] of b!.data.entries()) expect(a![i]).toBeCloseTo(x, 5)
    }
    close(read.layers[0]!.bias, want.layers[0]!.bias)
    for (const i of [0, 1]) close(read.layers[i]!.weight, want.layers[i]!.weight)
    for (const k of ['z', 'a']) close(read.named[k]!.weight, want.named[k]!.weight)
    close(read.pair[0], want.pair[0])
  })

  test('layers in a list that grows, as users write them', async () => {
    const keys = random.splitList(random.key(0), 3)
    const layers = keys.map((k) => nn.linearInit(k, 2, 2))
    const net = (ls: typeof layers, x: T.Tensor): T.Tensor => ls.reduce((h, l) => T.tanh(nn.linear(h, l)), x)
    const program = await T.compileOn(await T.defaultDevice(), net, [layers, T.spec([1, 2])])
    const out = await program.run(layers, [1, 2])
    const want = T.reference(net(layers, T.tensor([[1, 2]], { dtype: 'f32' })))
    for (const [i, x] of (await out.read()).entries()) expect(x).toBeCloseTo(want.data[i]!, 5)
  })
})

describe('one let for a loop', () => {
  test('tensors, then what runs gave', async () => {
    const start = { n: T.tensor(0), w: T.zeros([2]) }
    const step = (s: typeof start) => ({ n: T.add(s.n, 1), w: T.add(s.w, 0.5) })
    const program = await T.compileOn(await T.defaultDevice(), step, [start], { donate: [0] })
    let s = start
    for (let i = 0; i < 3; i++) s = await program.run(s)
    const read = await T.read(s)
    expectTypeOf(read.n).toEqualTypeOf<Int32Array>()
    expectTypeOf(read.w).toEqualTypeOf<Float32Array>()
    expect([...read.n, ...read.w]).toEqual([3, 1.5, 1.5])
    // What starts the loop can be uploaded, and is then handles from the start.
    let h = await T.put(start)
    for (let i = 0; i < 2; i++) h = await program.run(h)
    expect(await h.n.item()).toBe(2)
    expect((await h.w.read()).reduce((a, b) => a + b, 0)).toBe(2)
    await expect(h.w.item()).rejects.toThrow('item: w is f32[2], which is not one element')
  })

  test('a result on its way to the host is an argument, and keeps its turn', async () => {
    const device = await T.defaultDevice()
    const twice = await T.compileOn(device, (x) => T.mul(x, 2), [T.spec([2])])
    const sum = await T.compileOn(device, (h, x, y) => T.add(T.add(h, x), y), [T.spec([2]), T.spec([2]), T.spec([2])])
    const eat = await T.compileOn(device, (h) => T.add(h, 1), [T.spec([2])], { donate: [0] })
    const under = await twice.run([1, 2])
    expect(under.kind).toBe('value')
    const h = await T.put(T.tensor([10, 20.5]))
    const host = Float32Array.of(0.25, 0.25)
    const running = [sum.run(h, under, host), eat.run(h)]
    host.fill(9)
    const [first, second] = await Promise.all(running)
    expect((await T.read([first!, second!])).map((a) => [...a])).toEqual([
      [12.25, 24.75],
      [11, 21.5],
    ])
    await expect(h.read()).rejects.toThrow('consumed')
  })

  test('read takes what is on several devices, tensors and empty parts; put leaves what is there already', async () => {
    const [gpu, cpu] = [await T.defaultDevice(), await T.openDevice({ prefer: 'cpu', quiet: true })]
    const tree = {
      bools: T.tensor([true, false]),
      none: T.zeros([0, 3]),
      halves: T.cast(T.tensor([0.5, 1.5, -2]), 'f16'),
      bytes: T.cast(T.tensor([1, 255, 3]), 'u8'),
      absent: null,
    }
    const [a, b] = [await T.put(tree), await T.put(tree, { device: cpu })]
    const read = await T.read({ a, b, tree })
    expect(read.a).toStrictEqual(read.tree)
    expect(read.b).toStrictEqual(read.tree)
    expect(read.tree).toStrictEqual({
      bools: Uint8Array.of(1, 0),
      none: new Float32Array(),
      halves: Float32Array.of(0.5, 1.5, -2),
      bytes: Uint8Array.of(1, 255, 3),
      absent: null,
    })
    const again = await T.put(a, { device: gpu })
    expect(Object.values(again).every((x, i) => x === Object.values(a)[i])).toBe(true)
    expect((await T.put(a.bytes, { device: cpu })).path).toBe('')
    await expect(T.read({ w: [1, 2] })).rejects.toThrow('w[0] is the number 1')
    // @ts-expect-error an option that there is not
    await expect(T.put(tree, { on: cpu })).rejects.toThrow("'on'")
    cpu.destroy()
  })

  test('put takes values of the host as they are, and refuses what does not fit', async () => {
    const halves = { shape: [3], dtype: 'f16', data: Float32Array.of(0.5, 1.5, -2) } as const
    for (const device of [await T.defaultDevice(), await sharedProcessor()]) {
      const put = await T.put({ halves, two: T.reference(T.tensor([[1, 2]])) }, { device })
      expectTypeOf(put.halves).toExtend<T.Tensor<readonly [3], 'f16'>>()
      expect([put.halves.dtype, put.two.shape, put.two.dtype]).toEqual(['f16', [1, 2], 'i32'])
      expect(await T.read(put)).toEqual({ halves: Float32Array.of(0.5, 1.5, -2), two: Int32Array.of(1, 2) })
      const mixed = await T.put([T.tensor([1.5]), halves] as const, { device })
      expect(await T.read(mixed[0])).toEqual(Float32Array.of(1.5))
    }
    const refused = (tree: object, why: string) => expect(T.put(tree)).rejects.toThrow(why)
    await refused({ w: { ...halves, shape: [4] } }, 'argument w: got 3 elements, f16[4] has 4')
    await refused({ w: { ...halves, dtype: 'i32' } }, 'argument w: got Float32Array for i32[3]')
  })

  test('keep: true keeps all results, one without a path too', async () => {
    const device = await T.defaultDevice()
    const one = await T.compileOn(device, (x) => T.add(x, 1), [T.spec([2])], { keep: true })
    expect((await one.run(await one.run([1, 2]))).kind).toBe('resident')
    const two = await T.compileOn(device, (x) => ({ a: T.add(x, 1), b: [T.sum(x)] }), [T.spec([2])], { keep: true })
    expect(T.mapTree(await two.run([1, 2]), (h) => h.kind)).toEqual({ a: 'resident', b: ['resident'] })
  })

  test.each([undefined, null])('a layer without its %s bias', (bias) => {
    const weight = T.ones([3])
    const without = { weight, bias } as { weight: typeof weight }
    const [x, image] = [T.ones([2, 3]), T.ones([1, 1, 3])]
    const numbers = (y: T.Tensor): readonly number[] => [...T.reference(y).data]
    expect(numbers(nn.layerNorm(x, without))).toEqual(numbers(nn.layerNorm(x, { weight })))
    const matrix = { weight: T.ones([2, 3]), bias } as { weight: T.Tensor<readonly [2, 3], 'f32'> }
    expect(numbers(nn.linear(x, matrix))).toEqual([3, 3, 3, 3])
    expect(numbers(nn.conv1d(image, { weight: T.ones([1, 1, 2]), bias } as nn.ConvParams))).toEqual([2, 2])
  })

  test('handles are refused where tensors are computed with, and mapped where trees are', async () => {
    const h = await T.put({ w: [T.ones([2])], n: T.tensor(1) })
    expect(() => T.grad((x: T.Tensor) => T.sum(x))(h.w[0]!)).toThrow('is a result of a run')
    for (const f of [T.mean, T.sum, T.flatten, nn.softmax] as ((x: T.Tensor) => unknown)[])
      expect(() => f(h.w[0]!)).toThrow('operand 1 is a result of a run')
    expect(T.mapTree(h, (x, path) => `${path} ${x.kind} ${x.shape.length}`)).toEqual({
      w: ['w[0] resident 1'],
      n: 'n resident 0',
    })
  })
})
