/**
 * Chapter 5: the air over Mauna Loa. Carbon dioxide month by month, each foretold from the eight changes before it: one month
 * ahead, and then from foretold months on, up to 64 ahead. `npm run example examples/05-series.ts`
 */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import * as T from 'tensorloom'
import { pipe } from 'tensorloom'
import * as data from 'tensorloom/data'
import * as nn from 'tensorloom/nn'
import { adam, cosineDecay } from 'tensorloom/optim'
import * as random from 'tensorloom/random'
import { alone, type Example } from './course/example.ts'
import { curve, lineChart } from './pictures/chart.ts'

// Monthly means in parts per million, 1958 to 2020 (Scripps Institution of Oceanography), as vega-datasets has them.
const file = join(createRequire(import.meta.url).resolve('vega-datasets'), '../../data/co2-concentration.csv')

type Values = T.Tensor<readonly [number], 'f32'>
type Windows = T.Tensor<readonly [number, number], 'f32'>

/** How many changes a model looks back on. */
const lags = 8

const init = (key: random.Key) => {
  const [a, b] = random.splitList(key, 2)
  return [nn.linearInit(a, lags, 16), nn.linearInit(b, 16, 1)] as const
}

type Params = ReturnType<typeof init>

/** The next change after each window: a straight line, and what bends it. */
const mlp = (p: Params, x: Windows): Values =>
  pipe(x, nn.linear(p[0]), T.tanh, nn.linear(p[1]), T.squeeze({ axis: 1 })) as Values

/** Runs of `lags` values, one a row, of which `last` are the last. */
const windows = (values: Values, last: T.Tensor<readonly [number]>): Windows =>
  T.take(values, T.add(T.expandDims(last, 1), T.arange(1 - lags, 1))) as Windows

/** Adam on all windows at once: the last parameters, and the loss at every step. */
const descend = (x: Windows, y: Values, steps: number) => {
  const optimiser = adam(cosineDecay(0.01, { steps }))
  const params = init(random.key(3))
  const step = (s: { params: Params; state: ReturnType<typeof optimiser.init> }) => {
    const [loss, grads] = T.valueAndGrad((p: Params) => nn.mseLoss(mlp(p, x), y))(s.params)
    return [optimiser.update(s.params, grads, s.state), loss] as const
  }
  const [last, losses] = T.scan(step, { params, state: optimiser.init(params) }, [], { length: steps })
  return { params: last.params, losses }
}

/** The changes of `k` months after each window, every one foretold from those before, foretold or not: `[k, windows]`. */
const foretell = (next: (x: Windows) => Values, start: Windows, k: number): T.Tensor => {
  const step = (x: Windows) => {
    const y = next(x)
    return [T.concat([T.at(x, ':', '1:'), T.expandDims(y, 1)], { axis: 1 }) as Windows, y] as const
  }
  return T.scan(step, start, [], { length: k })[1]
}

/** All that is asked of the series, as one program: fitted to the first `seen` months, then asked at each later one. */
const study = (seen: number, ahead: number, steps: number) => (levels: Values) => {
  const n = levels.shape[0]
  const changes = T.sub(T.at(levels, '1:'), T.at(levels, ':-1')) as Values
  const [mean, std] = [T.mean(T.at(changes, `:${seen}`)), T.std(T.at(changes, `:${seen}`))]
  const scaled = T.div(T.sub(changes, mean), std) as Values

  const [x, y] = [windows(scaled, T.arange(lags - 1, seen - 1)), T.at(scaled, `${lags}:${seen}`) as Values]
  const { params, losses } = descend(x, y, steps)
  const weights = T.lstsq(x, y) as Values

  const origins = T.arange(seen, n - ahead)
  const levelsAhead = (next: (x: Windows) => Values): T.Tensor => {
    const changes = foretell(next, windows(scaled, T.sub(origins, 1)), ahead)
    return T.add(T.take(levels, origins), T.cumsum(T.add(T.mul(changes, std), mean), { axis: 0 }))
  }
  const truth = T.take(levels, T.add(origins, T.expandDims(T.arange(1, ahead + 1), 1)))
  const foretold = {
    mlp: levelsAhead((w) => mlp(params, w)),
    linear: levelsAhead((w) => T.matmul(w, weights) as Values),
    same: T.take(levels, T.broadcastTo(origins, truth.shape)),
  }
  const rmse = (p: T.Tensor): T.Tensor => T.sqrt(T.mean(T.square(T.sub(p, truth)), { axis: 1 }))
  return { losses, foretold, rmse: T.mapTree(foretold, rmse) }
}

export const series: Example = {
  name: '05-series',
  title: 'The air of the months to come',
  run: async ({ device, quick }) => {
    const table = await data.readCsv(file)
    const dates = table.columns['Date']!.values as readonly string[]
    // Months are missing before May 1964.
    const first = dates.indexOf('1964-05-01')
    const levels = T.orThrow(data.designMatrix(table, ['CO2'])).data.slice(first)
    const [seen, ahead, steps] = [480, 64, quick ? 400 : 4000]
    const program = await T.compileOn(device, study(seen, ahead, steps), [T.spec([levels.length])])
    const { losses, foretold, rmse } = await T.read(await program.run(levels))

    const ks = [1, 4, 16, 64]
    const year = (i: number): number => 1964 + (4 + i) / 12
    const origins = levels.length - ahead - seen
    const years = (k: number) => Array.from({ length: origins }, (_, i) => year(seen + i + k))
    const shown = Array.from(levels.slice(seen - 60), (y, i) => [year(seen - 60 + i), y] as const)
    return {
      measures: Object.fromEntries(
        ks.flatMap((k) => [
          [`mlp${k}`, rmse.mlp[k - 1]!],
          [`linear${k}`, rmse.linear[k - 1]!],
          [`same${k}`, rmse.same[k - 1]!],
        ]),
      ),
      tables: [
        {
          title: `RMSE in ppm, from each of ${origins} months that no model was fitted to`,
          columns: ['months ahead', 'MLP', 'linear', 'no change'],
          rows: ks.map((k) => [k, ...[rmse.mlp, rmse.linear, rmse.same].map((e) => e[k - 1]!.toFixed(3))]),
        },
      ],
      pictures: {
        'ahead.svg': lineChart(
          [
            { name: 'measured', points: shown, colour: '#bbbbbb', width: 4 },
            ...ks.map((k) => curve(`${k} ahead`, foretold.mlp.subarray((k - 1) * origins, k * origins), years(k))),
          ],
          { title: 'Carbon dioxide, foretold by the MLP', x: 'year', y: 'parts per million' },
        ),
        'rmse.svg': lineChart(
          [curve('MLP', rmse.mlp), curve('linear', rmse.linear), curve('no change', rmse.same)].map((c) => ({
            ...c,
            points: c.points.map(([k, e]) => [k + 1, e] as const),
          })),
          { title: 'The further ahead, the less is known', x: 'months ahead', y: 'RMSE, ppm', log: true },
        ),
        'loss.svg': lineChart([curve('training', losses)], {
          title: 'The MLP learns',
          x: 'step',
          y: 'mean squared error, standardised',
          log: true,
        }),
      },
    }
  },
}

await alone(import.meta.url, series)
