/** The tour prints what 00-tour.out says, line by line. After a change on purpose: `npx vitest run test/examples/tour.test.ts -u`. */
import { expect, test } from 'vitest'
import { tour } from '../../examples/00-tour.ts'

test('the tour', async () => {
  const lines: string[] = []
  await tour((text) => lines.push(text))
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('../../examples/00-tour.out')
})
