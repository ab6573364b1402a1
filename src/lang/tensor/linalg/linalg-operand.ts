/** What the functions of linear algebra do to their operands: matrices checked, computed in f32, results given back. */
import * as E from '#fp/Either'
import { build, typeOf } from '../../build.ts'
import type { Shape } from '../../dim.ts'
import { type DType, isFloat } from '../../dtype.ts'
import type { Node } from '../../ir.ts'
import { showShape } from '../../shape.ts'
import { type Tensor, tensorOf } from '../../types/tensor.ts'
import { castNode, expandNode, jointShape, lift, onTensor, refuse, reshapeNode, withTypes } from '../operand.ts'

/** The result in the floating dtype it came from; integers and bool became f32. */
const returned = (n: Node, dtype: DType): Node =>
  E.isRight(n.type) && typeOf(n).dtype === 'f32' && isFloat(dtype) ? castNode(n, dtype) : n

const notMatrix = (name: string, n: Node, shape: Shape, kind: 'matrix' | 'square'): Node | undefined => {
  if (shape.length < 2)
    return refuse(name, [n], {
      reason: `rank ${shape.length} is not a matrix`,
      hint: 'the last two axes are the matrix',
    })
  if (kind === 'square' && shape.at(-1) !== shape.at(-2))
    return refuse(name, [n], { reason: `${showShape(shape.slice(-2))} is not a square matrix` })
  return undefined
}

/** `body` on matrices `[…, m, n]` in f32; what it gives in f32 goes back to the operand's floating dtype. */
export const onMatrix = (
  name: string,
  x: unknown,
  kind: 'matrix' | 'square',
  body: (a: Node, shape: Shape) => Node,
): Tensor =>
  onTensor(
    name,
    x,
    (n, { shape, dtype }) => notMatrix(name, n, shape, kind) ?? returned(body(castNode(n, 'f32'), shape), dtype),
  )

/**
 * `body` on matrices and right-hand sides in f32 with the same leading axes, which broadcast. A right-hand side of rank
 * 1 is a column, and so is the result then.
 */
export const onSystem = (
  name: string,
  x: unknown,
  y: unknown,
  kind: 'matrix' | 'square',
  body: (a: Node, b: Node) => Node,
): Tensor => {
  const nodes = [lift(name, x, 0), lift(name, y, 1)] as const
  return tensorOf(
    withTypes(name, nodes, ([ta, tb]) => {
      const bad = notMatrix(name, nodes[0], ta!.shape, kind)
      if (bad) return bad
      if (tb!.shape.length === 0)
        return refuse(name, nodes, { reason: 'the right-hand side is a scalar', hint: 'give a vector or a matrix' })
      const isVector = tb!.shape.length === 1
      const columns = isVector ? [...tb!.shape, 1] : tb!.shape
      if (columns.at(-2) !== ta!.shape.at(-2))
        return refuse(name, nodes, {
          reason: `the matrix has ${ta!.shape.at(-2)} rows, the right-hand side ${columns.at(-2)}`,
        })
      const lead = jointShape([ta!.shape.slice(0, -2), columns.slice(0, -2)])
      if (E.isLeft(lead)) return refuse(name, nodes, lead.left)
      const a = expandNode(castNode(nodes[0], 'f32'), [...lead.right, ...ta!.shape.slice(-2)])
      const b = expandNode(reshapeNode(castNode(nodes[1], 'f32'), columns), [...lead.right, ...columns.slice(-2)])
      const out = body(a, b)
      const dtype = isFloat(ta!.dtype) && ta!.dtype === tb!.dtype ? ta!.dtype : 'f32'
      return returned(isVector && E.isRight(out.type) ? reshapeNode(out, typeOf(out).shape.slice(0, -1)) : out, dtype)
    }),
  )
}

/** Output `index` of a node. */
export const output = (n: Node, index: number): Node => build.get([n], { index })
