/**
 * Chapter 8: generative adversarial networks. A generator that learns a 2-D Gaussian from nothing but a critic's judgement; then
 * eight of them in a ring, where the plain game collapses onto few of the modes, and a cure. `npx tsx examples/08-gan.ts`
 */
import * as T from 'tensorloom'
import { pipe } from 'tensorloom'
import * as nn from 'tensorloom/nn'
import { adam, ema } from 'tensorloom/optim'
import * as random from 'tensorloom/random'
import { alone, type Example } from './course/example.ts'
import { lineChart } from './pictures/chart.ts'

const batch = 256
type Net = ReturnType<typeof netInit>
type Draw = (key: random.Key, n: number) => T.Tensor

/** Two hidden layers, from the plane to the plane or to a score. */
const netInit = (key: random.Key, hidden: number, outputs: number) => {
  const [a, b, c] = random.splitList(key, 3)
  return [nn.linearInit(a, 2, hidden), nn.linearInit(b, hidden, hidden), nn.linearInit(c, hidden, outputs)] as const
}

const net = ([a, b, c]: Net, x: T.Tensor): T.Tensor =>
  pipe(
    x,
    nn.linear(a),
    nn.leakyRelu({ negativeSlope: 0.2 }),
    nn.linear(b),
    nn.leakyRelu({ negativeSlope: 0.2 }),
    nn.linear(c),
  )

/** A critic's loss for real and made points, and the generator's for what the critic says of its points. */
interface Game {
  readonly critic: (judge: (x: T.Tensor) => T.Tensor, real: T.Tensor, made: T.Tensor, key: random.Key) => T.Tensor
  readonly generator: (scores: T.Tensor) => T.Tensor
  readonly criticSteps: number
}

/** Goodfellow et al. 2014: is it real? The generator wants the answer yes (the non-saturating loss). */
const plain: Game = {
  critic: (judge, real, made) => T.add(T.mean(nn.softplus(T.neg(judge(real)))), T.mean(nn.softplus(judge(made)))),
  generator: (scores) => T.mean(nn.softplus(T.neg(scores))),
  criticSteps: 1,
}

/** Gulrajani et al. 2017: how far is it from real? A distance, kept one by the slope of the critic between both kinds of points. */
const wasserstein: Game = {
  critic: (judge, real, made, key) => {
    const between = T.lerp(made, real, random.uniform(key, [batch, 1]))
    const slopes = T.vectorNorm(T.grad((x: T.Tensor) => T.sum(judge(x)))(between), { axis: 1 })
    const distance = T.sub(T.mean(judge(made)), T.mean(judge(real)))
    return T.add(distance, T.mul(T.mean(T.square(T.sub(slopes, 1))), 1))
  },
  generator: (scores) => T.neg(T.mean(scores)),
  criticSteps: 5,
}

const average = ema({ decay: 0.995 })

/** A game's start, and many of its steps as one program: real points are drawn on the device. */
const play = (
  { critic, generator, criticSteps }: Game,
  real: Draw,
  hidden: number,
  rates: readonly [generator: number, critic: number],
) => {
  const [maker, judge] = rates.map((rate) => adam(rate, { beta1: 0.5, beta2: 0.9 }))
  const init = (key: random.Key) => {
    const [g, c] = random.splitList(key, 2)
    const [made, judged] = [netInit(g, hidden, 2), netInit(c, hidden, 1)]
    return { made, judged, g: maker!.init(made), c: judge!.init(judged), smooth: average.init(made) }
  }
  type State = ReturnType<typeof init>
  const step = (s: State, key: random.Key): State => {
    const keys = random.splitList(key, criticSteps + 1)
    let [judged, c] = [s.judged, s.c]
    for (const own of keys.slice(1)) {
      const [a, b, d] = random.splitList(own, 3)
      const made = net(s.made, random.normal(a, [batch, 2]))
      const grads = T.grad((p: Net) => critic((x) => net(p, x), real(b, batch), made, d))(judged)
      ;({ params: judged, state: c } = judge!.update(judged, grads, c))
    }
    const noise = random.normal(keys[0]!, [batch, 2])
    const next = maker!.update(s.made, T.grad((p: Net) => generator(net(judged, net(p, noise))))(s.made), s.g)
    return { made: next.params, judged, g: next.state, c, smooth: average.update(next.params, s.smooth) }
  }
  const steps = (s: State, key: random.Key): State =>
    T.foriLoop(0, 100, (i, now: State) => step(now, random.foldIn(key, i)), s)
  const sample = (s: State, key: random.Key): T.Tensor => net(average.value(s.smooth), random.normal(key, [2000, 2]))
  return { init, steps, sample }
}

/** A Gaussian that leans: its mean, and its covariance A Aᵀ. */
const [mean, spread] = [
  T.tensor([1, 2], { dtype: 'f32' }),
  T.tensor([
    [1, 0.6],
    [-0.3, 0.5],
  ]),
]
const gaussian: Draw = (key, n) => T.add(T.matmul(random.normal(key, [n, 2]), T.matrixTranspose(spread)), mean)

const modes = Array.from({ length: 8 }, (_, i) => [2 * Math.cos((i * Math.PI) / 4), 2 * Math.sin((i * Math.PI) / 4)])
const ring: Draw = (key, n) => {
  const [which, noise] = random.splitList(key, 2)
  const centres = T.take(T.tensor(modes, { dtype: 'f32' }), random.randint(which, [n], { low: 0, high: 8 }), {
    axis: 0,
  })
  return T.add(centres, T.mul(random.normal(noise, [n, 2]), 0.05))
}

type Points = readonly (readonly [number, number])[]

/** How many modes have a hundredth of the points within three deviations. */
const reached = (points: Points): number =>
  modes.filter(([a, b]) => points.filter(([x, y]) => Math.hypot(x - a!, y - b!) < 0.15).length >= points.length / 100)
    .length

const covariance = (points: Points): readonly number[] => {
  const m = [0, 1].map((k) => points.reduce((sum, p) => sum + p[k]!, 0) / points.length)
  const c = (i: number, j: number): number =>
    points.reduce((sum, p) => sum + (p[i]! - m[i]!) * (p[j]! - m[j]!), 0) / points.length
  return [...m, c(0, 0), c(0, 1), c(1, 1)]
}

export const gan: Example = {
  name: '08-gan',
  title: 'Two networks play',
  run: async ({ device, quick, progress }) => {
    const games = [
      { name: 'a Gaussian', ...play(plain, gaussian, 32, [0.001, 0.001]), turns: quick ? 8 : 40 },
      { name: 'a ring, the plain game', ...play(plain, ring, 64, [0.005, 0.0005]), turns: quick ? 4 : 40 },
      { name: 'a ring, Wasserstein’s distance', ...play(wasserstein, ring, 64, [0.001, 0.001]), turns: quick ? 4 : 40 },
    ]
    const total = games.reduce((sum, g) => sum + g.turns, 0)
    let done = 0
    const found: Points[] = []
    for (const { name, init, steps, sample, turns } of games) {
      const start = init(random.key(3))
      const program = await T.compileOn(device, steps, [start, T.spec([2], 'u32')], { donate: [0] })
      const draw = await T.compileOn(device, sample, [start, T.spec([2], 'u32')])
      let state = await T.put(start, { device })
      for (let turn = 0; turn < turns; turn++) {
        state = await program.run(state, random.key(100 + turn))
        progress(++done, total, name)
      }
      const flat = await (await draw.run(state, random.key(5))).read()
      found.push(Array.from({ length: 2000 }, (_, i) => [flat[2 * i]!, flat[2 * i + 1]!] as const))
    }
    const [wanted, got] = [[1, 2, 1.36, 0, 0.34], covariance(found[0]!)]
    // Against the larger of the two variances, as the covariance is 0.
    const off = Math.max(...got.map((v, i) => Math.abs(v - wanted[i]!) / (i < 2 ? wanted[i]! : wanted[2]!)))
    const [collapsed, cured] = [reached(found[1]!), reached(found[2]!)]
    const dots = (points: Points, name: string, colour: string) => ({
      name,
      points: points.slice(0, 700),
      dots: true,
      width: 0.6,
      colour,
    })
    const real = async (draw: Draw): Promise<Points> => {
      const { data } = T.reference(draw(random.key(9), 400))
      return Array.from({ length: 400 }, (_, i) => [data[2 * i]!, data[2 * i + 1]!] as const)
    }
    return {
      measures: { off, collapsed, cured },
      tables: [
        {
          title: 'a Gaussian, real and made',
          columns: ['', 'mean x', 'mean y', 'var x', 'cov', 'var y'],
          rows: [
            ['real', ...wanted],
            ['made', ...got],
          ],
        },
        {
          title: 'modes of the ring that are reached, of 8',
          rows: [
            ['the plain game, a hasty generator', collapsed],
            ['Wasserstein’s distance, a thorough critic', cured],
          ],
        },
      ],
      pictures: {
        'gaussian.svg': lineChart([dots(await real(gaussian), 'real', '#9a9a9a'), dots(found[0]!, 'made', '#1f5fa8')], {
          title: 'A Gaussian',
          x: 'x',
          y: 'y',
        }),
        'collapse.svg': lineChart([dots(await real(ring), 'real', '#9a9a9a'), dots(found[1]!, 'made', '#c8322f')], {
          title: 'Mode collapse',
          x: 'x',
          y: 'y',
        }),
        'cure.svg': lineChart([dots(await real(ring), 'real', '#9a9a9a'), dots(found[2]!, 'made', '#2e7d50')], {
          title: 'Cured',
          x: 'x',
          y: 'y',
        }),
      },
    }
  },
}

await alone(import.meta.url, gan)
