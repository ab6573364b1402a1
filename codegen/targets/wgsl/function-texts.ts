/** The functions of a kernel, collected while it is printed and emitted once each, in the order of their table. */
import { placeOf } from '../../kernel/functions/table.ts'
import type { KFunction } from '../../kernel/kernel.ts'
import { printFunction } from './print-function.ts'

export interface FunctionTexts {
  /** The function's name in WGSL; it is emitted, and so are those that it applies. */
  readonly use: (f: KFunction) => string
  /** Whether functions keep subnormal numbers. */
  readonly keep: boolean
  readonly text: () => string
}

/** An empty collection. */
export const makeFunctionTexts = (keep = false): FunctionTexts => {
  const texts = new Map<string, { readonly place: number; readonly text: string }>()
  const use = (f: KFunction): string => {
    const name = `tl_${f.name}`
    if (!texts.has(name)) {
      texts.set(name, { place: placeOf(f), text: '' })
      texts.set(name, { place: placeOf(f), text: printFunction(f, use) })
    }
    return name
  }
  const text = (): string =>
    [...texts]
      .sort(([a, x], [b, y]) => x.place - y.place || (a < b ? -1 : 1))
      .map(([, { text: own }]) => own)
      .join('\n')
  return { use, keep, text }
}
