/** How large a kernel's text is, and that one which no compiler is sure to accept is refused before a device sees it. */
import { describe, expect, it } from 'vitest'
import * as k from '../../../codegen/kernel/build-kernel.ts'
import type { KExpr, Kernel, KStmt } from '../../../codegen/kernel/kernel.ts'
import { overText, textLimits, textSizeOf } from '../../../codegen/kernel/text-limits.ts'
import { planError } from '../../../codegen/plan/verify-plan.ts'
import { build as b } from '../../../src/lang/build.ts'
import { planOf } from '../../differential.ts'
import { f32, program } from '../../passes/graph/programs.ts'

const to = { name: 'b0', element: k.kType('f32'), access: 'read_write' as const }
const store = k.store(to, k.u32(0), k.lit(1))
const kernel = (body: readonly KStmt[], arrays: Kernel['arrays'] = []): Kernel => ({
  name: 'a',
  workgroupSize: 1,
  bindings: [to],
  arrays,
  body,
})

const nested = (levels: number): readonly KStmt[] => {
  let body: readonly KStmt[] = [store]
  for (let i = 1; i < levels; i++) body = [k.ifStmt(k.lt(k.builtin('localIndex'), k.u32(i)), body)]
  return body
}

const deep = (levels: number): KExpr => {
  let e = k.load(to, k.u32(0))
  for (let i = 2; i < levels; i++) e = k.unary('neg', e)
  return e
}

describe('the size of a text', () => {
  it('counts levels, statements, operations inside one another, bytes', () => {
    expect(textSizeOf(kernel([store]))).toEqual({ nesting: 1, statements: 1, depth: 1, bytes: 0 })
    expect(textSizeOf(kernel(nested(5)))).toMatchObject({ nesting: 5, statements: 5 })
    const other = [k.ifStmt(k.lt(k.builtin('localIndex'), k.u32(1)), [], nested(7)), store]
    expect(textSizeOf(kernel(other))).toMatchObject({ nesting: 8, statements: 9 })
    expect(textSizeOf(kernel([k.letStmt('x', deep(30))])).depth).toBe(30)
    const array = { name: 'c', space: 'private' as const, element: k.kType('f32', 4), size: 10 }
    expect(textSizeOf(kernel([k.varStmt('v', k.kType('f32'))], [array])).bytes).toBe(164)
  })

  it.each<[string, Kernel, string]>([
    ['nests too deep', kernel(nested(textLimits.nesting + 1)), 'levels of nesting in one kernel'],
    [
      'has an expression that is too deep',
      kernel([k.letStmt('x', deep(120))]),
      'levels of an expression in one kernel',
    ],
    ['is too long', kernel(Array.from({ length: 20_001 }, () => store)), 'statements in one kernel'],
    [
      'holds too much',
      kernel([store], [{ name: 'c', space: 'private', element: k.kType('f32'), size: 2049 }]),
      'bytes of variables in one kernel',
    ],
  ])('one that %s is refused', (_, over, what) => {
    expect(overText(over)).toMatchObject({ what })
    expect(overText(kernel(nested(textLimits.nesting)))).toBeUndefined()
    const { plan } = planOf(program([f32(2)], (x) => b.exp([x], {})))
    const planned = plan.kernels[0]!
    const wrong = { ...planned, kernel: { ...planned.kernel, body: over.body, arrays: over.arrays } }
    expect(planError({ ...plan, kernels: [wrong] })?.reason).toContain(what)
    expect(planError(plan)).toBeUndefined()
  })
})
