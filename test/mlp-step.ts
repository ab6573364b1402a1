/** A training step of a small perceptron with Adam, as several tests compile it: state is given away, a loss comes back. */

import * as T from '../src/index.ts'
import { adam, type Optimiser, type OptimiserState } from '../src/optim/index.ts'

interface Params {
  readonly w1: T.Tensor
  readonly b1: T.Tensor
  readonly w2: T.Tensor
  readonly b2: T.Tensor
}

const optimiser: Optimiser = adam(0.01)

export interface State {
  readonly params: Params
  readonly opt: OptimiserState
}

const loss = (p: Params, x: T.Tensor, y: T.Tensor): T.Tensor => {
  const hidden = T.tanh(T.add(T.matmul(x, p.w1), p.b1))
  const difference = T.sub(T.add(T.matmul(hidden, p.w2), p.b2), y)
  return T.mean(T.mul(difference, difference))
}

/** One step: the next state and the loss before it. */
export const mlpStep = (s: State, x: T.Tensor, y: T.Tensor): { readonly state: State; readonly loss: T.Tensor } => {
  const [value, grads] = T.valueAndGrad(loss)(s.params, x, y)
  const { params, state } = optimiser.update(s.params, grads, s.opt)
  return { state: { params, opt: state }, loss: value }
}

const params = { w1: T.spec([8, 16]), b1: T.spec([16]), w2: T.spec([16, 4]), b2: T.spec([4]) }

/** The types of the arguments of `mlpStep`. */
export const mlpSpecs: readonly unknown[] = [
  { params, opt: { step: T.spec([], 'i32'), stages: [{ m: params, v: params }, []] } },
  T.spec([32, 8]),
  T.spec([32, 4]),
]

/** Numbers without a pattern, the same every time. */
const spread = (n: number, phase: number): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * phase) * 0.5)

const zeros = (): { readonly [name: string]: Float32Array } => ({
  w1: new Float32Array(128),
  b1: new Float32Array(16),
  w2: new Float32Array(64),
  b2: new Float32Array(4),
})

/** Host values for `mlpStep`: the state before the first step, and one batch. */
export const mlpStart = (): readonly unknown[] => [
  {
    params: { w1: spread(128, 1), b1: spread(16, 2), w2: spread(64, 3), b2: spread(4, 4) },
    opt: { step: 0, stages: [{ m: zeros(), v: zeros() }, []] },
  },
  spread(32 * 8, 5),
  spread(32 * 4, 6),
]

/** The compiled step. */
export const mlpProgram = (options: T.CompileOptions = {}): T.Program =>
  T.orThrow(T.compile(mlpStep as never, mlpSpecs, { donate: [0], name: 'mlp', ...options }))
