/**
 * The one table from torch's op names (ops.py) to our functions. Total over the names of ops.py: an entry that is
 * `undefined` is an op we do not have, and is reported as unsupported.
 */
import type { Tensor } from '../../src/lang/types/tensor.ts'
import type { Call, Op } from './call.ts'
import type { OpName, Ops } from './names.ts'
import { activationOps } from './ops-activations.ts'
import { elementwiseOps } from './ops-elementwise.ts'
import { layerOps } from './ops-layers.ts'
import { creationOps, linalgOps } from './ops-linalg.ts'
import { lossOps } from './ops-losses.ts'
import { movementOps } from './ops-movement.ts'
import { reductionOps } from './ops-reductions.ts'

/** The table. A name that is missing here does not compile. */
export const opTable: Ops<OpName> = {
  ...elementwiseOps,
  ...reductionOps,
  ...movementOps,
  ...linalgOps,
  ...creationOps,
  ...activationOps,
  ...layerOps,
  ...lossOps,
}

/** The op of that name; undefined when we do not have it. An unknown name is a mistake of the caller's. */
export const opOf = (name: string): Op | undefined => {
  if (!Object.hasOwn(opTable, name)) throw new Error(`goldens: ops.py has no op ${name}`)
  return opTable[name as OpName]
}

/** Raised where an op we do not have is applied; the runner reports the name. */
export class Unsupported extends Error {
  readonly op: string
  constructor(op: string) {
    super(`${op} is not supported`)
    this.op = op
  }
}

/** The results of an op in a list. */
export const apply = (c: Call): readonly Tensor[] => {
  const op = opOf(c.op)
  if (op === undefined) throw new Unsupported(c.op)
  const result = op(c)
  return Array.isArray(result) ? result : [result as Tensor]
}
