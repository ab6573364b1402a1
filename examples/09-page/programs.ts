/**
 * Chapter 9: what the page computes: the model, the loss, the step. `tensorloom build` compiles it ahead of time to modules
 * for WebGPU and for the processor, so that the page has no compiler in it; page.ts has the loop. `npm run page`
 */
import * as T from 'tensorloom'
import { pipe } from 'tensorloom'
import * as nn from 'tensorloom/nn'
import { adam, exponentialDecay } from 'tensorloom/optim'
import * as random from 'tensorloom/random'

/** Grey levels as the files have them, 0 to 255, and the digits that they show. */
type Images = T.Tensor<readonly [number, 784], 'u8'>
type Labels = T.Tensor<readonly [number], 'u8'>

const model = nn.sequential(nn.dense(784, 128), T.relu, nn.dense(128, 10))
type Params = ReturnType<typeof model.init>

/** A score for each digit. */
const logits = (p: Params, images: Images): T.Tensor => model.apply(p, T.div(T.cast(images, 'f32'), 255))

/** How surprised the network is by the right answers: ln 10 = 2.30 for one that guesses. */
const loss = (p: Params, images: Images, labels: Labels): T.Tensor =>
  nn.crossEntropy(logits(p, images), T.cast(labels, 'i32'))

/** The steps are half as long every 1,400 batches. */
const optimiser = adam(exponentialDecay(0.002, { gamma: 0.9995 }))

const begin = (key: random.Key) => {
  const params = model.init(key)
  return { params, state: optimiser.init(params) }
}
type State = ReturnType<typeof begin>

const learn = ({ params, state }: State, images: Images, labels: Labels) => {
  const [value, gradients] = T.valueAndGrad(loss)(params, images, labels)
  return { next: optimiser.update(params, gradients, state), loss: value }
}

/** How many of the images are read correctly. */
const score = (p: Params, images: Images, labels: Labels): T.Tensor =>
  pipe(T.argmax(logits(p, images), { axis: 1 }), T.equal(T.cast(labels, 'i32')), T.countNonzero)

/** How likely each digit is for one image. */
const guess = (p: Params, image: Images): T.Tensor => T.reshape(nn.softmax(logits(p, image), { axis: 1 }), [10])

const before = begin(random.key(0))
const digits = (count: number) => [T.spec([count, 784], 'u8'), T.spec([count], 'u8')] as const

/** A random key → the state before the first step, which stays on the device. */
export const start: T.Compiled = T.compile(begin, [T.spec([2], 'u32')], { keep: ['params', 'state'], name: 'start' })

/** The state, 64 images, their digits → the next state in its place, and the loss. */
export const train: T.Compiled = T.compile(learn, [before, ...digits(64)], { donate: [0], name: 'train' })

/** Parameters, 500 images, their digits → how many are read correctly. */
export const test: T.Compiled = T.compile(score, [before.params, ...digits(500)], { name: 'test' })

/** Parameters, an image → ten probabilities. */
export const read: T.Compiled = T.compile(guess, [before.params, T.spec([1, 784], 'u8')], { name: 'read' })
