/** Typed constructors of the Kernel IR: they compute types, check operands and fold integer constants. */
import { invariant } from '../../src/lang/errors.ts'
import { kType, sameType, showType, widths } from './build-leaf.ts'
import type { Binding, KExpr, KStmt, KType, LocalArray } from './kernel.ts'

export * from './build-leaf.ts'
export * from './build-operation.ts'

/** A vector of 2 to 4 scalars of one type. */
export const vec = (items: readonly KExpr[]): KExpr => {
  const first = items[0]
  const width = widths.find((w) => w === items.length)
  invariant(first && width && width > 1, `vector of ${items.length} items`)
  invariant(
    items.every((x) => x.type.width === 1 && x.type.scalar === first.type.scalar),
    `vector of ${items.map((x) => showType(x.type)).join(', ')}`,
  )
  return { kind: 'vec', items, type: kType(first.type.scalar, width) }
}

/** One lane of a vector (lane 0 of a scalar is the scalar). */
export const lane = (a: KExpr, index: number): KExpr => {
  invariant(Number.isInteger(index) && index >= 0 && index < a.type.width, `lane ${index} of ${showType(a.type)}`)
  if (a.type.width === 1) return a
  if (a.kind === 'splat') return a.a
  if (a.kind === 'vec') return a.items[index]!
  return { kind: 'lane', a, lane: index, type: kType(a.type.scalar) }
}

const checkIndex = (index: KExpr): void =>
  invariant(index.type.scalar === 'u32' && index.type.width === 1, `index of type ${showType(index.type)}`)

/** Element `index` (u32) of a binding, or one `component` (u32) of it where elements are vectors. */
export const load = (binding: Binding, index: KExpr, component?: KExpr): KExpr => {
  checkIndex(index)
  const { scalar, width } = binding.element
  if (!component) return { kind: 'load', binding: binding.name, index, type: kType(scalar, width) }
  checkIndex(component)
  invariant(width > 1, `a component of ${binding.name}, whose elements are scalars`)
  return { kind: 'load', binding: binding.name, index, component, type: kType(scalar) }
}

/** Element `index` (u32) of a private or workgroup array. */
export const read = (array: LocalArray, index: KExpr): KExpr => {
  checkIndex(index)
  return { kind: 'read', array: array.name, index, type: kType(array.element.scalar, array.element.width) }
}

/** Word 0 or 1 of Threefry-2x32 over (key0, key1, count0, count1). */
export const threefry = (word: 0 | 1, args: readonly [KExpr, KExpr, KExpr, KExpr]): KExpr => {
  const type = args[0].type
  invariant(
    args.every((x) => x.type.scalar === 'u32' && sameType(x.type, type)),
    `threefry of ${args.map((x) => showType(x.type)).join(', ')}`,
  )
  return { kind: 'threefry', word, args, type }
}

/** `let name = value`. */
export const letStmt = (name: string, value: KExpr): KStmt => ({ kind: 'let', name, value })

/** A mutable variable; without `init` it is zero. */
export const varStmt = (name: string, type: KType, init?: KExpr): KStmt => {
  invariant(!init || sameType(init.type, type), `var ${name}: ${showType(type)} = ${init ? showType(init.type) : ''}`)
  return init ? { kind: 'var', name, type, init } : { kind: 'var', name, type }
}

export const assign = (name: string, value: KExpr): KStmt => ({ kind: 'assign', name, value })

/** Writes element `index` (u32) of a read_write storage buffer. */
export const store = (binding: Binding, index: KExpr, value: KExpr): KStmt => {
  checkIndex(index)
  invariant(
    sameType(binding.element, value.type),
    `store of ${showType(value.type)} to ${binding.name}: ${showType(binding.element)}`,
  )
  invariant(binding.access === 'read_write', `store to ${binding.name}, which is read-only`)
  return { kind: 'store', binding: binding.name, index, value }
}

/** Writes element `index` (u32) of a private or workgroup array. */
export const write = (array: LocalArray, index: KExpr, value: KExpr): KStmt => {
  checkIndex(index)
  invariant(
    sameType(array.element, value.type),
    `write of ${showType(value.type)} to ${array.name}: ${showType(array.element)}`,
  )
  return { kind: 'write', array: array.name, index, value }
}

/** A loop of the u32 counter `name` over [from, to) by `step`. */
export const forStmt = (name: string, from: KExpr, to: KExpr, step: number, body: readonly KStmt[]): KStmt => {
  checkIndex(from)
  checkIndex(to)
  invariant(Number.isInteger(step) && step > 0, `for ${name} by ${step}`)
  return { kind: 'for', name, from, to, step, body }
}

export const ifStmt = (cond: KExpr, then: readonly KStmt[], otherwise: readonly KStmt[] = []): KStmt => {
  invariant(cond.type.scalar === 'bool' && cond.type.width === 1, `if of ${showType(cond.type)}`)
  return { kind: 'if', cond, then, else: otherwise }
}

export const barrier: KStmt = { kind: 'barrier' }
