/** Targets that do not count, whatever stands where they are. */
import { describe, expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import { sharedDevice, sharedProcessor } from '../device.ts'
import { flat, mistakeOf } from '../lang/tensor/run.ts'

const logits = T.tensor(
  [
    [Number.NEGATIVE_INFINITY, 0, 0],
    [1, 2, 3],
  ],
  { dtype: 'f32' },
)
const weight = T.tensor([0.5, 1, 2])
const losses = [
  ['plain', {}],
  ['weighed', { weight }],
  ['smoothed', { labelSmoothing: 0.1 }],
] as const

describe.each(losses)('%s', (name, options) => {
  const loss = (x: Tensor, target: Tensor): Tensor =>
    nn.crossEntropy(x, target, { ...options, ignoreIndex: -1 }) as Tensor
  test('an ignored row leaves no trace', () => {
    const alone = T.narrow(logits, 1, 1)
    const want = flat(nn.crossEntropy(alone, T.tensor([2]), options) as Tensor)[0]!
    expect(flat(loss(logits, T.tensor([-1, 2])))[0]).toBeCloseTo(want, 6)
    const slopes = flat(T.grad((x: Tensor) => loss(x, T.tensor([-1, 2])))(logits))
    if (name !== 'smoothed') expect(slopes.slice(0, 3).every((s) => s === 0)).toBe(true)
  })
  test('of ignored rows alone the mean is NaN and the gradient 0', () => {
    const finite = T.zeros([2, 3])
    expect(flat(loss(finite, T.tensor([-1, -1])))).toEqual([Number.NaN])
    const slopes = flat(T.grad((x: Tensor) => loss(x, T.tensor([-1, -1])))(finite))
    expect(slopes.map(Math.abs)).toEqual([0, 0, 0, 0, 0, 0])
  })
})

test('targets that do not fit the scores', () => {
  const [x, y] = [T.zeros([7, 3]), T.tensor([0, 1])]
  for (const [made, op] of [
    [nn.crossEntropy(x, y), 'nn.crossEntropy'],
    [nn.nllLoss(x, y), 'nn.nllLoss'],
  ] as const)
    expect(mistakeOf(made as Tensor)).toMatchObject({
      op,
      reason: 'targets of shape [2] do not fit scores of shape [7, 3]: [7] would',
    })
  const floats = mistakeOf(nn.crossEntropy(T.zeros([7, 3]), T.zeros([7])) as Tensor)
  expect(floats.reason).toBe('targets of f32 are probabilities, of the shape of the scores [7, 3], not [7]')
})

describe('classes on another axis', () => {
  const scores = T.reshape(T.sin(T.arange(2 * 4 * 3)), [2, 4, 3]) as Tensor
  const labels = T.tensor([
    [0, 2, -1, 1],
    [1, 1, 0, 2],
  ])
  const soft = nn.softmax(T.cos(scores), { axis: -1 }) as Tensor
  const middle = (x: Tensor): Tensor => T.swapaxes(x, 1, -1) as Tensor
  const weight = T.tensor([0.5, 1, 2])
  test.each(['mean', 'sum', 'none'] as const)('last: as with them moved to axis 1 (%s)', (reduction) => {
    const kinds: readonly nn.CrossEntropyOptions[] = [
      {},
      { weight },
      { labelSmoothing: 0.2, weight },
      { labelSmoothing: 1 },
    ]
    for (const options of kinds) {
      const soften: nn.CrossEntropyOptions = { ...options, reduction }
      const all: nn.CrossEntropyOptions = { ...soften, ignoreIndex: -1 }
      const loss = (z: Tensor, options: nn.CrossEntropyOptions): Tensor => nn.crossEntropy(z, labels, options) as Tensor
      for (const axis of [-1, 2]) {
        const [got, want] = T.reference([
          T.valueAndGrad((z: Tensor) => T.sum(loss(z, { ...all, axis })))(scores),
          T.valueAndGrad((z: Tensor) => T.sum(loss(middle(z), all)))(scores),
        ])
        expect(got.map((t) => t.data)).toEqual(want.map((t) => t.data))
        const last = nn.crossEntropy(scores, soft, { ...soften, axis }) as Tensor
        expect(flat(last)).toEqual(flat(nn.crossEntropy(middle(scores), middle(soft), soften) as Tensor))
      }
    }
    const hard = { weight, reduction, ignoreIndex: -1 }
    const last = nn.nllLoss(scores, labels, { ...hard, axis: -1 }) as Tensor
    expect(flat(last)).toEqual(flat(nn.nllLoss(middle(scores), labels, hard) as Tensor))
  })
  test('first, of one example alone', () => {
    const x = T.tensor([
      [2, 0, 1],
      [0, 1, 1],
    ]) as Tensor
    const want = flat(nn.crossEntropy(T.matrixTranspose(x), T.tensor([1, 0, 0])) as Tensor)
    expect(flat(nn.crossEntropy(x, T.tensor([1, 0, 0]), { axis: 0 }) as Tensor)).toEqual(want)
    expect(flat(nn.crossEntropy(T.at(x, 0) as Tensor, T.tensor(1), { axis: -1 }) as Tensor)[0]).toBeCloseTo(2.407606, 5)
  })
  test('on the devices', async () => {
    const f = (x: Tensor, y: Tensor): Tensor => nn.crossEntropy(x, y, { axis: -1, ignoreIndex: -1 }) as Tensor
    const want = flat(f(scores, labels))[0]!
    for (const device of [await sharedDevice(), await sharedProcessor()]) {
      const program = await T.compileOn(device, f, [T.spec([2, 4, 3]), T.spec([2, 4], 'i32')])
      expect(await (await program.run(flat(scores), flat(labels))).item()).toBeCloseTo(want, 5)
    }
  })
  test('that is none', () => {
    expect(mistakeOf(nn.crossEntropy(scores, labels, { axis: 3 }) as Tensor)).toMatchObject({
      op: 'nn.crossEntropy',
      reason: 'axis 3 is out of range for rank 3',
      hint: 'classes stand on an axis from -3 to 2',
    })
    expect(mistakeOf(nn.nllLoss(scores, labels, { axis: 1 }) as Tensor).reason).toBe(
      'targets of shape [2, 4] do not fit scores of shape [2, 4, 3]: [2, 3] would',
    )
    expect(mistakeOf(nn.crossEntropy(scores, labels, { axis: -1, weight: T.ones([4]) }) as Tensor).op).toBe(
      'nn.crossEntropy',
    )
    expect(() => nn.crossEntropy(scores, labels, { axis: 1.5 })).toThrow("the option 'axis' is 1.5, not a whole number")
  })
})

type Loose = (x: Tensor, target: Tensor, options?: nn.ClassOptions) => Tensor

describe.each<[string, Loose]>([
  ['nllLoss', nn.nllLoss as Loose],
  ['crossEntropy', nn.crossEntropy as Loose],
])('targets of %s that are no class', (_, f) => {
  const x = T.tensor([
    [0, 1, 2],
    [1, 0, 0.5],
    [3, 1, 0],
  ]) as Tensor
  const padded = T.tensor([2, -100, 0])
  test.each(['mean', 'sum', 'none'] as const)('-100 does not count, as in PyTorch: %s', async (reduction) => {
    const loss = (z: Tensor, target: Tensor): Tensor => (T.sum as (t: Tensor) => Tensor)(f(z, target, { reduction }))
    const both = T.valueAndGrad(loss)
    const [value, slopes] = both(x, padded)
    const [want, wanted] = both(T.take(x, T.tensor([0, 2])), T.tensor([2, 0])).map(flat) as [number[], number[]]
    expect(flat(value)[0]).toBeCloseTo(want[0]!, 6)
    expect(flat(slopes).map((v) => v + 0)).toEqual([...wanted.slice(0, 3), 0, 0, 0, ...wanted.slice(3)])
    const onDevice = await T.jit(loss)(x, padded)
    expect(onDevice.data[0]).toBeCloseTo(want[0]!, 5)
  })
  test('another ignoreIndex takes its place', () => {
    expect(() => flat(f(x, padded, { ignoreIndex: -1 }))).toThrow('index -100')
  })
  test.each([-1, -99, -101, 3])('%i is refused', async (wrong) => {
    const target = T.tensor([2, wrong, 0])
    expect(() => flat(f(x, target))).toThrow(`index ${wrong}`)
    expect(T.compile(() => f(x, target), [])).toMatchObject({ left: { tag: 'IndexError', index: wrong } })
    const step = T.jit(T.valueAndGrad((z: Tensor, t: Tensor) => f(z, t)))
    await expect(step(x, target)).rejects.toThrow(`index ${wrong} at position [1]`)
  })
  test('an unsigned argument is refused before its upload', async () => {
    const target = T.cast(T.tensor([2, 3, 0]), 'u8')
    await expect(T.jit((z: Tensor, t: Tensor) => f(z, t))(x, target)).rejects.toThrow('index 3')
  })
})

test('a mean over more targets than f16 can count', () => {
  const x = T.zeros([70_000, 2], { dtype: 'f16' })
  expect(flat(nn.crossEntropy(x, T.zeros([70_000], { dtype: 'i32' })) as Tensor)[0]).toBeCloseTo(Math.log(2), 3)
})

test('a class out of range names the loss and its line, in constants, in arguments, in a gradient and a batch', async () => {
  const line = (mark: string): RegExp => new RegExp(`nn\\.${mark}: index 3 .*[\\s\\S]*loss-class\\.test\\.ts:\\d+:\\d+`)
  const x = T.ones([2, 3])
  const wrong = T.tensor([0, 3])
  for (const [name, loss] of [
    ['crossEntropy', nn.crossEntropy],
    ['nllLoss', nn.nllLoss],
    ['multiMarginLoss', nn.multiMarginLoss],
    ['embedding', (p: Tensor, t: Tensor) => T.sum(nn.embedding(t, T.matrixTranspose(p) as never))],
  ] as readonly (readonly [string, (p: Tensor, t: Tensor) => Tensor])[]) {
    const scores = T.spec([2, 3])
    const said = (f: (p: Tensor) => unknown): string => {
      const made = T.compile(f as (p: Tensor) => Tensor, [scores])
      return made._tag === 'Left' ? T.showError(made.left) : 'nothing'
    }
    expect(said((p) => loss(p, wrong))).toMatch(line(name))
    expect(said((p) => T.grad((q: Tensor) => loss(q, wrong) as never)(p))).toMatch(line(name))
    expect(said((p) => T.vmap((q: Tensor) => loss(q, wrong))(T.stack([p, p])))).toMatch(line(name))
    const call = (p: Tensor, t: Tensor): Tensor => loss(p, t)
    const program = await T.compileOn(await sharedDevice(), call, [scores, T.spec([2], 'i32')])
    await expect(program.run(T.reference(x), [0, 3])).rejects.toThrow(line(name))
  }
})
