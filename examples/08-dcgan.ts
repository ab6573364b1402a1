/**
 * Chapter 8: DCGAN (Radford et al. 2016) writes digits. A generator of transposed convolutions plays against a critic of strided
 * ones; LeNet judges what comes of it. Minutes: it continues from checkpoints. `npm run example examples/08-dcgan.ts`
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import * as T from 'tensorloom'
import { batches, rowCount, shuffled, takeRows } from 'tensorloom/data'
import * as io from 'tensorloom/io'
import * as nn from 'tensorloom/nn'
import { adam } from 'tensorloom/optim'
import * as random from 'tensorloom/random'
import * as train from 'tensorloom/train'
import { readDigits } from './03-mnist/digits.ts'
import * as lenet from './04-lenet.ts'
import { alone, type Example } from './course/example.ts'
import { encodePng, greyImage, grid, type Image } from './pictures/image.ts'

type Images = lenet.Digits['images']
/** Paper is -1, ink is 1. */
const inked = (x: Images): T.Tensor => T.reshape(T.sub(T.div(T.cast(x, 'f32'), 127.5), 1), [-1, 1, 28, 28])

const [size, latent, width] = [64, 64, 16]
const features = 2 * width * 7 * 7

const init = (key: random.Key) => {
  const [a, b, c, d, e, f] = random.splitList(key, 6)
  const [wide, narrow, norm] = [2 * width, width, 2 * width].map((maps) => nn.batchNormInit(maps).params)
  const [first, last] = [nn.linearInit(a, latent, features), nn.linearInit(f, features, 1)]
  const [second, third] = [nn.convTranspose2dInit(b, 2 * width, width, 4), nn.convTranspose2dInit(c, width, 1, 4)]
  const [outer, inner] = [nn.conv2dInit(d, 1, width, 4), nn.conv2dInit(e, width, 2 * width, 4)]
  return {
    generator: { first, wide: wide!, second, narrow: narrow!, third },
    critic: { outer, inner, norm: norm!, last },
  }
}
type Net = ReturnType<typeof init>

const twice = { stride: 2, padding: 1 }
/** From noise to images: 7 × 7 features, then twice as many pixels each way, and again. Images are normalised by their batch. */
const generate = (p: Net['generator'], noise: T.Tensor): T.Tensor => {
  const small = T.reshape(nn.linear(noise, p.first), [-1, 2 * width, 7, 7])
  const large = nn.convTranspose2d(T.relu(nn.batchNorm(small, p.wide)), p.second, twice)
  return T.tanh(nn.convTranspose2d(T.relu(nn.batchNorm(large, p.narrow)), p.third, twice))
}

const leaky = nn.leakyRelu({ negativeSlope: 0.2 })
/** The way back, from images to a score: above 0 for "real". */
const judge = (p: Net['critic'], images: T.Tensor): T.Tensor => {
  const large = leaky(nn.conv2d(images, p.outer, twice))
  const small = leaky(nn.batchNorm(nn.conv2d(large, p.inner, twice), p.norm))
  return nn.linear(T.reshape(small, [-1, features]), p.last)
}

/** How far scores are from an answer: 1 for "real", 0 for "made". */
const against = (z: T.Tensor, answer: number) => nn.binaryCrossEntropyWithLogits(z, T.full(z.shape, answer))

const [forger, expert, scholar] = [adam(0.001, { beta1: 0.5 }), adam(0.0005, { beta1: 0.5 }), adam(0.002)]
const begin = (key: random.Key) => {
  const net = init(key)
  return { net, forger: forger.init(net.generator), expert: expert.init(net.critic), key: random.foldIn(key, 1) }
}

/** One move each. Real images are to be called so with nine tenths of certainty: a critic that is too sure teaches nothing. */
const step = ({ net, ...s }: ReturnType<typeof begin>, { images }: { readonly images: Images }) => {
  const [now, key] = random.splitList(s.key, 2)
  const noise = random.normal(now, [size, latent])
  const made = generate(net.generator, noise)
  const caught = (p: Net['critic']) => T.add(against(judge(p, inked(images)), 0.9), against(judge(p, made), 0))
  const [critic, slopes] = T.valueAndGrad(caught)(net.critic)
  const wiser = expert.update(net.critic, slopes, s.expert)
  const fooled = (p: Net['generator']) => against(judge(wiser.params, generate(p, noise)), 1)
  const [generator, ways] = T.valueAndGrad(fooled)(net.generator)
  const better = forger.update(net.generator, ways, s.forger)
  const after = { generator: better.params, critic: wiser.params }
  return { state: { net: after, forger: better.state, expert: wiser.state, key }, critic, generator }
}

/** How sure LeNet is, on the mean; e to the entropy of what it sees, in tenths: 1 if all digits are as many; ink; the ten digits. */
const review = (p: lenet.Params, images: T.Tensor): T.Tensor => {
  const grey = T.mul(T.add(images, 1), 127.5) as unknown as Images
  const answers = nn.softmax(lenet.logits(p, grey))
  const share = T.mean(answers, { axis: 0 })
  const covered = T.div(T.exp(T.neg(T.sum(T.mul(share, T.log(share))))), 10)
  return T.concat([T.stack([T.mean(T.max(answers, { axis: 1 })), covered, T.div(T.mean(grey), 255)]), share])
}

/** 500 images by the generator, of which the first 50 lie on five ways from one to another, beside real ones. */
const look = (generator: Net['generator'], p: lenet.Params, { images: real, labels }: lenet.Digits) => {
  const [from, to, more] = [5, 5, 450].map((n, i) => random.normal(random.key(7 + i), [n, 1, latent]))
  const angle = T.reshape(T.mul(T.arange(10), Math.PI / 18), [1, 10, 1])
  const arc = T.add(T.mul(T.cos(angle), from!), T.mul(T.sin(angle), to!))
  const images = generate(generator, T.reshape(T.concat([T.reshape(arc, [50, 1, latent]), more!]), [500, latent]))
  const accuracy = nn.accuracy(T.argmax(lenet.logits(p, real), { axis: 1 }), labels)
  return { grey: T.mul(T.sub(1, images), 127.5), made: review(p, images), real: review(p, inked(real)), accuracy }
}

export const dcgan: Example = {
  name: '08-dcgan',
  title: 'A network writes digits',
  run: async ({ device, quick, folder, progress }) => {
    const [seen, unseen] = [await readDigits('train', quick ? 3_200 : undefined), await readDigits('t10k', 500)]
    const [turns, perTurn] = quick ? [2, 15] : [8, 200]
    const saved = io.checkpoints(join(folder, quick ? 'quick' : 'checkpoints'), { keep: turns })
    if (quick) await rm(saved.folder, { recursive: true, force: true })
    const params = lenet.init(random.key(3))
    const novice = { params, state: scholar.init(params) }
    const study = (s: typeof novice, batch: lenet.Digits) => ({
      state: scholar.update(s.params, T.grad(lenet.loss)(s.params, batch), s.state),
    })
    const teach = await T.compileOn(device, study, [novice, lenet.digits(size)], { donate: [0] })
    const reader = (await train.fit(teach, novice, batches(seen, { size }))).state.params

    const start = begin(random.key(1))
    const learn = await T.compileOn(device, step, [start, { images: T.spec([size, 28, 28], 'u8') }], { donate: [0] })
    const some = (turn: number) => {
      const order = shuffled(rowCount(seen.images), random.foldIn(random.key(2), turn))
      return batches({ images: takeRows(seen.images, order.subarray(0, perTurn * size)) }, { size })
    }
    const onStep = ({ step }: train.StepReport) => progress(step, turns * perTurn, 'two networks play')
    const { history } = await train.fit(learn, start, some, { epochs: turns, onStep, checkpoints: { to: saved } })

    // What it wrote at first and after each turn, also of those before a new start.
    const view = await T.compileOn(device, look, [start.net.generator, params, lenet.digits(500)])
    const see = async (s: typeof start) => T.read(await view.run(s.net.generator, reader, unseen))
    const looks = [await see(start)]
    for (const k of saved.steps()) looks.push(await see((await (await saved.at(k)).load({ state: start })).state))
    const moments = looks.flatMap((found, i) => ((i & (i - 1)) === 0 ? [{ ...found, moves: i * perTurn }] : []))
    const { made, real, grey, accuracy } = looks.at(-1)!
    const row = (name: string, x: ArrayLike<number>) => [name, ...Array.from(x, (v) => (100 * v).toFixed(1))]
    const tiles = (levels: typeof grey, from: number, to: number) =>
      Array.from({ length: to - from }, (_, i) => greyImage(levels.slice(784 * (from + i)), 28, 28, 2))
    const sheet = (caption: string) => (images: readonly Image[]) => ({ caption, bytes: encodePng(grid(images, 10)) })
    const [sure, covered, ink] = made as unknown as readonly [number, number, number]
    const inks = { 'ink at first': looks[0]!.made[2]!, 'real ink': real[2]! }
    const columns = ['', 'sure', 'covered', 'ink', ...'0123456789']
    const rows = [...moments.map(({ moves, made }) => row(`made after ${moves} moves`, made)), row('real', real)]
    return {
      measures: { critic: history.at(-1)!.measures['critic']!, accuracy: accuracy[0]!, sure, covered, ink, ...inks },
      tables: [{ title: '500 images as LeNet sees them, %', columns, rows }],
      pictures: {
        'digits.png': sheet('Fifty images that the generator made')(tiles(grey, 50, 100)),
        'between.png': sheet('Five ways from one point of noise to another')(tiles(grey, 0, 50)),
        'moments.png': sheet('Ten images at each of the moments')(moments.flatMap((m) => tiles(m.grey, 50, 60))),
      },
    }
  },
}

await alone(import.meta.url, dcgan)
