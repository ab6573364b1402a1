/** What `compile` makes of argument and result types: specs, tensors, and trees whose keys are not known. */
import { pipe } from '#fp/function'
import { type Compiled, compile, orThrow, spec } from '../../src/compile/compile.ts'
import type { HostTensor } from '../../src/compile/host.ts'
import type { ArgumentsOf, ResultsOf, TensorsOf } from '../../src/compile/tree-types.ts'
import type * as T from '../../src/index.ts'
import { mul } from '../../src/lang/tensor/index.ts'
import { type Key, key, splitList } from '../../src/lang/tensor/random/keys.ts'
import type { TensorTree } from '../../src/lang/tree.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import { crossEntropy, nllLoss } from '../../src/nn/index.ts'
import type { OptimiserState } from '../../src/optim/index.ts'
import type { Argument } from '../../src/runtime/argument.ts'
import type { Output } from '../../src/runtime/resident.ts'
import { type Equal, given, holds } from './expect.ts'

type Row = Tensor<readonly [3], 'f32'>
interface State {
  readonly params: { readonly w: Row }
  readonly optimiser: OptimiserState
}

holds<Equal<TensorsOf<Row>, Row>>()
holds<Equal<ResultsOf<{ readonly w: Row }>['w'], Output<readonly [3], 'f32'> & Row>>()
holds<Equal<ResultsOf<Row>, T.Handle<readonly [3], 'f32'>>>()
holds<Equal<Exclude<ArgumentsOf<Row>, Row>, Argument | HostTensor | Tensor>>()

// An optimiser's state has no end to walk to: these were "excessively deep and possibly infinite".
holds<Equal<TensorsOf<TensorTree>, TensorTree>>()
export const sameState: (s: TensorsOf<State>) => State = (s) => s
export const handedBack: (r: ResultsOf<State>) => ArgumentsOf<State> = (r) => r
export const step = async (s: State): Promise<Output> => {
  const train = orThrow(
    compile((state: State, x: Row) => ({ state, y: mul(state.params.w, x) }), [s, spec([3])], { donate: [0] }),
  )
  const loaded = given<Awaited<ReturnType<ReturnType<typeof train.load>>>>()
  if (loaded._tag === 'Left') throw loaded.left
  const first = await loaded.right.run(given<ArgumentsOf<State>>(), Float32Array.of(1, 2, 3))
  // @ts-expect-error a result that is no state
  await loaded.right.run(first.y, Float32Array.of(1, 2, 3))
  const second = await loaded.right.run(first.state, [1, 2, 3])
  return second.y
}

/** An exported program needs no more of a type than this; `load` and `plan` stay usable. */
export const exported: Compiled = compile((x: Row) => mul(x, 2), [spec([3])])

const [a, b, c] = splitList(key(0), 3)
holds<Equal<typeof a, Key>>()
holds<Equal<readonly [typeof b, typeof c], readonly [Key, Key]>>()
holds<Equal<ReturnType<typeof splitList<number>>, readonly Key[]>>()
// @ts-expect-error there are three
splitList(key(0), 3)[3]

const scores = given<Tensor<readonly [number, 10], 'f32'>>()
const labels = given<Tensor<readonly [number], 'i32'>>()
const losses = () => ({
  mean: crossEntropy(scores, labels),
  piped: pipe(scores, crossEntropy(labels)),
  each: crossEntropy(scores, labels, { reduction: 'none' }),
  sum: nllLoss(scores, labels, { reduction: 'sum' }),
})
type Losses = ReturnType<typeof losses>
holds<Equal<Losses['mean'], Tensor<readonly [], 'f32'>>>()
holds<Equal<Losses['piped'], Tensor<readonly [], 'f32'>>>()
holds<Equal<Losses['each'], Tensor<readonly number[], 'f32'>>>()
holds<Equal<Losses['sum'], Tensor<readonly [], 'f32'>>>()
