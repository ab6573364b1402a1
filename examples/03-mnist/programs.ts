/**
 * The network's programs, to be written out as a module that needs no compiler:
 * `tensorloom build examples/03-mnist/programs.ts --out out/mnist-module`. A page can learn digits with them.
 */
import * as T from 'tensorloom'
import * as random from 'tensorloom/random'
import { classify, init, learn } from './model.ts'

const before = init(random.key(0))

/** A random key (two u32 words) → the state before the first step. */
export const start: T.Compiled = T.compile(init, [T.spec([2], 'u32')], { keep: ['params', 'state'], name: 'start' })

/** State, 64 images, their digits → the next state, which takes the place of the one before, and the loss. */
export const train: T.Compiled = T.compile(learn, [before, T.spec([64, 784]), T.spec([64], 'i32')], {
  donate: [0],
  name: 'train',
})

/** Parameters and one image → its digit. */
export const predict: T.Compiled = T.compile(classify, [before.params, T.spec([1, 784])], { name: 'predict' })
