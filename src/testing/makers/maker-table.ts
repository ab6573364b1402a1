/** Every primitive's maker, total by its type: a new primitive does not compile until random graphs use it. */
import type { Op } from '../../lang/ir.ts'
import { contractMakers } from './contract.ts'
import { controlMakers } from './control.ts'
import { movementMakers } from './movement.ts'
import { type Maker, pointwiseMakers } from './pointwise.ts'
import { userMakers } from './user-defined.ts'

export const makers: { readonly [K in Op]: Maker } = {
  ...pointwiseMakers,
  ...movementMakers,
  ...contractMakers,
  ...controlMakers,
  ...userMakers,
}
