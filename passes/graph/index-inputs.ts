/**
 * Analysis: arguments that flow into the index of a gather or scatter, whose range the host checks before it uploads
 * them.
 */
import { typeOf } from '../../src/lang/build.ts'
import type { Site } from '../../src/lang/errors.ts'
import { constantValue } from '../../src/lang/evaluate.ts'
import type { Graph, Node, NodeOf, Op } from '../../src/lang/ir.ts'
import { callerOf, siteOf } from '../../src/lang/provenance.ts'
import { topological } from '../../src/lang/topological.ts'

/** A strided part of a tensor: Python's `x[start:stop:step]` on each axis. */
export interface Region<N = number> {
  readonly start: readonly N[]
  readonly stop: readonly N[]
  readonly step: readonly N[]
}

/**
 * The range that elements of an argument must stay in, [0, size), or [-size, size) where negative ones count from the end, because `op`, a public function, indexes with them; all elements where
 * there is no region.
 */
export interface IndexRange<N = number> {
  readonly size: N
  readonly op: string
  /** A value that is replaced before it is used as an index, such as an ignored class. */
  readonly except?: number
  readonly fromEnd?: true
  readonly region?: Region<N>
  readonly site?: Site
}

/** Operations whose result contains every element of the first operand, any number of times, and no other. */
const keeping: ReadonlySet<Op> = new Set<Op>(['reshape', 'permute', 'broadcast', 'flip'])

/** Operations that return their first operand unchanged. */
const passing: ReadonlySet<Op> = new Set<Op>(['stopGradient', 'observe', 'barrier'])

/** A conversion to i32 that keeps every value, or maps it to one that is out of range as well. */
const isExactCast = (n: Node): boolean =>
  n.op === 'cast' && n.params.dtype === 'i32' && ['i8', 'u8', 'u32'].includes(typeOf(n.args[0]!).dtype)

/** The inputs of a nested graph, mapped to the values that the enclosing graph binds to them. */
type Outside = ReadonlyMap<Node, { readonly node: Node; readonly isSlice: boolean }>

/** A region of one slice of a scanned tensor, as the region of the whole tensor over all iterations. */
const wholeAxis = (region: Region, size: number): Region => ({
  start: [0, ...region.start],
  stop: [size, ...region.stop],
  step: [1, ...region.step],
})

/** What the walk from an index back to an argument has passed through. */
interface Path {
  readonly region?: Region
  readonly except?: number
  readonly fromEnd?: true
}

/** The value of a constant whose elements are all equal. */
const numberOf = (n: Node): number | undefined => {
  const values = constantValue(n)?.data
  return values?.every((v) => v === values[0]) ? values[0] : undefined
}

/**
 * Matches `select(x == c, r, x)` and its negations, where r is a valid index: the walk goes on at x, with c excepted.
 */
const replaced = (n: Node, size: number): { readonly of: Node; readonly except: number } | undefined => {
  if (n.op !== 'select') return undefined
  let [test, hit, miss] = n.args as readonly [Node, Node, Node]
  for (; test.op === 'not'; test = test.args[0]!) [hit, miss] = [miss, hit]
  if (test.op !== 'eq') return undefined
  const [a, b] = test.args as readonly [Node, Node]
  const except = a === miss ? numberOf(b) : b === miss ? numberOf(a) : undefined
  const instead = numberOf(hit)
  return except !== undefined && instead !== undefined && instead >= 0 && instead < size
    ? { of: miss, except }
    : undefined
}

/** `x + size` in either order. */
const isShifted = (n: Node, x: Node, size: number): boolean => {
  if (n.op !== 'add') return false
  const [a, b] = n.args as readonly [Node, Node]
  return (a === x && numberOf(b) === size) || (b === x && numberOf(a) === size)
}

/** Matches what `fromEnd` of tensor functions makes: `select(u32(x + size) < size, x + size, x)`; the walk goes on at x. */
const countedFromEnd = (n: Node, size: number): Node | undefined => {
  if (n.op !== 'select') return undefined
  const [test, counted, x] = n.args as readonly [Node, Node, Node]
  if (!isShifted(counted, x, size) || test.op !== 'lt') return undefined
  const [word, bound] = test.args as readonly [Node, Node]
  return word.op === 'bitcast' && word.args[0] === counted && numberOf(bound) === size ? x : undefined
}

/**
 * Calls `visit` with the program arguments that the elements of `n` come from; values that are computed are not
 * followed.
 */
const walk = (
  n: Node,
  size: number,
  levels: readonly Outside[],
  visit: (n: NodeOf<'input'>, path: Path) => void,
): void => {
  const follow = (at: Node, depth: number, path: Path): void => {
    const { region } = path
    const choice = region ? undefined : replaced(at, size)
    const counted = region || path.fromEnd ? undefined : countedFromEnd(at, size)
    if (at.op === 'input') {
      const outer = depth === 0 ? undefined : levels[depth - 1]!.get(at)
      if (depth === 0) visit(at, path)
      else if (outer) {
        const { shape } = typeOf(outer.node)
        follow(
          outer.node,
          depth - 1,
          region && outer.isSlice ? { ...path, region: wholeAxis(region, shape[0]!) } : path,
        )
      }
    } else if (isExactCast(at) || passing.has(at.op)) follow(at.args[0]!, depth, path)
    else if (counted) follow(counted, depth, { ...path, fromEnd: true })
    else if (choice && path.except === undefined) follow(choice.of, depth, { ...path, except: choice.except })
    else if (region) {
      // Below a slice, only operations that keep the region are followed.
    } else if (keeping.has(at.op)) follow(at.args[0]!, depth, path)
    else if (at.op === 'slice') follow(at.args[0]!, depth, { ...path, region: at.params })
    else if (at.op === 'concat') for (const part of at.args) follow(part, depth, path)
  }
  follow(n, levels.length, {})
}

/** The bindings of a loop body's inputs, except loop-carried values, which change between iterations. */
const outsideOf = (n: Node): Outside => {
  const outside = new Map<Node, { readonly node: Node; readonly isSlice: boolean }>()
  if (n.op !== 'scan' && n.op !== 'while') return outside
  const carries = n.op === 'scan' ? n.params.carries : n.params.body.outputs.length
  const slices = n.op === 'scan' ? n.params.slices : 0
  for (const [i, input] of n.params.body.inputs.entries())
    if (i >= carries) outside.set(input, { node: n.args[i]!, isSlice: i < carries + slices })
  return outside
}

/** The index ranges that the elements of each argument must stay in, including uses inside loops. */
export const indexInputs = (graph: Graph): ReadonlyMap<Node, readonly IndexRange[]> => {
  const found = new Map<Node, Map<string, IndexRange>>()
  const look = (inner: Graph, levels: readonly Outside[]): void => {
    for (const n of topological(inner.outputs)) {
      if (n.op === 'scan' || n.op === 'while') look(n.params.body, [...levels, outsideOf(n)])
      if (n.op !== 'gather' && n.op !== 'scatterAdd') continue
      const index = n.op === 'gather' ? n.args[1]! : n.args[0]!
      const size = n.op === 'gather' ? typeOf(n.args[0]!).shape[n.params.batch]! : n.params.size
      const site = siteOf(n)
      walk(index, size, levels, (input, path) => {
        const ranges = found.get(input) ?? new Map<string, IndexRange>()
        const key = JSON.stringify(path)
        const seen = ranges.get(key)
        if (!seen || size < seen.size) ranges.set(key, { size, op: callerOf(n), ...path, ...(site ? { site } : {}) })
        found.set(input, ranges)
      })
    }
  }
  look(graph, [])
  return new Map([...found].map(([n, ranges]) => [n, [...ranges.values()]]))
}
