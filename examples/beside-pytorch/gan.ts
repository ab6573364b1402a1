// A generative adversarial network learns a Gaussian that leans.
import * as T from 'tensorloom'
import * as nn from 'tensorloom/nn'
import { adam } from 'tensorloom/optim'
import * as random from 'tensorloom/random'
import { learner } from 'tensorloom/train'

const spread = T.reshape(T.tensor([1, -0.3, 0.6, 0.5]), [2, 2])
const mean = T.tensor([1, 2], { dtype: 'f32' })
const realPoints = (key: random.Key) => T.add(T.matmul(random.normal(key, [256, 2]), spread), mean)
const steps = process.argv.includes('--quick') ? 400 : 4000

const leaky = nn.leakyRelu({ negativeSlope: 0.2 })
const net = (outputs: number) => nn.sequential(nn.dense(2, 32), leaky, nn.dense(32, 32), leaky, nn.dense(32, outputs))
const [generator, critic] = [net(2), net(1)]
type Net = ReturnType<typeof critic.init>
const [ones, zeros] = [T.ones([256, 1]), T.zeros([256, 1])]
const bce = nn.binaryCrossEntropyWithLogits
const cLoss = (p: Net, { real, made }: { real: T.Tensor; made: T.Tensor }) =>
  T.add(bce(critic.apply(p, real), ones), bce(critic.apply(p, made), zeros))
const gLoss = (p: Net, { noise, judge }: { noise: T.Tensor; judge: Net }) =>
  bce(critic.apply(judge, generator.apply(p, noise)), ones)
const optimizer = adam(0.0005, { beta1: 0.5, beta2: 0.9 })
const [cLearn, gLearn] = [learner(cLoss, optimizer), learner(gLoss, optimizer)]

const [a, b, key] = random.splitList(random.key(1), 3)
const start = { c: cLearn.init(critic.init(a)), g: gLearn.init(generator.init(b)), key }
const step = (s: typeof start) => {
  const [key, a, b] = random.splitList(s.key, 3)
  const noise = random.normal(a, [256, 2])
  const made = generator.apply(s.g.params, noise)
  const c = cLearn.step(s.c, { real: realPoints(b), made })
  const g = gLearn.step(s.g, { noise, judge: c.state.params })
  return { state: { c: c.state, g: g.state, key }, losses: [c.loss, g.loss] }
}
const learn = T.jit(step, { donate: [0] })
const draw = T.jit((p: Net) => {
  const points = generator.apply(p, random.normal(random.key(3), [2000, 2]))
  return { mean: T.mean(points, { axis: 0 }), covariance: T.cov(T.transpose(points)) }
})

let result = await learn(start)
for (let i = 2; i <= steps; i++) {
  result = await learn(result.state)
  if (i % 500 === 0) console.log(`step ${i}:`, await T.read(result.losses))
}
console.log(await draw(result.state.g.params))
