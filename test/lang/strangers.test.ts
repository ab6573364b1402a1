/** What people give where a tensor belongs: each is called what it is, with the way from it to a tensor. */
import { expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import * as nn from '../../src/nn/index.ts'
import * as random from '../../src/random/index.ts'
import { sharedDevice } from '../device.ts'

const loose = T as unknown as Readonly<Record<string, (...args: readonly unknown[]) => unknown>>
const program = await T.compileOn(await sharedDevice(), (x: T.Tensor) => T.mul(x, 2), [T.spec([2])])
const handle = await program.run([1, 2])
const typed = new Float32Array(2)
const host = T.reference(T.tensor([1.5, 2]))

const messageOf = async (call: () => unknown): Promise<string> => {
  try {
    const made = await call()
    return T.isTensor(made) ? String(T.reference(made)) : 'no mistake'
  } catch (e) {
    return e instanceof T.TensorloomError ? e.message : `not ours: ${e}`
  }
}

const result = 'a result of a run'
const read = 'T.fromArray(await result.read(), result.shape)'

test.each<[string, () => unknown, readonly string[]]>([
  ['a result as an operand', () => loose['add']!(handle, 1), [`T.add: operand 1 is ${result}`, read]],
  ['a result as the only argument', () => loose['mean']!(handle), [`T.mean: operand 1 is ${result}`, read]],
  ['a result with options', () => loose['sum']!(handle, { axis: 0 }), [`T.sum: operand 1 is ${result}`, read]],
  ['a result that might be options', () => loose['fft']!(handle), [`T.fft: operand 1 is ${result}`, read]],
  ['a result of one argument', () => loose['exp']!(handle), [`T.exp: operand 1 is ${result}`, read]],
  [
    'a result in a tree',
    () => T.grad((p: { a: T.Tensor }) => T.sum(p.a))({ a: handle } as never),
    [`a is ${result}`, 'T.read(tree)'],
  ],
  ['a typed array', () => loose['add']!(typed, 1), ['operand 1 is a Float32Array', 'T.fromArray(values, shape)']],
  [
    'a typed array, reduced',
    () => loose['mean']!(typed),
    ['T.mean: operand 1 is a Float32Array', 'T.fromArray(values, shape)'],
  ],
  [
    'a typed array given to jit',
    () => T.jit((x: T.Tensor) => x)(typed as never),
    ['[0] is a Float32Array', 'T.fromArray(values, shape)'],
  ],
  [
    'a value of the host',
    () => loose['mul']!(host, 2),
    ['operand 1 is a value of the host', 'T.fromArray(x.data, x.shape)'],
  ],
  ['a promise', () => loose['neg']!(Promise.resolve(1)), ['a promise, which was not awaited', 'await it first']],
  [
    'a promise given to run',
    () => program.run(Promise.resolve([1, 2]) as never),
    ['got a promise, which was not awaited', 'await it first'],
  ],
  [
    'a whole number of JavaScript',
    () => T.tensor([1n, 2n] as never),
    ['T.tensor: [0] is 1n, not a number', 'write 1, or Number(x)'],
  ],
  ['one as an operand', () => loose['add']!(T.tensor(1), 2n), ['operand 2 is 2n', 'write 2, or Number(x)']],
  ['words', () => T.tensor([['1', '2']] as never), ["T.tensor: [0][0] is '1', not a number", 'without quotes']],
  ['tensors in a list', () => T.tensor([T.tensor(1)] as never), ['T.tensor: [0] is a tensor', 'T.stack']],
  ['a number', () => loose['exp']!(3), ['operand 1 is 3', 'make a tensor with T.tensor(3)']],
  ['a seed', () => random.normal(42 as never, [2]), ['random.normal: the key is 42, not a key', 'random.key(42)']],
  ['a seed for dropout', () => nn.dropout(T.ones([2]), 7 as never), ['nn.dropout: the key is 7', 'random.key(7)']],
  [
    'a date for a key',
    () => random.uniform('now' as never, [2]),
    ["random.uniform: the key is 'now'", 'random.key(42)'],
  ],
  [
    'classes that are floats',
    () => nn.crossEntropy(T.ones([4, 3]), T.ones([4])),
    ['targets of f32 are probabilities, of the shape of the scores [4, 3], not [4]', "T.cast(target, 'i32')"],
  ],
  [
    'a shape for a spec',
    () => T.orThrow(T.compile((x: T.Tensor) => x, [[2, 3]] as never)),
    ['compile: [0] is the shape [2, 3]', 'write T.spec([2, 3])'],
  ],
  [
    'an async function',
    () => T.orThrow(T.compile((async (x: T.Tensor) => x) as never, [T.spec([2])])),
    ['the function is async', 'await data before'],
  ],
  ['ragged data', () => T.tensor([[1], [2, 3]] as never), ['ragged data', 'one length']],
])('%s', async (_, call, parts) => {
  const message = await messageOf(call)
  for (const part of parts) expect(message).toContain(part)
})
