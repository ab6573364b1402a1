/** Between the trees that callers hold and the flat leaves that a plan knows. JIT and emitted modules share it. */
import type { InputSlot, Plan } from '../../codegen/plan/plan.ts'
import { raise, showOperand } from '../lang/errors.ts'
import { isRecord, type TreeShape, unflattenTree } from '../lang/tree.ts'
import { visible } from '../lang/visible-text.ts'
import type { Argument } from './argument.ts'
import type { Executable } from './execute.ts'

/** How an argument is shown in errors: with the names of its sizes where there are any. */
export type ShowSlot = (slot: InputSlot) => string

const isNothing = (x: unknown): x is undefined | null => x === undefined || x === null

/**
 * The leaves of `args` in the plan's order. The walk follows the plan's own tree, as only it can tell a flat array of
 * numbers from a list of scalars. Raises ArgumentError where the trees differ, be it by a key that the program does not know; the executor checks lengths and dtypes.
 */
export const argumentLeaves = (
  { inputs, inputTree }: Pick<Plan, 'inputs' | 'inputTree'>,
  args: readonly unknown[],
  show: ShowSlot = showOperand,
): readonly Argument[] => {
  const leaves: Argument[] = []
  const walk = (tree: TreeShape, value: unknown, path: string): void => {
    if (typeof tree === 'number') {
      if (isNothing(value))
        raise({ tag: 'ArgumentError', path, reason: `missing: the program takes a ${show(inputs[tree]!)} here` })
      leaves[tree] = value as Argument
      return
    }
    if ('empty' in tree) {
      if (!isNothing(value))
        raise({
          tag: 'ArgumentError',
          path,
          reason: `the program was compiled with ${tree.empty} here: it takes nothing`,
          hint: 'leave it out, or compile the program with a tensor here',
        })
      return
    }
    if ('list' in tree) {
      const count = tree.list.length
      if (!Array.isArray(value) || value.length !== count) {
        const got = Array.isArray(value) ? `${value.length}` : value === undefined ? 'nothing' : typeof value
        raise({
          tag: 'ArgumentError',
          path: path || 'list',
          reason: `got ${got}, the program takes ${count} values here`,
        })
      }
      tree.list.forEach((t, i) => {
        walk(t, (value as readonly unknown[])[i], `${path}[${i}]`)
      })
      return
    }
    const record = isRecord(value)
      ? value
      : raise({
          tag: 'ArgumentError',
          path,
          reason: `no record: it must have ${Object.keys(tree.record).map(visible).join(', ')}`,
        })
    const below = (key: string): string => (path === '' ? visible(key) : `${path}.${visible(key)}`)
    for (const [key, t] of Object.entries(tree.record))
      walk(t, Object.hasOwn(record, key) ? record[key] : undefined, below(key))
    const surplus = Object.keys(record).find((key) => !Object.hasOwn(tree.record, key) && !isNothing(record[key]))
    if (surplus === undefined) return
    const known = Object.keys(tree.record).map(visible).join(', ')
    raise({
      tag: 'ArgumentError',
      path: below(surplus),
      reason: `is one key too many: the program takes ${known === '' ? 'an empty record' : known} here`,
      hint: 'is it misspelt?',
    })
  }
  walk(inputTree, args, '')
  return leaves
}

/** Runs on trees: arguments as the traced function takes them, results as it returns them. */
export const runTree = async (executable: Executable, args: readonly unknown[], show?: ShowSlot): Promise<unknown> =>
  unflattenTree(executable.plan.outputTree, await executable.run(argumentLeaves(executable.plan, args, show)))
