/**
 * Chapter 2: is a penguin male or female? Logistic regression on four measurements and the species, judged on penguins that it
 * never saw: confusion, precision and recall, the ROC curve, and cross-validation. `npm run example examples/02-classification.ts`
 */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import * as T from 'tensorloom'
import * as data from 'tensorloom/data'
import * as nn from 'tensorloom/nn'
import { sgd } from 'tensorloom/optim'
import * as random from 'tensorloom/random'
import { alone, type Example } from './course/example.ts'
import { curve, lineChart } from './pictures/chart.ts'

// 344 penguins of three species, measured in Antarctica by Kristen Gorman (CC0); eleven were never sexed.
const file = join(dirname(createRequire(import.meta.url).resolve('vega-datasets')), '../data/penguins.json')
const measurements = ['Beak Length (mm)', 'Beak Depth (mm)', 'Flipper Length (mm)', 'Body Mass (g)']
const species = ['Adelie', 'Chinstrap', 'Gentoo']

/** What we know of each penguin, its species if that is told, and whether it is male. */
const readPenguins = async (isTold: boolean): Promise<{ x: data.Column; y: data.Column }> => {
  const all: Readonly<Record<string, unknown>>[] = JSON.parse(await readFile(file, 'utf8'))
  const sexed = all.filter((p) => p['Sex'] === 'MALE' || p['Sex'] === 'FEMALE')
  const features = sexed.flatMap((p) => [
    ...measurements.map((name) => Number(p[name])),
    ...species.map((name) => Number(isTold && p['Species'] === name)),
  ])
  return {
    x: { shape: [sexed.length, measurements.length + species.length], data: Float32Array.from(features) },
    y: { shape: [sexed.length], data: Int32Array.from(sexed, (p) => Number(p['Sex'] === 'MALE')) },
  }
}

type Xs = T.Tensor<readonly [number, number], 'f32'>
type Ys = T.Tensor<readonly [number], 'i32'>

const init = (features: number) => ({ w: T.zeros([features]), b: T.zeros([]) })
type Params = ReturnType<typeof init>

/** The model: the logarithm of the odds that a penguin is male, linear in what we know of it. */
const logits = ({ w, b }: Params, x: Xs) => T.add(T.matmul(x, w), b) as T.Tensor<readonly [number], 'f32'>

/** The improbability of what was seen, and a little for large weights. */
const loss = (p: Params, x: Xs, y: Ys): T.Tensor =>
  T.add(nn.binaryCrossEntropyWithLogits(logits(p, x), T.cast(y, 'f32')), T.mul(1e-3, T.sum(T.square(p.w))))

const answers = (scores: T.Tensor) => T.cast(T.greater(scores, 0), 'i32')

/** Gradient descent on all penguins at once; at every step the loss on them and on others, and how many others it gets right. */
const learn = (steps: number) => (x: Xs, y: Ys, otherX: Xs, otherY: Ys) => {
  const optimiser = sgd(0.2, { momentum: 0.9 })
  const params = init(x.shape[1])
  const step = (s: { params: Params; state: ReturnType<typeof optimiser.init> }) => {
    const [seen, grads] = T.valueAndGrad(loss)(s.params, x, y)
    const accuracy = nn.accuracy(answers(logits(s.params, otherX)), otherY)
    const curves = { seen, unseen: loss(s.params, otherX, otherY), accuracy }
    return [optimiser.update(s.params, grads, s.state), curves] as const
  }
  const [last, curves] = T.scan(step, { params, state: optimiser.init(params) }, [], { length: steps })
  return { params: last.params, curves }
}

/** What there is to say of its answers. */
const judge = (p: Params, x: Xs, y: Ys) => {
  const scores = logits(p, x)
  const predicted = answers(scores)
  const [falsely, truly] = nn.rocCurve(scores, y)
  const [precision, recall, f1] = [nn.precision(predicted, y), nn.recall(predicted, y), nn.f1Score(predicted, y)]
  return {
    numbers: { accuracy: nn.accuracy(predicted, y), precision, recall, f1, auc: nn.rocAuc(scores, y) },
    confusion: nn.confusionMatrix(predicted, y, { classes: 2 }),
    roc: { falsely, truly },
  }
}

export const classification: Example = {
  name: '02-classification',
  title: 'Is this penguin male?',
  run: async ({ device, quick }) => {
    const [penguins, untold] = [await readPenguins(true), await readPenguins(false)]
    const [steps, k, options] = [quick ? 150 : 1000, 5, { key: random.key(2), stratify: 'y' }]
    const features = penguins.x.shape[1]!

    // Parts differ in size, so the program takes any number of rows.
    const part = (rows: number | T.NamedSize) => [T.spec([rows, features]), T.spec([rows], 'i32')] as const
    const [seen, unseen] = [T.dim('seen', { max: 400 }), T.dim('unseen', { max: 400 })]
    const learning = await T.compileOn(device, learn(steps), [...part(seen), ...part(unseen)])
    const study = async ({ train, test }: data.Fold<typeof penguins>) => {
      const { apply } = data.standardiser(train.x)
      const { params, curves } = await learning.run(apply(train.x), train.y, apply(test.x), test.y)
      return { params, test: [apply(test.x), test.y] as const, curves: await T.read(curves) }
    }

    const folds: number[] = []
    for (const fold of data.kFold(penguins, k, options)) folds.push((await study(fold)).curves.accuracy.at(-1)!)
    const foldMean = folds.reduce((a, b) => a + b, 0) / k
    const foldSpread = Math.sqrt(folds.reduce((a, b) => a + (b - foldMean) ** 2, 0) / (k - 1))

    const halves = async (all: typeof penguins) => {
      const [train, test] = data.split(all, [0.7, 0.3], options)
      return study({ train, test })
    }
    const [full, blind] = [await halves(penguins), await halves(untold)]
    const n = full.test[1].data.length
    const judging = await T.compileOn(device, judge, [init(features), ...part(n)])
    const found = await T.read(await judging.run(full.params, ...full.test))
    const less = await T.read(await judging.run(blind.params, ...blind.test))
    const numbers = Object.fromEntries(Object.entries(found.numbers).map(([name, [x]]) => [name, x!]))
    const weights = await full.params.w.read()
    return {
      measures: { ...numbers, aucUntold: less.numbers.auc[0]!, foldMean, foldSpread },
      tables: [
        {
          title: `${n} penguins that the model never saw`,
          rows: [
            ...Object.entries(numbers),
            ['auc where the species is not told', less.numbers.auc[0]!],
            [`accuracy in ${k}-fold cross-validation`, `${foldMean.toFixed(3)} ± ${foldSpread.toFixed(3)}`],
          ],
        },
        {
          title: 'confusion matrix',
          columns: ['', 'called female', 'called male'],
          rows: ['female', 'male'].map((sex, i) => [sex, ...found.confusion.slice(2 * i, 2 * i + 2)]),
        },
        {
          title: 'what speaks for a male: weights of standardised features',
          rows: [...measurements, ...species].map((name, i) => [name, weights[i]!.toFixed(2)]),
        },
      ],
      pictures: {
        'loss.svg': lineChart(
          [curve('penguins of the fit', full.curves.seen), curve('unseen penguins', full.curves.unseen)],
          { title: 'Logistic regression on penguins', x: 'step', y: 'loss', log: true },
        ),
        'roc.svg': lineChart(
          [
            curve('species told', found.roc.truly, found.roc.falsely),
            curve('species not told', less.roc.truly, less.roc.falsely),
            { ...curve('guessing', [0, 1]), colour: '#999' },
          ],
          { title: 'ROC: how many males are found, at what price', x: 'females called male', y: 'males called male' },
        ),
      },
    }
  },
}

await alone(import.meta.url, classification)
