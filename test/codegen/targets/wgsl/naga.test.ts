/** What Dawn accepts, naga must accept: the text of every op, also on constants, compiled by Deno's WebGPU on the software GPU. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import * as k from '../../../../codegen/kernel/build-kernel.ts'
import type { Binding, Scalar } from '../../../../codegen/kernel/kernel.ts'
import { printKernel } from '../../../../codegen/targets/wgsl/print-module.ts'
import { binaryOps, unaryOps } from '../../../../src/lang/ir.ts'
import { unpackSoftware } from '../../../../src/runtime/gpu/software.ts'
import { type Column, elementwiseKernel } from '../../kernel/elementwise.ts'

const scalars = ['f32', 'i32', 'u32', 'bool'] as const

/** One module per op, type and width; then constants only, finite and not, where const evaluation could refuse. */
const modules = (): readonly string[] => {
  const out: string[] = []
  const print = (columns: readonly Column[], inputs: readonly Scalar[], width: 1 | 4): void => {
    for (const keepSubnormals of inputs[0] === 'f32' ? [false, true] : [false])
      out.push(printKernel(elementwiseKernel(columns, inputs, 1024, width), { keepSubnormals }))
  }
  for (const width of [1, 4] as const) {
    for (const s of scalars) {
      const unary = unaryOps.filter((op) => k.unaryDomain[op].includes(s))
      const binary = binaryOps.filter((op) => k.binaryDomain[op].includes(s))
      for (const op of unary) print([{ name: `${op} ${s}`, of: ([x]) => k.unary(op, x!) }], [s], width)
      for (const op of binary) print([{ name: `${op} ${s}`, of: ([x, y]) => k.binary(op, x!, y!) }], [s, s], width)
      print(
        scalars.filter((t) => t !== s).map((t) => ({ name: `${s} to ${t}`, of: ([x]) => k.cast(x!, t) })),
        [s],
        width,
      )
      const values =
        s === 'f32'
          ? [0, -1, 1e-40, 3e38, Number.POSITIVE_INFINITY, Number.NaN]
          : s === 'bool'
            ? [0, 1]
            : [0, 1, 40, 2 ** 31]
      const columns = values.flatMap((v) => {
        const c = k.splat(k.lit(v, s), width)
        return [
          ...unary.map((op) => ({ name: op, of: () => k.unary(op, c) })),
          ...binary.flatMap((op) => [
            { name: op, of: () => k.binary(op, c, c) },
            { name: op, of: () => k.binary(op, k.splat(k.lit(s === 'f32' ? -3e38 : 2 ** 31, s), width), c) },
          ]),
        ]
      })
      for (let i = 0; i < columns.length; i += 24) print(columns.slice(i, i + 24), [s], width)
    }
    print(
      [0, 1].map((w) => ({ name: 'threefry', of: ([x, y]) => k.threefry(w as 0 | 1, [x!, y!, x!, y!]) })),
      ['u32', 'u32'],
      width,
    )
  }
  // Names of builtins that the printer does not use are free.
  const step: Binding = { name: 'step', element: k.kType('f32'), access: 'read_write' }
  const names = ['length', 'exp', 'dot', 'mix', 'log']
  const body = names.map((name) => k.letStmt(name, k.unary('tanh', k.load(step, k.u32(1)))))
  out.push(
    printKernel({
      name: 'names',
      workgroupSize: 1,
      bindings: [step],
      arrays: [],
      body: [...body, k.store(step, k.u32(0), k.ref('mix', k.kType('f32')))],
    }),
  )
  return out
}

const deno = (texts: readonly string[]): { readonly compiled: number; readonly refusals: readonly string[] } => {
  const folder = mkdtempSync(path.join(tmpdir(), 'naga-'))
  try {
    const file = path.join(folder, 'modules.json')
    writeFileSync(file, JSON.stringify(texts))
    const bin = path.join(path.dirname(createRequire(import.meta.url).resolve('deno/package.json')), 'bin.cjs')
    const script = path.join(import.meta.dirname, 'compile-in-deno.mjs')
    const out = execFileSync(process.execPath, [bin, 'run', '--allow-read', '--unstable-webgpu', script, file], {
      env: { ...process.env, ...unpackSoftware().env },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    return JSON.parse(out.trim().split('\n').at(-1)!)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

test('naga compiles every op and every constant', () => {
  const texts = modules()
  const broken = 'fn main() { let x: u32 = 1.5; }'
  const { compiled, refusals } = deno([...texts, broken])
  expect(compiled).toBe(texts.length + 1)
  // The broken module shows that refusals are seen.
  expect(refusals.filter((r) => !r.startsWith('fn main'))).toEqual([])
  expect(refusals).toHaveLength(1)
})
