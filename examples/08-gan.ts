/**
 * Chapter 8: two networks play. A generator makes points of noise, a critic tells them from real ones, and from nothing but its
 * judgement the generator learns a Gaussian that leans (Goodfellow et al. 2014). `npm run example examples/08-gan.ts`
 */
import * as T from 'tensorloom'
import { pipe } from 'tensorloom'
import * as nn from 'tensorloom/nn'
import { adam, ema } from 'tensorloom/optim'
import * as random from 'tensorloom/random'
import { alone, type Example } from './course/example.ts'
import { curve, lineChart } from './pictures/chart.ts'

const [batch, perTurn] = [256, 100]
const centre = [1, 2]
const covariance = [1, 0.6, 0.6, 0.61]

/** n points m + L z: their mean is m, their covariance L Lᵀ. */
const real = (key: random.Key, n: number): T.Tensor => {
  const factor = T.cholesky(T.reshape(T.tensor(covariance, { dtype: 'f32' }), [2, 2]))
  return T.add(T.matmul(random.normal(key, [n, 2]), T.matrixTranspose(factor)), T.tensor(centre, { dtype: 'f32' }))
}

/** Two hidden layers, from the plane to the plane or to a score. */
const netInit = (key: random.Key, outputs: number) => {
  const [a, b, c] = random.splitList(key, 3)
  return [nn.linearInit(a, 2, 32), nn.linearInit(b, 32, 32), nn.linearInit(c, 32, outputs)] as const
}
type Net = ReturnType<typeof netInit>

const leaky = nn.leakyRelu({ negativeSlope: 0.2 })
const net = ([a, b, c]: Net, x: T.Tensor): T.Tensor => pipe(x, nn.linear(a), leaky, nn.linear(b), leaky, nn.linear(c))

/** The critic's loss: -log D(real) - log (1 - D(made)), D being the sigmoid of its score. */
const caught = (critic: Net, real: T.Tensor, made: T.Tensor): T.Tensor =>
  T.add(T.mean(nn.softplus(T.neg(net(critic, real)))), T.mean(nn.softplus(net(critic, made))))

/** The generator's loss: -log D(made). */
const fooled = (critic: Net, made: T.Tensor): T.Tensor => T.mean(nn.softplus(T.neg(net(critic, made))))

const [forger, expert] = [adam(0.001, { beta1: 0.5 }), adam(0.001, { beta1: 0.5 })]
/** The players circle around where they would rest; the average of the generator's weights is nearer to it. */
const average = ema({ decay: 0.998 })

const begin = (key: random.Key) => {
  const [a, b] = random.splitList(key, 2)
  const [generator, critic] = [netInit(a, 2), netInit(b, 1)]
  return {
    generator,
    critic,
    forger: forger.init(generator),
    expert: expert.init(critic),
    smooth: average.init(generator),
  }
}
type State = ReturnType<typeof begin>

/** One move each. */
const step = (s: State, key: random.Key): State => {
  const [a, b, c] = random.splitList(key, 3)
  const made = net(s.generator, random.normal(a, [batch, 2]))
  const wiser = expert.update(s.critic, T.grad(caught)(s.critic, real(b, batch), made), s.expert)
  const loss = (generator: Net) => fooled(wiser.params, net(generator, random.normal(c, [batch, 2])))
  const better = forger.update(s.generator, T.grad(loss)(s.generator), s.forger)
  return {
    generator: better.params,
    critic: wiser.params,
    forger: better.state,
    expert: wiser.state,
    smooth: average.update(better.params, s.smooth),
  }
}

/** Many moves as one program: what is random is drawn on the device. */
const turn = (s: State, key: random.Key): State =>
  T.foriLoop(0, perTurn, (i, now: State) => step(now, random.foldIn(key, i)), s)

/** What the generator makes, and its moments. */
const made = (s: State, key: random.Key) => {
  const points = net(average.value(s.smooth), random.normal(key, [4000, 2]))
  const centre = T.mean(points, { axis: 0 })
  const apart = T.sub(points, centre)
  return { points: T.at(points, ':700'), centre, covariance: T.div(T.matmul(T.matrixTranspose(apart), apart), 4000) }
}

const distance = (a: ArrayLike<number>, b: readonly number[]): number => Math.hypot(...b.map((v, i) => a[i]! - v))
const pairs = (flat: ArrayLike<number>) =>
  Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i]!, flat[2 * i + 1]!] as const)

export const gan: Example = {
  name: '08-gan',
  title: 'Two networks play',
  run: async ({ device, quick, progress }) => {
    const turns = quick ? 15 : 300
    const start = begin(random.key(3))
    const play = await T.compileOn(device, turn, [start, T.spec([2], 'u32')], { donate: [0] })
    const look = await T.compileOn(device, made, [start, T.spec([2], 'u32')])

    /** How far the generator is off, as a part of what it should come to: of the mean's length, of the covariance's norm. */
    const off = (found: { readonly centre: ArrayLike<number>; readonly covariance: ArrayLike<number> }) => ({
      mean: distance(found.centre, centre) / Math.hypot(...centre),
      covariance: distance(found.covariance, covariance) / Math.hypot(...covariance),
    })
    let state: State = await T.put(start, { device })
    let found = await T.read(await look.run(state, random.key(5)))
    const history = [off(found)]
    for (let i = 0; i < turns; i++) {
      state = await play.run(state, random.foldIn(random.key(4), i))
      found = await T.read(await look.run(state, random.key(5)))
      history.push(off(found))
      progress(i + 1, turns, 'a Gaussian')
    }
    const steps = history.map((_, i) => i * perTurn)
    const dots = { dots: true, width: 0.6 }
    const genuine = T.reference(real(random.key(9), 700)).data
    return {
      measures: { off: Math.max(...Object.values(history.at(-1)!)), mean: distance(found.centre, centre) },
      tables: [
        {
          title: `a Gaussian, real and made, after ${turns * perTurn} moves`,
          columns: ['', 'mean x', 'mean y', 'var x', 'cov xy', 'cov yx', 'var y'],
          rows: [
            ['real', ...centre, ...covariance],
            ['made', ...found.centre, ...found.covariance],
          ],
        },
      ],
      pictures: {
        'gaussian.svg': lineChart(
          [
            { name: 'real', points: pairs(genuine), ...dots, colour: '#9a9a9a' },
            { name: 'made', points: pairs(found.points), ...dots },
          ],
          { title: 'A Gaussian that leans', x: 'x', y: 'y', square: true },
        ),
        'off.svg': lineChart(
          (['mean', 'covariance'] as const).map((of) =>
            curve(
              of,
              history.map((h) => h[of]),
              steps,
            ),
          ),
          { title: 'How far the generator is off', x: 'move', y: 'part of what it should be', log: true },
        ),
      },
    }
  },
}

await alone(import.meta.url, gan)
