/** Hash-consing constructors of Loop IR values: equal values of one cluster are one object. */

import type { KernelDType } from '../../../src/lang/dtype.ts'
import type { ParamsOf, PointwiseOp } from '../../../src/lang/ir.ts'
import { stateMonoids } from '../../../src/lang/monoids.ts'
import { functionKey } from '../../../src/lang/user-ops.ts'
import type { Bound, Buffer, Index, LoopValue, Range, Reduction } from './cluster.ts'
import { foldedConstant } from './folded-constant.ts'
import { rangesOfIndex } from './index-expression.ts'

/** `Omit` that distributes over a union. */
type Bare<T> = T extends unknown ? Omit<T, 'id' | 'ranges'> : never

/** Makes the values and ranges of one cluster. */
export interface Values {
  readonly constant: (dtype: KernelDType, value: number) => LoopValue
  readonly index: (dtype: KernelDType, index: Index) => LoopValue
  readonly load: (buffer: Buffer, index: Index, bounds: readonly Bound[]) => LoopValue
  readonly alu: (op: PointwiseOp, dtype: KernelDType, args: readonly LoopValue[]) => LoopValue
  readonly guard: (bounds: readonly Bound[], inside: LoopValue, outside: LoopValue) => LoopValue
  readonly reduce: (r: Reduction, component?: number) => LoopValue
  readonly call: (callee: ParamsOf['elementwise'], args: readonly LoopValue[]) => LoopValue
  readonly threefry: (word: 0 | 1, args: readonly LoopValue[]) => LoopValue
  /** Ranges of the given sizes, none of them in `avoid`; the same request returns the same ranges. */
  readonly ranges: (
    family: 'store' | 'reduce',
    sizes: readonly number[],
    avoid?: ReadonlySet<Range>,
  ) => readonly Range[]
  /** The number of distinct values. */
  readonly count: () => number
}

/** The union; one of the sets themselves where it holds all others, which is the rule. */
const union = (sets: readonly ReadonlySet<Range>[]): ReadonlySet<Range> => {
  let largest = sets[0] ?? noRanges
  for (const s of sets) if (s.size > largest.size) largest = s
  let own: Set<Range> | undefined
  for (const s of sets) {
    if (s === largest) continue
    for (const r of s) {
      if ((own ?? largest).has(r)) continue
      own ??= new Set(largest)
      own.add(r)
    }
  }
  return own ?? largest
}

const noRanges: ReadonlySet<Range> = new Set()

/** Equal keys mean equal bounds. */
export const boundKey = ({ low, index, high }: Bound): string => `${low}<=${index.key}<${high}`

const boundKeys = (bounds: readonly Bound[]): string => bounds.map(boundKey).join('&')

/** A select by a mask that is true within bounds: the choice by those bounds, of which only one side need be read. */
const choiceOf = ([mask, yes, no]: readonly LoopValue[], { guard }: Pick<Values, 'guard'>): LoopValue | undefined => {
  if (mask?.kind !== 'guard' || mask.inside.kind !== 'const' || mask.outside.kind !== 'const') return undefined
  if (mask.inside.value === mask.outside.value) return undefined
  const [inside, outside] = mask.inside.value ? [yes!, no!] : [no!, yes!]
  const key = boundKeys(mask.bounds)
  /** A side of what is guarded by the same bounds is that side. */
  const side = (v: LoopValue, which: 'inside' | 'outside'): LoopValue =>
    v.kind === 'guard' && boundKeys(v.bounds) === key ? v[which] : v
  return guard(mask.bounds, side(inside, 'inside'), side(outside, 'outside'))
}

/** True when the bound holds at every point. */
const always = (b: Bound): boolean => b.index.min >= b.low && b.index.max < b.high
/** True when the bound holds at no point. */
const never = (b: Bound): boolean => b.index.max < b.low || b.index.min >= b.high

/** A sum of sums in the same order, as one sum over the ranges of both. */
const sumsInOneOrder = ({ monoid, order, over, runs, values: [value] }: Reduction): Reduction | undefined => {
  const isSum = monoid === 'sum' || monoid === 'terms'
  if (!isSum || value?.kind !== 'reduce' || value.monoid !== monoid || value.order !== order) return undefined
  if (runs || value.runs || value.over.some((r) => over.includes(r))) return undefined
  return { monoid, order, over: [...over, ...value.over], values: value.values }
}

export const createValues = (): Values => {
  const interned = new Map<string, LoopValue>()
  const pools = new Map<string, Range[][]>()
  let nextRange = 0
  const intern = (key: string, ranges: ReadonlySet<Range>, bare: Bare<LoopValue>): LoopValue => {
    const seen = interned.get(key)
    if (seen) return seen
    const value = { ...bare, id: interned.size, ranges } as LoopValue
    interned.set(key, value)
    return value
  }
  const ids = (vs: readonly LoopValue[]): string => vs.map((v) => v.id).join()
  const none: ReadonlySet<Range> = new Set()

  const values: Values = {
    constant: (dtype, value) =>
      intern(`c${dtype}${Object.is(value, -0) ? '-0' : value}`, none, { kind: 'const', dtype, value }),
    index: (dtype, index) =>
      index.terms.length === 0
        ? values.constant(dtype, index.constant)
        : intern(`i${dtype}${index.key}`, rangesOfIndex(index), { kind: 'index', dtype, index }),
    load: (buffer, index, bounds) => {
      const needed = index.min >= 0 && index.max < buffer.size ? [] : bounds.filter((b) => !always(b))
      const ranges = union([rangesOfIndex(index), ...needed.map((b) => rangesOfIndex(b.index))])
      return intern(`l${buffer.id}[${index.key}]${boundKeys(needed)}`, ranges, {
        kind: 'load',
        dtype: buffer.dtype,
        buffer,
        index,
        bounds: needed,
      })
    },
    alu: (op, dtype, args) => {
      const known = foldedConstant(op, dtype, args)
      if (known !== undefined) return values.constant(dtype, known)
      const choice = op === 'select' ? choiceOf(args, values) : undefined
      if (choice) return choice
      return intern(`a${op}:${dtype}(${ids(args)})`, union(args.map((a) => a.ranges)), {
        kind: 'alu',
        dtype,
        op,
        args,
      })
    },
    guard: (bounds, inside, outside) => {
      if (bounds.some(never)) return outside
      const open = bounds.filter((b) => !always(b))
      if (open.length === 0) return inside
      const ranges = union([inside.ranges, outside.ranges, ...open.map((b) => rangesOfIndex(b.index))])
      return intern(`g(${boundKeys(open)}?${inside.id}:${outside.id})`, ranges, {
        kind: 'guard',
        dtype: inside.dtype,
        bounds: open,
        inside,
        outside,
      })
    },
    reduce: (r, component = 0) => {
      const { monoid, order, over, runs, values: of, position } = r
      // A reduction over no ranges (an outer product, a `sum` over no axes) is the value itself.
      if (over.length === 0) return of[component]!
      const nested = sumsInOneOrder(r)
      if (nested) return values.reduce(nested)
      const group = `${monoid} ${order}${runs?.join() ?? ''}[${over.map((x) => x.id).join()}](${ids(of)})${position?.key ?? ''}`
      const ranges = new Set(union(of.map((v) => v.ranges)))
      if (position) for (const x of rangesOfIndex(position)) ranges.add(x)
      for (const x of over) ranges.delete(x)
      const dtype = stateMonoids[monoid].components(of[0]!.dtype)[component]!
      return intern(`${group}.${component}`, ranges, { kind: 'reduce', dtype, ...r, component, group })
    },
    call: (callee, args) =>
      intern(`u${functionKey(callee)}(${ids(args)})`, union(args.map((a) => a.ranges)), {
        kind: 'call',
        dtype: callee.gives,
        callee,
        args,
      }),
    threefry: (word, args) =>
      intern(`t${word}(${ids(args)})`, union(args.map((a) => a.ranges)), {
        kind: 'threefry',
        dtype: 'u32',
        word,
        args,
      }),
    ranges: (family, sizes, avoid = none) => {
      const key = `${family}:${sizes.join()}`
      const pool = pools.get(key) ?? []
      pools.set(key, pool)
      const free = pool.find((rs) => !rs.some((r) => avoid.has(r)))
      if (free) return free
      const made = sizes.map((size): Range => ({ id: nextRange++, size }))
      pool.push(made)
      return made
    },
    count: () => interned.size,
  }
  return values
}

/** The operands of a value, including data-dependent indices. */
export const operandsOf = (v: LoopValue): readonly LoopValue[] => {
  switch (v.kind) {
    case 'const':
      return []
    case 'index':
      return valuesOfIndex(v.index)
    case 'load':
      return [...valuesOfIndex(v.index), ...v.bounds.flatMap((b) => valuesOfIndex(b.index))]
    case 'alu':
    case 'threefry':
    case 'call':
      return v.args
    case 'guard':
      return [...v.bounds.flatMap((b) => valuesOfIndex(b.index)), v.inside, v.outside]
    case 'reduce':
      return v.values
  }
}

/** The values that an index depends on. */
export const valuesOfIndex = (a: Index): readonly LoopValue[] =>
  a.terms.flatMap(({ atom }) =>
    atom.kind === 'value' ? [atom.value] : atom.kind === 'range' ? [] : valuesOfIndex(atom.of),
  )

/** All values reachable from `roots`, in topological order. */
export const valuesBelow = (roots: readonly LoopValue[]): readonly LoopValue[] => {
  const order: LoopValue[] = []
  const seen = new Set<LoopValue>()
  const stack: { readonly value: LoopValue; readonly operands: readonly LoopValue[]; next: number }[] = []
  const push = (value: LoopValue): void => {
    if (seen.has(value)) return
    seen.add(value)
    stack.push({ value, operands: operandsOf(value), next: 0 })
  }
  for (const root of roots) {
    push(root)
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!
      if (top.next < top.operands.length) push(top.operands[top.next++]!)
      else {
        order.push(top.value)
        stack.pop()
      }
    }
  }
  return order
}
