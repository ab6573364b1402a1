/** Four loads of neighbours as one: WebAssembly reads a vector from any address. */
import { constantOf } from '../../kernel/build-kernel.ts'
import type { Binding, KExpr } from '../../kernel/kernel.ts'

type Load = Extract<KExpr, { readonly kind: 'load' }>

/** An index as an expression and a constant that is added to it. */
interface Position {
  readonly base: KExpr | undefined
  readonly constant: number
}

const split = (e: KExpr): Position => {
  const known = constantOf(e)
  if (known !== undefined) return { base: undefined, constant: known }
  const added = e.kind === 'binary' && e.op === 'add' ? constantOf(e.b) : undefined
  return added === undefined ? { base: e, constant: 0 } : { base: (e as { a: KExpr }).a, constant: added }
}

/** Whether two expressions without memory are the same. */
const isSame = (a: KExpr | undefined, b: KExpr | undefined): boolean => {
  if (a === b) return true
  if (!a || !b || a.kind !== b.kind || a.type.scalar !== b.type.scalar) return false
  switch (a.kind) {
    case 'ref':
      return a.name === (b as typeof a).name
    case 'lit':
      return a.value === (b as typeof a).value
    case 'builtin':
      return a.name === (b as typeof a).name
    case 'word':
      return a.index === (b as typeof a).index
    case 'binary':
      return a.op === (b as typeof a).op && isSame(a.a, (b as typeof a).a) && isSame(a.b, (b as typeof a).b)
    default:
      return false
  }
}

/** The number of a scalar in its binding: of an element that is a vector, four times its number and the component. */
const positionOf = ({ index, component }: Load): Position | undefined => {
  if (!component) return split(index)
  const { base, constant } = split(index)
  const isQuarter = base?.kind === 'binary' && base.op === 'shiftRight' && constantOf(base.b) === 2
  const isRest = component.kind === 'binary' && component.op === 'and' && constantOf(component.b) === 3
  if (!isQuarter || !isRest || !isSame(base.a, component.a)) return undefined
  const at = split(base.a)
  return { base: at.base, constant: at.constant + 4 * constant }
}

/** What one load of four words reads: a binding, and the first scalar's number. */
export interface Neighbours extends Position {
  readonly binding: Binding['name']
}

/** The four items as neighbours in memory, if they are. */
export const neighboursOf = (items: readonly KExpr[]): Neighbours | undefined => {
  const [first] = items
  if (items.length !== 4 || first?.kind !== 'load' || first.type.scalar === 'f16') return undefined
  const start = positionOf(first)
  if (!start) return undefined
  const inRow = items.every((item, i) => {
    if (item.kind !== 'load' || item.binding !== first.binding) return false
    const at = positionOf(item)
    return at !== undefined && at.constant === start.constant + i && isSame(at.base, start.base)
  })
  return inRow ? { binding: first.binding, ...start } : undefined
}
