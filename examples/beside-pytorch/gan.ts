// A generative adversarial network learns a Gaussian that leans.
import * as T from 'tensorloom'
import * as nn from 'tensorloom/nn'
import { adam } from 'tensorloom/optim'
import * as random from 'tensorloom/random'

const spread = T.reshape(T.tensor([1, 0.6, -0.3, 0.5]), [2, 2])
const mean = T.tensor([1, 2], { dtype: 'f32' })
const real = (key: random.Key) => T.add(T.matmul(random.normal(key, [256, 2]), T.matrixTranspose(spread)), mean)
const steps = process.argv.includes('--quick') ? 400 : 4000

const leaky = nn.leakyRelu({ negativeSlope: 0.2 })
const net = (outputs: number) => nn.sequential(nn.dense(2, 32), leaky, nn.dense(32, 32), leaky, nn.dense(32, outputs))
const [generator, critic] = [net(2), net(1)]
const optimiser = adam(0.0005, { beta1: 0.5, beta2: 0.9 })
const begin = (params: ReturnType<typeof critic.init>) => ({ params, state: optimiser.init(params) })
const start = { g: begin(generator.init(random.key(0))), c: begin(critic.init(random.key(1))), key: random.key(2) }
const [ones, zeros, bce] = [T.ones([256, 1]), T.zeros([256, 1]), nn.binaryCrossEntropyWithLogits]

const step = ({ g, c, ...s }: typeof start) => {
  const [key, a, b] = random.splitList(s.key, 3)
  const noise = random.normal(a, [256, 2])
  const cLoss = (p: typeof c.params) =>
    T.add(bce(critic.apply(p, real(b)), ones), bce(critic.apply(p, generator.apply(g.params, noise)), zeros))
  const gLoss = (p: typeof g.params) => bce(critic.apply(nextC.params, generator.apply(p, noise)), ones)
  const [cValue, cGrads] = T.valueAndGrad(cLoss)(c.params)
  const nextC = optimiser.update(c.params, cGrads, c.state)
  const [gValue, gGrads] = T.valueAndGrad(gLoss)(g.params)
  const nextG = optimiser.update(g.params, gGrads, g.state)
  return { state: { g: nextG, c: nextC, key }, losses: { critic: cValue, generator: gValue } }
}

const device = await T.openDevice()
const learn = await T.compileOn(device, step, [start], { donate: [0] })
const draw = await T.compileOn(
  device,
  (p: typeof start.g.params) => {
    const points = generator.apply(p, random.normal(random.key(3), [2000, 2]))
    return { mean: T.mean(points, { axis: 0 }), covariance: T.cov(T.matrixTranspose(points)) }
  },
  [start.g.params],
)
let result = await learn.run(start)
for (let i = 2; i <= steps; i++) {
  result = await learn.run(result.state)
  if (i % 500 === 0) console.log(`step ${i}:`, await T.read(result.losses))
}
console.log(await T.read(await draw.run(result.state.g.params)))
