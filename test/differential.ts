/** Runs one graph through every layer: the Graph interpreter, the Loop interpreter, WGSL on the shared device. */

import * as E from '#fp/Either'
import { runKernel } from '../codegen/kernel/interp/run-kernel.ts'
import { verifyKernel } from '../codegen/kernel/verify-kernel.ts'
import { makePlan, type Planned } from '../codegen/plan/make-plan.ts'
import type { Place, Plan, Step, Subnormals } from '../codegen/plan/plan.ts'
import { kernelOf } from '../codegen/plan/steps.ts'
import { portable } from '../codegen/targets/wgsl/profiles.ts'
import { widen } from '../passes/graph/widen.ts'
import { fuse } from '../passes/loop/fuse/fuse.ts'
import { isBufferLeaf } from '../passes/loop/fuse/stored-nodes.ts'
import { interpretCluster, interpretRoutine } from '../passes/loop/ir/interpret-cluster.ts'
import type { Profile } from '../passes/profile.ts'
import { printerFor } from '../src/compile/targets.ts'
import { typeOf } from '../src/lang/build.ts'
import { sizeOf } from '../src/lang/dim.ts'
import { allocate, type HostArray, isPacked } from '../src/lang/dtype.ts'
import { showError, showOperand } from '../src/lang/errors.ts'
import type { Graph, TensorType } from '../src/lang/ir.ts'
import { packWords, unpackWords } from '../src/lang/pack.ts'
import type { Value } from '../src/lang/primitive.ts'
import type { Device } from '../src/runtime/device.ts'
import { loadPlan } from '../src/runtime/execute.ts'
import { decode, encode } from '../src/runtime/words.ts'
import { sharedDevice } from './device.ts'

/** Results at the paths of arguments of their types that are given away, so that it is clear which replaces which. */
export const resultPaths = ({ inputs, outputs }: Graph, donated: (input: number) => boolean): readonly string[] => {
  const types = inputs.map((n, i) => (donated(i) ? showOperand(typeOf(n)) : ''))
  return outputs.map((n, o) => {
    const i = types.indexOf(showOperand(typeOf(n)))
    if (i < 0) return `more[${o}]`
    types[i] = ''
    return `[${i}]`
  })
}

/** The Plan of a closed graph, which is given all its arguments for good where `donate` says so; throws the typed error's text. */
export const planOf = (
  graph: Graph,
  profile: Profile = portable,
  donate = false,
  subnormals: Subnormals = 'device',
): Planned => {
  const planned = makePlan(
    {
      name: 'test',
      graph: widen(graph),
      given: graph,
      inputs: graph.inputs.map((_, i) => ({ path: `[${i}]`, donated: donate })),
      outputs: resultPaths(graph, () => donate).map((path) => ({ path, keep: false })),
      inputTree: { list: graph.inputs.map((_, i) => i) },
      outputTree: { list: graph.outputs.map((_, i) => i) },
      subnormals,
    },
    profile,
    printerFor(profile),
  )
  // A result that is an argument itself takes that one's place, and may leave others without a clear one: nothing is given away then.
  if (E.isLeft(planned) && planned.left.tag === 'UsageError' && donate) return planOf(graph, profile, false, subnormals)
  if (E.isLeft(planned)) throw new Error(showError(planned.left))
  const wrong = planned.right.plan.kernels.flatMap((k) => verifyKernel(k.kernel))
  if (wrong.length > 0) throw new Error(`an ill-formed kernel: ${wrong.join('; ')}`)
  return planned.right
}

/** A value as words, where its dtype is a packed one. */
const wordsOf = ({ dtype, data }: Value): HostArray => (isPacked(dtype) ? packWords(dtype, data) : data)

const fromWords = ({ shape, dtype }: TensorType, data: HostArray): Value => {
  if (!isPacked(dtype)) return { shape, dtype, data }
  const out = allocate(dtype, sizeOf(shape))
  out.set(unpackWords(dtype, data as Uint32Array, out.length))
  return { shape, dtype, data: out }
}

/** The graph's results by the Loop interpreter, after fusion. */
export const runLoop = (given: Graph, inputs: readonly Value[], profile: Profile = portable): readonly Value[] => {
  const graph = widen(given)
  const computed = [...new Set(graph.outputs)].filter((n) => !isBufferLeaf(n))
  const fusion = fuse({ inputs: graph.inputs, outputs: computed }, graph.outputs, [], profile)
  const memory = new Map<number, HostArray>()
  for (const [n, b] of fusion.buffers) {
    const i = graph.inputs.indexOf(n as never)
    if (i >= 0) memory.set(b.id, wordsOf(inputs[i]!))
    else {
      const data = allocate(b.dtype, b.size)
      if (n.op === 'const') data.set(n.params.values)
      if (n.op === 'data') data.set(n.params.payload.array)
      memory.set(b.id, data)
    }
  }
  for (const f of fusion.kernels.flat()) {
    if (f.routine) interpretRoutine(f.routine, memory)
    else interpretCluster(f.cluster, new Map([...f.tensors].map(([b, tensor]) => [b.id, memory.get(tensor.id)!])))
  }
  return graph.outputs.map((n, o) => fromWords(typeOf(given.outputs[o]!), memory.get(fusion.buffers.get(n)!.id)!))
}

/** A Plan's results by the Kernel IR interpreter, on host memory laid out as a device's. */
export const interpretPlan = (plan: Plan, inputs: readonly Value[]): readonly Value[] => {
  // Memory that nobody wrote is not zero on a device: a read of it shows as a NaN or a large integer.
  const arenas = plan.arenas.map((bytes) => new Uint8Array(bytes).fill(0xff).buffer)
  const put = ({ arena, offset }: Place, { dtype, data }: Value): void => {
    const words = encode(dtype, data)
    new Uint8Array(arenas[arena]!, offset).set(new Uint8Array(words.buffer, words.byteOffset, words.byteLength))
  }
  for (const [i, slot] of plan.inputs.entries()) put(slot.place, inputs[i]!)
  for (const d of plan.data)
    put(d.place, { shape: [d.values.length], dtype: d.dtype, data: Float64Array.from(d.values) })
  const run = (step: Step): void => {
    if (step.kind === 'repeat') for (let turn = 0; turn < step.times; turn++) step.steps.forEach(run)
    else if (step.kind === 'while') {
      const { arena, offset } = step.flag
      while (new Uint32Array(arenas[arena]!, offset, 1)[0] !== 0) step.steps.forEach(run)
    } else if (step.kind === 'copy') {
      const from = new Uint8Array(arenas[step.from.arena]!, step.from.offset, step.from.bytes)
      new Uint8Array(arenas[step.to.arena]!, step.to.offset, step.to.bytes).set(from)
    } else {
      const bindings = step.bindings.map((p) => ({
        buffer: arenas[p.arena]!,
        byteOffset: p.offset,
        byteLength: p.bytes,
      }))
      runKernel(kernelOf(plan, step), step.workgroups, bindings)
    }
  }
  plan.steps.forEach(run)
  return plan.outputs.map(({ shape, dtype, place }) => {
    const data = allocate(dtype, sizeOf(shape))
    data.set(decode(dtype, new Uint8Array(arenas[place.arena]!), place.offset, data.length))
    return { shape, dtype, data }
  })
}

/** The graph's results by the Kernel IR interpreter. */
export const runKernelInterp = (
  graph: Graph,
  inputs: readonly Value[],
  profile: Profile = portable,
  donate = false,
): readonly Value[] => interpretPlan(planOf(graph, profile, donate).plan, inputs)

/** The graph's results by WGSL on the shared device. */
export const runDevice = async (
  graph: Graph,
  inputs: readonly Value[],
  profile: Profile = portable,
  donate = false,
  subnormals: Subnormals = 'device',
): Promise<readonly Value[]> => runOn({ device: await sharedDevice(), profile, donate, subnormals }, graph, inputs)

/** A device, and how plans for it are made. */
export interface Way {
  readonly device: Device
  readonly profile: Profile
  readonly donate: boolean
  readonly subnormals: Subnormals
}

/** The graph's results on a device. */
export const runOn = async (
  { device, profile, donate, subnormals }: Way,
  graph: Graph,
  inputs: readonly Value[],
): Promise<readonly Value[]> => {
  const { plan } = planOf(graph, profile, donate, subnormals)
  const executable = await loadPlan(device, plan)
  const outputs = await executable.run(inputs.map((v) => hostOf(v)))
  return Promise.all(
    outputs.map(async (o, i) => {
      const { dtype, shape } = typeOf(graph.outputs[i]!)
      const data = allocate(dtype, sizeOf(shape))
      data.set((await o.read()) as ArrayLike<number>)
      return { shape, dtype, data }
    }),
  )
}

const hostOf = (v: Value): Exclude<HostArray, Float64Array> =>
  v.data instanceof Float64Array ? Float32Array.from(v.data) : v.data
