/** The tour prints what 00-tour.out says, line by line. After a change on purpose: `npx vitest run test/examples/tour.test.ts -u`. */
import { expect, test, vi } from 'vitest'
import { tour } from '../../examples/00-tour.ts'

test('the tour', async () => {
  const lines: string[] = []
  const stderr = vi.spyOn(process.stderr, 'write')
  await tour((text) => lines.push(text))
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('../../examples/00-tour.out')
  expect(stderr.mock.calls.filter(([text]) => String(text).includes('warning'))).toEqual([])
  stderr.mockRestore()
})
