/** The public face: `import * as T from 'tensorloom'`. */
export type { Either } from '#fp/Either'
export { flow, pipe } from '#fp/function'
export type { TaskEither } from '#fp/TaskEither'
export type { Plan } from '../codegen/plan/plan.ts'
export { profiles } from '../codegen/targets/profiles.ts'
export { hardware, portable, software } from '../codegen/targets/wgsl/profiles.ts'
export type { Profile } from '../passes/profile.ts'
export type { Argnums, Picked } from '../passes/transform/argnums.ts'
export { checkpoint } from '../passes/transform/checkpoint.ts'
export { customJvp, customVjp } from '../passes/transform/custom.ts'
export { type GradOptions, grad, valueAndGrad } from '../passes/transform/gradient.ts'
export { hessian, type JacobianRow, type JacobianTree, jacfwd, jacrev } from '../passes/transform/jacobian.ts'
export { hvp, jvp, linearize, vjp } from '../passes/transform/jacobian-products.ts'
export type { Fn } from '../passes/transform/linear-map.ts'
export { type AxesTree, type BatchedParts, type BatchedTree, type VmapOptions, vmap } from '../passes/transform/vmap.ts'
export {
  type Compiled,
  compile,
  type Loaded,
  orThrow,
  type Program,
  spec,
  toPromise,
} from './compile/compile.ts'
export { compileOn, defaultDevice, evaluate, jit, type KeepOptions } from './compile/eager.ts'
export { type HostTensor, reference } from './compile/host.ts'
export { type DimOptions, dim } from './compile/named-specs.ts'
export type { CompileOptions } from './compile/options.ts'
export {
  type KernelTime,
  type ProfileClock,
  type ProfileOptions,
  type ProgramProfile,
  profile,
} from './compile/profile.ts'
export type { Progress } from './compile/progress.ts'
export { type Put, type PutOptions, put, read } from './compile/transfer.ts'
export type * from './compile/tree-types.ts'
export { load, save, toSafetensors } from './io/tree-file.ts'
export type { Dim, Shape } from './lang/dim.ts'
export type { DType, HostArrayOf } from './lang/dtype.ts'
export { promote } from './lang/dtype.ts'
export type { DataError, TensorloomErrorData } from './lang/errors.ts'
export { type CompileError, type RuntimeError, showError, TensorloomError } from './lang/errors.ts'
export type { Graph } from './lang/ir.ts'
export type { Value } from './lang/primitive.ts'
export { type ShowGraphOptions, showGraph } from './lang/print/graph-text.ts'
export { type ShowOptions, showValue } from './lang/print/tensor-values.ts'
export type { KnownShape, NamedSize, SizedShape } from './lang/size.ts'
export type { OfOneTensor } from './lang/tensor/dual.ts'
export type { Scatter } from './lang/tensor/index/picking.ts'
export * from './lang/tensor/index.ts'
export type { Axes } from './lang/tensor/operand.ts'
export type * from './lang/tensor/reduce/reduction.ts'
export type { Flattened, LeafOf, TreeShape } from './lang/tree.ts'
export {
  flattenTree,
  isHandle,
  isTensor,
  mapTree,
  type TensorTree,
  type TreeOf,
  type TreeOfUnknownKeys,
  unflattenTree,
  zipTrees,
} from './lang/tree.ts'
// Types of signatures, so that what is made of functions can be exported where declarations are written.
export type * from './lang/types/broadcast.ts'
export type * from './lang/types/literals.ts'
export type * from './lang/types/matmul.ts'
export type * from './lang/types/movement.ts'
export type * from './lang/types/options.ts'
export type * from './lang/types/output.ts'
export type * from './lang/types/parts.ts'
export type * from './lang/types/tensor.ts'
export type { FileUrl } from './runtime/global-types.ts'
export {
  adoptDevice,
  countCalls,
  type Device,
  type DeviceOptions,
  type Output,
  openDevice,
  profileOf,
  type Resident,
} from './runtime/index.ts'
