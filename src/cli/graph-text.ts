/** A graph as numbered lines, and the numbers by which other parts of an explanation refer to its nodes. */
import * as E from '#fp/Either'
import { showError, showOperand } from '../lang/errors.ts'
import type { Node } from '../lang/ir.ts'
import { topological } from '../lang/order.ts'

/** Nodes in an order in which each comes after its operands, with their names `%0`, `%1`, …. */
export interface Numbered {
  readonly nodes: readonly Node[]
  readonly nameOf: (node: Node) => string
}

/** Numbers everything that `roots` reach. */
export const number = (roots: readonly Node[]): Numbered => {
  const nodes = topological(roots)
  const names = new Map(nodes.map((n, i) => [n, `%${i}`]))
  return { nodes, nameOf: (n) => names.get(n) ?? '%?' }
}

/** Parameters as `key=value`; contents of large constants and what the type says already are left out. */
const paramsText = (node: Node): string => {
  if (node.op === 'input') return ` ${node.params.index}`
  const shown = Object.entries(node.params as Readonly<Record<string, unknown>>)
    .filter(([key]) => !['shape', 'dtype', 'payload'].includes(key))
    .map(([key, value]) => `${key}=${printParam(value)}`)
  return shown.length > 0 ? ` ${shown.join(' ')}` : ''
}

const longest = 8

const printParam = (value: unknown): string => {
  if (!Array.isArray(value)) return Object.is(value, -0) ? '-0' : String(value)
  const cut = value.length > longest ? [...value.slice(0, longest).map(printParam), '…'] : value.map(printParam)
  return `[${cut.join(', ')}]`
}

/** The type of a node, all outputs of a tuple, or its mistake in one line. */
const typeText = (node: Node): string =>
  E.isLeft(node.type) ? showError(node.type.left).split('\n')[0]! : node.type.right.map(showOperand).join(', ')

/** One line a node: `%3 = dot(%0, %1) lhs=[0, 1] … : f32[32, 16]`. */
export const graphText = ({ nodes, nameOf }: Numbered, outputs: readonly Node[]): string =>
  [
    ...nodes.map((n) => {
      const operands = n.args.length > 0 ? `(${n.args.map(nameOf).join(', ')})` : ''
      return `${nameOf(n)} = ${n.op}${operands}${paramsText(n)} : ${typeText(n)}`
    }),
    `return ${outputs.map(nameOf).join(', ')}`,
  ].join('\n')
