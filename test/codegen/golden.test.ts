/**
 * The WGSL of known programs, compared with files: `npx vitest run test/codegen/golden.test.ts -u` writes them anew, and the
 * difference is what a change of the compiler means for its users. The text depends on the program alone.
 */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as E from '#fp/Either'
import { makePlan, type Request } from '../../codegen/plan/make-plan.ts'
import type { Plan } from '../../codegen/plan/plan.ts'
import { everyStep } from '../../codegen/plan/steps.ts'
import { hardware, portable } from '../../codegen/targets/wgsl/profiles.ts'
import { beforeWidening, graphPipeline, runPipeline, type Stage } from '../../passes/pipeline.ts'
import type { Profile } from '../../passes/profile.ts'
import { printerFor } from '../../src/compile/targets.ts'
import * as T from '../../src/index.ts'
import type { Graph } from '../../src/lang/ir.ts'
import { traceTree } from '../../src/lang/trace.ts'
import { conv2d, crossEntropy, gelu, layerNorm, softmax } from '../../src/nn/index.ts'
import { adam } from '../../src/optim/index.ts'
import { arbGraph } from '../../src/testing/arb-graph.ts'
import { resultPaths } from '../differential.ts'
import { inOtherOrder } from './other-order.ts'

interface Golden {
  readonly f: (...args: never[]) => unknown
  readonly args: readonly unknown[]
  /** Numbers of the arguments that are given away. */
  readonly donate?: readonly number[]
}

const optimiser = adam(0.001)
const params = { w: T.spec([31, 17]), b: T.spec([17]) }

const programs: Readonly<Record<string, Golden>> = {
  softmax: { f: (x: T.Tensor) => softmax(x), args: [T.spec([64, 100])] },
  'layer-norm': {
    f: (x: T.Tensor, weight: T.Tensor, bias: T.Tensor) => layerNorm(x, { weight, bias }),
    args: [T.spec([32, 96]), T.spec([96]), T.spec([96])],
  },
  'matmul-bias-gelu': {
    f: (x: T.Tensor, w: T.Tensor, b: T.Tensor) => gelu(T.add(T.matmul(x, w), b)),
    args: [T.spec([61, 37]), T.spec([37, 53]), T.spec([53])],
  },
  'adam-update': {
    f: (p: typeof params, grads: typeof params, state: never) =>
      optimiser.update(p as never, grads as never, state) as unknown,
    args: [params, params, { step: T.spec([], 'i32'), stages: [{ m: params, v: params }, []] }],
    donate: [0, 2],
  },
  'cross-entropy-gradient': {
    f: (logits: T.Tensor, labels: T.Tensor) => T.valueAndGrad((x: T.Tensor) => crossEntropy(x, labels))(logits),
    args: [T.spec([48, 10]), T.spec([48], 'i32')],
  },
  'padded-convolution': {
    f: (x: T.Tensor, weight: T.Tensor, bias: T.Tensor) => conv2d(x, { weight, bias }, { padding: 1 }),
    args: [T.spec([2, 3, 9, 11]), T.spec([5, 3, 3, 3]), T.spec([5])],
  },
}

/** Two pairs of clusters that read the same tensor: which is joined first must not follow the inputs' age. */
const siblings: Golden = {
  f: (x: T.Tensor, y: T.Tensor) => [x, y].flatMap((m) => [T.sum(m, { axis: 1 }), T.max(m, { axis: 1 })]),
  args: [T.spec([512, 512]), T.spec([512, 512])],
}

type Signature = Pick<Request, 'inputs' | 'outputs' | 'inputTree' | 'outputTree'>

const traced = ({ f, args, donate = [] }: Golden): { readonly graph: Graph; readonly signature: Signature } => {
  const { graph, inputPaths, outputPaths, inputs, outputs } = traceTree(f, args)
  const signature: Signature = {
    inputs: inputPaths.map((path) => ({ path, donated: donate.some((i) => path.startsWith(`[${i}]`)) })),
    outputs: outputPaths.map((path) => ({ path, keep: false })),
    inputTree: inputs,
    outputTree: outputs,
  }
  return { graph, signature }
}

const planned = (graph: Graph, signature: Signature, profile: Profile = portable): Plan => {
  const stages: Stage[] = []
  const passed = runPipeline(graphPipeline(), graph, (s) => stages.push(s))
  if (E.isLeft(passed)) throw new Error('a well-typed program was refused')
  const plan = makePlan(
    { name: 'golden', graph: passed.right, given: beforeWidening(stages), ...signature },
    profile,
    printerFor(profile),
  )
  if (E.isLeft(plan)) throw new Error(JSON.stringify(plan.left))
  return plan.right.plan
}

/** Every dispatch with what it runs on, then every kernel once. */
const text = (plan: Plan): string => {
  const steps = everyStep(plan.steps).map((s) =>
    s.kind === 'copy'
      ? '// copy'
      : `// kernel ${s.kernel} on ${s.workgroups} workgroups of ${plan.kernels[s.kernel]!.kernel.workgroupSize}`,
  )
  return [...steps, ...plan.kernels.map((k, i) => `\n// kernel ${i}: ${k.kernel.name}\n${k.wgsl!.trimEnd()}`), ''].join(
    '\n',
  )
}

describe('golden WGSL', () => {
  it.each(Object.keys(programs))('%s', async (name) => {
    const { graph, signature } = traced(programs[name]!)
    await expect(text(planned(graph, signature))).toMatchFileSnapshot(`golden/${name}.wgsl`)
  })
})

describe('a plan depends on the program alone', () => {
  const data = (plan: Plan): string => JSON.stringify(plan)

  it.each([...Object.entries(programs), ['siblings', siblings] as const])(
    '%s: made twice, and in another order',
    (_name, golden) => {
      const { graph, signature } = traced(golden)
      const again = traced(golden).graph
      for (const profile of [portable, hardware]) {
        const first = data(planned(graph, signature, profile))
        expect(data(planned(again, signature, profile)) === first, 'traced again').toBe(true)
        expect(data(planned(inOtherOrder(graph), signature, profile)) === first, 'in another order').toBe(true)
      }
    },
  )

  it('random programs, made in another order', () => {
    fc.assert(
      fc.property(arbGraph({ maxNodes: 40, without: ['while', 'cond'] }), ({ graph }) => {
        const signature: Signature = {
          inputs: graph.inputs.map((_, i) => ({ path: `[${i}]`, donated: i % 2 === 0 })),
          outputs: resultPaths(graph, (i) => i % 2 === 0).map((path) => ({ path, keep: false })),
          inputTree: { list: graph.inputs.map((_, i) => i) },
          outputTree: { list: graph.outputs.map((_, i) => i) },
        }
        expect(data(planned(inOtherOrder(graph), signature))).toBe(data(planned(graph, signature)))
      }),
      { seed: 42, numRuns: 100 },
    )
  })
})
