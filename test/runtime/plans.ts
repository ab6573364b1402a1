/** Tiny plans written by hand, so that the runtime is tested without the compiler. */
import type { Binding, Kernel } from '../../codegen/kernel/kernel.ts'
import type { InputSlot, OutputSlot, Place, Plan, PlannedKernel } from '../../codegen/plan/plan.ts'
import { portable } from '../../codegen/targets/wgsl/profiles.ts'
import type { DType, KernelDType } from '../../src/lang/dtype.ts'

const typeNames: Readonly<Record<KernelDType, string>> = { f32: 'f32', i32: 'i32', u32: 'u32', bool: 'u32', f16: 'f16' }

/** A kernel over bindings b0, b1, … whose body sees `i`, the flat number of its invocation. */
export const kernelOf = (
  name: string,
  bindings: readonly (readonly [KernelDType, Binding['access']])[],
  body: string,
  workgroupSize = 64,
  header = '',
): PlannedKernel => {
  const kernel: Kernel = {
    name,
    workgroupSize,
    arrays: [],
    body: [],
    bindings: bindings.map(([scalar, access], i) => ({ name: `b${i}`, element: { scalar, width: 1 }, access })),
  }
  const declarations = bindings.map(
    ([dtype, access], i) => `@group(0) @binding(${i}) var<storage, ${access}> b${i}: array<${typeNames[dtype]}>;`,
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
        `if (i < ${n}u) { b1[i] = 2.0 * b0[i] + 1.0; }`,
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
        `if (i < ${n}u) { b0[i] = b0[i] + b1[i]; }`,
      ),
      kernelOf(
        'sum',
        [
          ['f32', 'read'],
          ['f32', 'read_write'],
        ],
        `if (i == 0u) { var s = 0.0; for (var k = 0u; k < ${n}u; k++) { s += b0[k]; } b1[0] = s; }`,
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
