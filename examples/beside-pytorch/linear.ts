// Linear regression on noisy points.
import * as T from 'tensorloom'
import { batches } from 'tensorloom/data'
import * as nn from 'tensorloom/nn'
import { sgd } from 'tensorloom/optim'
import * as random from 'tensorloom/random'
import { learner } from 'tensorloom/train'

const [a, b, c, d] = random.splitList(random.key(0), 4)
const x = random.normal(a, [1000, 2])
const noise = random.normal(b, [1000, 1], { std: 0.01 })
const y = T.add(T.matmul(x, T.tensor([[2], [-3.4]])), T.add(4.2, noise))
const points = T.reference({ x, y })

const params = nn.linearInit(c, 2, 1)
type Points = { readonly x: T.Tensor; readonly y: T.Tensor }
const loss = (p: typeof params, { x, y }: Points) => nn.mseLoss(nn.linear(x, p), y)
const { init, step } = learner(loss, sgd(0.03))
const [learn, judge] = [T.jit(step, { donate: [0] }), T.jit(loss)]

let state = init(params)
for (let epoch = 0; epoch < 3; epoch++) {
  for (const some of batches(points, { size: 10, key: random.foldIn(d, epoch) })) ({ state } = await learn(state, some))
  const { data } = await judge(state.params, points)
  console.log(`epoch ${epoch + 1}: loss ${data[0]!.toFixed(6)}`)
}
console.log('weight, bias', await T.read(state.params))
