/** Arithmetic, comparison and matmul at type level: right programs compile, wrong ones do not, also through pipe and flow. */
import { flow, pipe } from '#fp/function'
import * as T from '../../src/lang/tensor/index.ts'
import type { ElementwiseCheck, Mistake } from '../../src/lang/types/broadcast.ts'
import type { MatmulCheck } from '../../src/lang/types/matmul.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import { type Equal, given, holds } from './expect.ts'

const x = given<Tensor<readonly [3, 4], 'f32'>>()
const w = given<Tensor<readonly [4, 5], 'f32'>>()
const wrong = given<Tensor<readonly [5, 6], 'f32'>>()
const b = given<Tensor<readonly [5], 'f32'>>()
const bias = given<Tensor<readonly [7], 'f32'>>()
const whole = given<Tensor<readonly [3, 4], 'i32'>>()
const batch = given<Tensor<readonly [number, 4], 'f32'>>()
const unknown = given<Tensor>()

// What right programs give.
holds<Equal<ReturnType<typeof sums>, Tensor<readonly [3, 4], 'f32'>>>()
const sums = () => T.add(x, x)
holds<Equal<ReturnType<typeof columns>, Tensor<readonly [3, 4], 'f32'>>>()
const columns = () => T.add(given<Tensor<readonly [3, 1], 'f32'>>(), given<Tensor<readonly [1, 4], 'f32'>>())
holds<Equal<ReturnType<typeof scaled>, Tensor<readonly [3, 4], 'f32'>>>()
const scaled = () => T.mul(x, 2)
holds<Equal<ReturnType<typeof scaledLeft>, Tensor<readonly [3, 4], 'f32'>>>()
const scaledLeft = () => T.sub(1, x)
holds<Equal<ReturnType<typeof compared>, Tensor<readonly [3, 4], 'bool'>>>()
const compared = () => T.less(x, 0)
holds<Equal<ReturnType<typeof quotient>, Tensor<readonly [3, 4], 'f32'>>>()
const quotient = () => T.div(whole, 2)
holds<Equal<ReturnType<typeof product>, Tensor<readonly [3, 5], 'f32'>>>()
const product = () => T.matmul(x, w)
holds<Equal<ReturnType<typeof batched>, Tensor<readonly [number, 5], 'f32'>>>()
const batched = () => T.matmul(batch, w)
holds<Equal<ReturnType<typeof vector>, Tensor<readonly [3], 'f32'>>>()
const vector = () => T.matmul(x, given<Tensor<readonly [4], 'f32'>>())
holds<Equal<ReturnType<typeof stacked>, Tensor<readonly [2, 3, 5], 'f32'>>>()
const stacked = () => T.matmul(given<Tensor<readonly [2, 3, 4], 'f32'>>(), w)
holds<Equal<ReturnType<typeof inner>, Tensor<readonly [], 'f32'>>>()
const inner = () => T.dot(b, b)
holds<Equal<ReturnType<typeof bits>, Tensor<readonly [3, 4], 'i32'>>>()
const bits = () => pipe(T.bitwiseAnd(whole, whole), T.bitwiseOr(3))
holds<Equal<ReturnType<typeof layer>, Tensor<readonly [3, 5], 'f32'>>>()
const layer = () => pipe(x, T.matmul(w), T.add(b), T.relu, T.sub(1))
holds<Equal<ReturnType<typeof layerOfBatch>, Tensor<readonly [number, 5], 'f32'>>>()
const layerOfBatch = () => pipe(batch, T.matmul(w), T.add(b), T.tanh)
export const loose: readonly Tensor[] = [T.add(unknown, x), T.matmul(unknown, w), pipe(unknown, T.add(x), T.matmul(w))]

// `number` is unknown, not wrong.
export const anyInner: Tensor<readonly [number, 5], 'f32'> = T.matmul(
  given<Tensor<readonly [number, number], 'f32'>>(),
  w,
)
export const anyCurried: Tensor<readonly [number, 5], 'f32'> = pipe(
  given<Tensor<readonly [number, number], 'f32'>>(),
  T.matmul(w),
  T.add(b),
)

// A generic layer compiles in the direct form without a cast.
export const dense =
  <I extends number, O extends number>(
    weight: Tensor<readonly [I, O], 'f32'>,
    shift: Tensor<readonly [NoInfer<O>], 'f32'>,
  ) =>
  (z: Tensor<readonly [number, I], 'f32'>): Tensor<readonly [number, O], 'f32'> =>
    T.add(T.matmul(z, weight), shift)
export const used: Tensor<readonly [number, 5], 'f32'> = dense(w, b)(batch)

// Wrong programs do not compile.
// @ts-expect-error inner dimensions 4 and 5 differ
T.matmul(x, wrong)
// @ts-expect-error sizes 4 and 5 do not broadcast
T.add(x, b)
// @ts-expect-error mixed dtypes f32 and i32
T.add(x, whole)
// @ts-expect-error mixed dtypes in a comparison
T.less(x, whole)
// @ts-expect-error mixed dtypes in a product of matrices
T.matmul(x, given<Tensor<readonly [4, 5], 'i32'>>())
// @ts-expect-error 3 and 4 elements have no inner product
T.dot(given<Tensor<readonly [3], 'f32'>>(), given<Tensor<readonly [4], 'f32'>>())
// @ts-expect-error inner dimensions 4 and 5 differ
T.mm(x, wrong)
// @ts-expect-error inner dimensions 4 and 5 differ
T.mv(x, b)
// @ts-expect-error floats have no arithmetic on bits
T.bitwiseAnd(x, x)
// @ts-expect-error nor with a number
T.bitwiseXor(x, 1)
// @ts-expect-error nor through pipe
pipe(x, T.bitwiseOr(1))
// @ts-expect-error a generic layer keeps its sizes
dense(w, bias)
// @ts-expect-error and its dtype
dense(w, given<Tensor<readonly [5], 'i32'>>())
// @ts-expect-error a string is no operand
T.add(x, '1')
// @ts-expect-error a spec with shape and dtype is no tensor
T.add(x, { shape: [3, 4], dtype: 'f32' })
// @ts-expect-error tensors have no arithmetic of JavaScript's
export const plus: unknown = x + x

// The same through pipe and flow.
// @ts-expect-error inner dimensions 4 and 5 differ
pipe(x, T.matmul(wrong))
// @ts-expect-error sizes 5 and 7 do not broadcast
pipe(x, T.matmul(w), T.add(bias))
// @ts-expect-error mixed dtypes f32 and i32
pipe(x, T.add(whole))
// @ts-expect-error sizes 5 and 7, in the middle
pipe(x, T.matmul(w), T.add(bias), T.relu, T.sum())
export const network: (z: Tensor<readonly [number, 4], 'f32'>) => Tensor<readonly [number, 5], 'f32'> = flow(
  (z: Tensor<readonly [number, 4], 'f32'>) => z,
  T.matmul(w),
  T.add(b),
  T.relu,
)
export const applied: Tensor<readonly [number, 5], 'f32'> = network(x)
// @ts-expect-error sizes 5 and 7 do not broadcast
flow((z: typeof x) => z, T.matmul(w), T.add(bias), T.relu)
// @ts-expect-error a flow of 4 features does not take 6
network(given<Tensor<readonly [5, 6], 'f32'>>())

// The mistakes say what is wrong, with the sizes.
holds<Equal<MatmulCheck<typeof x, typeof wrong, 'matmul'>, Mistake<'matmul: inner dimensions 4 and 5 differ'>>>()
holds<Equal<ElementwiseCheck<typeof x, typeof b, 'add'>, Mistake<'add: sizes 4 and 5 do not broadcast'>>>()
holds<
  Equal<ElementwiseCheck<typeof x, typeof whole, 'add'>, Mistake<'add: mixed dtypes f32 and i32; cast one with T.cast'>>
>()
holds<Equal<ElementwiseCheck<typeof x, number, 'add'>, unknown>>()

// A fraction makes floats of integers, a whole number integers of bool; of a number that is not known only that.
holds<Equal<ReturnType<typeof numbered>, readonly ['f32', 'f32', 'i32', 'i32', 'f32', 'i32']>>()
const numbered = () => {
  const flag = given<Tensor<readonly [3], 'bool'>>()
  const some = given<number>()
  return [
    T.add(whole, 0.5).dtype,
    T.mul(whole, 1e-9).dtype,
    T.add(whole, 2).dtype,
    T.add(flag, 2).dtype,
    T.mul(x, 0.5).dtype,
    T.add(whole, some).dtype,
  ] as const
}

// Choices.
const mask = given<Tensor<readonly [3, 1], 'bool'>>()
holds<Equal<ReturnType<typeof chosen>, Tensor<readonly [3, 4], 'f32'>>>()
const chosen = () => T.where(mask, x, 0)
// @ts-expect-error a float is no condition
T.where(x, x, 0)
// @ts-expect-error the branches have unlike dtypes
T.where(mask, x, whole)
// @ts-expect-error and through pipe
pipe(mask, T.where(x, whole))
