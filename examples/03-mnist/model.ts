/** A deep feedforward network for digits, 784-256-128-10 with relu: what it computes, how wrong it is, how it learns. */
import * as T from 'tensorloom'
import { pipe } from 'tensorloom'
import * as nn from 'tensorloom/nn'
import { adam, exponentialDecay, type Updated } from 'tensorloom/optim'
import * as random from 'tensorloom/random'

export interface Params {
  readonly first: nn.LinearParams<256, 784, 'f32'>
  readonly second: nn.LinearParams<128, 256, 'f32'>
  readonly last: nn.LinearParams<10, 128, 'f32'>
}

/** Parameters, and what Adam remembers of their gradients. */
export type State = Updated<Params>

export type Images = T.Tensor<readonly [number, 784], 'f32'>
export type Logits = T.Tensor<readonly [number, 10], 'f32'>
export type Labels = T.Tensor<readonly [number], 'i32'>
export type Loss = T.Tensor<readonly [], 'f32'>

/** Halves its steps every 700 batches or so. */
const optimiser = adam(exponentialDecay(0.002, { gamma: 0.999 }))

/** Before the first step. */
export const init = (key: random.Key): State => {
  const [a, b, c] = random.splitList(key, 3)
  const params = {
    first: nn.linearInit(a, 784, 256),
    second: nn.linearInit(b, 256, 128),
    last: nn.linearInit(c, 128, 10),
  }
  return { params, state: optimiser.init(params) }
}

/** A score for each digit. */
export const logits = (p: Params, x: Images): Logits =>
  pipe(x, nn.linear(p.first), T.relu, nn.linear(p.second), T.relu, nn.linear(p.last))

export const loss = (p: Params, x: Images, y: Labels): Loss => nn.crossEntropy(logits(p, x), y)

/** One step of gradient descent on one batch. */
export const learn = (
  { params, state }: State,
  x: Images,
  y: Labels,
): { readonly next: State; readonly loss: Loss } => {
  const [value, gradients] = T.valueAndGrad(loss)(params, x, y)
  return { next: optimiser.update(params, gradients, state), loss: value }
}

/** The most likely digit of each image. */
export const classify = (p: Params, x: Images): Labels => T.argmax(logits(p, x), { axis: 1 })
