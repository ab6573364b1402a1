/**
 * Derivatives of scan. Forward, values and tangents run in one loop. For reverse mode the loop is split: one that also
 * stacks what the linear part needs of each turn, and a linear one over those stacks, which can be transposed.
 */
import type { Build, Graph, Node, ParamsOf } from '../ir.ts'
import type { JvpContext, Linear, TransposeContext } from '../primitive.ts'
import { chosen, isSome, type Opened, openLoop, orZeros, outputsOf } from './closed-graphs.ts'
import { operandType } from './operand-checks.ts'
import { zeros } from './rule-parts.ts'

type Scan = ParamsOf['scan']

/** Items of a list laid out as operands are: carries, slices, the rest. */
const parts = <T>(xs: readonly T[], { carries, slices }: Scan): readonly [readonly T[], readonly T[], readonly T[]] => [
  xs.slice(0, carries),
  xs.slice(carries, carries + slices),
  xs.slice(carries + slices),
]

/** A scan's outputs by what they are, from flags of which the linear (or joint) loop has. */
const spread = (
  made: readonly Node[],
  { carries }: Scan,
  active: readonly boolean[],
  stacked: readonly Linear[],
): readonly Linear[] => {
  let next = 0
  const last = Array.from({ length: carries }, (_, i) => (active[i] ? made[next++] : undefined))
  return [...last, ...stacked.map((t) => (t ? made[next++] : undefined))]
}

/** Values and tangents in one loop. */
const forward = (
  c: JvpContext<Scan>,
  { inputs, moved, outputs, tangents }: Opened,
  active: readonly boolean[],
): readonly Linear[] => {
  const { b, args, params, kit } = c
  const [c0, s0, r0] = parts(inputs, params)
  const [c1, s1, r1] = parts(moved, params)
  const [ca, sa, ra] = parts(active, params)
  const [x0, xs0, xr0] = parts(args, params)
  const [x1, xs1, xr1] = parts(c.tangents, params)
  const stacked = tangents.slice(params.carries)
  const dCarries = chosen(outputs.slice(0, params.carries), ca).map((n, i) =>
    orZeros(b, chosen(tangents.slice(0, params.carries), ca)[i], n),
  )
  const body = kit.close({
    inputs: [...c0, ...chosen(c1, ca), ...s0, ...chosen(s1, sa), ...r0, ...chosen(r1, ra)] as Graph['inputs'],
    outputs: [...outputs.slice(0, params.carries), ...dCarries, ...stacked.filter(isSome)],
  })
  const initial = chosen(x1, ca).map((t, i) => orZeros(b, t, chosen(x0, ca)[i]!))
  const operands = [...x0, ...initial, ...xs0, ...chosen(xs1, sa), ...xr0, ...chosen(xr1, ra)].filter(isSome)
  const joint = { ...params, body, carries: params.carries + initial.length, slices: s0.length + chosen(s1, sa).length }
  const made = outputsOf(b, b.scan(operands, joint), body.outputs.length)
  return spread(made.slice(params.carries), params, active, stacked)
}

/** What the linear part of a body uses of the rest, by how a later loop can have it. */
interface Residuals {
  /** Nodes of the body, each with the tensor that holds it for every turn. */
  readonly sliced: readonly (readonly [Node, Node])[]
  /** Nodes that are the same in every turn, each with its value. */
  readonly fixed: readonly (readonly [Node, Node])[]
}

/** Finds them; those that change from turn to turn are stacked by a scan like the given one. */
const residualsOf = (c: JvpContext<Scan>, { inputs, moved, outputs, tangents }: Opened): Residuals => {
  const { b, args, params, kit } = c
  const roots = tangents.filter(isSome)
  const linear = new Set(kit.dependents(roots, moved))
  const used = new Set([...linear].flatMap((n) => n.args.filter((a) => !linear.has(a))))
  const changing = new Set(kit.dependents([...used], inputs.slice(0, params.carries + params.slices)))
  const known = new Set(kit.dependents([...used], inputs))
  const sliced: (readonly [Node, Node])[] = []
  const fixed: (readonly [Node, Node])[] = []
  const stacked: Node[] = []
  for (const n of used) {
    if (!known.has(n)) continue
    const at = inputs.indexOf(n)
    if (!changing.has(n))
      fixed.push([
        n,
        kit.substitute(
          [n],
          inputs.slice(params.carries + params.slices),
          args.slice(params.carries + params.slices),
        )[0]!,
      ])
    else if (at >= params.carries) sliced.push([n, args[at]!])
    else stacked.push(n)
  }
  if (stacked.length > 0) {
    const body = kit.close({ inputs: inputs as Graph['inputs'], outputs: [...outputs, ...stacked] })
    const made = outputsOf(b, b.scan(args, { ...params, body }), body.outputs.length)
    for (const [i, n] of stacked.entries()) sliced.push([n, made[outputs.length + i]!])
  }
  return { sliced, fixed }
}

/** The linear loop alone, over stacks of what it needs. */
const split = (c: JvpContext<Scan>, opened: Opened, active: readonly boolean[]): readonly Linear[] => {
  const { b, params, kit } = c
  const { moved, outputs, tangents } = opened
  const { sliced, fixed } = residualsOf(c, opened)
  const [ca, sa, ra] = parts(active, params)
  const [dc, ds, dr] = parts(moved, params)
  const stacked = tangents.slice(params.carries)
  const results = [
    ...chosen(
      outputs.slice(0, params.carries).map((n, i) => orZeros(b, tangents[i], n)),
      ca,
    ),
    ...stacked.filter(isSome),
  ]
  const held = [...sliced, ...fixed].map(([n]) => n)
  const stand = kit.fresh(held.map(operandType))
  const body = kit.close({
    inputs: [
      ...chosen(dc, ca),
      ...chosen(ds, sa),
      ...stand.slice(0, sliced.length),
      ...chosen(dr, ra),
      ...stand.slice(sliced.length),
    ] as Graph['inputs'],
    outputs: kit.substitute(results, held, stand),
  })
  const [x1, xs1, xr1] = parts(c.tangents, params)
  const initial = chosen(
    x1.map((t, i) => orZeros(b, t, c.args[i]!)),
    ca,
  )
  const operands = [
    ...initial,
    ...chosen(xs1, sa),
    ...sliced.map(([, x]) => x),
    ...chosen(xr1, ra),
    ...fixed.map(([, x]) => x),
  ].filter(isSome)
  const made = b.scan(operands, {
    ...params,
    body,
    carries: initial.length,
    slices: chosen(ds, sa).length + sliced.length,
  })
  return spread(outputsOf(b, made, body.outputs.length), params, active, stacked)
}

/** Tangents of a scan's outputs. */
export const jvpOfScan = (c: JvpContext<Scan>): readonly Linear[] => {
  const { opened, active } = openLoop(c.kit, c.walk, c.params.body, c.params.carries, c.tangents.map(isSome))
  return c.mode === 'forward' ? forward(c, opened, active) : split(c, opened, active)
}

/** The sum over all turns of a node of the body, from stacks of what it is made from; `stackOf` gives the stack of a node. */
type Sum = (stackOf: (n: Node) => Node) => Node

/**
 * How to add up `n` over all turns after the loop: a contraction takes the turns as one more contracted axis, a sum as one
 * more axis. Undefined for anything else, which is added up in the loop.
 */
const summedAfter = (b: Build, n: Node): Sum | undefined => {
  switch (n.op) {
    case 'dot': {
      const { lhs, rhs, out } = n.params
      const turn = Math.max(...lhs, ...rhs, -1) + 1
      return (stackOf) =>
        b.dot([stackOf(n.args[0]!), stackOf(n.args[1]!)], { lhs: [turn, ...lhs], rhs: [turn, ...rhs], out })
    }
    case 'reduce': {
      const { monoid, axes } = n.params
      if (monoid !== 'sum') return undefined
      return (stackOf) => b.reduce([stackOf(n.args[0]!)], { monoid, axes: [0, ...axes.map((a) => a + 1)] })
    }
    case 'permute':
    case 'reshape': {
      const below = summedAfter(b, n.args[0]!)
      return below && ((stackOf) => (b[n.op] as Build['permute'])([below(stackOf)], n.params as { axes: number[] }))
    }
    case 'add': {
      const [x, y] = n.args.map((a) => summedAfter(b, a))
      return x && y && ((stackOf) => b.add([x(stackOf), y(stackOf)], {}))
    }
    default:
      return undefined
  }
}

/**
 * Cotangents of a linear scan: the loop runs the other way, carrying those of the carries. Those of what stays the same
 * are added up over the turns, after the loop where that is one contraction, else in it.
 */
export const transposeOfScan = (c: TransposeContext<Scan>): readonly Linear[] => {
  const { b, args, linear, cts, params, kit, walk } = c
  const { carries } = params
  const types = params.body.inputs.map((n) => n.params)
  const inputs = kit.fresh(types)
  const outputs = kit.instantiate(params.body, inputs)
  const isLinear = types.map((_, i) => i < carries || linear[i]!)
  const [, slicesIn, restIn] = parts(inputs, params)
  const [, sliceLinear, restLinear] = parts(isLinear, params)
  const [, sliceArgs, restArgs] = parts(args, params)
  const back = kit.fresh(outputs.map(operandType))
  const given = back.map((n, i) => (i < carries || cts[i] ? n : undefined))
  const found = walk(outputs, chosen(inputs, isLinear), given)
  let next = carries
  const dCarries = inputs.slice(0, carries).map((n, i) => orZeros(b, found[i], n))
  const dSlices = chosen(slicesIn, sliceLinear).map((n) => orZeros(b, found[next++], n))
  const dRest = chosen(restIn, restLinear).map(() => found[next++])

  const later = dRest.map((n) => n && summedAfter(b, n))
  const inLoop = dRest.flatMap((n, i) => (n && !later[i] ? [n] : []))
  const sums = kit.fresh(inLoop.map(operandType))
  // Stacks that there are already, and nodes that this loop has to stack.
  const stacks = new Map<Node, Node>()
  slicesIn.forEach((n, i) => {
    if (!sliceLinear[i]) stacks.set(n, sliceArgs[i]!)
  })
  given.forEach((n, i) => {
    if (i >= carries && n) stacks.set(n, cts[i]!)
  })
  const wanted: Node[] = []
  for (const sum of later) {
    if (!sum) continue
    sum((n) => {
      if (!stacks.has(n) && !wanted.includes(n)) wanted.push(n)
      return stacked(b, n, params.length)
    })
  }
  const residualSlices = slicesIn.flatMap((n, i) => (sliceLinear[i] ? [] : [n]))
  const residualRest = restIn.flatMap((n, i) => (restLinear[i] ? [] : [n]))
  const body = kit.close({
    inputs: [
      ...back.slice(0, carries),
      ...sums,
      ...given.slice(carries).filter(isSome),
      ...residualSlices,
      ...residualRest,
    ] as Graph['inputs'],
    outputs: [...dCarries, ...inLoop.map((n, i) => b.add([sums[i]!, n], {})), ...dSlices, ...wanted],
  })
  const operands = [
    ...Array.from({ length: carries }, (_, i) => orZeros(b, cts[i], inputs[i]!)),
    ...inLoop.map((n) => zeros(b, operandType(n))),
    ...cts.slice(carries).filter(isSome),
    ...sliceArgs.filter((_, i) => !sliceLinear[i]),
    ...restArgs.filter((_, i) => !restLinear[i]),
  ]
  const count = carries + inLoop.length
  const made = outputsOf(
    b,
    b.scan(operands, {
      body,
      carries: count,
      slices: given.slice(carries).filter(isSome).length + residualSlices.length,
      length: params.length,
      reverse: !params.reverse,
    }),
    body.outputs.length,
  )
  for (const [i, n] of wanted.entries()) stacks.set(n, made[count + dSlices.length + i]!)
  let sum = carries
  let slice = count
  let rest = 0
  return args.map((_, i) => {
    if (i < carries) return linear[i] ? made[i] : undefined
    if (!linear[i]) return undefined
    if (i < carries + params.slices) return made[slice++]
    const k = rest++
    if (!dRest[k]) return undefined
    const after = later[k]
    return after ? after((n) => stacks.get(n)!) : made[sum++]
  })
}

/** A stand-in of the type that the stack of `n` will have. */
const stacked = (b: Build, n: Node, length: number): Node => {
  const { shape, dtype } = operandType(n)
  return zeros(b, { shape: [length, ...shape], dtype })
}
