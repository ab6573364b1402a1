/** What `compile` makes of argument and result types: specs, tensors, and trees whose keys are not known. */
import { type ArgumentsOf, compile, orThrow, type ResultsOf, spec, type TensorsOf } from '../../src/compile.ts'
import { mul } from '../../src/lang/tensor/index.ts'
import type { TensorTree } from '../../src/lang/tree.ts'
import type { Tensor } from '../../src/lang/types.ts'
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
holds<Equal<ResultsOf<{ readonly w: Row }>, { readonly w: Output }>>()
holds<Equal<ArgumentsOf<readonly [Row]>, readonly [Argument]>>()

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
