/** The ways to run a program: the Graph IR's interpreter, and the whole compiler on a device. */

import { check } from '../../passes/graph/check.ts'
import type { Profile } from '../../passes/profile.ts'
import { compile, orThrow, toPromise } from '../../src/compile/compile.ts'
import { sizeOf } from '../../src/lang/dim.ts'
import { allocate, type DType } from '../../src/lang/dtype.ts'
import { TensorloomError } from '../../src/lang/errors.ts'
import { evaluate } from '../../src/lang/evaluate.ts'
import type { Value } from '../../src/lang/primitive.ts'
import { traceTree } from '../../src/lang/trace.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import type { Argument } from '../../src/runtime/argument.ts'
import type { Device } from '../../src/runtime/device.ts'
import { profileOf } from '../../src/runtime/open-device.ts'
import type { Output } from '../../src/runtime/resident.ts'
import { sharedDevice, sharedProcessor } from '../device.ts'
import { type CaseProgram, typesOfArguments } from './program.ts'

export type BackendName = 'reference' | 'webgpu' | 'cpu'

/** The device of a back end that has one. */
export const deviceOf: { readonly [K in Exclude<BackendName, 'reference'>]: () => Promise<Device> } = {
  webgpu: sharedDevice,
  cpu: sharedProcessor,
}

/** Results of several programs, one list each; rejects when any of them fails. */
export type Backend = (programs: readonly CaseProgram[]) => Promise<readonly (readonly Value[])[]>

/** Floats of a device are float32; the interpreter's Float64 is rounded for the comparison. */
const asFloat32 = (v: Value): Value =>
  v.dtype === 'f32' || v.dtype === 'f16' ? { ...v, data: Float64Array.from(v.data, Math.fround) } : v

/** One program at a time on the interpreter. */
export const reference: Backend = async (programs) =>
  programs.map((p) => {
    const { graph } = traceTree((...args: Tensor[]) => p.run(args), typesOfArguments(p))
    const checked = check.run(graph)
    if (checked._tag === 'Left') throw new TensorloomError(checked.left)
    return evaluate(checked.right, p.arguments, { precision: p.float32 ? 'f32' : 'f64' }).map(asFloat32)
  })

/** Several programs as one compiled program on a device, alike in what becomes of subnormal numbers. */
const onDevice =
  (open: () => Promise<Device>): Backend =>
  async (programs) => {
    const device = await open()
    const all = (...lists: readonly (readonly Tensor[])[]): readonly (readonly Tensor[])[] =>
      programs.map((p, i) => p.run(lists[i]!))
    const specs = programs.map(typesOfArguments)
    const subnormals = programs[0]!.subnormals ? 'keep' : 'device'
    const program = orThrow(compile(all as never, specs as never, { name: 'goldens', subnormals, ...targetOf(device) }))
    const loaded = await toPromise(program.load(device))
    const results = (await loaded.run(
      ...(programs.map((p) => p.arguments.map(argumentOf)) as never),
    )) as unknown as readonly (readonly Output[])[]
    return Promise.all(results.map((list) => Promise.all(list.map(readOutput))))
  }

/** A plan for WebGPU runs everywhere; one for the processor is made for it. */
export const targetOf = (device: Device): { readonly profile?: Profile } =>
  device.kind === 'cpu' ? { profile: profileOf(device) } : {}

/** What the runtime takes for a host value. */
export const argumentOf = (v: Value): Argument => (v.data instanceof Float64Array ? Float32Array.from(v.data) : v.data)

/** A result back on the host. */
export const readOutput = async (o: Output): Promise<Value> => {
  const data = allocate(o.dtype as DType, sizeOf(o.shape))
  data.set((await o.read()) as ArrayLike<number>)
  return { shape: o.shape, dtype: o.dtype as DType, data }
}

export const backends: { readonly [K in BackendName]: Backend } = {
  reference,
  webgpu: onDevice(deviceOf.webgpu),
  cpu: onDevice(deviceOf.cpu),
}
