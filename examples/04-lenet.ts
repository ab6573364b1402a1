/**
 * Chapter 4: LeNet, the convolutional network that read the cheques of the nineties (LeCun et al. 1998), here with relu and
 * max pooling; what its filters learned, and what they see in a digit. `npm run example examples/04-lenet.ts`
 */
import * as T from 'tensorloom'
import { pipe } from 'tensorloom'
import { batchCount, batches } from 'tensorloom/data'
import * as nn from 'tensorloom/nn'
import { adam, cosineDecay } from 'tensorloom/optim'
import * as random from 'tensorloom/random'
import * as train from 'tensorloom/train'
import { readDigits } from './03-mnist/digits.ts'
import { alone, type Example } from './course/example.ts'
import { curve, lineChart } from './pictures/chart.ts'
import { encodePng, grid, shaded } from './pictures/image.ts'

/** A batch as the files have it: grey levels from 0 to 255, and the digit. */
export interface Digits {
  readonly images: T.Tensor<readonly [number, 28, 28], 'u8'>
  readonly labels: T.Tensor<readonly [number], 'u8'>
}

type DigitSpecs = { readonly [K in keyof Digits]: T.Spec<Digits[K]['shape'], 'u8'> }

/** Two convolutions, and a small deep network. */
export interface Params {
  readonly first: nn.ConvParams
  readonly second: nn.ConvParams
  readonly hidden: readonly [nn.LinearParams, nn.LinearParams]
  readonly last: nn.LinearParams
}

/** The types of `n` of them. */
export const digits = (n: number): DigitSpecs => ({ images: T.spec([n, 28, 28], 'u8'), labels: T.spec([n], 'u8') })

export const init = (key: random.Key): Params => {
  const [a, b, c, d, e] = random.splitList(key, 5)
  return {
    first: nn.conv2dInit(a, 1, 6, 5),
    second: nn.conv2dInit(b, 6, 16, 5),
    hidden: [nn.linearInit(c, 400, 120), nn.linearInit(d, 120, 84)],
    last: nn.linearInit(e, 84, 10),
  }
}

/** What the first filters see: 6 maps of 28 × 28. */
const maps = (p: Params, images: Digits['images']): T.Tensor =>
  pipe(T.div(T.cast(images, 'f32'), 255), T.reshape([-1, 1, 28, 28]), nn.conv2d(p.first, { padding: 2 }), T.relu)

/** A score for each digit. */
export const logits = (p: Params, images: Digits['images']): T.Tensor =>
  pipe(
    maps(p, images),
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

export const loss = (p: Params, { images, labels }: Digits): T.Tensor => nn.crossEntropy(logits(p, images), labels)

export const lenet: Example = {
  name: '04-lenet',
  title: 'LeNet reads digits',
  run: async ({ device, quick, progress }) => {
    const [seen, unseen] = [await readDigits('train', quick ? 6_400 : undefined), await readDigits('t10k')]
    const [epochs, size] = [quick ? 1 : 6, 64]
    const total = epochs * batchCount(seen, { size })

    const optimiser = adam(cosineDecay(0.002, { steps: total }))
    const params = init(random.key(1))
    const start = { params, optimiser: optimiser.init(params) }
    const step = (s: typeof start, batch: Digits) => {
      const [value, grads] = T.valueAndGrad(loss)(s.params, batch)
      const next = optimiser.update(s.params, grads, s.optimiser)
      return { state: { params: next.params, optimiser: next.state }, loss: value }
    }
    const judge = (s: typeof start, batch: Digits) => ({
      accuracy: nn.accuracy(T.argmax(logits(s.params, batch.images), { axis: 1 }), batch.labels),
    })
    const learn = await T.compileOn(device, step, [start, digits(size)], { donate: [0] })
    const exam = await T.compileOn(device, judge, [start, digits(500)])

    const losses: number[] = []
    const { state, history } = await train.fit(
      learn,
      start,
      (epoch) => batches(seen, { size, key: random.foldIn(random.key(2), epoch) }),
      {
        epochs,
        evaluate: (s) => train.evaluate(exam, s, batches(unseen, { size: 500 })),
        onStep: ({ step, epoch, measures }) => {
          losses.push(measures['loss']!)
          progress(step, total, `epoch ${epoch + 1}`)
        },
      },
    )

    const look = await T.compileOn(device, (p: Params, x: Digits['images']) => T.at(maps(p, x), 0), [
      params,
      T.spec([1, 28, 28], 'u8'),
    ])
    const seven = unseen.images.data.slice(0, 784) as Uint8Array
    const inside = await T.read({ maps: await look.run(state.params, seven), filters: state.params.first.weight })
    const shades = (levels: ArrayLike<number>, size: number, scale: number) =>
      Array.from({ length: 6 }, (_, i) =>
        shaded(Array.from(levels).slice(i * size ** 2, (i + 1) * size ** 2), size, scale),
      )
    const accuracy = history.map((epoch) => epoch.measures['accuracy']!)
    return {
      measures: { accuracy: accuracy.at(-1)!, loss: history.at(-1)!.measures['loss']! },
      tables: [
        {
          title: 'the 10,000 test digits',
          columns: ['epoch', 'read correctly, %'],
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
        'filters.png': {
          bytes: encodePng(grid(shades(inside.filters, 5, 16), 6)),
          caption: 'The six filters of the first layer, 5 × 5 weights each: the larger, the darker',
        },
        'maps.png': {
          bytes: encodePng(grid([shaded(seven, 28, 4), ...shades(inside.maps, 28, 4)], 7)),
          caption: 'A seven, and what each of the six filters makes of it',
        },
      },
    }
  },
}

await alone(import.meta.url, lenet)
