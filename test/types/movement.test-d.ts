/** Reductions, movements and creation at type level. */
import { pipe } from '#fp/function'
import * as T from '../../src/lang/tensor/index.ts'
import type { Mistake } from '../../src/lang/types/broadcast.ts'
import type { AxisCheck } from '../../src/lang/types/movement.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import { type Equal, given, holds } from './expect.ts'

const x = given<Tensor<readonly [3, 4], 'f32'>>()
const cube = given<Tensor<readonly [2, 3, 4], 'f32'>>()
const batch = given<Tensor<readonly [number, 4], 'f32'>>()

const cases = () => ({
  all: T.sum(x),
  rows: T.sum(x, { axis: 1 }),
  last: T.sum(x, { axis: -1 }),
  kept: T.mean(x, { axis: 0, keepdims: true }),
  keptAll: T.max(x, { keepdims: true }),
  two: T.sum(cube, { axis: [0, -1] }),
  twoKept: T.sum(cube, { axis: [0, 2], keepdims: true }),
  ofBatch: T.mean(batch, { axis: 1 }),
  piped: pipe(cube, T.sum({ axis: 1 })),
  found: T.argmax(x, { axis: 1 }),
  some: T.any(x),
  reshaped: T.reshape(x, [2, 6]),
  inferred: T.reshape(x, [-1, 6]),
  transposed: T.matrixTranspose(cube),
  permuted: T.permuteDims(cube, [2, 0, 1]),
  permutedBack: T.permuteDims(cube, [-1, 0, 1]),
  grown: T.expandDims(x, 0),
  grownLast: pipe(x, T.expandDims(-1)),
  spread: T.broadcastTo(x, [5, 3, 4]),
  flipped: T.flip(x, { axis: 0 }),
  swapped: T.swapaxes(x, 0, 1),
  bare: pipe(x, T.sum),
  cast: T.cast(x, 'i32'),
  castPiped: pipe(x, T.cast('i32')),
})
type Cases = ReturnType<typeof cases>
holds<Equal<Cases['all'], Tensor<readonly [], 'f32'>>>()
holds<Equal<Cases['rows'], Tensor<readonly [3], 'f32'>>>()
holds<Equal<Cases['last'], Tensor<readonly [3], 'f32'>>>()
holds<Equal<Cases['kept'], Tensor<readonly [1, 4], 'f32'>>>()
holds<Equal<Cases['keptAll'], Tensor<readonly [1, 1], 'f32'>>>()
holds<Equal<Cases['two'], Tensor<readonly [3], 'f32'>>>()
holds<Equal<Cases['twoKept'], Tensor<readonly [1, 3, 1], 'f32'>>>()
holds<Equal<Cases['ofBatch'], Tensor<readonly [number], 'f32'>>>()
holds<Equal<Cases['piped'], Tensor<readonly [2, 4], 'f32'>>>()
holds<Equal<Cases['found'], Tensor<readonly [3], 'i32'>>>()
holds<Equal<Cases['some'], Tensor<readonly [], 'bool'>>>()
holds<Equal<Cases['reshaped'], Tensor<readonly [2, 6], 'f32'>>>()
holds<Equal<Cases['inferred'], Tensor<readonly [number, 6], 'f32'>>>()
holds<Equal<Cases['transposed'], Tensor<readonly [2, 4, 3], 'f32'>>>()
holds<Equal<Cases['permuted'], Tensor<readonly [4, 2, 3], 'f32'>>>()
holds<Equal<Cases['permutedBack'], Tensor<readonly [4, 2, 3], 'f32'>>>()
holds<Equal<Cases['grown'], Tensor<readonly [1, 3, 4], 'f32'>>>()
holds<Equal<Cases['grownLast'], Tensor<readonly [3, 4, 1], 'f32'>>>()
holds<Equal<Cases['spread'], Tensor<readonly [5, 3, 4], 'f32'>>>()
holds<Equal<Cases['flipped'], Tensor<readonly [3, 4], 'f32'>>>()
holds<Equal<Cases['swapped'], Tensor<readonly [number, number], 'f32'>>>()
holds<Equal<Cases['cast'], Tensor<readonly [3, 4], 'i32'>>>()
holds<Equal<Cases['castPiped'], Tensor<readonly [3, 4], 'i32'>>>()
export const scalar: Tensor<readonly []> = cases().bare

// @ts-expect-error axis 2 is out of range for rank 2
T.sum(x, { axis: 2 })
// @ts-expect-error axis -3 is out of range for rank 2
T.mean(x, { axis: -3 })
// @ts-expect-error and through pipe
pipe(x, T.sum({ axis: 2 }))
// @ts-expect-error a misspelt option
T.sum(x, { axes: 0 })
// @ts-expect-error not a dtype
T.cast(x, 'f64')
holds<
  Equal<AxisCheck<readonly [3, 4], { readonly axis: 2 }, 'sum'>, Mistake<'sum: axis 2 is out of range for rank 2'>>
>()

// A product after a transposition that would only fit without it.
T.matmul(x, T.matrixTranspose(x))
// @ts-expect-error inner dimensions 4 and 3 differ
T.matmul(x, x)
// @ts-expect-error inner dimensions 4 and 3 differ
pipe(x, T.matmul(T.matrixTranspose(T.matrixTranspose(x))))

// Creation: literals have literal shapes.
const made = () => ({
  matrix: T.tensor([
    [1, 2],
    [3, 4],
    [5, 6],
  ]),
  fractions: T.tensor([1, 2.5]),
  truth: T.tensor([true, false]),
  named: T.tensor([1, 2], { dtype: 'u32' }),
  scalar: T.tensor(2.5),
  zeros: T.zeros([2, 3]),
  wholeZeros: T.zeros([2, 3], { dtype: 'i32' }),
})
type Made = ReturnType<typeof made>
holds<Equal<Made['matrix'], Tensor<readonly [3, 2], 'i32'>>>()
holds<Equal<Made['fractions'], Tensor<readonly [2], 'f32'>>>()
holds<Equal<Made['truth'], Tensor<readonly [2], 'bool'>>>()
holds<Equal<Made['named'], Tensor<readonly [2], 'u32'>>>()
holds<Equal<Made['scalar'], Tensor<readonly [], 'f32'>>>()
holds<Equal<Made['zeros'], Tensor<readonly [2, 3], 'f32'>>>()
holds<Equal<Made['wholeZeros'], Tensor<readonly [2, 3], 'i32'>>>()

// Layers.
const params = { weight: given<Tensor<readonly [10, 4], 'f32'>>(), bias: given<Tensor<readonly [10], 'f32'>>() }
const layers = () => ({
  logits: nn.linear(batch, params),
  piped: pipe(batch, nn.linear(params), T.relu),
  loss: nn.mseLoss(x, x),
  losses: nn.mseLoss(x, x, { reduction: 'none' }),
  looked: nn.embedding(given<Tensor<readonly [7], 'i32'>>(), given<Tensor<readonly [100, 16], 'f32'>>()),
  soft: nn.softmax(x, { axis: 1 }),
})
type Layers = ReturnType<typeof layers>
holds<Equal<Layers['logits'], Tensor<readonly [number, 10], 'f32'>>>()
holds<Equal<Layers['piped'], Tensor<readonly [number, 10], 'f32'>>>()
holds<Equal<Layers['loss'], Tensor<readonly [], 'f32'>>>()
holds<Equal<Layers['losses'], Tensor<readonly [3, 4], 'f32'>>>()
holds<Equal<Layers['looked'], Tensor<readonly [7, 16], 'f32'>>>()
holds<Equal<Layers['soft'], Tensor<readonly [3, 4], 'f32'>>>()
// @ts-expect-error the input has 3 features, the weight takes 4
nn.linear(given<Tensor<readonly [2, 3], 'f32'>>(), params)
// @ts-expect-error and through pipe
pipe(given<Tensor<readonly [2, 3], 'f32'>>(), nn.linear(params))
// @ts-expect-error prediction and target do not broadcast
nn.mseLoss(x, given<Tensor<readonly [3, 5], 'f32'>>())
// @ts-expect-error and through pipe
pipe(x, nn.mseLoss(given<Tensor<readonly [3, 5], 'f32'>>()))

// A literal keeps its dtype as an operand: what is expected there does not decide it.
holds<Equal<ReturnType<typeof nestedCalls>, Tensor<readonly [2], 'f32'>>>()
const nestedCalls = () => T.div(T.tensor([3, 2]), T.tensor([4, 1]))
holds<Equal<ReturnType<typeof nestedZeros>, Tensor<readonly [2], 'f32'>>>()
const nestedZeros = () => T.add(T.zeros([2]), T.ones([2]))
