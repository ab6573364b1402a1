/** What is wrong is told when it is asked for, never thrown while building: the function, the operands, the axis, the way out. */
import { describe, expect, test } from 'vitest'
import { isLeft } from '#fp/Either'
import type { TensorloomError } from '../../../src/lang/errors.ts'
import * as T from '../../../src/lang/tensor/index.ts'
import { nodeOf, type Tensor } from '../../../src/lang/types/tensor.ts'
import * as nn from '../../../src/nn/index.ts'
import * as random from '../../../src/random/index.ts'
import { mistakeOf } from './run.ts'

const f = (...shape: readonly number[]): Tensor => T.zeros(shape)
const i = (...shape: readonly number[]): Tensor => T.zeros(shape, { dtype: 'i32' })
const mask = T.tensor([true, false, true]) as Tensor

const cases: readonly (readonly [() => Tensor, string, string, { axis?: number; hint?: RegExp; operands?: number }])[] =
  [
    [
      () => T.matmul(f(2, 3), f(4, 5)),
      'T.matmul',
      'inner dimensions 3 and 4 differ',
      { axis: 1, hint: /matrixTranspose/, operands: 2 },
    ],
    [() => T.matmul(f(3), f(4)), 'T.matmul', 'inner dimensions 3 and 4 differ', { axis: 0 }],
    [() => T.matmul(f(2, 2, 3), f(3, 3, 4)), 'T.matmul', 'batch sizes 2 and 3 do not broadcast', { axis: 0 }],
    [() => T.matmul(f(), f(3)), 'T.matmul', 'a scalar has no matrix product', { hint: /T\.mul/ }],
    [() => T.matmul(f(2, 3), i(3, 4)), 'T.matmul', 'dtypes f32 and i32 differ', { hint: /T\.cast\(x, 'f32'\)/ }],
    [
      () => T.add(f(2, 3), f(4)) as Tensor,
      'T.add',
      'shapes [2, 3] and [4] do not broadcast',
      { axis: 1, hint: /size-1/, operands: 2 },
    ],
    [
      () => T.where(mask as never, f(3), i(3) as never) as Tensor,
      'T.where',
      'dtypes f32 and i32 differ',
      { hint: /cast/ },
    ],
    [() => T.where(f(3) as never, 1, 2) as Tensor, 'T.where', 'the condition is f32, not bool', { hint: /T\.greater/ }],
    [() => T.concat([f(2, 3), i(2, 3)]), 'T.concat', 'dtypes f32 and i32 differ', { hint: /T\.cast/ }],
    [() => T.concat([f(2, 3), f(2, 4)]), 'T.concat', 'tensor 1 has shape [2, 4]', { axis: 1 }],
    [() => T.concat([]), 'T.concat', 'needs at least one tensor', {}],
    [() => T.stack([f(2), f(3)]), 'T.stack', 'tensor 1 has shape [3]', { axis: 0 }],
    [() => T.sum(f(2, 3), { axis: 2 }), 'T.sum', 'axis 2 is out of range for rank 2', { axis: 2, hint: /-2 to 1/ }],
    [() => T.sum(f(2, 3), { axis: [0, -2] }), 'T.sum', 'axis -2 is named twice', {}],
    [() => T.mean(i(2)), 'T.mean', 'not defined on i32', { hint: /T\.cast/ }],
    [() => T.max(f(2, 0), { axis: 1 }), 'T.max', 'axis 1 has no elements', { axis: 1 }],
    [() => T.argmax(f(0)), 'T.argmax', 'axis 0 has no elements', { axis: 0 }],
    [
      () => T.reshape(f(2, 3), [4, 2]),
      'T.reshape',
      '[2, 3] with 6 elements does not reshape to [4, 2] with 8',
      { hint: /-1/ },
    ],
    [() => T.reshape(f(2, 3), [-1, 4]), 'T.reshape', '6 is not a multiple of 4', { axis: 0 }],
    [() => T.reshape(f(2, 3), [-1, -1]), 'T.reshape', '2 sizes to infer', {}],
    [() => T.reshape(f(0, 3), [-1, 0]), 'T.reshape', 'cannot be inferred', {}],
    [() => T.permuteDims(f(2, 3), [0]), 'T.permuteDims', '1 axes given for rank 2', {}],
    [() => T.squeeze(f(2, 3), { axis: 0 }), 'T.squeeze', 'axis 0 has size 2, not 1', { axis: 0 }],
    [() => T.broadcastTo(f(2, 3), [3, 2]), 'T.broadcastTo', 'do not broadcast', {}],
    [() => T.at(f(2, 3), 0, 3), 'T.at', 'index 3 is out of range for axis 1 of size 3', { axis: 1, hint: /-3 to 2/ }],
    [() => T.at(f(2), 0, 0), 'T.at', '2 indices for rank 1', {}],
    [() => T.slice(f(4), [[0, 4, 0]]), 'T.slice', 'step cannot be 0', { axis: 0 }],
    [() => T.take(f(3), f(2)), 'T.take', 'indices are f32, not integers', { hint: /cast/ }],
    [() => T.pad(f(2), [[3, 0]], { mode: 'reflect' }), 'T.pad', 'mode reflect allows up to 1', { axis: 0 }],
    [() => T.einsum('ij,jk->ik', f(2, 3), f(4, 5)), 'T.einsum', "label 'j'", {}],
    [() => T.einsum('ij,jk->iz', f(2, 3), f(3, 5)), 'T.einsum', "output label 'z' is in no operand", {}],
    [() => T.einsum('ij->ij', f(2)), 'T.einsum', 'operand 1 has rank 1', {}],
    [() => T.sub(mask, mask) as Tensor, 'T.sub', 'not defined on bool', { hint: /cast/ }],
    [() => T.bitwiseAnd(f(2), f(2)) as Tensor, 'T.bitwiseAnd', 'not defined on f32', {}],
    [() => T.tensor([[1, 2], [3]]), 'T.tensor', 'ragged data: [1] has 1 elements where 2 belong', {}],
    [() => T.tensor([3e9]), 'T.tensor', 'does not fit i32', { hint: /u32/ }],
    [() => T.arange(0, 5, -1), 'T.arange', 'goes the wrong way', {}],
    [() => T.oneHot(f(2), 3), 'T.oneHot', 'indices are f32', {}],
    [
      () => nn.linear(f(2, 3), { weight: f(5, 4) as never }),
      'nn.linear',
      'the input has 3 features, the weight takes 4',
      { hint: /out, in/ },
    ],
    [() => nn.conv2d(f(1, 3, 8, 8), { weight: f(4, 2, 3, 3) }), 'nn.conv2d', '3 input channels', { axis: 1 }],
    [() => nn.maxPool2d(f(1, 1, 2, 2), { kernelSize: 3 }), 'nn.maxPool2d', 'windows of 3', { axis: 2 }],
    [() => random.uniform(f(2), [3]), 'random.uniform', 'a key is u32[2], not f32[2]', { hint: /random\.key/ }],
  ]

describe('mistakes are values', () => {
  test.each(cases)('%s', (build, op, reason, { axis, hint, operands }) => {
    const e = mistakeOf(build())
    expect(e.op).toBe(op)
    expect(e.reason).toContain(reason)
    if (axis !== undefined) expect(e.axis).toBe(axis)
    if (hint) expect(e.hint).toMatch(hint)
    if (operands) expect(e.operands).toHaveLength(operands)
    expect(e.site?.file).toMatch(/mistakes\.test\.ts$/)
  })

  test('what stands on a mistake carries that mistake and adds none', () => {
    const wrong = T.matmul(f(2, 3), f(4, 5))
    const above = [
      T.relu(wrong),
      T.sum(T.add(wrong, 1)),
      nn.softmax(wrong),
      T.concat([wrong, wrong]),
      T.reshape(wrong, [9]),
      nn.crossEntropy(wrong, i(2)),
      T.split(wrong, 2)[0]!,
    ]
    for (const x of above) {
      const { type } = nodeOf(x)
      expect(isLeft(type) && type.left).toBe(mistakeOf(wrong))
    }
  })

  test('asking a mistake for its shape throws it', () => {
    try {
      void T.matmul(f(2, 3), f(4, 5)).shape
      expect.unreachable()
    } catch (e) {
      expect((e as TensorloomError).message).toMatch(/^T\.matmul: inner dimensions 3 and 4 differ/)
      expect((e as TensorloomError).message).toContain('operands: f32[2, 3], f32[4, 5]')
    }
  })
})
