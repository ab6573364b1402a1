/**
 * Chapter 7: ways down a valley. Each optimiser is a pure function of gradients and state; here all of them walk the same valley,
 * and the schedules of the learning rate are drawn. `npm run example examples/07-optimisers.ts`
 */
import * as T from 'tensorloom'
import * as optim from 'tensorloom/optim'
import { alone, type Example } from './course/example.ts'
import { curve, lineChart } from './pictures/chart.ts'
import { contours } from './pictures/contours.ts'

type Point = T.Tensor<readonly [2], 'f32'>

/** A long valley, 20 times as steep across as along: x²/10 + 2y². */
const valley = (p: Point): T.Tensor => T.dot(T.tensor([0.1, 2], { dtype: 'f32' }), T.square(p))

const start: Point = T.tensor([-5, -2], { dtype: 'f32' })

const optimisers: Readonly<Record<string, optim.Optimiser>> = {
  'gradient descent': optim.sgd(0.4),
  momentum: optim.sgd(0.4, { momentum: 0.5 }),
  nesterov: optim.sgd(0.25, { momentum: 0.5, nesterov: true }),
  Adagrad: optim.adagrad(1.5),
  RMSProp: optim.rmsprop(0.4, { alpha: 0.9 }),
  Adadelta: optim.adadelta(1, { eps: 0.1 }),
  Adam: optim.adam(0.5, { beta1: 0.8 }),
  // Stages compose: clip the gradient, then Adam's scaling, decay of weights and a rate that falls.
  'a chain of one’s own': optim.optimiser(
    optim.clipByGlobalNorm(5),
    optim.scaleByAdam(),
    optim.addWeightDecay(0.01),
    optim.scaleByRate(optim.cosineDecay(0.8, { steps: 60, min: 0.05 })),
  ),
}

const schedules: Readonly<Record<string, optim.Schedule>> = {
  step: optim.stepDecay(0.1, { stepSize: 20, gamma: 0.5 }),
  exponential: optim.exponentialDecay(0.1, { gamma: 0.96 }),
  cosine: optim.cosineDecay(0.1, { steps: 100 }),
  'warm-up, then cosine': optim.joined([optim.warmup(0.1, { steps: 20 }), optim.cosineDecay(0.1, { steps: 80 })], [20]),
  'one cycle': optim.oneCycle(0.1, { steps: 100 }),
}

/** Where an optimiser goes: the start, and the place after each step. */
const walk = (optimiser: optim.Optimiser, steps: number): T.Tensor => {
  const step = (s: optim.Updated<Point>) => {
    const next = optimiser.update(s.params, T.grad(valley)(s.params), s.state)
    return [next, next.params] as const
  }
  const [, places] = T.scan(step, { params: start, state: optimiser.init(start) }, [], { length: steps })
  return T.concat([T.expandDims(start, 0), places])
}

/** Every walk and every schedule, as one program without arguments. */
const all = (steps: number) => () => ({
  walks: Object.values(optimisers).map((o) => walk(o, steps)),
  rates: Object.values(schedules).map((rate) => T.vmap(rate)(T.arange(100))),
})

export const optimisersExample: Example = {
  name: '07-optimisers',
  title: 'Ways down a valley',
  run: async ({ device }) => {
    const steps = 60
    const program = await T.compileOn(device, all(steps), [])
    const { walks, rates } = await T.read(await program.run())
    const height = (x: number, y: number): number => 0.1 * x * x + 2 * y * y
    const places = walks.map((w) => Array.from({ length: steps + 1 }, (_, i) => [w[2 * i]!, w[2 * i + 1]!] as const))
    const heights = places.map((w) => w.map(([x, y]) => height(x, y)))
    const names = Object.keys(optimisers)
    const below = (h: readonly number[]): number => h.findIndex((_, i) => h.slice(i).every((v) => v < 0.01))
    return {
      measures: Object.fromEntries(names.map((name, i) => [name, heights[i]!.at(-1)!])),
      tables: [
        {
          title: `x²/10 + 2y² from (-5, -2), ${steps} steps`,
          columns: ['optimiser', 'after 10', 'after 20', 'at the end', 'steps to stay below 0.01'],
          rows: heights.map((h, i) => {
            const shown = [h[10]!, h[20]!, h.at(-1)!].map((v) => v.toExponential(1))
            return [names[i]!, ...shown, below(h) < 0 ? '–' : `${below(h)}`]
          }),
        },
      ],
      pictures: {
        'valley.svg': contours(
          height,
          places.map((points, i) => ({ name: names[i]!, points })),
          {
            title: 'Ways down a valley',
            x: [-6, 3],
            y: [-2.6, 2.6],
            levels: [0.02, 0.1, 0.3, 0.8, 1.6, 3, 5, 8],
          },
        ),
        'heights.svg': lineChart(
          heights.map((h, i) =>
            curve(
              names[i]!,
              h.map((v) => Math.max(v, 1e-8)),
            ),
          ),
          { title: 'How far down', x: 'step', y: 'height', log: true },
        ),
        'schedules.svg': lineChart(
          rates.map((r, i) => curve(Object.keys(schedules)[i]!, r)),
          { title: 'Learning rates', x: 'step', y: 'rate' },
        ),
      },
    }
  },
}

await alone(import.meta.url, optimisersExample)
