/** Where a run of training stands, so that it can go on from there bit for bit; checkpoints hold it beside the state. */
import type { Spec } from '../compile/tree-types.ts'
import type { Checkpoints } from '../io/checkpoints.ts'
import type { Json } from '../io/faithful-json.ts'
import { raise } from '../lang/errors.ts'
import { hasType } from '../lang/trace.ts'
import { flattenTree, type TensorTree, unflattenTree } from '../lang/tree.ts'
import type { Epoch } from './history.ts'
import { type Measures, storable } from './step.ts'

/** Counts and measures. The next batch is `batch` of `epoch`. */
export interface Place {
  /** Steps that are done. */
  readonly step: number
  readonly epoch: number
  readonly batch: number
  /** The sums of what the steps of this epoch measured. */
  readonly sums: Measures
  /** The epochs that are done. */
  readonly history: readonly Epoch[]
}

/** A state that is kept for how good it was. */
export interface Kept {
  readonly epoch: number
  readonly state: TensorTree
}

/** A run between two steps. */
export interface Standing<S> {
  readonly state: S
  readonly place: Place
  readonly best: Kept | undefined
}

const nowhere: Place = { step: 0, epoch: 0, batch: 0, sums: {}, history: [] }

/** The place after one more step. */
export const afterStep = (place: Place, measures: Measures): Place => ({
  ...place,
  step: place.step + 1,
  batch: place.batch + 1,
  sums: Object.fromEntries(Object.entries(measures).map(([name, x]) => [name, (place.sums[name] ?? 0) + x])),
})

/** The place after the last batch of an epoch. `found` is what was measured of its state. */
export const afterEpoch = ({ step, epoch, batch, sums, history }: Place, found: Measures): Place => {
  const means = Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / batch]))
  const twice = Object.keys(found).find((name) => Object.hasOwn(means, name))
  if (twice !== undefined)
    raise({
      tag: 'UsageError',
      message: `fit: the steps and 'evaluate' both measure '${twice}'`,
      hint: 'give one of them another name, such as validationLoss',
    })
  const done: Epoch = { epoch, step, measures: { ...means, ...found } }
  return { step, epoch: epoch + 1, batch: 0, sums: {}, history: [...history, done] }
}

/** What a checkpoint says beside the tensors. */
interface About extends Place {
  readonly best: number | null
}

/** Writes a checkpoint of a run. */
export const keepIn = async (to: Checkpoints, { state, place, best }: Standing<unknown>): Promise<void> => {
  const about: About = { ...place, best: best?.epoch ?? null }
  await to.save(place.step, { state: storable(state), best: best?.state }, about as unknown as Json)
}

/** Specs like a state, which is not looked into: it may be on a device. */
const specsOf = (state: unknown): TensorTree => {
  const { leaves, shape } = flattenTree(state, hasType)
  const specs = leaves.map(({ shape, dtype }): Spec => ({ shape, dtype }))
  return unflattenTree(shape, specs) as TensorTree
}

/** Where the checkpoints of `from` leave off, or the beginning. Rejects with DataError where they do not fit `state`. */
export const resume = async <S>(from: Checkpoints | undefined, state: S): Promise<Standing<S>> => {
  const found = await from?.latest()
  if (!found) return { state, place: nowhere, best: undefined }
  const { best: epoch, ...place } = found.about as unknown as About
  const like = specsOf(state)
  const loaded = await found.load<TensorTree>({ state: like, best: epoch === null ? undefined : like })
  const { state: before, best } = loaded as unknown as { readonly state: S; readonly best: TensorTree }
  return { state: before, place, best: epoch === null ? undefined : { epoch, state: best } }
}
