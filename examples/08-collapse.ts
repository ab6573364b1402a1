/**
 * Chapter 8: mode collapse. Real points lie in a ring of eight clumps. A generator ten times as fast as its critic makes one clump
 * only, and hops with it; a critic that looks at two points at once sees that (Lin et al. 2018).
 * `npm run example examples/08-collapse.ts`
 */
import * as T from 'tensorloom'
import { pipe } from 'tensorloom'
import * as nn from 'tensorloom/nn'
import { adam } from 'tensorloom/optim'
import * as random from 'tensorloom/random'
import { alone, type Example } from './course/example.ts'
import { curve, lineChart } from './pictures/chart.ts'

const [batch, perTurn, size] = [128, 250, 2000]

const modes = Array.from({ length: 8 }, (_, i) => [2 * Math.cos((i * Math.PI) / 4), 2 * Math.sin((i * Math.PI) / 4)])

const ring = (key: random.Key, n: number): T.Tensor => {
  const [a, b] = random.splitList(key, 2)
  const centres = T.take(T.tensor(modes, { dtype: 'f32' }), random.randint(a, [n], { low: 0, high: 8 }), { axis: 0 })
  return T.add(centres, T.mul(random.normal(b, [n, 2]), 0.1))
}

const netInit = (key: random.Key, inputs: number, outputs: number) => {
  const [a, b, c] = random.splitList(key, 3)
  return [nn.linearInit(a, inputs, 64), nn.linearInit(b, 64, 64), nn.linearInit(c, 64, outputs)] as const
}
type Net = ReturnType<typeof netInit>

const leaky = nn.leakyRelu({ negativeSlope: 0.2 })
const net = ([a, b, c]: Net, x: T.Tensor): T.Tensor => pipe(x, nn.linear(a), leaky, nn.linear(b), leaky, nn.linear(c))

const generate = (generator: Net, key: random.Key, n = batch): T.Tensor => net(generator, random.normal(key, [n, 2]))

/** The game in which the critic judges `pack` points together; 1 is the usual one. */
const game = (pack: number) => {
  const [forger, expert] = [adam(0.001, { beta1: 0.5, beta2: 0.9 }), adam(0.0001, { beta1: 0.5, beta2: 0.9 })]
  const score = (critic: Net, points: T.Tensor): T.Tensor => net(critic, T.reshape(points, [-1, 2 * pack]))
  const caught = (critic: Net, real: T.Tensor, made: T.Tensor): T.Tensor =>
    T.add(T.mean(nn.softplus(T.neg(score(critic, real)))), T.mean(nn.softplus(score(critic, made))))
  const fooled = (generator: Net, critic: Net, key: random.Key): T.Tensor =>
    T.mean(nn.softplus(T.neg(score(critic, generate(generator, key)))))

  const begin = (key: random.Key) => {
    const [a, b] = random.splitList(key, 2)
    const [generator, critic] = [netInit(a, 2, 2), netInit(b, 2 * pack, 1)]
    return { generator, critic, forger: forger.init(generator), expert: expert.init(critic) }
  }
  type State = ReturnType<typeof begin>
  const step = (s: State, key: random.Key): State => {
    const [a, b, c] = random.splitList(key, 3)
    const wiser = expert.update(s.critic, T.grad(caught)(s.critic, ring(a, batch), generate(s.generator, b)), s.expert)
    const better = forger.update(s.generator, T.grad(fooled)(s.generator, wiser.params, c), s.forger)
    return { generator: better.params, critic: wiser.params, forger: better.state, expert: wiser.state }
  }
  /** Many moves as one program, and points that the generator then makes. */
  const turn = (s: State, key: random.Key) => {
    const state = T.foriLoop(0, perTurn, (i, now: State) => step(now, random.foldIn(key, i)), s)
    return { state, points: generate(state.generator, random.key(5), size) }
  }
  return { begin, turn }
}

type Points = readonly (readonly [number, number])[]

/** How many clumps have a fiftieth of the points within three deviations. */
const reached = (points: Points): number =>
  modes.filter(([a, b]) => points.filter(([x, y]) => Math.hypot(x - a!, y - b!) < 0.3).length >= size / 50).length

const pairs = (flat: ArrayLike<number>): Points =>
  Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i]!, flat[2 * i + 1]!] as const)

export const collapse: Example = {
  name: '08-collapse',
  title: 'Mode collapse, and a cure',
  run: async ({ device, quick, progress }) => {
    const [turns, seeds] = quick ? [12, [1]] : [40, [1, 2, 3]]
    const games = [
      { name: 'one point at a time', pack: 1 },
      { name: 'two points at once', pack: 2 },
    ] as const
    const played: { readonly name: string; readonly seed: number; readonly turns: readonly Points[] }[] = []
    for (const { name, pack } of games) {
      const { begin, turn } = game(pack)
      const program = await T.compileOn(device, turn, [begin(random.key(0)), T.spec([2], 'u32')], { donate: [0] })
      for (const seed of seeds) {
        let state = await T.put(begin(random.key(seed)), { device })
        const made: Points[] = []
        for (let i = 0; i < turns; i++) {
          const next = await program.run(state, random.foldIn(random.key(100 + seed), i))
          state = next.state
          made.push(pairs(await next.points.read()))
          progress(played.length * turns + i + 1, games.length * seeds.length * turns, name)
        }
        played.push({ name, seed, turns: made })
      }
    }
    const counts = played.map((p) => p.turns.map(reached))
    const end = (i: number): number => counts[i]!.at(-1)!
    const [plain, packed] = [seeds.map((_, i) => end(i)), seeds.map((_, i) => end(seeds.length + i))]
    const steps = counts[0]!.map((_, i) => (i + 1) * perTurn)
    const real = {
      name: 'real',
      points: pairs(T.reference(ring(random.key(9), 400)).data),
      dots: true,
      width: 0.6,
      colour: '#9a9a9a',
    }
    const dots = (points: Points, name: string, colour: string) => ({
      name,
      points: points.slice(0, 400),
      dots: true,
      width: 0.6,
      colour,
    })
    const plane = { x: 'x', y: 'y', square: true }
    const [hasty, cured] = [played[0]!.turns, played[seeds.length]!.turns]
    return {
      measures: { collapsed: Math.max(...plain), cured: Math.min(...packed) },
      tables: [
        {
          title: `clumps reached, of 8, after ${turns * perTurn} moves`,
          columns: ['the critic looks at', ...seeds.map((s) => `seed ${s}`)],
          rows: [
            [games[0].name, ...plain],
            [games[1].name, ...packed],
          ],
        },
      ],
      pictures: {
        'collapse.svg': lineChart(
          [
            real,
            ...['#c8322f', '#b87a1e', '#8a5fb0'].map((colour, i) =>
              dots(hasty.at(i - 3)!, `after ${(turns - 2 + i) * perTurn}`, colour),
            ),
          ],
          { title: 'All in one place, which hops', ...plane },
        ),
        'cure.svg': lineChart([real, dots(cured.at(-1)!, 'made', '#2e7d50')], { title: 'Cured', ...plane }),
        'reached.svg': lineChart(
          [curve(games[0].name, counts[0]!, steps), curve(games[1].name, counts[seeds.length]!, steps)],
          { title: 'Clumps reached, of 8', x: 'move', y: 'clumps' },
        ),
      },
    }
  },
}

await alone(import.meta.url, collapse)
