/** A user-defined kernel: one dispatch of the user's text. Empty tensors are not bound. */
import type { Routine } from '../../passes/loop/fuse/fusion.ts'
import type { Buffer } from '../../passes/loop/ir/cluster.ts'
import type { NodeOf } from '../../src/lang/ir.ts'
import type { RoutineDispatch } from './dispatch.ts'

const full = (bs: readonly Buffer[]): readonly Buffer[] => bs.filter((b) => b.size > 0)

export const userRoutine = ({ node, inputs, outputs }: Routine): readonly RoutineDispatch[] => {
  const op = (node as NodeOf<'kernel'>).params
  const { name, workgroups, workgroupSize } = op
  return [
    {
      name,
      workgroups,
      workgroupSize,
      reads: full(inputs),
      writes: full(outputs),
      body: () => [],
      text: { op, inputs, outputs },
    },
  ]
}
