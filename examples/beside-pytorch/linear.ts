// Linear regression on noisy points.
import * as T from 'tensorloom'
import { batches } from 'tensorloom/data'
import * as nn from 'tensorloom/nn'
import { sgd } from 'tensorloom/optim'
import * as random from 'tensorloom/random'

const [a, b, c, d] = random.splitList(random.key(0), 4)
const x = random.normal(a, [1000, 2])
const y = T.add(T.matmul(x, T.tensor([[2], [-3.4]])), T.add(4.2, T.mul(0.01, random.normal(b, [1000, 1]))))
const points = T.reference({ x, y })

const params = nn.linearInit(c, 2, 1)
const optimiser = sgd(0.03)
const start = { params, state: optimiser.init(params) }
type Points = { readonly x: T.Tensor; readonly y: T.Tensor }
const loss = (p: typeof params, { x, y }: Points) => nn.mseLoss(nn.linear(x, p), y)
const step = (s: typeof start, some: Points) => optimiser.update(s.params, T.grad(loss)(s.params, some), s.state)

const batch = { x: T.spec([10, 2]), y: T.spec([10, 1]) }
const learn = await T.compileOn(await T.defaultDevice(), step, [start, batch], { donate: [0] })
let now = start
for (let epoch = 0; epoch < 3; epoch++) {
  for (const batch of batches(points, { size: 10, key: random.foldIn(d, epoch) })) now = await learn.run(now, batch)
  const { data } = await T.jit(loss)(now.params, points)
  console.log(`epoch ${epoch + 1}: loss ${data[0]!.toFixed(6)}`)
}
console.log('weight, bias', await T.read(now.params))
