/** What of a plan goes into a module's text, its declarations and its weights. */
import { describe, expect, it } from 'vitest'
import { printDeclarations } from '../../../../codegen/export/aot/declarations.ts'
import { emittedPlan } from '../../../../codegen/export/aot/emitted.ts'
import { printModule } from '../../../../codegen/export/aot/module.ts'
import { compile, orThrow, spec } from '../../../../src/compile/compile.ts'
import * as T from '../../../../src/lang/tensor/index.ts'
import type { Tensor } from '../../../../src/lang/types/tensor.ts'

const table = (n: number) =>
  T.fromArray(
    Float32Array.from({ length: n }, (_, i) => i),
    [n],
  )

const planOf = (n: number) => orThrow(compile((x: Tensor) => T.add(x, table(n)), [spec([n])], { name: 'shifted' })).plan

describe('emittedPlan', () => {
  it('leaves 64 elements in the text and takes 65 out', () => {
    const [small, large] = [emittedPlan(planOf(64)), emittedPlan(planOf(65))]
    expect(small.constants).toEqual([])
    expect(large.constants.map((c) => [c.name, c.data.values.length])).toEqual([['constant0', 65]])
    expect(large.plan.data).toMatchObject([{ stored: 'constant0', count: 65, dtype: 'f32' }])
    expect(large.plan.data[0]).not.toHaveProperty('values')
  })

  it('drops kernel bodies and keeps all else', () => {
    const plan = planOf(8)
    const { plan: emitted } = emittedPlan(plan)
    expect(plan.kernels.some((k) => k.kernel.body.length > 0)).toBe(true)
    expect(emitted.kernels.map((k) => k.kernel.body.length)).toEqual(plan.kernels.map(() => 0))
    expect(emitted.kernels.map((k) => [k.wgsl, k.kernel.bindings])).toEqual(
      plan.kernels.map((k) => [k.wgsl, k.kernel.bindings]),
    )
    const steps = plan.steps.map((s) => ({ ...s, reads: undefined, writes: undefined }))
    expect({ ...emitted, kernels: 0, data: 0 }).toEqual({ ...plan, kernels: 0, data: 0, steps })
  })
})

describe('printModule', () => {
  it('holds one import, one plan and one call', () => {
    const text = printModule(emittedPlan(planOf(65)).plan, 'shifted.wasm')
    expect(text.match(/^import .*/gm)).toEqual(["import { loader } from './runtime.webgpu.js'"])
    expect(text.match(/^export .*/gm)).toEqual([
      'export const plan = {',
      'export const load = /* @__PURE__ */ loader(plan)',
    ])
    expect(text.split('\n')[0]).toMatch(
      /^\/\/ shifted: 1 kernel, 1 dispatch, \d+ bytes on the device; load it with the weights/,
    )
  })
})

describe('printDeclarations', () => {
  const program = orThrow(
    compile(
      (s: { readonly count: Tensor; readonly 'a b': readonly [Tensor, Tensor] }, i: Tensor) => ({
        next: { count: T.add(s.count, 1), 'a b': [s['a b'][1], s['a b'][0]] },
        row: T.take(s['a b'][0], i, { axis: 0 }),
        none: [],
      }),
      [{ count: spec([], 'i32'), 'a b': [spec([3, 2]), spec([3, 2])] }, spec([4], 'i32')],
      { donate: [0] },
    ),
  )

  it('spells trees, shapes, element types and what stays on the device', () => {
    const text = printDeclarations([emittedPlan(program.plan).plan], 'runtime.webgpu.js')
    const types = text.slice(text.indexOf('/** What `run` takes'), text.indexOf('/** Kernels'))
    expect(types).toMatchInlineSnapshot(`
      "/** What \`run\` takes: flat host arrays, or handles of results that stayed on the device. */
      export type Arguments = readonly [
        {
          /** i32[], given away: a handle is consumed */
          readonly count: I32<readonly []>
          readonly "a b": readonly [
            /** f32[3, 2], given away: a handle is consumed */
            F32<readonly [3, 2]>,
            /** f32[3, 2], given away: a handle is consumed */
            F32<readonly [3, 2]>,
          ]
        },
        /** i32[4], indices below 3 */
        I32<readonly [4]>,
      ]

      /** What \`run\` gives: handles, read to the host when asked. */
      export type Results = {
        readonly next: {
          /** i32[], stays on the device */
          readonly count: Resident<'i32', readonly []>
          readonly "a b": readonly [
            /** f32[3, 2], stays on the device */
            Resident<'f32', readonly [3, 2]>,
            /** f32[3, 2], stays on the device */
            Resident<'f32', readonly [3, 2]>,
          ]
        }
        /** f32[4, 2] */
        readonly row: Value<'f32', readonly [4, 2]>
        readonly none: readonly []
      }

      "
    `)
  })
})
