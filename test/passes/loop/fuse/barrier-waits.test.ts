import { describe, expect, it } from 'vitest'
import { portable } from '../../../../codegen/targets/wgsl/profiles.ts'
import { hasBarriers, operandsRead, waitsOf } from '../../../../passes/loop/fuse/barrier-waits.ts'
import { fuse } from '../../../../passes/loop/fuse/fuse.ts'
import { build as b, freshInputs } from '../../../../src/lang/build.ts'
import type { Node } from '../../../../src/lang/ir.ts'
import { f32 } from '../../graph/programs.ts'

const [x, y] = freshInputs([f32(64, 64), f32(64, 64)]) as unknown as readonly [Node, Node]
const matmul = (p: Node, q: Node): Node => b.dot([p, q], { lhs: [0, 1], rhs: [1, 2], out: [0, 2] })
const done = matmul(x, y)
const late = b.barrier([x, b.neg([done], {})], {})

describe('waits', () => {
  it('a barrier reads its first operand alone', () => {
    expect(operandsRead(late)).toEqual([x])
    expect(operandsRead(done)).toEqual([x, y])
    expect([hasBarriers([done]), hasBarriers([b.exp([late], {})])]).toEqual([false, true])
  })

  it('lead to the stored nodes nearest to what a barrier inside a cluster waits for', () => {
    const stored = new Set<Node>([x, y, done])
    const own = b.exp([b.sin([late], {})], {})
    expect([...waitsOf([own], (n) => stored.has(n))]).toEqual([done])
    // A barrier behind something stored is another cluster's, and a cluster does not wait for itself.
    expect([...waitsOf([own], (n) => stored.has(n) || n === own.args[0])]).toEqual([])
    expect([...waitsOf([own, done], (n) => stored.has(n))]).toEqual([])
  })

  it('keep equal work apart, and later', () => {
    const work = (p: Node): Node => b.tanh([matmul(p, y)], {})
    const cotangent = matmul(work(x), y)
    const outputs = [work(x), work(b.barrier([x, cotangent], {})), cotangent]
    const { kernels } = fuse({ inputs: [], outputs }, outputs, [], portable)
    const at = (n: Node): number => kernels.findIndex((k) => k.some((f) => f.stored.includes(n)))
    const waiting = kernels.flat().find((f) => f.after.size > 0)!
    expect(waiting.stored).toContain(outputs[1])
    expect(waiting.stored).not.toContain(outputs[0])
    expect([...waiting.after]).toEqual([cotangent])
    expect(at(outputs[0]!)).toBeLessThan(at(cotangent))
    expect(at(cotangent)).toBeLessThan(at(outputs[1]!))
  })
})
