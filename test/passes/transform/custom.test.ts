import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { errorsOf } from '../../../passes/graph/check.ts'
import { inlined } from '../../../passes/graph/inline.ts'
import { graphPipeline, runPipeline } from '../../../passes/pipeline.ts'
import { customJvp, customVjp } from '../../../passes/transform/custom.ts'
import { grad, valueAndGrad } from '../../../passes/transform/gradient.ts'
import { hessian, jacfwd, jacrev } from '../../../passes/transform/jacobian.ts'
import { hvp, jvp, linearize, vjp } from '../../../passes/transform/jacobian-products.ts'
import { vmap } from '../../../passes/transform/vmap.ts'
import { verifyGraph } from '../../../passes/verify-graph.ts'
import * as T from '../../../src/index.ts'
import { digestGraph } from '../../../src/lang/digest.ts'
import { evaluate } from '../../../src/lang/evaluate.ts'
import type { Op } from '../../../src/lang/ir.ts'
import { primitives } from '../../../src/lang/ops/primitive-table.ts'
import { parseGraph } from '../../../src/lang/parse.ts'
import { topological } from '../../../src/lang/topological.ts'
import { traceTree } from '../../../src/lang/trace.ts'
import { nodeOf } from '../../../src/lang/types/tensor.ts'
import * as random from '../../../src/random/index.ts'
import * as testing from '../../../src/testing/index.ts'
import { sharedDevice } from '../../device.ts'
import { closeTo, messageOf } from '../graph/numbers.ts'

const x = random.normal(random.key(1), [3])
const m = random.normal(random.key(2), [2, 3])
const opsOf = (tree: unknown): readonly Op[] =>
  topological(T.flattenTree(tree, T.isTensor).leaves.map(nodeOf)).map((n) => n.op)

/** a³ whose rule says 10 times what it should, so that one sees it at work. */
const loudCube = customJvp(
  (a: T.Tensor) => T.mul(a, T.square(a)),
  ([a], [da]) => [T.mul(a, T.square(a)), T.mul(da, T.mul(T.square(a), 30))],
)

/** sin with cotangents held between -1/2 and 1/2. */
const held = customVjp(
  (a: T.Tensor) => T.sin(a),
  (a) => [T.sin(a), { slope: T.cos(a) }],
  ({ slope }, ct) => [T.mul(T.clamp(ct, { min: -0.5, max: 0.5 }), slope)],
)

/** x·sin(y) with its true derivative as each kind of rule. */
const byJvp = customJvp(
  (a: T.Tensor, c: T.Tensor) => T.mul(a, T.sin(c)),
  ([a, c], [da, dc]) => [T.mul(a, T.sin(c)), T.add(T.mul(da, T.sin(c)), T.mul(dc, T.mul(a, T.cos(c))))],
)
const byVjp = customVjp(
  (a: T.Tensor, c: T.Tensor) => T.mul(a, T.sin(c)),
  (a, c) => [T.mul(a, T.sin(c)), [a, c] as const],
  ([a, c], ct) => [T.mul(ct, T.sin(c)), T.mul(ct, T.mul(a, T.cos(c)))],
)

describe('customJvp', () => {
  it('serves forward and reverse mode, and leaves the value alone', () => {
    closeTo(loudCube(x), T.mul(x, T.square(x)))
    const slope = T.mul(T.square(x), 30)
    closeTo(jvp(loudCube, [x], [(m as never) && T.ones([3])]), [T.mul(x, T.square(x)), slope])
    closeTo(grad((a: T.Tensor) => T.sum(loudCube(a)))(x), slope)
    closeTo([jacfwd(loudCube)(x), jacrev(loudCube)(x)], [T.diag(slope), T.diag(slope)])
  })

  it('is differentiated again through its rule', () => {
    closeTo(hessian((a: T.Tensor) => T.sum(loudCube(a)))(x), T.diag(T.mul(x, 60)))
    closeTo(grad((a: T.Tensor) => T.sum(grad((c: T.Tensor) => T.sum(loudCube(c)))(a)))(x), T.mul(x, 60))
  })

  it('takes trees, integers, and what it captures', () => {
    const scale = T.tensor(3, { dtype: 'f32' })
    const f = customJvp(
      (p: { a: T.Tensor; n: T.Tensor }) => ({ y: T.mul(T.mul(p.a, T.cast(p.n, 'f32')), scale), n: p.n }),
      ([p], [d]) => [
        { y: T.mul(T.mul(p.a, T.cast(p.n, 'f32')), scale), n: p.n },
        { y: T.mul(T.mul(d.a, T.cast(p.n, 'f32')), T.mul(scale, 2)), n: d.n },
      ],
    )
    const outer = (p: { a: T.Tensor; k: T.Tensor }): T.Tensor => T.sum(f({ a: p.a, n: T.tensor([1, 2, 3]) }).y)
    closeTo(grad(outer)({ a: x, k: x }).a, T.tensor([6, 12, 18], { dtype: 'f32' }))
  })

  it('under vmap keeps its rule', () => {
    testing.checkVmap(loudCube, [m])
    testing.checkVmap((a: T.Tensor) => grad((c: T.Tensor) => T.sum(loudCube(c)))(a), [m])
    closeTo(grad((a: T.Tensor) => T.sum(vmap(loudCube)(a)))(m), T.mul(T.square(m), 30))
    closeTo(vmap(byJvp, { inAxes: [0, null] })(m, x), T.mul(m, T.sin(x)))
    testing.checkGrad((a: T.Tensor, c: T.Tensor) => vmap(byJvp, { inAxes: [0, null] })(a, c), [m, x])
  })

  it.each<[string, () => unknown, string]>([
    [
      'a rule that gives no pair',
      () => customJvp((a: T.Tensor) => a, (([a]: readonly [T.Tensor]) => a) as never)(x),
      'customJvp: the rule must return [value, tangent]',
    ],
    [
      'a tangent of another type',
      () =>
        customJvp(
          (a: T.Tensor) => a,
          ([a], [d]) => [a, T.sum(d)],
        )(x),
      'customJvp: the tangent is f32[], its tensor is f32[3]',
    ],
    [
      'a value of another structure',
      () =>
        customJvp(
          (a: T.Tensor) => [a],
          ([a], [d]) => [[a, a], [d]] as never,
        )(x),
      'customJvp: the value of the rule does not have the structure',
    ],
    [
      'a tangent that is not linear',
      () =>
        grad(
          customJvp(
            (a: T.Tensor) => a,
            ([a], [d]) => [a, T.exp(d)],
          ),
        )(T.sum(x)),
      'exp depends on a tangent, but is not linear in it',
    ],
    [
      'a product of tangents',
      () =>
        grad(
          customJvp(
            (a: T.Tensor) => a,
            ([a], [d]) => [a, T.square(d)],
          ),
        )(T.sum(x)),
      'mul depends on a tangent, but is not linear in it',
    ],
    [
      'what is differentiated from outside',
      () =>
        grad((a: T.Tensor) =>
          T.sum(
            customJvp(
              (c: T.Tensor) => T.mul(c, a),
              ([c], [d]) => [T.mul(c, a), d],
            )(x),
          ),
        )(x),
      'customJvp: the function uses a tensor from outside that is being differentiated',
    ],
  ])('%s is a UsageError', (_, call, message) => expect(messageOf(call)).toContain(`UsageError ${message}`))
})

describe('customVjp', () => {
  it('is used by grad, and its forward rule in place of the function', () => {
    const loss = (a: T.Tensor): T.Tensor => T.sum(T.mul(held(a), 3))
    const [value, g] = valueAndGrad(loss)(x)
    closeTo([value, g], [T.mul(T.sum(T.sin(x)), 3), T.mul(T.cos(x), 0.5)])
    closeTo(vjp(held, x)[1](T.full([3], 0.25)), [T.mul(T.cos(x), 0.25)])
    const marked = customVjp(
      (a: T.Tensor) => T.mul(a, 1),
      (a) => [T.mul(a, 2), []],
      (_, ct) => [ct],
    )
    closeTo([marked(x), valueAndGrad((a: T.Tensor) => T.sum(marked(a)))(x)[0]], [x, T.mul(T.sum(x), 2)])
  })

  it('is used by grad of grad, and a gradient of it has every mode', () => {
    const loss = (a: T.Tensor): T.Tensor => T.sum(T.square(held(a)))
    const slope = (a: T.Tensor): T.Tensor => T.mul(T.clamp(T.mul(T.sin(a), 2), { min: -0.5, max: 0.5 }), T.cos(a))
    closeTo(grad(loss)(x), slope(x))
    const want = grad((a: T.Tensor) => T.sum(slope(a)))(x)
    closeTo(grad((a: T.Tensor) => T.sum(grad(loss)(a)))(x), want)
    closeTo(hvp(loss, [x], [T.ones([3])]), [want])
    closeTo(hessian(loss)(x), T.diag(want))
  })

  it('takes trees, several results, integers, and what it captures', () => {
    const scale = T.tensor(3, { dtype: 'f32' })
    const f = customVjp(
      (p: { a: T.Tensor }, n: T.Tensor) => ({ y: T.mul(p.a, scale), z: [T.sum(p.a), n] as const }),
      (p, n) => [{ y: T.mul(p.a, scale), z: [T.sum(p.a), n] as const }, { n }],
      ({ n }, ct) => [{ a: T.add(T.mul(T.mul(ct.y, scale), 100), ct.z[0]) }, T.sub(n, n)],
    )
    const outer = (a: T.Tensor): T.Tensor => {
      const { y, z } = f({ a }, T.tensor([4, 5]))
      return T.add(T.sum(y), T.mul(z[0], T.cast(T.sum(z[1]), 'f32')))
    }
    closeTo(grad(outer)(x), T.full([3], 309))
    // A result that nothing uses sends back zeros.
    closeTo(grad((a: T.Tensor) => f({ a }, T.tensor(1)).z[0])(x), T.ones([3]))
  })

  it('under vmap keeps its rules, shared arguments collecting from all examples', () => {
    testing.checkVmap(held, [m])
    testing.checkVmap((a: T.Tensor) => grad((c: T.Tensor) => T.sum(T.mul(held(c), 3)))(a), [m])
    closeTo(grad((a: T.Tensor) => T.sum(T.mul(vmap(held)(a), 3)))(m), T.mul(T.cos(m), 0.5))
    testing.checkGrad((a: T.Tensor, c: T.Tensor) => vmap(byVjp, { inAxes: [0, null] })(a, c), [m, x])
    testing.checkGrad(
      (a: T.Tensor, c: T.Tensor) => vmap(byVjp, { inAxes: [null, 1], outAxes: 1 })(a, c),
      [random.normal(random.key(3), [2]), m],
    )
  })

  it.each<[string, () => unknown]>([
    ['jvp', () => jvp(held, [x], [x])],
    ['jacfwd', () => jacfwd(held)(x)],
    ['linearize', () => linearize(held, x)],
  ])('has no forward mode: %s says so', (_, call) =>
    expect(messageOf(call)).toMatch(
      /^UsageError a function with customVjp has no forward mode.*\n {2}hint: use grad, vjp or jacrev/s,
    ),
  )

  it.each<[string, () => unknown, string]>([
    [
      'a forward rule that gives no pair',
      () =>
        customVjp((a: T.Tensor) => a, ((a: T.Tensor) => a) as never, ((_: unknown, ct: T.Tensor) => [ct]) as never)(x),
      'customVjp: forward must return [value, residuals]',
    ],
    [
      'a value of another type',
      () =>
        customVjp(
          (a: T.Tensor) => a,
          (a) => [T.sum(a), []],
          (_, ct) => [ct],
        )(x),
      'customVjp: the value of forward',
    ],
    [
      'cotangents of another number',
      () =>
        customVjp(
          (a: T.Tensor, c: T.Tensor) => T.add(a, c),
          (a) => [a, []],
          ((_: unknown, ct: T.Tensor) => [ct]) as never,
        )(x, x),
      'customVjp: the cotangent of the argument does not have the structure it belongs to (1 tensors for 2)',
    ],
    [
      'a cotangent of another type',
      () =>
        customVjp(
          (a: T.Tensor) => T.sum(a),
          (a) => [T.sum(a), []],
          (_, ct) => [ct],
        )(x),
      'customVjp: the cotangent of the argument [0] is f32[], its tensor is f32[3]',
    ],
    [
      'what is differentiated from outside',
      () =>
        grad((a: T.Tensor) =>
          T.sum(
            customVjp(
              (c: T.Tensor) => T.mul(c, a),
              (c) => [T.mul(c, a), []],
              (_, ct) => [ct],
            )(x),
          ),
        )(x),
      'customVjp: the function uses a tensor from outside that is being differentiated',
    ],
  ])('%s is a UsageError', (_, call, message) => expect(messageOf(call)).toContain(message))
})

describe('mistakes', () => {
  it('in function, rules and arguments are reported once, where they are', () => {
    const wrong = (a: T.Tensor): T.Tensor => T.add(a, T.ones([5]) as T.Tensor)
    const results = [
      customJvp(wrong, ([a], [d]) => [a, d])(x),
      customJvp(
        (a: T.Tensor) => a,
        ([a], [d]) => [a, wrong(d)],
      )(x),
      customVjp(
        (a: T.Tensor) => a,
        (a) => [wrong(a), []],
        (_, ct) => [ct],
      )(x),
      customVjp(
        (a: T.Tensor) => a,
        (a) => [a, []],
        (_, ct) => [wrong(ct)],
      )(x),
    ]
    for (const r of results)
      expect(errorsOf({ inputs: [], outputs: [nodeOf(T.exp(r))] }).map((e) => e.op)).toEqual(['T.add'])
    const poisoned = wrong(x)
    expect(errorsOf({ inputs: [], outputs: [held(poisoned), loudCube(poisoned)].map(nodeOf) })).toHaveLength(1)
  })
})

describe('the nodes', () => {
  const f = (a: T.Tensor): unknown => [
    held(loudCube(a)),
    byVjp(a, T.exp(a)),
    vmap(byJvp)(T.reshape(a, [3, 1]), T.reshape(a, [3, 1])),
  ]

  it('are one for equal functions on equal arguments, and survive as text', () => {
    expect(held(x)).toBe(held(x))
    const { graph } = traceTree(f as never, [T.spec([3])])
    const read = parseGraph(T.showGraph(graph))
    if (read._tag === 'Left') throw new Error(T.showError(read.left))
    expect(digestGraph(read.right)).toBe(digestGraph(graph))
    expect(digestGraph(traceTree((a: T.Tensor) => loudCube(a), [T.spec([3])]).graph)).not.toBe(
      digestGraph(traceTree((a: T.Tensor) => T.mul(a, T.square(a)), [T.spec([3])]).graph),
    )
  })

  it('vanish before anything is simplified, calls inside calls too', () => {
    const nested = customJvp(
      (a: T.Tensor): T.Tensor => held(byJvp(a, a)),
      ([a], [d]) => [held(byJvp(a, a)), T.mul(d, 2)],
    )
    const { graph } = traceTree(
      (a: T.Tensor) => [nested(a), grad((c: T.Tensor) => T.sum(held(byVjp(c, c))))(a)],
      [T.spec([3])],
    )
    expect(topological(graph.outputs).map((n) => n.op)).toContain('customCall')
    const after = runPipeline(graphPipeline(), graph)
    if (after._tag === 'Left') throw new Error('unreachable')
    expect(verifyGraph(after.right, 'lowered')).toEqual([])
    expect(verifyGraph(graph, 'lowered').join()).toContain('customCall) may not occur at this stage')
    const at = [{ shape: [3], dtype: 'f32', data: Float64Array.of(0.5, -1, 2) }] as const
    const [want, got] = [evaluate(graph, at), evaluate(inlined(graph), at)]
    expect(got.map((v) => Array.from(v.data))).toEqual(want.map((v) => Array.from(v.data)))
  })

  it('leave nothing in a gradient', () => {
    const g = grad((a: T.Tensor) => T.sum(T.square(held(a))))(x)
    expect(opsOf(g)).not.toContain('customCall')
    expect(opsOf(g)).not.toContain('customLinear')
  })

  it('keep their laws in random programs: batches are exact, derivatives right', () => {
    const without: ReadonlySet<Op> = new Set<Op>(['stopGradient', 'bitcast', 'atan2', 'customLinear', 'while'])
    const ops = (Object.keys(primitives) as readonly Op[]).filter((op) => !without.has(op))
    let calls = 0
    fc.assert(
      fc.property(
        testing.arbGraph({ maxNodes: 14, ops: [...ops, ...Array<Op>(20).fill('customCall')] }),
        ({ graph, inputs }) => {
          calls += topological(graph.outputs).filter((n) => n.op === 'customCall').length
          const values = evaluate(graph, inputs)
          const after = evaluate(inlined(graph), inputs)
          for (const [i, v] of values.entries()) expect(Array.from(after[i]!.data)).toEqual(Array.from(v.data))
        },
      ),
      { seed: 42, numRuns: 400 },
    )
    expect(calls).toBeGreaterThan(50)
  })
})

describe('on a device', () => {
  it('calls, batched calls and gradients in one program agree with the interpreter', async () => {
    const all = (a: T.Tensor, b: T.Tensor): unknown => [
      loudCube(a),
      vmap(byVjp, { inAxes: [0, null] })(b, a),
      grad((c: T.Tensor) => T.sum(vmap(byVjp, { inAxes: [0, null] })(b, c)))(a),
      hvp((c: T.Tensor) => T.sum(T.square(held(c))), [a], [a]),
    ]
    expect(await testing.agreesWithReference(all, [x, m], { device: await sharedDevice() })).toBe(true)
  })
})
