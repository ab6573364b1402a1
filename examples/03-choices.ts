/**
 * Chapter 3: choices around a network that stays the same. Where its weights start, what keeps it from learning a thousand digits
 * by heart, and which activation it has. `npm run example examples/03-choices.ts`
 */
import * as T from 'tensorloom'
import { batches } from 'tensorloom/data'
import * as nn from 'tensorloom/nn'
import { adam, adamw, type Optimiser, sgd } from 'tensorloom/optim'
import * as random from 'tensorloom/random'
import * as train from 'tensorloom/train'
import { readDigits } from './03-mnist/digits.ts'
import { alone, type Example } from './course/example.ts'
import { curve, lineChart } from './pictures/chart.ts'

interface Digits {
  readonly images: T.Tensor<readonly [number, 28, 28], 'u8'>
  readonly labels: T.Tensor<readonly [number], 'u8'>
}

const digits = (n: number) => ({ images: T.spec([n, 28, 28], 'u8'), labels: T.spec([n], 'u8') })

/** Draws the weights of a layer, `[outputs, inputs]`. */
type Draw = (key: T.Tensor, shape: readonly [number, number]) => T.Tensor<readonly [number, number], 'f32'>

const starts = {
  zeros: (_, shape) => T.zeros(shape),
  'too large': (key, shape) => nn.heNormal(key, shape, { gain: 8 }),
  Xavier: (key, shape) => nn.xavierNormal(key, shape),
  He: (key, shape) => nn.heNormal(key, shape),
} as const satisfies Readonly<Record<string, Draw>>

const dense = (draw: Draw, inputs: number, outputs: number) =>
  nn.layer((key) => ({ weight: draw(key, [outputs, inputs]), bias: T.zeros([outputs]) }), nn.linear)

/** Half of the hidden units, others at each step, where training gives a key; all of them otherwise. */
const drop = nn.dropoutLayer({ p: 0.5 })

const network = (draw: Draw) =>
  nn.sequential(dense(draw, 784, 128), nn.relu, drop, dense(draw, 128, 128), nn.relu, drop, dense(draw, 128, 10))

const { init, apply } = network(starts.He)
type Params = ReturnType<typeof init>

/** A score for each digit. */
const logits = (p: Params, images: Digits['images'], key?: random.Key): T.Tensor =>
  apply(p, T.reshape(T.div(T.cast(images, 'f32'), 255), [-1, 784]), key)

const judge = (p: Params, { images, labels }: Digits) => {
  const scores = logits(p, images)
  return { validation: nn.crossEntropy(scores, labels), accuracy: nn.accuracy(T.argmax(scores, { axis: 1 }), labels) }
}

const begin = (optimiser: Optimiser, draw: Draw) => {
  const params = network(draw).init(random.key(1))
  return { params, optimiser: optimiser.init(params), key: random.key(2) }
}

/** A step of training, with dropout or without. */
const stepOf = (optimiser: Optimiser, dropout: boolean) => (s: ReturnType<typeof begin>, batch: Digits) => {
  const [key, own] = random.splitList(s.key, 2)
  const loss = (p: Params) => nn.crossEntropy(logits(p, batch.images, dropout ? own : undefined), batch.labels)
  const [value, grads] = T.valueAndGrad(loss)(s.params)
  const next = optimiser.update(s.params, grads, s.optimiser)
  return { state: { params: next.params, optimiser: next.state, key }, loss: value }
}

const activations = [nn.relu, nn.leakyRelu({ negativeSlope: 0.1 }), nn.sigmoid, nn.tanh, nn.gelu] as const
const names = ['relu', 'leaky relu', 'sigmoid', 'tanh', 'gelu']

/** Values of each activation, and its slopes. */
const shapes = (x: T.Tensor) =>
  activations.map((f) => ({ value: f(x), slope: T.vmap(T.grad((x: T.Tensor) => f(x)))(x) }))

export const choices: Example = {
  name: '03-choices',
  title: 'Choices around a network',
  run: async ({ device, quick, progress }) => {
    const [seen, unseen] = [await readDigits('train', quick ? 200 : 1000), await readDigits('t10k', quick ? 500 : 2000)]
    const [epochs, few, size] = [quick ? 40 : 60, quick ? 8 : 10, 50]
    const exam = await T.compileOn(device, judge, [init(random.key(0)), digits(500)])
    const shuffled = (epoch: number) => batches(seen, { size, key: random.foldIn(random.key(3), epoch) })

    const runs: { name: string; history: readonly train.Epoch[] }[] = []
    /** A way to learn. What it gives learns from initial weights for some epochs, or until there is a reason to stop. */
    const learner = async (optimiser: Optimiser, { dropout = false } = {}) => {
      const shapes = [begin(optimiser, starts.He), digits(size)] as const
      const program = await T.compileOn(device, stepOf(optimiser, dropout), shapes, { donate: [0] })
      return async (name: string, epochs: number, draw: Draw, options: Pick<train.FitOptions<never>, 'stop'> = {}) => {
        const evaluate = (s: (typeof shapes)[0]) => train.evaluate(exam, s.params, batches(unseen, { size: 500 }))
        const start = begin(optimiser, draw)
        const { history } = await train.fit(program, start, shuffled, { epochs, evaluate, ...options })
        progress(runs.push({ name, history }), 8, name)
      }
    }

    const descend = await learner(sgd(0.05))
    for (const [name, draw] of Object.entries(starts)) await descend(`weights: ${name}`, few, draw)

    const [plain, dropping] = [await learner(adam(0.001)), await learner(adam(0.001), { dropout: true })]
    const decaying = await learner(adamw(0.001, { weightDecay: 1 }))
    await plain('no remedy', epochs, starts.He)
    await dropping('dropout', epochs, starts.He)
    await decaying('weight decay', epochs, starts.He)
    const stop = train.earlyStopping({ measure: 'validation', patience: 2 })
    await plain('early stopping', epochs, starts.He, { stop })

    const xs = Float32Array.from({ length: 241 }, (_, i) => (i - 120) / 30)
    const drawn = await T.read(await (await T.compileOn(device, shapes, [T.spec([241])])).run(xs))
    const measured = (measure: string) => runs.map(({ history }) => history.map((e) => e.measures[measure]!))
    const ends = (measure: string) => measured(measure).map((curve) => curve.at(-1)!)
    const [loss, validation, accuracy] = [ends('loss'), ends('validation'), ends('accuracy')]
    const curves = (measure: string, from: number, to: number) =>
      measured(measure)
        .map((values, i) => ({ ...curve(runs[i]!.name, values), dots: i === 7 }))
        .slice(from, to)
    return {
      measures: Object.fromEntries(runs.map(({ name }, i) => [name, validation[i]!])),
      tables: [
        {
          title: `${seen.labels.data.length} digits learned, ${unseen.labels.data.length} others to validate`,
          columns: ['run', 'epochs', 'training loss', 'validation loss', 'accuracy'],
          rows: runs.map(({ name, history }, i) => [name, history.length, loss[i]!, validation[i]!, accuracy[i]!]),
        },
      ],
      pictures: {
        'starts.svg': lineChart(curves('validation', 0, 4), {
          title: 'Where weights start',
          x: 'epoch',
          y: 'cross-entropy of unseen digits',
          log: true,
        }),
        'remedies.svg': lineChart(curves('validation', 4, 8), {
          title: 'What keeps a network from learning by heart',
          x: 'epoch',
          y: 'cross-entropy of unseen digits',
        }),
        'activations.svg': lineChart(
          drawn.map(({ value }, i) => curve(names[i]!, value, xs)),
          { title: 'Activations', x: 'x', y: 'f(x)' },
        ),
        'slopes.svg': lineChart(
          drawn.map(({ slope }, i) => curve(names[i]!, slope, xs)),
          { title: 'Their slopes', x: 'x', y: 'f′(x)' },
        ),
      },
    }
  },
}

await alone(import.meta.url, choices)
