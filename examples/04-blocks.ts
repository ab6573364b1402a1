/**
 * Chapter 4: four ways to go deep. The blocks of VGG, GoogLeNet, ResNet and DenseNet are functions that give layers; each
 * becomes the body of a network of some 20,000 weights, and all learn the same digits in the same way.
 * `npm run example examples/04-blocks.ts`
 */
import * as T from 'tensorloom'
import { batchCount, batches } from 'tensorloom/data'
import * as nn from 'tensorloom/nn'
import { adam, oneCycle } from 'tensorloom/optim'
import * as random from 'tensorloom/random'
import * as train from 'tensorloom/train'
import { type Digits as Data, readDigits } from './03-mnist/digits.ts'
import { alone, type Example } from './course/example.ts'
import { lineChart, smoothed } from './pictures/chart.ts'

/** A batch as the files have it: grey levels from 0 to 255, and the digit. */
type Digits = { readonly images: T.Tensor; readonly labels: T.Tensor }
const digits = (n: number) => ({ images: T.spec([n, 28, 28], 'u8'), labels: T.spec([n], 'u8') })

/** Convolve, normalise, bend. Group norm takes each picture by itself: unlike batch norm, it has no statistics to keep. */
const conv = (ins: number, outs: number, size = 3, stride = 1) =>
  nn.layer(
    (key) => ({ kernels: nn.conv2dInit(key, ins, outs, size, { bias: false }), norm: nn.groupNormInit(outs) }),
    (x, p) => T.pipe(x, nn.conv2d(p.kernels, { stride, padding: 'same' }), nn.groupNorm(p.norm, { groups: 4 }), T.relu),
  )

const halved = nn.maxPool2d({ kernelSize: 2 })

/** VGG (Simonyan and Zisserman 2014): small windows one after another, then half the size. */
const vgg = (count: number, ins: number, outs: number) =>
  nn.sequential(...Array.from({ length: count }, (_, i) => conv(i === 0 ? ins : outs, outs)), halved)

/** What layers side by side give, one after another along the channels. */
const joined = (...maps: readonly T.Tensor[]): T.Tensor => T.concat(maps, { axis: 1 })

/** GoogLeNet (Szegedy et al. 2014): windows of several sizes at once; 1 × 1 makes few channels of many before the large ones. */
const inception = (ins: number, each: number) =>
  nn.parallel(
    joined,
    conv(ins, each, 1),
    nn.sequential(conv(ins, each, 1), conv(each, each, 3)),
    nn.sequential(conv(ins, each, 1), conv(each, each, 5)),
    nn.sequential(nn.maxPool2d({ kernelSize: 3, stride: 1, padding: 1 }), conv(ins, each, 1)),
  )

/** ResNet (He et al. 2015): what came in, and what two convolutions add to it. */
const residual = (channels: number) =>
  nn.parallel(T.add, (x) => x, nn.sequential(conv(channels, channels), conv(channels, channels)))

/** DenseNet (Huang et al. 2016): each layer sees all before it, and adds `growth` channels. */
const dense = (count: number, ins: number, growth: number) =>
  nn.sequential(
    ...Array.from({ length: count }, (_, i) => nn.parallel(joined, (x) => x, conv(ins + i * growth, growth))),
  )

/** From block to block: other channels, half the size. */
const transition = (ins: number, outs: number) => nn.sequential(conv(ins, outs, 1), halved)

/** The same before each body, down to 16 maps of 14 × 14, and the same after it: half the size once more, and a score for each digit. */
const network = <P>(body: nn.Layer<P>, channels: number) =>
  nn.sequential(
    (x) => T.reshape(T.div(T.cast(x, 'f32'), 255), [-1, 1, 28, 28]),
    conv(1, 16, 5, 2),
    body,
    halved,
    T.reshape([-1, 9 * channels]),
    nn.dense(9 * channels, 10),
  )

/** One pass over the digits: the loss on each batch, the seconds, and how many of the unseen ones are read after it. */
const trial =
  <P>(net: nn.Layer<P>) =>
  async (device: T.Device, seen: Data, unseen: Data, size: number, onStep: (done: number) => void) => {
    const optimiser = adam(oneCycle(0.01, { steps: batchCount(seen, { size }) }))
    const params = net.init(random.key(1))
    const start = { params, state: optimiser.init(params) }
    const loss = (p: P, { images, labels }: Digits) => nn.crossEntropy(net.apply(p, images), labels)
    const step = ({ params, state }: typeof start, batch: Digits) => {
      const [value, grads] = T.valueAndGrad(loss)(params, batch)
      return { state: optimiser.update(params, grads, state), loss: value }
    }
    const judge = (p: P, { images, labels }: Digits) => ({
      accuracy: nn.accuracy(T.argmax(net.apply(p, images), { axis: 1 }), labels),
    })
    const learn = await T.compileOn(device, step, [start, digits(size)], { donate: [0] })
    const exam = await T.compileOn(device, judge, [params, digits(500)])
    const losses: number[] = []
    const begun = performance.now()
    const { state } = await train.fit(learn, start, batches(seen, { size, key: random.key(2) }), {
      onStep: ({ measures }) => onStep(losses.push(measures['loss']!)),
    })
    const seconds = (performance.now() - begun) / 1000
    const { accuracy } = await train.evaluate(exam, state.params, batches(unseen, { size: 500 }))
    return { ...nn.summary(net.apply, params, digits(1).images), losses, seconds, accuracy: accuracy! }
  }

const trials = {
  VGG: trial(network(nn.sequential(vgg(2, 16, 16), conv(16, 32), conv(32, 32)), 32)),
  GoogLeNet: trial(network(nn.sequential(inception(16, 8), inception(32, 8), halved, inception(32, 16)), 64)),
  ResNet: trial(network(nn.sequential(residual(16), transition(16, 28), residual(28)), 28)),
  DenseNet: trial(network(nn.sequential(dense(4, 16, 8), transition(48, 24), dense(3, 24, 8)), 48)),
}

/** What a block makes of 16 maps of 14 × 14: how many of which size, of how many weights, in how many operations. */
const shapes = Object.entries({
  'vgg(2, 16, 32)': vgg(2, 16, 32),
  'inception(16, 8)': inception(16, 8),
  'residual(16)': residual(16),
  'dense(4, 16, 8)': dense(4, 16, 8),
}).map(([name, { init, apply }]) => {
  const { count, flops, outputs } = nn.summary(apply, init(random.key(0)), T.spec([1, 16, 14, 14]))
  return [name, outputs[0]!.shape.slice(1).join(' × '), count, flops / 1e6]
})

export const blocks: Example = {
  name: '04-blocks',
  title: 'Four ways to go deep',
  run: async ({ device, quick, progress }) => {
    const [seen, unseen] = [await readDigits('train', quick ? 960 : 6e4), await readDigits('t10k', quick ? 500 : 1e4)]
    // In seconds there is time for the first network alone.
    const some = Object.entries(trials).slice(0, quick ? 1 : 4)
    const size = quick ? 16 : 64
    const steps = batchCount(seen, { size })
    const found: [name: string, Awaited<ReturnType<typeof trials.VGG>>][] = []
    for (const [i, [name, learn]] of some.entries()) {
      const onStep = (done: number) => progress(i * steps + done, some.length * steps, name)
      found.push([name, await learn(device, seen, unseen, size, onStep)])
    }
    const loss = found.map(([name, { losses }]) => ({ name, points: smoothed(losses, quick ? 5 : 40) }))
    const columns = ['network', 'weights', 'Mflops a digit', 'seconds', 'read correctly, %']
    const rows = found.map(([name, f]) => [name, f.count, f.flops / 1e6, f.seconds, 100 * f.accuracy])
    return {
      measures: Object.fromEntries(found.map(([name, { accuracy }]) => [name, accuracy])),
      tables: [
        { title: 'what a block makes of 16 × 14 × 14', columns: ['block', 'gives', 'weights', 'Mflops'], rows: shapes },
        { title: 'one pass over the digits', columns, rows },
      ],
      pictures: { 'loss.svg': lineChart(loss, { title: 'Blocks learn', x: 'batch', y: 'cross-entropy', log: true }) },
    }
  },
}

await alone(import.meta.url, blocks)
