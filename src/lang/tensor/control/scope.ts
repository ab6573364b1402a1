/** Named parts of a model: what goes wrong inside of one says so. */
import { TensorloomError } from '../../errors.ts'
import { scopePath, within } from '../../scope.ts'
import { visible } from '../../visible-text.ts'
import { demandFunction, demandString } from '../arguments.ts'

/** Mistakes that say already where they were made: the innermost part is the one. */
const told = new WeakSet<object>()

/** A mistake in a call that was thrown, with the path in its message, and its stack as it was; anything else as it is. */
const telling = (e: unknown): unknown => {
  if (!(e instanceof TensorloomError) || e.error.tag !== 'UsageError' || told.has(e)) return e
  const error = new TensorloomError({ ...e.error, message: `${e.error.message}\n  in scope ${scopePath()}` })
  const stack = e.stack?.replace(e.message, () => error.message)
  if (stack !== undefined) error.stack = stack
  told.add(error)
  return error
}

/**
 * What `f` gives, which is called at once, as the part `name` of a model: errors in what it builds, also those that show late, name
 * the path of the parts around it, `encoder/attention` (jax.named_scope). It changes neither the expression nor what it costs.
 * UsageError for a name that is no text and for what is no function.
 * @example
 * T.reference(T.scope('double', () => T.mul(T.tensor([1, 2]), 2))).data // => [2, 4]
 * T.reference(T.scope('encoder', () => T.add(T.ones([2]), T.ones([3]) as T.Tensor))) // => throws CheckError
 */
export const scope = <A>(name: string, f: () => A): A => {
  const call = "T.scope('encoder', () => …)"
  demandString('T.scope', 'the name', name, call)
  demandFunction('T.scope', 'f', f, `nothing: ${call}`)
  return within(visible(name), () => {
    try {
      return f()
    } catch (e) {
      throw telling(e)
    }
  })
}
