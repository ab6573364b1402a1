/**
 * Checkpoints of a training run in a folder: a safetensors file a checkpoint, with the step in its name and a digest in its
 * metadata. A file comes to be whole or not at all, and one that was damaged later is passed over for the one before it.
 */
import type { TensorsOf } from '../compile/tree-types.ts'
import { type DataError, raise, TensorloomError } from '../lang/errors.ts'
import { demandRecord, type OptionNames, showArgument } from '../lang/tensor/arguments.ts'
import type { TensorTree } from '../lang/tree.ts'
import type { FileUrl } from '../runtime/global-types.ts'
import { namesIn, pathIn, readBytes, removeFiles, writeDurably } from '../runtime/text-files.ts'
import { checksumKey, isSound, noChecksum, seal } from './checksum.ts'
import { fromJson, type Json, toJson } from './faithful-json.ts'
import { fileOf, fitTree, partsOf, type SpecTree, toSafetensors } from './tree-file.ts'

/** How many checkpoints stay. */
export interface CheckpointOptions {
  /** The newest of them; 3 unless given. */
  readonly keep?: number | undefined
}

const checkpointOptions: OptionNames<CheckpointOptions> = { keep: 'count' }

/** A checkpoint that was found whole. */
export interface Checkpoint {
  readonly step: number
  /** What was saved beside the tensors: the epoch, the place in the data, measures. */
  readonly about: Json
  readonly file: string
  /** Newer ones that are damaged, and were passed over. */
  readonly damaged: readonly DataError[]
  /** The tensors as a tree like `like`, as `T.load` gives them. Rejects with DataError where they do not fit. */
  load<const A extends SpecTree>(like: A): Promise<TensorsOf<A>>
  load<P extends TensorTree>(like: P): Promise<P>
}

/** The checkpoints of a folder. */
export interface Checkpoints {
  readonly folder: string
  /** The steps of which there are checkpoints, in order. */
  readonly steps: () => readonly number[]
  /**
   * Writes the checkpoint of `step` and deletes those that are too old; gives its path. Rejects with DataError where it cannot be
   * written (a full disk): the checkpoints of before are still there then.
   */
  readonly save: (step: number, state: TensorTree, about?: Json) => Promise<string>
  /** The newest checkpoint that is whole; undefined where there is none at all. Rejects with DataError where all are damaged. */
  readonly latest: () => Promise<Checkpoint | undefined>
  /** The checkpoint of `step`. Rejects with DataError where it is missing, cut short or changed. */
  readonly at: (step: number) => Promise<Checkpoint>
}

/** Twelve digits, so that names sort as steps do. */
const nameOf = (step: number): string => `step-${String(step).padStart(12, '0')}.safetensors`
const stepIn = (name: string): number | undefined => {
  const digits = /^step-(\d{12,})\.safetensors$/.exec(name)?.[1]
  return digits === undefined ? undefined : Number(digits)
}
const isUnfinished = (name: string): boolean => /^step-\d{12,}\.safetensors\.tmp$/.test(name)

const stepsIn = (folder: string): readonly number[] =>
  namesIn(folder)
    .flatMap((name) => stepIn(name) ?? [])
    .sort((a, b) => a - b)

const messageOf = (e: unknown): string => (e instanceof Error ? e.message : String(e))

/** `work`, whose exceptions are the host's, as a DataError of `source`. */
const attempted = <A>(source: string, what: string, work: () => A): A => {
  try {
    return work()
  } catch (e) {
    return raise({ tag: 'DataError', source, reason: `cannot be ${what} (${messageOf(e)})` })
  }
}

const damage = (source: string, reason: string): never =>
  raise({ tag: 'DataError', source, reason, hint: 'an older checkpoint may be whole' })

/** A checkpoint of a folder. Rejects with DataError where it is not whole. */
const open = async (folder: string, step: number, damaged: readonly DataError[]): Promise<Checkpoint> => {
  const file = pathIn(folder, nameOf(step))
  const bytes = attempted(file, 'read', () => readBytes(file))
  const { tensors, metadata } = partsOf(bytes, file)
  const sound = await isSound(bytes)
  if (sound === undefined) damage(file, 'it is no checkpoint: its metadata has no digest')
  if (!sound) damage(file, 'its bytes are not those that were written: the digest differs')
  const load = (like: unknown): Promise<unknown> => fitTree(tensors, like, file)
  return { step, about: fromJson(metadata['about'] ?? 'null'), file, damaged, load: load as Checkpoint['load'] }
}

const latestIn = async (folder: string): Promise<Checkpoint | undefined> => {
  const damaged: DataError[] = []
  for (const step of [...stepsIn(folder)].reverse())
    try {
      return await open(folder, step, damaged)
    } catch (e) {
      if (!(e instanceof TensorloomError) || e.error.tag !== 'DataError') throw e
      damaged.push(e.error)
    }
  if (damaged.length === 0) return undefined
  const reasons = damaged.map(({ source, reason }) => `    ${source}: ${reason}`).join('\n')
  return raise({ tag: 'DataError', source: folder, reason: `none of its checkpoints is whole:\n${reasons}` })
}

const saveIn = async (folder: string, keep: number, step: number, state: TensorTree, about: Json): Promise<string> => {
  if (!(Number.isSafeInteger(step) && step >= 0))
    raise({ tag: 'UsageError', message: `save: the step is ${showArgument(step)}, not a whole number of at least 0` })
  const file = pathIn(folder, nameOf(step))
  const bytes = await seal(await toSafetensors(state, { about: toJson(about), [checksumKey]: noChecksum }))
  attempted(file, 'written', () => {
    // What a process that was killed did not finish. A folder belongs to one run, which saves one at a time.
    removeFiles(folder, namesIn(folder).filter(isUnfinished))
    writeDurably(folder, nameOf(step), bytes)
    // Later ones are damaged, or of a run that began again: they do not crowd out the good ones of before.
    const upToHere = stepsIn(folder).filter((s) => s <= step)
    removeFiles(folder, upToHere.slice(0, -keep).map(nameOf))
  })
  return file
}

/**
 * The checkpoints of a folder, which is made when the first is saved; it belongs to one run. A kill at any moment leaves the
 * newest whole checkpoint: each is written beside, brought to the disk and renamed. Rejects where there are no files with UsageError.
 * @example
 * const folder = '/tmp/tensorloom-checkpoints-example'
 * const run = io.checkpoints(folder, { keep: 2 })
 * for (const step of [10, 20, 30]) await run.save(step, { w: T.full([2], step) }, { epoch: step / 10 })
 * run.steps() // => [20, 30]
 * const found = (await run.latest())!
 * found.about // => { epoch: 3 }
 * T.reference(await found.load({ w: T.zeros([2]) })).w.data // => [30, 30]
 */
export const checkpoints = (folder: string | FileUrl, options: CheckpointOptions = {}): Checkpoints => {
  demandRecord('checkpoints', checkpointOptions, options)
  const { keep = 3 } = options
  const path = fileOf('checkpoints', folder, 'T.toSafetensors gives the bytes of a file, to be kept elsewhere')
  // One after another, also where nobody waits for the one before: a folder has one unfinished file at most.
  let last: Promise<unknown> = Promise.resolve()
  return {
    folder: path,
    steps: () => stepsIn(path),
    save: (step, state, about = null) => {
      const saving = last.then(() => saveIn(path, keep, step, state, about))
      last = saving.catch(() => undefined)
      return saving
    },
    latest: () => latestIn(path),
    at: (step) => open(path, step, []),
  }
}
