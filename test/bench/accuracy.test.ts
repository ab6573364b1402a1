/** The default forms meet JAX's float32 tolerance and every special value on the adapter at hand; the builtins are only measured. */
import { expect, test } from 'vitest'
import { accuracy } from '../../codegen/kernel/accuracy.ts'
import { composedErrors, composedNames } from '../codegen/kernel/composed-errors.ts'
import { errorsOf, floatOps } from '../codegen/kernel/errors-of.ts'
import { isClose, isMet } from './accuracy.ts'

test('every function of the table is measured, and its default form keeps what is promised', async () => {
  const rows = await errorsOf(3072)
  expect(rows.filter((r) => r.form === 'default').map((r) => r.op)).toEqual(floatOps)
  expect(rows.filter((r) => !isMet(r))).toEqual([])
  for (const r of rows.filter((q) => q.form === 'default')) {
    if (accuracy[r.op].absolute === 0) expect(r.maxUlp, r.worst).toBeLessThanOrEqual(accuracy[r.op].ulp)
    expect(r.meanUlp).toBeLessThanOrEqual(r.maxUlp)
  }
  // A judge that accepts everything would accept these too: no adapter's builtin keeps all special values.
  expect(rows.some((r) => r.form === 'fast' && (!r.specials || r.wrongKind > 0))).toBe(true)
})

test('functions that are made of others are as close, and of the right kind at every special value', async () => {
  const rows = await composedErrors(3072)
  expect(rows.map((r) => r.name)).toEqual(composedNames)
  expect(rows.filter((r) => !isClose(r)).map((r) => r.worst)).toEqual([])
})
