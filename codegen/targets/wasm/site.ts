/** Where an operation is spelled: what pushes its operands, and what it may use. */
import type { FunctionName } from '../../kernel/functions/table.ts'
import type { Frame } from './frame.ts'
import type { ValueType } from './instructions.ts'

/** Where an operation is spelled: its operands are pushed by `a` and `b`, in any order and as often as they are called. */
export interface Site {
  readonly frame: Frame
  /** Whether the operands are vectors. */
  readonly wide: boolean
  readonly a: () => void
  /** Pushes nothing where there is one operand. */
  readonly b: () => void
  readonly isUnary: boolean
  /** The value of operand b where it is a constant (in every lane). */
  readonly constant: number | undefined
  /** Calls a kernel function on what has been pushed. */
  readonly call: (name: FunctionName) => void
  /** A local that holds an operand. */
  readonly held: (operand: () => void, type: ValueType) => number
}

export type Spell = (s: Site) => void
