/** What layers ask of their operands before they look at a shape. */
import { raise } from '../lang/errors.ts'
import { showArgument } from '../lang/tensor/arguments.ts'
import { isMistake } from '../lang/tensor/ask.ts'
import { isTensor } from '../lang/tree.ts'
import type { Tensor } from '../lang/types/tensor.ts'

/** Operands by what they are called. */
type Operands = Readonly<Record<string, unknown>>

/**
 * The first operand that is a mistake, to be handed on as it is; those of `optional` may be absent. UsageError for one
 * that is no tensor.
 */
export const mistakeAmong = (name: string, operands: Operands, optional: Operands = {}): Tensor | undefined => {
  const given = { ...operands, ...Object.fromEntries(Object.entries(optional).filter(([, x]) => x !== undefined)) }
  return Object.entries(given)
    .map(([what, x]) =>
      isTensor(x)
        ? x
        : raise({
            tag: 'UsageError',
            message: `${name}: ${what} is ${showArgument(x)}, not a tensor`,
            hint: 'make a tensor with T.tensor([1, 2, 3])',
          }),
    )
    .find(isMistake)
}
