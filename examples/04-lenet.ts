/**
 * Chapter 4: LeNet, the convolutional network that read the cheques of the nineties (LeCun et al. 1998), here with relu and
 * max pooling; what its filters learned, and what they see in a digit. `npx tsx examples/04-lenet.ts`
 */
import * as T from 'tensorloom'
import { pipe } from 'tensorloom'
import { batchCount, batches } from 'tensorloom/data'
import * as nn from 'tensorloom/nn'
import { adam, cosineDecay } from 'tensorloom/optim'
import * as random from 'tensorloom/random'
import { inputs, readDigits, targets } from './03-mnist/digits.ts'
import { alone, type Example } from './course/example.ts'
import { curve, lineChart } from './pictures/chart.ts'
import { encodePng, greyImage, grid } from './pictures/image.ts'

type Images = T.Tensor<readonly [number, 784], 'f32'>
type Labels = T.Tensor<readonly [number], 'i32'>

const init = (key: random.Key) => {
  const [a, b, c, d, e] = random.splitList(key, 5)
  return {
    first: nn.conv2dInit(a, 1, 6, 5),
    second: nn.conv2dInit(b, 6, 16, 5),
    hidden: [nn.linearInit(c, 400, 120), nn.linearInit(d, 120, 84)],
    last: nn.linearInit(e, 84, 10),
  } as const
}

type Params = ReturnType<typeof init>

/** What the first filters see: 6 maps of 28 × 28. */
const maps = (p: Params, x: Images): T.Tensor =>
  pipe(x, T.reshape([-1, 1, 28, 28]), nn.conv2d(p.first, { padding: 2 }), T.relu)

/** A score for each digit. */
const logits = (p: Params, x: Images): T.Tensor =>
  pipe(
    maps(p, x),
    nn.maxPool2d({ kernelSize: 2 }),
    nn.conv2d(p.second),
    T.relu,
    nn.maxPool2d({ kernelSize: 2 }),
    T.reshape([-1, 400]),
    nn.linear(p.hidden[0]),
    T.relu,
    nn.linear(p.hidden[1]),
    T.relu,
    nn.linear(p.last),
  )

const loss = (p: Params, x: Images, y: Labels): T.Tensor => nn.crossEntropy(logits(p, x), y)

/** Levels from the least to the greatest value as grey, the greatest dark. */
const shaded = (values: ArrayLike<number>, size: number, scale: number) => {
  const [low, high] = Array.from(values).reduce(
    ([a, b], v) => [Math.min(a!, v), Math.max(b!, v)],
    [Infinity, -Infinity],
  )
  return greyImage(
    Array.from(values, (v) => 255 - (255 * (v - low!)) / (high! - low! || 1)),
    size,
    size,
    scale,
  )
}

export const lenet: Example = {
  name: '04-lenet',
  title: 'LeNet reads digits',
  run: async ({ device, quick, progress }) => {
    const [train, test] = [
      await readDigits('train', quick ? 6_400 : undefined),
      await readDigits('t10k', quick ? 2_000 : undefined),
    ]
    const [epochs, size] = [quick ? 1 : 6, 64]
    const total = epochs * batchCount(train, { size })

    const optimiser = adam(cosineDecay(0.002, { steps: total }))
    const params = init(random.key(1))
    const start = { params, optimiser: optimiser.init(params) }
    const step = (s: typeof start, x: Images, y: Labels) => {
      const [value, grads] = T.valueAndGrad(loss)(s.params, x, y)
      const next = optimiser.update(s.params, grads, s.optimiser)
      return { state: { params: next.params, optimiser: next.state }, loss: value }
    }
    const classify = (p: Params, x: Images): T.Tensor => T.argmax(logits(p, x), { axis: 1 })
    const learn = await T.compileOn(device, step, [start, T.spec([size, 784]), T.spec([size], 'i32')], { donate: [0] })
    const read = await T.compileOn(device, classify, [params, T.spec([500, 784])])

    let state = await T.put(start, { device })
    const losses: number[] = []
    const accuracy: number[] = []
    for (let epoch = 0; epoch < epochs; epoch++) {
      for (const batch of batches(train, { size, key: random.foldIn(random.key(2), epoch) })) {
        const done = await learn.run(state, inputs(batch.images), targets(batch.labels))
        state = done.state
        losses.push(await done.loss.item())
        progress(losses.length, total, `epoch ${epoch + 1}`)
      }
      let right = 0
      for (const batch of batches(test, { size: 500 })) {
        const guesses = await (await read.run(state.params, inputs(batch.images))).read()
        right += guesses.filter((guess, i) => guess === batch.labels.data[i]).length
      }
      accuracy.push(right / test.labels.data.length)
    }

    const seen = await T.compileOn(device, maps, [params, T.spec([1, 784])])
    const one = inputs({ shape: [1, 784], data: test.images.data.subarray(0, 784) })
    const map = await (await seen.run(state.params, one)).read()
    const filters = await state.params.first.weight.read()
    const parts = (all: ArrayLike<number>, each: number) =>
      Array.from({ length: all.length / each }, (_, i) => Array.from(all).slice(each * i, each * (i + 1)))
    return {
      measures: { accuracy: accuracy.at(-1)!, loss: losses.slice(-100).reduce((a, b) => a + b, 0) / 100 },
      tables: [
        {
          title: `test digits read correctly, of ${test.labels.data.length}`,
          columns: ['epoch', 'accuracy, %'],
          rows: accuracy.map((a, i) => [i + 1, (100 * a).toFixed(2)]),
        },
      ],
      pictures: {
        'loss.svg': lineChart([curve('training', losses)], {
          title: 'LeNet learns',
          x: 'batch',
          y: 'cross-entropy',
          log: true,
        }),
        'filters.png': encodePng(
          grid(
            parts(filters, 25).map((f) => shaded(f, 5, 16)),
            6,
          ),
        ),
        'maps.png': encodePng(grid([shaded(one, 28, 4), ...parts(map, 784).map((m) => shaded(m, 28, 4))], 7)),
      },
    }
  },
}

await alone(import.meta.url, lenet)
