/** Shapes that stay known: of joined and cut tensors, of convolutions and pooling; and wrong programs. */
import * as T from '../../src/index.ts'
import type { Add, Divide, Multiply, Subtract } from '../../src/lang/types/numbers.ts'
import * as nn from '../../src/nn/index.ts'
import { type Equal, given, holds } from './expect.ts'

type F<S extends T.Shape> = T.Tensor<S, 'f32'>

holds<Equal<Add<999, 1>, 1000>>()
holds<Equal<Add<0, 7>, 7>>()
holds<Equal<Add<48213, 951987>, 1000200>>()
holds<Equal<Add<number, 7>, number>>()
holds<Equal<Subtract<1000, 1>, 999>>()
holds<Equal<Subtract<10, 10>, 0>>()
holds<Equal<Subtract<100200, 951>, 99249>>()
holds<Equal<Subtract<3, 4>, never>>()
holds<Equal<Subtract<30, 400>, never>>()
holds<Equal<Divide<1000, 7>, 142>>()
holds<Equal<Divide<224, 2>, 112>>()
holds<Equal<Divide<6, 7>, 0>>()
holds<Equal<Divide<65536, 16>, 4096>>()
holds<Equal<Multiply<12, 12>, 144>>()
holds<Equal<Multiply<6, 0>, 0>>()

const x = given<F<readonly [3, 4]>>()
const y = given<F<readonly [5, 4]>>()
const rows = given<F<readonly [number, 4]>>()
const cube = given<F<readonly [2, 10, 7]>>()
const any = given<T.Tensor>()
const many = given<readonly F<readonly [3, 4]>[]>()
const codes = given<T.Tensor<readonly [number, number], 'u8'>>()
const count = given<number>()
const some = given<{ readonly axis?: number }>()

// Data of typed arrays and ranges: of the dtype that they say.
const vector = T.tensor(given<Float32Array>())
holds<Equal<typeof vector, F<readonly [number]>>>()
const halves = T.tensor(given<Float64Array>(), { dtype: 'f16' })
holds<Equal<typeof halves, T.Tensor<readonly [number], 'f16'>>>()
const shorts = [
  T.tensor(given<Int16Array>()),
  T.tensor(given<Uint8ClampedArray>()),
  T.tensor(given<Uint16Array>()),
] as const
holds<Equal<(typeof shorts)[0]['dtype'], 'i32'>>()
holds<Equal<(typeof shorts)[1]['dtype'], 'u8'>>()
holds<Equal<(typeof shorts)[2]['dtype'], 'u32'>>()
const ranges = [T.arange(0, 3), T.arange(0, 3, 0.5), T.arange(count), T.arange(4, { dtype: 'u32' })] as const
holds<Equal<(typeof ranges)[0], T.Tensor<readonly [number], 'i32'>>>()
holds<Equal<(typeof ranges)[1], F<readonly [number]>>>()
holds<Equal<(typeof ranges)[2]['dtype'], 'f32' | 'i32'>>()
holds<Equal<(typeof ranges)[3]['dtype'], 'u32'>>()

// What is picked and cut has the dtype of its operand, and its rank where that is known.
const picked = [
  T.take(codes, T.tensor([1, 2])),
  T.pipe(codes, T.take(T.tensor(1), { axis: -1 })),
  T.take(cube, T.tensor([[0, 1]]), { axis: 1 }),
  T.take(codes, T.tensor([1]), some),
  T.takeAlongAxis(codes, T.tensor([[0]])),
  T.at(codes, ':', ':-1'),
] as const
holds<Equal<(typeof picked)[0], T.Tensor<readonly [2, number], 'u8'>>>()
holds<Equal<(typeof picked)[1], T.Tensor<readonly [number], 'u8'>>>()
holds<Equal<(typeof picked)[2], F<readonly [2, 1, 2, 7]>>>()
holds<Equal<(typeof picked)[3], T.Tensor<T.Shape, 'u8'>>>()
holds<Equal<(typeof picked)[4], T.Tensor<readonly [number, number], 'u8'>>>()
holds<Equal<(typeof picked)[5], T.Tensor<readonly [number, number], 'u8'>>>()
const pieces = [T.split(codes, 2), T.pipe(codes, T.chunk(2, { axis: 1 })), T.unbind(cube, { axis: -1 })] as const
holds<Equal<(typeof pieces)[0][number], T.Tensor<readonly [number, number], 'u8'>>>()
holds<Equal<(typeof pieces)[1][number], T.Tensor<readonly [number, number], 'u8'>>>()
holds<Equal<(typeof pieces)[2][number], F<readonly [2, 10]>>>()

const joined = () => ({
  concat: T.concat([x, y]),
  three: T.concat([x, y, x], { axis: 0 }),
  last: T.concat([x, x], { axis: -1 }),
  open: T.concat([rows, y]),
  openAside: T.concat([rows, rows], { axis: 1 }),
  list: T.concat(many),
  listAside: T.concat(many, { axis: 1 }),
  mixed: T.concat([any, x]),
  stack: T.stack([x, x]),
  stackLast: T.stack([x, x, x], { axis: -1 }),
  stackMiddle: T.stack([x, x], { axis: 1 }),
  stackList: T.stack(many),
  scalars: T.stack([T.tensor(1.5), T.tensor(2.5)]),
})
type Joined = ReturnType<typeof joined>
holds<Equal<Joined['concat'], F<readonly [8, 4]>>>()
holds<Equal<Joined['three'], F<readonly [11, 4]>>>()
holds<Equal<Joined['last'], F<readonly [3, 8]>>>()
holds<Equal<Joined['open'], F<readonly [number, 4]>>>()
holds<Equal<Joined['openAside'], F<readonly [number, 8]>>>()
holds<Equal<Joined['list'], F<readonly [number, 4]>>>()
holds<Equal<Joined['listAside'], F<readonly [3, number]>>>()
holds<Equal<Joined['mixed'], T.Tensor>>()
holds<Equal<Joined['stack'], F<readonly [2, 3, 4]>>>()
holds<Equal<Joined['stackLast'], F<readonly [3, 4, 3]>>>()
holds<Equal<Joined['stackMiddle'], F<readonly [3, 2, 4]>>>()
holds<Equal<Joined['stackList'], F<readonly [number, 3, 4]>>>()
holds<Equal<Joined['scalars'], F<readonly [2]>>>()

const cut = () => ({
  row: T.at(x, 0),
  last: T.at(x, -1),
  element: T.at(x, 1, 2),
  column: T.at(x, ':', 2),
  range: T.at(cube, 0, '2:5'),
  ellipsis: T.at(cube, '...', 0),
  between: T.at(cube, 0, '...', ':3'),
  whole: T.at(cube, null, '1:-1', ':'),
  steps: T.at(cube, 0, '0::3', '1:7:2'),
  past: T.at(cube, 0, '8:100', '5:2'),
  back: T.at(x, '::-1'),
  ofBatch: T.at(rows, ':', 0),
  cutBatch: T.at(rows, '0:2'),
  piped: T.pipe(cube, T.at(0, '0:4')),
  slice: T.slice(cube, [
    [0, 1],
    [2, 9],
  ]),
  sliceEnd: T.slice(x, [[-2, null]]),
  sliceAll: T.slice(x, [[null, null, 2], []]),
  unknown: T.at(any, 0),
  computed: T.at(x, `${given<number>()}:2`),
  index: T.at(cube, given<number>()),
  reshaped: T.reshape(cube, [20, 7]),
})
type Cut = ReturnType<typeof cut>
holds<Equal<Cut['row'], F<readonly [4]>>>()
holds<Equal<Cut['last'], F<readonly [4]>>>()
holds<Equal<Cut['element'], F<readonly []>>>()
holds<Equal<Cut['column'], F<readonly [3]>>>()
holds<Equal<Cut['range'], F<readonly [3, 7]>>>()
holds<Equal<Cut['ellipsis'], F<readonly [2, 10]>>>()
holds<Equal<Cut['between'], F<readonly [10, 3]>>>()
holds<Equal<Cut['whole'], F<readonly [2, 8, 7]>>>()
holds<Equal<Cut['steps'], F<readonly [4, 3]>>>()
holds<Equal<Cut['past'], F<readonly [2, 0]>>>()
holds<Equal<Cut['back'], F<readonly [number, 4]>>>()
holds<Equal<Cut['ofBatch'], F<readonly [number]>>>()
holds<Equal<Cut['cutBatch'], F<readonly [number, 4]>>>()
holds<Equal<Cut['piped'], F<readonly [4, 7]>>>()
holds<Equal<Cut['slice'], F<readonly [1, 7, 7]>>>()
holds<Equal<Cut['sliceEnd'], F<readonly [2, 4]>>>()
holds<Equal<Cut['sliceAll'], F<readonly [2, 4]>>>()
holds<Equal<Cut['unknown'], T.Tensor>>()
holds<Equal<Cut['computed'], F<readonly [number, 4]>>>()
holds<Equal<Cut['index'], F<readonly [10, 7]>>>()
holds<Equal<Cut['reshaped'], F<readonly [20, 7]>>>()

const image = given<F<readonly [8, 3, 28, 28]>>()
const images = given<F<readonly [number, 3, 224, 224]>>()
const one = given<F<readonly [3, 28, 28]>>()
const w3 = { weight: given<F<readonly [16, 3, 3, 3]>>() }
const w5 = { weight: given<F<readonly [16, 3, 5, 3]>>(), bias: given<F<readonly [16]>>() }
const w7 = { weight: given<F<readonly [64, 3, 7, 7]>>() }

const windows = () => ({
  plain: nn.conv2d(image, w3),
  padded: nn.conv2d(image, w3, { padding: 1 }),
  same: nn.conv2d(image, w5, { padding: 'same' }),
  valid: nn.conv2d(image, w5, { padding: 'valid' }),
  strided: nn.conv2d(images, w7, { stride: 2, padding: 3 }),
  dilated: nn.conv2d(image, w3, { dilation: 2, stride: [1, 3] }),
  each: nn.conv2d(one, w5, { padding: [2, 1] }),
  piped: T.pipe(image, nn.conv2d(w3, { padding: 1 }), nn.maxPool2d({ kernelSize: 2 })),
  line: nn.conv1d(given<F<readonly [1, 2, 10]>>(), { weight: given<F<readonly [4, 2, 3]>>() }),
  open: nn.conv2d(image, w3, { padding: given<number>() }),
  loose: nn.conv2d(any, w3),
  max: nn.maxPool2d(image, { kernelSize: 2 }),
  maxOdd: nn.maxPool2d(images, { kernelSize: 3, stride: 2, padding: 1 }),
  maxDilated: nn.maxPool2d(image, { kernelSize: 3, dilation: 2, stride: 1 }),
  average: nn.avgPool2d(one, { kernelSize: [7, 2] }),
  ceiled: nn.avgPool2d(image, { kernelSize: 3, ceilMode: true }),
  floored: nn.avgPool2d(image, { kernelSize: 3, ceilMode: false }),
  sides: nn.conv2d(image, w3, { padding: [[2, 1], 3] }),
  covered: nn.conv2d(image, w5, { padding: 'same', stride: [3, 2] }),
  coveredPool: nn.maxPool2d(image, { kernelSize: 3, padding: 'same' }),
  validPool: nn.avgPool2d(image, { kernelSize: 2, padding: 'valid', dilation: 3, stride: 1 }),
})
type Windows = ReturnType<typeof windows>
holds<Equal<Windows['plain'], F<readonly [8, 16, 26, 26]>>>()
holds<Equal<Windows['padded'], F<readonly [8, 16, 28, 28]>>>()
holds<Equal<Windows['same'], F<readonly [8, 16, 28, 28]>>>()
holds<Equal<Windows['valid'], F<readonly [8, 16, 24, 26]>>>()
holds<Equal<Windows['strided'], F<readonly [number, 64, 112, 112]>>>()
holds<Equal<Windows['dilated'], F<readonly [8, 16, 24, 8]>>>()
holds<Equal<Windows['each'], F<readonly [16, 28, 28]>>>()
holds<Equal<Windows['piped'], F<readonly [8, 16, 14, 14]>>>()
holds<Equal<Windows['line'], F<readonly [1, 4, 8]>>>()
holds<Equal<Windows['open'], F<readonly [8, 16, number, number]>>>()
holds<Equal<Windows['loose'], T.Tensor>>()
holds<Equal<Windows['max'], F<readonly [8, 3, 14, 14]>>>()
holds<Equal<Windows['maxOdd'], F<readonly [number, 3, 112, 112]>>>()
holds<Equal<Windows['maxDilated'], F<readonly [8, 3, 24, 24]>>>()
holds<Equal<Windows['average'], F<readonly [3, 4, 14]>>>()
holds<Equal<Windows['ceiled'], T.Tensor<T.Shape, 'f32'>>>()
holds<Equal<Windows['floored'], F<readonly [8, 3, 9, 9]>>>()
holds<Equal<Windows['sides'], F<readonly [8, 16, 29, 32]>>>()
holds<Equal<Windows['covered'], F<readonly [8, 16, 10, 14]>>>()
holds<Equal<Windows['coveredPool'], F<readonly [8, 3, 10, 10]>>>()
holds<Equal<Windows['validPool'], F<readonly [8, 3, 25, 25]>>>()

const wrong = () => [
  // @ts-expect-error 8 rows and 5 do not add up
  T.add(T.concat([x, y]), y),
  // @ts-expect-error nor do what was stacked and one of its parts, spread over the last axis
  T.add(T.stack([x, x], { axis: -1 }), x),
  // @ts-expect-error a row of 4 and a weight for 3
  T.matmul(T.at(x, 0), given<F<readonly [3, 2]>>()),
  // @ts-expect-error 3 elements and 4
  T.add(T.at(cube, 0, [2, 5], 0), given<F<readonly [4]>>()),
  // @ts-expect-error 7 columns and 2
  T.add(T.slice(cube, [[0, 1]]), given<F<readonly [2]>>()),
  // @ts-expect-error 26 columns and 28
  T.add(nn.conv2d(image, w3), given<F<readonly [28]>>()),
  // @ts-expect-error 14 columns and 28
  T.add(nn.maxPool2d(image, { kernelSize: 2 }), image),
  // @ts-expect-error 4 rows and 7
  T.add(nn.avgPool2d(one, { kernelSize: [7, 2] }), given<F<readonly [7, 14]>>()),
  // @ts-expect-error a misspelt option
  nn.conv2d(image, w3, { padding: 1, strides: 2 }),
  // @ts-expect-error a misspelt option
  nn.maxPool2d(image, { kernelSize: 2, pad: 1 }),
  // @ts-expect-error a misspelt option
  T.concat([x, y], { axis: 0, dim: 1 }),
  // @ts-expect-error a misspelt option beside a right one
  T.max(x, { axis: 1, keepDims: true }),
  // @ts-expect-error a misspelt option beside a right one
  T.sum(x, { axis: 1, keepDims: true }),
  // @ts-expect-error a misspelt option beside a right one, curried
  T.pipe(x, T.mean({ axis: 1, keepDims: true })),
  // @ts-expect-error a misspelt option beside a right one
  T.argmax(x, { axis: 1, keepDims: true }),
  // @ts-expect-error a misspelt option beside a right one
  T.meanVariance(x, { axis: 1, unbiased: true }),
  // @ts-expect-error a misspelt option beside a right one
  nn.mseLoss(x, x, { reduction: 'sum', weights: 1 }),
  // @ts-expect-error the key is missing
  nn.dropout(x, { p: 0.5 }),
  // @ts-expect-error the key is missing
  T.pipe(x, nn.dropout({ p: 0.5 })),
]
const right = (key: T.Tensor) => [nn.dropout(x, key), T.pipe(x, nn.dropout(key, { p: 0.5 }))]
export const checked: unknown = [wrong, right]
