import * as T from 'tensorloom'
import * as nn from 'tensorloom/nn'
import { adam } from 'tensorloom/optim'

const optimiser = adam(0.1)
const params = { weight: T.zeros([1, 2]), bias: T.zeros([1]) }
const start = { params, optimiser: optimiser.init(params) }
const x = T.tensor(
  [
    [0, 1],
    [1, 0],
    [1, 1],
    [2, 1],
  ],
  { dtype: 'f32' },
)
const y = T.tensor([[1], [3], [4], [7]], { dtype: 'f32' })

const step = (state: typeof start) => {
  const [loss, grads] = T.valueAndGrad((p: typeof params) => nn.mseLoss(nn.linear(x, p), y))(state.params)
  const next = optimiser.update(state.params, grads, state.optimiser)
  return { state: { params: next.params, optimiser: next.state }, loss }
}

const program = await T.compileOn(await T.openDevice(), step, [start], { donate: [0] })
let result = await program.run(start)
for (let i = 0; i < 500; i++) result = await program.run(result.state)
console.log('loss', (await result.loss.read())[0], 'weight', await result.state.params.weight.read())
console.log(program.program.plan.prediction)
