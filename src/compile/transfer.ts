/** Trees between host and device: `put` gives handles of what is on the host, `read` the elements of handles. */
import { largestBuffer } from '../../passes/profile.ts'
import type { DType, HostArrayOf } from '../lang/dtype.ts'
import { demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import { flattenTensors, flattenTree, isHandle, isTensor, unflattenTree } from '../lang/tree.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import { hostWords } from '../runtime/argument.ts'
import type { Device } from '../runtime/device.ts'
import { profileOf } from '../runtime/open-device.ts'
import { storeOf } from '../runtime/resident.ts'
import { readOutputs, type Sent, upload } from '../runtime/transfer.ts'
import { defaultDevice } from './eager.ts'
import { constantOf, type HostTensor, isHostTensor, reference } from './host.ts'
import { demandDevice } from './options.ts'
import type { ArraysOf, HostTree, PutOf, ResultsOf } from './tree-types.ts'

/** Options of `put`: where to; the default device unless given. */
export interface PutOptions {
  readonly device?: Device | undefined
}

const putOptions: OptionNames<PutOptions> = { device: 'own' }

/**
 * The elements of a tree of results (or of tensors that are constants), each in the array of its dtype: one submission and one
 * copy to the host for all that is on a device. Rejects as `read` of a result does; UsageError for anything else in the tree.
 * @example
 * const program = T.orThrow(T.compile((x) => ({ half: T.div(x, 2), is: T.greater(x, 1) }), [T.spec([2])], { keep: ['half'] }))
 * const loaded = await T.toPromise(program.load(await T.defaultDevice()))
 * await T.read(await loaded.run([1, 2])) // => { half: [0.5, 1], is: [0, 1] }
 */
export const read = async <T>(tree: T): Promise<ArraysOf<T>> => {
  const { leaves, shape } = flattenTensors(tree)
  const [constants, handles] = [leaves.filter(isTensor), leaves.filter(isHandle)]
  const values = constants.length === 0 ? [] : (reference(constants) as readonly HostTensor[])
  const arrays = await readOutputs(handles)
  let [constant, handle] = [0, 0]
  const all = leaves.map((x) => (isHandle(x) ? arrays[handle++]! : (values[constant++]!.data as HostArrayOf<DType>)))
  return unflattenTree(shape, all) as ArraysOf<T>
}

/** Where all is of the host, and where there are tensors. */
export interface Put {
  <T extends HostTree>(tree: T, options?: PutOptions): Promise<PutOf<T>>
  <T>(tree: T, options?: PutOptions): Promise<ResultsOf<T>>
}

/** What can be put on a device: tensors, handles, and values of the host. */
const isPlaceable = (x: unknown): x is Tensor | HostTensor => isTensor(x) || isHandle(x) || isHostTensor(x)

/**
 * A tree of tensors that are constants, or of their values (`{ shape, dtype, data }`, as `T.reference` gives them), as handles
 * on a device: state to start a loop with, data that many runs use. Handles that are on the device already stay as they are;
 * others are read and uploaded there. Rejects with an ArgumentError where data does not fit its shape or dtype.
 * @example
 * const start = await T.put({ n: T.tensor(0), w: T.ones([2]) })
 * await start.w.read() // => [1, 1]
 * await (await T.put({ shape: [2], dtype: 'i32', data: Int32Array.of(3, 4) })).read() // => [3, 4]
 */
export const put: Put = async (tree: unknown, options: PutOptions = {}): Promise<never> => {
  demandRecord('put', putOptions, options)
  if (options.device !== undefined) demandDevice('put', options.device)
  const device = options.device ?? (await defaultDevice())
  const { leaves, paths, shape } = flattenTree(tree, isPlaceable)
  const isThere = (x: unknown): boolean => storeOf(x as object)?.device === device
  const away = leaves.flatMap((x, i) => (isThere(x) ? [] : [i]))
  const slots = away.map((i) => ({ path: paths[i]!, shape: leaves[i]!.shape, dtype: leaves[i]!.dtype }))
  const read = await readOutputs(away.map((i) => leaves[i]!).filter(isHandle))
  let next = 0
  const values = away.map((i) => {
    const leaf = leaves[i]!
    if (isHandle(leaf)) return read[next++]!
    return isTensor(leaf) ? constantOf(leaf).data : leaf.data
  })
  const sent = slots.map((slot, i): Sent => ({ ...slot, words: hostWords(slot, values[i]!) }))
  const made = await upload(device, sent, largestBuffer(profileOf(device)))
  const handles: unknown[] = [...leaves]
  for (const [i, leaf] of away.entries()) handles[leaf] = made[i]!
  return unflattenTree(shape, handles) as never
}
