/** A training step of a recurrent network over a scan, its weights and a count given away: loops that run on every platform. */
import * as T from '../src/index.ts'
import { evaluate } from '../src/lang/evaluate.ts'
import type { Value } from '../src/lang/primitive.ts'
import type { Case } from './emitted-cases.ts'

interface Params {
  readonly recurrent: T.Tensor
  readonly input: T.Tensor
  readonly output: T.Tensor
}

type State = Params & { readonly steps: T.Tensor }

const [turns, batch, features, units] = [7, 4, 3, 6] as const

const loss = ({ recurrent, input, output }: Params, xs: T.Tensor, y: T.Tensor): T.Tensor => {
  const turn = (h: T.Tensor, x: T.Tensor): readonly [T.Tensor, readonly []] => [
    T.tanh(T.add(T.matmul(h, recurrent) as T.Tensor, T.matmul(x, input))),
    [],
  ]
  const [last] = T.scan(turn as never, T.zeros([batch, units]) as T.Tensor, xs)
  const difference = T.sub(T.matmul(last, output) as T.Tensor, y)
  return T.mean(T.mul(difference, difference))
}

const step = ({ steps, ...params }: State, xs: T.Tensor, y: T.Tensor) => {
  const [value, grads] = T.valueAndGrad(loss)(params, xs, y) as unknown as readonly [T.Tensor, Params]
  const moved = (name: keyof Params): T.Tensor => T.sub(params[name], T.mul(grads[name], 0.1))
  const state: State = {
    recurrent: moved('recurrent'),
    input: moved('input'),
    output: moved('output'),
    steps: T.add(steps, 1),
  }
  return { loss: value, state }
}

/** Numbers without a pattern, the same every time. */
const spread = (n: number, phase: number): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * phase) * 0.5)

/** Four steps as a case for an emitted module, and what they give by the interpreter. */
export const rnnCase = (): { readonly given: Case; readonly expected: readonly Value[] } => {
  const specs = [
    {
      recurrent: T.spec([units, units]),
      input: T.spec([features, units]),
      output: T.spec([units, 2]),
      steps: T.spec([], 'i32'),
    },
    T.spec([turns, batch, features]),
    T.spec([batch, 2]),
  ]
  const { plan, stages } = T.orThrow(T.compile(step as never, specs, { donate: [0], name: 'rnn' }))
  const inputs = plan.inputs.map(({ shape, dtype }, i) => {
    const size = shape.reduce((n, d) => n * d, 1)
    return dtype === 'i32' ? new Int32Array(size) : spread(size, i)
  })
  const feed = plan.outputs.flatMap(({ inPlaceOf }, o) => (inPlaceOf === undefined ? [] : [[o, inPlaceOf] as const]))
  const times = 3
  const { graph } = stages[0]!
  const values = inputs.map((data, i): Value => {
    const { shape, dtype } = plan.inputs[i]!
    return { shape, dtype, data: dtype === 'f32' ? Float64Array.from(data) : data }
  })
  let expected = evaluate(graph, values)
  for (let turn = 0; turn < times; turn++) {
    for (const [from, to] of feed) values[to] = expected[from]!
    expected = evaluate(graph, values)
  }
  return { given: { plan, inputs, again: { times, feed } }, expected }
}
