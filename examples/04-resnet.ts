/**
 * Chapter 4: a residual network (He et al. 2016) with batch normalisation, on digits that are shifted at random.
 * Minutes: it keeps a checkpoint an epoch and continues from it. `npm run example examples/04-resnet.ts`
 */
import { join } from 'node:path'
import * as T from 'tensorloom'
import { batchCount, batches } from 'tensorloom/data'
import * as io from 'tensorloom/io'
import * as nn from 'tensorloom/nn'
import { adamw, oneCycle } from 'tensorloom/optim'
import * as random from 'tensorloom/random'
import * as train from 'tensorloom/train'
import { readDigits } from './03-mnist/digits.ts'
import { alone, type Example } from './course/example.ts'
import { curve, lineChart } from './pictures/chart.ts'

type Images = T.Tensor<readonly [number, 28, 28], 'u8'>

/** A batch as the files have it: grey levels from 0 to 255, and the digit. */
interface Digits {
  readonly images: Images
  readonly labels: T.Tensor<readonly [number], 'u8'>
}

const digits = (n: number) => ({ images: T.spec([n, 28, 28], 'u8'), labels: T.spec([n], 'u8') })

/** What is learned, and apart from it the running statistics, which training moves along. */
const init = (key: random.Key) => {
  const [a, b, c, d] = random.splitList(key, 4)
  const [norm, first, second] = [
    nn.batchNormInit(16),
    nn.residualBlockInit(b, 16, 32),
    nn.residualBlockInit(c, 32, 64, { stride: 2 }),
  ]
  return {
    params: {
      stem: nn.conv2dInit(a, 1, 16, 3, { bias: false }),
      norm: norm.params,
      first: first.params,
      second: second.params,
      head: nn.linearInit(d, 64, 10),
    },
    running: { norm: norm.running, first: first.running, second: second.running },
  }
}

type Net = ReturnType<typeof init>
type Params = Net['params']

const stem = ({ stem }: Params, x: T.Tensor): T.Tensor =>
  nn.conv2d(T.reshape(T.div(T.cast(x, 'f32'), 255), [-1, 1, 28, 28]), stem, { padding: 1 })

const pooled = (x: T.Tensor): T.Tensor => nn.maxPool2d(T.relu(x), { kernelSize: 2 })

/** The mean of each map is a feature; a score for each digit. */
const scores = ({ head }: Params, maps: T.Tensor): T.Tensor => nn.linear(T.mean(maps, { axis: [2, 3] }), head)

/** As it learns: normalised by the batch; the scores and the statistics after it. */
const learning = (params: Params, running: Net['running'], x: T.Tensor) => {
  const { output, ...norm } = nn.batchNormStep(stem(params, x), { ...params.norm, ...running.norm })
  const first = nn.residualBlockStep(pooled(output), params.first, running.first)
  const second = nn.residualBlockStep(first.output, params.second, running.second, { stride: 2 })
  return {
    scores: scores(params, second.output),
    running: { norm, first: first.running, second: second.running } as Net['running'],
  }
}

/** As it reads: normalised by what it saw while it learned. */
const reading = ({ params, running }: Net, x: T.Tensor): T.Tensor => {
  const y = pooled(nn.batchNorm(stem(params, x), { ...params.norm, ...running.norm }))
  const first = nn.residualBlock(y, params.first, { running: running.first })
  return scores(params, nn.residualBlock(first, params.second, { stride: 2, running: running.second }))
}

/** All images of a batch moved by up to two pixels each way. */
const shifted = (key: random.Key, x: Images): T.Tensor => {
  const [dy, dx] = random.splitList(key, 2).map((k) => T.add(random.randint(k, [], { low: 0, high: 5 }), T.arange(28)))
  const margins = [0, 2, 2].map((n): readonly [number, number] => [n, n])
  const wide = T.pad(x, margins)
  return T.take(T.take(wide, dy!, { axis: 1 }), dx!, { axis: 2 })
}

export const resnet: Example = {
  name: '04-resnet',
  title: 'A residual network reads digits',
  run: async ({ device, quick, folder, progress }) => {
    const seen = await readDigits('train', quick ? 1_920 : undefined)
    const unseen = await readDigits('t10k', quick ? 1_000 : undefined)
    const [epochs, size] = quick ? [1, 16] : [5, 64]
    const total = epochs * batchCount(seen, { size })
    const optimiser = adamw(oneCycle(0.006, { steps: total }), { weightDecay: 0.01 })
    const net = init(random.key(4))
    const start = { net, optimiser: optimiser.init(net.params), key: random.key(5) }

    const step = ({ net, optimiser: state, key }: typeof start, { images, labels }: Digits) => {
      const [now, later] = random.splitList(key, 2)
      const loss = (params: Params) => {
        const { scores, running } = learning(params, net.running, shifted(now, images))
        return [nn.crossEntropy(scores, labels), running] as const
      }
      const [[value, running], grads] = T.valueAndGrad(loss, { hasAux: true })(net.params)
      const next = optimiser.update(net.params, grads, state)
      return { state: { net: { params: next.params, running }, optimiser: next.state, key: later }, loss: value }
    }
    const judge = (s: typeof start, { images, labels }: Digits) => ({
      accuracy: nn.accuracy(T.argmax(reading(s.net, images), { axis: 1 }), labels),
    })
    const learn = await T.compileOn(device, step, [start, digits(size)], { donate: [0] })
    const exam = await T.compileOn(device, judge, [start, digits(500)])
    const losses: number[] = []
    const { history } = await train.fit(
      learn,
      start,
      (epoch) => batches(seen, { size, key: random.foldIn(random.key(6), epoch) }),
      {
        epochs,
        evaluate: (s) => train.evaluate(exam, s, batches(unseen, { size: 500 })),
        onStep: ({ step, epoch, measures }) => {
          losses.push(measures['loss']!)
          progress(step, total, `epoch ${epoch + 1}`)
        },
        ...(quick ? {} : { checkpoints: { to: io.checkpoints(join(folder, 'checkpoints')) } }),
      },
    )
    const accuracy = history.map((epoch) => epoch.measures['accuracy']!)
    return {
      measures: { accuracy: accuracy.at(-1)!, loss: history.at(-1)!.measures['loss']! },
      tables: [
        {
          title: 'the test digits',
          columns: ['epoch', 'read correctly, %'],
          rows: accuracy.map((a, i) => [i + 1, (100 * a).toFixed(2)]),
        },
      ],
      pictures: {
        'loss.svg': lineChart([curve('training', losses)], {
          title: 'A residual network learns',
          x: 'batch',
          y: 'cross-entropy',
          log: true,
        }),
      },
    }
  },
}

await alone(import.meta.url, resnet)
