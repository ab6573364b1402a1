/** Which tests a mutated file is given, and what is printed of the mutants. Stryker itself is run by hand. */
import { describe, expect, it } from 'vitest'
import { root } from '../cli/command.ts'
import { mirroredTests, testsNamedAfter } from './mirror.ts'
import { type Mutant, reportOf } from './report.ts'

describe('the tests of a file', () => {
  it('stand at its path under test, without src', () => {
    expect(mirroredTests(root, 'src/lang/tensor/index/searchsorted.ts')).toEqual([
      'test/lang/tensor/index/searchsorted.test.ts',
    ])
    expect(mirroredTests(root, 'src/nn/loss.ts')).toEqual([
      'test/nn/loss-class.test.ts',
      'test/nn/loss-focal.test.ts',
      'test/nn/loss-likelihood.test.ts',
      'test/nn/loss-margin.test.ts',
      'test/nn/loss-reduction.test.ts',
      'test/nn/loss.test.ts',
    ])
    expect(mirroredTests(root, 'codegen/routines/sort.ts')).toEqual(['test/codegen/routines/sort.test.ts'])
    expect(mirroredTests(root, 'src/nowhere/x.ts')).toEqual([])
  })
  it('are those named after it', () => {
    const names = ['fuse.test.ts', 'fuse-loops.test.ts', 'fused.test.ts', 'fuse.ts', 'refuse.test.ts']
    expect(testsNamedAfter('passes/loop/fuse.ts', names)).toEqual(['fuse-loops.test.ts', 'fuse.test.ts'])
  })
})

describe('the report', () => {
  const text = 'const a = 1\nconst b =\n  a > 0 &&\n  a < 9\n'
  const mutant = (status: string, line: number, from: number, to: number, replacement: string): Mutant => ({
    fileName: 'x.ts',
    location: { start: { line, column: from }, end: { line, column: to } },
    status,
    replacement,
  })
  it('shows what was not noticed, and the score', () => {
    const mutants = [
      mutant('Survived', 4, 3, 8, 'a <= 9'),
      mutant('NoCoverage', 1, 11, 12, '2'),
      ...['Killed', 'Timeout', 'RuntimeError'].map((status) => mutant(status, 3, 3, 8, 'true')),
    ]
    expect(reportOf(mutants, () => text)).toEqual({
      survivors: 2,
      lines: ['x.ts:1: 1 -> 2 (no test runs it)', 'x.ts:4: a < 9 -> a <= 9', '2 of 4 mutants noticed: 50.0 %'],
    })
  })
  it('puts what spans lines on one', () => {
    const across: Mutant = {
      ...mutant('Survived', 3, 3, 0, 'a > 0 ||\n  a < 9'),
      location: { start: { line: 3, column: 3 }, end: { line: 4, column: 8 } },
    }
    expect(reportOf([across], () => text).lines).toEqual([
      'x.ts:3: a > 0 && a < 9 -> a > 0 || a < 9',
      '0 of 1 mutants noticed: 0.0 %',
    ])
    expect(reportOf([], () => text)).toEqual({ survivors: 0, lines: ['0 of 0 mutants noticed: 100.0 %'] })
  })
})
