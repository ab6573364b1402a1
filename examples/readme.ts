import * as T from 'tensorloom'
import * as nn from 'tensorloom/nn'
import { adam } from 'tensorloom/optim'

const x = T.reshape(T.tensor([0, 1, 1, 0, 1, 1, 2, 1], { dtype: 'f32' }), [4, 2])
const y = T.reshape(T.tensor([1, 3, 4, 7], { dtype: 'f32' }), [4, 1])
const params = { weight: T.zeros([1, 2]), bias: T.zeros([1]) }
const start = { params, optimiser: adam(0.1).init(params) }

const loss = (p: typeof params) => nn.mseLoss(nn.linear(x, p), y)
const step = (state: typeof start) => {
  const [value, grads] = T.valueAndGrad(loss)(state.params)
  const next = adam(0.1).update(state.params, grads, state.optimiser)
  return { state: { params: next.params, optimiser: next.state }, loss: value }
}

const program = await T.compileOn(await T.openDevice(), step, [start], { donate: [0] })
let result = await program.run(start)
for (let i = 0; i < 500; i++) result = await program.run(result.state)

const weight = await result.state.params.weight.read()
console.log(
  'weight',
  Array.from(weight, (w) => w.toFixed(3)),
  'loss',
  (await result.loss.item()).toFixed(6),
)
console.log('dispatches a step', program.program.plan.prediction.dispatches)
