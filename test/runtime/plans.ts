/** Tiny plans written by hand, so that the runtime is tested without the compiler. */
import * as k from '../../codegen/kernel/build-kernel.ts'
import type { Binding, KExpr, Kernel, KStmt } from '../../codegen/kernel/kernel.ts'
import type { InputSlot, OutputSlot, Place, Plan, PlannedKernel } from '../../codegen/plan/plan.ts'
import { printKernel } from '../../codegen/targets/wgsl/print-module.ts'
import { portable } from '../../codegen/targets/wgsl/profiles.ts'
import type { DType, KernelDType } from '../../src/lang/dtype.ts'
import type { Device } from '../../src/runtime/device.ts'

const bindingsOf = (bindings: Bindings): readonly Binding[] =>
  bindings.map(([scalar, access], i) => ({ name: `b${i}`, element: k.kType(scalar), access }))

/** Scalar and access of each binding. */
export type Bindings = readonly (readonly [Exclude<KernelDType, 'bool'>, Binding['access']])[]

/** A kernel over bindings b0, b1, … whose body gets them and the flat number of its invocation. */
export const kernelOf = (
  name: string,
  given: Bindings,
  bodyOf: (i: KExpr, bindings: readonly Binding[]) => readonly KStmt[],
): PlannedKernel => {
  const workgroupSize = 64
  const bindings = bindingsOf(given)
  const i = k.add(k.mul(k.builtin('gridIndex'), k.u32(workgroupSize)), k.builtin('localIndex'))
  const body = [k.letStmt('i', i), ...bodyOf(k.ref('i'), bindings)]
  const kernel: Kernel = { name, workgroupSize, arrays: [], bindings, body }
  return { kernel, wgsl: printKernel(kernel) }
}

/** A kernel for GPUs in WGSL, whose body sees `i`, the flat number of its invocation. */
export const textKernel = (
  name: string,
  given: Bindings,
  body: string,
  workgroupSize = 64,
  header = '',
): PlannedKernel => {
  const kernel: Kernel = { name, workgroupSize, arrays: [], body: [], bindings: bindingsOf(given) }
  const declarations = given.map(
    ([dtype, access], i) => `@group(0) @binding(${i}) var<storage, ${access}> b${i}: array<${dtype}>;`,
  )
  const wgsl = `${header}${declarations.join('\n')}
@compute @workgroup_size(${workgroupSize})
fn main(@builtin(workgroup_id) wg: vec3u, @builtin(num_workgroups) grid: vec3u, @builtin(local_invocation_index) li: u32) {
  let i = (wg.y * grid.x + wg.x) * ${workgroupSize}u + li;
  ${body}
}
`
  return { kernel, wgsl }
}

export const place = (arena: number, offset: number, bytes: number): Place => ({ arena, offset, bytes })

export const input = (
  path: string,
  shape: readonly number[],
  dtype: DType,
  at: Place,
  more: Partial<InputSlot> = {},
): InputSlot => ({
  path,
  shape,
  dtype,
  place: at,
  donated: false,
  ...more,
})

export const output = (
  path: string,
  shape: readonly number[],
  dtype: DType,
  at: Place,
  more: Partial<OutputSlot> = {},
): OutputSlot => ({
  path,
  shape,
  dtype,
  place: at,
  keep: false,
  ...more,
})

/** A plan from the parts that matter to the runtime. */
export const planOf = (
  parts: Pick<Plan, 'arenas' | 'kernels' | 'steps' | 'inputs' | 'outputs'> & Partial<Plan>,
): Plan => ({
  version: 1,
  subnormals: 'device',
  observations: [],
  name: 'test',
  profile: portable,
  data: [],
  inputTree: { list: parts.inputs.map((_, i) => i) },
  outputTree: { list: parts.outputs.map((_, i) => i) },
  prediction: {
    dispatches: parts.steps.filter((s) => s.kind === 'dispatch').length,
    submits: 1,
    bytes: 0,
    flops: 0,
    peakBytes: parts.arenas.reduce((a, b) => a + b, 0),
  },
  ...parts,
})

/** `plan` for the target of `device`, with the kernels that it has. */
export const planFor = (device: Device, plan: Plan): Plan => ({
  ...plan,
  profile: { ...plan.profile, target: device.backend.target },
})

/** y = 2x + 1 over `n` floats; the result is kept or read. */
export const affine = (n: number, keep: boolean): Plan =>
  planOf({
    arenas: [n * 4, n * 4],
    kernels: [
      kernelOf(
        'affine',
        [
          ['f32', 'read'],
          ['f32', 'read_write'],
        ],
        (i, [x, y]) => [k.ifStmt(k.lt(i, k.u32(n)), [k.store(y!, i, k.add(k.mul(k.lit(2), k.load(x!, i)), k.lit(1)))])],
      ),
    ],
    steps: [
      {
        kind: 'dispatch',
        kernel: 0,
        workgroups: Math.ceil(n / 64),
        bindings: [place(0, 0, n * 4), place(1, 0, n * 4)],
      },
    ],
    inputs: [input('[0]', [n], 'f32', place(0, 0, n * 4))],
    outputs: [output('', [n], 'f32', place(1, 0, n * 4), { keep })],
  })

/** state += x in place (donated, kept), and the sum of the new state as a value: a training step in small. */
export const accumulate = (n: number): Plan => {
  const state = place(0, 0, n * 4)
  const x = place(1, 0, n * 4)
  const sum = place(2, 0, 4)
  return planOf({
    arenas: [n * 4, n * 4, 4],
    kernels: [
      kernelOf(
        'add',
        [
          ['f32', 'read_write'],
          ['f32', 'read'],
        ],
        (i, [w, x]) => [k.ifStmt(k.lt(i, k.u32(n)), [k.store(w!, i, k.add(k.load(w!, i), k.load(x!, i)))])],
      ),
      kernelOf(
        'sum',
        [
          ['f32', 'read'],
          ['f32', 'read_write'],
        ],
        (i, [w, sum]) => [
          k.ifStmt(k.eq(i, k.u32(0)), [
            k.varStmt('s', k.kType('f32'), k.lit(0)),
            k.forStmt('j', k.u32(0), k.u32(n), 1, [
              k.assign('s', k.add(k.ref('s', k.kType('f32')), k.load(w!, k.ref('j')))),
            ]),
            k.store(sum!, k.u32(0), k.ref('s', k.kType('f32'))),
          ]),
        ],
      ),
    ],
    steps: [
      { kind: 'dispatch', kernel: 0, workgroups: Math.ceil(n / 64), bindings: [state, x] },
      { kind: 'dispatch', kernel: 1, workgroups: 1, bindings: [state, sum] },
    ],
    inputs: [input('[0].w', [n], 'f32', state, { donated: true }), input('[1]', [n], 'f32', x)],
    outputs: [output('state.w', [n], 'f32', state, { keep: true, inPlaceOf: 0 }), output('loss', [], 'f32', sum)],
  })
}
