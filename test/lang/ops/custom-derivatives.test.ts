/** The rows of functions with derivatives of their own; what they do together is tested with `passes/transform/custom.ts`. */
import { describe, expect, it } from 'vitest'
import { build as b, typeOf } from '../../../src/lang/build.ts'
import { showError, TensorloomError } from '../../../src/lang/errors.ts'
import type { Graph, Node, ParamsOf, TensorType } from '../../../src/lang/ir.ts'
import { closeGraph, trace } from '../../../src/lang/trace.ts'
import { evalOp, noise, numbers, refusal, type } from './rules.ts'

const closed = (types: readonly TensorType[], f: (xs: readonly Node[]) => readonly Node[]): Graph =>
  closeGraph(trace(f, types)).graph

const params: ParamsOf['customCall'] = {
  kind: 'jvp',
  call: closed([type([3]), type([3])], ([x, y]) => [b.mul([x!, y!], {}), b.lt([x!, y!], {})]),
  rules: [],
  captured: 0,
}

describe('customCall', () => {
  it('has the outputs of what it calls', () => {
    const [x, y] = [noise('f32', [3], 1), noise('f32', [3], 2)]
    const [product, less] = evalOp('customCall', params, x, y)
    expect(numbers(product)).toEqual(numbers(x).map((v, i) => v * numbers(y)[i]!))
    expect([less!.dtype, numbers(less)]).toEqual(['bool', numbers(x).map((v, i) => Number(v < numbers(y)[i]!))])
  })

  it('refuses operands of another number or type', () => {
    expect(refusal('customCall', params, type([3]))).toBe('takes 2 operands, got 1')
    expect(refusal('customCall', params, type([3]), type([2]))).toBe('operand 1 is f32[2], not f32[3]')
    expect(refusal('customCall', params, type([3], 'i32'), type([3]))).toBe('operand 0 is i32[3], not f32[3]')
  })
})

describe('customLinear', () => {
  const linear = { backward: params.call, residuals: 1, wrt: [0], types: [type([3])] }
  it('has the types it was given, no value, and a number of operands', () => {
    const x = b.iota([], { shape: [3], dtype: 'f32', axis: 0 })
    expect(typeOf(b.customLinear([x, x], linear))).toEqual(type([3]))
    expect(refusal('customLinear', linear, type([3]))).toBe('takes 2 operands, got 1')
    const said = (): string => {
      try {
        evalOp('customLinear', linear, noise('f32', [3], 1), noise('f32', [3], 1))
      } catch (e) {
        if (e instanceof TensorloomError) return showError(e.error)
      }
      return 'nothing'
    }
    expect(said()).toContain('has no forward mode')
  })
})
