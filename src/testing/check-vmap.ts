/** The laws of batching and of shapes: `vmap(f)` is f example by example, and what is inferred is what is computed. */
import { type AxesTree, argumentName, axesOfTree, resultName } from '../../passes/transform/axes-tree.ts'
import { type VmapOptions, vmap } from '../../passes/transform/vmap.ts'
import { build, typeOf, typesOf } from '../lang/build.ts'
import { type Dim, sizeOf } from '../lang/dim.ts'
import { allocate } from '../lang/dtype.ts'
import { showOperand } from '../lang/errors.ts'
import { evaluate } from '../lang/evaluate.ts'
import type { Node } from '../lang/ir.ts'
import type { Value } from '../lang/primitive.ts'
import { demandList } from '../lang/tensor/arguments.ts'
import { flattenTree, isTensor } from '../lang/tree.ts'
import { nodeOf, type Tensor } from '../lang/types/tensor.ts'
import { sampleOfCall } from './check-grad.ts'

const nodesOf = (tree: unknown): readonly Node[] => flattenTree<Tensor>(tree, isTensor).leaves.map(nodeOf)

/** Element `i` of a node along an axis, which goes away. */
const exampleOf = (n: Node, axis: number, i: number): Node => {
  const { shape } = typeOf(n)
  const at = axis < 0 ? axis + shape.length : axis
  const cut = build.slice([n], {
    start: shape.map((_, a) => (a === at ? i : 0)),
    stop: shape.map((d, a) => (a === at ? i + 1 : d)),
    step: shape.map(() => 1),
  })
  return build.reshape([cut], { shape: shape.toSpliced(at, 1) })
}

/** The tree of example `i`, and how many examples its leaves have. */
const examples = (
  option: 'inAxes' | 'outAxes',
  axes: AxesTree,
  tree: unknown,
): { readonly size: Dim; readonly of: (i: number) => unknown } => {
  const naming = { name: option === 'inAxes' ? argumentName : resultName, skipNull: option === 'inAxes' }
  const { leaves, withLeaves } = axesOfTree(option, axes, tree, naming)
  const first = leaves.find((l) => l.axis !== null)
  return {
    size: first ? typeOf(first.node).shape.at(first.axis!)! : 0,
    of: (i) => withLeaves(leaves.map(({ node, axis }) => (axis === null ? node : exampleOf(node, axis, i)))),
  }
}

const values = (nodes: readonly Node[]): readonly Value[] => evaluate({ inputs: [], outputs: nodes }, [])

/**
 * Checks `vmap(f, options)` at `args` (trees of constant tensors with their batch axes): every example of its result
 * against `f` on that example, bit by bit by the Float64 interpreter. Throws an Error that names the result, example and
 * element where they differ, or says that the batch is empty.
 * @example
 * testing.checkVmap((x: T.Tensor) => T.sub(x, T.mean(x)), [T.ones([3, 2])]) // => undefined
 */
export const checkVmap = <A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  args: readonly unknown[],
  options: VmapOptions = {},
): void => {
  demandList('checkVmap', args, 'arguments', 'checkVmap(f, [x])')
  const untyped = vmap as (f: unknown, options: VmapOptions) => (...xs: readonly unknown[]) => unknown
  const together = untyped(f, options)(...args)
  const given = examples('inAxes', options.inAxes ?? 0, args)
  if (given.size === 0) throw new Error('checkVmap: the batch is empty: there is nothing to compare')
  const found = examples('outAxes', options.outAxes ?? 0, together)
  const paths = flattenTree<Tensor>(together, isTensor).paths
  for (let i = 0; i < given.size; i++) {
    const got = values(nodesOf(found.of(i)))
    const want = values(nodesOf(f(...(given.of(i) as A))))
    if (got.length !== want.length)
      throw new Error(`checkVmap: ${got.length} results together, ${want.length} for example ${i}`)
    for (const [k, v] of want.entries()) {
      const where = `${resultName(paths[k]!)}, example ${i}`
      if (showOperand(got[k]!) !== showOperand(v))
        throw new Error(`checkVmap: ${where}: ${showOperand(got[k]!)} together, ${showOperand(v)} alone`)
      const at = v.data.findIndex((x, e) => !Object.is(x, got[k]!.data[e]))
      if (at >= 0)
        throw new Error(`checkVmap: ${where}, element ${at}: ${got[k]!.data[at]} together, ${v.data[at]} alone`)
    }
  }
}

/**
 * Checks every node that `f` builds at `args` (trees of constant tensors): the outputs that its row computes are as many,
 * and as large, as its row infers. Throws an Error that names the operation.
 * @example
 * testing.checkShape((x: T.Tensor) => T.exp(x), [T.ones([3])]) // => undefined
 */
export const checkShape = <A extends readonly unknown[]>(f: (...args: A) => unknown, args: A): void => {
  const { graph, inputs } = sampleOfCall('checkShape', f, args)
  evaluate(graph, inputs, {
    after: (n, arrays) => {
      const types = typesOf(n)
      if (arrays.length !== types.length)
        throw new Error(`checkShape: ${n.op} infers ${types.length} outputs and computes ${arrays.length}`)
      for (const [i, type] of types.entries()) {
        const array = arrays[i]!
        const fits = array.length === sizeOf(type.shape) && array.constructor === allocate(type.dtype, 0).constructor
        if (!fits)
          throw new Error(
            `checkShape: ${n.op} infers ${showOperand(type)} and computes ${array.length} elements (${array.constructor.name})`,
          )
      }
      return arrays
    },
  })
}
