/** Programs that keep subnormal numbers: every f32 op on the device against the reference, where none may be flushed. */
import { describe, test } from 'vitest'
import * as k from '../../../../codegen/kernel/build-kernel.ts'
import { type BinaryOp, binaryOps, type UnaryOp, unaryOps } from '../../../../src/lang/ir.ts'
import { apply, columnsOf } from '../../kernel/elementwise.ts'
import { expectKept, keptBinary, keptUnary } from '../../kernel/kept-errors.ts'

const floatUnary = unaryOps.filter((op) => k.unaryDomain[op].includes('f32'))
const floatBinary = binaryOps.filter((op) => k.binaryDomain[op].includes('f32'))

describe.each([1, 4] as const)('width %i', (width) => {
  const run = (ops: readonly (UnaryOp | BinaryOp)[], inputs: readonly Uint32Array[]) =>
    apply(
      columnsOf(ops),
      inputs.map((words) => ({ scalar: 'f32' as const, words })),
      width,
      4,
      { keepSubnormals: true },
    )

  test('unary ops', async () => {
    const inputs = keptUnary(6000)
    const got = await run(floatUnary, inputs)
    for (const op of floatUnary) expectKept(op, inputs, got.get(op)!)
  })

  test('binary ops', async () => {
    const inputs = keptBinary(4000)
    const got = await run(floatBinary, inputs)
    for (const op of floatBinary) expectKept(op, inputs, got.get(op)!)
  })
})
