/** The shapes that the types say are those that there are. */
import { expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import * as nn from '../../src/nn/index.ts'

/** `shape` is checked against the type of `x`, then against `x`. */
const known = <S extends T.Shape>(x: T.Tensor<S>, shape: NoInfer<S>): void => {
  expect(x.shape).toEqual(shape)
}

const x = T.zeros([3, 4])
const y = T.zeros([5, 4])
const cube = T.zeros([2, 10, 7])
const image = T.zeros([2, 3, 28, 28])
const w3 = { weight: T.zeros([6, 3, 3, 3]) }
const w5 = { weight: T.zeros([6, 3, 5, 3]) }

test('joined', () => {
  known(T.concat([x, y, x]), [11, 4])
  known(T.concat([x, x], { axis: -1 }), [3, 8])
  known(T.concat([T.zeros([998, 1]), T.zeros([3, 1])]), [1001, 1])
  known(T.stack([x, x]), [2, 3, 4])
  known(T.stack([x, x, x], { axis: -1 }), [3, 4, 3])
  known(T.stack([x, x], { axis: -2 }), [3, 2, 4])
  // @ts-expect-error the types know better
  expect(() => known(T.concat([x, y]), [9, 4])).toThrow()
})

test('cut', () => {
  known(T.at(cube, 0, '2:5'), [3, 7])
  known(T.at(cube, '...', 0), [2, 10])
  known(T.at(cube, 0, '...', ':3'), [10, 3])
  known(T.at(cube, null, '1:-1', ':'), [2, 8, 7])
  known(T.at(cube, 0, '0::3', '1:7:2'), [4, 3])
  known(T.at(cube, 0, '8:100', '5:2'), [2, 0])
  known(T.at(cube, -1, '-100:-2:5', '-3:'), [2, 3])
  known(
    T.slice(cube, [
      [0, 1],
      [2, 9],
    ]),
    [1, 7, 7],
  )
  known(T.slice(cube, [[1], [], [null, null, 2]]), [1, 10, 4])
  known(T.slice(x, [[-2, null]]), [2, 4])
  for (const range of [':0', '2:2', '3:', '1:-1', '-9:9', '0:7:3'] as const)
    known(T.at(y, range), [...T.at(y, range).shape])
})

test('windows', () => {
  known(nn.conv2d(image, w3), [2, 6, 26, 26])
  known(nn.conv2d(image, w5, { padding: 'same' }), [2, 6, 28, 28])
  known(nn.conv2d(image, w5, { padding: 'valid' }), [2, 6, 24, 26])
  known(nn.conv2d(image, w3, { dilation: 2, stride: [1, 3] }), [2, 6, 24, 8])
  known(nn.conv2d(T.zeros([3, 28, 28]), w5, { padding: [2, 1], stride: 5 }), [6, 6, 6])
  known(nn.conv2d(T.zeros([1, 3, 30, 31]), w3, { stride: 2, padding: 1 }), [1, 6, 15, 16])
  known(nn.maxPool2d(image, { kernelSize: 2 }), [2, 3, 14, 14])
  known(nn.maxPool2d(image, { kernelSize: 3, stride: 2, padding: 1 }), [2, 3, 14, 14])
  known(nn.maxPool2d(image, { kernelSize: 3, dilation: 2, stride: 1 }), [2, 3, 24, 24])
  known(nn.avgPool2d(T.zeros([3, 28, 28]), { kernelSize: [7, 3] }), [3, 4, 9])
  known(nn.avgPool2d(image, { kernelSize: 3, ceilMode: true }), [2, 3, 10, 10])
  known(nn.conv1d(T.zeros([1, 2, 10]), { weight: T.zeros([4, 2, 3]) }, { padding: 2 }), [1, 4, 12])
})
