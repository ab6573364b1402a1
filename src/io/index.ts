/** Files: checkpoints of training runs, trees of tensors, arrays of other programs. What users import as `tensorloom/io`. */
export type { DataError } from '../lang/errors.ts'
export type { FileUrl } from '../runtime/global-types.ts'
export { type Checkpoint, type CheckpointOptions, type Checkpoints, checkpoints } from './checkpoints.ts'
export type { Json } from './faithful-json.ts'
